//! Many writers, each with keys of its own, and what must be true of the stream afterwards.
//!
//! A writer puts 1, 2, 3 and so on under a key. What it gets no answer to, or a retryable error, it puts again, as clients do: the
//! same item a second time makes no record. So the records of a key are exactly 1, 2, 3, ..., whatever went wrong.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http;
use crate::served::{Served, target};

/// How long one put may fail before the test gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Keys of each writer.
const KEYS: u64 = 3;

/// Writers, and what they achieved.
#[derive(Default)]
pub(crate) struct Load {
    /// The last number of each key that was acknowledged.
    acknowledged: Mutex<BTreeMap<String, u64>>,
    /// Answers that were no success.
    pub(crate) retries: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    /// Makes the table that writers write to; returns its stream.
    pub(crate) fn table(served: &Served) -> Value {
        served.ok(
            "CreateTable",
            json!({
                "TableName": "Load", "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "writer", "AttributeType": "S"}],
                "GlobalSecondaryIndexes": [{"IndexName": "by-writer", "Projection": {"ProjectionType": "ALL"},
                    "KeySchema": [{"AttributeName": "writer", "KeyType": "HASH"}]}],
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            }),
        )["TableDescription"]["LatestStreamArn"]
            .clone()
    }

    /// Tells the writers to end after the put they are at.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// How many puts were acknowledged.
    pub(crate) fn total(&self) -> u64 {
        self.acknowledged.lock().unwrap().values().sum()
    }

    /// Waits until so many more puts than now were acknowledged.
    pub(crate) fn wait_for(&self, more: u64) {
        let (goal, began) = (self.total() + more, Instant::now());
        while self.total() < goal {
            assert!(began.elapsed() < PATIENCE, "{} of {goal} puts after {PATIENCE:?}", self.total());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Puts, as writer `writer`, through these servers in turns, until stopped or `most` puts were acknowledged.
    pub(crate) fn write(&self, writer: u64, urls: &[&str], most: u64) {
        let agent = http::agent();
        for n in 0..most {
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            let (key, number) = (format!("writer-{writer}-key-{}", n % KEYS), n / KEYS + 1);
            let item = json!({
                "pk": {"S": key}, "n": {"N": number.to_string()}, "writer": {"S": writer.to_string()}});
            let began = Instant::now();
            for attempt in 0_u64.. {
                let url = urls[((n + attempt + writer) % urls.len() as u64) as usize];
                let body = json!({"TableName": "Load", "Item": item});
                match http::call_with(&agent, url, &target("PutItem"), &body) {
                    Ok((200, _)) => break,
                    Ok((status, answer)) if !http::is_retryable(status, &answer) => {
                        panic!("{key} {number}: not retryable: {status} {answer}")
                    }
                    failed => {
                        assert!(began.elapsed() < PATIENCE, "{key} {number} after {PATIENCE:?}: {failed:?}");
                        self.retries.fetch_add(1, Ordering::Relaxed);
                        std::thread::park_timeout(Duration::from_millis(20));
                    }
                }
            }
            self.acknowledged.lock().unwrap().insert(key, number);
        }
    }

    /// Checks records, in an order that keeps that of each key, and the table: nothing is lost, nothing is there twice. A put that a
    /// stopped writer was at may be there or not: there is none, since writers end between puts.
    pub(crate) fn check(&self, served: &Served, records: &[Value]) {
        let acknowledged = self.acknowledged.lock().unwrap();
        let mut replayed: BTreeMap<String, u64> = BTreeMap::new();
        for record in records {
            let change = &record["dynamodb"];
            let key = change["Keys"]["pk"]["S"].as_str().unwrap().to_owned();
            let (old, new) = (number(&change["OldImage"]), number(&change["NewImage"]).unwrap());
            let before = replayed.insert(key.clone(), new);
            assert_eq!(before, old, "{key}: the old image of {record}");
            assert_eq!(new, before.unwrap_or(0) + 1, "{key}: each number once, in order: {record}");
        }
        assert_eq!(replayed, *acknowledged, "the stream replayed, and what was acknowledged");
        assert_eq!(table(served, None), *acknowledged, "the table, and what was acknowledged");
        assert_eq!(table(served, Some("by-writer")), *acknowledged, "the index, and what was acknowledged");
        let described = served.ok("DescribeTable", json!({"TableName": "Load"}));
        assert_eq!(described["Table"]["ItemCount"].as_u64().unwrap() as usize, acknowledged.len());
    }
}

fn number(image: &Value) -> Option<u64> {
    image["n"]["N"].as_str().map(|number| number.parse().unwrap())
}

fn table(served: &Served, index: Option<&str>) -> BTreeMap<String, u64> {
    let mut body = json!({"TableName": "Load"});
    if let Some(index) = index {
        body["IndexName"] = index.into();
    }
    let scan = served.ok("Scan", body);
    let item = |item: &Value| (item["pk"]["S"].as_str().unwrap().to_owned(), number(item).unwrap());
    scan["Items"].as_array().unwrap().iter().map(item).collect()
}
