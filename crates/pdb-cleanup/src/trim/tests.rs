use super::*;
use crate::throttle::AfterStep;
use pdb_capture::{lock_item, write_item};
use pdb_model::{Env, Item, StreamViewType};
use pdb_store::StoreOptions;
use pdb_testkit::{Schema, TestDb, definition, string_key};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

/// What is there at the beginning.
const RECORDS: u64 = 20;

/// On both engines, whatever the tests run on.
fn on_each_engine(test: impl Fn(&TestDb)) {
    test(&streaming(TestDb::with_store(Store::open(&StoreOptions::memory()).unwrap())));
    let Some(schema) = Schema::new() else { return };
    let store = Store::open(&StoreOptions::postgres(schema.url()).with_writers(2).with_readers(2)).unwrap();
    test(&streaming(TestDb::with_store(store)));
}

fn streaming(db: TestDb) -> TestDb {
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::KeysOnly);
    db
}

fn put(store: &Store, env: &Env, n: u64) {
    let env = env.clone();
    let put = move |tx: &mut pdb_store::Tx<'_>| {
        let table = tx.table(&"orders".parse().unwrap())?;
        let item = Item::new().with("pk", n.to_string());
        let key = table.definition.key_schema.extract(&item).unwrap();
        let locked = lock_item(tx, &table, &key).unwrap();
        write_item(&env, tx, &table, locked, Some(&item), None).unwrap();
        Ok::<_, StoreError>(())
    };
    store.write(put).unwrap();
}

/// A throttle with a writer who is quicker: after each step it has put more than a step removes.
fn beside_a_quicker_writer(db: &TestDb, written: &Arc<AtomicU64>) -> Throttle {
    let (store, env, written, steps) = (db.store.clone(), db.env.clone(), written.clone(), AtomicU64::new(0));
    let mut throttle = Throttle::new(3);
    throttle.after_step = AfterStep(Some(Arc::new(move || {
        assert!(steps.fetch_add(1, Ordering::Relaxed) < 100, "it chases the writer");
        for _ in 0..5 {
            put(&store, &env, written.fetch_add(1, Ordering::Relaxed));
        }
    })));
    throttle
}

/// What is trimmed is what was there at the beginning, and what stays is what was written meanwhile.
fn check(db: &TestDb, trim: impl FnOnce(&Throttle) -> TrimReport) {
    (0..RECORDS).for_each(|n| put(&db.store, &db.env, n));
    let written = Arc::new(AtomicU64::new(RECORDS));
    let throttle = beside_a_quicker_writer(db, &written);
    assert_eq!(trim(&throttle), TrimReport { records: RECORDS, ..TrimReport::default() });
    let left = db.records();
    assert_eq!(left.len() as u64, written.load(Ordering::Relaxed) - RECORDS);
    assert!(left.len() >= 10, "others wrote meanwhile");
    let first = left.first().map(|record| record.keys.json().to_owned());
    assert_eq!(first.as_deref(), Some(&*format!("{{\"pk\":{{\"S\":\"{RECORDS}\"}}}}")));
}

fn arn(db: &TestDb) -> StreamArn {
    db.read(|tx| tx.streams(None)).remove(0).arn
}

#[test]
fn a_trim_of_everything_ends_while_others_write() {
    on_each_engine(|db| check(db, |throttle| trim_stream(&db.store, &arn(db), None, throttle).unwrap()));
}

#[test]
fn a_trim_up_to_a_number_that_is_to_come_ends_while_others_write() {
    on_each_engine(|db| {
        check(db, |throttle| {
            let shard = db.records()[0].sequence_number.shard;
            let before = SequenceNumber { counter: 1 << 39, shard };
            trim_stream(&db.store, &arn(db), Some(before), throttle).unwrap()
        });
    });
}

/// With a retention of no time at all, what is written while the clock stands is old at once.
#[test]
fn a_sweep_ends_while_others_write_what_it_would_remove() {
    on_each_engine(|db| {
        let now = db.env.clock.now();
        check(db, |throttle| trim(&db.store, now, Duration::ZERO, throttle).unwrap());
    });
}

/// On PostgreSQL a sweep leaves a stream alone that another transaction holds; a trim that somebody asked for does not.
#[test]
fn a_trim_waits_for_a_transaction_that_holds_the_stream() {
    on_each_engine(|db| {
        (0..RECORDS).for_each(|n| put(&db.store, &db.env, n));
        let stream = db.read(|tx| tx.streams(None)).remove(0).id;
        let (held, holds) = mpsc::channel();
        let store = db.store.clone();
        let holder = std::thread::spawn(move || {
            let hold = move |tx: &mut pdb_store::Tx<'_>| {
                tx.lock_stream(stream)?;
                // As a rotation or another process's sweep does, for longer than a trim takes to begin.
                let _ = held.send(());
                std::thread::park_timeout(Duration::from_secs(1));
                Ok::<_, StoreError>(())
            };
            store.write(hold).unwrap();
        });
        holds.recv().unwrap();
        let report = trim_stream(&db.store, &arn(db), None, &Throttle::default()).unwrap();
        assert_eq!(report.records, RECORDS);
        holder.join().unwrap();
    });
}
