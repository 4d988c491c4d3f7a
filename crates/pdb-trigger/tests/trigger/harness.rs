//! A streamed table, and a function that remembers what it was given.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use pdb_trigger::{Function, InvokeError, Response};
use pretender::Pretender;
use pretender::items::PutItemInput;
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::{StreamArn, StreamViewType};
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::time::{EpochMillis, ManualClock};
use serde_json::Value;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Streamed {
    pub(crate) db: Pretender,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) arn: StreamArn,
}

impl Streamed {
    /// A database whose clock stands at 2026-03-01T09:15:42.017Z, with the streamed table `Orders`.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
        let db = Pretender::builder().clock(clock.clone()).sweep_interval(None).open().unwrap();
        create_table(&db);
        let arn = db.list_streams(&Default::default()).unwrap().streams[0].stream_arn.clone();
        Self { db, clock, arn }
    }
}

impl Streamed {
    pub(crate) fn create_table(&self) {
        create_table(&self.db);
    }

    pub(crate) fn put(&self, key: &str, n: i64) {
        let item = Item::new().with("pk", key).with("n", n);
        self.db.put_item(PutItemInput::new(orders(), item)).unwrap();
    }

    pub(crate) fn split(&self) {
        self.db.split_shards(&self.arn, None).unwrap();
    }
}

fn create_table(db: &Pretender) {
    let stream = StreamSpecification::enabled(StreamViewType::NewAndOldImages);
    db.create_table(CreateTableInput {
        stream_specification: Some(stream),
        ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
    })
    .unwrap();
}

pub(crate) fn orders() -> TableName {
    "Orders".parse().unwrap()
}

type Answer = Box<dyn Fn(&Value) -> Result<Response, InvokeError> + Send + Sync>;

/// A function that remembers its events and answers as it is told.
#[derive(Clone)]
pub(crate) struct Recorder {
    events: Arc<Mutex<Vec<String>>>,
    answer: Arc<Answer>,
}

impl Recorder {
    /// Always succeeds.
    pub(crate) fn new() -> Self {
        Self::answering(|_| Ok(Response::empty()))
    }

    pub(crate) fn answering(
        answer: impl Fn(&Value) -> Result<Response, InvokeError> + Send + Sync + 'static,
    ) -> Self {
        Self { events: Arc::default(), answer: Arc::new(Box::new(answer)) }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }
}

impl Recorder {
    pub(crate) fn events(&self) -> Vec<Value> {
        self.texts().iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// The records of each invocation.
    pub(crate) fn batches(&self) -> Vec<String> {
        self.events().iter().map(batch).collect()
    }
}

/// The records of an event: key and number of each new image, or a minus if it has none.
pub(crate) fn batch(event: &Value) -> String {
    let records = event["Records"].as_array().unwrap().iter().map(|record| {
        let change = &record["dynamodb"];
        let key = change["Keys"]["pk"]["S"].as_str().unwrap();
        format!("{key}{}", change["NewImage"]["n"]["N"].as_str().unwrap_or("-"))
    });
    records.collect::<Vec<_>>().join(" ")
}

/// Something that an invocation can wait for.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let (is_open, changed) = &*self.0;
        let mut is_open = is_open.lock().unwrap();
        while !*is_open {
            is_open = changed.wait(is_open).unwrap();
        }
    }
}

impl Function for Recorder {
    fn invoke(&self, event: &[u8]) -> Result<Response, InvokeError> {
        let text = String::from_utf8(event.to_vec()).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        self.events.lock().unwrap().push(text);
        (self.answer)(&value)
    }
}
