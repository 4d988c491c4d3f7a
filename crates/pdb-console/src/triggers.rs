//! The triggers of this process: how far they are, what they did lately, and what holds them up.

mod plot;

use maud::{Markup, html};
use pdb_trigger::{MonitorPhase, Notice, RecentNotice, ShardState, TriggerHandle, TriggerMonitor};

use crate::layout::{self, Section};
use crate::shown::{format_span, format_time, plural};
use crate::{Answer, Context, Request};

/// Longer texts are folded.
const MAX_TEXT: usize = 160;

/// Returns the page, or what of it changes if the page's script asks for that.
pub(crate) fn answer(context: &Context<'_>, request: &Request<'_>) -> Answer {
    if request.wants_part() {
        return Answer::Page { status: 200, html: mappings(context).into_string() };
    }
    let content = html! {
        h1 { "Triggers" }
        @if context.triggers().is_empty() {
            (nothing(context))
        } @else {
            (layout::refreshed(mappings(context)))
        }
    };
    Answer::page(context, Section::Triggers, content)
}

fn nothing(context: &Context<'_>) -> Markup {
    html! {
        div.empty {
            @if let Some(name) = context.database() {
                p { "The triggers of a server work on its own database, not on " code { (name) } "." }
            }
            p { "This server has no triggers. A trigger invokes a function with the changes of a table, as Lambda's event source mapping \
                 does. Start one with the server, and this page shows it:" }
            pre { "pretender serve --trigger orders=127.0.0.1:9000,batch-size=10" }
            p { "A trigger in a process of its own prints what it does, and is not shown here:" }
            pre { "pretender trigger --table orders --function 127.0.0.1:9000 --endpoint http://" (context.wire().endpoint()) }
        }
    }
}

fn mappings(context: &Context<'_>) -> Markup {
    html! {
        @for (index, monitor) in context.triggers().iter().enumerate() {
            section.trigger aria-labelledby={ "trigger-" (index) } {
                (mapping(context, index, monitor))
            }
        }
    }
}

fn mapping(context: &Context<'_>, index: usize, monitor: &TriggerMonitor) -> Markup {
    let description = monitor.description();
    let (phase, handle) = (monitor.phase(), monitor.handle());
    html! {
        h2 id={ "trigger-" (index) } { (description.target) " → " span.function { (description.function) } }
        p {
            @match &phase {
                MonitorPhase::Waiting(why) => { strong { "waiting" } ": " (why) }
                MonitorPhase::Running(_) => { strong { "running" } }
                _ => { strong { "stopped" } }
            }
            @if let Some(handle) = &handle { " · " (stream(context, &handle.state().stream_arn)) }
            " · batches of at most " (plural(description.batch_size.into(), "record"))
        }
        @if !description.settings.is_empty() {
            ul.settings aria-label="Settings" {
                @for (name, value) in &description.settings {
                    li { code { (name) @if !value.is_empty() { "=" (value) } } }
                }
            }
        }
        @if let Some(handle) = &handle { (state(index, handle)) }
        @if let Some(handle) = &handle {
            (plot::iterator_age(&monitor.iterator_ages()))
            (shards(index, &handle.shards()))
            (recent(index, &monitor.notices()))
        }
    }
}

/// Returns a link to the stream of an ARN.
fn stream(context: &Context<'_>, stream_arn: &str) -> Markup {
    let resource = stream_arn.split_once(":table/").map(|(_, resource)| resource).unwrap_or_default();
    let mut parts = resource.split('/');
    let (table, label) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    html! { a href=(context.link("stream", &[("table", table)])) title=(stream_arn) { "stream " (label) } }
}

fn state(index: usize, handle: &TriggerHandle) -> Markup {
    let state = handle.state();
    let is_bad = state.last_processing_result.starts_with("PROBLEM");
    let numbers = [
        ("Invocations", state.invocations),
        ("Failed", state.failed_invocations),
        ("Retries", state.retries),
        ("Records processed", state.processed_records),
        ("Filtered", state.filtered_records),
        ("Discarded", state.discarded_records),
        ("Waiting", state.waiting_records),
        ("Batches in flight", state.batches_in_flight),
    ];
    html! {
        @if let Some(problem) = &state.problem {
            div.notice.bad { strong { "Problem: " } (long(problem, &format!("{index}-problem"))) }
        }
        dl.counts {
            div {
                dt { "Last result" }
                dd.bad-result[is_bad] { (state.last_processing_result) }
            }
            @for (name, number) in numbers {
                div { dt { (name) } dd { (number) } }
            }
        }
        @if let Some(error) = &state.last_error {
            div.last-error { "Last error: " (long(error, &format!("{index}-error"))) }
        }
    }
}

fn shards(index: usize, shards: &[ShardState]) -> Markup {
    html! {
        @if !shards.is_empty() {
            details data-key={ (index) "-shards" } {
                summary { "Shards being read: " (shards.len()) }
                div.scroll {
                    table {
                        thead { tr { th scope="col" { "Shard" } th.number scope="col" { "Waiting" } th.number scope="col" { "Iterator age" } } }
                        tbody {
                            @for shard in shards {
                                tr {
                                    th.mono scope="row" { (shard.shard_id) }
                                    td.number { (shard.waiting_records) }
                                    td.number { (format_span(shard.iterator_age_millis)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn recent(index: usize, notices: &[RecentNotice]) -> Markup {
    html! {
        h3 { "Recent batches" }
        @if notices.is_empty() {
            p.hint { "None yet." }
        } @else {
            div.scroll.recent tabindex="0" role="region" aria-label="Recent batches" {
                table {
                    thead { tr { th scope="col" { "Time" } th scope="col" { "Result" } th.number scope="col" { "Records" } th scope="col" { "Shard" } } }
                    tbody {
                        // Counted from the oldest, so that a row keeps its number while newer ones come.
                        @for (number, notice) in notices.iter().enumerate().map(|(n, notice)| (notices.len() - n, notice)) {
                            (row(&format!("{index}-{}-{number}", notice.at.0), notice))
                        }
                    }
                }
            }
        }
    }
}

fn row(key: &str, RecentNotice { at, notice }: &RecentNotice) -> Markup {
    let (records, shard_id) = match notice {
        Notice::Processed { shard_id, records } | Notice::Discarded { shard_id, records, .. } => {
            (Some(*records), Some(shard_id))
        }
        Notice::Failed { shard_id, .. } | Notice::Trimmed { shard_id } => (None, Some(shard_id)),
        Notice::Problem(_) => (None, None),
    };
    html! {
        tr {
            td.mono { (format_time(*at)) }
            td {
                @match notice {
                    Notice::Processed { .. } => span.insert { "processed" },
                    Notice::Failed { error, .. } => { span.remove { "failed" } " " (long(error, key)) }
                    Notice::Discarded { condition, .. } => { span.remove { "discarded" } " " (condition.as_str()) }
                    Notice::Trimmed { .. } => { span.remove { "lost" } " records were trimmed before they were read" }
                    Notice::Problem(text) => { span.modify { "problem" } " " (long(text, key)) }
                }
            }
            td.number { @if let Some(records) = records { (records) } }
            td.mono { @if let Some(shard_id) = shard_id { (shard_id) } }
        }
    }
}

/// Shows a text that may be long. The key is for the page's script, which keeps open what is open.
fn long(text: &str, key: &str) -> Markup {
    match text.char_indices().nth(MAX_TEXT) {
        None => html! { span.text { (text) } },
        Some((end, _)) => html! {
            details.long data-key=(key) {
                summary { (&text[..end]) "…" }
                span.text { (text) }
            }
        },
    }
}

#[cfg(test)]
mod tests;
