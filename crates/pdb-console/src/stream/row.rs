//! A record as one row: when, what happened, to which item, and what changed in it.

use maud::{Markup, html};
use pretender::model::EncodedItem;
use pretender::streams::{EventName, StreamArn, StreamRecord};
use serde_json::Value;

use crate::context::link;
use crate::difference::{Change, difference};
use crate::shown::{format_bytes, format_time};
use crate::tail::ShardRecord;
use crate::values::short_quoted;

/// The most changes, or attributes, of a row.
const MAX_CHANGES: usize = 8;
/// The most characters of a value in a row.
const MAX_CHARACTERS: usize = 60;
/// Images above this size are compared only when their record is opened: to parse 200 of them a second would take too long.
const MAX_COMPARED_BYTES: u64 = 64 * 1024;

/// Returns the head of the table of records.
pub(super) fn head() -> Markup {
    html! {
        thead { tr {
            th scope="col" { "Time" } th scope="col" { "Event" } th scope="col" { "Key" }
            th scope="col" { "Change" } th scope="col" { "Shard" }
        } }
    }
}

/// Returns the row of a record.
pub(super) fn row(new: &ShardRecord, arn: &StreamArn, region: Option<&str>) -> Markup {
    let record = &new.record;
    let number = record.sequence_number.to_string();
    let address =
        link(region, "record", &[("arn", &arn.to_string()), ("shard", &new.shard_id), ("number", &number)]);
    let time = format_time(record.created);
    html! {
        tr.record data-event=(record.event_id) data-time=(record.created.0) {
            td.when { a href=(address) { time datetime=(time) { (time_of_record(&time)) } } }
            td { (event(record.event_name)) }
            td.key.mono { (key(record)) }
            td.changes.mono {
                (changes(record))
                @if record.user_identity.is_some() { " " span.hint { "by TTL" } }
            }
            td.shard { (short_shard(&new.shard_id)) }
        }
    }
}

/// Returns the name of an event with its letter and its colour.
pub(super) fn event(name: EventName) -> Markup {
    let class = match name {
        EventName::Insert => "insert",
        EventName::Modify => "modify",
        EventName::Remove => "remove",
    };
    let name = name.as_str();
    html! { span.event.(class) { span.letter aria-hidden="true" { (&name[..1]) } " " (name) } }
}

/// Returns the last digits of a shard's id, with the whole id for those who point at it.
pub(super) fn short_shard(shard_id: &str) -> Markup {
    html! { span.mono title=(shard_id) { "…" (end_of(shard_id)) } }
}

/// Returns the last eight characters of a shard's id, which distinguish the shards of one moment.
pub(super) fn end_of(shard_id: &str) -> &str {
    let start = shard_id.char_indices().rev().nth(7).map_or(0, |(at, _)| at);
    &shard_id[start..]
}

/// Returns a time without its year, and the day apart, which is the same in most rows.
fn time_of_record(time: &str) -> Markup {
    let (day, time) = time.split_once(' ').unwrap_or(("", time));
    let (_, day) = day.split_once('-').unwrap_or_default();
    html! { span.hint { (day) } " " (time.trim_end_matches('Z')) }
}

fn key(record: &StreamRecord) -> Markup {
    let keys = parsed(Some(&record.keys));
    html! {
        @for (name, value) in keys.as_object().into_iter().flatten() {
            span.attribute { span.name { (name) } "=" (short_value(value)) } " "
        }
    }
}

/// Returns a value on one line. A text that turns the direction of writing does so in its own place only.
fn short_value(value: &Value) -> Markup {
    html! { bdi { (short_quoted(value, MAX_CHARACTERS)) } }
}

/// Returns what changed: places with both values, or the attributes of the only image.
fn changes(record: &StreamRecord) -> Markup {
    let size =
        [&record.old_image, &record.new_image].into_iter().flatten().map(EncodedItem::size_bytes).sum();
    if size > MAX_COMPARED_BYTES {
        return html! { span.hint { "images of " (format_bytes(size)) ": open the record to see them" } };
    }
    let keys = parsed(Some(&record.keys));
    let is_key = |name: &str| keys.get(name).is_some();
    match (&record.old_image, &record.new_image) {
        (None, None) => html! { span.hint { "keys only" } },
        (Some(old), Some(new)) => {
            let changes = difference(&parsed(Some(old)), &parsed(Some(new)));
            list(&changes, "no value changed", change)
        }
        (Some(image), None) | (None, Some(image)) => {
            let image = parsed(Some(image));
            let attributes = image.as_object().into_iter().flatten();
            let attributes: Vec<_> = attributes.filter(|(name, _)| !is_key(name)).collect();
            let is_old = record.new_image.is_none();
            list(&attributes, "no attributes besides the key", |(name, value)| attribute(name, value, is_old))
        }
    }
}

/// Returns the first things of a list, and how many more there are.
fn list<T>(things: &[T], nothing: &str, show: impl Fn(&T) -> Markup) -> Markup {
    html! {
        @if things.is_empty() { span.hint { (nothing) } }
        @for thing in things.iter().take(MAX_CHANGES) { (show(thing)) " " }
        @if things.len() > MAX_CHANGES { span.hint { "and " (things.len() - MAX_CHANGES) " more" } }
    }
}

fn attribute(name: &str, value: &Value, is_old: bool) -> Markup {
    html! {
        span.attribute {
            span.name { (name) } " "
            @if is_old { del { (short_value(value)) } } @else { (short_value(value)) }
        }
    }
}

/// Returns one place at which two images differ.
pub(super) fn change(change: &Change) -> Markup {
    let (class, sign, word) = match (&change.old, &change.new) {
        (None, _) => ("added", "+", "added"),
        (_, None) => ("removed", "−", "removed"),
        _ => ("changed", "", "changed"),
    };
    html! {
        span.attribute.(class) title=(word) {
            (sign) span.name { (change.path) } " "
            @if let Some(old) = &change.old { del { (short_value(old)) } }
            @if change.old.is_some() && change.new.is_some() { " → " }
            @if let Some(new) = &change.new { ins { (short_value(new)) } }
        }
    }
}

/// Returns an image as JSON.
pub(super) fn parsed(item: Option<&EncodedItem>) -> Value {
    item.and_then(|item| serde_json::from_str(item.json()).ok()).unwrap_or_default()
}
