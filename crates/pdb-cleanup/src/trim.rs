//! Trimming: records, shards and streams that have outlived the retention.

use crate::throttle::timed;
use crate::{CleanupError, Throttle};
use pdb_model::{EpochMillis, SequenceNumber, StreamArn};
use pdb_store::{ReadTx, ShardRow, Store, StoreError, StreamRow};
use std::time::Duration;

/// What a trim removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrimReport {
    /// Stream records.
    pub records: u64,
    /// Closed shards without records.
    pub shards: u64,
    /// Streams.
    pub streams: u64,
}

/// Removes what has outlived `retention` at `now`, of all streams, enabled or not.
///
/// Records go in whole prefixes of their shard, never a record behind one that is younger. A shard goes once it has been
/// closed for the retention and has no record left, a stream once it has been disabled for the retention.
///
/// # Errors
///
/// [`CleanupError::Store`]. What was removed until then stays so.
pub fn trim(
    store: &Store,
    now: EpochMillis,
    retention: Duration,
    throttle: &Throttle,
) -> Result<TrimReport, CleanupError> {
    let horizon = now.minus(retention);
    let mut report = TrimReport::default();
    for stream in store.read(|tx| tx.streams(None))? {
        let is_over = stream.disabled.is_some_and(|disabled| disabled <= horizon);
        for shard in store.read(|tx| tx.shards(stream.id))? {
            if is_over {
                report.records += remove_records(store, &stream, &shard, Cut::After(u64::MAX), throttle)?;
            } else {
                report.records += remove_records(store, &stream, &shard, Cut::Created(horizon), throttle)?;
            }
            if throttle.is_stopped() {
                return Ok(report);
            }
            let is_dead = shard.closed.is_some_and(|closed| closed <= horizon);
            if (is_over || is_dead) && throttle.alone(store, || remove_shard(store, &stream, shard.number))? {
                report.shards += 1;
            }
        }
        if is_over && throttle.alone(store, || remove_stream(store, &stream))? {
            report.streams += 1;
        }
    }
    Ok(report)
}

/// Removes the records of a stream with numbers below `before`, or all, however young they are: those that are there when it
/// begins. It never waits for the end of what others write meanwhile.
///
/// A tool for tests of readers that are overtaken by the trim.
///
/// # Errors
///
/// [`CleanupError::StreamNotFound`], [`CleanupError::Store`].
pub fn trim_stream(
    store: &Store,
    stream_arn: &StreamArn,
    before: Option<SequenceNumber>,
    throttle: &Throttle,
) -> Result<TrimReport, CleanupError> {
    store.maintain(|| {
        let (stream, shards) = store.read(|tx| {
            let stream = tx.stream(stream_arn)?;
            let stream = stream.ok_or_else(|| CleanupError::StreamNotFound(stream_arn.clone()))?;
            let mut shards = Vec::new();
            for shard in tx.shards(stream.id)? {
                if let Some(last) = tx.last_counter(&stream, shard.number)? {
                    shards.push((shard, last));
                }
            }
            Ok::<_, CleanupError>((stream, shards))
        })?;
        let mut report = TrimReport::default();
        for (shard, last) in shards {
            // Numbers are compared whole, so that "before" means the same in every shard.
            let through = match before {
                None => Some(last),
                Some(before) if shard.number < before.shard => Some(before.counter.min(last)),
                Some(before) => before.counter.checked_sub(1).map(|through| through.min(last)),
            };
            if let Some(through) = through {
                report.records += remove_records(store, &stream, &shard, Cut::After(through), throttle)?;
            }
        }
        Ok(report)
    })
}

/// Up to where a shard is trimmed.
#[derive(Clone, Copy)]
enum Cut {
    /// Behind the last of the leading records that were all created at this time or before.
    Created(EpochMillis),
    /// Behind this counter.
    After(u64),
}

impl Cut {
    /// Returns the counter to trim through in a step of `limit` records.
    fn through(
        self,
        tx: &mut ReadTx<'_>,
        stream: &StreamRow,
        shard: u64,
        limit: u32,
    ) -> Result<Option<u64>, StoreError> {
        match self {
            Self::Created(horizon) => {
                let cut = EpochMillis(horizon.0.saturating_add(1));
                tx.last_created_before(stream, shard, cut, limit)
            }
            Self::After(through) => Ok(Some(through)),
        }
    }
}

/// Trims a shard in steps. The first look is a read, so that the writer is not troubled where nothing is due. It also says
/// where to end: writers may be quicker than the steps, and what they write while these run is left for the next time.
fn remove_records(
    store: &Store,
    stream: &StreamRow,
    shard: &ShardRow,
    cut: Cut,
    throttle: &Throttle,
) -> Result<u64, StoreError> {
    let number = shard.number;
    let is_due =
        store.read(|tx| match is_there(tx, stream)? && cut.through(tx, stream, number, 1)?.is_some() {
            true => tx.last_counter(stream, number),
            false => Ok(None),
        })?;
    let Some(last) = is_due else { return Ok(0) };
    throttle.repeat(store, |limit| {
        let stream = stream.clone();
        store.write(move |tx| {
            timed(|| {
                if !is_there(tx, &stream)? {
                    return Ok::<_, StoreError>(0);
                }
                // What was asked for is done, also if another process holds the stream just now. A sweep comes again.
                if let Cut::After(_) = cut {
                    tx.hold_stream(stream.id)?;
                }
                match cut.through(tx, &stream, number, limit)? {
                    Some(through) => tx.trim_records(&stream, number, through.min(last), limit),
                    None => Ok(0),
                }
            })
        })
    })
}

/// Tells whether a stream was not removed since somebody looked: what is gentle is not alone between its steps.
fn is_there(tx: &mut ReadTx<'_>, stream: &StreamRow) -> Result<bool, StoreError> {
    Ok(tx.stream(&stream.arn)?.is_some_and(|now| now.id == stream.id))
}

/// Removes a closed shard unless it still has records.
fn remove_shard(store: &Store, stream: &StreamRow, number: u64) -> Result<bool, StoreError> {
    let stream = stream.clone();
    store.write(move |tx| {
        if !is_there(tx, &stream)? || tx.last_counter(&stream, number)?.is_some() {
            return Ok(false);
        }
        match tx.delete_shard(&stream, number) {
            Ok(()) => Ok(true),
            Err(StoreError::ShardNotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    })
}

fn remove_stream(store: &Store, stream: &StreamRow) -> Result<bool, StoreError> {
    let stream = stream.clone();
    store.write(move |tx| match tx.delete_stream(&stream) {
        Ok(()) => Ok(true),
        Err(StoreError::StreamNotFound(_)) => Ok(false),
        Err(error) => Err(error),
    })
}

#[cfg(test)]
mod tests;
