//! The files of a database: what others may do with them, what versions of the past left, and what is said of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pdb_store::{DatabaseCopy, Durability, OpenError, Store, StoreError, StoreOptions};
use pdb_testkit::{TestDb, definition, string_key};

use crate::orders::{NOW, key, orders, put};

fn beside(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(&StoreOptions::file(path).with_durability(Durability::Full))
}

#[track_caller]
fn opened(path: &Path) -> Store {
    open(path).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
}

fn with_orders(store: &Store) {
    let db = TestDb::with_store(store.clone());
    db.create_table(&definition("orders", string_key("pk")));
    db.enable_stream("orders", pdb_model::StreamViewType::NewImage);
}

fn has(store: &Store, pk: &str) -> bool {
    let found: Result<_, StoreError> = store.read(|tx| {
        let table = tx.table(&orders())?;
        tx.get_item(&table, &key(pk))
    });
    found.unwrap().is_some()
}

/// Opens a database, fills it, and opens it again.
#[track_caller]
fn check_it_works(path: &Path) {
    let store = opened(path);
    with_orders(&store);
    store.write(|tx| put(tx, "a", "kept")).unwrap();
    store.close();
    assert!(has(&opened(path), "a"));
    assert!(DatabaseCopy::describe_file(path).is_ok());
}

/// The journal of a transaction that began in a database without a page
/// (<https://www.sqlite.org/fileformat.html#the_rollback_journal>).
fn journal_of_nothing() -> Vec<u8> {
    let mut journal = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    // Records, a nonce, pages at the beginning, the size of a sector and of a page.
    for number in [0_u32, 7, 0, 512, 8192] {
        journal.extend(number.to_be_bytes());
    }
    journal.resize(512, 0);
    journal
}

#[test]
fn what_a_version_left_that_was_killed_while_it_made_a_file_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);

    fs::write(path("empty"), "").unwrap();
    check_it_works(&path("empty"));

    // The first page is written, whole or not, and the journal not removed yet.
    let whole = path("whole");
    opened(&whole).close();
    let page = fs::read(&whole).unwrap()[..8192].to_vec();
    for (name, first) in [("page", page.clone()), ("torn", page[..40].to_vec()), ("zeros", vec![0; 8192])] {
        fs::write(path(name), first).unwrap();
        fs::write(beside(&path(name), "-journal"), journal_of_nothing()).unwrap();
        check_it_works(&path(name));
    }

    // A journal that is none helps nobody.
    for (name, journal) in [("none", vec![]), ("short", journal_of_nothing()[..20].to_vec())] {
        fs::write(path(name), vec![0; 8192]).unwrap();
        fs::write(beside(&path(name), "-journal"), journal).unwrap();
        assert!(matches!(open(&path(name)), Err(StoreError::Open(OpenError::NotADatabase(_)))), "{name}");
    }
}

#[test]
fn a_database_that_lost_its_mark_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lost % ?.db");
    // What such a version did with the file when it was started again: it made its tables in it, without the mark.
    let earlier = rusqlite::Connection::open(&path).unwrap();
    earlier
        .execute_batch("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;")
        .unwrap();
    earlier.execute_batch(pdb_migrations::SQLITE[0]).unwrap();
    earlier.execute_batch("PRAGMA user_version = 1").unwrap();
    // Killed again: the tables are in the log only. And closed in an orderly way.
    let killed = directory.path().join("killed.db");
    for suffix in ["", "-wal"] {
        fs::copy(beside(&path, suffix), beside(&killed, suffix)).unwrap();
    }
    drop(earlier);
    for path in [&path, &killed] {
        assert!(DatabaseCopy::read(path).is_ok());
        check_it_works(path);
        // It has its mark now.
        assert_eq!(fs::read(path).unwrap()[68..72], *b"PDB1");
    }
}

/// The error of a database that is in use; the store that has it goes on.
#[track_caller]
fn check_in_use(path: &Path, user: &Store) {
    for error in [open(path).unwrap_err(), user.copy_to_file(path, NOW).unwrap_err()] {
        assert!(
            matches!(&error, StoreError::Open(OpenError::Locked { path: named, .. }) if named.file_name() == path.file_name())
        );
    }
    user.write(|tx| put(tx, "a", "goes on")).unwrap();
    assert!(has(user, "a"));
}

#[test]
#[cfg(target_os = "linux")]
fn one_file_is_opened_once_whatever_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let store = opened(&path);
    with_orders(&store);
    let link = directory.path().join("link.db");
    fs::hard_link(&path, &link).unwrap();
    check_in_use(&link, &store);
    assert!(matches!(DatabaseCopy::read(&link), Err(StoreError::Open(OpenError::Locked { .. }))));
    // And whether its lock file is there or not.
    fs::remove_file(beside(&path, "-lock")).unwrap();
    check_in_use(&path, &store);
    store.close();
    assert!(has(&opened(&path), "a"));
}

#[test]
#[cfg(unix)]
fn a_link_to_a_file_that_is_not_there_yet_stays() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("test.db"), directory.path().join("link.db"));
    std::os::unix::fs::symlink("test.db", &link).unwrap();
    check_it_works(&link);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(has(&opened(&path), "a"));
}

/// A lock file that could be neither opened nor made was tried again for ever.
#[test]
#[cfg(unix)]
fn a_lock_file_that_is_a_link_to_nothing_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("test.db");
    std::os::unix::fs::symlink(directory.path().join("nowhere"), beside(&database, "-lock")).unwrap();
    let text = open(&database).unwrap_err().to_string();
    assert!(text.contains("test.db"), "{text}");
    assert!(!database.exists(), "nothing was made");
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[test]
#[cfg(unix)]
fn others_may_not_read_what_is_made() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let store = opened(&path);
    with_orders(&store);
    store.write(|tx| put(tx, "a", "secret")).unwrap();
    let copy = directory.path().join("copy.db");
    store.copy_to_file(&copy, NOW).unwrap();
    for file in fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    // What is there keeps its mode, and what belongs to it has the same.
    for name in ["shared.db", "copy.db"] {
        let shared = directory.path().join(name);
        if name == "shared.db" {
            fs::write(&shared, "").unwrap();
        }
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o660)).unwrap();
        store.copy_to_file(&shared, NOW).unwrap();
        let shared_store = opened(&shared);
        for suffix in ["", "-wal", "-shm", "-lock"] {
            assert_eq!(mode(&beside(&shared, suffix)), 0o660, "{name}{suffix}");
        }
        shared_store.close();
    }
    let empty = directory.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    fs::set_permissions(&empty, fs::Permissions::from_mode(0o640)).unwrap();
    opened(&empty).close();
    assert_eq!(mode(&empty), 0o640);
}

/// A file that somebody else placed where a copy is made is not written to.
#[test]
#[cfg(unix)]
fn a_copy_is_made_in_a_file_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("victim"), "theirs").unwrap();
    for name in ["copy.db-saving", "new.db-making"] {
        std::os::unix::fs::symlink(path("victim"), path(name)).unwrap();
    }
    let store = opened(&path("new.db"));
    store.copy_to_file(&path("copy.db"), NOW).unwrap();
    assert_eq!(fs::read(path("victim")).unwrap(), b"theirs");
    assert!(!fs::symlink_metadata(path("copy.db")).unwrap().is_symlink());
}

#[test]
#[cfg(target_os = "linux")]
fn whatever_stands_against_opening_a_file_the_error_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let made = |name: &str, sql: &str| {
        opened(&path(name)).close();
        rusqlite::Connection::open(path(name)).unwrap().execute_batch(sql).unwrap();
    };
    fs::write(path("text"), "Dear diary, ".repeat(100)).unwrap();
    rusqlite::Connection::open(path("theirs")).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    made("newer", "PRAGMA user_version = 77");
    made("unfinished", "INSERT INTO pdb_setting (name, value) VALUES ('copy', x'61')");
    made("no-table", "DROP TABLE pdb_setting");
    let table = "INSERT INTO pdb_metadata (table_name, item_table, definition, stream_enabled) VALUES ('a', 'b', 'c', 0)";
    made("no-definition", table);
    let in_use = opened(&path("in-use"));
    assert!(std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    fs::create_dir(path("directory")).unwrap();
    fs::create_dir_all(path("locked-lock")).unwrap();
    fs::create_dir_all(path("busy-making")).unwrap();
    fs::write(path("busy"), "").unwrap();
    for (name, expected) in [
        ("text", "is not a database, or it is damaged"),
        ("theirs", "is a database of another program"),
        ("newer", "has schema 77, made by a newer version; this one knows schemas up to 6"),
        ("unfinished", "a copy into `"),
        ("no-table", "is not the one that pretender creates: `pdb_setting` is missing"),
        ("no-definition", "cannot be opened: stored "),
        ("in-use", "is in use by "),
        ("pipe", "cannot be opened for writing: it is not a regular file"),
        ("directory", "cannot be opened for writing: it is not a regular file"),
        ("missing/test.db", "cannot be opened: the folder `"),
        ("locked", "-lock` is not a regular file"),
        ("busy", "cannot be opened for writing: "),
    ] {
        let Err(error) = open(&path(name)) else { panic!("{name} is opened") };
        assert!(matches!(error, StoreError::Open(_)), "{name}: {error:?}");
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said.push_str(&format!(": {error}"));
            cause = error.source();
        }
        assert!(said.contains(&format!("`{}`", path(name).display())), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    in_use.close();
}
