//! Streams of a remote endpoint, as the source of a subscription.

use pdb_trigger::{EventRecord, ToEventRecord};
use pretender::archive::ArchivedRecord;
use pretender::streams::EventDocument;
use pretender::streams::source::{
    SourceError, SourcePage, SourcePosition, SourceRecord, SourceShard, SourceStream, StreamSource,
};
use serde_json::{Map, Value, json};

use super::{Api, ApiFailure, Service};

/// The Streams API of an endpoint, over HTTP.
///
/// When all attempts of [`Api`] have failed, the error is [`SourceError::Failed`] with an [`ApiFailure`], even for
/// throttling. If [`Api`] makes only one attempt, an error that may pass is [`SourceError::Throttled`], so that the
/// subscription retries.
#[derive(Debug)]
pub(crate) struct RemoteStreams(Api);

/// A record in the form of the API; a JSON object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RemoteRecord(pub(crate) Value);

impl RemoteStreams {
    pub(crate) fn new(api: Api) -> Self {
        Self(api)
    }

    fn call(&self, operation: &str, input: &Value) -> Result<Value, SourceError> {
        self.0.call(Service::Streams, operation, input).map_err(|failure| self.error(failure))
    }

    fn error(&self, failure: ApiFailure) -> SourceError {
        if self.0.retries_disabled() && failure.is_transient() {
            SourceError::Throttled
        } else {
            source_error(failure)
        }
    }
}

/// Sorts a failure by what a subscription does about it.
fn source_error(failure: ApiFailure) -> SourceError {
    match failure.code() {
        Some("ResourceNotFoundException") => SourceError::NotFound,
        Some("ExpiredIteratorException") => SourceError::Expired,
        Some("TrimmedDataAccessException") => SourceError::Trimmed,
        _ => SourceError::Failed(failure.into()),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl StreamSource for RemoteStreams {
    type Record = RemoteRecord;

    fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError> {
        self.0.list_streams(table_name).map_err(|failure| self.error(failure))
    }

    fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError> {
        let described = self.0.describe_stream(stream_arn).map_err(|failure| self.error(failure))?;
        let shards = described["Shards"].as_array().into_iter().flatten().map(|shard| {
            let ending = shard["SequenceNumberRange"]["EndingSequenceNumber"].as_str().map(str::to_owned);
            SourceShard {
                shard_id: text(&shard["ShardId"]),
                parent_shard_id: shard["ParentShardId"].as_str().map(str::to_owned),
                is_open: ending.is_none(),
                ending_sequence_number: ending,
            }
        });
        Ok(SourceStream { is_live: described["StreamStatus"] != "DISABLED", shards: shards.collect() })
    }

    fn shard_iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &SourcePosition,
    ) -> Result<String, SourceError> {
        let mut input = json!({ "StreamArn": stream_arn, "ShardId": shard_id });
        input["ShardIteratorType"] = match position {
            SourcePosition::TrimHorizon => "TRIM_HORIZON",
            SourcePosition::Latest => "LATEST",
            SourcePosition::After(number) => {
                input["SequenceNumber"] = number.as_str().into();
                "AFTER_SEQUENCE_NUMBER"
            }
            SourcePosition::AtTimestamp(time) => {
                // Every time within a hundred thousand years is exact to the millisecond as such a number.
                input["Timestamp"] = (time.0 as f64 / 1000.0).into();
                "AT_TIMESTAMP"
            }
        }
        .into();
        Ok(text(&self.call("GetShardIterator", &input)?["ShardIterator"]))
    }

    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<SourcePage<RemoteRecord>, SourceError> {
        let mut input = Map::from_iter([("ShardIterator".to_owned(), iterator.into())]);
        input.extend(limit.map(|limit| ("Limit".to_owned(), limit.into())));
        let mut answer = self.call("GetRecords", &input.into())?;
        let next_iterator = answer["NextShardIterator"].as_str().map(str::to_owned);
        let records = match answer["Records"].take() {
            Value::Array(records) => records.into_iter().filter(Value::is_object).map(RemoteRecord).collect(),
            _ => Vec::new(),
        };
        Ok(SourcePage { records, next_iterator })
    }
}

impl SourceRecord for RemoteRecord {
    fn sequence_number(&self) -> String {
        text(&self.0["dynamodb"]["SequenceNumber"])
    }

    fn document(&self, stream_arn: &str) -> EventDocument {
        let mut record = self.0.clone();
        // The API leaves out what its caller knows.
        record["eventSourceARN"] = stream_arn.into();
        EventDocument::parse(&record.to_string()).expect("a record is an object")
    }
}

/// A line of an archive has Lambda's form, and what the API leaves out.
impl ArchivedRecord for RemoteRecord {
    fn from_line(line: &str) -> Result<Self, String> {
        let mut record: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let members = record.as_object_mut().ok_or("a stream record is an object")?;
        members.remove("eventSourceARN");
        members.remove("approximateCreationMillis");
        if let Some(Value::Object(identity)) = members.get_mut("userIdentity") {
            for (lambda, api) in [("principalId", "PrincipalId"), ("type", "Type")] {
                if let Some(value) = identity.remove(lambda) {
                    identity.insert(api.to_owned(), value);
                }
            }
        }
        Ok(Self(record))
    }
}

impl ToEventRecord for RemoteRecord {
    fn event_record(&self, stream_arn: &str) -> EventRecord {
        EventRecord::from_api(&self.0, stream_arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_archives_become_records_of_the_api() {
        let line = r#"{"eventID":"1","userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"},
            "dynamodb":{"SequenceNumber":"2"},"eventSourceARN":"arn","approximateCreationMillis":17}"#;
        let expected = json!({
            "eventID": "1", "userIdentity": {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"},
            "dynamodb": {"SequenceNumber": "2"},
        });
        assert_eq!(RemoteRecord::from_line(line), Ok(RemoteRecord(expected)));
        assert!(RemoteRecord::from_line("[]").is_err());
    }

    #[test]
    fn exceptions_map_to_source_errors() {
        for (code, expected) in [
            ("ResourceNotFoundException", "stream or shard does not exist"),
            ("ExpiredIteratorException", "shard iterator has expired"),
            ("TrimmedDataAccessException", "records at this position have been trimmed"),
            ("ThrottlingException", "stream cannot be read"),
            ("ValidationException", "stream cannot be read"),
        ] {
            let failure = ApiFailure::Refused { code: code.to_owned(), message: "x".to_owned(), status: 400 };
            assert_eq!(source_error(failure).to_string(), expected);
        }
    }
}
