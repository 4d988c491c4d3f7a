//! What keeps other processes from a database file.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::StoreError,
    sqlite::{
        files::{database::DatabaseFile, lock::LockFile, names::beside},
        refusals,
        seal::Seal,
    },
};

/// The two locks that keep a second process from a database: one on a file beside it, which also guards a database that is being
/// made, and one on the file itself, which holds under every name of the file. Released when dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    /// Of a database that is only read.
    pub(crate) _index: Option<LogIndex>,
    /// Of a database that may be written. Closed first.
    pub(crate) seal: Option<Seal>,
    pub(crate) database: DatabaseFile,
    // Released last.
    pub(crate) beside: Option<LockFile>,
}

/// The index that SQLite makes beside a log when it reads it, and leaves there if it may not write. Removed when dropped.
#[derive(Debug)]
pub(crate) struct LogIndex(PathBuf);

impl LogIndex {
    /// Returns that of a database, unless it is there already.
    pub(crate) fn to_come(path: &Path) -> Option<Self> {
        let index = beside(path, "-shm");
        (!index.exists()).then_some(Self(index))
    }
}

impl Drop for LogIndex {
    fn drop(&mut self) {
        // Nobody needs it, and the next to open the log makes it anew.
        let _ = fs::remove_file(&self.0);
    }
}

impl FileLock {
    /// Looks whether the database is sealed. To be called before it is written to; if not `durable` it will not be sealed again.
    pub(crate) fn look_at_seal(&mut self, path: &Path, durable: bool) -> Result<(), StoreError> {
        let Some(beside) = &self.beside else { return Ok(()) };
        let files = self.database.handle().and_then(|database| Ok((beside.handle()?, database)));
        let seal = files.and_then(|(lock, database)| Seal::of(lock, database, path, durable));
        self.seal = Some(seal.map_err(|e| refusals::unwritable(path, e))?);
        Ok(())
    }
}
