//! Emptying a table, and a whole database.

use std::sync::atomic::{AtomicBool, Ordering};

use pdb_model::{EpochMillis, StreamViewType};
use pdb_store::{ClearReport, TokenRow};
use pdb_testkit::{TestDb, definition, string_key};

use crate::orders::{NOW, key, orders, put};

fn clear(db: &TestDb) -> ClearReport {
    db.write(|tx| {
        let table = tx.table(&orders())?;
        tx.clear_table(&table)
    })
}

/// How many items there are; the statistics say the same.
fn count(db: &TestDb) -> u64 {
    let table = db.table();
    let kept = db.read(|tx| tx.table_statistics(&table)).item_count;
    assert_eq!(db.items().len() as u64, kept);
    kept
}

#[test]
fn a_table_is_emptied_with_its_past() {
    let db = TestDb::streaming(StreamViewType::NewImage);
    let token = TokenRow { fingerprint: vec![1], answer: String::new(), expires: NOW };
    db.write(move |tx| {
        put(tx, "a", "1")?;
        put(tx, "b", "2")?;
        tx.remember_token("token", EpochMillis(0), &token).map(drop)
    });
    let ids = db.env.ids.clone();
    db.write(move |tx| {
        let table = tx.table(&orders())?;
        let shard = table.stream.as_ref().unwrap().shards[0].number;
        tx.rotate_shard(&table, shard, &*ids, NOW).map(drop)
    });
    db.write(|tx| put(tx, "c", "3"));
    let before = db.records().pop().unwrap().sequence_number;
    assert_eq!(clear(&db), ClearReport { items: 3, records: 3 });
    assert_eq!((count(&db), db.records()), (0, vec![]));
    let stream = db.read(|tx| tx.streams(Some(&orders()))).pop().unwrap();
    let shards = db.read(|tx| tx.shards(stream.id));
    assert_eq!((shards.len(), shards[0].is_open(), shards[0].trimmed), (1, true, before.counter));
    assert_eq!(db.read(|tx| tx.token("token", EpochMillis(0))), None);
    // And it goes on above what was given out.
    db.write(|tx| put(tx, "a", "4"));
    assert_eq!(count(&db), 1);
    assert_eq!(db.records().pop().unwrap().sequence_number.counter, before.counter + 1);
    assert_eq!(clear(&db), ClearReport { items: 1, records: 1 });
    assert_eq!(clear(&db), ClearReport::default());
}

#[test]
fn disabled_streams_of_a_table_go_with_a_reset() {
    let db = TestDb::streaming(StreamViewType::NewImage);
    db.write(|tx| put(tx, "a", "1"));
    db.write(|tx| {
        let table = tx.table(&orders())?;
        tx.close_stream(&table, NOW)
    });
    assert_eq!(clear(&db), ClearReport { items: 1, records: 1 });
    assert!(db.read(|tx| tx.streams(None)).is_empty());
    assert_eq!(clear(&db), ClearReport::default());
}

#[test]
fn a_table_may_be_emptied_while_others_write() {
    let db = TestDb::streaming(StreamViewType::NewImage);
    let (store, done) = (&db.store, AtomicBool::new(false));
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let done = &done;
            scope.spawn(move || {
                for n in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    store.write(move |tx| put(tx, &format!("{writer}-{}", n % 5), "x")).unwrap();
                }
            });
        }
        for _ in 0..10 {
            clear(&db);
        }
        done.store(true, Ordering::Relaxed);
    });
    // The counts are right, and so are the records: each item that is there has one.
    let items = count(&db);
    let records = db.records();
    assert!(items <= records.len() as u64);
    for record in &records {
        let keys = record.keys.decode().unwrap();
        assert!(db.items().contains_key(key(keys["pk"].as_s().unwrap()).as_bytes()));
    }
    clear(&db);
    assert_eq!((count(&db), db.records()), (0, vec![]));
}

#[test]
fn a_reset_leaves_nothing() {
    let db = TestDb::streaming(StreamViewType::NewImage);
    let iterator_key = db.read(|tx| tx.iterator_key());
    db.create_table(&definition("others", string_key("pk")));
    db.enable_stream("others", StreamViewType::KeysOnly);
    db.write(|tx| put(tx, "a", "1"));
    db.write(|tx| {
        let table = tx.table(&orders())?;
        tx.keep_items(&table, "kept")?;
        tx.put_document("kind", "name", "value")?;
        tx.drop_table(&"others".parse().unwrap(), NOW)
    });
    for _ in 0..2 {
        db.store.reset().unwrap();
        assert_eq!(db.read(|tx| tx.table_names(None, 10)), []);
        assert!(db.read(|tx| tx.streams(None)).is_empty());
        assert_eq!(db.read(|tx| tx.document("kind", "name")), None);
    }
    assert_eq!(db.read(|tx| tx.iterator_key()), iterator_key);
    // Everything can be made again, the copy of items too.
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::NewImage);
    db.write(|tx| put(tx, "a", "2"));
    db.write(|tx| {
        let table = tx.table(&orders())?;
        tx.keep_items(&table, "kept")
    });
    assert_eq!((count(&db), db.records().len()), (1, 1));
}
