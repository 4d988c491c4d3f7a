//! A transaction that reads.

use std::sync::Arc;

use pdb_model::{IteratorKey, TableName};

use crate::{
    catalog::Catalog,
    driver::Driver,
    error::StoreError,
    rows::{statistics::Deltas, table::Table},
    sql::settings,
    traffic::TableTraffic,
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
        let key = settings::get(self.driver, "iterator_key", |value| {
            value.try_into().map_err(|e| StoreError::corrupt("iterator key", e))
        })?;
        key.map(IteratorKey).ok_or_else(|| StoreError::corrupt("iterator key", "it is missing"))
    }

    /// Counts what this transaction does with a table or its stream, for [`Store::traffic`](crate::Store::traffic). What a transaction
    /// that writes does counts once it is committed.
    pub fn count_traffic(&mut self, table: &Table, traffic: TableTraffic) {
        self.deltas.add_traffic(&table.traffic, traffic);
    }

    /// As [`count_traffic`](Self::count_traffic), of a table that is not at hand, or gone.
    pub fn count_traffic_of(&mut self, table: &TableName, traffic: TableTraffic) {
        let counters = match self.catalog.get(table) {
            Some(table) => table.traffic.clone(),
            None => self.catalog.traffic.of(table),
        };
        self.deltas.add_traffic(&counters, traffic);
    }

    /// Counts what a transaction did that only reads, if it succeeded.
    pub(crate) fn count_if(&mut self, has_succeeded: bool) {
        if has_succeeded {
            self.deltas.count_job_traffic();
        }
    }

    /// The catalog, to be changed; other transactions see the change once it is committed.
    pub(crate) fn catalog_mut(&mut self) -> &mut Catalog {
        Arc::make_mut(&mut self.catalog)
    }
}
