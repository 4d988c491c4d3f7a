//! The past of a table, read in pages: its items at a moment, and what changed between two.
//!
//! Each page is a read of its own. A read of everything at once would hold the writer of a database in memory, keep the log of a file from being
//! copied back, and take memory for all keys that have changed. Pages of different snapshots fit together because of the history: it knows
//! of each item that a page finds whether it has changed since the state that is read.

mod changes;
mod items;
mod walk;

use std::{ops::ControlFlow, sync::Arc};

use pdb_model::{EpochMillis, TableName};

use crate::{
    driver::RangeStep,
    error::StoreError,
    read_tx::ReadTx,
    rows::{
        history::{ChangeRef, OpenHistory},
        table::{Table, TableId},
    },
    sql::history::{first_after, last, read_whole_change, span},
};

pub use changes::{NetChange, NetChanges};
pub use items::PastItems;

/// A state of a table that its history leads back to.
///
/// It stays the same while the table changes, so it can be stored, and read again after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastState {
    /// The moment.
    pub moment: EpochMillis,
    /// The number in the history below which all changes belong to the state, and from which on none does.
    pub first_later_change: i64,
}

impl ReadTx<'_> {
    /// Returns the state of a table after all changes that were made by `moment` and are committed. `None` if its history does not lead back
    /// to it.
    ///
    /// Of the present moment, what is committed later does not belong to the state, also if it is of the same millisecond.
    ///
    /// # Errors
    ///
    /// As [`history_span`](Self::history_span).
    pub fn past_state(
        &mut self,
        table: &Table,
        moment: EpochMillis,
    ) -> Result<Option<PastState>, StoreError> {
        let Some(earliest) = self.history_span(table)?.and_then(|span| span.earliest) else {
            return Ok(None);
        };
        // Of a history that was never trimmed, the state before its first millisecond is known, too.
        let enabled = table.definition.point_in_time_recovery.map(|recovery| recovery.enabled);
        let from_beginning = moment.0.saturating_add(1) == earliest.0 && enabled == Some(earliest);
        if moment < earliest && !from_beginning {
            return Ok(None);
        }
        let table = self.catalog.current(table)?;
        let Some(history) = &table.history else { return Ok(None) };
        let first = match first_after(self.driver, &history.sql, moment) {
            Ok(Some(first)) => Ok(first),
            // All that comes is later. While there is no change at all, that is any number.
            Ok(None) => last(self.driver, &history.sql).map(|last| last.map_or(0, |(number, _)| number + 1)),
            Err(error) => Err(error),
        };
        let first_later_change = first.map_err(|error| error.of_table(table.name()))?;
        Ok(Some(PastState { moment: moment.max(earliest), first_later_change }))
    }

    /// Hands the changes of a table whose numbers are not below `from` to `each`, until that breaks off.
    fn read_past_changes(
        &mut self,
        (table, history): (&TableName, &OpenHistory),
        from: i64,
        each: &mut dyn FnMut(&ChangeRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let sql = &history.sql;
        let read = self.driver.read_records("read changes", &sql.read, (from, i64::MAX), |row| {
            let change = read_whole_change(row, sql.salt)?;
            let bytes = change.key.len() + change.old.map_or(0, |old| old.json.len());
            Ok(RangeStep { flow: each(&change), bytes })
        });
        read.map_err(|error| error.of_table(table))
    }
}

/// The table of a walk through the past.
#[derive(Clone, Debug)]
struct PastTable {
    id: TableId,
    name: TableName,
    state: PastState,
}

impl PastTable {
    fn new(table: &Table, state: PastState) -> Self {
        Self { id: table.id, name: table.name().clone(), state }
    }

    /// Returns the table and its history, if that still leads back to the state.
    fn find(&self, tx: &mut ReadTx<'_>) -> Result<(Arc<Table>, OpenHistory), StoreError> {
        let table = tx.find_table(&self.name).filter(|table| table.id == self.id);
        let table = table.ok_or_else(|| StoreError::TableNotFound(self.name.clone()))?;
        let lost = || StoreError::PastLost(self.name.clone());
        let history = table.history.clone().ok_or_else(lost)?;
        let span = span(tx.driver, table.id, &self.name, &history.sql);
        let span = span.map_err(|error| error.of_table(&self.name))?;
        if span.earliest.is_none_or(|earliest| earliest > self.state.moment) {
            return Err(lost());
        }
        Ok((table, history))
    }
}

#[cfg(test)]
mod tests;
