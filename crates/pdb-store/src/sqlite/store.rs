//! What a store can do with the pages of its database, which only SQLite has.

use std::path::Path;

use pdb_model::EpochMillis;

use crate::{
    engine::with_engine,
    error::StoreError,
    sqlite::{
        copy::{self, CopyDescription, DatabaseCopy, EachStep},
        engine::compact::CompactReport,
    },
    store::Store,
};

impl Store {
    /// Copies the whole database, as of one commit, into memory, and notes `taken` as the time of the copy. Writers of a file
    /// do not wait.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`].
    pub fn copy(&self, taken: EpochMillis) -> Result<DatabaseCopy, StoreError> {
        with_engine!(&self.engine, engine => engine.copy(taken))
    }

    /// Copies the whole database, as of one commit, into a file, and notes `taken` as the time of the copy. Writers of a file
    /// do not wait.
    ///
    /// An existing database at `path` is replaced, unless a process has it open. If this process dies during the copy, the file
    /// is either the old one or the new one. The copy is as durable as an acknowledged write of this database.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if the file is in use, of another program, or cannot be written; [`StoreError::Closed`],
    /// [`StoreError::Database`].
    pub fn copy_to_file(&self, path: &Path, taken: EpochMillis) -> Result<CopyDescription, StoreError> {
        self.copy_to_file_watched(path, taken, true, &mut copy::unwatched)
    }

    /// As [`copy_to_file`](Self::copy_to_file), and calls `each` after every step. Unless `is_durable` is set, a power failure
    /// may damage the copy.
    ///
    /// # Errors
    ///
    /// As [`copy_to_file`](Self::copy_to_file); [`StoreError::BrokenOff`] if `each` breaks off: then there is no copy.
    pub fn copy_to_file_watched(
        &self,
        path: &Path,
        taken: EpochMillis,
        is_durable: bool,
        each: EachStep<'_>,
    ) -> Result<CopyDescription, StoreError> {
        with_engine!(&self.engine, engine => engine.copy_to_file(path, taken, is_durable, each))
    }

    /// Replaces the whole database by a copy, in one step: reads and writes see either what was there before or the copy. Waits
    /// for maintenance and for running writes.
    ///
    /// Readers of streams can go on: shard iterators stay valid, and sequence numbers that were given out until now are not
    /// given out again. Tables, rows of streams and shards, and positions of scans that were read before are no longer valid.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`]; then nothing is changed.
    pub fn replace(&self, copy: DatabaseCopy) -> Result<(), StoreError> {
        self.replace_watched(copy, &mut copy::unwatched)
    }

    /// As [`replace`](Self::replace), and calls `each` after every step. In memory there is one step.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace); [`StoreError::BrokenOff`] if `each` says so.
    pub fn replace_watched(&self, copy: DatabaseCopy, each: EachStep<'_>) -> Result<(), StoreError> {
        with_engine!(&self.engine, engine => engine.replace(copy, each))
    }

    /// Returns the space of deleted data to the file system: rewrites the database without its free pages. Waits for
    /// maintenance. Writes wait until it is done, about a second for 200 MB of data; reads do not. A file needs the same amount
    /// of disk space again for the time.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] for a database on a server, which does that by itself; [`StoreError::Closed`],
    /// [`StoreError::Database`]; then nothing is changed.
    pub fn compact(&self) -> Result<CompactReport, StoreError> {
        with_engine!(&self.engine, engine => engine.compact())
    }
}

#[cfg(test)]
impl Store {
    /// The engine, for tests that need the writer in hand.
    pub(crate) fn sqlite_engine(&self) -> &crate::sqlite::engine::SqliteEngine {
        match &self.engine {
            crate::engine::Engine::Sqlite(engine) => engine,
            #[cfg(feature = "postgres")]
            crate::engine::Engine::Postgres(_) => panic!("the engine is SQLite"),
        }
    }
}
