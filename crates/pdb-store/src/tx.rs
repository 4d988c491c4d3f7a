//! The two kinds of transaction, and what they have in common.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use pdb_model::{EpochMillis, IteratorKey, TableName};

use crate::{
    catalog::Catalog,
    dialect::Dialect,
    driver::{Driver, Param},
    error::{During, StoreError},
    names,
    rows::{
        queued_record::QueuedRecord,
        statistics::Deltas,
        table::{StreamId, Table, TableId},
    },
    sql::{rotation::DueRotation, settings},
};

/// A snapshot of the database: everything read through it is of one commit.
pub struct ReadTx<'a> {
    pub(crate) driver: Driver<'a>,
    pub(crate) catalog: Arc<Catalog>,
    /// What this transaction did to counts and sizes and has not written down yet; empty for a reader.
    pub(crate) deltas: Deltas,
    /// Stream records that this transaction has yet to write: on PostgreSQL they come last, since their shard is locked with
    /// them.
    pub(crate) records: Vec<QueuedRecord>,
}

impl<'a> ReadTx<'a> {
    pub(crate) fn new(driver: Driver<'a>, catalog: Arc<Catalog>) -> Self {
        Self { driver, catalog, deltas: Deltas::default(), records: Vec::new() }
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
        let key = settings::get(self.driver, "iterator_key", |value| {
            value.try_into().map_err(|e| StoreError::corrupt("iterator key", e))
        })?;
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
    /// The tables it wrote to, noted on PostgreSQL.
    pub(crate) touched: Vec<TableId>,
    /// The tables whose definition or shards it changed, likewise.
    pub(crate) redefined: Vec<TableId>,
    /// It holds the catalog, likewise.
    pub(crate) holds_catalog: bool,
    /// It holds the catalog, or was to and found it changed, likewise.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite's catalog has one owner"))]
    pub(crate) wants_catalog: bool,
    /// What has to be done in a transaction before this one, likewise.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite rotates at once"))]
    pub(crate) due_rotations: Vec<DueRotation>,
    /// Which of several writes is carried out, likewise; see [`Tx::order_records_as`].
    pub(crate) position: usize,
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
        Self {
            read,
            shared,
            wrote: false,
            savepoint: false,
            moment: None,
            touched: Vec::new(),
            redefined: Vec::new(),
            holds_catalog: false,
            wants_catalog: false,
            due_rotations: Vec::new(),
            position: 0,
        }
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
        self.read.driver.batch(&sql).during(during)?;
        self.catalog_mut().schema = Arc::default();
        Ok(())
    }

    /// Notes that this transaction writes to a table. On PostgreSQL it may be committed only if the table is still the same.
    pub(crate) fn touch(&mut self, table: &Table) {
        if self.read.driver.dialect() == Dialect::Postgres && !self.touched.contains(&table.id) {
            self.touched.push(table.id);
        }
    }

    /// Must be called before anything that [`Catalog`] keeps is looked at in order to be changed.
    ///
    /// SQLite has one writer, so there is nothing to do. On PostgreSQL this locks the catalog, and fails, to be run again, if
    /// it is no longer as this transaction knows it.
    pub(crate) fn hold_catalog(&mut self) -> Result<(), StoreError> {
        let driver = self.read.driver;
        if driver.dialect() == Dialect::Sqlite || self.holds_catalog {
            return Ok(());
        }
        self.wants_catalog = true;
        let version = driver.first(
            "lock the catalog",
            "SELECT version FROM pdb_catalog WHERE id = 1 FOR UPDATE",
            &[],
            |row| row.integer(0),
        )?;
        if version != Some(self.read.catalog.version) {
            return Err(driver.stale());
        }
        self.holds_catalog = true;
        let catalog = self.catalog_mut();
        catalog.version += 1;
        let version = catalog.version;
        self.change(
            "count up the catalog",
            "UPDATE pdb_catalog SET version = ?1 WHERE id = 1",
            &[Param::Integer(version)],
        )?;
        Ok(())
    }

    /// Must be called before many items of a table are changed, or the table of items is: afterwards on PostgreSQL no other
    /// transaction has unfinished work on them, and those that would begin some wait. Comes before [`redefine`](Self::redefine),
    /// because writers lock items first and pass that gate last.
    ///
    /// Readers are not held up. Of several tables, those with lower names come first.
    pub(crate) fn hold_items(&mut self, table: &TableName) -> Result<(), StoreError> {
        self.hold_catalog()?;
        if self.read.driver.dialect() == Dialect::Sqlite {
            return Ok(());
        }
        let items = names::quoted(&names::item_table(table.as_str()));
        self.define("lock a table of items", &format!("LOCK TABLE {items} IN EXCLUSIVE MODE"))
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
    pub fn hold_stream(&mut self, stream: StreamId) -> Result<(), StoreError> {
        if self.read.driver.dialect() == Dialect::Postgres {
            let sql = "SELECT id FROM pdb_stream WHERE id = ?1 FOR UPDATE";
            self.read.driver.first("lock a stream", sql, &[Param::Integer(stream.0)], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Returns whether others may write at the same time as this transaction: then who writes several items does so in the
    /// order of table names and keys, so that no two wait for each other.
    #[must_use]
    pub fn has_rivals(&self) -> bool {
        self.read.driver.dialect() == Dialect::Postgres
    }

    /// Says that the records to come belong to the write of this position in the request. Where items are written in the order
    /// of their keys (see [`has_rivals`](Self::has_rivals)), records keep the order of the request nevertheless.
    pub fn order_records_as(&mut self, position: usize) {
        self.position = position;
    }

    /// Must be called before a table's definition or open shards are changed, and before a shard is locked for that; afterwards
    /// on PostgreSQL no other transaction has unfinished work on the table, and none that began before can finish.
    pub(crate) fn redefine(&mut self, table: TableId) -> Result<(), StoreError> {
        self.hold_catalog()?;
        if self.read.driver.dialect() == Dialect::Sqlite || self.redefined.contains(&table) {
            return Ok(());
        }
        let params = [Param::Integer(table.0), Param::Integer(self.read.catalog.version)];
        self.change(
            "stop writers of a table",
            "UPDATE pdb_statistic SET version = ?2 WHERE table_id = ?1 AND index_name = ''",
            &params,
        )?;
        self.change("note a table's version", "UPDATE pdb_metadata SET version = ?2 WHERE id = ?1", &params)?;
        self.redefined.push(table);
        if let Some(known) = self.read.catalog.by_id(table).cloned() {
            self.catalog_mut().insert(known.with_stream(known.stream.clone()));
        }
        Ok(())
    }

    /// The catalog, to be changed; other transactions see the change once it is committed.
    pub(crate) fn catalog_mut(&mut self) -> &mut Catalog {
        Arc::make_mut(&mut self.read.catalog)
    }
}
