//! Records in DynamoDB JSON.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, Item, write_json_string};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::record::{Record, RecordCondition};
use crate::write::ChangeLine;
use crate::{NO_ITEM, item_json, json, repeated};

/// A line with members of its own around the items.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapper<'t> {
    #[serde(borrow, rename = "Item")]
    item: Option<&'t RawValue>,
    #[serde(borrow, rename = "Keys")]
    keys: Option<&'t RawValue>,
    #[serde(borrow, rename = "NewImage")]
    new_image: Option<&'t RawValue>,
    #[serde(borrow, rename = "OldImage")]
    old_image: Option<&'t RawValue>,
    #[serde(rename = "Metadata")]
    _metadata: Option<IgnoredAny>,
    #[serde(rename = "ConditionExpression")]
    condition: Option<String>,
    #[serde(default, deserialize_with = "repeated::unique", rename = "ExpressionAttributeNames")]
    names: BTreeMap<String, String>,
    #[serde(borrow, default, deserialize_with = "repeated::unique", rename = "ExpressionAttributeValues")]
    values: BTreeMap<String, &'t RawValue>,
    /// Where the item was refused: `pretender import --errors` adds it, and its file can be imported again.
    #[serde(rename = "Refused")]
    _refused: Option<IgnoredAny>,
}

/// Reads a record: `{"Item":{...}}`, a change with its `Keys`, or the item itself, unless `needs_wrapper`.
pub(crate) fn record(text: &str, needs_wrapper: bool) -> Result<Record, String> {
    match serde_json::from_str::<Wrapper<'_>>(text) {
        Ok(wrapper) if wrapper.item.is_some() || wrapper.keys.is_some() => of_wrapper(wrapper),
        Ok(_) if needs_wrapper => Err(NO_ITEM.to_owned()),
        Err(error) if needs_wrapper => Err(match serde_json::from_str::<IgnoredAny>(text) {
            // The careful parser knows what is wrong with JSON that names a member twice.
            Ok(_) => json::parse(text, 1).err().map_or(NO_ITEM.to_owned(), |fault| fault.reason),
            Err(_) => format!("this is not JSON: {error}"),
        }),
        _ => item(text).map(Record::item),
    }
}

fn of_wrapper(wrapper: Wrapper<'_>) -> Result<Record, String> {
    let image = |raw: Option<&RawValue>| raw.map(|raw| item(raw.get())).transpose();
    let Some(raw) = wrapper.item else {
        let keys = image(wrapper.keys)?.unwrap_or_default();
        let (new_image, old_image) = (image(wrapper.new_image)?, image(wrapper.old_image)?);
        return Ok(Record::Change { keys, new_image, old_image });
    };
    if wrapper.keys.is_some() || wrapper.new_image.is_some() || wrapper.old_image.is_some() {
        return Err("a record has either `Item` or `Keys`".to_owned());
    }
    let condition = match wrapper.condition {
        None if wrapper.names.is_empty() && wrapper.values.is_empty() => None,
        None => return Err("there are expression attributes, but no `ConditionExpression`".to_owned()),
        Some(expression) => {
            let values = wrapper.values.into_iter().map(|(name, raw)| {
                let value = value(raw.get()).map_err(|reason| format!("`{name}`: {reason}"))?;
                Ok((name, value))
            });
            let values = values.collect::<Result<_, String>>()?;
            Some(Box::new(RecordCondition { expression, names: wrapper.names, values }))
        }
    };
    Ok(Record::Item { item: item(raw.get())?, condition })
}

/// Reads an item.
///
/// The parser of the model is fast, but merges repeated attributes and repeated members of sets, and its errors do not name the attribute. So
/// items that it refuses, and items in which it may have merged something, are read by the careful one.
fn item(text: &str) -> Result<Item, String> {
    match Item::from_json(text) {
        Ok(item) if !item.values().any(has_set) && !repeated::in_typed(text, &item) => Ok(item),
        _ => careful(text),
    }
}

fn careful(text: &str) -> Result<Item, String> {
    let node = json::parse(text, 1).map_err(|fault| fault.reason)?;
    if !matches!(node, crate::node::Node::Map(_)) {
        return Err("an item must be an object, `{...}`".to_owned());
    }
    item_json::typed_item(&node)
}

/// Reads a value of a condition.
fn value(text: &str) -> Result<AttributeValue, String> {
    item_json::typed_value(&json::parse(text, 1).map_err(|fault| fault.reason)?)
}

fn has_set(value: &AttributeValue) -> bool {
    match value {
        AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_) => true,
        AttributeValue::L(elements) => elements.iter().any(has_set),
        AttributeValue::M(members) => members.iter().any(|(_, value)| has_set(value)),
        _ => false,
    }
}

/// Appends a line for an item in canonical DynamoDB JSON.
pub(crate) fn write_item(json: &str, out: &mut String) {
    out.push_str("{\"Item\":");
    out.push_str(json);
    out.push_str("}\n");
}

/// Appends a line for a change (bulk-import-export.md section 3.5).
pub(crate) fn write_change(change: &ChangeLine<'_>, out: &mut String) {
    out.push_str(&format!(
        "{{\"Metadata\":{{\"WriteTimestampMicros\":{{\"N\":\"{}\"}}}},\"Keys\":{}",
        write_micros(change),
        change.keys
    ));
    for (name, image) in [("OldImage", change.old_image), ("NewImage", change.new_image)] {
        if let Some(image) = image {
            out.push_str(&format!(",\"{name}\":{image}"));
        }
    }
    out.push_str("}\n");
}

/// The time of a change in microseconds, of which the database keeps only milliseconds.
pub(crate) fn write_micros(change: &ChangeLine<'_>) -> i128 {
    i128::from(change.changed.0) * 1000
}

/// Returns a record as one line of DynamoDB JSON, with the reason why it was refused. The line can be read again.
#[must_use]
pub fn refused_line(record: Option<&Record>, place: &[(&str, String)], reason: &str) -> String {
    let mut out = String::from("{");
    match record {
        Some(Record::Item { item, condition }) => {
            out.push_str(&format!("\"Item\":{item},"));
            if let Some(condition) = condition {
                out.push_str("\"ConditionExpression\":");
                write_json_string(&mut out, &condition.expression);
                out.push(',');
                if !condition.names.is_empty() {
                    let names = serde_json::to_string(&condition.names).unwrap_or_default();
                    out.push_str(&format!("\"ExpressionAttributeNames\":{names},"));
                }
                if !condition.values.is_empty() {
                    let values: Item = condition.values.clone().into_iter().collect();
                    out.push_str(&format!("\"ExpressionAttributeValues\":{values},"));
                }
            }
        }
        Some(Record::Change { keys, new_image, old_image }) => {
            out.push_str(&format!("\"Keys\":{keys},"));
            for (name, image) in [("NewImage", new_image), ("OldImage", old_image)] {
                if let Some(image) = image {
                    out.push_str(&format!("\"{name}\":{image},"));
                }
            }
        }
        None => {}
    }
    out.push_str("\"Refused\":{");
    for (name, value) in place {
        write_json_string(&mut out, name);
        out.push(':');
        write_json_string(&mut out, value);
        out.push(',');
    }
    out.push_str("\"reason\":");
    write_json_string(&mut out, reason);
    out.push_str("}}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Result<Record, String> {
        super::record(text, false)
    }

    #[test]
    fn items_changes_and_conditions_are_read() {
        let item = Item::from([("id", "1".into())]);
        assert_eq!(record(r#"{"Item":{"id":{"S":"1"}}}"#), Ok(Record::item(item.clone())));
        assert_eq!(record(r#"{"id":{"S":"1"}}"#), Ok(Record::item(item.clone())));
        let change = r#"{"Metadata":{"WriteTimestampMicros":{"N":"1772356542017000"}},"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"}}}"#;
        let expected = Record::Change { keys: item.clone(), new_image: Some(item.clone()), old_image: None };
        assert_eq!(record(change), Ok(expected));
        let condition = r##"{"Item":{"id":{"S":"1"}},"ConditionExpression":"#v < :v","ExpressionAttributeNames":{"#v":"v"},"ExpressionAttributeValues":{":v":{"N":"2"}}}"##;
        let Ok(Record::Item { condition: Some(condition), .. }) = record(condition) else {
            panic!("no condition")
        };
        assert_eq!((condition.expression.as_str(), &condition.values[":v"]), ("#v < :v", &2.into()));
        // An attribute may have the name of a wrapper's member.
        let other = record(r#"{"id":{"S":"1"},"Item":{"S":"x"}}"#).unwrap();
        assert_eq!(other, Record::item(item.with("Item", "x")));
    }

    #[test]
    fn faults_are_explained() {
        for (text, reason) in [
            (r#"{"Item":{"id":{"S":1}}}"#, "attribute `id`: `S` takes a text"),
            (r#"{"Item":{"s":{"SS":["a","a"]}}}"#, "a set contains a value twice"),
            (r#"{"Item":{"s":{"NS":[]}}}"#, "a set is empty"),
            (r#"{"Item":{"id":{"S":"1"}}"#, "not complete"),
            (r#"{"id":"1"}"#, "a value is a text, but must be a map with its type"),
            (r#"[1]"#, "must be an object"),
            (r#"{"Item":{"id":{"S":"1"}},"Keys":{}}"#, "either `Item` or `Keys`"),
            (r#"{"Item":{"n":{"N":"1e999"}}}"#, "attribute `n`: Number overflow"),
            (r#"{"Item":{"id":{"S":"1"},"a:\"":{"S":":"},"id":{"S":"2"}}}"#, "\"id\" appears twice"),
            (r#"{"Item":{"m":{"M":{"a":{"S":"1"},"a":{"S":"1"}}}}}"#, "\"a\" appears twice"),
            (r#"{"Item":{"l":{"L":[{"S":"1","S":"2"}]}}}"#, "\"S\" appears twice"),
            (r#"{"Item":{"id":{"S":"1"}},"Item":{"id":{"S":"2"}}}"#, "\"Item\" appears twice"),
            (
                r##"{"Item":{"id":{"S":"1"}},"ConditionExpression":"#a","ExpressionAttributeNames":{"#a":"a","#a":"b"}}"##,
                "\"#a\" appears twice",
            ),
            (
                r#"{"Item":{"id":{"S":"1"}},"ConditionExpression":"a=:a","ExpressionAttributeValues":{":a":{"S":"1"},":a":{"S":"2"}}}"#,
                "\":a\" appears twice",
            ),
            (
                r#"{"Item":{"id":{"S":"1"}},"ConditionExpression":"a=:a","ExpressionAttributeValues":{":a":{"SS":["1","1"]}}}"#,
                "`:a`: a set contains a value twice",
            ),
        ] {
            let error = record(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
            if reason.contains("twice") {
                let error = super::record(text, true).unwrap_err();
                assert!(error.contains(reason), "{text}: {error}");
            }
        }
    }

    #[test]
    fn a_refused_record_can_be_read_again() {
        for text in [
            r#"{"Item":{"id":{"S":"\"1\""}},"ConditionExpression":"a = :b","ExpressionAttributeValues":{":b":{"N":"1"}}}"#,
            r#"{"Keys":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}}}"#,
        ] {
            let read = record(text).unwrap();
            let line = refused_line(Some(&read), &[("file", "a \"b\"".to_owned())], "no\nreason");
            assert_eq!(record(line.trim()), Ok(read), "{line}");
        }
    }
}
