//! Bringing the items that are there up to a new definition: all of them in the transaction that changes it, so that there is
//! no moment, and no crash, after which an index holds only part of its table.

use std::sync::Arc;

use pdb_capture::{backfill_expiry, backfill_index};
use pdb_model::IndexName;
use pdb_store::{Activities, Table, Tx};

use crate::ItemsError;

/// Items decoded at a time: bounds memory, not the transaction.
const ITEMS_A_STEP: u32 = 1000;
/// From how many items on it is told that an index is being filled, and not only that it was: some seconds.
const MANY_ITEMS: u64 = 50_000;

/// Fills a new index.
pub(crate) fn fill_index(
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    index: &IndexName,
    activities: &Activities,
) -> Result<(), ItemsError> {
    let activity = activities.begin(format!("filling the index {index} of {}", table.name()));
    activity.begin_part("", "items", (0.0, 1.0));
    let items = tx.table_statistics(table)?.item_count;
    if items >= MANY_ITEMS {
        tracing::info!(table = %table.name(), index = index.as_str(), items, "filling an index");
    }
    let (mut after, mut done) = (None, 0);
    loop {
        after = backfill_index(tx, table, index, after.as_ref(), ITEMS_A_STEP)?;
        done += u64::from(ITEMS_A_STEP);
        activity.step(done.min(items), items);
        if after.is_none() {
            tracing::info!(table = %table.name(), index = index.as_str(), "filled an index");
            return Ok(());
        }
    }
}

/// Notes for all items when they expire.
pub(crate) fn set_expiries(tx: &mut Tx<'_>, table: &Arc<Table>) -> Result<(), ItemsError> {
    let mut after = None;
    loop {
        after = backfill_expiry(tx, table, after.as_ref(), ITEMS_A_STEP)?;
        if after.is_none() {
            return Ok(());
        }
    }
}
