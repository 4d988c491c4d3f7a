//! Bringing the items that are there up to a new definition: all of them in the transaction that changes it, so that there is
//! no moment, and no crash, after which an index holds only part of its table.

use std::sync::Arc;

use pdb_capture::{backfill_expiry, backfill_index};
use pdb_model::IndexName;
use pdb_store::{Table, Tx};

use crate::ItemsError;

/// Items decoded at a time: bounds memory, not the transaction.
const ITEMS_A_STEP: u32 = 1000;

/// Fills a new index.
pub(crate) fn fill_index(tx: &mut Tx<'_>, table: &Arc<Table>, index: &IndexName) -> Result<(), ItemsError> {
    let mut after = None;
    loop {
        after = backfill_index(tx, table, index, after.as_ref(), ITEMS_A_STEP)?;
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
