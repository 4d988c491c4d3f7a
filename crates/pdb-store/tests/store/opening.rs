//! Which files are opened, which are refused, and that the refused ones stay as they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pdb_model::EpochMillis;
use pdb_store::{Durability, OpenError, Store, StoreError, StoreOptions};
use pdb_testkit::{TestDb, definition, string_key};

fn refused(path: &Path) -> OpenError {
    let lock = PathBuf::from(format!("{}-lock", path.display()));
    let (before, had_lock) = (fs::read(path).ok(), lock.exists());
    let error = Store::open(&StoreOptions::file(path)).unwrap_err();
    assert_eq!(fs::read(path).ok(), before, "a refused file was changed");
    // A newer version's file is one of ours, and may be locked before its log shows that it is newer.
    let ours = matches!(error, StoreError::Open(OpenError::Newer { .. }));
    assert!(ours || lock.exists() == had_lock, "a lock is left beside another's file");
    match error {
        StoreError::Open(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("text", b"Dear diary, ".repeat(100)),
        ("short", b"x".to_vec()),
        ("torn", b"SQLite format 3\0".to_vec()),
        ("zeros", vec![0; 4096]),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        assert!(matches!(refused(&path), OpenError::NotADatabase(_)), "{name}");
    }
}

#[test]
fn another_programs_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(refused(&path), OpenError::Foreign(_)));
    // Neither in the write-ahead log's mode, with a log that is not copied back yet.
    let path = directory.path().join("wal.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(refused(&path), OpenError::Foreign(_)));
    // Closed again, with a version like ours and some table like ours: it is looked into, and nothing is left beside it.
    other.execute_batch("CREATE TABLE pdb_setting (x); PRAGMA user_version = 1").unwrap();
    drop(other);
    let before = names_in(directory.path());
    assert!(matches!(refused(&path), OpenError::Foreign(_)));
    assert_eq!(names_in(directory.path()), before);
}

fn names_in(directory: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[test]
fn a_newer_versions_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("newer.db");
    Store::open(&StoreOptions::file(&path)).unwrap().close();
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 77").unwrap();
    let error = refused(&path);
    assert!(matches!(error, OpenError::Newer { found: 77, .. }));
    assert_eq!(
        error.to_string().replace(directory.path().to_str().unwrap(), ""),
        "`/newer.db` has schema 77, made by a newer version; this one knows schemas up to 6"
    );
    // Also if the newer version died before its log was copied back: then the file itself does not say so yet.
    let path = directory.path().join("log.db");
    Store::open(&StoreOptions::file(&path)).unwrap().close();
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 77").unwrap();
    let log = fs::read(directory.path().join("log.db-wal")).unwrap();
    assert!(!log.is_empty());
    let copy = directory.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::write(directory.path().join("copy.db-wal"), &log).unwrap();
    assert!(matches!(refused(&copy), OpenError::Newer { found: 77, .. }));
    assert_eq!(fs::read(directory.path().join("copy.db-wal")).unwrap(), log);
}

#[test]
fn a_second_opener_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let store = Store::open(&StoreOptions::file(&path)).unwrap();
    assert!(matches!(refused(&path), OpenError::Locked { .. }));
    store.close();
    Store::open(&StoreOptions::file(&path)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_second_opener_is_refused_by_whatever_name() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("test.db"), directory.path().join("link.db"));
    Store::open(&StoreOptions::file(&path)).unwrap().close();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let store = Store::open(&StoreOptions::file(&link)).unwrap();
    assert!(matches!(refused(&path), OpenError::Locked { .. }));
    assert!(matches!(refused(&link), OpenError::Locked { .. }));
    drop(store);
}

#[test]
fn where_nothing_can_be_written_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert!(matches!(refused(directory.path()), OpenError::Unwritable { .. }));
    let missing = directory.path().join("missing").join("test.db");
    assert!(matches!(refused(&missing), OpenError::MissingFolder { .. }));
    assert!(!missing.parent().unwrap().exists());
}

#[test]
fn damage_behind_the_header_is_an_error_not_a_panic() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let store = Store::open(&StoreOptions::file(&path)).unwrap();
    for i in 0..20 {
        store.write(move |tx| tx.create_table(&definition(&format!("table{i}"), string_key("pk")))).unwrap();
    }
    store.close();
    let mut bytes = fs::read(&path).unwrap();
    for byte in &mut bytes[100..] {
        *byte = !*byte;
    }
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(refused(&path), OpenError::NotADatabase(_)));
}

#[test]
fn a_reopened_database_is_the_same() {
    let db = TestDb::on_disk(Durability::Full);
    db.create_table(&definition("orders", string_key("pk")));
    let table = db.enable_stream("orders", pdb_model::StreamViewType::NewImage);
    let key = db.read(|tx| tx.iterator_key());
    let again = db.reopen(Durability::Normal);
    let reopened = again.table();
    assert_eq!((reopened.id, &reopened.definition), (table.id, &table.definition));
    let (stream, was) = (reopened.stream.as_ref().unwrap(), table.stream.as_ref().unwrap());
    assert_eq!((stream.id, &stream.arn), (was.id, &was.arn));
    assert_eq!(stream.shards[0].id, was.shards[0].id);
    assert_eq!(again.read(|tx| tx.iterator_key()), key);
    again.write(|tx| tx.drop_table(&"orders".parse().unwrap(), EpochMillis(1)));
    let again = again.reopen(Durability::Off);
    assert!(again.read(|tx| tx.table_names(None, 10)).is_empty());
    assert_eq!(again.read(|tx| tx.streams(None)).len(), 1);
}
