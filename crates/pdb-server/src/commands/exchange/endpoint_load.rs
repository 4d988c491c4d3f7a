//! Writing items to an endpoint with `BatchWriteItem`, over several connections.

use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use pretender::bulk::{BulkChange, BulkReport, BulkWrite, RefusedWrite};
use pretender::model::Item;
use serde_json::{Map, Value, json};

use super::place::Place;
use super::table::TableInfo;
use crate::client::{Api, ApiFailure, Service, pause};
use crate::commands::data::typed;

/// How many connections write at the same time.
const WORKERS: usize = 4;
/// The most writes and bytes of a batch.
const BATCH_WRITES: usize = 25;
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// How many batches wait for a worker.
const WAITING: usize = 2;
/// How often the rest of a batch is sent again.
const MAX_TRIES: u32 = 20;

type Batch = Vec<(Place, BulkWrite)>;

/// Writes items to an endpoint. All writes of a key go to the same worker, so that they keep their order.
#[derive(Debug)]
pub(super) struct EndpointLoad {
    key: Vec<String>,
    workers: Vec<Worker>,
    results: Receiver<WorkerResult>,
    report: BulkReport,
    refused: Vec<RefusedWrite<Place>>,
    failed: Option<ApiFailure>,
}

#[derive(Debug)]
struct Worker {
    /// `None` after the end.
    batches: Option<SyncSender<Batch>>,
    thread: Option<JoinHandle<()>>,
    batch: Batch,
    bytes: u64,
}

#[derive(Debug)]
enum WorkerResult {
    Written(BulkWrite),
    Refused(RefusedWrite<Place>),
    Failed(ApiFailure),
}

impl EndpointLoad {
    /// Starts the workers.
    pub(super) fn new(api: &Api, table: &TableInfo) -> Result<Self, Box<dyn Error>> {
        let (sender, results) = channel();
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            let (batches, received) = sync_channel::<Batch>(WAITING);
            let (api, name, sender) = (api.clone(), table.name.clone(), sender.clone());
            let work = move || {
                let writer = BatchWriter { api, table: name, results: sender };
                // After a failure, batches are still taken, so that nobody waits for this worker.
                let mut has_failed = false;
                for batch in received {
                    if !has_failed && let Err(failure) = writer.write(batch) {
                        has_failed = true;
                        let _ = writer.results.send(WorkerResult::Failed(failure));
                    }
                }
            };
            let thread = std::thread::Builder::new().name("pretender-import".to_owned()).spawn(work)?;
            workers.push(Worker {
                batches: Some(batches),
                thread: Some(thread),
                batch: Vec::new(),
                bytes: 0,
            });
        }
        let key = table.key.iter().map(|(name, _)| name.clone()).collect();
        Ok(Self { key, workers, results, report: BulkReport::default(), refused: Vec::new(), failed: None })
    }

    pub(super) fn push(&mut self, place: Place, write: BulkWrite) -> Result<(), Box<dyn Error>> {
        let at = self.worker_of(&write);
        let worker = &mut self.workers[at];
        worker.bytes += write.size_bytes();
        worker.batch.push((place, write));
        if worker.batch.len() >= BATCH_WRITES || worker.bytes >= BATCH_BYTES {
            worker.send();
        }
        self.collect();
        self.failed.take().map_or(Ok(()), |failure| Err(failure.into()))
    }

    pub(super) fn finish(&mut self) -> Result<(), Box<dyn Error>> {
        for worker in &mut self.workers {
            worker.send();
            worker.batches = None;
        }
        for worker in &mut self.workers {
            if let Some(thread) = worker.thread.take()
                && thread.join().is_err()
            {
                return Err("a thread of the import has panicked".into());
            }
        }
        self.collect();
        self.failed.take().map_or(Ok(()), |failure| Err(failure.into()))
    }

    pub(super) fn report(&self) -> BulkReport {
        self.report
    }

    pub(super) fn take_refused(&mut self) -> Vec<RefusedWrite<Place>> {
        std::mem::take(&mut self.refused)
    }

    fn worker_of(&self, write: &BulkWrite) -> usize {
        let (BulkChange::Put(item) | BulkChange::Delete(item)) = &write.change;
        let mut hasher = DefaultHasher::new();
        for name in &self.key {
            item.get(name).map(ToString::to_string).hash(&mut hasher);
        }
        (hasher.finish() % WORKERS as u64) as usize
    }

    /// Takes the results that are there.
    fn collect(&mut self) {
        for result in self.results.try_iter() {
            match result {
                WorkerResult::Written(write) => match &write.change {
                    BulkChange::Put(_) => {
                        self.report.put += 1;
                        self.report.bytes += write.size_bytes();
                    }
                    BulkChange::Delete(_) => self.report.deleted += 1,
                },
                WorkerResult::Refused(refused) => {
                    if refused.is_condition {
                        self.report.conditions_failed += 1;
                    } else {
                        self.report.refused += 1;
                    }
                    self.refused.push(refused);
                }
                WorkerResult::Failed(failure) => self.failed = Some(failure),
            }
        }
    }
}

impl Worker {
    fn send(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        if let Some(batches) = self.batches.as_ref().filter(|_| !batch.is_empty()) {
            // A worker that has ended has reported why.
            let _ = batches.send(batch);
        }
    }
}

struct BatchWriter {
    api: Api,
    table: String,
    results: Sender<WorkerResult>,
}

impl BatchWriter {
    fn write(&self, batch: Batch) -> Result<(), ApiFailure> {
        let is_plain = batch.iter().all(|(_, write)| write.condition.is_none());
        let requests: Vec<Value> = batch.iter().map(|(_, write)| request(write)).collect();
        if is_plain && self.write_batch(requests)? {
            batch.into_iter().for_each(|(_, write)| self.report(WorkerResult::Written(write)));
            return Ok(());
        }
        // A batch that is refused writes nothing, and does not say which item is at fault. It is also refused if two items have the same
        // key, which is fine in a file. So write the items one by one.
        for (place, write) in batch {
            let refused = match self.write_one(&write) {
                Ok(()) => {
                    self.report(WorkerResult::Written(write));
                    continue;
                }
                Err(ApiFailure::Refused { code, message, .. })
                    if code == "ValidationException" || code == "ConditionalCheckFailedException" =>
                {
                    let is_condition = code == "ConditionalCheckFailedException";
                    RefusedWrite { tag: place, write, reason: message, is_condition, existing: None }
                }
                Err(failure) => return Err(failure),
            };
            self.report(WorkerResult::Refused(refused));
        }
        Ok(())
    }

    fn report(&self, result: WorkerResult) {
        // Nobody listens any more if the import has failed.
        let _ = self.results.send(result);
    }

    /// Writes a batch. Returns `false` if it is refused.
    fn write_batch(&self, mut requests: Vec<Value>) -> Result<bool, ApiFailure> {
        let mut tries = 0;
        loop {
            let input = json!({ "RequestItems": { self.table.as_str(): requests } });
            let mut answer = match self.api.call(Service::DynamoDb, "BatchWriteItem", &input) {
                Ok(answer) => answer,
                Err(failure) if failure.code() == Some("ValidationException") => return Ok(false),
                Err(failure) => return Err(failure),
            };
            let left = answer["UnprocessedItems"].as_object_mut().map(std::mem::take).unwrap_or_default();
            requests = left
                .into_iter()
                .filter_map(|(_, left)| if let Value::Array(left) = left { Some(left) } else { None })
                .flatten()
                .collect();
            if requests.is_empty() {
                return Ok(true);
            }
            tries += 1;
            if tries >= MAX_TRIES {
                return Err(ApiFailure::Refused {
                    code: "ProvisionedThroughputExceededException".to_owned(),
                    message: "items of a batch stay unprocessed".to_owned(),
                    status: 400,
                });
            }
            std::thread::park_timeout(pause(tries));
        }
    }

    fn write_one(&self, write: &BulkWrite) -> Result<(), ApiFailure> {
        let (operation, member, item) = match &write.change {
            BulkChange::Put(item) => ("PutItem", "Item", item),
            BulkChange::Delete(key) => ("DeleteItem", "Key", key),
        };
        let mut input = json!({ "TableName": self.table, member: of_item(item) });
        if let Some(condition) = &write.condition {
            input["ConditionExpression"] = condition.expression.as_str().into();
            if !condition.names.is_empty() {
                input["ExpressionAttributeNames"] = json!(condition.names);
            }
            if !condition.values.is_empty() {
                let values: Item = condition.values.clone().into_iter().collect();
                input["ExpressionAttributeValues"] = of_item(&values);
            }
        }
        self.api.call(Service::DynamoDb, operation, &input).map(drop)
    }
}

fn request(write: &BulkWrite) -> Value {
    match &write.change {
        BulkChange::Put(item) => json!({ "PutRequest": { "Item": of_item(item) } }),
        BulkChange::Delete(key) => json!({ "DeleteRequest": { "Key": of_item(key) } }),
    }
}

fn of_item(item: &Item) -> Value {
    typed(item).unwrap_or(Value::Object(Map::new()))
}
