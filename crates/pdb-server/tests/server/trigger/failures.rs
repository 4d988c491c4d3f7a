//! Batches that fail: tried again, halved, given up.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::function::{Answer, FunctionServer, Gate, batch};
use super::{Streamed, batches, wait_until};

/// The messages in a file.
fn messages(path: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_failed_batch_is_tried_again_then_told_about() {
    for failure in [Answer::error, Answer::unhandled, || Answer::status(500)] {
        let streamed = Streamed::new();
        let function = FunctionServer::start(move |event| match batch(event).as_str() {
            "a1 b2" => failure(),
            _ => Answer::json("null"),
        });
        streamed.put("a", 1);
        streamed.put("b", 2);
        let failed = streamed.path("failed.ndjson");
        let _running =
            streamed.trigger(&function, &["--maximum-retry-attempts", "2", "--on-failure", &failed]);
        function.wait_for(|events| events.len() >= 3);
        streamed.put("c", 3);
        let events = function.wait_for(|events| batches(events).ends_with("c3"));
        assert_eq!(batches(&events), "a1 b2 a1 b2 a1 b2 c3");
        let told = std::fs::read_to_string(&failed).unwrap();
        let message: Value = serde_json::from_str(told.trim_end()).unwrap();
        assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
        assert_eq!(message["requestContext"]["approximateInvokeCount"], 3);
        assert_eq!(message["responseContext"]["functionError"], "Unhandled");
        let records = &events[0]["Records"];
        let info = json!({
            "shardId": message["DDBStreamBatchInfo"]["shardId"],
            "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": records[1]["dynamodb"]["SequenceNumber"],
            "approximateArrivalOfFirstRecord": "2026-03-01T09:15:42Z",
            "approximateArrivalOfLastRecord": "2026-03-01T09:15:42Z",
            "batchSize": 2,
            "streamArn": streamed.arn.to_string(),
        });
        assert_eq!(message["DDBStreamBatchInfo"], info);
    }
}

#[test]
fn reported_records_are_tried_again_with_those_behind() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|event| match batch(event).as_str() {
        "a1 b2 c3" => Answer::failed_at(&event["Records"][1]),
        _ => Answer::json("{}"),
    });
    for (n, key) in ["a", "b", "c"].into_iter().enumerate() {
        streamed.put(key, n as i64 + 1);
    }
    let _running = streamed.trigger(&function, &["--function-response-types", "ReportBatchItemFailures"]);
    let events = function.wait_for(|events| events.len() == 2);
    assert_eq!(batches(&events), "a1 b2 c3 b2 c3");
}

#[test]
fn bisecting_finds_the_bad_record() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|event| match batch(event) {
        bad if bad.contains("c3") => Answer::error(),
        _ => Answer::json("null"),
    });
    for (n, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
        streamed.put(key, n as i64 + 1);
    }
    let failed = streamed.path("failed.ndjson");
    let arguments =
        ["--bisect-batch-on-function-error", "--maximum-retry-attempts", "1", "--on-failure", &failed];
    let _running = streamed.trigger(&function, &arguments);
    let events = function.wait_for(|events| events.len() == 6);
    // Halving used up no retry: the bad one, alone, is tried twice.
    let shown: Vec<String> = events.iter().map(batch).collect();
    assert_eq!(shown, ["a1 b2 c3 d4", "a1 b2", "c3 d4", "c3", "c3", "d4"]);
    let told = messages(&failed);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["DDBStreamBatchInfo"]["batchSize"], 1);
}

#[test]
fn records_that_are_too_old_are_given_up() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|event| match batch(event).as_str() {
        "b2" => Answer::error(),
        _ => Answer::json("null"),
    });
    streamed.put("a", 1);
    streamed.clock.advance(Duration::from_secs(61));
    streamed.put("b", 2);
    let failed = streamed.path("failed.ndjson");
    let arguments = ["--maximum-record-age-in-seconds", "60", "--on-failure", &failed];
    let _running = streamed.trigger(&function, &arguments);
    // The first record was too old before anybody saw it; the second becomes so while it is being tried.
    function.wait_for(|events| events.len() >= 2);
    streamed.clock.advance(Duration::from_secs(61));
    streamed.put("c", 3);
    let events = function.wait_for(|events| batches(events).ends_with("c3"));
    assert!(!batches(&events).contains("a1"));
    let told = messages(&failed);
    let facts = told.iter().map(|message| {
        let condition = message["requestContext"]["condition"].as_str().unwrap();
        (condition, message["requestContext"]["approximateInvokeCount"].as_u64().unwrap() > 0)
    });
    assert_eq!(facts.collect::<Vec<_>>(), [("RecordAgeExceeded", false), ("RecordAgeExceeded", true)]);
}

#[test]
fn messages_are_posted_until_they_are_taken() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|event| match batch(event).as_str() {
        "a1" => Answer::error(),
        _ => Answer::json("null"),
    });
    let count = AtomicU32::new(0);
    let destination = FunctionServer::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Answer::status(503),
        _ => Answer::status(202),
    });
    streamed.put("a", 1);
    let url = format!("http://{}/failed", destination.address());
    let _running = streamed.trigger(&function, &["--maximum-retry-attempts", "0", "--on-failure", &url]);
    let told = destination.wait_for(|messages| messages.len() == 2);
    assert_eq!(told[0]["requestContext"], told[1]["requestContext"]);
    streamed.put("b", 2);
    let events = function.wait_for(|events| batches(events).ends_with("b2"));
    assert_eq!(batches(&events), "a1 b2");
}

#[test]
fn a_function_that_cannot_be_invoked_is_tried_without_using_up_retries() {
    let streamed = Streamed::new();
    let count = AtomicU32::new(0);
    let function = FunctionServer::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Answer::status(429),
        _ => Answer::json("null"),
    });
    streamed.put("a", 1);
    let failed = streamed.path("failed.ndjson");
    let file = streamed.path("orders.checkpoint");
    let arguments = ["--maximum-retry-attempts", "0", "--on-failure", &failed, "--checkpoint", &file];
    let _running = streamed.trigger(&function, &arguments);
    let events = function.wait_for(|events| events.len() == 3);
    assert_eq!(batches(&events), "a1 a1 a1");
    wait_until(|| std::fs::read_to_string(&file).unwrap_or_default().contains("after"));
    assert_eq!(messages(&failed), Vec::<Value>::new());
}

#[test]
fn a_function_that_takes_too_long_has_failed() {
    let streamed = Streamed::new();
    let gate = Gate::default();
    let (behind, count) = (gate.clone(), AtomicU32::new(0));
    let function = FunctionServer::start(move |_| {
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            behind.pass();
        }
        Answer::json("null")
    });
    streamed.put("a", 1);
    let _running = streamed.trigger(&function, &["--timeout", "1"]);
    function.wait_for(|events| events.len() == 2);
    gate.open();
}
