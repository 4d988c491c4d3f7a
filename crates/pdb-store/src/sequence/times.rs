//! The creation times of a shard's records.
//!
//! A record is found by its time with a binary search over the counters. For that, times must not decrease within a shard, and they do:
//! transactions that run at the same time commit in another order than they looked at the clock, and people set clocks back.
//!
//! * A record that would be up to a second older than the one before takes the time of that one.
//! * If the clock has gone back further, the record keeps its time, and the row of the shard notes its counter as a *step*
//!   (`time_steps`). Between two steps, times do not decrease.
//!
//! The alternative, a child shard at each step, would show readers another lineage because a test moved the clock, and two processes
//! whose clocks differ would close a shard with each write. An index over times would make each commit write one page more.
//!
//! The newest time is in memory where there is one writer (SQLite), else in the row of the shard (`newest_record_at`). A shard
//! that an older version opened has NULL for its steps, and so has one with more steps than are worth noting: its records
//! are looked at one after the other.

#[cfg(feature = "sqlite")]
use std::sync::atomic::Ordering;
use std::sync::{Arc, atomic::AtomicI64};

use pdb_model::EpochMillis;

use crate::error::StoreError;

/// How far behind the newest record a clock is not taken to have been set back.
pub(crate) const JITTER_MILLIS: i64 = 1000;
/// How long the text of all steps may be before another one; there is room for 70 of the longest counters.
const MOST_STEPS_BYTES: usize = 1000;

/// The creation time of an open shard's newest record, where it is kept in memory; all copies of the shard share it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL keeps times in rows"))]
pub(crate) struct NewestTime(Arc<AtomicI64>);

impl NewestTime {
    pub(crate) fn new(newest: Option<EpochMillis>) -> Self {
        Self(Arc::new(AtomicI64::new(newest.map_or(i64::MIN, |newest| newest.0))))
    }
}

#[cfg(feature = "sqlite")]
impl NewestTime {
    pub(crate) fn get(&self) -> EpochMillis {
        EpochMillis(self.0.load(Ordering::Relaxed))
    }

    /// Only the writer does, and only upwards.
    pub(crate) fn set(&self, newest: EpochMillis) {
        self.0.store(newest.0, Ordering::Relaxed);
    }
}

/// Whether a moment is not so far behind the newest record that the clock must have been set back.
#[cfg(feature = "sqlite")]
pub(crate) fn is_jitter(moment: EpochMillis, newest: EpochMillis) -> bool {
    newest.0.saturating_sub(moment.0) <= JITTER_MILLIS
}

/// SQL of the value of `time_steps` with another step, before the record with this counter.
pub(crate) fn with_step(counter: &str) -> String {
    format!(
        "CASE WHEN length(time_steps) < {MOST_STEPS_BYTES} \
         THEN time_steps || CAST(CAST({counter} AS BIGINT) AS TEXT) || ',' END"
    )
}

/// Reads the value of `time_steps`.
pub(crate) fn read_steps(text: &str) -> Result<Vec<u64>, StoreError> {
    let steps = text.split_terminator(',').map(str::parse).collect::<Result<Vec<u64>, _>>();
    let steps = steps.map_err(|e| StoreError::corrupt("shard", e))?;
    if !steps.is_sorted() {
        return Err(StoreError::corrupt("shard", "its steps in time are not in order"));
    }
    Ok(steps)
}
