//! The end of a transaction that writes: what is locked last, in the order in which everybody locks it.

use crate::{
    driver::{Driver, Param},
    error::{During, StoreError},
    tx::Tx,
};

impl Tx<'_> {
    /// Writes what was kept back: counts and sizes, table by table, then stream records, shard by shard.
    ///
    /// A table is found unchanged, and kept so until the commit, with its row of counts: whoever changes the table or its
    /// shards updates the version in all of its rows first. So this is done for every table written to, also if there is nothing
    /// to count.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if a table has changed: the transaction must be run again.
    pub(crate) fn finish(&mut self, slot: i64) -> Result<(), StoreError> {
        let driver: Driver<'_> = self.driver;
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        for id in touched {
            // Dropped in this very transaction.
            let Some(table) = self.catalog.by_id(id).cloned() else { continue };
            let (count, size) = self.deltas.take(table.items.statistic);
            let changed = driver
                .execute(
                    "UPDATE pdb_statistic SET item_count = item_count + ?4, size_bytes = size_bytes + ?5 \
                     WHERE id = ?1 AND slot = ?2 AND version = ?3",
                    &[
                        Param::Integer(table.items.statistic),
                        Param::Integer(slot),
                        Param::Integer(table.version),
                        Param::Integer(count),
                        Param::Integer(size),
                    ],
                )
                .during("write statistics")?;
            if changed != 1 {
                return Err(driver.stale());
            }
        }
        for (statistic, count, size) in self.deltas.take_all() {
            driver
                .execute(
                    "UPDATE pdb_statistic SET item_count = item_count + ?3, size_bytes = size_bytes + ?4 \
                     WHERE id = ?1 AND slot = ?2",
                    &[
                        Param::Integer(statistic),
                        Param::Integer(slot),
                        Param::Integer(count),
                        Param::Integer(size),
                    ],
                )
                .during("write statistics")?;
        }
        self.write_records()
    }
}
