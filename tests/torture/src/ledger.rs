//! What writers have asked for, and what they were answered.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use pdb_testvfs::Disk;

/// What a step does to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) key: String,
    /// The attribute `op` of the item that goes, if the key is deleted; else the key gets an item with the step's number.
    pub(crate) removes: Option<u64>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its writer waits, or died waiting.
    Open,
    /// It was acknowledged.
    Done,
    /// It was refused, and must have no effect.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// A request of a writer.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The attribute `op` of the items that it puts. No two steps have the same.
    pub(crate) op: u64,
    pub(crate) effects: Vec<Effect>,
    /// All effects happen, or none.
    pub(crate) is_atomic: bool,
    /// Adds 1 to both counters that all writers share.
    pub(crate) counts: bool,
    pub(crate) verdict: Verdict,
    /// When it began and ended, by a count of such moments.
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

/// A crash while writers went on: its beginning and its end, by the same count as the moments of steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    pub(crate) began: u64,
    pub(crate) ended: u64,
}

/// All steps of all writers since the database was last verified.
#[derive(Debug)]
pub(crate) struct Ledger {
    first_op: u64,
    moments: AtomicU64,
    steps: Mutex<Vec<Step>>,
    crashes: Mutex<Vec<Crash>>,
    /// Told of each acknowledgement.
    disk: Option<Disk>,
}

impl Ledger {
    /// An empty ledger whose first step has this number.
    pub(crate) fn starting_at(first_op: u64, disk: Option<Disk>) -> Self {
        let moments = AtomicU64::new(1);
        Self { first_op, moments, steps: Mutex::default(), crashes: Mutex::default(), disk }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    /// Notes a step that is about to be asked for; `effects` gets its number.
    pub(crate) fn begin(&self, is_atomic: bool, counts: bool, effects: Vec<Effect>) -> u64 {
        let began = self.moment();
        let mut steps = self.lock();
        let op = self.first_op + steps.len() as u64;
        steps.push(Step { op, effects, is_atomic, counts, verdict: Verdict::Open, began, ended: 0 });
        op
    }

    /// Notes how a step ended.
    pub(crate) fn end(&self, op: u64, verdict: Verdict) {
        let mut steps = self.lock();
        let step = &mut steps[(op - self.first_op) as usize];
        step.verdict = verdict;
        step.ended = self.moment();
        // Under the lock, so that the disk's log has the notes in this order.
        if let Some(disk) = self.disk.as_ref().filter(|_| verdict == Verdict::Done) {
            disk.mark(op);
        }
    }

    /// Notes a crash, which is `work`.
    pub(crate) fn crash<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = self.moment();
        let done = work();
        let crash = Crash { began, ended: self.moment() };
        self.crashes.lock().unwrap_or_else(PoisonError::into_inner).push(crash);
        done
    }

    pub(crate) fn crashes(&self) -> Vec<Crash> {
        self.crashes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many steps were acknowledged.
    pub(crate) fn done(&self) -> u64 {
        self.lock().iter().filter(|step| step.verdict == Verdict::Done).count() as u64
    }

    /// The number of the step that would come next.
    pub(crate) fn next_op(&self) -> u64 {
        self.first_op + self.lock().len() as u64
    }

    pub(crate) fn steps(&self) -> Vec<Step> {
        self.lock().clone()
    }
}
