//! Trimming: removing records, shards and streams that are older than the retention.

use crate::throttle::timed;
use crate::{CleanupError, Released, Throttle, TrimGuard};
use pdb_model::{EpochMillis, SequenceNumber, StreamArn};
use pdb_store::{ReadTx, ShardRow, Store, StoreError, StreamRow};
use std::ops::ControlFlow;
use std::time::Duration;

/// How much a trim removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrimReport {
    /// How many stream records.
    pub records: u64,
    /// How many closed shards.
    pub shards: u64,
    /// How many disabled streams.
    pub streams: u64,
}

/// Removes what is older than `retention` at `now`, from enabled and disabled streams.
///
/// - Records are removed from the beginning of their shard, up to the first one that is younger.
/// - A shard is removed after it has been closed for as long as `retention`, if it has no records left.
/// - A stream is removed, with all its records, after it has been disabled for as long as `retention`.
///
/// # Errors
///
/// [`CleanupError::Store`]. What was removed before the error stays removed.
pub fn trim(
    store: &Store,
    now: EpochMillis,
    retention: Duration,
    throttle: &Throttle,
) -> Result<TrimReport, CleanupError> {
    trim_guarded(store, now, retention, None, throttle)
}

/// As [`trim`], but removes only what the guard has released. What has waited for longer than the guard's [`TrimGuard::max_delay`] is removed
/// all the same, and the guard is told.
///
/// # Errors
///
/// As [`trim`].
pub fn trim_guarded(
    store: &Store,
    now: EpochMillis,
    retention: Duration,
    guard: Option<&dyn TrimGuard>,
    throttle: &Throttle,
) -> Result<TrimReport, CleanupError> {
    let horizon = now.minus(retention);
    let overdue = guard.map(|guard| horizon.minus(guard.max_delay()));
    // Whether what ended then waits no longer for the guard.
    let is_overdue = |ended: Option<EpochMillis>| {
        overdue.is_none_or(|overdue| ended.is_some_and(|ended| ended <= overdue))
    };
    let mut report = TrimReport::default();
    for stream in store.read(|tx| tx.streams(None))? {
        let is_expired = stream.disabled.is_some_and(|disabled| disabled <= horizon);
        let mut is_released = true;
        for shard in store.read(|tx| tx.shards(stream.id))? {
            let released = match guard {
                Some(guard) => store.read(|tx| guard.released(tx, &stream, &shard))?,
                None => Released::ALL,
            };
            let through = released.through;
            let limit = match is_expired {
                true => TrimLimit::Counter(through),
                false => TrimLimit::CreatedAt { horizon, through },
            };
            report.records += remove_records(store, &stream, &shard, limit, throttle)?;
            if let (Some(guard), Some(horizon)) = (guard, overdue) {
                let lost = match is_expired && is_overdue(stream.disabled) {
                    true => TrimLimit::Counter(u64::MAX),
                    false => TrimLimit::CreatedAt { horizon, through: u64::MAX },
                };
                let lost = remove_lost(store, &stream, &shard, (through, lost), throttle)?;
                if lost > 0 {
                    guard.lost(&stream, &shard, lost);
                }
                report.records += lost;
            }
            if throttle.is_stopped() {
                return Ok(report);
            }
            let may_go = released.is_complete || is_overdue(shard.closed);
            is_released &= may_go;
            let is_old = shard.closed.is_some_and(|closed| closed <= horizon);
            if (is_expired || is_old)
                && may_go
                && throttle.maintain_step(store, || remove_shard(store, &stream, shard.number))?
            {
                report.shards += 1;
            }
        }
        let may_go = is_released || is_overdue(stream.disabled);
        if is_expired && may_go && throttle.maintain_step(store, || remove_stream(store, &stream))? {
            report.streams += 1;
        }
    }
    Ok(report)
}

/// Removes the records of a stream that have sequence numbers below `before`, or all records, regardless of their age.
///
/// Records that are written after the call began are kept, so the call ends even if writers are faster than it.
///
/// This is a tool for tests of consumers that have fallen behind the trim horizon.
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
            // Whole sequence numbers are compared, counter and shard, so that `before` means the same for every shard.
            let through = match before {
                None => Some(last),
                Some(before) if shard.number < before.shard => Some(before.counter.min(last)),
                Some(before) => before.counter.checked_sub(1).map(|through| through.min(last)),
            };
            if let Some(through) = through {
                report.records +=
                    remove_records(store, &stream, &shard, TrimLimit::Counter(through), throttle)?;
            }
        }
        Ok(report)
    })
}

/// Where trimming a shard ends.
#[derive(Clone, Copy)]
enum TrimLimit {
    /// After the last of the leading records that were all created at the horizon or before, and have no counter above `through`.
    CreatedAt { horizon: EpochMillis, through: u64 },
    /// After the record with this counter.
    Counter(u64),
}

impl TrimLimit {
    /// Returns the counter of the last record to trim in a step of `limit` records.
    fn through(
        self,
        tx: &mut ReadTx<'_>,
        stream: &StreamRow,
        shard: u64,
        limit: u32,
    ) -> Result<Option<u64>, StoreError> {
        match self {
            Self::CreatedAt { horizon, through } => {
                let after_horizon = EpochMillis(horizon.0.saturating_add(1));
                let last = tx.last_created_before(stream, shard, after_horizon, limit)?;
                Ok(last.map(|last| last.min(through)))
            }
            Self::Counter(through) => Ok(Some(through)),
        }
    }
}

/// Trims a shard in steps.
///
/// It first looks for due records in a read, because most shards have none, and a read does not take the writer. The read also notes the
/// last record: if the steps ran until nothing is due, a fast writer with a short retention would keep them running for ever.
fn remove_records(
    store: &Store,
    stream: &StreamRow,
    shard: &ShardRow,
    until: TrimLimit,
    throttle: &Throttle,
) -> Result<u64, StoreError> {
    let number = shard.number;
    let is_due = store.read(|tx| {
        let through = if still_exists(tx, stream)? { until.through(tx, stream, number, 1)? } else { None };
        match first_counter(tx, stream, number)?.zip(through) {
            Some((first, through)) if first <= through => tx.last_counter(stream, number),
            _ => Ok(None),
        }
    })?;
    let Some(last) = is_due else { return Ok(0) };
    throttle.repeat(store, |limit| {
        let stream = stream.clone();
        store.write(move |tx| {
            timed(|| {
                if !still_exists(tx, &stream)? {
                    return Ok::<_, StoreError>(0);
                }
                // On PostgreSQL, a sweep skips a stream that another transaction has locked, since the next sweep will come. A user who
                // asks for a trim expects it to be done, so this waits for the lock.
                if let TrimLimit::Counter(_) = until {
                    tx.lock_stream(stream.id)?;
                }
                match until.through(tx, &stream, number, limit)? {
                    Some(through) => tx.trim_records(&stream, number, through.min(last), limit),
                    None => Ok(0),
                }
            })
        })
    })
}

/// Removes the records up to a limit that no guard has released, if the first one is behind the counter through which all are released.
///
/// It is not if the step before has left records that are released: because another process holds the stream. They are not lost.
fn remove_lost(
    store: &Store,
    stream: &StreamRow,
    shard: &ShardRow,
    (released, until): (u64, TrimLimit),
    throttle: &Throttle,
) -> Result<u64, StoreError> {
    match store.read(|tx| first_counter(tx, stream, shard.number))? {
        Some(first) if first > released => remove_records(store, stream, shard, until, throttle),
        _ => Ok(0),
    }
}

/// Returns the counter of the first record of a shard.
fn first_counter(tx: &mut ReadTx<'_>, stream: &StreamRow, shard: u64) -> Result<Option<u64>, StoreError> {
    if !still_exists(tx, stream)? {
        return Ok(None);
    }
    let mut first = None;
    tx.record_times(stream, shard, 0, 1, &mut |counter, _| {
        first = Some(counter);
        ControlFlow::Break(())
    })?;
    Ok(first)
}

/// Returns whether the stream still exists. Another sweep may have removed it, because gentle work holds the store only during its steps.
fn still_exists(tx: &mut ReadTx<'_>, stream: &StreamRow) -> Result<bool, StoreError> {
    Ok(tx.stream(&stream.arn)?.is_some_and(|now| now.id == stream.id))
}

/// Removes a closed shard if it has no records.
fn remove_shard(store: &Store, stream: &StreamRow, number: u64) -> Result<bool, StoreError> {
    let stream = stream.clone();
    store.write(move |tx| {
        if !still_exists(tx, &stream)? || tx.last_counter(&stream, number)?.is_some() {
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
