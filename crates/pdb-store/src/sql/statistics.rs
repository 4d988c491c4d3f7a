//! Item counts and sizes of tables and indexes: collected in memory while a group of jobs runs, written down with its
//! commit, so that they are exact after a crash and cost one small update a group.

use pdb_model::IndexName;

use crate::{
    error::StoreError,
    params::Param,
    read_tx::ReadTx,
    rows::{statistics::Statistics, table::Table},
    tx::Tx,
};

impl ReadTx<'_> {
    /// Returns how many items a table has, and their size: exact, as of this transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::TableNotFound`], [`StoreError::TableChanged`], [`StoreError::Database`].
    pub fn table_statistics(&mut self, table: &Table) -> Result<Statistics, StoreError> {
        let statistic = self.catalog.current(table)?.items.statistic;
        self.statistics(statistic)
    }

    /// Returns how many entries an index has, and their size: exact, as of this transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::IndexNotFound`], and as [`ReadTx::table_statistics`].
    pub fn index_statistics(&mut self, table: &Table, index: &IndexName) -> Result<Statistics, StoreError> {
        let statistic = self.catalog.current(table)?.index(index)?.sql.statistic;
        self.statistics(statistic)
    }

    fn statistics(&mut self, id: i64) -> Result<Statistics, StoreError> {
        let stored = self.driver.first(
            "read statistics",
            "SELECT CAST(sum(item_count) AS BIGINT), CAST(sum(size_bytes) AS BIGINT) FROM pdb_statistic \
             WHERE id = ?1",
            &[Param::Integer(id)],
            |row| Ok(row.optional_integer(0)?.zip(row.optional_integer(1)?)),
        )?;
        let (mut count, mut size) =
            stored.flatten().ok_or_else(|| StoreError::corrupt("statistics", "row is missing"))?;
        for delta in self.deltas.of(id) {
            count += delta.count;
            size += delta.size;
        }
        let whole = |n: i64| u64::try_from(n).map_err(|e| StoreError::corrupt("statistics", e));
        Ok(Statistics { item_count: whole(count)?, size_bytes: whole(size)? })
    }
}

impl Tx<'_> {
    pub(crate) fn count(&mut self, statistic: i64, count: i64, size: i64) {
        self.deltas.count(statistic, count, size);
    }
}
