//! The log that a process left which did not close its database.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use crate::{
    error::StoreError,
    sqlite::{files::names::beside, refusals::unwritable},
};

/// How much is read and written at a time.
const PIECE: usize = 1 << 20;

/// Writes the log of a database anew, as it is, and waits until it is on the disk. To be called before SQLite opens it.
///
/// The log is the only proof of the last commits, and nobody knows whether it is on the disk: if the process before this one failed to
/// sync it, the operating system has it in memory, but will not write it again, and says of the next sync that it succeeded. What SQLite then
/// copies into the database file relies on the log.
pub(crate) fn rewrite_log(database: &Path) -> Result<(), StoreError> {
    let path = beside(database, "-wal");
    if !fs::metadata(&path).is_ok_and(|found| found.is_file() && found.len() > 0) {
        return Ok(());
    }
    let opened = OpenOptions::new().read(true).write(true).open(&path);
    opened.and_then(rewrite).map_err(|error| unwritable(database, error))
}

fn rewrite(mut log: File) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    loop {
        log.seek(SeekFrom::Start(at))?;
        let length = log.read(&mut piece)?;
        if length == 0 {
            return log.sync_data();
        }
        log.seek(SeekFrom::Start(at))?;
        log.write_all(&piece[..length])?;
        at += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_written_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("test.db");
        rewrite_log(&database).unwrap();
        let log = beside(&database, "-wal");
        assert!(!log.exists());
        let bytes: Vec<u8> = (0..3 * PIECE + 7).map(|n| (n % 251) as u8).collect();
        fs::write(&log, &bytes).unwrap();
        rewrite_log(&database).unwrap();
        assert!(fs::read(&log).unwrap() == bytes);
    }
}
