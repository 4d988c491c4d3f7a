//! Time to live: deleting expired items.

use crate::throttle::timed;
use crate::{CleanupError, Throttle};
use pdb_capture::CaptureError;
use pdb_model::{Env, KeyError, ParseError, TableName, UserIdentity};
use pdb_store::{Store, StoreError, Tx};
use std::time::Duration;

/// Items that expired longer ago are never deleted. AWS assumes that such an attribute is not a time.
const OLDEST_EXPIRY_SECONDS: i64 = 5 * 365 * 24 * 60 * 60;

/// Deletes all expired items of every table that has a time-to-live attribute. Returns how many.
///
/// Each step looks for expired items in the transaction that deletes them, so an item stays if an update has extended its life. The
/// stream records name the service as the user.
///
/// # Errors
///
/// [`CleanupError::Store`], [`CleanupError::Capture`]. Items that were deleted before the error stay deleted.
pub fn expire_items(store: &Store, env: &Env, throttle: &Throttle) -> Result<u64, CleanupError> {
    let tables = store.read(|tx| tx.tables())?;
    let mut removed = 0;
    for table in tables.iter().filter(|table| table.definition.time_to_live_attribute.is_some()) {
        removed += expire_items_of(store, env, table.name(), throttle)?;
    }
    Ok(removed)
}

fn expire_items_of(
    store: &Store,
    env: &Env,
    table_name: &TableName,
    throttle: &Throttle,
) -> Result<u64, CleanupError> {
    throttle.repeat(store, |limit| {
        let now = env.clock.now().seconds();
        let after = now.saturating_sub(OLDEST_EXPIRY_SECONDS).saturating_sub(1);
        // Most tables have nothing to expire. A read finds that out without taking the writer.
        let is_due = store.read(|tx| match tx.find_table(table_name) {
            Some(table) => Ok::<_, StoreError>(!tx.expired_items(&table, after, now, 1)?.is_empty()),
            None => Ok(false),
        })?;
        if !is_due {
            return Ok((0, Duration::ZERO));
        }
        let (env, table_name) = (env.clone(), table_name.clone());
        store.write(move |tx| timed(|| expire_step(&env, tx, &table_name, after, now, limit)))
    })
}

/// Deletes up to `limit` items of a table that are expired in this transaction.
fn expire_step(
    env: &Env,
    tx: &mut Tx<'_>,
    table_name: &TableName,
    after: i64,
    now: i64,
    limit: u32,
) -> Result<u64, CleanupError> {
    let table = tx.find_table(table_name).filter(|table| table.definition.time_to_live_attribute.is_some());
    let Some(table) = table else { return Ok(0) };
    let mut removed = 0;
    for key in tx.lock_expired_items(&table, after, now, limit)? {
        let Some(item) = tx.get_item(&table, &key)? else { continue };
        let item = item.decode().map_err(CaptureError::Corrupt)?;
        // The column beside the item only serves to find it, and no checksum covers it. The item's own attribute decides.
        let expires = pdb_capture::expires_at(&table.definition, &item);
        if !expires.is_some_and(|at| after < at && at <= now) {
            tracing::error!(table = %table_name, "the stored expiry time of an item was damaged and has been corrected; the item stays");
            tx.set_expiry(&table, &key, expires)?;
            continue;
        }
        let key = table.definition.key_schema.extract(&item).map_err(no_key)?;
        let locked = pdb_capture::lock_item(tx, &table, &key)?;
        pdb_capture::write_item(env, tx, &table, locked, None, Some(UserIdentity::time_to_live()))?;
        removed += 1;
    }
    Ok(removed)
}

/// A stored item always has its key, so the database is damaged.
fn no_key(error: KeyError) -> CaptureError {
    CaptureError::Corrupt(ParseError::new("stored item", error.to_string()))
}
