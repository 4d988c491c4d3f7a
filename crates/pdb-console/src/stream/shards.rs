//! The part of the page that shows the shards: the picture, and the same facts as a table.

use std::collections::HashMap;
use std::time::Duration;

use maud::{Markup, html};
use pretender::observe::{ReaderReport, ShardReport, StreamReport};
use pretender::streams::{StreamArn, StreamStatus};
use pretender::testing::ShardSummary;
use pretender::time::EpochMillis;

use super::drawing::{behind, contents, draw};
use super::picture::{MAX_DRAWN, ReaderMark, ShardBar};
use super::row::short_shard;
use crate::Context;
use crate::shown::{format_time, plural};

/// Returns the part of the page.
pub(super) fn show(context: &Context<'_>, report: &StreamReport) -> Markup {
    let now = context.pretender().env().clock.now();
    let readers = readers(context, &report.stream_arn);
    let summaries = context.pretender().shards(&report.stream_arn).unwrap_or_default();
    let (bars, left_out) = bars(report, &summaries);
    let is_enabled = matches!(report.status, StreamStatus::Enabling | StreamStatus::Enabled);
    html! {
        section aria-labelledby="shards-heading" {
            h2 #shards-heading { "Shards" }
            @if bars.is_empty() {
                p.empty { @if is_enabled { "The stream is being enabled." } @else { "All shards are gone: their records are past the retention." } }
            } @else {
                div.scroll { (draw(&bars, &readers, now)) }
                (legend(!readers.is_empty()))
                @if left_out > 0 { p.hint { "Of " (plural((bars.len() + left_out) as u64, "shard")) ", the newest " (bars.len()) " are shown." } }
                details {
                    summary { "The shards as a table" }
                    div.scroll { (table(&bars, &summaries, &readers, now)) }
                }
            }
        }
    }
}

fn legend(has_readers: bool) -> Markup {
    let entry = |class: &str, text: &str| html! { li { span.swatch.(class) {} (text) } };
    html! {
        ul.legend aria-hidden="true" {
            (entry("open", "open: takes records"))
            (entry("closed", "closed"))
            (entry("trimmed", "the part of its records that was trimmed"))
            @if has_readers { li { span.swatch.reader { "▲" } "how far a reader has come in its records" } }
        }
    }
}

fn table(bars: &[ShardBar], summaries: &[ShardSummary], readers: &[ReaderMark], now: EpochMillis) -> Markup {
    let summaries: HashMap<&str, &ShardSummary> =
        summaries.iter().map(|summary| (summary.shard_id.as_str(), summary)).collect();
    html! {
        table {
            thead { tr {
                th scope="col" { "Shard" } th scope="col" { "Parent" } th scope="col" { "State" } th scope="col" { "Opened" }
                th scope="col" { "Closed" } th scope="col" { "Records" } th.number scope="col" { "Trimmed" }
                th scope="col" { "Sequence numbers" } th scope="col" { "Readers" }
            } }
            tbody {
                @for bar in bars {
                    tr {
                        th.mono scope="row" { (bar.shard_id) }
                        td { @if let Some(parent) = &bar.parent { (short_shard(parent)) } @else { span.hint { "none" } } }
                        td { @if bar.closed.is_none() { "open" } @else { "closed" } }
                        td { (format_time(bar.opened)) }
                        td { @if let Some(closed) = bar.closed { (format_time(closed)) } }
                        td { (contents(bar, now)) }
                        td.number { (bar.trimmed) }
                        td.mono { @if let Some(summary) = summaries.get(bar.shard_id.as_str()) { (numbers(summary)) } }
                        td {
                            @for reader in readers.iter().filter(|reader| reader.shard_id == bar.shard_id) {
                                div { (reader.name) ": " (behind(reader)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn numbers(summary: &ShardSummary) -> Markup {
    html! {
        "after " (summary.starting)
        @if let Some(ending) = summary.ending { " to " (ending) }
    }
}

/// Returns the shards to draw, parents before children, and how many are left out. Open shards come first, then those that were closed
/// last.
fn bars(report: &StreamReport, summaries: &[ShardSummary]) -> (Vec<ShardBar>, usize) {
    let summaries: HashMap<&str, &ShardSummary> =
        summaries.iter().map(|summary| (summary.shard_id.as_str(), summary)).collect();
    let mut places: Vec<usize> = (0..report.shards.len()).collect();
    places.sort_by_key(|place| {
        let closed = report.shards[*place].closed;
        (closed.is_some(), std::cmp::Reverse((closed, *place)))
    });
    let left_out = places.len().saturating_sub(MAX_DRAWN);
    places.truncate(MAX_DRAWN);
    // Shards are listed after their parents.
    places.sort_unstable();
    let bar = |place: usize| {
        let shard = &report.shards[place];
        let summary = summaries.get(shard.shard_id.as_str());
        ShardBar {
            shard_id: shard.shard_id.to_string(),
            parent: shard.parent_shard_id.as_ref().map(ToString::to_string),
            opened: shard.opened,
            closed: shard.closed,
            hash_from: summary.map_or(0, |summary| summary.hash_range.0),
            trimmed: trimmed(shard, summary.copied()),
            records: shard.backlog.records,
            oldest: shard.backlog.oldest,
        }
    };
    (places.into_iter().map(bar).collect(), left_out)
}

/// Returns how many records were trimmed, by their numbers.
fn trimmed(shard: &ShardReport, summary: Option<&ShardSummary>) -> u64 {
    let starting = summary.map_or(0, |summary| summary.starting.counter);
    shard.trimmed.map_or(0, |trimmed| trimmed.counter.saturating_sub(starting))
}

/// Returns how far the readers of a stream have come, as the database reports it.
fn readers(context: &Context<'_>, arn: &StreamArn) -> Vec<ReaderMark> {
    let reports = context.pretender().readers().unwrap_or_default();
    reports.into_iter().filter(|reader| reader.stream_arn == *arn).map(mark).collect()
}

fn mark(report: ReaderReport) -> ReaderMark {
    ReaderMark {
        name: format!("{} {:04x}", report.kind.as_str(), report.reader),
        shard_id: report.shard_id.to_string(),
        behind: report.backlog.records,
        age: if report.backlog.records == 0 { Duration::ZERO } else { report.iterator_age },
    }
}
