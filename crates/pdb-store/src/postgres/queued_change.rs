//! Changes that wait for the end of their transaction, when they are appended to the histories of their tables.
//!
//! As with stream records (`queued_record.rs`), the number of a change comes from a row, that of the history, which then stays locked until the
//! commit. So all transactions that write to a table with a history pass through that row one at a time, and it is locked as late as can be.

use std::sync::Arc;

use pdb_model::{EncodedItem, EpochMillis, KeyBytes};

use crate::{
    driver::Driver,
    error::{During, StoreError},
    params::Param,
    postgres::texts,
    rows::{history::AppendedChange, table::TableId},
    sql::texts::HistoryTable,
};

/// A change without its number.
#[derive(Debug)]
pub(crate) struct QueuedChange {
    table: TableId,
    history: Arc<HistoryTable>,
    key: KeyBytes,
    old: Option<EncodedItem>,
    changed: EpochMillis,
    size_bytes: i64,
    /// Without number and time, which SQL adds.
    checksum: i64,
}

impl QueuedChange {
    pub(crate) fn new(table: TableId, change: AppendedChange<'_>) -> Self {
        Self {
            table,
            history: change.history.sql.clone(),
            key: change.key.clone(),
            old: change.old.cloned(),
            changed: change.changed,
            size_bytes: change.size_bytes(),
            checksum: change.checksum().stored(change.history.sql.salt),
        }
    }

    /// Appends changes, table by table. Those of one table keep their order; all of one transaction get the same time.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if a history ended meanwhile.
    pub(crate) fn append_all(mut changes: Vec<Self>, driver: Driver<'_>) -> Result<(), StoreError> {
        // Stable.
        changes.sort_by_key(|change| change.table);
        changes.iter().try_for_each(|change| change.append(driver))
    }

    fn append(&self, driver: Driver<'_>) -> Result<(), StoreError> {
        let key = texts::key_columns(self.key.as_bytes());
        let params = key.all([
            Param::Integer(self.table.0),
            Param::Integer(self.changed.0),
            Param::optional_text(self.old.as_ref().map(EncodedItem::json)),
            Param::Integer(self.size_bytes),
            Param::Integer(self.checksum),
        ]);
        let appended = driver.execute(&self.history.append, &params).during("append to a history")?;
        // A transaction that ends a history stops the writers of its table first, so this is for databases that somebody has changed by hand.
        if appended == 1 { Ok(()) } else { Err(driver.stale()) }
    }
}
