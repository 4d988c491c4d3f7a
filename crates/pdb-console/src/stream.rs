//! The page of a stream: what it is, its shards, and its records as they come.

mod drawing;
mod export;
mod filter;
mod picture;
mod position;
mod recent;
mod record;
mod row;
mod shards;

use std::str::FromStr;

use maud::{Markup, html};
use pretender::model::TableName;
use pretender::observe::StreamReport;
use pretender::streams::{EventName, ListStreamsInput, StreamArn};

use crate::layout::Section;
use crate::shown::format_time;
use crate::tail::{ShortCheckpoint, Tail};
use crate::{Answer, Context, Parameters, Request};
pub(crate) use export::export;
pub(crate) use filter::Filter;
use position::Position;
use recent::Records;
pub(crate) use record::record;
use row::row;

/// What an address means: a stream, which of its records, and from where.
#[derive(Debug)]
struct Selection {
    arn: StreamArn,
    /// Why there is a stream but nothing can be selected from it: a text for people.
    filter: Result<Filter, String>,
    position: Result<Position, String>,
}

impl Selection {
    /// Reads the parameters of an address.
    fn of(context: &Context<'_>, parameters: &Parameters<'_>) -> Result<Self, Box<Answer>> {
        let arn = find_stream(context, parameters)?;
        let now = context.pretender().env().clock.now();
        Ok(Self { arn, filter: Filter::of(parameters), position: Position::of(parameters, now) })
    }

    /// Returns the filter and the position, unless one of them is wrong.
    fn checked(self) -> Result<(StreamArn, Filter, Position), String> {
        Ok((self.arn, self.filter?, self.position?))
    }
}

/// Finds the stream that an address means: by its ARN, or the latest one of a table.
fn find_stream(context: &Context<'_>, parameters: &Parameters<'_>) -> Result<StreamArn, Box<Answer>> {
    let pretender = context.pretender();
    if let Some(text) = parameters.find("arn") {
        let found = text.parse::<StreamArn>().ok().filter(|arn| pretender.shards(arn).is_ok());
        return found.ok_or_else(|| {
            let text = format!(
                "There is no stream `{text}`. A stream is removed with its records, 24 hours after it was disabled."
            );
            Box::new(Answer::not_found(context, &text))
        });
    }
    let name = parameters.get("table");
    let Ok(table) = TableName::from_str(name) else {
        return Err(Box::new(Answer::not_found(context, &format!("There is no table `{name}`."))));
    };
    match pretender.latest_stream(&table) {
        Ok(arn) if pretender.shards(&arn).is_ok() => Ok(arn),
        _ => Err(Box::new(no_stream(context, &table))),
    }
}

/// Returns the page of a table that has no stream, which says how it gets one.
fn no_stream(context: &Context<'_>, table: &TableName) -> Answer {
    let name = table.as_str();
    let endpoint = context.endpoint_url();
    let content = html! {
        h1 { (name) ": stream" }
        div.empty {
            p { "The table has no stream, or there is no such table. A stream of changes is enabled for each table:" }
            pre #enable { "aws dynamodb update-table --endpoint-url " (endpoint) " --table-name " (name)
                " --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES" }
            p { button type="button" data-copy="#enable" { "Copy" } }
        }
        p { a href=(context.link("table", &[("name", name)])) { "The table" } }
    };
    Answer::page_with(404, context, Section::Stream(name), content)
}

/// Answers with the page of a stream.
pub(crate) fn answer(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let parameters = request.query();
    let selection = match Selection::of(context, &parameters) {
        Ok(selection) => selection,
        Err(answer) => return *answer,
    };
    let report = match context.pretender().stream_report(&selection.arn) {
        Ok(report) => report,
        Err(error) => return Answer::failed(context, "Stream", &error.message),
    };
    let state = html! { (facts(context, &report)) (shards::show(context, &report)) };
    if request.wants_part() {
        return Answer::Page { status: 200, html: state.into_string() };
    }
    let table = selection.arn.table.name.as_str().to_owned();
    let part = context.link("stream", &[("arn", &selection.arn.to_string()), ("part", "1")]);
    let content = html! {
        link rel="stylesheet" href="stream.css";
        script src="stream.js" defer {}
        h1 { a href=(context.link("table", &[("name", &table)])) { (table) } ": stream " (selection.arn.label) }
        div #state data-part=(part) { (state) }
        (records(context, &parameters, selection))
    };
    Answer::page(context, Section::Stream(&table), content)
}

fn facts(context: &Context<'_>, report: &StreamReport) -> Markup {
    let others = other_streams(context, &report.stream_arn);
    html! {
        dl.facts {
            div { dt { "Status" } dd { (report.status) } }
            div { dt { "View type" } dd { (report.view_type) } }
            div { dt { "Enabled" } dd { (format_time(report.created)) } }
            div { dt { "ARN" } dd { code #arn { (report.stream_arn) } " " button.small type="button" data-copy="#arn" { "Copy" } } }
            @if !others.is_empty() {
                div {
                    dt { "Other streams of the table" }
                    dd { @for arn in &others { a href=(context.link("stream", &[("arn", &arn.to_string())])) { (arn.label) } " " } }
                }
            }
        }
    }
}

/// Returns the other streams of the same table, newest first.
fn other_streams(context: &Context<'_>, arn: &StreamArn) -> Vec<StreamArn> {
    let mut input =
        ListStreamsInput { table_name: Some(arn.table.name.clone()), ..ListStreamsInput::default() };
    input.limit = Some(50);
    let listed = context.pretender().list_streams(&input).map(|page| page.streams).unwrap_or_default();
    let mut others: Vec<StreamArn> =
        listed.into_iter().map(|stream| stream.stream_arn).filter(|other| other != arn).collect();
    others.sort_by(|a, b| b.label.cmp(&a.label));
    others
}

/// Returns the part of the page with the records.
fn records(context: &Context<'_>, parameters: &Parameters<'_>, selection: Selection) -> Markup {
    let form = form(context, parameters, &selection.arn);
    let shown = selection.checked().and_then(|(arn, filter, position)| {
        let records = Records::read(context, &arn, &filter, &position)?;
        Ok((arn, filter, records))
    });
    html! {
        section aria-labelledby="records-heading" {
            h2 #records-heading { "Records" }
            (form)
            @match &shown {
                Err(text) => p.notice.bad role="alert" { (text) },
                Ok((arn, filter, records)) => (list(context, arn, filter, records)),
            }
        }
    }
}

/// Returns the form that chooses records. It is sent as an address, so that what is shown can be shared.
fn form(context: &Context<'_>, parameters: &Parameters<'_>, arn: &StreamArn) -> Markup {
    let chosen: Vec<&str> = parameters.all(Filter::EVENT).collect();
    let event = |name: EventName| {
        let is_chosen = chosen.contains(&name.as_str());
        html! {
            label.check { input type="checkbox" name=(Filter::EVENT) value=(name) checked[is_chosen]; (row::event(name)) }
        }
    };
    let from = parameters.get(Position::FROM);
    let option = |value: &str, text: &str| html! { option value=(value) selected[from == value] { (text) } };
    html! {
        form.choose method="get" action="stream" {
            input type="hidden" name="arn" value=(arn);
            @if let Some(region) = context.region() { input type="hidden" name="region" value=(region); }
            fieldset { legend { "Events" } (event(EventName::Insert)) (event(EventName::Modify)) (event(EventName::Remove)) }
            div.fields {
                label { "Key contains" input name=(Filter::KEY) value=(parameters.get(Filter::KEY)) autocomplete="off" spellcheck="false"; }
                label.check { input type="checkbox" name=(Filter::WHOLE) value="yes" checked[!parameters.get(Filter::WHOLE).is_empty()]; "whole value" }
                label { "From" select name=(Position::FROM) {
                    (option(Position::LATEST, "now"))
                    (option(Position::TRIM_HORIZON, "the oldest record"))
                    (option(Position::TIME, "a time"))
                } }
                label { "Time, or how long ago" input name=(Position::TIME) value=(parameters.get(Position::TIME))
                    placeholder="2026-03-01 09:15:42Z, 15m" autocomplete="off" spellcheck="false"; }
                label.wide { "Lambda filter pattern" input.mono name=(Filter::PATTERN) value=(parameters.get(Filter::PATTERN))
                    placeholder="{\"dynamodb\": {\"NewImage\": {\"city\": {\"S\": [\"Bern\"]}}}}" autocomplete="off" spellcheck="false"; }
                button.main { "Show" }
            }
        }
    }
}

/// Returns the records, and what the script needs to go on behind them.
fn list(context: &Context<'_>, arn: &StreamArn, filter: &Filter, records: &Records) -> Markup {
    let arn_text = arn.to_string();
    let filter_parameters = filter.parameters();
    let link = |page: &str, more: &[(&str, &str)]| {
        let mut parameters = vec![("arn", arn_text.as_str())];
        parameters.extend(filter_parameters.iter().map(|(name, value)| (*name, value.as_str())));
        parameters.extend_from_slice(more);
        context.link(page, &parameters)
    };
    let after = records.checkpoint.to_string();
    let events = records.are_all.then(|| link("events", &[(Position::AFTER, &after)]));
    let (from, to) = records.times().unwrap_or_default();
    let export = link("export", &[("since", &from.0.to_string()), ("until", &to.0.to_string())]);
    html! {
        div.tail #tail data-events=[events] data-export=(link("export", &[])) data-stream=(context.link("stream", &[])) {
            p.notice #tail-problem role="alert" hidden {}
            div.bar {
                span #tail-state role="status" { (records.summary()) }
                button type="button" #pause aria-pressed="false" hidden { "Pause" }
                button type="button" #clear hidden { "Clear" }
                a #export href=(export) download hidden[records.rows.is_empty()]
                    title=(format!("All records of the time that is shown, {} at most", export::MAX_RECORDS)) { "Export as JSON lines" }
                @if !records.are_all {
                    a href=(link("stream", &[(Position::AFTER, &after)])) { "The next " (recent::MAX_PAGE) }
                    " "
                    a href=(link("stream", &[])) { "Go to now" }
                }
                noscript { span.hint { "Without JavaScript the page does not follow the stream: load it again." } }
            }
            div.scroll {
                table.records {
                    caption.unseen { "Records, newest first" }
                    (row::head())
                    tbody #rows { @for new in records.rows.iter().rev() { (row(new, arn, context.region())) } }
                }
            }
            @if records.rows.is_empty() {
                div.empty #none {
                    @if filter.wants_all() {
                        p { "There are no records here yet. Write an item, and its change appears:" }
                        pre { "aws dynamodb put-item --endpoint-url " (context.endpoint_url()) " --table-name " (arn.table.name.as_str())
                            " --item '{...}'" }
                    } @else {
                        @if records.are_last {
                            p { "None of the newest records matches the filter; the last " (recent::MAX_LOOKED_AT_BACK)
                                " of each shard were searched. What matches from now on appears here." }
                        } @else {
                            p { "No record matches the filter yet." }
                        }
                    }
                }
            }
        }
    }
}

/// Answers with the events of a stream.
pub(crate) fn events(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let parameters = request.query();
    // What a browser received last is newer than what its address says.
    let checkpoint = request.last_event_id().unwrap_or(parameters.get(Position::AFTER));
    let checkpoint: Option<ShortCheckpoint> = checkpoint.parse().ok();
    let arn = match &checkpoint {
        Some(checkpoint) => find_stream_again(context, &parameters, checkpoint),
        None => find_stream(context, &parameters),
    };
    match (arn, Filter::of(&parameters)) {
        (Err(answer), _) => *answer,
        (_, Err(text)) => Answer::failed(context, "Events", &text),
        (Ok(arn), Ok(filter)) => {
            let tail = Tail::new(context.pretender(), arn, filter, checkpoint, context.region(), row);
            Answer::Events(Box::new(tail))
        }
    }
}

/// Finds the stream in which a page goes on. The one that it began with may be gone, and the table may have another one.
fn find_stream_again(
    context: &Context<'_>,
    parameters: &Parameters<'_>,
    checkpoint: &ShortCheckpoint,
) -> Result<StreamArn, Box<Answer>> {
    let Ok(arn) = parameters.get("arn").parse::<StreamArn>() else { return find_stream(context, parameters) };
    let exists = |arn: &StreamArn| context.pretender().shards(arn).is_ok();
    let latest = || context.pretender().latest_stream(&arn.table.name).ok();
    let last = StreamArn { label: checkpoint.label(), ..arn.clone() };
    let found = Some(last).filter(exists).or_else(|| latest().filter(exists));
    found.map_or_else(|| find_stream(context, parameters), Ok)
}

#[cfg(test)]
mod tests;
