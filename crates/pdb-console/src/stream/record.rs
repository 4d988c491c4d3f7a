//! One record, opened: both images with what differs, and the forms in which programs see it.

use maud::{Markup, html};
use pdb_trigger::{EventRecord, lambda_event};
use pretender::streams::source::{SourceError, SourcePosition, StreamSource};
use pretender::streams::{StreamArn, StreamRecord};
use serde_json::{Value, json};

use super::find_stream;
use super::row::{change, event, parsed, short_shard};
use crate::difference::difference;
use crate::layout::Section;
use crate::pretty_json::pretty_json;
use crate::shown::{format_bytes, format_time};
use crate::{Answer, Context, Request, call};

/// Answers with the page of a record.
pub(crate) fn record(context: &Context<'_>, request: &Request<'_>) -> Answer {
    let parameters = request.query();
    let arn = match find_stream(context, &parameters) {
        Ok(arn) => arn,
        Err(answer) => return *answer,
    };
    let (shard, number) = (parameters.get("shard"), parameters.get("number"));
    let found = match find(context, &arn, shard, number) {
        Ok(Some(record)) => record,
        Ok(None) => {
            return Answer::not_found(
                context,
                "There is no such record. It may have been trimmed, or the database was restored.",
            );
        }
        Err(error) => {
            return Answer::failed(context, "Record", &format!("The record cannot be read: {error}."));
        }
    };
    let raw = raw(context, &arn, shard, number);
    let table = arn.table.name.as_str();
    let content = html! {
        link rel="stylesheet" href="stream.css";
        h1 {
            a href=(context.link("stream", &[("arn", &arn.to_string())])) { (table) ": stream" }
            " record"
        }
        (show(&found, &raw, &arn, shard))
    };
    Answer::page(context, Section::Stream(table), content)
}

/// Finds the record with a number.
fn find(
    context: &Context<'_>,
    arn: &StreamArn,
    shard: &str,
    number: &str,
) -> Result<Option<StreamRecord>, SourceError> {
    let source = context.pretender().observed_streams();
    let Some(before) = before(number) else { return Ok(None) };
    let position = SourcePosition::After(before);
    let arn = arn.to_string();
    let iterator = match source.shard_iterator(&arn, shard, &position) {
        // The record before may be trimmed, or the first number of the shard may be meant.
        Err(SourceError::Trimmed | SourceError::Failed(_)) => {
            source.shard_iterator(&arn, shard, &SourcePosition::TrimHorizon)
        }
        iterator => iterator,
    };
    let page = match iterator {
        Err(SourceError::NotFound | SourceError::Trimmed) => return Ok(None),
        iterator => source.records(&iterator?, Some(1))?,
    };
    Ok(page.records.into_iter().find(|record| record.sequence_number.to_string() == number))
}

/// Returns the number before a number of the same shard.
fn before(number: &str) -> Option<String> {
    let mut number: pretender::streams::SequenceNumber = number.parse().ok()?;
    number.counter = number.counter.checked_sub(1)?;
    Some(number.to_string())
}

/// Returns the record as `GetRecords` answers it.
fn raw(context: &Context<'_>, arn: &StreamArn, shard: &str, number: &str) -> Value {
    let input = json!({
        "StreamArn": arn.to_string(),
        "ShardId": shard,
        "ShardIteratorType": "AT_SEQUENCE_NUMBER",
        "SequenceNumber": number,
    });
    let answer = call::streams(context.wire(), "GetShardIterator", &input);
    let iterator = answer.unwrap_or_default()["ShardIterator"].take();
    let input = json!({ "ShardIterator": iterator, "Limit": 1 });
    let page = call::streams(context.wire(), "GetRecords", &input);
    page.unwrap_or_default()["Records"][0].take()
}

fn show(record: &StreamRecord, raw: &Value, arn: &StreamArn, shard: &str) -> Markup {
    let number = record.sequence_number.to_string();
    let lambda = lambda_event(&[EventRecord::new(record, &arn.to_string())]);
    html! {
        div.opened #record {
            dl.facts {
                div { dt { "Event" } dd { (event(record.event_name)) } }
                div { dt { "Made" } dd { (format_time(record.created)) } }
                div { dt { "By" } dd { @match &record.user_identity {
                    Some(identity) => { "time to live (" (identity.principal_id) ")" }
                    None => "a request",
                } } }
                div { dt { "Shard" } dd { (short_shard(shard)) } }
                div { dt { "Sequence number" } dd.mono { (number) } }
                div { dt { "Event ID" } dd.mono { (record.event_id) } }
                div { dt { "Size" } dd { (format_bytes(record.size_bytes)) " (" (record.view_type) ")" } }
            }
            (images(record))
            (text(&number, "raw", "Record, as GetRecords answers it", &pretty_json(&raw.to_string())))
            (text(&number, "lambda", "Event, as Lambda gets it", &pretty_json(&lambda)))
            (text(&number, "pattern", "Filter pattern that matches it", &pattern(record).to_string()))
        }
    }
}

/// Returns a text with a button that copies it. `number` makes its name unique on a page with several records.
fn text(number: &str, name: &str, title: &str, text: &str) -> Markup {
    let id = format!("{name}-{number}");
    html! {
        details {
            summary { (title) }
            p { button type="button" data-copy=(format!("#{id}")) { "Copy" } }
            pre id=(id) { (text) }
        }
    }
}

/// Returns both images side by side.
fn images(record: &StreamRecord) -> Markup {
    let (old, new) = (parsed(record.old_image.as_ref()), parsed(record.new_image.as_ref()));
    if record.old_image.is_none() && record.new_image.is_none() {
        let keys = parsed(Some(&record.keys));
        return html! { h3 { "Key" } pre { (pretty_json(&keys.to_string())) }
        p.hint { "The stream's view type has no images." } };
    }
    let changes = match (&record.old_image, &record.new_image) {
        (Some(_), Some(_)) => difference(&old, &new),
        _ => Vec::new(),
    };
    let mut names: Vec<&String> =
        old.as_object().into_iter().chain(new.as_object()).flat_map(|image| image.keys()).collect();
    names.sort();
    names.dedup();
    html! {
        @if !changes.is_empty() {
            h3 { "Difference" }
            ul.changes.mono { @for each in &changes { li { (change(each)) } } }
        }
        h3 { "Images" }
        div.scroll {
            table.images {
                thead { tr {
                    th scope="col" { "Attribute" }
                    th scope="col" { "Before" @if record.old_image.is_none() { (absent(record, true)) } }
                    th scope="col" { "After" @if record.new_image.is_none() { (absent(record, false)) } }
                } }
                tbody { @for name in names { (attribute(record, name, (old.get(name), new.get(name)))) } }
            }
        }
    }
}

/// Returns why there is no image.
fn absent(record: &StreamRecord, is_old: bool) -> Markup {
    use pretender::streams::EventName;
    let has = if is_old { record.view_type.includes_old() } else { record.view_type.includes_new() };
    let reason = match record.event_name {
        _ if !has => "not in this view type",
        EventName::Insert => "there was no item",
        _ => "there is no item",
    };
    html! { span.hint { " (" (reason) ")" } }
}

fn attribute(record: &StreamRecord, name: &str, (old, new): (Option<&Value>, Option<&Value>)) -> Markup {
    let are_both_known = record.old_image.is_some() && record.new_image.is_some();
    let is_changed = are_both_known && !difference(&of(name, old), &of(name, new)).is_empty();
    let word = match (old, new) {
        _ if !is_changed => "",
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let cell = |value: Option<&Value>| {
        html! { td { @if let Some(value) = value { pre { (pretty_json(&value.to_string())) } } } }
    };
    html! {
        tr class=[(!word.is_empty()).then_some(word)] {
            th.mono scope="row" { (name) @if !word.is_empty() { " " span.hint { (word) } } }
            (cell(old))
            (cell(new))
        }
    }
}

/// Returns an item that has only this attribute.
fn of(name: &str, value: Option<&Value>) -> Value {
    value.map_or(Value::Null, |value| json!({ name: value }))
}

/// Returns a pattern that matches this record, and others of the same item with the same event.
fn pattern(record: &StreamRecord) -> Value {
    let keys = parsed(Some(&record.keys));
    let member = |(name, typed): (&String, &Value)| {
        let typed = typed.as_object().into_iter().flatten();
        let typed: serde_json::Map<String, Value> =
            typed.map(|(kind, value)| (kind.clone(), json!([value]))).collect();
        (name.clone(), Value::Object(typed))
    };
    let keys: serde_json::Map<String, Value> = keys.as_object().into_iter().flatten().map(member).collect();
    json!({ "eventName": [record.event_name.as_str()], "dynamodb": { "Keys": keys } })
}

#[cfg(test)]
mod tests {
    use pretender::prelude::*;
    use pretender::streams::EventDocument;

    use super::*;

    #[test]
    fn the_pattern_matches_its_record_and_no_other_item() {
        let db = Pretender::in_memory().unwrap();
        let orders = TableName::new("orders").unwrap();
        db.create_table(CreateTableInput {
            stream_specification: Some(StreamSpecification::enabled(StreamViewType::KeysOnly)),
            ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), Some(("n", ScalarType::N)))
        })
        .unwrap();
        for (id, n) in [("o1", 1), ("\"<b>&", 1), ("o1", 2)] {
            db.put_item(PutItemInput::new(orders.clone(), Item::new().with("id", id).with("n", n))).unwrap();
        }
        let records: Vec<_> =
            db.subscribe().table("orders").start().unwrap().map(|event| event.unwrap().record).collect();
        for record in &records {
            let matching: EventPattern = pattern(record).to_string().parse().unwrap();
            let matched: Vec<_> = records
                .iter()
                .filter(|record| matching.matches(&EventDocument::of_record(record, "arn")))
                .map(|record| record.sequence_number)
                .collect();
            assert_eq!(matched, [record.sequence_number]);
        }
    }
}
