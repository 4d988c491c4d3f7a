//! The threads that carry jobs out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most jobs at the same time. More would not be faster: there is one writer, and the others of the database want their turn.
const MAX_WORKERS: usize = 4;

/// The kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum JobKind {
    Import,
    BulkPut,
    Export,
}

impl JobKind {
    /// The kind of the store's documents that describe such jobs.
    pub(crate) fn document_kind(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::BulkPut => "bulk operation",
            Self::Export => "export",
        }
    }

    /// The word in ARNs.
    pub(crate) fn arn_word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::BulkPut => "bulk-operation",
            Self::Export => "export",
        }
    }
}

/// A job that is to be carried out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    pub(crate) kind: JobKind,
    pub(crate) id: String,
}

/// How far a job of another process was when it was last looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watched {
    pub(crate) steps: u64,
    /// How many times in a row it had not moved.
    pub(crate) unmoved: u32,
}

/// The jobs that wait, those that run, and those of other processes.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Ticket>,
    running: BTreeSet<Ticket>,
    watched: BTreeMap<Ticket, Watched>,
    /// Threads that carry jobs out, without the one that watches.
    workers: usize,
    has_watcher: bool,
    is_stopped: bool,
}

impl Queue {
    /// Adds a job, unless it is there. Returns whether the caller is to start another worker, which counts from now on.
    pub(crate) fn add(&self, ticket: Ticket) -> bool {
        let mut state = self.state();
        if state.is_stopped || state.running.contains(&ticket) || state.waiting.contains(&ticket) {
            return false;
        }
        state.watched.remove(&ticket);
        state.waiting.push_back(ticket);
        let is_needed = state.workers < MAX_WORKERS;
        state.workers += usize::from(is_needed);
        is_needed
    }

    /// Adds a job of another process to those that are watched. Returns whether the caller is to start the watcher.
    pub(crate) fn watch(&self, ticket: Ticket) -> bool {
        let mut state = self.state();
        if state.is_stopped || state.running.contains(&ticket) || state.waiting.contains(&ticket) {
            return false;
        }
        state.watched.entry(ticket).or_default();
        !std::mem::replace(&mut state.has_watcher, true)
    }

    /// Returns the jobs that are watched. If there are none, the watcher ends.
    pub(crate) fn watched(&self) -> Vec<(Ticket, Watched)> {
        let mut state = self.state();
        if state.is_stopped || state.watched.is_empty() {
            state.has_watcher = false;
            self.changed.notify_all();
            return Vec::new();
        }
        state.watched.iter().map(|(ticket, watched)| (ticket.clone(), *watched)).collect()
    }

    /// Notes how far a watched job is, or that it is no longer to be watched.
    pub(crate) fn note(&self, ticket: &Ticket, watched: Option<Watched>) {
        let mut state = self.state();
        match (watched, state.watched.get_mut(ticket)) {
            (Some(watched), Some(known)) => *known = watched,
            (None, _) => drop(state.watched.remove(ticket)),
            (Some(_), None) => {}
        }
    }

    /// Takes the next job for a worker, or tells the worker to end.
    pub(crate) fn next(&self) -> Option<Ticket> {
        let mut state = self.state();
        match state.waiting.pop_front().filter(|_| !state.is_stopped) {
            Some(ticket) => {
                state.running.insert(ticket.clone());
                Some(ticket)
            }
            None => {
                state.workers -= 1;
                self.changed.notify_all();
                None
            }
        }
    }

    /// Notes that a worker is done with a job.
    pub(crate) fn done(&self, ticket: &Ticket) {
        self.state().running.remove(ticket);
        self.changed.notify_all();
    }

    /// Notes that a worker could not be started.
    pub(crate) fn not_started(&self) {
        self.state().workers -= 1;
        self.changed.notify_all();
    }

    /// Notes that the watcher could not be started.
    pub(crate) fn not_watching(&self) {
        self.state().has_watcher = false;
        self.changed.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state().is_stopped
    }

    /// Waits, unless the queue is stopped. Returns whether it is.
    pub(crate) fn pause(&self, duration: Duration) -> bool {
        let end = Instant::now() + duration;
        let mut state = self.state();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if state.is_stopped || left.is_zero() {
                return state.is_stopped;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until no job waits or runs here. Returns whether that came to pass in time.
    pub(crate) fn wait_until_idle(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        let mut state = self.state();
        loop {
            if state.waiting.is_empty() && state.running.is_empty() {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets no job begin or go on, and waits for the threads, no longer than `grace`.
    pub(crate) fn stop(&self, grace: Duration) {
        let end = Instant::now() + grace;
        let mut state = self.state();
        state.is_stopped = true;
        state.waiting.clear();
        state.watched.clear();
        self.changed.notify_all();
        while state.workers > 0 || state.has_watcher {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    // Each method leaves the state consistent, so a panic of another holder does not matter.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
