//! A database with a streamed table, written through the one door.

use pdb_capture::{disable_stream, enable_stream, lock_item, write_item};
use pdb_cleanup::*;
use pdb_model::{
    Account, AttributeValue, EpochMillis, Item, StreamArn, StreamLabel, StreamRecord, StreamViewType,
    TableName,
};
use pdb_store::{ShardRow, StoreError};
use pdb_testkit::{TestDb, definition, string_key};
use std::time::Duration;

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);

pub(crate) struct Db {
    pub(crate) test: TestDb,
}

impl Db {
    /// A database with the table `orders`, whose items expire by `ttl`, and no stream.
    pub(crate) fn new() -> Self {
        let test = TestDb::new();
        let mut orders = definition("orders", string_key("pk"));
        orders.time_to_live_attribute = Some("ttl".to_owned());
        test.create_table(&orders);
        Self { test }
    }

    pub(crate) fn streaming() -> (Self, StreamArn) {
        let db = Self::new();
        let arn = db.enable(1);
        (db, arn)
    }

    pub(crate) fn now(&self) -> EpochMillis {
        self.test.env.clock.now()
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.test.clock.advance(duration);
    }

    pub(crate) fn enable(&self, shards: u32) -> StreamArn {
        let env = self.test.env.clone();
        let arn = Account::default().stream_arn(&orders(), &StreamLabel::at(self.now()));
        let label = arn.clone();
        self.test.write(move |tx| {
            let table = tx.table(&orders())?;
            enable_stream(&env, tx, &table, &label, StreamViewType::NewAndOldImages, shards).unwrap();
            Ok(())
        });
        arn
    }

    pub(crate) fn disable(&self) {
        let env = self.test.env.clone();
        self.test.write(move |tx| {
            let table = tx.table(&orders())?;
            disable_stream(&env, tx, &table).unwrap();
            Ok(())
        });
    }

    /// Puts an item, or removes it.
    pub(crate) fn write(&self, key: &str, item: Option<Item>) {
        let (env, key) = (self.test.env.clone(), Item::new().with("pk", key));
        self.test.write(move |tx| {
            let table = tx.table(&orders())?;
            let key = table.definition.key_schema.extract(&key).unwrap();
            let locked = lock_item(tx, &table, &key).unwrap();
            write_item(&env, tx, &table, locked, item.as_ref(), None).unwrap();
            Ok(())
        });
    }

    /// Puts an item with a number that is new each time, so that there is a record.
    pub(crate) fn put(&self, key: &str) {
        let n = i64::try_from(self.test.env.ids.next_id()).unwrap();
        self.write(key, Some(Item::new().with("pk", key).with("n", n)));
    }

    pub(crate) fn put_expiring(&self, key: &str, ttl: impl Into<AttributeValue>) {
        self.write(key, Some(Item::new().with("pk", key).with("ttl", ttl)));
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> =
            self.test.items().values().map(|item| key_of(&item.decode().unwrap())).collect();
        keys.sort();
        keys
    }

    pub(crate) fn records(&self) -> Vec<StreamRecord> {
        self.test.records()
    }

    pub(crate) fn shards(&self, arn: &StreamArn) -> Vec<ShardRow> {
        self.test.read(|tx| match tx.stream(arn)? {
            Some(stream) => tx.shards(stream.id),
            None => Ok(Vec::new()),
        })
    }

    pub(crate) fn has_stream(&self, arn: &StreamArn) -> bool {
        self.test.read(|tx| Ok::<_, StoreError>(tx.stream(arn)?.is_some()))
    }

    pub(crate) fn trim(&self) -> TrimReport {
        trim(&self.test.store, self.now(), RETENTION, &Throttle::default()).unwrap()
    }

    pub(crate) fn expire(&self) -> u64 {
        expire_items(&self.test.store, &self.test.env, &Throttle::default()).unwrap()
    }

    pub(crate) fn sweep(&self) -> SweepReport {
        sweep(&self.test.store, &self.test.env, &CleanupOptions::default(), &Throttle::default()).unwrap()
    }
}

pub(crate) fn orders() -> TableName {
    "orders".parse().unwrap()
}

pub(crate) fn key_of(item: &Item) -> String {
    match &item["pk"] {
        AttributeValue::S(key) => key.clone(),
        other => panic!("a key is text, not {other}"),
    }
}
