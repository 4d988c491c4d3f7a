//! Batch queues and shards, driven by hand.

mod cases;
mod histories;
mod windows;

use std::time::{Duration, Instant};

use pretender::model::CountingIds;
use pretender::time::EpochMillis;
use serde_json::{Value, json};

use super::*;
use crate::event::EventRecord;
use crate::shard::Shard;

const STREAM: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-03-01T09:15:42.017";
/// The moment at which each test begins: 2026-03-01T09:15:42Z.
const START: EpochMillis = EpochMillis(1_772_356_542_000);

/// A shard, its settings and its time.
struct Driven {
    settings: Settings,
    ids: CountingIds,
    has_destination: bool,
    shard: Shard,
    now: EpochMillis,
    real: Instant,
    written: u64,
    events: Vec<QueueEvent>,
}

impl Driven {
    fn new(settings: Settings) -> Self {
        settings.check().unwrap();
        Self {
            shard: Shard::new(settings.queues()),
            settings,
            ids: CountingIds::default(),
            has_destination: true,
            now: START,
            real: Instant::now(),
            written: 0,
            events: Vec::new(),
        }
    }

    /// Adds a record of this key, created now; returns its number.
    fn push(&mut self, key: &str) -> u64 {
        self.push_big(key, 0)
    }

    fn push_many(&mut self, records: u64) {
        for _ in 0..records {
            self.push("k");
        }
    }

    /// Adds a record with this much text in it.
    fn push_big(&mut self, key: &str, bytes: usize) -> u64 {
        self.written += 1;
        self.push_again(self.written, key, self.now, bytes);
        self.written
    }

    fn push_again(&mut self, number: u64, key: &str, created: EpochMillis, bytes: usize) {
        self.shard.push(record(number, key, created, bytes), self.now);
    }

    fn next(&mut self) -> Vec<(usize, Task)> {
        let tasks = self.shard.next(
            &context(&self.settings, &self.ids, self.has_destination),
            Moment { now: self.now, real: self.real },
        );
        self.events.extend(self.shard.take_events());
        tasks
    }

    fn finish(&mut self, queue: usize, outcome: TaskOutcome) {
        self.shard.finish(
            &context(&self.settings, &self.ids, self.has_destination),
            Moment { now: self.now, real: self.real },
            queue,
            outcome,
        );
        self.events.extend(self.shard.take_events());
    }

    /// Lets every pause pass.
    fn pass_pauses(&mut self) {
        self.real += Duration::from_secs(60);
    }

    fn advance(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }

    /// Does what the first queue wants until it wants nothing, and returns it: numbers of the records of each invocation, and
    /// messages as `!first-last`.
    fn run(&mut self, mut answer: impl FnMut(&Value) -> Result<Response, InvokeError>) -> Vec<String> {
        let mut done = Vec::new();
        loop {
            self.pass_pauses();
            let tasks = self.next();
            if tasks.is_empty() {
                return done;
            }
            for (queue, task) in tasks {
                let outcome = match task {
                    Task::Invoke(event) => {
                        let event: Value = serde_json::from_str(&event).unwrap();
                        let mut shown = numbers(&event).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
                        if event["isFinalInvokeForWindow"] == true {
                            shown.push_str(if event["isWindowTerminatedEarly"] == true {
                                "early end "
                            } else {
                                "end "
                            });
                            shown.push_str(&event["state"].to_string());
                        }
                        done.push(shown);
                        TaskOutcome::Invoked(answer(&event))
                    }
                    Task::Report(message) => {
                        let message: Value = serde_json::from_str(&message).unwrap();
                        let info = &message["DDBStreamBatchInfo"];
                        let end = |name: &str| info[name].as_str().unwrap().to_owned();
                        done.push(format!("!{}-{}", end("startSequenceNumber"), end("endSequenceNumber")));
                        TaskOutcome::Reported(Ok(()))
                    }
                };
                self.finish(queue, outcome);
            }
        }
    }
}

fn context<'a>(settings: &'a Settings, ids: &'a CountingIds, has_destination: bool) -> QueueContext<'a> {
    QueueContext {
        settings,
        stream_arn: STREAM,
        shard_id: "shardId-00000001772356542017-00000001",
        function_arn: "arn:aws:lambda:us-east-1:000000000000:function:f",
        ids,
        has_destination,
        retention: Some(Duration::from_secs(24 * 3600)),
        backoff: Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(10) },
    }
}

fn record(number: u64, key: &str, created: EpochMillis, bytes: usize) -> EventRecord {
    let record = json!({
        "eventName": "MODIFY",
        "dynamodb": {
            "ApproximateCreationDateTime": created.0 as f64 / 1000.0,
            "Keys": { "pk": { "S": key } },
            "NewImage": { "text": { "S": "x".repeat(bytes) } },
            "SequenceNumber": number.to_string(),
            "SizeBytes": 7,
        }
    });
    EventRecord::from_api(&record, STREAM)
}

/// The sequence numbers of an event's records.
fn numbers(event: &Value) -> impl Iterator<Item = u64> {
    let records = event["Records"].as_array().unwrap();
    records.iter().map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap().parse().unwrap())
}

fn failed<T>() -> Result<T, InvokeError> {
    Err(InvokeError::failed("boom"))
}
