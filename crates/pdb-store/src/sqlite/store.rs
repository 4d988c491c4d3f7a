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
    /// Copies the whole database, as of one commit, into memory, and notes that this was at `taken`. Writers of a file are not
    /// held up.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`].
    pub fn copy(&self, taken: EpochMillis) -> Result<DatabaseCopy, StoreError> {
        with_engine!(&self.engine, engine => engine.copy(taken))
    }

    /// Copies the whole database, as of one commit, into a file, and notes that this was at `taken`. Writers of a file are not
    /// held up.
    ///
    /// A database that is there already, and that nobody has open, is replaced. A process that dies meanwhile leaves the old
    /// one, or the new one. The copy survives what an acknowledged write of this database does.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if the file is in use, of another program, or cannot be written; [`StoreError::Closed`],
    /// [`StoreError::Database`].
    pub fn copy_to_file(&self, path: &Path, taken: EpochMillis) -> Result<CopyDescription, StoreError> {
        self.copy_to_file_watched(path, taken, true, &mut copy::unwatched)
    }

    /// As [`copy_to_file`](Self::copy_to_file), and tells how far it is. Unless it is to be durable, a power failure may damage the copy.
    ///
    /// # Errors
    ///
    /// As [`copy_to_file`](Self::copy_to_file); [`StoreError::BrokenOff`] if `each` says so: then there is no copy.
    pub fn copy_to_file_watched(
        &self,
        path: &Path,
        taken: EpochMillis,
        is_durable: bool,
        each: EachStep<'_>,
    ) -> Result<CopyDescription, StoreError> {
        with_engine!(&self.engine, engine => engine.copy_to_file(path, taken, is_durable, each))
    }

    /// Puts a copy in the place of the whole database, in one step: reads and writes see what was there before, or the copy.
    /// Waits for maintenance, and for the writes that run.
    ///
    /// Readers of streams can go on: shard iterators stay valid, and sequence numbers that were given out until now are not
    /// given out again. What was read from this store before is void: tables, rows of streams and shards, positions of scans.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`], [`StoreError::Database`]; then nothing is changed.
    pub fn replace(&self, copy: DatabaseCopy) -> Result<(), StoreError> {
        self.replace_watched(copy, &mut copy::unwatched)
    }

    /// As [`replace`](Self::replace), and tells how far it is. In memory it is one step.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace); [`StoreError::BrokenOff`] if `each` says so.
    pub fn replace_watched(&self, copy: DatabaseCopy, each: EachStep<'_>) -> Result<(), StoreError> {
        with_engine!(&self.engine, engine => engine.replace(copy, each))
    }

    /// Gives the space of what was deleted back: writes the database anew, without its free pages. Waits for maintenance; writes
    /// wait until it is done, some second for 200 MB of data, reads go on. In a file it needs as much room again meanwhile.
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
