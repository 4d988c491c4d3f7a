//! Which records of a shard are due, and how they are divided into objects: one for each hour.

use std::ops::ControlFlow;
use std::time::Duration;

use pdb_model::EpochMillis;
use pdb_store::{ReadTx, ShardRow, Store, StoreError, StreamRow};

use crate::layout::hour_of;

/// How many times are read in one transaction.
const PAGE: u32 = 10_000;

/// Which records are due at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    /// The time.
    pub(crate) now: EpochMillis,
    /// How long records are served.
    pub(crate) retention: Duration,
    /// The time until the archive is asked again.
    pub(crate) interval: Duration,
}

/// Records of one hour that follow each other in a shard: the contents of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) hour: i64,
    /// The counter behind which the object has all records.
    pub(crate) after: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) records: u64,
    pub(crate) oldest: EpochMillis,
    pub(crate) newest: EpochMillis,
}

impl Due {
    /// Returns whether a record is due that was created at a time: if its hour is over, so that its object gets no further records; if no
    /// further ones can come, because the shard is closed; or if readers would not see it any more the next time, because the retention is
    /// short.
    pub(crate) fn is_due(self, created: EpochMillis, is_closed: bool) -> bool {
        is_closed
            || hour_of(created) < hour_of(self.now)
            || created <= self.now.plus(self.interval).minus(self.retention)
    }
}

/// Returns the creation time of the first record behind a counter.
pub(crate) fn first_behind(
    tx: &mut ReadTx<'_>,
    stream: &StreamRow,
    shard: &ShardRow,
    after: u64,
) -> Result<Option<EpochMillis>, StoreError> {
    let mut first = None;
    tx.record_times(stream, shard.number, after.saturating_add(1), 1, &mut |_, created| {
        first = Some(created);
        ControlFlow::Break(())
    })?;
    Ok(first)
}

/// Divides the records that are due behind a counter, up to the first one that is not.
///
/// An hour has one run, unless the clock was set back in between.
pub(crate) fn plan(
    store: &Store,
    stream: &StreamRow,
    shard: &ShardRow,
    after: u64,
    due: Due,
) -> Result<Vec<Run>, StoreError> {
    let mut runs: Vec<Run> = Vec::new();
    let mut covered = after;
    loop {
        let (mut seen, mut is_at_end) = (0, false);
        store.read(|tx| {
            let from = covered.saturating_add(1);
            tx.record_times(stream, shard.number, from, PAGE, &mut |counter, created| {
                if !due.is_due(created, !shard.is_open()) {
                    is_at_end = true;
                    return ControlFlow::Break(());
                }
                seen += 1;
                extend(&mut runs, covered, counter, created);
                covered = counter;
                ControlFlow::Continue(())
            })
        })?;
        if is_at_end || seen < PAGE {
            return Ok(runs);
        }
    }
}

/// Adds a record to the last run, or to a new one behind `covered`.
fn extend(runs: &mut Vec<Run>, covered: u64, counter: u64, created: EpochMillis) {
    let hour = hour_of(created);
    match runs.last_mut() {
        Some(run) if run.hour == hour => {
            run.last = counter;
            run.records += 1;
            run.oldest = run.oldest.min(created);
            run.newest = run.newest.max(created);
        }
        _ => runs.push(Run {
            hour,
            after: covered,
            first: counter,
            last: counter,
            records: 1,
            oldest: created,
            newest: created,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60 * 1000;

    #[test]
    fn a_record_is_due_after_its_hour_or_before_it_is_too_old() {
        let hour = Duration::from_secs(3600);
        let due = |retention| Due { now: EpochMillis(100 * HOUR + 10), retention, interval: hour };
        let day = due(24 * hour);
        assert!(day.is_due(EpochMillis(100 * HOUR - 1), false));
        assert!(!day.is_due(EpochMillis(100 * HOUR), false));
        assert!(day.is_due(EpochMillis(100 * HOUR), true));
        // Between this sweep and the next one, records of the last half hour become too old.
        let short = due(hour + hour / 2);
        assert!(short.is_due(EpochMillis(100 * HOUR - 1), false));
        assert!(!short.is_due(EpochMillis(100 * HOUR + 10), false));
        assert!(due(hour / 2).is_due(EpochMillis(100 * HOUR + 10), false));
    }

    #[test]
    fn each_hour_has_one_run_unless_the_clock_went_back() {
        let mut runs = Vec::new();
        let mut covered = 5;
        for (counter, created) in [(7, 0), (8, HOUR - 1), (10, HOUR), (11, 3), (12, HOUR + 1)] {
            extend(&mut runs, covered, counter, EpochMillis(created));
            covered = counter;
        }
        let shown: Vec<_> = runs.iter().map(|run| (run.hour, run.after, run.first, run.last)).collect();
        assert_eq!(shown, [(0, 5, 7, 8), (1, 8, 10, 10), (0, 10, 11, 11), (1, 11, 12, 12)]);
        assert_eq!((runs[0].records, runs[0].oldest.0, runs[0].newest.0), (2, 0, HOUR - 1));
    }
}
