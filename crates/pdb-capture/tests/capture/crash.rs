//! After a crash at any point, a change is stored if and only if its stream record is.

use std::{fs, path::Path};

use pdb_model::StreamViewType;
use pdb_store::{Direction, Durability, KeyRange, Store, StoreError, StoreOptions};
use pdb_testkit::{TestDb, definition, string_key};
use proptest::prelude::*;

use crate::support::{any_write, replay, write_all};

/// Opens what a crash left behind, and checks that items, statistics and records agree; returns the records.
fn check(path: &Path) -> usize {
    let store = Store::open(&StoreOptions::file(path)).unwrap();
    let records = store
        .read(|tx| {
            let Ok(table) = tx.table(&"orders".parse().unwrap()) else { return Ok(Vec::new()) };
            let mut items = Vec::new();
            tx.scan(&table, None, &KeyRange::all(), Direction::Forward, &mut |row| {
                items.push(row.to_item());
                std::ops::ControlFlow::Continue(())
            })?;
            let statistics = tx.table_statistics(&table)?;
            assert_eq!(statistics.item_count, items.len() as u64);
            assert_eq!(statistics.size_bytes, items.iter().map(|item| item.size_bytes()).sum::<u64>());
            let mut records = Vec::new();
            for stream in tx.streams(None)? {
                for shard in tx.shards(stream.id)? {
                    tx.records(&stream, shard.number, 0, &mut |record| {
                        records.push(record.to_record(stream.view_type).unwrap());
                        std::ops::ControlFlow::Continue(())
                    })?;
                }
            }
            let mut replayed: Vec<_> =
                replay(StreamViewType::NewAndOldImages, &records).into_values().collect();
            let mut items: Vec<_> = items.into_iter().map(|item| item.into_json()).collect();
            replayed.sort();
            items.sort();
            assert_eq!(replayed, items);
            Ok::<_, StoreError>(records)
        })
        .unwrap();
    // It goes on from there: nothing already used is used again.
    let writes = [crate::support::Write { pk: 200, attributes: Some([].into()), by_service: false }];
    if store.read(|tx| tx.table(&"orders".parse().unwrap())).is_ok() {
        write_all(&store, &TestDb::new().env, &writes);
    }
    records.len()
}

fn database(directory: &Path) -> (Store, TestDb) {
    let db = TestDb::new();
    let store =
        Store::open(&StoreOptions::file(directory.join("live.db")).with_durability(Durability::Normal))
            .unwrap();
    let (definition, env) = (definition("orders", string_key("pk")), db.env.clone());
    store
        .write(move |tx| {
            let table = tx.create_table(&definition)?;
            let label = pdb_model::StreamLabel::at(env.clock.now());
            let arn = pdb_model::Account::default().stream_arn(table.name(), &label);
            pdb_capture::enable_stream(&env, tx, &table, &arn, StreamViewType::NewAndOldImages, 1)
        })
        .unwrap();
    (store, db)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: pdb_testkit::rounds(24), ..ProptestConfig::default() })]

    /// The process dies after an acknowledged write: the files are as the operating system has them.
    #[test]
    fn acknowledged_writes_survive_the_process(writes in prop::collection::vec(any_write(), 1..12)) {
        let directory = tempfile::tempdir().unwrap();
        let (store, db) = database(directory.path());
        for (i, write) in writes.iter().enumerate() {
            write_all(&store, &db.env, std::slice::from_ref(write));
            let copy = directory.path().join(format!("copy{i}.db"));
            fs::copy(directory.path().join("live.db"), &copy).unwrap();
            fs::copy(directory.path().join("live.db-wal"), copy.with_extension("db-wal")).unwrap();
            let mut expected = 0;
            store.read(|tx| {
                let stream = tx.streams(None)?.remove(0);
                tx.records(&stream, 1, 0, &mut |_| { expected += 1; std::ops::ControlFlow::Continue(()) })
            }).unwrap();
            prop_assert_eq!(check(&copy), expected);
        }
    }

    /// The power fails: the log is cut off somewhere, or ends in rubbish.
    #[test]
    fn a_truncated_log_keeps_a_consistent_prefix(
        writes in prop::collection::vec(any_write(), 1..12),
        cut in 0.0..1.0f64,
        rubbish in any::<bool>(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (store, db) = database(directory.path());
        write_all(&store, &db.env, &writes);
        let copy = directory.path().join("copy.db");
        fs::copy(directory.path().join("live.db"), &copy).unwrap();
        let mut log = fs::read(directory.path().join("live.db-wal")).unwrap();
        let at = (log.len() as f64 * cut) as usize;
        if rubbish {
            log[at..].iter_mut().for_each(|byte| *byte ^= 0x5a);
        } else {
            log.truncate(at);
        }
        fs::write(copy.with_extension("db-wal"), log).unwrap();
        check(&copy);
    }
}
