//! What a store has done since it was opened, for those who watch it.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::traffic::TrafficRegistry;

/// What a store has done since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreMetrics {
    /// Groups of writes, each with one commit.
    pub commits: u64,
    /// Jobs in these groups.
    pub jobs: u64,
    /// Reads that had to wait until a connection was opened, or given back by another; on a server writes too.
    pub reader_waits: u64,
    /// The size of the write-ahead log; none in memory and on a server.
    pub log_bytes: Option<u64>,
    /// How often the log was copied back into the file.
    pub log_copies: u64,
}

/// Is told what a store does, as it happens, on the thread that does it. It must be quick, and must not use the store.
pub trait StoreObserver: Send + Sync {
    /// A group of writes was committed: how many jobs, and how long they took from the first to the end of the commit.
    fn committed(&self, jobs: u64, took: Duration);
    /// A read had to wait for a connection.
    fn waited_for_reader(&self, waited: Duration);
    /// The write-ahead log was copied back into the file.
    fn copied_log(&self, took: Duration);
}

/// Counts what a store does. Times are measured only for an observer.
#[derive(Default)]
pub(crate) struct Meters {
    observer: OnceLock<Arc<dyn StoreObserver>>,
    commits: AtomicU64,
    jobs: AtomicU64,
    reader_waits: AtomicU64,
    log_copies: AtomicU64,
    /// What was done with each table; tables have their counters from here.
    pub(crate) traffic: Arc<TrafficRegistry>,
}

impl Meters {
    /// Tells an observer from now on. There can be one; returns whether it is this one.
    pub(crate) fn set_observer(&self, observer: Arc<dyn StoreObserver>) -> bool {
        self.observer.set(observer).is_ok()
    }

    /// Returns the time at which a group of writes begins, if an observer wants to know how long it takes.
    pub(crate) fn begin_group(&self) -> Option<Instant> {
        self.observer.get().map(|_| Instant::now())
    }

    /// Counts a group of writes that was committed.
    pub(crate) fn count_commit(&self, jobs: u64, begun: Option<Instant>) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.jobs.fetch_add(jobs, Ordering::Relaxed);
        if let (Some(observer), Some(begun)) = (self.observer.get(), begun) {
            observer.committed(jobs, begun.elapsed());
        }
    }

    pub(crate) fn count_reader_wait(&self, waited: Duration) {
        self.reader_waits.fetch_add(1, Ordering::Relaxed);
        if let Some(observer) = self.observer.get() {
            observer.waited_for_reader(waited);
        }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn count_log_copy(&self, took: Duration) {
        self.log_copies.fetch_add(1, Ordering::Relaxed);
        if let Some(observer) = self.observer.get() {
            observer.copied_log(took);
        }
    }

    /// Returns the counts. The size of the log is not one of them.
    pub(crate) fn read(&self) -> StoreMetrics {
        StoreMetrics {
            commits: self.commits.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            reader_waits: self.reader_waits.load(Ordering::Relaxed),
            log_bytes: None,
            log_copies: self.log_copies.load(Ordering::Relaxed),
        }
    }
}
