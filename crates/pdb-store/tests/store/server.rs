//! What only a database on a server has to get right: several stores on it at the same time.

use std::{ops::ControlFlow, sync::Barrier};

use pdb_model::{EncodedItem, EpochMillis, EventName, Item, KeyBytes, KeyValue, ScalarType, StreamViewType};
use pdb_store::{
    Direction, KeyRange, NewRecord, OpenError, Store, StoreError, StoreOptions, Table, TokenRow, Tx,
};
use pdb_testkit::{Schema, TestDb, definition, key_schema, string_key};

/// A schema, and stores on it as several processes would have them; none if no PostgreSQL is installed.
fn stores(count: usize) -> Option<(Vec<TestDb>, Schema)> {
    let schema = Schema::new()?;
    let open = |_| TestDb::with_store(open(&schema).unwrap());
    Some(((0..count).map(open).collect(), schema))
}

fn open(schema: &Schema) -> Result<Store, StoreError> {
    Store::open(&StoreOptions::postgres(schema.url()).with_writers(4).with_readers(4))
}

fn key(table: &Table, pk: &str) -> KeyBytes {
    table.definition.key_schema.extract(&Item::new().with("pk", pk)).unwrap().encode()
}

fn put(tx: &mut Tx<'_>, pk: &str, value: &str) -> Result<(), StoreError> {
    let table = tx.table(&"orders".parse().unwrap())?;
    let key = key(&table, pk);
    let old = tx.lock_item(&table, &key)?.map(|(row, _)| row);
    let item = EncodedItem::from(&Item::new().with("pk", pk).with("value", value));
    tx.put_item(&table, &key, old, &item, None)?;
    if table.stream.is_some() {
        let record = NewRecord {
            event_name: EventName::Modify,
            keys: &item,
            old_image: None,
            new_image: None,
            created: EpochMillis(0),
            user_identity: None,
            hash_key_value: "with a \0 in it",
            sort_key_value: None,
        };
        tx.append_record(&table, || 7, &record)?;
    }
    Ok(())
}

#[test]
fn many_may_open_a_fresh_database_at_once() {
    let Some((_, schema)) = stores(0) else { return };
    let all = Barrier::new(6);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                all.wait();
                open(&schema).unwrap();
            });
        }
    });
    assert_eq!(schema.sql("SELECT count(*), max(version) FROM pdb_schema"), "1|6");
    schema.sql("UPDATE pdb_schema SET version = 7");
    assert!(matches!(
        open(&schema),
        Err(StoreError::Open(OpenError::NewerServed { found: 7, known: 6, .. }))
    ));
}

#[test]
fn an_address_may_name_a_schema_that_is_not_there() {
    let Some((_, schema)) = stores(0) else { return };
    let name = format!("of its own {}", std::process::id());
    let (server, _) = schema.url().split_once("schema=").unwrap();
    let url = format!("{server}schema={}", name.replace(' ', "%20"));
    let store = Store::open(&StoreOptions::postgres(url)).unwrap();
    assert!(store.is_remote());
    let sql = format!("SELECT count(*) FROM information_schema.tables WHERE table_schema = '{name}'");
    assert_ne!(schema.sql(&sql), "0");
    store.close();
    schema.sql(&format!("DROP SCHEMA \"{name}\" CASCADE"));
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let error = Store::open(&StoreOptions::postgres("postgres://me:secret@127.0.0.1:1/db")).unwrap_err();
    let StoreError::Open(OpenError::Unreachable { address, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(address, "postgres://127.0.0.1:1/db");
    assert!(!format!("{error:?}{error}").contains("secret"));
    assert!(!format!("{:?}", StoreOptions::postgres("postgres://me:secret@h/db")).contains("secret"));
}

#[test]
fn a_definition_is_seen_by_all_at_once() {
    let Some((dbs, _schema)) = stores(2) else { return };
    let [one, two] = &dbs[..] else { unreachable!() };
    for round in 0..20 {
        one.create_table(&definition("orders", string_key("pk")));
        two.write(|tx| put(tx, "a", "1"));
        two.enable_stream("orders", StreamViewType::KeysOnly);
        one.write(|tx| put(tx, "a", "2"));
        assert_eq!(two.records().last().map(|record| record.created), Some(EpochMillis(0)));
        assert!(one.table().stream.is_some());
        two.write(move |tx| tx.drop_table(&"orders".parse().unwrap(), EpochMillis(round)));
        let gone = one.store.write(|tx| put(tx, "a", "3"));
        assert!(matches!(gone, Err(StoreError::TableNotFound(_))), "{gone:?}");
        one.clock.advance(std::time::Duration::from_millis(1));
        two.clock.advance(std::time::Duration::from_millis(1));
    }
}

/// Writers that have looked at a table before it changed must not finish after it has.
#[test]
fn nobody_writes_by_an_old_definition() {
    let Some((dbs, _schema)) = stores(3) else { return };
    let [one, two, three] = &dbs[..] else { unreachable!() };
    one.create_table(&definition("orders", string_key("pk")));
    one.enable_stream("orders", StreamViewType::KeysOnly);
    std::thread::scope(|scope| {
        let writers: Vec<_> = [(two, 0), (three, 1), (two, 2), (three, 3)]
            .into_iter()
            .map(|(db, writer)| {
                scope.spawn(move || {
                    for n in 0..60 {
                        db.write(move |tx| put(tx, &format!("{writer}-{}", n % 7), &n.to_string()));
                    }
                })
            })
            .collect();
        let mut round = 0;
        while writers.iter().any(|writer| !writer.is_finished()) {
            round += 1;
            one.clock.advance(std::time::Duration::from_millis(5));
            let env = one.env.clone();
            one.write(move |tx| {
                let table = tx.table(&"orders".parse().unwrap())?;
                let number = table.stream.as_ref().unwrap().shards[0].number;
                tx.rotate_shard(&table, number, &*env.ids, env.clock.now())
            });
        }
        assert!(round > 0);
    });
    // Every write has its record, and each shard's numbers are without a gap from the one after its beginning on.
    let records = one.records();
    assert_eq!(records.len(), 240);
    let mut last = std::collections::BTreeMap::new();
    let shards = one.read(|tx| {
        let stream = tx.streams(None)?.remove(0);
        tx.shards(stream.id)
    });
    for record in &records {
        let shard = shards.iter().find(|shard| shard.number == record.sequence_number.shard).unwrap();
        let before = last.insert(shard.number, record.sequence_number.counter).unwrap_or(shard.starting);
        assert_eq!(record.sequence_number.counter, before + 1);
    }
    for shard in shards.iter().filter(|shard| !shard.is_open()) {
        assert_eq!(shard.ending, Some(last.get(&shard.number).copied().unwrap_or(shard.starting)));
    }
}

/// As above, with the writer held between its look at the table and its end, while another process changes the table.
#[test]
fn a_writer_whose_table_changes_meanwhile_begins_again() {
    let Some((dbs, _schema)) = stores(2) else { return };
    let [one, two] = &dbs[..] else { unreachable!() };
    one.create_table(&definition("orders", string_key("pk")));
    let write_while = |change: &dyn Fn()| {
        let (looked, has_looked) = crossbeam_channel::bounded(2);
        let (changed, has_changed) = crossbeam_channel::bounded::<()>(2);
        let pending = two.store.submit(move |tx| {
            put(tx, "a", "1")?;
            looked.send(()).unwrap();
            // The second run finds that nobody will send any more.
            let _ = has_changed.recv();
            Ok::<_, StoreError>(())
        });
        has_looked.recv().unwrap();
        change();
        changed.send(()).unwrap();
        drop(changed);
        pending.wait().unwrap();
        assert_eq!(has_looked.iter().count(), 1, "it has to run once more, and no more than that");
    };
    // It looked when there was no stream: without the second run the item would have no record.
    write_while(&|| drop(one.enable_stream("orders", StreamViewType::KeysOnly)));
    assert_eq!(one.records().len(), 1);
    // It looked when the shard was open: without the second run a closed shard would grow.
    write_while(&|| {
        let env = one.env.clone();
        one.clock.advance(std::time::Duration::from_millis(5));
        one.write(move |tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            let number = table.stream.as_ref().unwrap().shards[0].number;
            tx.rotate_shard(&table, number, &*env.ids, env.clock.now())
        });
    });
    let shards: Vec<_> = one.records().iter().map(|record| record.sequence_number.shard).collect();
    assert_eq!(shards, [shards[0], shards[0] + 1]);
}

/// A writer reads anew what changed of the catalog, statement by statement, while it changes again.
#[test]
fn a_catalog_that_changes_while_it_is_read_is_read_again() {
    let Some((dbs, schema)) = stores(2) else { return };
    let [one, two] = &dbs[..] else { unreachable!() };
    one.create_table(&definition("orders", string_key("pk")));
    two.write(|tx| put(tx, "a", "1"));
    one.create_table(&definition("others", string_key("pk")));
    let locked = "SELECT count(*) FROM pg_locks WHERE relation = 'pdb_shard'::regclass AND mode = 'AccessExclusiveLock'";
    std::thread::scope(|scope| {
        // What changing a table does, between the statement that reads the rows of counts and the one that reads the tables.
        let changer = scope.spawn(|| {
            schema.sql(
                "BEGIN; LOCK TABLE pdb_shard IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1);
                 UPDATE pdb_catalog SET version = version + 1;
                 UPDATE pdb_statistic SET version = pdb_catalog.version FROM pdb_catalog
                  WHERE table_id = (SELECT id FROM pdb_metadata WHERE table_name = 'orders');
                 UPDATE pdb_metadata SET version = pdb_catalog.version FROM pdb_catalog WHERE table_name = 'orders';
                 COMMIT",
            )
        });
        while schema.sql(locked) != "1" {
            assert!(!changer.is_finished(), "the lock was never seen");
        }
        two.write(|tx| put(tx, "a", "2"));
        changer.join().unwrap();
    });
    assert_eq!(two.items().len(), 1);
}

#[test]
fn counts_are_exact_whoever_writes() {
    let Some((dbs, schema)) = stores(2) else { return };
    dbs[0].create_table(&definition("orders", string_key("pk")));
    std::thread::scope(|scope| {
        for writer in 0..6_usize {
            let db = &dbs[writer % 2];
            scope.spawn(move || {
                for n in 0..40_usize {
                    let pk = ((writer * 31 + n * 7) % 13).to_string();
                    if n % 4 == 3 {
                        db.write(move |tx| {
                            let table = tx.table(&"orders".parse().unwrap())?;
                            let key = key(&table, &pk);
                            match tx.lock_item(&table, &key)? {
                                Some((row, _)) => tx.delete_item(&table, &key, row),
                                None => Ok(()),
                            }
                        });
                    } else {
                        db.write(move |tx| put(tx, &pk, &"x".repeat(n)));
                    }
                }
            });
        }
    });
    for db in &dbs {
        let items = db.items();
        let statistics = db.read(|tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            tx.table_statistics(&table)
        });
        let size: u64 = items.values().map(EncodedItem::size_bytes).sum();
        assert_eq!((statistics.item_count, statistics.size_bytes), (items.len() as u64, size));
    }
    assert_eq!(schema.sql("SELECT count(*) FROM pdb_statistic"), "16");
}

/// Two transactions of which each makes what the other relied upon not to be there.
#[test]
fn absence_can_be_relied_upon() {
    let Some((dbs, _schema)) = stores(2) else { return };
    dbs[0].create_table(&definition("orders", string_key("pk")));
    for round in 0..15 {
        let both = Barrier::new(2);
        std::thread::scope(|scope| {
            for (db, mine, other) in [(&dbs[0], "a", "b"), (&dbs[1], "b", "a")] {
                let both = &both;
                scope.spawn(move || {
                    both.wait();
                    db.write(move |tx| {
                        let table = tx.table(&"orders".parse().unwrap())?;
                        let guarded = key(&table, &format!("{other}{round}"));
                        if tx.lock_item(&table, &guarded)?.is_none() {
                            tx.lock_absence(&table, &guarded)?;
                            put(tx, &format!("{mine}{round}"), "")?;
                        }
                        Ok(())
                    });
                });
            }
        });
        assert_eq!(dbs[0].items().len(), round + 1, "one of the two, not both");
    }
}

#[test]
fn a_token_is_good_for_one() {
    let Some((dbs, _schema)) = stores(2) else { return };
    let row = |answer: &str| TokenRow {
        fingerprint: vec![1],
        answer: answer.to_owned(),
        expires: EpochMillis(100),
    };
    for round in 0..10 {
        let token = format!("t{round}");
        let both = Barrier::new(2);
        let firsts: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = dbs
                .iter()
                .map(|db| {
                    let (both, token) = (&both, token.clone());
                    scope.spawn(move || {
                        both.wait();
                        db.write(move |tx| {
                            if tx.token(&token, EpochMillis(1))?.is_some() {
                                return Ok(false);
                            }
                            tx.remember_token(&token, EpochMillis(1), &row("first"))?;
                            Ok(true)
                        })
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(firsts.iter().filter(|first| **first).count(), 1);
    }
}

/// Keys longer than any index of PostgreSQL takes, that differ in their last bytes or in their lengths only.
#[test]
fn the_longest_keys_are_found_and_ordered() {
    let Some((dbs, _schema)) = stores(1) else { return };
    let db = &dbs[0];
    let schema = key_schema(("pk", ScalarType::B), Some(("sk", ScalarType::B)));
    let table = db.create_table(&definition("orders", schema));
    let item =
        |sort: Vec<u8>| Item::new().with("pk", KeyValue::B(vec![0; 2048])).with("sk", KeyValue::B(sort));
    let mut sorts: Vec<Vec<u8>> = (0..40_u8).map(|n| [vec![0; 1020], vec![n]].concat()).collect();
    sorts.extend((1..40).map(|length| vec![0; length * 25]));
    let keys: Vec<(KeyBytes, Item)> = sorts
        .into_iter()
        .map(|sort| (table.definition.key_schema.extract(&item(sort.clone())).unwrap().encode(), item(sort)))
        .collect();
    assert!(keys.iter().any(|(key, _)| key.as_bytes().len() > 6000));
    let written = keys.clone();
    db.write(move |tx| {
        let table = tx.table(&"orders".parse().unwrap())?;
        for (key, item) in &written {
            assert!(tx.lock_item(&table, key)?.is_none());
            tx.put_item(&table, key, None, &EncodedItem::from(item), None)?;
        }
        Ok(())
    });
    let mut sorted: Vec<&[u8]> = keys.iter().map(|(key, _)| key.as_bytes()).collect();
    sorted.sort_unstable();
    db.read(|tx| {
        let table = tx.table(&"orders".parse().unwrap())?;
        for (key, item) in &keys {
            assert_eq!(tx.get_item(&table, key)?, Some(EncodedItem::from(item)));
        }
        let mut scan = |range: &KeyRange, direction| {
            let mut seen = Vec::new();
            tx.scan(&table, None, range, direction, &mut |row| {
                seen.push(row.key.to_vec());
                ControlFlow::Continue(())
            })
            .map(|()| seen)
        };
        assert_eq!(scan(&KeyRange::all(), Direction::Forward)?, sorted);
        let backwards: Vec<&[u8]> = sorted.iter().rev().copied().collect();
        assert_eq!(scan(&KeyRange::all(), Direction::Backward)?, backwards);
        for (from, to) in [(0, 30), (10, 11), (39, 70), (5, 5)] {
            let range = KeyRange {
                lower: std::ops::Bound::Excluded(sorted[from].to_vec()),
                upper: std::ops::Bound::Included(sorted[to].to_vec()),
            };
            assert_eq!(scan(&range, Direction::Forward)?, sorted[from + 1..=to.max(from)], "{from} {to}");
        }
        Ok(())
    });
}

/// The driver waits, and a thread that runs asynchronous tasks must not: there the store makes do, or says so.
#[test]
fn asynchronous_code_is_served_or_told_why_not() {
    let Some((dbs, schema)) = stores(1) else { return };
    let store = dbs[0].store.clone();
    let several = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (read, opened) = (store.clone(), open(&schema));
    let done = several.spawn(async move {
        read.write(|tx| tx.create_table(&definition("orders", string_key("pk")))).unwrap();
        // Also the last clone may go here, with its connections.
        drop(opened.unwrap());
        read.read(|tx| tx.table_names(None, 10)).unwrap()
    });
    assert_eq!(several.block_on(done).unwrap().len(), 1);

    let one = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let read = store.clone();
    let refused = one.block_on(async move { read.read(|tx| tx.table_names(None, 10)) });
    assert!(
        matches!(&refused, Err(StoreError::Database { source, .. }) if source.to_string().contains("spawn_blocking"))
    );
    let read = one.block_on(async {
        tokio::task::spawn_blocking(move || store.read(|tx| tx.table_names(None, 10))).await
    });
    assert_eq!(read.unwrap().unwrap().len(), 1);
}
