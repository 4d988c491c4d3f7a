//! Item counts and sizes of tables and indexes, and changes of them that are not written down yet; and what is counted beside them.

use std::sync::Arc;

use crate::traffic::{TableTraffic, TrafficCounters, TrafficList};

/// How many items a table or an index has, and their size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Items, or index entries.
    pub item_count: u64,
    /// Their size as DynamoDB counts it, in bytes.
    pub size_bytes: u64,
}

#[cfg(feature = "postgres")]
impl Deltas {
    /// What is not written down yet of one statistic; it is from then on.
    pub(crate) fn take(&mut self, statistic: i64) -> (i64, i64) {
        let at = self.job.iter().position(|delta| delta.statistic == statistic);
        at.map_or((0, 0), |at| {
            let delta = self.job.swap_remove(at);
            (delta.count, delta.size)
        })
    }

    /// All that is not written down yet, in the order of the rows; it is from then on.
    pub(crate) fn take_all(&mut self) -> Vec<(i64, i64, i64)> {
        self.job.sort_unstable_by_key(|delta| delta.statistic);
        self.job.drain(..).map(|delta| (delta.statistic, delta.count, delta.size)).collect()
    }
}

/// Changes of counts and sizes that are not written down yet.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    /// Of jobs of the group that succeeded; always empty where each job is a transaction of its own.
    kept: Vec<Delta>,
    /// Of the job that runs.
    job: Vec<Delta>,
    /// What jobs of the group that succeeded did with tables and streams; not a part of the database.
    #[cfg(feature = "sqlite")]
    kept_traffic: TrafficList,
    /// The same of the job that runs.
    job_traffic: TrafficList,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Delta {
    pub(crate) statistic: i64,
    pub(crate) count: i64,
    pub(crate) size: i64,
}

impl Deltas {
    pub(crate) fn of(&self, statistic: i64) -> impl Iterator<Item = &Delta> {
        self.kept.iter().chain(&self.job).filter(move |delta| delta.statistic == statistic)
    }

    /// Notes a change of the job that runs.
    pub(crate) fn count(&mut self, statistic: i64, count: i64, size: i64) {
        if count != 0 || size != 0 {
            add(&mut self.job, Delta { statistic, count, size });
        }
    }

    /// Counts what a reader did, or a job that is committed.
    pub(crate) fn count_job_traffic(&mut self) {
        self.job_traffic.count();
    }

    /// Notes what the job that runs does with a table or its stream. It counts once that is committed.
    pub(crate) fn add_traffic(&mut self, table: &Arc<TrafficCounters>, traffic: TableTraffic) {
        self.job_traffic.add(table, traffic);
    }
}

#[cfg(feature = "sqlite")]
impl Deltas {
    pub(crate) fn keep_job(&mut self) {
        for delta in self.job.drain(..) {
            add(&mut self.kept, delta);
        }
        for (table, traffic) in self.job_traffic.drain() {
            self.kept_traffic.add(&table, traffic);
        }
    }

    pub(crate) fn undo_job(&mut self) {
        self.job.clear();
        self.job_traffic = TrafficList::default();
    }

    pub(crate) fn undo_all(&mut self) {
        self.kept.clear();
        self.kept_traffic = TrafficList::default();
        self.undo_job();
    }

    /// Counts what all jobs that succeeded did, once that is committed.
    pub(crate) fn count_kept_traffic(&mut self) {
        self.kept_traffic.count();
    }

    /// All changes of jobs that succeeded, in the order of the rows.
    pub(crate) fn drain_kept(&mut self) -> impl Iterator<Item = Delta> {
        self.kept.sort_unstable_by_key(|delta| delta.statistic);
        self.kept.drain(..)
    }
}

/// Few tables change in one group, so a search beats a map.
fn add(deltas: &mut Vec<Delta>, delta: Delta) {
    match deltas.iter_mut().find(|known| known.statistic == delta.statistic) {
        Some(known) => {
            known.count += delta.count;
            known.size += delta.size;
        }
        None => deltas.push(delta),
    }
}
