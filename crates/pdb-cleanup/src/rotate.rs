//! Rotating and splitting shards.

use crate::CleanupError;
use pdb_model::{Env, ShardId, StreamArn};
use pdb_store::{ShardRow, Store, StoreError, Table, Tx};
use std::collections::HashSet;
use std::sync::Arc;

/// Rotates all open shards that are older than the store's rotation age. Returns how many.
///
/// # Errors
///
/// [`CleanupError::Store`].
pub fn rotate_shards(store: &Store, env: &Env) -> Result<u64, CleanupError> {
    let now = env.clock.now();
    let due = store.read(|tx| {
        let tables = tx.tables()?;
        Ok::<_, StoreError>(
            tables.into_iter().filter(|table| tx.is_rotation_due(table, now)).collect::<Vec<_>>(),
        )
    })?;
    let mut rotated = 0;
    for table in due {
        let (table_name, ids) = (table.name().clone(), env.ids.clone());
        rotated += store.write(move |tx| {
            let Some(table) = tx.find_table(&table_name) else { return Ok(0) };
            let changed = tx.rotate_due_shards(&table, &*ids, now)?;
            Ok::<_, StoreError>(newly_opened(&table, &changed))
        })?;
    }
    Ok(rotated)
}

/// Counts the shards that are open after the rotation and were not before.
fn newly_opened(before: &Table, after: &Table) -> u64 {
    let open = |table: &Table| -> HashSet<u64> {
        table.stream.iter().flat_map(|stream| &stream.shards).map(|shard| shard.number).collect()
    };
    open(after).difference(&open(before)).count() as u64
}

/// Closes a shard of an enabled stream, or all open shards, and opens a child for each. Returns the children.
///
/// # Errors
///
/// [`CleanupError::StreamNotFound`], [`CleanupError::StreamNotEnabled`], [`CleanupError::ShardNotOpen`],
/// [`CleanupError::Store`].
pub fn rotate_shards_of_stream(
    store: &Store,
    env: &Env,
    stream_arn: &StreamArn,
    shard_id: Option<&ShardId>,
) -> Result<Vec<ShardRow>, CleanupError> {
    let (ids, now) = (env.ids.clone(), env.clock.now());
    replace_shards(store, stream_arn, shard_id, move |tx, table, numbers| {
        tx.rotate_shards(table, numbers, &*ids, now)
    })
}

/// Closes a shard of an enabled stream, or all open shards, and opens two children for each, which share its keys. Returns the children.
///
/// # Errors
///
/// The same as [`rotate_shards_of_stream`].
pub fn split_shard(
    store: &Store,
    env: &Env,
    stream_arn: &StreamArn,
    shard_id: Option<&ShardId>,
) -> Result<Vec<ShardRow>, CleanupError> {
    let (ids, now) = (env.ids.clone(), env.clock.now());
    replace_shards(store, stream_arn, shard_id, move |tx, table, numbers| {
        tx.split_shards(table, numbers, &*ids, now)
    })
}

/// Replaces open shards with children in one transaction, so that every key always has an open shard.
fn replace_shards(
    store: &Store,
    stream_arn: &StreamArn,
    shard_id: Option<&ShardId>,
    replace: impl Fn(&mut Tx<'_>, &Table, &[u64]) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError>
    + Send
    + 'static,
) -> Result<Vec<ShardRow>, CleanupError> {
    let (stream_arn, shard_id) = (stream_arn.clone(), shard_id.cloned());
    store.write(move |tx| {
        if tx.stream(&stream_arn)?.is_none() {
            return Err(CleanupError::StreamNotFound(stream_arn.clone()));
        }
        let not_enabled = || CleanupError::StreamNotEnabled(stream_arn.clone());
        let table = tx.find_table(&stream_arn.table.name).ok_or_else(not_enabled)?;
        let stream =
            table.stream.as_ref().filter(|stream| stream.arn == stream_arn).ok_or_else(not_enabled)?;
        let chosen = stream.shards.iter().filter(|shard| shard_id.as_ref().is_none_or(|id| *id == shard.id));
        let numbers: Vec<u64> = chosen.map(|shard| shard.number).collect();
        if let (Some(shard_id), true) = (&shard_id, numbers.is_empty()) {
            return Err(CleanupError::ShardNotOpen(shard_id.clone()));
        }
        Ok(replace(tx, &table, &numbers)?.1)
    })
}
