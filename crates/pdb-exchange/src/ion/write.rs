//! Writing items as text Ion, in the form of DynamoDB's exports.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use pdb_model::{AttributeValue, Item, Number};

use crate::dynamodb_json::write_micros;
use crate::write::ChangeLine;

/// Words that are values and not names.
const WORDS: &[&str] = &["null", "true", "false", "nan"];

/// Appends a line for an item.
pub(crate) fn write_item(item: &Item, out: &mut String) {
    out.push_str("$ion_1_0 {Item:");
    write_struct(item.iter(), out);
    out.push_str("}\n");
}

/// Appends a line for a change.
pub(crate) fn write_change(
    change: &ChangeLine<'_>,
    (new, old): (Option<Item>, Option<Item>),
    out: &mut String,
) {
    out.push_str("$ion_1_0 {Record:{Keys:");
    write_struct(change.keys.iter(), out);
    let _ = write!(out, ",Metadata:{{WriteTimestampMicros:{}.}}", write_micros(change));
    for (name, image) in [("OldImage", &old), ("NewImage", &new)] {
        if let Some(image) = image {
            out.push(',');
            out.push_str(name);
            out.push(':');
            write_struct(image.iter(), out);
        }
    }
    out.push_str("}}\n");
}

fn write_struct<'a>(members: impl Iterator<Item = (&'a String, &'a AttributeValue)>, out: &mut String) {
    out.push('{');
    for (n, (name, value)) in members.enumerate() {
        if n > 0 {
            out.push(',');
        }
        write_name(name, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

fn write_value(value: &AttributeValue, out: &mut String) {
    match value {
        AttributeValue::S(text) => write_text(text, '"', out),
        AttributeValue::N(number) => write_number(number, out),
        AttributeValue::B(bytes) => write_blob(bytes, out),
        AttributeValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        AttributeValue::Null => out.push_str("null"),
        AttributeValue::Ss(set) => {
            write_list("$dynamodb_SS::[", set.iter(), out, |text, out| write_text(text, '"', out))
        }
        AttributeValue::Ns(set) => write_list("$dynamodb_NS::[", set.iter(), out, write_number),
        AttributeValue::Bs(set) => {
            write_list("$dynamodb_BS::[", set.iter(), out, |bytes, out| write_blob(bytes, out))
        }
        AttributeValue::L(elements) => write_list("[", elements.iter(), out, write_value),
        AttributeValue::M(members) => write_struct(members.iter(), out),
    }
}

fn write_list<T>(
    open: &str,
    elements: impl Iterator<Item = T>,
    out: &mut String,
    mut write: impl FnMut(T, &mut String),
) {
    out.push_str(open);
    for (n, element) in elements.enumerate() {
        if n > 0 {
            out.push(',');
        }
        write(element, out);
    }
    out.push(']');
}

/// Without a point, the number would be an integer and not a decimal.
fn write_number(number: &Number, out: &mut String) {
    let digits = number.to_string();
    out.push_str(&digits);
    if !digits.contains('.') {
        out.push('.');
    }
}

fn write_blob(bytes: &[u8], out: &mut String) {
    out.push_str("{{");
    BASE64.encode_string(bytes, out);
    out.push_str("}}");
}

fn write_name(name: &str, out: &mut String) {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$';
    let is_identifier = name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
        // `$10` is the tenth symbol.
        && !name.starts_with('$')
        && !WORDS.contains(&name);
    if is_identifier { out.push_str(name) } else { write_text(name, '\'', out) }
}

fn write_text(text: &str, mark: char, out: &mut String) {
    out.push(mark);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if other == mark => {
                out.push('\\');
                out.push(other);
            }
            other if other.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out.push(mark);
}
