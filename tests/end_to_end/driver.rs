//! The operations of a scenario, independent of the way to the database.

use std::sync::Arc;
use std::time::Duration;

use pretender::streams::StreamViewType;
use pretender::time::{EpochMillis, ManualClock};
use pretender::{Builder, Pretender};
use serde_json::Value;

use crate::place::Place;

/// The time at which every scenario begins.
pub(crate) const START: EpochMillis = EpochMillis(1_772_356_542_017);

/// A stream record, as far as scenarios look at it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) event_name: String,
    pub(crate) keys: Value,
    pub(crate) old_image: Option<Value>,
    pub(crate) new_image: Option<Value>,
    pub(crate) sequence_number: String,
    pub(crate) size_bytes: u64,
    pub(crate) created_seconds: i64,
}

/// A page of records and where to go on.
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    pub(crate) next: Option<String>,
}

/// A failure: AWS's code and text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A way to the database: the typed library, or HTTP. Tables have the key `pk`; items and keys are DynamoDB JSON.
pub(crate) trait Driver {
    /// Creates a table; returns the ARN of its stream if it gets one.
    fn create_table(&self, table: &str, view_type: Option<StreamViewType>)
    -> Result<Option<String>, Failure>;
    fn delete_table(&self, table: &str) -> Result<(), Failure>;
    /// Enables a stream, or disables it; returns the ARN of the latest.
    fn update_stream(
        &self,
        table: &str,
        view_type: Option<StreamViewType>,
    ) -> Result<Option<String>, Failure>;
    fn put(&self, table: &str, item: &Value) -> Result<(), Failure>;
    fn update(&self, table: &str, key: &Value, expression: &str, values: &Value) -> Result<(), Failure>;
    fn delete(&self, table: &str, key: &Value) -> Result<(), Failure>;
    fn get(&self, table: &str, key: &Value) -> Result<Option<Value>, Failure>;
    /// ARNs of the streams of a table.
    fn streams(&self, table: &str) -> Result<Vec<String>, Failure>;
    /// The status of a stream and the ids of its shards.
    fn describe(&self, stream_arn: &str) -> Result<(String, Vec<String>), Failure>;
    fn iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        kind: &str,
        number: Option<&str>,
    ) -> Result<String, Failure> {
        self.iterator_at_time(stream_arn, shard_id, kind, number, None)
    }
    /// As [`iterator`](Self::iterator), with a time: a JSON number of seconds.
    fn iterator_at_time(
        &self,
        stream_arn: &str,
        shard_id: &str,
        kind: &str,
        number: Option<&str>,
        time: Option<&str>,
    ) -> Result<String, Failure>;
    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<Page, Failure>;

    /// All records of a stream from the trim horizon, in pages of `limit`.
    fn all_records(&self, stream_arn: &str, limit: Option<u32>) -> Vec<Record> {
        let mut all = Vec::new();
        for shard_id in self.describe(stream_arn).unwrap().1 {
            let mut at = Some(self.iterator(stream_arn, &shard_id, "TRIM_HORIZON", None).unwrap());
            while let Some(iterator) = at {
                let page = self.records(&iterator, limit).unwrap();
                assert!(page.records.len() <= limit.unwrap_or(1_000) as usize);
                at = page.next.filter(|_| !page.records.is_empty());
                all.extend(page.records);
            }
        }
        all
    }
}

/// A database whose time stands still until it is moved, and whose background work waits to be asked for.
pub(crate) struct World {
    pub(crate) db: Pretender,
    pub(crate) clock: Arc<ManualClock>,
    _place: Place,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A world whose database has further settings.
    pub(crate) fn with(settings: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(ManualClock::held_at(START));
        let place = Place::new();
        let builder = settings(place.builder().clock(clock.clone()).sweep_interval(None));
        Self { db: builder.open().unwrap(), clock, _place: place }
    }

    /// Moves the time and does what is then due.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.db.run_due_work().unwrap();
    }
}
