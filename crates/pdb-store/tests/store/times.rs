//! Records by their creation times: in shards of this version, and in those of earlier ones.

use pdb_model::{EncodedItem, EpochMillis, EventName, Item, StreamViewType};
use pdb_store::{NewRecord, Store, StoreError, StoreOptions, Tx};
#[cfg(feature = "postgres")]
use pdb_testkit::Schema;
use pdb_testkit::{TestDb, definition, string_key};

/// Times that go back by a lot and by a little.
const TIMES: [i64; 8] = [50_000, 60_000, 30_000, 29_500, 41_000, 61_000, 10_000, 10_000];

fn append(tx: &mut Tx<'_>, created: i64) -> Result<(), StoreError> {
    let table = tx.table(&"orders".parse().unwrap())?;
    let keys = EncodedItem::from(&Item::new().with("pk", "a"));
    let record = NewRecord {
        event_name: EventName::Remove,
        keys: &keys,
        old_image: None,
        new_image: None,
        created: EpochMillis(created),
        user_identity: None,
        hash_key_value: "a",
        sort_key_value: None,
    };
    tx.append_record(&table, || 7, &record)
}

fn fill(db: &TestDb, times: &'static [i64]) {
    for time in times {
        db.write(move |tx| append(tx, *time));
    }
}

fn prepare(db: &TestDb) {
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::KeysOnly);
}

/// Compares what is found at every time that makes a difference with a simple search.
fn check(db: &TestDb, expected: &[i64]) {
    let records = db.records();
    let created: Vec<i64> = records.iter().map(|record| record.created.0).collect();
    assert_eq!(created, expected);
    let times = created.iter().flat_map(|time| [time - 1, *time, time + 1]).chain([i64::MIN, 0, i64::MAX]);
    for time in times {
        let first = records.iter().find(|record| record.created.0 >= time);
        let found = db.read(|tx| {
            let stream = tx.streams(None)?.remove(0);
            let shard = tx.shards(stream.id)?.remove(0);
            tx.first_created_since(&stream, &shard, EpochMillis(time))
        });
        assert_eq!(found, first.map(|record| record.sequence_number.counter), "{time}");
    }
}

#[test]
fn times_step_back_where_the_shard_says_so() {
    let db = TestDb::new();
    prepare(&db);
    check(&db, &[]);
    fill(&db, &TIMES);
    // What is less than a second behind is evened out.
    check(&db, &[50_000, 60_000, 30_000, 30_000, 41_000, 61_000, 10_000, 10_000]);
}

/// One transaction has one time, but a shard that is ahead of it goes its own way.
#[test]
fn several_records_of_a_transaction_keep_their_order() {
    let db = TestDb::new();
    prepare(&db);
    fill(&db, &[10_000]);
    for (time, expected) in [
        (9_500, [10_000, 10_000, 10_000].as_slice()),
        (8_000, &[10_000, 10_000, 10_000, 8_000, 8_000]),
        (8_001, &[10_000, 10_000, 10_000, 8_000, 8_000, 8_001, 8_001]),
    ] {
        db.write(move |tx| append(tx, time).and_then(|()| append(tx, time)));
        check(&db, expected);
    }
}

/// Makes records as an earlier version did, as far as their times go, and checks them with those that follow.
fn check_older(db: TestDb, age: impl FnOnce(Store) -> Store) {
    prepare(&db);
    // Steps of more than a second are kept; those below are made of them.
    fill(&db, &[50_000, 60_000, 30_000, 20_000, 41_000, 39_000]);
    let db = TestDb::with_store(age(db.store.clone()));
    check(&db, &[50_000, 60_000, 30_000, 20_000, 41_000, 39_000]);
    fill(&db, &[39_500, 20_000, 39_600]);
    check(&db, &[50_000, 60_000, 30_000, 20_000, 41_000, 39_000, 39_500, 20_000, 39_600]);
}

#[test]
fn a_shard_of_an_older_version_is_searched_record_by_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let open = || Store::open(&StoreOptions::file(&path)).unwrap();
    check_older(TestDb::with_store(open()), |store| {
        store.close();
        let connection = rusqlite::Connection::open(&path).unwrap();
        let back_to_3 = "ALTER TABLE pdb_shard DROP COLUMN time_steps; ALTER TABLE pdb_shard DROP COLUMN newest_record_at;
             DROP TABLE pdb_history; PRAGMA user_version = 3;";
        connection.execute_batch(back_to_3).unwrap();
        drop(connection);
        open()
    });
}

#[cfg(feature = "postgres")]
#[test]
fn a_shard_of_an_older_version_on_a_server_is_too() {
    let Some(schema) = Schema::new() else { return };
    let open = || Store::open(&StoreOptions::postgres(schema.url())).unwrap();
    check_older(TestDb::with_store(open()), |store| {
        store.close();
        schema.sql("ALTER TABLE pdb_shard DROP COLUMN time_steps, DROP COLUMN newest_record_at");
        schema.sql("DROP TABLE pdb_history");
        schema.sql("UPDATE pdb_schema SET version = 3");
        open()
    });
}

#[cfg(feature = "postgres")]
#[test]
fn times_step_back_on_a_server_too() {
    let Some(schema) = Schema::new() else { return };
    let db = TestDb::with_store(Store::open(&StoreOptions::postgres(schema.url())).unwrap());
    prepare(&db);
    fill(&db, &TIMES);
    check(&db, &[50_000, 60_000, 30_000, 30_000, 41_000, 61_000, 10_000, 10_000]);
    // The rows that were evened out are whole.
    let dates = "SELECT count(*) FROM pdb_stream_orders WHERE event_timestamp * 1000 <= approximate_creation_time \
                 AND event_id LIKE '%' || lpad(to_hex(sequence_number), 16, '0')";
    assert_eq!(schema.sql(dates), "8");
}

/// Transactions that run at the same time draw numbers in another order than they looked at the clock.
#[cfg(feature = "postgres")]
#[test]
fn writers_of_a_server_even_out_their_times() {
    let Some(schema) = Schema::new() else { return };
    let open = || Store::open(&StoreOptions::postgres(schema.url())).unwrap();
    let db = TestDb::with_store(open());
    prepare(&db);
    let stores = [db.store.clone(), open()];
    std::thread::scope(|scope| {
        for thread in 0..4i64 {
            let store = &stores[thread as usize % 2];
            scope.spawn(move || {
                for nth in 0..40 {
                    // Up to 0.9 seconds apart.
                    let created = 100_000 + nth * 10 + thread * 300;
                    store.write(move |tx| append(tx, created)).unwrap();
                }
            });
        }
    });
    let created: Vec<i64> = db.records().iter().map(|record| record.created.0).collect();
    assert_eq!(created.len(), 160);
    check(&db, &created);
    let steps = schema.sql("SELECT time_steps FROM pdb_shard");
    let falls = created.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert_eq!(falls, steps.matches(',').count(), "{created:?}");
}
