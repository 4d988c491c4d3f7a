//! A wire over a database in memory, and the one place where tests touch it.

use std::sync::Arc;

use pdb_wire::{Request, Wire};
use pretender::time::{EpochMillis, ManualClock};
use pretender::{MessageLayer, Pretender};

/// The moment at which the clock of every test stands: 2026-03-01T09:15:42.017Z.
pub(crate) const NOW: EpochMillis = EpochMillis(1_772_356_542_017);

/// A wire over an empty database.
pub(crate) struct Client {
    pub(crate) wire: Wire,
    pub(crate) clock: Arc<ManualClock>,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self::on_layer(MessageLayer::Classic)
    }

    pub(crate) fn on_layer(message_layer: MessageLayer) -> Self {
        let clock = Arc::new(ManualClock::held_at(NOW));
        let pretender = Pretender::builder()
            .in_memory()
            .clock(clock.clone())
            .sweep_interval(None)
            .message_layer(message_layer)
            .open()
            .unwrap();
        Self { wire: Wire::new(pretender), clock }
    }

    /// Status and body of a call; the service follows from the operation's name.
    pub(crate) fn call(&self, operation: &str, body: &str) -> (u16, String) {
        let service = match operation {
            "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords" => {
                "DynamoDBStreams_20120810"
            }
            _ => "DynamoDB_20120810",
        };
        let response = self.wire.call(Request::new(Some(&format!("{service}.{operation}")), body));
        let response = response.answer().expect("no fault was asked for");
        (response.status, String::from_utf8(response.body).unwrap())
    }

    /// The answer of a call that succeeds.
    #[track_caller]
    pub(crate) fn ok(&self, operation: &str, body: &str) -> String {
        let (status, answer) = self.call(operation, body);
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    /// Checks the whole answer of a call.
    #[track_caller]
    pub(crate) fn check(&self, operation: &str, body: &str, answer: &str) {
        assert_eq!(self.ok(operation, body), answer, "{operation} {body}");
    }

    /// Checks the exception and text with which a call is refused.
    #[track_caller]
    pub(crate) fn refused(&self, operation: &str, body: &str, exception: &str, text: &str) {
        let (status, answer) = self.call(operation, body);
        let error: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let given = error["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
        let message = error["message"].as_str().or(error["Message"].as_str()).unwrap_or_default();
        assert_eq!((status, given, message), (400, exception, text), "{operation} {body}");
    }

    /// Checks the text of a `ValidationException`.
    #[track_caller]
    pub(crate) fn invalid(&self, operation: &str, body: &str, text: &str) {
        self.refused(operation, body, "ValidationException", text);
    }
}

/// Checks the texts of requests that are refused before a table is looked for.
#[track_caller]
pub(crate) fn check_invalid(operation: &str, cases: &[(&str, &str)]) {
    let client = Client::new();
    for (body, text) in cases {
        client.invalid(operation, body, text);
    }
}
