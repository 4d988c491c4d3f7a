//! Trimming the histories of tables with point-in-time recovery.

use crate::throttle::timed;
use crate::{CleanupError, Throttle};
use pdb_model::{EpochMillis, TableName};
use pdb_store::{ReadTx, Store, StoreError, Table};
use std::sync::Arc;
use std::time::Duration;

/// Removes from all histories what no restorable moment needs: changes that were made at the beginning of the recovery period of their table, or before.
/// Returns how many.
///
/// # Errors
///
/// [`CleanupError::Store`]. What was removed before the error stays removed.
pub fn trim_histories(store: &Store, now: EpochMillis, throttle: &Throttle) -> Result<u64, CleanupError> {
    let mut removed = 0;
    for table in store.read(|tx| tx.tables())? {
        removed += trim_history(store, now, table.name(), throttle)?;
        if throttle.is_stopped() {
            break;
        }
    }
    Ok(removed)
}

fn trim_history(
    store: &Store,
    now: EpochMillis,
    table_name: &TableName,
    throttle: &Throttle,
) -> Result<u64, CleanupError> {
    let removed = throttle.repeat(store, |limit| {
        // Most histories have nothing to trim. A read finds that out without taking the writer.
        let is_due = store.read(|tx| match horizon_of(tx, table_name, now) {
            Some((table, horizon)) => tx.has_history_before(&table, horizon),
            None => Ok(false),
        })?;
        if !is_due {
            return Ok::<_, StoreError>((0, Duration::ZERO));
        }
        let table_name = table_name.clone();
        store.write(move |tx| {
            timed(|| match horizon_of(tx, &table_name, now) {
                Some((table, horizon)) => tx.trim_history(&table, horizon, limit),
                None => Ok(0),
            })
        })
    })?;
    Ok(removed)
}

/// Returns the table and the moment up to which its changes are no longer needed, if it has point-in-time recovery.
fn horizon_of(
    tx: &mut ReadTx<'_>,
    table_name: &TableName,
    now: EpochMillis,
) -> Option<(Arc<Table>, EpochMillis)> {
    let table = tx.find_table(table_name)?;
    let days = table.definition.point_in_time_recovery?.recovery_period_days;
    // A millisecond more is kept: an export of what has changed since the first moment needs the state before it.
    Some((table, now.minus(Duration::from_secs(u64::from(days) * 24 * 60 * 60) + Duration::from_millis(1))))
}
