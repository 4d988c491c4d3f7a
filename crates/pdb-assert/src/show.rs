//! Keys, values and changes as texts for people.

use std::collections::BTreeSet;

use pdb_model::{AttributeValue, EventName, Item, write_json_string};

use crate::Change;

/// How many characters of a value a list of changes shows.
const MAX_VALUE: usize = 40;

/// The attributes of a key: `pk="o1" sk=2`.
pub(crate) fn key(keys: &Item) -> String {
    let attributes: Vec<_> = keys.iter().map(|(name, found)| format!("{name}={}", value(found))).collect();
    attributes.join(" ")
}

/// What happened, and which attributes changed: `MODIFY total=1->2 +paid=true -note`.
pub(crate) fn change(change: &Change) -> String {
    let mut line = change.event_name.to_string();
    let is_key = |name: &str| change.keys.contains_key(name);
    match (&change.old_image, &change.new_image) {
        (Some(old), Some(new)) if change.event_name == EventName::Modify => {
            for (name, after) in new.iter() {
                match old.get(name) {
                    None => line.push_str(&format!(" +{name}={}", short(after))),
                    Some(before) if before != after => {
                        line.push_str(&format!(" {name}={}->{}", short(before), short(after)));
                    }
                    Some(_) => {}
                }
            }
            for name in old.keys().filter(|name| !new.contains_key(*name)) {
                line.push_str(&format!(" -{name}"));
            }
        }
        (old, new) => {
            for image in [new, old].into_iter().flatten().take(1) {
                for (name, found) in image.iter().filter(|(name, _)| !is_key(name)) {
                    line.push_str(&format!(" {name}={}", short(found)));
                }
            }
        }
    }
    if change.is_expiry {
        line.push_str(" (expired)");
    }
    line
}

/// The complete value without the names of types. Texts have quotes, bytes begin with `b64:`, sets have braces.
pub(crate) fn value(value: &AttributeValue) -> String {
    let mut text = String::new();
    push(&mut text, value);
    text
}

/// The value, cut if it is long.
fn short(found: &AttributeValue) -> String {
    cut(&value(found), MAX_VALUE)
}

/// Cuts a text to this many characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn push(text: &mut String, value: &AttributeValue) {
    match value {
        AttributeValue::S(found) => write_json_string(text, found),
        AttributeValue::N(found) => text.push_str(&found.to_string()),
        AttributeValue::Bool(found) => text.push_str(&found.to_string()),
        AttributeValue::Null => text.push_str("null"),
        AttributeValue::B(_) => {
            // The canonical JSON is {"B":"..."}.
            let json = value.to_string();
            text.push_str("b64:");
            text.push_str(json.split('"').nth(3).unwrap_or_default());
        }
        AttributeValue::Ss(set) => list(text, "{", "}", set, |text, found| write_json_string(text, found)),
        AttributeValue::Ns(set) => list(text, "{", "}", set, |text, found| text.push_str(&found.to_string())),
        AttributeValue::Bs(set) => {
            list(text, "{", "}", set, |text, found| push(text, &AttributeValue::B(found.clone())));
        }
        AttributeValue::L(found) => list(text, "[", "]", found, push),
        AttributeValue::M(found) => list(text, "{", "}", found, |text, (name, value)| {
            text.push_str(name);
            text.push_str(": ");
            push(text, value);
        }),
    }
}

fn list<T>(
    text: &mut String,
    open: &str,
    close: &str,
    elements: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut String, T),
) {
    text.push_str(open);
    for (at, element) in elements.into_iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        each(text, element);
    }
    text.push_str(close);
}

/// How two changes differ that look alike in one line: `new note is "b", not "a"`.
pub(crate) fn differing_attributes(first: &Change, second: &Change) -> String {
    let none = Item::new();
    let mut differences = Vec::new();
    for (which, first, second) in
        [("old", &first.old_image, &second.old_image), ("new", &first.new_image, &second.new_image)]
    {
        if first.is_some() != second.is_some() {
            let with = if second.is_some() { "with" } else { "without" };
            differences.push(format!("{with} {which} image"));
            continue;
        }
        let (first, second) = (first.as_ref().unwrap_or(&none), second.as_ref().unwrap_or(&none));
        let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
        for name in names.into_iter().filter(|name| first.get(*name) != second.get(*name)) {
            let shown = |item: &Item| {
                item.get(name).map_or("none".to_owned(), |found| {
                    from_difference(found, first.get(name), second.get(name))
                })
            };
            differences.push(format!("{which} {name} is {}, not {}", shown(second), shown(first)));
        }
    }
    differences.join("; ")
}

/// The part of a value that begins shortly before the position at which two values differ.
fn from_difference(
    found: &AttributeValue,
    first: Option<&AttributeValue>,
    second: Option<&AttributeValue>,
) -> String {
    let text = |found: Option<&AttributeValue>| found.map(value).unwrap_or_default();
    let (first, second) = (text(first), text(second));
    let same = first.chars().zip(second.chars()).take_while(|(a, b)| a == b).count();
    let (shown, start) = (value(found), same.saturating_sub(10));
    if start == 0 {
        return cut(&shown, MAX_VALUE);
    }
    let rest: String = shown.chars().skip(start).collect();
    format!("…{}", cut(&rest, MAX_VALUE))
}

/// Aligns the columns of rows. Lines have no trailing spaces.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let width = |text: &str| text.chars().count();
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, column) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', column - width(cell) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `1 change`, `2 changes`.
pub(crate) fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}
