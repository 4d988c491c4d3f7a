//! A database with streams, and short ways to write to it and to ask it.

use pdb_model::{
    Account, EncodedItem, Env, EventName, Item, KeyValue, PrimaryKey, SequenceNumber, ShardId, ShardIterator,
    StreamArn, StreamLabel, StreamViewType, TableName, UserIdentity,
};
use pdb_store::{NewRecord, NewShard, ShardRow, Store, StoreError, Tx};
use pdb_streams::*;
use pdb_testkit::{TestDb, definition, string_key};
use std::time::Duration;

pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);

pub(crate) struct Db {
    pub(crate) test: TestDb,
    pub(crate) streams: StreamManager,
}

impl Db {
    /// A database with the table `orders` and no stream.
    pub(crate) fn new() -> Self {
        Self::with(StreamOptions::default())
    }

    pub(crate) fn with(options: StreamOptions) -> Self {
        Self::of(TestDb::new(), options)
    }

    pub(crate) fn of(test: TestDb, options: StreamOptions) -> Self {
        test.create_table(&definition("orders", string_key("pk")));
        Self::around(test, options)
    }

    /// A database that has its table already.
    pub(crate) fn around(test: TestDb, options: StreamOptions) -> Self {
        let streams = StreamManager::new(test.store.clone(), test.env.clone(), options).unwrap();
        Self { test, streams }
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.test.clock.advance(duration);
    }

    /// Enables a stream with one shard on `orders`.
    pub(crate) fn enable(&self) -> StreamArn {
        self.enable_on("orders", 1)
    }

    /// Enables a stream with as many shards.
    pub(crate) fn enable_on(&self, table: &str, shards: u64) -> StreamArn {
        let (name, env): (TableName, _) = (table.parse().unwrap(), self.test.env.clone());
        self.test.write(move |tx| {
            let now = env.clock.now();
            let arn = Account::default().stream_arn(&name, &StreamLabel::at(now));
            let table = tx.table(&name)?;
            let (mut table, _) = tx.create_stream(&table, &arn, StreamViewType::NewAndOldImages, now)?;
            let width = u64::MAX / shards;
            for nth in 0..shards {
                let hash_to = if nth + 1 == shards { u64::MAX } else { (nth + 1) * width - 1 };
                let id = ShardId::at(now, env.ids.next_id() as u32);
                let shard = NewShard { id, parent: None, hash_from: nth * width, hash_to, opened: now };
                table = tx.create_shard(&table, &shard)?.0;
            }
            Ok(arn)
        })
    }

    pub(crate) fn disable(&self) {
        let env = self.test.env.clone();
        self.test.write(move |tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            tx.close_stream(&table, env.clock.now())
        });
    }

    /// Appends a record of `size` bytes, if it can be had, for an item; as capture does, rotates what is due before.
    pub(crate) fn append(&self, table: &str, key: &str, size: usize) -> SequenceNumber {
        let (name, env, key): (TableName, _, _) =
            (table.parse().unwrap(), self.test.env.clone(), key.to_owned());
        let (arn, shard) = self.test.write(move |tx| append(tx, &env, &name, &key, size));
        // On PostgreSQL a record gets its number at the end of the job, so it is looked at in a transaction of its own.
        self.test.read(|tx| {
            let row = tx.stream(&arn)?.unwrap();
            Ok(SequenceNumber { counter: tx.last_counter(&row, shard)?.unwrap(), shard })
        })
    }

    /// Appends a record to the stream of `orders` in a transaction that then fails.
    pub(crate) fn write_and_fail(&self, key: &str) {
        let (env, key) = (self.test.env.clone(), key.to_owned());
        let failed = self.store().write(move |tx| {
            append(tx, &env, &"orders".parse().unwrap(), &key, 0)?;
            Err::<(), _>(StoreError::TableNotFound("failed".parse().unwrap()))
        });
        assert!(matches!(failed, Err(StoreError::TableNotFound(_))));
    }

    pub(crate) fn write(&self, key: &str) -> SequenceNumber {
        self.append("orders", key, 0)
    }

    pub(crate) fn write_all(&self, keys: &[&str]) -> Vec<SequenceNumber> {
        keys.iter().map(|key| self.write(key)).collect()
    }

    /// Closes all open shards and continues each in one child, or in two.
    pub(crate) fn rotate(&self, split: bool) {
        let env = self.test.env.clone();
        self.test.write(move |tx| {
            let mut table = tx.table(&"orders".parse().unwrap())?;
            for shard in table.stream.clone().unwrap().shards {
                let now = env.clock.now();
                table = if split {
                    tx.split_shard(&table, shard.number, &*env.ids, now)?.0
                } else {
                    tx.rotate_shard(&table, shard.number, &*env.ids, now)?.0
                };
            }
            Ok(())
        });
    }

    /// Trims the shard's first records, up to and with this counter.
    pub(crate) fn trim(&self, stream_arn: &StreamArn, shard: u64, through: u64) {
        let arn = stream_arn.clone();
        self.test.write(move |tx| {
            let stream = tx.stream(&arn)?.unwrap();
            tx.trim_records(&stream, shard, through, u32::MAX)
        });
    }

    pub(crate) fn rows(&self, stream_arn: &StreamArn) -> Vec<ShardRow> {
        self.test.read(|tx| {
            let stream = tx.stream(stream_arn)?.unwrap();
            tx.shards(stream.id)
        })
    }

    pub(crate) fn describe(&self, stream_arn: &StreamArn) -> StreamDescription {
        self.streams.describe_stream(&DescribeStreamInput::new(stream_arn.clone())).unwrap()
    }

    /// The ids of all shards, of which there may be more than fit a page.
    pub(crate) fn shard_ids(&self, stream_arn: &StreamArn) -> Vec<ShardId> {
        let mut input = DescribeStreamInput::new(stream_arn.clone());
        let mut ids = Vec::new();
        loop {
            let page = self.streams.describe_stream(&input).unwrap();
            ids.extend(page.shards.into_iter().map(|shard| shard.shard_id));
            match page.last_evaluated_shard_id {
                Some(last) => input.exclusive_start_shard_id = Some(last),
                None => return ids,
            }
        }
    }

    /// An iterator into the shard.
    pub(crate) fn iterator(
        &self,
        stream_arn: &StreamArn,
        shard_id: &ShardId,
        shard_iterator_type: ShardIteratorType,
    ) -> Result<String, StreamsError> {
        let (stream_arn, shard_id) = (stream_arn.clone(), shard_id.clone());
        self.streams.get_shard_iterator(&GetShardIteratorInput { stream_arn, shard_id, shard_iterator_type })
    }

    /// What an iterator of this type shows: keys, or the error's text; `.` if another page may follow.
    pub(crate) fn show(&self, stream_arn: &StreamArn, shard_id: &ShardId, from: ShardIteratorType) -> String {
        match self.iterator(stream_arn, shard_id, from) {
            Ok(iterator) => self.show_page(&iterator, None),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) fn show_page(&self, iterator: &str, limit: Option<u32>) -> String {
        match self.streams.get_records(iterator, limit) {
            Ok(page) => {
                let mut shown: Vec<String> = page.records.iter().map(|record| key_of(&record.keys)).collect();
                if page.next_shard_iterator.is_some() {
                    shown.push(".".to_owned());
                }
                shown.join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    /// The database as another process would see it, with the same secret.
    pub(crate) fn store(&self) -> Store {
        self.test.store.clone()
    }
}

/// Appends a record for an item in a transaction. Returns the stream and the number of the shard.
fn append(
    tx: &mut Tx<'_>,
    env: &Env,
    table: &TableName,
    key: &str,
    size: usize,
) -> Result<(StreamArn, u64), StoreError> {
    let now = env.clock.now();
    let table = tx.table(table)?;
    let table = tx.rotate_due_shards(&table, &*env.ids, now)?;
    let keys = EncodedItem::from(&Item::from_json(&format!(r#"{{"pk":{{"S":"{key}"}}}}"#)).unwrap());
    let fill = "x".repeat(size.saturating_sub(2 * (2 + key.len()) + 1));
    let image = format!(r#"{{"pk":{{"S":"{key}"}},"f":{{"S":"{fill}"}}}}"#);
    let image = EncodedItem::from(&Item::from_json(&image).unwrap());
    let user_identity = (key == "expired").then(UserIdentity::time_to_live);
    let record = NewRecord {
        event_name: EventName::Insert,
        keys: &keys,
        old_image: None,
        new_image: Some(&image),
        created: now,
        user_identity: user_identity.as_ref(),
        hash_key_value: key,
        sort_key_value: None,
    };
    let token = PrimaryKey { hash: vec![KeyValue::S(key.to_owned())], range: Vec::new() }.shard_token();
    tx.append_record(&table, || token, &record)?;
    let stream = table.stream.as_ref().unwrap();
    Ok((stream.arn.clone(), stream.shard_of(token).unwrap().number))
}

pub(crate) fn key_of(keys: &EncodedItem) -> String {
    let item = keys.decode().unwrap();
    match &item.0["pk"] {
        pdb_model::AttributeValue::S(key) => key.clone(),
        other => panic!("a key is text, not {other}"),
    }
}

/// Takes an iterator's text apart, changes its position, and puts it together again, with the right secret.
pub(crate) fn changed(db: &Db, iterator: &str, change: impl FnOnce(&mut ShardIterator)) -> String {
    let key = db.test.read(|tx| tx.iterator_key());
    let mut decoded = ShardIterator::decode(iterator, &key).unwrap();
    change(&mut decoded);
    decoded.encode(&key)
}
