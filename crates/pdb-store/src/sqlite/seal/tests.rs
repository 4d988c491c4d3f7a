use std::fs::{FileTimes, OpenOptions};

use super::*;

/// A database file and its lock file.
struct Files {
    directory: tempfile::TempDir,
    database: PathBuf,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("test.db");
        fs::write(&database, "content").unwrap();
        Self { directory, database }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn lock(&self) -> File {
        let lock = self.beside("test.db-lock");
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(lock).unwrap()
    }

    fn seal(&self) -> Seal {
        self.seal_if(true)
    }

    fn seal_if(&self, is_durable: bool) -> Seal {
        let file = OpenOptions::new().read(true).write(true).open(&self.database).unwrap();
        Seal::of(self.lock(), file, &self.database, is_durable).unwrap()
    }

    /// Writes, as a session does, and closes.
    fn write_and_close(&self) {
        let seal = self.seal();
        seal.settle();
        seal.break_up().unwrap();
        fs::write(&self.database, "content").unwrap();
        drop(seal);
        self.wait_for_the_clock();
    }

    /// Waits until the file system gives another time than that of the database file: its clock may stand still for some
    /// milliseconds, in which nobody replaces a file by hand.
    fn wait_for_the_clock(&self) {
        let written = fs::metadata(&self.database).unwrap().modified().unwrap();
        while {
            fs::write(self.beside("clock"), "").unwrap();
            fs::metadata(self.beside("clock")).unwrap().modified().unwrap() <= written
        } {}
    }
}

#[test]
fn a_seal_is_intact_until_it_is_broken() {
    let files = Files::new();
    assert!(!files.seal().is_intact(), "nobody has sealed it");
    files.write_and_close();
    // A process that only reads may die.
    for _ in 0..2 {
        let seal = files.seal();
        assert!(seal.is_intact());
        std::mem::forget(seal);
    }
    let seal = files.seal();
    seal.break_up().unwrap();
    assert!(!seal.is_intact());
    // So is who writes: nobody has closed it then.
    std::mem::forget(seal);
    assert!(!files.seal().is_intact());
}

#[test]
fn a_database_with_a_log_or_without_syncs_is_not_sealed() {
    let files = Files::new();
    fs::write(files.beside("test.db-wal"), "frames").unwrap();
    files.write_and_close();
    assert!(!files.seal().is_intact());
    fs::remove_file(files.beside("test.db-wal")).unwrap();
    let seal = files.seal_if(false);
    seal.settle();
    drop(seal);
    assert!(!files.seal_if(false).is_intact());
}

#[test]
fn a_file_that_was_touched_breaks_the_seal() {
    let files = Files::new();
    let database = &files.database;
    type Change<'a> = &'a dyn Fn();
    let changes: [(&str, Change<'_>); 3] = [
        ("written", &|| fs::write(database, "CONTENT").unwrap()),
        ("written, and the time set back", &|| {
            let before = fs::metadata(database).unwrap().modified().unwrap();
            let mut file = OpenOptions::new().write(true).open(database).unwrap();
            file.write_all(b"Content").unwrap();
            file.set_times(FileTimes::new().set_modified(before)).unwrap();
        }),
        ("replaced", &|| {
            fs::copy(database, files.beside("other")).unwrap();
            fs::rename(files.beside("other"), database).unwrap();
        }),
    ];
    for (name, change) in changes {
        files.write_and_close();
        change();
        let seal = files.seal();
        assert!(!seal.is_intact(), "{name}");
        std::mem::forget(seal);
    }
}

#[test]
fn a_file_that_was_replaced_while_it_was_open_is_not_sealed() {
    let files = Files::new();
    let seal = files.seal();
    seal.settle();
    seal.break_up().unwrap();
    fs::rename(&files.database, files.beside("gone")).unwrap();
    fs::write(&files.database, "another").unwrap();
    drop(seal);
    assert!(!files.seal().is_intact());
}

#[test]
fn a_line_of_something_else_is_no_seal() {
    let files = Files::new();
    for line in [&b"\xff\xfe"[..], b"closed: ", b"open\ncounters below x\n", &[b'x'; 4096]] {
        fs::write(files.beside("test.db-lock"), line).unwrap();
        let seal = files.seal();
        assert!(!seal.is_intact());
        seal.settle();
        drop(seal);
        assert!(files.seal().is_intact());
    }
}

#[test]
fn an_opening_that_fails_leaves_no_seal() {
    let files = Files::new();
    let seal = files.seal();
    // It was closed before anybody had allowed for what may be missing.
    drop(seal);
    assert!(!files.seal().is_intact());
    files.write_and_close();
    drop(files.seal());
    assert!(files.seal().is_intact(), "it was intact, and nothing was written");
}

#[test]
fn counters_outlast_the_database_file() {
    let files = Files::new();
    assert_eq!(files.seal().counters(), 0);
    let seal = files.seal();
    seal.settle();
    seal.note(700);
    seal.note(600);
    drop(seal);
    fs::remove_file(&files.database).unwrap();
    fs::write(&files.database, "another").unwrap();
    let seal = files.seal();
    assert_eq!((seal.is_intact(), seal.counters()), (false, 700));
    // Also after a session that was killed.
    seal.break_up().unwrap();
    seal.note(900);
    std::mem::forget(seal);
    assert_eq!(files.seal().counters(), 700, "what was noted after the last line is not on the disk");
}
