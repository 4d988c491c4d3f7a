//! The control plane as bytes: constraint texts (`validation.md` 4 and 10), type errors, the JSON of answers.

mod answers;
mod constraints;
mod exports;
mod transfers;

use std::sync::Arc;

use pretender::Pretender;
use pretender::model::CountingIds;
use pretender::time::{EpochMillis, ManualClock};

use crate::{Request, Wire};

/// An empty engine whose clock stands still.
fn wire() -> Wire {
    let clock = ManualClock::held_at(EpochMillis(1_772_356_542_017));
    let engine = Pretender::builder()
        .in_memory()
        .clock(Arc::new(clock))
        .ids(Arc::new(CountingIds::starting_at(1)))
        .sweep_interval(None);
    Wire::new(engine.open().unwrap())
}

/// Calls an operation and returns status and body.
fn call(wire: &Wire, operation: &str, body: &str) -> (u16, String) {
    let target = format!("DynamoDB_20120810.{operation}");
    let response = wire.call(Request::new(Some(&target), body)).answer().unwrap();
    (response.status, String::from_utf8(response.body).unwrap())
}

/// Expects success, and this body.
#[track_caller]
fn check_answer(wire: &Wire, operation: &str, body: &str, expected: &str) {
    let (status, actual) = call(wire, operation, body);
    assert_eq!((status, actual.as_str()), (200, expected));
}

/// Expects success.
#[track_caller]
fn check_accepted(wire: &Wire, operation: &str, body: &str) -> String {
    let (status, actual) = call(wire, operation, body);
    assert_eq!(status, 200, "{actual}");
    actual
}

/// Expects an error of this kind with this text.
#[track_caller]
fn check_error(wire: &Wire, operation: &str, body: &str, kind: &str, text: &str) {
    let (status, actual) = call(wire, operation, body);
    let error: serde_json::Value = serde_json::from_str(&actual).unwrap();
    let message = error.get("message").or_else(|| error.get("Message")).and_then(|text| text.as_str());
    let full_kind = error["__type"].as_str().unwrap();
    let kind_shown = full_kind.rsplit('#').next().unwrap();
    assert_eq!((status, kind_shown, message.unwrap_or_default()), (400, kind, text));
}

/// Expects a `ValidationException` on an empty engine.
#[track_caller]
fn check_refused(operation: &str, body: &str, text: &str) {
    check_error(&wire(), operation, body, "ValidationException", text);
}

const SIMPLE: &str = r#"{"TableName":"Tbl","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],
    "KeySchema":[{"AttributeName":"a","KeyType":"HASH"}]}"#;
