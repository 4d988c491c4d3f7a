//! Streams behind an endpoint of the Streams API, as a subscription reads them.

use std::time::Duration;

use pdb_trigger::{EventRecord, ToEventRecord};
use pretender::{
    Clock, EventDocument, SourceError, SourcePage, SourcePosition, SourceRecord, SourceShard, SourceStream,
    StreamSource, SystemClock,
};
use serde_json::{Map, Value, json};

use crate::endpoint::Endpoint;
use crate::sign::{Call, Credentials, signed_headers};

const TIMEOUT: Duration = Duration::from_secs(60);
/// A page is about a megabyte by DynamoDB's count; as JSON it may be several times that.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// The Streams API behind an endpoint, spoken over HTTP.
#[derive(Debug)]
pub(crate) struct RemoteStreams {
    agent: ureq::Agent,
    endpoint: Endpoint,
    region: String,
    credentials: Credentials,
}

/// A record as the API has it; a JSON object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RemoteRecord(pub(crate) Value);

/// What an endpoint answers instead of what it was asked for.
#[derive(Debug, thiserror::Error)]
enum RemoteError {
    #[error("{endpoint} cannot be reached")]
    Unreachable { endpoint: Endpoint, source: Box<ureq::Error> },
    #[error("{endpoint} does not speak the Streams API: it answered {status}")]
    NotStreams { endpoint: Endpoint, status: u16 },
    #[error("{code}: {message}")]
    Refused { code: String, message: String },
}

impl RemoteStreams {
    pub(crate) fn new(endpoint: Endpoint, region: String, credentials: Credentials) -> Self {
        Self { agent: endpoint.agent(Some(TIMEOUT)), endpoint, region, credentials }
    }

    fn call(&self, operation: &str, input: &Value) -> Result<Value, SourceError> {
        let (status, body) = self.post(operation, input).map_err(|error| {
            let (endpoint, source) = (self.endpoint.clone(), Box::new(error));
            SourceError::Failed(RemoteError::Unreachable { endpoint, source }.into())
        })?;
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        if (200..300).contains(&status) && answer.is_object() {
            return Ok(answer);
        }
        let Some(code) = answer["__type"].as_str() else {
            let endpoint = self.endpoint.clone();
            return Err(SourceError::Failed(RemoteError::NotStreams { endpoint, status }.into()));
        };
        let message = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
        Err(refusal(code.rsplit('#').next().unwrap_or(code), message))
    }

    fn post(&self, operation: &str, input: &Value) -> Result<(u16, String), ureq::Error> {
        let (target, body) = (format!("DynamoDBStreams_20120810.{operation}"), input.to_string());
        let call = Call {
            host: self.endpoint.host(),
            path: self.endpoint.path(),
            region: &self.region,
            target: &target,
            body: &body,
        };
        // Those who check signatures compare them with the true time.
        let signed = signed_headers(&self.credentials, call, SystemClock.now());
        let mut request = self
            .agent
            .post(self.endpoint.to_string())
            .header("Content-Type", "application/x-amz-json-1.0")
            .header("X-Amz-Target", &target);
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let mut response = request.send(body)?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string()?;
        Ok((response.status().as_u16(), body))
    }

    /// Calls a listing operation until there are no more pages; `cursor` gives the member to ask with next.
    fn all_pages(
        &self,
        operation: &str,
        mut input: Value,
        mut page: impl FnMut(&Value) -> Option<(&'static str, String)>,
    ) -> Result<Value, SourceError> {
        loop {
            let answer = self.call(operation, &input)?;
            match page(&answer) {
                Some((cursor, value)) => input[cursor] = value.into(),
                None => return Ok(answer),
            }
        }
    }
}

/// Sorts an exception by what a subscription does about it.
fn refusal(code: &str, message: &str) -> SourceError {
    match code {
        "ResourceNotFoundException" => SourceError::NotFound,
        "ExpiredIteratorException" => SourceError::Expired,
        "TrimmedDataAccessException" => SourceError::Trimmed,
        "ThrottlingException" | "LimitExceededException" | "ProvisionedThroughputExceededException" => {
            SourceError::Throttled
        }
        _ => {
            let (code, message) = (code.to_owned(), message.to_owned());
            SourceError::Failed(RemoteError::Refused { code, message }.into())
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl StreamSource for RemoteStreams {
    type Record = RemoteRecord;

    fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError> {
        let mut streams: Vec<String> = Vec::new();
        self.all_pages("ListStreams", json!({ "TableName": table_name }), |answer| {
            streams.extend(
                answer["Streams"].as_array().into_iter().flatten().map(|stream| text(&stream["StreamArn"])),
            );
            let last = answer["LastEvaluatedStreamArn"].as_str()?;
            Some(("ExclusiveStartStreamArn", last.to_owned()))
        })?;
        // The API promises no order; the ARNs of one table differ in their labels, which are times.
        streams.sort_by(|a, b| b.cmp(a));
        Ok(streams)
    }

    fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError> {
        let mut shards = Vec::new();
        let last = self.all_pages("DescribeStream", json!({ "StreamArn": stream_arn }), |answer| {
            let described = &answer["StreamDescription"];
            shards.extend(described["Shards"].as_array().into_iter().flatten().map(|shard| SourceShard {
                shard_id: text(&shard["ShardId"]),
                parent_shard_id: shard["ParentShardId"].as_str().map(str::to_owned),
                is_open: shard["SequenceNumberRange"]["EndingSequenceNumber"].is_null(),
            }));
            let last = described["LastEvaluatedShardId"].as_str()?;
            Some(("ExclusiveStartShardId", last.to_owned()))
        })?;
        Ok(SourceStream { is_live: last["StreamDescription"]["StreamStatus"] != "DISABLED", shards })
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

impl ToEventRecord for RemoteRecord {
    fn event_record(&self, stream_arn: &str) -> EventRecord {
        EventRecord::from_api(&self.0, stream_arn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_sorted_by_what_is_done_about_them() {
        for (code, expected) in [
            ("ResourceNotFoundException", "stream or shard does not exist"),
            ("ExpiredIteratorException", "shard iterator has expired"),
            ("TrimmedDataAccessException", "records at this position have been trimmed"),
            ("ThrottlingException", "too many calls"),
            ("LimitExceededException", "too many calls"),
            ("ProvisionedThroughputExceededException", "too many calls"),
            ("ValidationException", "stream cannot be read"),
        ] {
            assert_eq!(refusal(code, "x").to_string(), expected);
        }
    }
}
