//! Many changes, several shards, queues, failures and restarts at once.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use pdb_trigger::{FileDestination, InvokeError, Response, Settings, Trigger};
use serde_json::Value;

use crate::harness::{PATIENCE, Recorder, Streamed};

const KEYS: i64 = 12;
const ROUNDS: i64 = 24;

/// Key and number of a record.
fn change(record: &Value) -> (String, i64) {
    let change = &record["dynamodb"];
    let n = change["NewImage"]["n"]["N"].as_str().unwrap().parse().unwrap();
    (change["Keys"]["pk"]["S"].as_str().unwrap().to_owned(), n)
}

/// Whether the function cannot digest this change, ever.
fn is_poison((_, n): &(String, i64)) -> bool {
    n % 11 == 7
}

#[test]
fn every_change_arrives_in_order_whatever_happens() {
    let streamed = Streamed::new();
    let directory = tempfile::tempdir().unwrap();
    let (checkpoint, failed) = (directory.path().join("checkpoint"), directory.path().join("failed"));
    // What the function took, in order; it fails now and then, and always on poison.
    let function = Recorder::answering(|event| {
        let records = event["Records"].as_array().unwrap();
        let mut hasher = DefaultHasher::new();
        event.to_string().hash(&mut hasher);
        match records.iter().find(|record| is_poison(&change(record))) {
            Some(poison) if hasher.finish().is_multiple_of(2) => {
                Ok(Response::failed_at(poison["dynamodb"]["SequenceNumber"].as_str().unwrap()))
            }
            Some(_) => Err(InvokeError::failed("poison")),
            None => Ok(Response::empty()),
        }
    });
    let start = || {
        Trigger::builder(&streamed.db, "Orders")
            .settings(Settings {
                batch_size: 7,
                parallelization_factor: 4,
                maximum_retry_attempts: 1,
                bisect_batch_on_function_error: true,
                report_batch_item_failures: true,
                ..Settings::default()
            })
            .retry_pauses(Duration::ZERO, Duration::ZERO)
            .on_failure(FileDestination::open(&failed).unwrap())
            .checkpoint(&checkpoint)
            .start(function.clone())
            .unwrap()
    };
    let mut trigger = start();
    let (mut processed, mut discarded) = (0, 0);
    for n in 1..=ROUNDS {
        for key in 0..KEYS {
            streamed.put(&format!("k{key}-"), n);
        }
        if n % 6 == 0 {
            streamed.split();
        }
        if n % 5 == 0 {
            // In the middle of whatever it is doing.
            let state = trigger.stop();
            processed += state.processed_records;
            discarded += state.discarded_records;
            trigger = start();
        }
    }
    assert!(trigger.wait_until_caught_up(PATIENCE));
    let state = trigger.stop();
    processed += state.processed_records;
    discarded += state.discarded_records;

    let mut delivered: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for event in function.events() {
        for record in event["Records"].as_array().unwrap() {
            let (key, n) = change(record);
            delivered.entry(key).or_default().push(n);
        }
    }
    for (key, numbers) in &delivered {
        // Each for the first time in the order of the writes, and none left out.
        let mut seen = BTreeSet::new();
        let first: Vec<i64> = numbers.iter().copied().filter(|n| seen.insert(*n)).collect();
        assert_eq!(first, (1..=ROUNDS).collect::<Vec<_>>(), "{key}");
    }
    assert_eq!(delivered.len() as i64, KEYS);
    // Poison was told to the destination; a stop may have it told again. All else was processed.
    let poison = (KEYS * (1..=ROUNDS).filter(|n| is_poison(&(String::new(), *n))).count() as i64) as u64;
    let messages = std::fs::read_to_string(&failed).unwrap();
    let told: BTreeSet<String> = messages
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["DDBStreamBatchInfo"]["startSequenceNumber"]
                .to_string()
        })
        .collect();
    assert_eq!(told.len() as u64, poison);
    assert!(discarded >= poison, "{discarded} of {poison}");
    assert!(processed >= (KEYS * ROUNDS) as u64 - poison);
}
