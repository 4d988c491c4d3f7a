//! Amazon Ion, with the mapping of DynamoDB's exports (bulk-import-export.md section 3.5).

mod binary;
mod size;
mod text;
mod write;

use std::io::BufRead;
use std::ops::ControlFlow;

use ion_rs::{Decimal, Element, Sequence, Struct, Value};
use pdb_model::{AttributeValue, Item, MAX_NESTING, Number};

use crate::NO_ITEM;
use crate::record::{Entry, ReadError, Record, RecordFault};

pub(crate) use write::{write_change, write_item};

/// The beginning of binary Ion, version 1.0.
pub(crate) const BINARY_MARK: &[u8] = &[0xe0, 0x01, 0x00, 0xea];

/// The member around a change in an incremental export.
const RECORD: &str = "Record";

/// Reads all records of a file, text or binary.
pub(crate) fn read(
    mut reader: impl BufRead,
    needs_wrapper: bool,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), ReadError> {
    if reader.fill_buf()?.starts_with(BINARY_MARK) {
        return binary::read(reader, needs_wrapper, each);
    }
    text::read(reader, needs_wrapper, each)
}

/// Reads the records in a piece of Ion that has whole values.
fn records(bytes: &[u8], needs_wrapper: bool) -> Vec<Result<Record, RecordFault>> {
    let text = std::str::from_utf8(bytes).ok();
    let fault = |reason: String| match text {
        Some(text) => RecordFault::with_text(reason, text),
        None => RecordFault::new(reason),
    };
    match parsed(bytes) {
        Ok(values) => values.iter().map(|value| record(value, needs_wrapper).map_err(fault)).collect(),
        Err(reason) => vec![Err(fault(format!("this is not Ion: {reason}")))],
    }
}

/// Parses whole values.
///
/// The parser panics at some values with wrong lengths (ion-rs 1.2.0, found by `any_bytes_are_survived`). They are faults like others.
fn parsed(bytes: &[u8]) -> Result<Sequence, String> {
    let parsed = std::panic::catch_unwind(|| Element::read_all(bytes));
    let parsed = parsed.map_err(|_| "a value is damaged".to_owned())?;
    parsed.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())
}

fn record(value: &Element, needs_wrapper: bool) -> Result<Record, String> {
    let members = value.as_struct().ok_or("a record must be a struct, `{...}`")?;
    let image = |members: &Struct, name: &str| members.get(name).map(item).transpose();
    if let (Some(inner), 1) = (members.get(RECORD).and_then(Element::as_struct), members.len()) {
        let keys = image(inner, "Keys")?.ok_or("a change has no `Keys`")?;
        let (new_image, old_image) = (image(inner, "NewImage")?, image(inner, "OldImage")?);
        return Ok(Record::Change { keys, new_image, old_image });
    }
    match members.get("Item") {
        Some(inner) if members.len() == 1 && inner.as_struct().is_some() => item(inner).map(Record::item),
        _ if needs_wrapper => Err(NO_ITEM.to_owned()),
        _ => item(value).map(Record::item),
    }
}

fn item(value: &Element) -> Result<Item, String> {
    let members = value.as_struct().ok_or("an item must be a struct, `{...}`")?;
    attributes(members, MAX_NESTING).map(|entries| entries.into_iter().collect())
}

fn attributes(members: &Struct, levels: usize) -> Result<Vec<(String, AttributeValue)>, String> {
    let mut seen = std::collections::BTreeSet::new();
    members
        .fields()
        .map(|(name, value)| {
            let name = name.text().ok_or("a member has a symbol without a text for its name")?;
            if !seen.insert(name) {
                return Err(format!("the member `{name}` appears twice in one struct"));
            }
            let value = attribute(value, levels).map_err(|reason| {
                if levels == MAX_NESTING { format!("attribute `{name}`: {reason}") } else { reason }
            })?;
            Ok((name.to_owned(), value))
        })
        .collect()
}

fn attribute(value: &Element, levels: usize) -> Result<AttributeValue, String> {
    let levels =
        levels.checked_sub(1).ok_or_else(|| format!("values are nested deeper than {MAX_NESTING} levels"))?;
    if let Some(name) = value.annotations().first() {
        return set(name, value);
    }
    Ok(match value.value() {
        Value::Null(_) => AttributeValue::Null,
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Int(_) | Value::Decimal(_) | Value::Float(_) => AttributeValue::N(number(value)?),
        Value::String(_) | Value::Symbol(_) => AttributeValue::S(text(value)?),
        Value::Blob(bytes) | Value::Clob(bytes) => AttributeValue::B(bytes.as_ref().to_vec()),
        Value::List(elements) => AttributeValue::L(
            elements.iter().map(|value| attribute(value, levels)).collect::<Result<_, _>>()?,
        ),
        Value::Struct(members) => AttributeValue::M(attributes(members, levels)?.into_iter().collect()),
        Value::Timestamp(_) | Value::SExp(_) => {
            return Err(format!("DynamoDB has no type for a value of Ion's type {}", value.ion_type()));
        }
    })
}

fn set(annotation: &str, value: &Element) -> Result<AttributeValue, String> {
    let elements = value.as_list().ok_or_else(|| format!("`{annotation}::` stands before a list"))?;
    let given = elements.len();
    fn values<T>(
        elements: &Sequence,
        read: impl Fn(&Element) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        elements.iter().map(read).collect()
    }
    let (set, kept) = match annotation {
        "$dynamodb_SS" => {
            let set: pdb_model::ValueSet<String> = values(elements, text)?.into_iter().collect();
            let kept = set.len();
            (AttributeValue::Ss(set), kept)
        }
        "$dynamodb_NS" => {
            let set: pdb_model::ValueSet<Number> = values(elements, number)?.into_iter().collect();
            let kept = set.len();
            (AttributeValue::Ns(set), kept)
        }
        "$dynamodb_BS" => {
            let bytes = |value: &Element| {
                let bytes = value.as_lob().ok_or("a set of bytes has another value")?;
                Ok(bytes.to_vec())
            };
            let set: pdb_model::ValueSet<Vec<u8>> = values(elements, bytes)?.into_iter().collect();
            let kept = set.len();
            (AttributeValue::Bs(set), kept)
        }
        other => return Err(format!("`{other}::` is not an annotation of DynamoDB's exports")),
    };
    match given {
        0 => Err("a set is empty".to_owned()),
        given if given == kept => Ok(set),
        _ => Err("a set contains a value twice".to_owned()),
    }
}

fn text(value: &Element) -> Result<String, String> {
    value.as_text().map(str::to_owned).ok_or_else(|| "a text is expected".to_owned())
}

fn number(value: &Element) -> Result<Number, String> {
    let digits = match value.value() {
        Value::Int(int) => int.to_string(),
        Value::Decimal(decimal) => of_decimal(decimal),
        Value::Float(float) if float.is_finite() => format!("{float:e}"),
        _ => return Err(format!("a number is expected, not a value of the type {}", value.ion_type())),
    };
    digits.parse().map_err(|error: pdb_model::NumberError| error.to_string())
}

fn of_decimal(decimal: &Decimal) -> String {
    let coefficient = decimal.coefficient();
    let sign = if coefficient.is_negative() { "-" } else { "" };
    format!("{sign}{}e{}", coefficient.magnitude(), decimal.exponent())
}

/// Returns whether the first value of a text is Ion and cannot be JSON: a version, or a struct whose first name has no quotation marks.
pub(crate) fn is_text(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    if head.starts_with(b"$ion") {
        return true;
    }
    let Some(rest) = head.strip_prefix(b"{") else { return false };
    rest.trim_ascii_start()
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | b'\''))
}

#[cfg(test)]
mod tests;
