//! Recognising the format of a file by its name and its beginning.

use crate::format::Format;
use crate::record::Record;
use crate::{dynamodb_json, ion, plain_json};

/// The error for a text in UTF-16. PowerShell writes such files with `>`.
pub const UTF_16: &str = "the file is in UTF-16: save it in UTF-8";

/// Returns the format of a file, given its name and the beginning of its unpacked content, some kilobytes if it has so many. Returns `None`
/// if neither says enough.
#[must_use]
pub fn detect(name: &str, head: &[u8]) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "csv" | "tsv" => return Some(Format::Csv),
        "ion" | "10n" => return Some(Format::Ion),
        _ if head.starts_with(ion::BINARY_MARK) || ion::is_text(head) => return Some(Format::Ion),
        _ => {}
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match text.trim_ascii_start().first() {
        Some(b'[') => Some(Format::JsonDocument),
        Some(b'{') => Some(of_object(text.trim_ascii_start())),
        // An empty file has no records in any format.
        None => Some(Format::DynamoDbJson),
        Some(_) => None,
    }
}

/// Returns the format of a file that begins with an object.
fn of_object(text: &[u8]) -> Format {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_whole = line.len() < text.len() || serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    let Ok(line) = std::str::from_utf8(line) else { return Format::JsonDocument };
    if !is_whole {
        // The first line is longer than the beginning that was read: it is one item if it begins like one.
        let looks_wrapped = line.starts_with("{\"Item\":") || line.starts_with("{\"Keys\":");
        return if looks_wrapped { Format::DynamoDbJson } else { Format::JsonDocument };
    }
    if dynamodb_json::record(line, false).is_ok_and(|record| is_some_record(&record)) {
        return Format::DynamoDbJson;
    }
    match plain_json::item(line) {
        // The key of an item is never a list or a map, so this contains items; see `documents.rs`.
        Ok(item) if item.values().all(|value| matches!(value.type_name(), "L" | "M")) => Format::JsonDocument,
        Ok(_) if line.contains("\"Items\":") || line.contains("\"RequestItems\":") => Format::JsonDocument,
        Ok(_) => Format::PlainJson,
        // Broken DynamoDB JSON: reading it as such gives the better message.
        Err(_) if line.starts_with("{\"Item\"") => Format::DynamoDbJson,
        Err(_) => Format::JsonDocument,
    }
}

fn is_some_record(record: &Record) -> bool {
    match record {
        Record::Item { item, .. } => !item.is_empty(),
        Record::Change { keys, .. } => !keys.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_recognised() {
        for (name, head, format) in [
            ("a.json", r#"{"Item":{"id":{"S":"1"}}}"#, Some(Format::DynamoDbJson)),
            ("a.json.gz", "\u{feff}{\"id\":{\"S\":\"1\"}}\n", Some(Format::DynamoDbJson)),
            ("a", r#"{"Keys":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}}}"#, Some(Format::DynamoDbJson)),
            ("a.jsonl", "{\"id\":\"1\",\"m\":{}}\n{", Some(Format::PlainJson)),
            ("a.json", "[{\"id\":\"1\"}]", Some(Format::JsonDocument)),
            ("a.json", "{\n  \"Items\": [", Some(Format::JsonDocument)),
            ("a.json", r#"{"Items":[{"id":{"S":"1"}}],"Count":1}"#, Some(Format::JsonDocument)),
            ("a.json", r#"{"orders":[{"PutRequest":{}}]}"#, Some(Format::JsonDocument)),
            ("a.txt", "$ion_1_0 {Item:{}}", Some(Format::Ion)),
            ("a.txt", "{Item:{id:\"1\"}}", Some(Format::Ion)),
            ("a.ion.gz", "", Some(Format::Ion)),
            ("a.CSV", "id,x\n", Some(Format::Csv)),
            ("a.txt", "id,x\n", None),
            ("a.json", "", Some(Format::DynamoDbJson)),
            ("a.json", "{\"Item\":{\"id\":{\"S\":\"1\"}\n", Some(Format::DynamoDbJson)),
        ] {
            assert_eq!(detect(name, head.as_bytes()), format, "{name}: {head}");
        }
    }
}
