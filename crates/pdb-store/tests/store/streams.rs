//! Streams, shards, numbers and records.

use std::{ops::ControlFlow, sync::Arc};

use pdb_model::{
    Account, EncodedItem, EpochMillis, EventName, Item, SequenceNumber, ShardId, StreamArn, StreamLabel,
    StreamStatus, StreamViewType, TableName, UserIdentity,
};
use pdb_store::{Durability, NewRecord, NewShard, ShardRow, StoreError, StreamRow, Table, Tx};
use pdb_testkit::{TestDb, definition, string_key};

fn orders() -> TableName {
    "orders".parse().unwrap()
}

fn append(tx: &mut Tx<'_>, token: u64, created: i64) -> Result<SequenceNumber, StoreError> {
    let table = tx.table(&orders())?;
    let keys = EncodedItem::from(&Item::new().with("pk", "a"));
    let image = EncodedItem::from(&Item::new().with("pk", "a").with("n", 1));
    let record = NewRecord {
        event_name: EventName::Modify,
        keys: &keys,
        old_image: Some(&keys),
        new_image: Some(&image),
        created: EpochMillis(created),
        user_identity: Some(&UserIdentity::time_to_live()),
        hash_key_value: "a",
        sort_key_value: None,
    };
    tx.append_record(&table, || token, &record)?;
    let stream = table.stream.as_ref().unwrap();
    let row = tx.stream(&stream.arn)?.unwrap();
    let shard = stream.shard_of(token).unwrap().number;
    Ok(SequenceNumber { counter: tx.last_counter(&row, shard)?.unwrap(), shard })
}

fn arn(label: i64) -> StreamArn {
    Account::default().stream_arn(&orders(), &StreamLabel::at(EpochMillis(label)))
}

fn stream(db: &TestDb) -> StreamRow {
    db.read(|tx| tx.streams(Some(&orders()))).pop().unwrap()
}

fn shards(db: &TestDb) -> Vec<ShardRow> {
    let stream = stream(db);
    db.read(|tx| tx.shards(stream.id))
}

fn counters(db: &TestDb, stream: &StreamRow, shard: u64, from: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    db.read(|tx| {
        tx.records(stream, shard, from, &mut |record| {
            assert_eq!(record.sequence_number.shard, shard);
            seen.push(record.sequence_number.counter);
            ControlFlow::Continue(())
        })
    });
    seen
}

fn on_disk() -> TestDb {
    let db = TestDb::on_disk(Durability::Off);
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::NewAndOldImages);
    db
}

/// Closes the only shard and continues it in `children` equal parts.
fn split(tx: &mut Tx<'_>, table: &Table, now: i64, children: u64) -> Result<Arc<Table>, StoreError> {
    let parent = table.stream.as_ref().unwrap().shards[0].clone();
    let mut table = tx.close_shard(table, parent.number, EpochMillis(now))?;
    for i in 0..children {
        let part = u64::MAX / children;
        let shard = NewShard {
            id: ShardId::at(EpochMillis(now), i as u32),
            parent: Some(parent.id.clone()),
            hash_from: i * part + u64::from(i > 0),
            hash_to: if i + 1 == children { u64::MAX } else { (i + 1) * part },
            opened: EpochMillis(now),
        };
        table = tx.create_shard(&table, &shard)?.0;
    }
    Ok(table)
}

#[test]
fn a_record_comes_back_as_it_was_written() {
    let db = on_disk();
    let number = db.write(|tx| append(tx, 7, 1_500));
    assert_eq!(number, SequenceNumber { counter: 2, shard: 1 });
    let records = db.records();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.sequence_number, number);
    assert_eq!(record.event_name, EventName::Modify);
    assert_eq!(record.created, EpochMillis(1_500));
    assert_eq!(record.keys, EncodedItem::from(&Item::new().with("pk", "a")));
    assert_eq!(record.old_image.as_ref(), Some(&record.keys));
    assert_eq!(record.new_image, Some(EncodedItem::from(&Item::new().with("pk", "a").with("n", 1))));
    assert_eq!(record.size_bytes, 3 + 3 + 6);
    assert_eq!(record.view_type, StreamViewType::NewAndOldImages);
    assert_eq!(record.user_identity, Some(UserIdentity::time_to_live()));
    assert_eq!(record.event_id.to_string().len(), 32);
}

#[test]
fn numbers_are_never_used_again() {
    let db = on_disk();
    let first = db.write(|tx| append(tx, 0, 0)).counter;
    assert_eq!(first, 2);
    let failed = db.store.write(|tx| {
        append(tx, 0, 0)?;
        Err::<(), _>(StoreError::Closed)
    });
    failed.unwrap_err();
    let second = db.write(|tx| append(tx, 0, 0)).counter;
    assert!(second > first);
    // Neither after all records are trimmed and the database is opened again.
    let row = stream(&db);
    db.write(move |tx| tx.trim_records(&row, 1, u64::MAX, 100));
    let db = db.reopen(Durability::Off);
    let third = db.write(|tx| append(tx, 0, 0)).counter;
    assert!(third > second);
    let db = db.reopen(Durability::Off);
    let fourth = db.write(|tx| append(tx, 0, 0)).counter;
    assert!(fourth > third);
    assert_eq!(counters(&db, &stream(&db), 1, 0), [third, fourth]);
    assert_eq!(counters(&db, &stream(&db), 1, fourth), [fourth]);
    assert!(counters(&db, &stream(&db), 1, u64::MAX).is_empty());
}

#[test]
fn children_continue_their_parents() {
    let db = on_disk();
    let before = db.write(|tx| append(tx, u64::MAX, 0));
    db.write(|tx| {
        let table = tx.table(&orders())?;
        split(tx, &table, 2_000_000_000_000, 2)?;
        // Also in the same transaction, with a table from before the split.
        append(tx, 0, 0)
    });
    let db = db.reopen(Durability::Off);
    let right = db.write(|tx| append(tx, u64::MAX, 0));
    let rows = shards(&db);
    let [parent, a, b] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((parent.number, parent.starting, parent.ending), (1, 1, Some(before.counter)));
    assert!(!parent.is_open() && a.is_open() && b.is_open());
    assert_eq!((a.hash_from, a.hash_to + 1, b.hash_to), (0, b.hash_from, u64::MAX));
    for child in [a, b] {
        assert_eq!(child.parent.as_ref(), Some(&parent.id));
        assert!(child.starting > before.counter && child.ending.is_none());
        let counters = counters(&db, &stream(&db), child.number, 0);
        assert_eq!(counters.len(), 1);
        assert!(counters[0] > child.starting);
    }
    assert_eq!(right.shard, b.number);
    assert_eq!(db.read(|tx| tx.shard(stream(&db).id, &b.id)).as_ref(), Some(b));
}

#[test]
fn an_idle_shard_ends_where_it_starts() {
    let db = on_disk();
    db.write(|tx| {
        let table = tx.table(&orders())?;
        let table = split(tx, &table, 2_000_000_000_000, 1)?;
        split(tx, &table, 2_000_000_000_001, 1)
    });
    let rows = shards(&db);
    assert_eq!(
        rows.iter().map(|row| (row.starting, row.ending)).collect::<Vec<_>>(),
        [(1, Some(1)), (2, Some(2)), (3, None)]
    );
}

#[test]
fn a_new_incarnation_never_mixes_with_the_old() {
    let db = on_disk();
    let old = stream(&db);
    db.write(|tx| append(tx, 0, 0));
    db.write(|tx| tx.drop_table(&orders(), EpochMillis(9)));
    assert_eq!(stream(&db).status(), StreamStatus::Disabled);
    let was = db.read(|tx| tx.stream(&old.arn)).unwrap();
    assert_eq!((was.disabled, was.key_schema), (Some(EpochMillis(9)), string_key("pk")));
    db.create_table(&definition("orders", string_key("pk")));
    db.write(|tx| {
        let table = tx.table(&orders())?;
        assert!(matches!(append(tx, 0, 0), Err(StoreError::StreamNotFound(_))));
        let (table, _) = tx.create_stream(&table, &arn(5), StreamViewType::KeysOnly, EpochMillis(5))?;
        let shard = NewShard {
            id: ShardId::at(EpochMillis(5), 1),
            parent: None,
            hash_from: 0,
            hash_to: u64::MAX,
            opened: EpochMillis(5),
        };
        tx.create_shard(&table, &shard)?;
        append(tx, 0, 0)
    });
    assert_eq!(counters(&db, &old, 1, 0), [2]);
    let streams = db.read(|tx| tx.streams(None));
    let new = streams.iter().find(|row| row.arn == arn(5)).unwrap();
    assert_eq!(counters(&db, new, 2, 0), [2]);
    let exists = db.store.write(|tx| {
        let table = tx.table(&orders())?;
        tx.create_stream(&table, &arn(6), StreamViewType::KeysOnly, EpochMillis(6))
    });
    assert!(matches!(exists, Err(StoreError::StreamExists(_))));
    // The old stream can go alone, the new one only once it is disabled.
    let (gone, open) = (old.clone(), new.clone());
    db.write(move |tx| tx.delete_stream(&gone));
    assert_eq!(counters(&db, new, 2, 0), [2]);
    assert!(db.store.write(move |tx| tx.delete_stream(&open)).is_err());
    let gone = new.clone();
    db.write(move |tx| {
        tx.drop_table(&orders(), EpochMillis(10))?;
        tx.delete_stream(&gone)
    });
    assert!(db.read(|tx| tx.streams(None)).is_empty());
    // The last stream took the table of records with it, and a new one makes it again.
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::KeysOnly);
    db.write(|tx| append(tx, 0, 0));
    assert_eq!(db.records().len(), 1);
}

#[test]
fn trimming_takes_a_prefix() {
    let db = on_disk();
    for created in [10, 20, 15, 40, 5] {
        db.write(move |tx| append(tx, 0, created));
    }
    let row = stream(&db);
    let old = |cut, limit| db.read(|tx| tx.last_created_before(&row, 1, EpochMillis(cut), limit));
    assert_eq!(old(10, 100), None);
    assert_eq!(old(30, 100), Some(4));
    assert_eq!(old(30, 2), Some(3));
    assert_eq!(old(100, 100), Some(6));
    let trim = |through, limit| {
        let row = row.clone();
        db.write(move |tx| tx.trim_records(&row, 1, through, limit))
    };
    assert_eq!(trim(4, 2), 2);
    assert_eq!((counters(&db, &row, 1, 0), shards(&db)[0].trimmed), (vec![4, 5, 6], 3));
    assert_eq!(trim(4, 2), 1);
    assert_eq!(trim(4, 2), 0);
    assert_eq!((counters(&db, &row, 1, 0), shards(&db)[0].trimmed), (vec![5, 6], 4));
    assert_eq!(db.read(|tx| tx.last_counter(&row, 1)), Some(6));
    assert_eq!(trim(u64::MAX, 100), 2);
    assert_eq!(db.read(|tx| tx.last_counter(&row, 1)), None);
    // The end of a shard whose records are all trimmed is still the last of them.
    db.write(|tx| {
        let table = tx.table(&orders())?;
        tx.close_stream(&table, EpochMillis(50))
    });
    let shard = &shards(&db)[0];
    assert_eq!((shard.ending, shard.closed), (Some(6), Some(EpochMillis(50))));
    let row = stream(&db);
    db.write(move |tx| tx.delete_shard(&row, 1));
    assert!(shards(&db).is_empty());
    assert!(!db.table().definition.stream.as_ref().unwrap().enabled);
}

#[test]
fn an_open_shard_cannot_be_removed() {
    let db = on_disk();
    let row = stream(&db);
    let removed = db.store.write(move |tx| tx.delete_shard(&row, 1));
    assert!(matches!(removed, Err(StoreError::ShardNotFound(_))));
}

#[test]
fn people_can_read_records_with_sql() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let store = pdb_store::Store::open(&pdb_store::StoreOptions::file(&path)).unwrap();
    let work = |tx: &mut Tx<'_>| {
        let table = tx.create_table(&definition("orders", string_key("pk")))?;
        let (table, _) = tx.create_stream(&table, &arn(5), StreamViewType::KeysOnly, EpochMillis(5))?;
        let (id, opened) = (ShardId::at(EpochMillis(5), 1), EpochMillis(5));
        let shard = NewShard { id, parent: None, hash_from: 0, hash_to: u64::MAX, opened };
        tx.create_shard(&table, &shard)?;
        append(tx, 0, 1_772_356_542_017)
    };
    store.write(work).unwrap();
    store.close();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT concat_ws('|', shard, event_type, event_timestamp, approximate_creation_time, \
               hash_key_value, sort_key_value, keys_json, size_bytes, user_identity, create_date, \
               length(event_id)) FROM pdb_stream_orders";
    let row: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(
        row,
        "1|MODIFY|1772356542|1772356542017|a|{\"pk\":{\"S\":\"a\"}}|12|\
         [\"dynamodb.amazonaws.com\",\"Service\"]|2026-03-01|32"
    );
}
