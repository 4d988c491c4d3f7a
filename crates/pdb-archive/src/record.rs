//! A record as a line of JSON: as Lambda delivers it, and `pretender tail --export` writes it, with its creation time in milliseconds.

use pdb_model::{
    EncodedItem, EpochMillis, Item, SequenceNumber, StreamArn, StreamRecord, StreamViewType, UserIdentity,
};
use pdb_store::{RecordRef, StoreError};
use pdb_streams::SourceRecord;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A record that can be read from a line of an archive.
pub trait ArchivedRecord: SourceRecord + Sized {
    /// Parses a line: the record as a JSON object in the form that Lambda delivers, with the stream in `eventSourceARN`. The API's time has
    /// whole seconds; `approximateCreationMillis` has the milliseconds.
    ///
    /// # Errors
    ///
    /// What is wrong with the line.
    fn from_line(line: &str) -> Result<Self, String>;
}

/// The part of a line that the archive itself needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'l> {
    #[serde(borrow)]
    dynamodb: HeadChange<'l>,
    approximate_creation_millis: EpochMillis,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HeadChange<'l> {
    sequence_number: &'l str,
}

/// Returns the sequence number and the creation time of the record in a line.
pub(crate) fn head_of(line: &str) -> Result<(SequenceNumber, EpochMillis), String> {
    let head: Head<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let number = head.dynamodb.sequence_number;
    let number = number.parse().map_err(|_| format!("`{number}` is not a sequence number"))?;
    Ok((number, head.approximate_creation_millis))
}

/// Appends a record of a stream as a line. The text of its items is copied.
pub(crate) fn write_line(
    out: &mut String,
    record: &RecordRef<'_>,
    stream: &StreamArn,
    view_type: StreamViewType,
) -> Result<(), StoreError> {
    out.push_str("{\"eventID\":\"");
    out.push_str(&record.event_id.to_string());
    out.push_str("\",\"eventName\":\"");
    out.push_str(record.event_name.as_str());
    out.push_str("\",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":");
    pdb_model::write_json_string(out, &stream.table.region);
    out.push_str(",\"dynamodb\":{\"ApproximateCreationDateTime\":");
    out.push_str(&record.created.seconds().to_string());
    let images =
        [("Keys", Some(record.keys)), ("NewImage", record.new_image), ("OldImage", record.old_image)];
    for (name, image) in images {
        if let Some(image) = image {
            out.push_str(&format!(",\"{name}\":{image}"));
        }
    }
    out.push_str(&format!(
        ",\"SequenceNumber\":\"{}\",\"SizeBytes\":{},\"StreamViewType\":\"{view_type}\"}},\"eventSourceARN\":",
        record.sequence_number, record.size_bytes
    ));
    pdb_model::write_json_string(out, &stream.to_string());
    if let Some(identity) = record.user_identity()? {
        out.push_str(",\"userIdentity\":{\"principalId\":");
        pdb_model::write_json_string(out, &identity.principal_id);
        out.push_str(",\"type\":");
        pdb_model::write_json_string(out, &identity.identity_type);
        out.push('}');
    }
    out.push_str(&format!(",\"approximateCreationMillis\":{}}}\n", record.created.0));
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'l> {
    #[serde(rename = "eventID")]
    event_id: &'l str,
    event_name: &'l str,
    #[serde(borrow)]
    dynamodb: Change<'l>,
    user_identity: Option<Identity>,
    approximate_creation_millis: EpochMillis,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change<'l> {
    #[serde(borrow)]
    keys: &'l RawValue,
    #[serde(borrow)]
    new_image: Option<&'l RawValue>,
    #[serde(borrow)]
    old_image: Option<&'l RawValue>,
    sequence_number: &'l str,
    size_bytes: u64,
    stream_view_type: StreamViewType,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    principal_id: String,
    r#type: String,
}

impl ArchivedRecord for StreamRecord {
    fn from_line(line: &str) -> Result<Self, String> {
        let line: Line<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let change = line.dynamodb;
        let item = |json: &RawValue| match Item::from_json(json.get()) {
            Ok(item) => Ok(EncodedItem::from(&item)),
            Err(error) => Err(error.to_string()),
        };
        let text = |error: pdb_model::ParseError| error.to_string();
        Ok(Self {
            event_id: line.event_id.parse().map_err(text)?,
            event_name: line.event_name.parse().map_err(text)?,
            sequence_number: change.sequence_number.parse().map_err(text)?,
            created: line.approximate_creation_millis,
            keys: item(change.keys)?,
            old_image: change.old_image.map(item).transpose()?,
            new_image: change.new_image.map(item).transpose()?,
            size_bytes: change.size_bytes,
            view_type: change.stream_view_type,
            user_identity: line.user_identity.map(|identity| UserIdentity {
                principal_id: identity.principal_id,
                identity_type: identity.r#type,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_the_service_that_made_the_change() {
        let line = r#"{"eventID":"000000000000000000000000000000ff","eventName":"REMOVE","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"x","dynamodb":{"ApproximateCreationDateTime":1,"Keys":{"id":{"S":"\u00e4"}},"OldImage":{"id":{"S":"\u00e4"}},"SequenceNumber":"200000000000000000001","SizeBytes":8,"StreamViewType":"OLD_IMAGE"},"eventSourceARN":"x","userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"},"approximateCreationMillis":1017}"#;
        let record = StreamRecord::from_line(line).unwrap();
        assert_eq!(record.user_identity, Some(UserIdentity::time_to_live()));
        assert_eq!((record.created, record.keys.json()), (EpochMillis(1017), "{\"id\":{\"S\":\"ä\"}}"));
        assert_eq!(head_of(line), Ok((record.sequence_number, record.created)));
        assert!(StreamRecord::from_line(&line.replace("REMOVE", "OTHER")).is_err());
        assert!(head_of(&line.replace("2000", "x")).is_err());
    }
}
