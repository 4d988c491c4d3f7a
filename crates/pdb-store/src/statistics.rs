//! Item counts and sizes of tables and indexes: collected in memory while a group of pieces runs, written down with its
//! commit, so that they are exact after a crash and cost one small update a group.

use pdb_model::IndexName;

use crate::{
    driver::{Driver, Param},
    error::{During, StoreError},
    table::Table,
    tx::{ReadTx, Tx},
};

/// How many rows each statistic has on PostgreSQL, where writers that share one would wait for each other.
pub(crate) const SLOTS: i64 = 16;

/// How many items a table or an index has, and their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Items, or index entries.
    pub item_count: u64,
    /// Their size as DynamoDB counts it, in bytes.
    pub size_bytes: u64,
}

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
        if count != 0 || size != 0 {
            add(&mut self.deltas.piece, Delta { statistic, count, size });
        }
    }
}

#[cfg(feature = "postgres")]
impl Deltas {
    /// What is not written down yet of one statistic; it is from then on.
    pub(crate) fn take(&mut self, statistic: i64) -> (i64, i64) {
        let at = self.piece.iter().position(|delta| delta.statistic == statistic);
        at.map_or((0, 0), |at| {
            let delta = self.piece.swap_remove(at);
            (delta.count, delta.size)
        })
    }

    /// All that is not written down yet, in the order of the rows; it is from then on.
    pub(crate) fn take_all(&mut self) -> Vec<(i64, i64, i64)> {
        self.piece.sort_unstable_by_key(|delta| delta.statistic);
        self.piece.drain(..).map(|delta| (delta.statistic, delta.count, delta.size)).collect()
    }
}

/// Changes of counts and sizes that are not written down yet.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    /// Of pieces of the group that succeeded.
    kept: Vec<Delta>,
    /// Of the piece that runs.
    piece: Vec<Delta>,
}

#[derive(Clone, Copy, Debug)]
struct Delta {
    statistic: i64,
    count: i64,
    size: i64,
}

impl Deltas {
    fn of(&self, statistic: i64) -> impl Iterator<Item = &Delta> {
        self.kept.iter().chain(&self.piece).filter(move |delta| delta.statistic == statistic)
    }

    pub(crate) fn keep_piece(&mut self) {
        for delta in self.piece.drain(..) {
            add(&mut self.kept, delta);
        }
    }

    pub(crate) fn undo_piece(&mut self) {
        self.piece.clear();
    }

    pub(crate) fn undo_all(&mut self) {
        self.kept.clear();
        self.piece.clear();
    }

    /// Writes all down, in the order of the rows.
    pub(crate) fn flush(&mut self, driver: Driver<'_>) -> Result<(), StoreError> {
        self.kept.sort_unstable_by_key(|delta| delta.statistic);
        for delta in self.kept.drain(..) {
            driver
                .execute(
                    "UPDATE pdb_statistic SET item_count = item_count + ?2, size_bytes = size_bytes + ?3 \
                     WHERE id = ?1",
                    &[
                        Param::Integer(delta.statistic),
                        Param::Integer(delta.count),
                        Param::Integer(delta.size),
                    ],
                )
                .during("write statistics")?;
        }
        Ok(())
    }
}

/// Few tables change in one group, so a search beats a map.
fn add(deltas: &mut Vec<Delta>, delta: Delta) {
    match deltas.iter_mut().find(|known| known.statistic == delta.statistic) {
        Some(known) => {
            known.count += delta.count;
            known.size += delta.size;
        }
        None => deltas.push(delta),
    }
}
