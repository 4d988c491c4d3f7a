//! Reading a database in order to check it: every row as it is stored, also those that cannot be read.

mod rows;

pub use rows::{RowSum, StoredChange, StoredEntry, StoredItem, StoredRecord, StoredRow};

use std::{collections::BTreeSet, ops::ControlFlow};

use crate::{error::StoreError, names, options::StoreOptions, read_tx::ReadTx, store::Store, transfer::Part};
#[cfg(feature = "sqlite")]
use crate::{options::Location, sqlite::inspected_file::InspectedFile};

/// What is done with each row, or with the error in its place; it may read more.
pub type EachRow<'f, 'a> = dyn FnMut(&mut ReadTx<'a>, Result<StoredRow, StoreError>) -> ControlFlow<()> + 'f;

/// A database that is open to be checked.
pub struct Inspection {
    source: Source,
}

enum Source {
    /// A file that nobody else has open, and that is not written to.
    #[cfg(feature = "sqlite")]
    File(InspectedFile),
    /// A server, which others may use meanwhile, or a database that is open already.
    Store(Store),
}

impl Inspection {
    /// Opens a database. A file is only read, and must not be in use; a server may be.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if there is no such database, or it is in use, of another program, of a newer version, or of an older one
    /// that was never opened by this one; [`StoreError::Corrupt`] and [`StoreError::Database`] if definitions cannot be read.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        #[cfg(feature = "sqlite")]
        if let Location::File(path) = &options.location {
            return Ok(Self { source: Source::File(InspectedFile::open(path)?) });
        }
        Ok(Self::of(Store::open(options)?))
    }

    /// Checks a database that is open.
    #[must_use]
    pub fn of(store: Store) -> Self {
        Self { source: Source::Store(store) }
    }

    /// Reads: everything `work` sees is of one commit.
    ///
    /// # Errors
    ///
    /// Those of `work`, and as [`Store::read`].
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match &self.source {
            #[cfg(feature = "sqlite")]
            Source::File(file) => work(&mut file.read()),
            Source::Store(store) => store.read(work),
        }
    }
}

impl std::fmt::Debug for Inspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inspection").finish_non_exhaustive()
    }
}

impl<'a> ReadTx<'a> {
    /// Has SQLite check the structure of the file and its indexes; returns what it finds. A database server checks itself.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn structural_damage(&mut self) -> Result<Vec<String>, StoreError> {
        let Some(sql) = self.driver.dialect().check_structure() else { return Ok(Vec::new()) };
        let mut found =
            self.driver.all("check the file", sql, &[], |row| Ok(row.text(0)?.replace('\n', " ")))?;
        found.retain(|line| line != "ok");
        Ok(found)
    }

    /// Returns what belongs to nothing: SQL tables that no table, history, stream or backup of the database has, those that are missing, and
    /// rows of streams, shards, histories and statistics without what they are about. `backups` are the names under which
    /// [`Tx::keep_items`](crate::Tx::keep_items) keeps items.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub fn orphans(&mut self, backups: &[String]) -> Result<Vec<String>, StoreError> {
        let mut expected: BTreeSet<String> = backups.iter().map(|name| names::kept_table(name)).collect();
        for table in self.tables()? {
            expected.insert(names::item_table(table.name().as_str()));
            expected.extend(table.indexes.iter().map(|index| index.table.clone()));
            expected.extend(table.history.as_ref().map(|history| history.sql.name.clone()));
        }
        expected.extend(self.streams(None)?.iter().map(|stream| stream.records.name.clone()));
        let sql = self.driver.dialect().list_tables();
        let there = self.driver.all("list tables", sql, &[], |row| Ok(row.text(0)?.to_owned()))?;
        let there: BTreeSet<String> =
            there.into_iter().filter(|name| names::is_made_at_run_time(name)).collect();
        let mut found = Vec::new();
        found.extend(expected.difference(&there).map(|name| format!("the SQL table `{name}` is missing")));
        found.extend(
            there.difference(&expected).map(|name| format!("the SQL table `{name}` belongs to nothing")),
        );
        for (what, sql) in [
            (
                "shards belong to no stream",
                "SELECT count(*) FROM pdb_shard WHERE stream_id NOT IN (SELECT id FROM pdb_stream)",
            ),
            (
                "counts belong to no table",
                "SELECT count(*) FROM pdb_statistic WHERE table_id NOT IN (SELECT id FROM pdb_metadata)",
            ),
            (
                "histories belong to no table",
                "SELECT count(*) FROM pdb_history WHERE table_id NOT IN (SELECT id FROM pdb_metadata)",
            ),
        ] {
            let count = self.driver.first("look for orphans", sql, &[], |row| row.integer(0))?.unwrap_or(0);
            if count > 0 {
                found.push(format!("{count} {what}"));
            }
        }
        Ok(found)
    }

    /// Returns whether a table has the SQL index that finds expired items, which it needs while it has a time-to-live attribute. On
    /// a server it is taken for granted.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn has_expiry_index(&mut self, table: &crate::Table) -> Result<bool, StoreError> {
        let Some(sql) = self.driver.dialect().find_index() else { return Ok(true) };
        let name = names::expiry_index(table.name().as_str());
        let found =
            self.driver.first("look for an index", sql, &[crate::params::Param::Text(&name)], |_| Ok(()))?;
        Ok(found.is_some())
    }

    /// Hands all rows of a part to `each`, in the order of their keys; in the place of one that cannot be read, or is not what
    /// was written, the error. Holds some megabytes of rows at a time.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if the keys are not in order, [`StoreError::Database`]: then there is no going on in this part.
    pub fn walk(&mut self, part: &Part, each: &mut EachRow<'_, 'a>) -> Result<(), StoreError> {
        rows::walk(self, part, each)
    }
}
