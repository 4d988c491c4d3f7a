//! What is told about records that were given up, and where it goes.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use pdb_model::write_json_string;
use pretender::time::EpochMillis;

use crate::event::{show_milli, show_second};

/// Why records were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The function failed once more than `MaximumRetryAttempts` allows.
    RetryAttemptsExhausted,
    /// They are older than `MaximumRecordAgeInSeconds` allows, or than the stream keeps them.
    RecordAgeExceeded,
}

impl Condition {
    /// Returns the word in the message.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

/// Where messages about discarded batches go.
///
/// A batch counts as discarded once its message was taken; until then it blocks its shard.
pub trait Destination: Send + Sync {
    /// Takes one message, a JSON object on one line.
    ///
    /// # Errors
    ///
    /// A text that says why it cannot; the same message comes again after a pause.
    fn send(&self, message: &str) -> Result<(), String>;
}

impl<D: Destination + ?Sized> Destination for Box<D> {
    fn send(&self, message: &str) -> Result<(), String> {
        (**self).send(message)
    }
}

/// A file to which messages are appended, one a line.
#[derive(Debug)]
pub struct FileDestination(Mutex<File>);

impl FileDestination {
    /// Opens the file, which is made if it does not exist.
    ///
    /// # Errors
    ///
    /// The system's, if it cannot be written.
    pub fn open(path: impl AsRef<Path>) -> std::io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(|file| Self(Mutex::new(file)))
    }
}

impl Destination for FileDestination {
    fn send(&self, message: &str) -> Result<(), String> {
        let line = format!("{message}\n");
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(line.as_bytes()).map_err(|error| error.to_string())
    }
}

/// What became of the last invocation of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastAnswer {
    pub(crate) status_code: u16,
    /// Whether the function itself failed; not if it reported failures.
    pub(crate) is_function_error: bool,
}

/// The facts of a message.
#[derive(Debug)]
pub(crate) struct Discarded<'a> {
    pub(crate) request_id: u128,
    pub(crate) function_arn: &'a str,
    pub(crate) condition: Condition,
    pub(crate) invocations: u32,
    /// `None` if the function was never invoked with these records.
    pub(crate) answer: Option<LastAnswer>,
    pub(crate) now: EpochMillis,
    pub(crate) shard_id: &'a str,
    pub(crate) stream_arn: &'a str,
    /// Sequence number and time of the first and the last record.
    pub(crate) first: (&'a str, EpochMillis),
    pub(crate) last: (&'a str, EpochMillis),
    pub(crate) batch_size: usize,
}

impl Discarded<'_> {
    /// Returns the message exactly as Lambda sends it to a queue.
    pub(crate) fn message(&self) -> String {
        let mut json = String::with_capacity(1024);
        json.push_str("{\"requestContext\":{\"requestId\":");
        write_json_string(&mut json, &uuid(self.request_id));
        json.push_str(",\"functionArn\":");
        write_json_string(&mut json, self.function_arn);
        json.push_str(",\"condition\":");
        write_json_string(&mut json, self.condition.as_str());
        json.push_str(&format!(",\"approximateInvokeCount\":{}}}", self.invocations));
        if let Some(LastAnswer { status_code, is_function_error }) = self.answer {
            let error = if is_function_error { "\"Unhandled\"" } else { "null" };
            json.push_str(&format!(
                ",\"responseContext\":{{\"statusCode\":{status_code},\"executedVersion\":\"$LATEST\",\"functionError\":{error}}}"
            ));
        }
        json.push_str(",\"version\":\"1.0\",\"timestamp\":");
        write_json_string(&mut json, &show_milli(self.now));
        json.push_str(",\"DDBStreamBatchInfo\":{\"shardId\":");
        write_json_string(&mut json, self.shard_id);
        json.push_str(",\"startSequenceNumber\":");
        write_json_string(&mut json, self.first.0);
        json.push_str(",\"endSequenceNumber\":");
        write_json_string(&mut json, self.last.0);
        json.push_str(",\"approximateArrivalOfFirstRecord\":");
        write_json_string(&mut json, &show_second(self.first.1));
        json.push_str(",\"approximateArrivalOfLastRecord\":");
        write_json_string(&mut json, &show_second(self.last.1));
        json.push_str(&format!(",\"batchSize\":{},\"streamArn\":", self.batch_size));
        write_json_string(&mut json, self.stream_arn);
        json.push_str("}}");
        json
    }
}

/// Returns an id in the usual form, in groups of 8, 4, 4, 4 and 12 digits.
fn uuid(id: u128) -> String {
    let hex = format!("{id:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discarded() -> Discarded<'static> {
        Discarded {
            request_id: 0x316a_a6d0_8154_4abc_9af7_85d5_f4a6_bc81,
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:orders",
            condition: Condition::RetryAttemptsExhausted,
            invocations: 3,
            answer: Some(LastAnswer { status_code: 200, is_function_error: true }),
            now: EpochMillis(1_772_356_542_017),
            shard_id: "shardId-00000001772356542017-00000001",
            stream_arn: "arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-03-01T09:15:42.017",
            first: ("100000000000000000001", EpochMillis(1_772_356_500_900)),
            last: ("200000000000000000001", EpochMillis(1_772_356_501_000)),
            batch_size: 2,
        }
    }

    #[test]
    fn the_message_is_lambdas() {
        let expected = concat!(
            r#"{"requestContext":{"requestId":"316aa6d0-8154-4abc-9af7-85d5f4a6bc81","#,
            r#""functionArn":"arn:aws:lambda:us-east-1:000000000000:function:orders","#,
            r#""condition":"RetryAttemptsExhausted","approximateInvokeCount":3},"#,
            r#""responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"#,
            r#""version":"1.0","timestamp":"2026-03-01T09:15:42.017Z","#,
            r#""DDBStreamBatchInfo":{"shardId":"shardId-00000001772356542017-00000001","#,
            r#""startSequenceNumber":"100000000000000000001","endSequenceNumber":"200000000000000000001","#,
            r#""approximateArrivalOfFirstRecord":"2026-03-01T09:15:00Z","#,
            r#""approximateArrivalOfLastRecord":"2026-03-01T09:15:01Z","batchSize":2,"#,
            r#""streamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-03-01T09:15:42.017"}}"#,
        );
        assert_eq!(discarded().message(), expected);
    }

    #[test]
    fn what_was_reported_is_no_function_error_and_what_was_not_invoked_has_no_answer() {
        let reported = LastAnswer { status_code: 200, is_function_error: false };
        let message = Discarded { answer: Some(reported), ..discarded() }.message();
        assert!(message.contains(r#""functionError":null}"#), "{message}");
        let condition = Condition::RecordAgeExceeded;
        let message = Discarded { answer: None, invocations: 0, condition, ..discarded() }.message();
        assert!(!message.contains("responseContext"), "{message}");
        assert!(
            message.contains(r#""condition":"RecordAgeExceeded","approximateInvokeCount":0}"#),
            "{message}"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&message).is_ok());
    }
}
