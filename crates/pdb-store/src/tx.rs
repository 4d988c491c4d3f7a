//! A transaction that writes.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use pdb_model::{EpochMillis, TableName};

use crate::{
    error::{During, StoreError},
    params::Param,
    read_tx::ReadTx,
    rows::table::{StreamId, Table, TableId},
    transaction::EngineTx,
};

/// A transaction that may write. What it does is kept if the work it was given to returns `Ok`, and the commit succeeds.
pub struct Tx<'a> {
    pub(crate) read: ReadTx<'a>,
    pub(crate) engine: EngineTx<'a>,
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
    pub(crate) fn new(read: ReadTx<'a>, engine: EngineTx<'a>) -> Self {
        Self { read, engine, moment: None }
    }

    pub(crate) fn into_read(self) -> ReadTx<'a> {
        self.read
    }

    /// Returns the moment of this transaction's changes: the first call asks `now`, later ones get the same answer.
    pub fn moment(&mut self, now: impl FnOnce() -> EpochMillis) -> EpochMillis {
        *self.moment.get_or_insert_with(now)
    }

    /// Runs one statement that writes; returns how many rows it changed.
    pub(crate) fn change(
        &mut self,
        during: &'static str,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<usize, StoreError> {
        self.before_write()?;
        self.read.driver.execute(sql, params).during(during)
    }

    /// Runs a statement that writes a row and returns the key the database gave it.
    pub(crate) fn insert(
        &mut self,
        during: &'static str,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<i64, StoreError> {
        self.before_write()?;
        let id = self.read.driver.first(during, sql, params, |row| row.integer(0))?;
        id.ok_or_else(|| StoreError::corrupt("new row", "it has no key"))
    }

    /// Runs statements that define tables. Names of ours have no blanks in them.
    pub(crate) fn define(&mut self, during: &'static str, sql: &str) -> Result<(), StoreError> {
        self.before_write()?;
        // SQLite keeps the text, and looks through all that it keeps at each definition: the shorter the better.
        let sql = sql.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        self.read.driver.batch(&sql).during(during)?;
        self.catalog_mut().schema = Arc::default();
        Ok(())
    }

    /// Must be called before every statement that writes and does not go through [`change`](Self::change) and its like.
    pub(crate) fn before_write(&mut self) -> Result<(), StoreError> {
        self.engine.before_write(&mut self.read)
    }

    /// Notes that this transaction writes to a table. It may be committed only if the table is still the same.
    pub(crate) fn note_table(&mut self, table: &Table) {
        self.engine.note_table(table.id);
    }

    /// Must be called before anything that the catalog has is looked at in order to be changed. Afterwards no other transaction changes
    /// the catalog until the commit.
    pub(crate) fn lock_catalog(&mut self) -> Result<(), StoreError> {
        self.engine.before_definition(&mut self.read)
    }

    /// Must be called before many items of a table are changed, or the table of items is: afterwards no other transaction has unfinished
    /// work on them, and those that would begin some wait. Comes before [`lock_definition`](Self::lock_definition), because writers lock
    /// items first and pass that gate last.
    ///
    /// Readers are not held up. Of several tables, those with lower names come first.
    pub(crate) fn lock_items(&mut self, table: &TableName) -> Result<(), StoreError> {
        self.lock_catalog()?;
        self.engine.lock_items(&mut self.read, table)
    }

    /// Must be called before a table's definition or open shards are changed, and before a shard is locked for that; afterwards
    /// no other transaction has unfinished work on the table, and none that began before can finish. Methods that change a definition
    /// do so themselves.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Conflict`].
    pub fn lock_definition(&mut self, table: TableId) -> Result<(), StoreError> {
        self.lock_catalog()?;
        self.engine.before_redefinition(&mut self.read, table)
    }

    /// Keeps other transactions from removing the stream, its shards or its records until the commit, and waits for one that does
    /// so now.
    ///
    /// Must be called before a stream's row, its shards or its records are removed, and before several of its shards are
    /// locked: trims, which do not hold the catalog, lock that row first too.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn lock_stream(&mut self, stream: StreamId) -> Result<(), StoreError> {
        self.engine.lock_stream(&mut self.read, stream)
    }

    /// Returns whether other transactions may write at the same time. If so, write several items in the order of table names and keys, so
    /// that no two transactions wait for each other.
    #[must_use]
    pub fn has_rivals(&self) -> bool {
        self.engine.has_rivals()
    }

    /// Says that the records to come belong to the write of this position in the request. Where items are written in the order
    /// of their keys (see [`has_rivals`](Self::has_rivals)), records keep the order of the request nevertheless.
    pub fn order_records_as(&mut self, position: usize) {
        self.engine.order_records_as(position);
    }
}
