//! Copies of a whole database, and putting them in its place.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use pdb_model::StreamViewType;
use pdb_store::{DatabaseCopy, Durability, OpenError, Store, StoreError, StoreOptions, Tx};
use pdb_testkit::{TestDb, definition, string_key};

use crate::orders::{NOW as TAKEN, key, orders, put};

fn value(tx: &mut pdb_store::ReadTx<'_>, pk: &str) -> Result<Option<String>, StoreError> {
    let table = tx.table(&orders())?;
    let item = tx.get_item(&table, &key(pk))?;
    Ok(item.map(|item| item.decode().unwrap()["value"].as_s().unwrap().to_owned()))
}

/// Puts an item, and returns the counter of its record.
fn put_one(db: &TestDb, value: &'static str) -> u64 {
    db.write(move |tx| put(tx, "a", value));
    db.records().last().unwrap().sequence_number.counter
}

fn put_both(tx: &mut Tx<'_>, value: &str) -> Result<(), StoreError> {
    put(tx, "a", value)?;
    put(tx, "b", value)
}

fn with_orders(db: TestDb) -> TestDb {
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", StreamViewType::NewImage);
    db
}

/// Both kinds of database that can be copied.
fn databases() -> [TestDb; 2] {
    [with_orders(in_memory()), with_orders(TestDb::in_file(Durability::Normal))]
}

/// In memory also where tests run on PostgreSQL, of which there are no copies.
fn in_memory() -> TestDb {
    TestDb::with_store(Store::open(&StoreOptions::memory()).unwrap())
}

#[test]
fn a_copy_takes_the_place_of_everything() {
    for db in databases() {
        db.write(|tx| put(tx, "a", "before"));
        let (items, records) = (db.items(), db.records());
        let copy = db.store.copy(TAKEN).unwrap();
        let description = copy.describe().unwrap();
        assert_eq!((description.taken, description.tables, description.items), (Some(TAKEN), 1, 1));
        // Used twice, with a different past each time.
        for name in ["more", "others"] {
            db.write(move |tx| {
                put(tx, "a", "after")?;
                put(tx, "b", "after")
            });
            db.create_table(&definition(name, string_key("pk")));
            db.write(move |tx| {
                let definition = definition(name, string_key("pk"));
                tx.drop_table(&definition.name, TAKEN)?;
                tx.create_table(&definition)
            });
            db.store.replace(copy.duplicate().unwrap()).unwrap();
            assert_eq!((db.items(), db.records()), (items.clone(), records.clone()));
            assert_eq!(db.read(|tx| tx.table_names(None, 10)), [orders()]);
            let table = db.table();
            assert_eq!(db.read(|tx| tx.table_statistics(&table)).item_count, 1);
        }
        // And all goes on.
        db.write(|tx| put(tx, "b", "again"));
        db.create_table(&definition("more", string_key("pk")));
        assert_eq!(db.items().len(), 2);
    }
}

#[test]
fn numbers_and_iterators_of_the_abandoned_past_do_not_come_again() {
    for db in databases() {
        let key = db.read(|tx| tx.iterator_key());
        let before = put_one(&db, "before");
        let copy = db.store.copy(TAKEN).unwrap();
        let mut abandoned = before;
        (0..5).for_each(|_| abandoned = put_one(&db, "abandoned"));
        assert_eq!(abandoned, before + 5);
        db.store.replace(copy.duplicate().unwrap()).unwrap();
        let next = put_one(&db, "after");
        assert_eq!(next, abandoned + 1);
        // Neither if everything was thrown away in between.
        db.store.replace(DatabaseCopy::empty().unwrap()).unwrap();
        assert_eq!(db.read(|tx| tx.table_names(None, 10)), []);
        db.store.replace(copy.duplicate().unwrap()).unwrap();
        assert_eq!(put_one(&db, "after"), next + 1);
        // Nor if the shard was closed in the abandoned past.
        db.write(|tx| {
            let table = tx.table(&orders())?;
            tx.close_stream(&table, TAKEN)
        });
        db.store.replace(copy).unwrap();
        assert_eq!(put_one(&db, "after"), next + 2);
        assert_eq!(db.read(|tx| tx.iterator_key()), key);
    }
}

#[test]
fn numbers_go_on_after_a_restart_too() {
    let db = with_orders(TestDb::in_file(Durability::Normal));
    let copy = db.store.copy(TAKEN).unwrap();
    let abandoned = put_one(&db, "abandoned");
    db.store.replace(copy).unwrap();
    let db = db.reopen(Durability::Normal);
    assert_eq!(put_one(&db, "after"), abandoned + 1);
}

#[test]
fn nobody_sees_a_mixture() {
    for db in databases() {
        db.write(|tx| put_both(tx, "first"));
        let first = db.store.copy(TAKEN).unwrap();
        db.write(|tx| put_both(tx, "second"));
        // Another table, so that whoever saw the other catalog would notice.
        db.create_table(&definition("second", string_key("pk")));
        let second = db.store.copy(TAKEN).unwrap();
        let (store, done) = (&db.store, AtomicBool::new(false));
        let seen = || {
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) || seen == 0 {
                let (a, b, names) = store
                    .read(|tx| {
                        Ok::<_, StoreError>((value(tx, "a")?, value(tx, "b")?, tx.table_names(None, 9)?))
                    })
                    .unwrap();
                assert_eq!(a, b);
                assert_eq!(names.len(), if a.as_deref() == Some("first") { 1 } else { 2 });
                seen += 1;
            }
        };
        // What it writes depends on what it sees, so it would write a mixture down.
        let written = || {
            while !done.load(Ordering::Relaxed) {
                store
                    .write(|tx| {
                        if tx.find_table(&"second".parse().unwrap()).is_some() {
                            put_both(tx, "second")?;
                        }
                        Ok::<_, StoreError>(())
                    })
                    .unwrap();
            }
        };
        thread::scope(|scope| {
            scope.spawn(seen);
            scope.spawn(seen);
            scope.spawn(written);
            for _ in 0..20 {
                store.replace(first.duplicate().unwrap()).unwrap();
                store.replace(second.duplicate().unwrap()).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}

fn files_in(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

#[test]
fn a_copy_in_a_file_is_a_database() {
    for db in databases() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("copy.db");
        // What a process leaves that dies while it saves.
        for suffix in ["-saving", "-saving-wal", "-saving-journal"] {
            fs::write(format!("{}{suffix}", path.display()), "half of something").unwrap();
        }
        db.write(|tx| put(tx, "a", "before"));
        let written = db.store.copy_to_file(&path, TAKEN).unwrap();
        assert_eq!((written.tables, written.items), (1, 1));
        let bytes = fs::read(&path).unwrap();
        assert_eq!(written.size_bytes, bytes.len() as u64);
        // No log belongs to it (https://www.sqlite.org/fileformat.html), nor anything else.
        assert_eq!(bytes[18..20], [1, 1]);
        assert_eq!(files_in(directory.path()), 1);
        db.write(|tx| put(tx, "b", "after"));
        // Overwritten by another, smaller or larger.
        assert_eq!(db.store.copy_to_file(&path, TAKEN).unwrap().items, 2);
        assert_eq!(DatabaseCopy::describe_file(&path).unwrap().items, 2);
        let opened = Store::open(&StoreOptions::file(&path)).unwrap();
        assert_eq!(opened.read(|tx| value(tx, "b")).unwrap(), Some("after".to_owned()));
        opened.close();
        // Read back, with a log beside it that only a database that runs has.
        db.write(|tx| put(tx, "b", "later"));
        db.store.replace(DatabaseCopy::read(&path).unwrap()).unwrap();
        assert_eq!(db.read(|tx| value(tx, "b")), Some("after".to_owned()));
    }
}

#[test]
fn the_log_of_a_database_that_died_goes_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let (path, died) = (directory.path().join("a.db"), directory.path().join("died.db"));
    let old = TestDb::with_store(Store::open(&StoreOptions::file(&died)).unwrap());
    old.create_table(&definition("old", string_key("pk")));
    // What a killed process leaves: the file, and a log that is not copied back.
    for suffix in ["", "-wal"] {
        let from = PathBuf::from(format!("{}{suffix}", died.display()));
        fs::copy(from, format!("{}{suffix}", path.display())).unwrap();
    }
    let new = with_orders(in_memory());
    new.write(|tx| put(tx, "a", "new"));
    new.store.copy_to_file(&path, TAKEN).unwrap();
    let opened = Store::open(&StoreOptions::file(&path)).unwrap();
    let names = opened.read(|tx| tx.table_names(None, 10)).unwrap();
    assert_eq!(names, [orders()]);
}

fn read_refused(path: &Path) -> OpenError {
    let (read, described) = (DatabaseCopy::read(path).map(drop), DatabaseCopy::describe_file(path).map(drop));
    assert_eq!(read.as_ref().unwrap_err().to_string(), described.unwrap_err().to_string());
    match read.unwrap_err() {
        StoreError::Open(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_copy_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let db = with_orders(in_memory());
    let write_refused = |path: &Path| match db.store.copy_to_file(path, TAKEN).unwrap_err() {
        StoreError::Open(error) => error,
        other => panic!("{other:?}"),
    };

    assert!(matches!(read_refused(&path("missing.db")), OpenError::Unreadable { .. }));
    assert!(matches!(read_refused(directory.path()), OpenError::Unreadable { .. }));
    assert!(!path("missing.db").exists());
    fs::write(path("empty"), "").unwrap();
    assert!(matches!(read_refused(&path("empty")), OpenError::Unreadable { .. }));
    assert!(matches!(write_refused(&path("no/such/directory")), OpenError::MissingFolder { .. }));

    fs::write(path("diary"), "Dear diary, ".repeat(100)).unwrap();
    assert!(matches!(read_refused(&path("diary")), OpenError::NotADatabase(_)));
    assert!(matches!(write_refused(&path("diary")), OpenError::NotADatabase(_)));
    assert_eq!(fs::read_to_string(path("diary")).unwrap(), "Dear diary, ".repeat(100));

    rusqlite::Connection::open(path("theirs")).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(read_refused(&path("theirs")), OpenError::Foreign(_)));
    assert!(matches!(write_refused(&path("theirs")), OpenError::Foreign(_)));

    let open = Store::open(&StoreOptions::file(path("open.db"))).unwrap();
    assert!(matches!(read_refused(&path("open.db")), OpenError::Locked { .. }));
    assert!(matches!(write_refused(&path("open.db")), OpenError::Locked { .. }));
    open.close();
    let never_copied = DatabaseCopy::describe_file(&path("open.db")).unwrap();
    assert_eq!((never_copied.taken, never_copied.tables, never_copied.items), (None, 0, 0));

    rusqlite::Connection::open(path("open.db")).unwrap().execute_batch("PRAGMA user_version = 77").unwrap();
    assert!(matches!(read_refused(&path("open.db")), OpenError::Newer { found: 77, .. }));
}

#[test]
fn a_closed_database_is_neither_copied_nor_replaced() {
    for db in databases() {
        let copy = db.store.copy(TAKEN).unwrap();
        db.store.close();
        assert!(matches!(db.store.copy(TAKEN), Err(StoreError::Closed)));
        assert!(matches!(db.store.replace(copy), Err(StoreError::Closed)));
    }
}
