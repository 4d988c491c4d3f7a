//! Closing a database whose writer is busy with a statement that does not end.

use std::sync::mpsc;

use super::*;

/// Never ends, unless it is interrupted.
fn hang(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    put(tx, "a", "never")?;
    tx.driver
        .first(
            "hang",
            "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
            &[],
            |_| Ok(()),
        )
        .map(drop)
}

fn stores(directory: &Path) -> [Store; 2] {
    [with_orders(&StoreOptions::memory()), on_disk(directory)]
}

/// Begins a write that hangs, on a thread of its own, and returns once it does.
fn begin_to_hang(store: &Store) -> JoinHandle<Result<(), StoreError>> {
    let (hangs, begun) = mpsc::channel();
    let store = store.clone();
    let thread = std::thread::spawn(move || {
        store.write(move |tx| {
            let _ = hangs.send(());
            hang(tx)
        })
    });
    begun.recv().unwrap();
    thread
}

#[test]
fn closing_interrupts_a_write_that_hangs() {
    let directory = tempfile::tempdir().unwrap();
    for store in stores(directory.path()) {
        let hanging = begin_to_hang(&store);
        // They wait behind it: each in turn hangs, too, or is what a well-behaved caller still wanted to write.
        let waiting = [store.submit(hang), store.submit(|tx| put(tx, "b", "kept"))];
        store.close();
        assert!(matches!(hanging.join().unwrap(), Err(StoreError::Database { .. })));
        let [hanging, kept] = waiting;
        assert!(matches!(hanging.wait(), Err(StoreError::Database { .. } | StoreError::Closed)));
        drop(kept.wait());
    }
    // Of what was interrupted nothing is kept.
    let store = Store::open(&StoreOptions::file(directory.path().join("test.db"))).unwrap();
    assert_eq!(get(&store, "a"), None);
}

/// Who closes may first have to wait for others that wait for the writer: so it is hurried before it is closed.
#[test]
fn a_writer_is_hurried_while_others_are_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    for store in stores(directory.path()) {
        let hanging = begin_to_hang(&store);
        let sweeper = {
            let store = store.clone();
            std::thread::spawn(move || store.write(|tx| put(tx, "b", "swept")))
        };
        {
            let _interruption = store.interrupt_after(Duration::from_millis(1)).unwrap();
            hanging.join().unwrap().unwrap_err();
            // It may have run in the moment of an interruption.
            drop(sweeper.join().unwrap());
        }
        // And from here on nothing is interrupted.
        for _ in 0..20 {
            store.write(|tx| put(tx, "b", "again")).unwrap();
        }
        assert_eq!((get(&store, "a"), get(&store, "b").as_deref()), (None, Some("again")));
    }
}

/// After a restore in memory the writer has another connection.
#[test]
fn the_writer_of_a_restored_database_is_interrupted_too() {
    let store = with_orders(&StoreOptions::memory());
    store.replace(store.copy(EpochMillis(0)).unwrap()).unwrap();
    let hanging = begin_to_hang(&store);
    store.close();
    hanging.join().unwrap().unwrap_err();
}
