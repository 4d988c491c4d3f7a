//! Updating existing items after a table's definition has changed: index entries and expiry times.
//!
//! The work is done in steps, which bounds the memory. All steps run in the transaction that changes the definition, because nobody else may
//! write to the table before its items match the definition.

use std::sync::Arc;

use pdb_model::{EncodedItem, IndexName, KeyBytes};
use pdb_store::{StoreError, Table, Tx};

use crate::{
    error::CaptureError,
    expiry::expires_at,
    indexes::{BaseKey, Entry, ItemForms},
};

/// Adds the entries of up to `limit` items to a new index, beginning after the key `after`. Returns the last key if more items may follow.
///
/// The caller has added the index to the table's definition in this transaction. Items whose attributes do not fit the index are left
/// out, as on AWS.
///
/// # Errors
///
/// [`CaptureError::Corrupt`], [`CaptureError::Store`].
pub fn backfill_index(
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    index: &IndexName,
    after: Option<&KeyBytes>,
    limit: u32,
) -> Result<Option<KeyBytes>, CaptureError> {
    let definition = table
        .definition
        .any_index(index.as_str())
        .ok_or_else(|| StoreError::IndexNotFound { table: table.name().clone(), index: index.clone() })?;
    let (items, last) = next_items(tx, table, after, limit)?;
    for (key, encoded) in items {
        let item = encoded.decode().map_err(CaptureError::Corrupt)?;
        let forms = ItemForms { item: &item, encoded: &encoded };
        let primary_key = table.definition.key_schema.extract(&item);
        let primary_key =
            primary_key.map_err(|error| StoreError::corrupt("item", error).of_table(table.name()))?;
        let base = BaseKey::new(&table.definition, &primary_key, &key);
        if let Ok(Some(entry)) = Entry::of(definition, table, base, forms) {
            tx.put_index_entry(table, index, entry.stored(), None)?;
        }
    }
    Ok(last)
}

/// Stores for up to `limit` items when they expire, beginning after the key `after`. Returns the last key if more items may follow.
///
/// The caller has set or removed the time-to-live attribute in the table's definition in this transaction. Without the attribute no item
/// expires.
///
/// # Errors
///
/// [`CaptureError::Corrupt`], [`CaptureError::Store`].
pub fn backfill_expiry(
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    after: Option<&KeyBytes>,
    limit: u32,
) -> Result<Option<KeyBytes>, CaptureError> {
    let (items, last) = next_items(tx, table, after, limit)?;
    for (key, encoded) in items {
        let expiry = match &table.definition.time_to_live_attribute {
            None => None,
            Some(_) => expires_at(&table.definition, &encoded.decode().map_err(CaptureError::Corrupt)?),
        };
        tx.set_expiry(table, &key, expiry)?;
    }
    Ok(last)
}

type Items = Vec<(KeyBytes, EncodedItem)>;

fn next_items(
    tx: &mut Tx<'_>,
    table: &Table,
    after: Option<&KeyBytes>,
    limit: u32,
) -> Result<(Items, Option<KeyBytes>), CaptureError> {
    let limit = limit.max(1);
    let items = tx.next_items(table, after, limit)?;
    let last = items.last().filter(|_| items.len() == limit as usize).map(|(key, _)| key.clone());
    Ok((items, last))
}
