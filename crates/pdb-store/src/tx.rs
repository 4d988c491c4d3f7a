//! The two kinds of transaction, and what they have in common.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use pdb_model::{EpochMillis, IteratorKey, TableName};

use crate::{
    catalog::Catalog,
    driver::{Driver, Param},
    error::{During, StoreError},
    statistics::Deltas,
    table::Table,
};

/// A snapshot of the database: everything read through it is of one commit.
pub struct ReadTx<'a> {
    pub(crate) driver: Driver<'a>,
    pub(crate) catalog: Arc<Catalog>,
    /// What this transaction did to counts and sizes and has not written down yet; empty for a reader.
    pub(crate) deltas: Deltas,
}

impl<'a> ReadTx<'a> {
    pub(crate) fn new(driver: Driver<'a>, catalog: Arc<Catalog>) -> Self {
        Self { driver, catalog, deltas: Deltas::default() }
    }

    /// Returns a table.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableNotFound`].
    pub fn table(&mut self, name: &TableName) -> Result<Arc<Table>, StoreError> {
        self.catalog.get(name).cloned().ok_or_else(|| StoreError::TableNotFound(name.clone()))
    }

    /// Returns a table, if there is one of this name.
    #[must_use]
    pub fn find_table(&self, name: &TableName) -> Option<Arc<Table>> {
        self.catalog.get(name).cloned()
    }

    /// Returns up to `limit` names of tables in byte order, beginning after `after`.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn table_names(&mut self, after: Option<&str>, limit: u32) -> Result<Vec<TableName>, StoreError> {
        Ok(self.catalog.names_after(after).take(limit as usize).cloned().collect())
    }

    /// Returns all tables in byte order of their names.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn tables(&mut self) -> Result<Vec<Arc<Table>>, StoreError> {
        Ok(self.catalog.tables().cloned().collect())
    }

    /// Returns the secret that seals this database's shard iterators; made once, when the database was.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub fn iterator_key(&mut self) -> Result<IteratorKey, StoreError> {
        let key = self.driver.first(
            "read a setting",
            "SELECT value FROM pdb_setting WHERE name = ?1",
            &[Param::Text("iterator_key")],
            |row| row.blob(0)?.try_into().map_err(|e| StoreError::corrupt("iterator key", e)),
        )?;
        key.map(IteratorKey).ok_or_else(|| StoreError::corrupt("iterator key", "it is missing"))
    }
}

/// A transaction that may write. What it does is kept if the work it was given to returns `Ok`, and the commit succeeds.
pub struct Tx<'a> {
    read: ReadTx<'a>,
    /// Another piece of the same group has written: our writes need a savepoint to be undone alone.
    shared: bool,
    /// This piece has written.
    pub(crate) wrote: bool,
    /// The savepoint is there.
    pub(crate) savepoint: bool,
    moment: Option<EpochMillis>,
}

impl<'a> Deref for Tx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &ReadTx<'a> {
        &self.read
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.read
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(read: ReadTx<'a>, shared: bool) -> Self {
        Self { read, shared, wrote: false, savepoint: false, moment: None }
    }

    pub(crate) fn into_read(self) -> ReadTx<'a> {
        self.read
    }

    /// Returns the moment of this transaction's changes: the first call asks `now`, later ones get the same answer.
    pub fn moment(&mut self, now: impl FnOnce() -> EpochMillis) -> EpochMillis {
        *self.moment.get_or_insert_with(now)
    }

    /// Must be called before every statement that writes.
    pub(crate) fn will_write(&mut self) -> Result<(), StoreError> {
        if !self.wrote {
            if self.shared {
                self.read.driver.execute("SAVEPOINT piece", &[]).during("set a savepoint")?;
                self.savepoint = true;
            }
            self.wrote = true;
        }
        Ok(())
    }

    /// Runs one statement that writes; returns how many rows it changed.
    pub(crate) fn change(
        &mut self,
        during: &'static str,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<usize, StoreError> {
        self.will_write()?;
        self.read.driver.execute(sql, params).during(during)
    }

    /// Runs a statement that writes a row and returns the key the database gave it.
    pub(crate) fn insert(
        &mut self,
        during: &'static str,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<i64, StoreError> {
        self.will_write()?;
        let id = self.read.driver.first(during, sql, params, |row| row.integer(0))?;
        id.ok_or_else(|| StoreError::corrupt("new row", "it has no key"))
    }

    /// Runs statements that define tables. Names of ours have no blanks in them.
    pub(crate) fn define(&mut self, during: &'static str, sql: &str) -> Result<(), StoreError> {
        self.will_write()?;
        // SQLite keeps the text, and looks through all that it keeps at each definition: the shorter the better.
        let sql = sql.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        self.read.driver.batch(&sql).during(during)
    }

    /// The catalog, to be changed; other transactions see the change once it is committed.
    pub(crate) fn catalog_mut(&mut self) -> &mut Catalog {
        Arc::make_mut(&mut self.read.catalog)
    }
}
