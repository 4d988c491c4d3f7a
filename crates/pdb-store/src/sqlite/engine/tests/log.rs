//! Copying the log back.

use std::cell::Cell;

use super::*;

/// Half a megabyte in items, of as many pages.
fn fill(store: &Store, round: u32) {
    let work = move |tx: &mut Tx<'_>| {
        (0..10).try_for_each(|i| put(tx, &format!("{i}"), &format!("{round}").repeat(50_000)))
    };
    store.write(work).unwrap();
}

/// Does something before the writer stands still, and notes what it is told.
struct NotingHost<'a> {
    store: &'a Store,
    meanwhile: &'a dyn Fn(),
    is_held_back: Cell<bool>,
    syncs: Cell<u32>,
}

impl CheckpointHost for NotingHost<'_> {
    fn sync(&self) -> Result<(), StoreError> {
        self.syncs.set(self.syncs.get() + 1);
        Ok(())
    }

    fn failed(&self, error: &StoreError) {
        panic!("{error}")
    }

    fn has_failed(&self) -> bool {
        false
    }

    fn hold_back(&self, is_held_back: bool) {
        self.is_held_back.set(is_held_back);
    }

    fn stand_still(&self, work: &mut dyn FnMut()) {
        assert!(!self.is_held_back.get(), "it stands still instead");
        (self.meanwhile)();
        let _standing_still = self.store.sqlite_engine().core.lock_writer();
        work();
    }

    fn copied(&self, _: std::time::Duration) {}

    fn is_idle(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn look(&self) -> bool {
        true
    }
}

#[test]
fn the_log_is_copied_back_beside_the_writer() {
    let directory = tempfile::tempdir().unwrap();
    let store = on_disk(directory.path());
    // Nobody but this test.
    store.sqlite_engine().core.lock_writer().as_mut().unwrap().checkpoints = None;
    let path = directory.path().join("test.db");
    let connection = crate::sqlite::connection::open_checkpointer(&path, Durability::Off).unwrap();
    let behind = || checkpoint::pages_behind(Driver::new(&connection)).unwrap();
    let ask = |meanwhile: &dyn Fn()| {
        let (asker, requests) = checkpoint::channel();
        asker.is_behind(0);
        drop(asker);
        let host =
            NotingHost { store: &store, meanwhile, is_held_back: Cell::new(false), syncs: Cell::new(0) };
        checkpoint::serve(&connection, &requests, &host);
        assert!(!host.is_held_back.get());
        // Nothing was left before it stood still, so SQLite had synced the file.
        assert_eq!(host.syncs.get(), 0);
    };
    fill(&store, 0);
    assert!(behind() > 0);
    ask(&|| panic!("so little is not worth it"));
    let fill_the_log = || {
        let mut round = 0;
        while !checkpoint::is_worthwhile(behind()) {
            round += 1;
            fill(&store, round);
        }
    };
    fill_the_log();
    // What a reader still needs stays in the log.
    store
        .read(|tx| {
            let table = tx.table(&orders())?;
            let before = tx.get_item(&table, &key("1"))?;
            fill(&store, 7);
            ask(&|| panic!("there is a reader"));
            assert_eq!(tx.get_item(&table, &key("1"))?, before);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    fill_the_log();
    // What is written while most is copied is copied with the rest.
    ask(&|| fill(&store, 8));
    assert_eq!(behind(), 0);
    fill(&store, 9);
    assert!(behind() < 1000);
    assert_eq!(get(&store, "1"), Some("9".repeat(50_000)));
}

#[test]
fn a_busy_writer_has_its_log_copied_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = on_disk(directory.path());
    let (asker, requests) = checkpoint::channel();
    // The first pages wake the thread up, which looks.
    asker.is_behind(1);
    assert!(requests.is_asked());
    asker.is_behind(1);
    assert!(!requests.is_asked());
    store.sqlite_engine().core.lock_writer().as_mut().unwrap().checkpoints = Some(asker);
    let mut rounds = 0;
    while !requests.is_asked() {
        rounds += 1;
        assert!(rounds < 500, "nobody asked");
        fill(&store, rounds);
    }
}

#[test]
fn the_log_is_emptied_when_nobody_writes() {
    let directory = tempfile::tempdir().unwrap();
    let store = on_disk(directory.path());
    let log = || std::fs::metadata(directory.path().join("test.db-wal")).unwrap().len();
    let is_emptied = || {
        let until = Instant::now() + Duration::from_secs(20);
        while log() > 0 && Instant::now() < until {
            let _ = crossbeam_channel::after(Duration::from_millis(20)).recv();
        }
        log() == 0
    };
    for round in 1..=2 {
        // So many that the writer looks at the log; and never the same again, which SQLite does not write.
        (0..70).for_each(|n| fill(&store, 100 + n));
        fill(&store, round);
        assert!(log() > 0);
        // Not while somebody reads an older state.
        let before = store.read(|tx| {
            let table = tx.table(&orders())?;
            tx.get_item(&table, &key("1"))?;
            fill(&store, 7);
            let _ = crossbeam_channel::after(checkpoint::IDLE * 5 / 2).recv();
            assert!(log() > 0);
            tx.get_item(&table, &key("1"))
        });
        let before: Result<_, StoreError> = before;
        assert_eq!(
            before.unwrap().unwrap().decode().unwrap()["value"].as_s().unwrap()[..1],
            round.to_string()
        );
        assert!(is_emptied(), "{} bytes are left", log());
        assert_eq!(get(&store, "1"), Some("7".repeat(50_000)));
    }
}
