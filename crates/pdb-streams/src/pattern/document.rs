//! A stream record in the form that patterns refer to.

use super::PatternError;
use pdb_model::{EncodedItem, StreamRecord};
use serde_json::{Map, Value, json};
use std::fmt;

/// One stream record as Lambda passes it to a function: the input that an [`EventPattern`](crate::EventPattern) is matched against.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDocument(Value);

impl EventDocument {
    /// Reads a record as `GetRecords` answers it, or as Lambda delivers it.
    ///
    /// # Errors
    ///
    /// [`PatternError::Document`] if the text is not a JSON object.
    pub fn parse(record: &str) -> Result<Self, PatternError> {
        match serde_json::from_str(record) {
            Ok(value @ Value::Object(_)) => Ok(Self::from_api(value)),
            _ => Err(PatternError::Document),
        }
    }

    /// Returns a record of the stream with this ARN, which gives the record its region.
    #[must_use]
    pub fn of_record(record: &StreamRecord, stream_arn: &str) -> Self {
        let mut change = Map::new();
        change.insert("ApproximateCreationDateTime".to_owned(), record.created.seconds().into());
        change.insert("Keys".to_owned(), item(&record.keys));
        for (name, image) in [("NewImage", &record.new_image), ("OldImage", &record.old_image)] {
            if let Some(image) = image {
                change.insert(name.to_owned(), item(image));
            }
        }
        change.insert("SequenceNumber".to_owned(), record.sequence_number.to_string().into());
        change.insert("SizeBytes".to_owned(), record.size_bytes.into());
        change.insert("StreamViewType".to_owned(), record.view_type.as_str().into());
        let mut document = json!({
            "eventID": record.event_id.to_string(),
            "eventName": record.event_name.as_str(),
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": stream_arn.split(':').nth(3).unwrap_or_default(),
            "dynamodb": change,
            "eventSourceARN": stream_arn,
        });
        if let Some(identity) = &record.user_identity {
            document["userIdentity"] =
                json!({ "principalId": identity.principal_id, "type": identity.identity_type });
        }
        Self(document)
    }

    /// Turns the API's casing of `userIdentity` into Lambda's.
    fn from_api(mut record: Value) -> Self {
        if let Some(Value::Object(identity)) = record.get_mut("userIdentity") {
            for (api, lambda) in [("PrincipalId", "principalId"), ("Type", "type")] {
                if let Some(value) = identity.remove(api) {
                    identity.insert(lambda.to_owned(), value);
                }
            }
        }
        Self(record)
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }
}

/// Prints the record as Lambda delivers it: a JSON object in one line.
impl fmt::Display for EventDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn item(item: &EncodedItem) -> Value {
    serde_json::from_str(item.json()).expect("an encoded item is canonical JSON")
}
