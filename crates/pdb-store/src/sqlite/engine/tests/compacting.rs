//! Space that comes back.

use super::*;
use crate::sqlite::engine::compact::CompactReport;

/// More than a page holds.
const BIG: usize = 40_000;

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

/// Writes 20 MB and deletes them again, but for a few items.
fn write_and_delete(store: &Store) {
    for round in 0..5 {
        store
            .write(move |tx| (0..100).try_for_each(|i| put(tx, &format!("{round}-{i}"), &"x".repeat(BIG))))
            .unwrap();
    }
    store
        .write(|tx| {
            let table = tx.table(&orders())?;
            for (round, i) in (0..5).flat_map(|round| (0..100).map(move |i| (round, i))) {
                if i > 0 {
                    let key = key(&format!("{round}-{i}"));
                    let old = tx.lock_item(&table, &key)?.map(|(row, _)| row).unwrap();
                    tx.delete_item(&table, &key, old)?;
                }
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

fn is_whole(store: &Store) {
    let small = |key: &str| get(store, key).map(|value| value.len());
    assert_eq!((small("0-0"), small("4-0"), small("4-1")), (Some(BIG), Some(BIG), None));
    store.write(|tx| put(tx, "later", "goes on")).unwrap();
    store.write(|tx| tx.create_table(&definition("others"))).unwrap();
    assert_eq!(get(store, "later").as_deref(), Some("goes on"));
    store
        .read(|tx| {
            assert_eq!(tx.table_names(None, 10)?.len(), 2);
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

#[test]
fn a_compacted_database_gives_its_space_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let on_disk = on_disk(directory.path());
    // Nobody but this test.
    on_disk.sqlite_engine().core.lock_writer().as_mut().unwrap().checkpoints = None;
    for store in [with_orders(&StoreOptions::memory()), on_disk] {
        write_and_delete(&store);
        // A reader that knows the schema of before.
        assert!(get(&store, "0-0").is_some());
        let CompactReport { bytes_before, bytes_after } = store.compact().unwrap();
        assert!(bytes_before > 20_000_000 && bytes_after < 1_000_000, "{bytes_before} to {bytes_after}");
        if store.file().is_some() {
            assert_eq!(size(&path), bytes_after);
        }
        is_whole(&store);
        store.close();
        assert!(matches!(store.compact(), Err(StoreError::Closed)));
    }
    let store = Store::open(&StoreOptions::file(&path)).unwrap();
    assert_eq!(get(&store, "later").as_deref(), Some("goes on"));
}

/// When nobody writes, a database is compacted if most of it is free and that takes no time.
#[test]
fn an_idle_database_that_is_mostly_free_is_compacted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let store = on_disk(directory.path());
    store.sqlite_engine().core.lock_writer().as_mut().unwrap().checkpoints = None;
    let connection = crate::sqlite::connection::open_checkpointer(&path, Durability::Off).unwrap();
    let core = &store.sqlite_engine().core;
    assert!(!core.compact_if_cheap(&connection).unwrap(), "there is nothing to gain");
    write_and_delete(&store);
    assert!(core.compact_if_cheap(&connection).unwrap());
    assert!(size(&path) < 1_000_000);
    assert!(!core.compact_if_cheap(&connection).unwrap(), "once is enough");
    is_whole(&store);
}
