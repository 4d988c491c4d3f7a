//! Enabling and disabling a table's stream.

use std::collections::HashSet;
use std::sync::Arc;

use pdb_model::{Env, ShardId, StreamArn, StreamViewType};
use pdb_store::{NewShard, Table, Tx};

use crate::error::CaptureError;

/// Enables a stream on a table, with `shards` open shards that divide the hash range equally. Returns the table with the stream.
///
/// A value of 0 for `shards` counts as 1. The creation time of the stream is the one in its label.
///
/// # Errors
///
/// [`CaptureError::Store`] with `StreamExists` if the table has an enabled stream, or if there was a stream with this ARN.
pub fn enable_stream(
    env: &Env,
    tx: &mut Tx<'_>,
    table: &Table,
    arn: &StreamArn,
    view_type: StreamViewType,
    shards: u32,
) -> Result<Arc<Table>, CaptureError> {
    let created = arn.label.moment();
    let (table, _) = tx.create_stream(table, arn, view_type, created)?;
    let mut suffixes = HashSet::new();
    let count = u64::from(shards.max(1));
    let mut shards = Vec::new();
    for i in 0..count {
        // All shards have the same creation time, so their ids differ in the suffix only.
        let mut suffix = env.ids.next_id() as u32;
        while !suffixes.insert(suffix) {
            suffix = suffix.wrapping_add(1);
        }
        shards.push(NewShard {
            id: ShardId::at(created, suffix),
            parent: None,
            hash_from: part(i, count),
            hash_to: if i + 1 == count { u64::MAX } else { part(i + 1, count) - 1 },
            opened: created,
        });
    }
    Ok(tx.create_shards(&table, &shards)?.0)
}

/// Disables the stream of a table, if it is enabled. Its shards are closed, and its records can still be read. Returns the table without
/// the enabled stream.
///
/// # Errors
///
/// [`CaptureError::Store`].
pub fn disable_stream(env: &Env, tx: &mut Tx<'_>, table: &Table) -> Result<Arc<Table>, CaptureError> {
    let now = tx.moment(|| env.clock.now());
    Ok(tx.close_stream(table, now)?)
}

/// Returns the start of the `i`th of `n` equal parts of the hash range.
fn part(i: u64, n: u64) -> u64 {
    ((u128::from(i) << 64) / u128::from(n)) as u64
}
