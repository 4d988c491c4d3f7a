//! No request takes more than 64 MiB of memory above its own size and that of its answer.
//!
//! One test, because the allocator counts for the whole process. It is in a program of its own for the same reason. What the
//! database takes is not counted: SQLite has an allocator and bounds of its own.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod bodies;
mod cases;

use std::alloc::System;
use std::fmt::Write;

use pdb_wire::{Operation, Request, Wire};
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait};
use pretender::Pretender;

use bodies::Value;

#[global_allocator]
static ALLOCATOR: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What one request may take.
const BUDGET: usize = 64 * 1024 * 1024;
/// How many large items are stored. Together they are some 47 MB of JSON.
pub(crate) const STORED: usize = 16;

/// A request that is meant to do harm.
pub(crate) struct Case {
    pub(crate) operation: Operation,
    pub(crate) name: String,
    /// Whether it must not succeed.
    pub(crate) is_refused: bool,
    pub(crate) body: String,
}

/// The answer to a request, and the most memory that was taken while it was made.
fn measured(wire: &Wire, operation: Operation, body: &str) -> (u16, Vec<u8>, usize) {
    let service = if operation.is_of_streams() { "DynamoDBStreams_20120810" } else { "DynamoDB_20120810" };
    let target = format!("{service}.{}", operation.name());
    ALLOCATOR.reset_peak_memory();
    let reply = wire.call(Request::new(Some(&target), body));
    let peak = ALLOCATOR.get_peak_memory();
    let response = reply.answer().unwrap();
    (response.status, response.body, peak)
}

#[track_caller]
fn ok(wire: &Wire, operation: Operation, body: &str) -> serde_json::Value {
    let (status, answer, _) = measured(wire, operation, body);
    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(status, 200, "{}: {}", operation.name(), &answer[..answer.len().min(300)]);
    serde_json::from_str(&answer).unwrap()
}

/// A table with large items, their records, an index that has their keys, and a vector index that has all of them.
fn stored(wire: &Wire) -> cases::Stored {
    let table = r#"{"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},
        "VectorIndexes":[{"IndexName":"vix","VectorAttribute":{"AttributeName":"e"},"Dimensions":1,
            "DistanceFunction":"COSINE","Projection":{"ProjectionType":"ALL"}}],
        "GlobalSecondaryIndexes":[{"IndexName":"keys","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
            "Projection":{"ProjectionType":"KEYS_ONLY"}}]}"#;
    let created = ok(wire, Operation::CreateTable, table);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let stream_arn = text(&created["TableDescription"]["LatestStreamArn"]);
    for number in 0..STORED {
        let large = Value::Nulls.fitting();
        let item = format!(r#"{{"pk":{{"S":"big{number}"}},"e":{{"L":[{{"N":"1"}}]}},"v":{large}}}"#);
        ok(wire, Operation::PutItem, &format!(r#"{{"TableName":"tab","Item":{item}}}"#));
    }
    let described = ok(wire, Operation::DescribeStream, &format!(r#"{{"StreamArn":"{stream_arn}"}}"#));
    let shard = text(&described["StreamDescription"]["Shards"][0]["ShardId"]);
    let iterator = ok(
        wire,
        Operation::GetShardIterator,
        &format!(r#"{{"StreamArn":"{stream_arn}","ShardId":"{shard}","ShardIteratorType":"TRIM_HORIZON"}}"#),
    );
    cases::Stored { iterator: text(&iterator["ShardIterator"]) }
}

#[test]
fn no_request_takes_more_than_its_budget() {
    let wire = Wire::new(Pretender::builder().in_memory().sweep_interval(None).open().unwrap());
    let stored = stored(&wire);
    let mut over = String::new();
    for operation in Operation::ALL {
        // An operation without a case does not compile: `cases::of` names all of them.
        for make in cases::of(*operation, &stored) {
            let Case { operation, name, is_refused, body } = make();
            let (status, answer, peak) = measured(&wire, operation, &body);
            let above = peak.saturating_sub(answer.len());
            let shown = String::from_utf8_lossy(&answer[..answer.len().min(160)]).into_owned();
            let line = format!(
                "{:28} {name:34} body {:9} answer {:9} peak {peak:10} {status} {shown}",
                operation.name(),
                body.len(),
                answer.len()
            );
            println!("{line}");
            assert!(!is_refused || status != 200, "{line}");
            if above > BUDGET {
                writeln!(over, "{line}").unwrap();
            }
        }
    }
    assert!(over.is_empty(), "more than {BUDGET} bytes:\n{over}");
}
