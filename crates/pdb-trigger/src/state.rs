//! The state of a running trigger, as its handle and its observer see it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pretender::time::{Clock, EpochMillis};

use crate::batch_queue::QueueEvent;
use crate::message::Condition;

/// The maximum length of an error in the state, in characters: a function may answer megabytes.
pub(crate) const MAX_ERROR_CHARACTERS: usize = 2000;

/// The counters and the condition of a trigger since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TriggerState {
    /// The ARN of the stream that is being read. A trigger on a table moves on to the next stream.
    pub stream_arn: String,
    /// The last result in AWS's words: `No records processed`, `OK`, or `PROBLEM: Function call failed`.
    pub last_processing_result: &'static str,
    /// The number of invocations, successful or not.
    pub invocations: u64,
    /// The number of invocations that failed, as a whole or from a record on.
    pub failed_invocations: u64,
    /// The number of records that the function has processed.
    pub processed_records: u64,
    /// The number of records that matched no filter.
    pub filtered_records: u64,
    /// The number of records that were discarded.
    pub discarded_records: u64,
    /// The problem that the trigger has at present, if any. The trigger keeps trying.
    pub problem: Option<String>,
    /// The number of tries, among all that were begun, with records that were in an earlier try that failed.
    pub retries: u64,
    /// The number of batches that the function, or the destination, has at present.
    pub batches_in_flight: u64,
    /// The number of records that were read and are neither processed nor discarded.
    pub waiting_records: u64,
    /// The age of the oldest of these records in milliseconds, by the clock of the trigger; 0 if there are none.
    pub iterator_age_millis: u64,
    /// The last error of the function, cut to 2,000 characters.
    pub last_error: Option<String>,
}

/// What a trigger has left to do in one shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardState {
    /// The shard's id.
    pub shard_id: String,
    /// The number of records that were read and are neither processed nor discarded.
    pub waiting_records: u64,
    /// The age of the oldest of these records in milliseconds, by the clock of the trigger; 0 if there are none.
    pub iterator_age_millis: u64,
}

/// An event of a trigger. `Display` writes it as one line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The function processed records of a shard: all of a batch, or those before the first that failed. The last invocation of a window has
    /// none.
    Processed {
        /// The shard's id.
        shard_id: String,
        /// The number of records.
        records: usize,
    },
    /// The function failed, or reported failures.
    Failed {
        /// The shard's id.
        shard_id: String,
        /// The error.
        error: String,
    },
    /// Records were discarded.
    Discarded {
        /// The shard's id.
        shard_id: String,
        /// The number of records.
        records: usize,
        /// The reason.
        condition: Condition,
    },
    /// Records were trimmed from the stream before they were read.
    Trimmed {
        /// The shard's id.
        shard_id: String,
    },
    /// The trigger has a problem and keeps trying. Each problem is reported once, until another one takes its place.
    Problem(String),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Processed { shard_id, records } => {
                write!(f, "{shard_id}: {} processed", count(*records))
            }
            Self::Failed { shard_id, error } => write!(f, "{shard_id}: {error}"),
            Self::Discarded { shard_id, records, condition } => {
                write!(f, "{shard_id}: {} discarded: {}", count(*records), condition.as_str())
            }
            Self::Trimmed { shard_id } => {
                write!(f, "records of shard `{shard_id}` were trimmed before they were read")
            }
            Self::Problem(text) => f.write_str(text),
        }
    }
}

fn count(records: usize) -> String {
    if records == 1 { "1 record".to_owned() } else { format!("{records} records") }
}

/// The source of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ProblemSource {
    /// The stream cannot be read.
    Stream,
    /// The checkpoint cannot be saved.
    Checkpoint,
    /// The function cannot be invoked, or the destination refuses a message.
    Task,
}

/// Receives events on the thread of the trigger.
pub(crate) type Observer = Box<dyn Fn(&Notice) + Send + Sync>;

/// The records of a shard that are read and not delivered.
#[derive(Clone, Debug)]
pub(crate) struct Backlog {
    pub(crate) shard_id: Arc<str>,
    pub(crate) records: u64,
    /// When the oldest of them was created. The age follows from it when somebody asks, because time goes on meanwhile.
    pub(crate) oldest: Option<EpochMillis>,
}

impl Backlog {
    fn age_millis(&self, now: EpochMillis) -> u64 {
        let age = self.oldest.map(|created| now.since(created)).unwrap_or_default();
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The state that the handle and the running trigger share.
pub(crate) struct SharedState {
    inner: Mutex<Inner>,
    changed: Condvar,
    observer: Option<Observer>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Inner {
    state: TriggerState,
    /// The present problems, by source; `state.problem` is empty.
    problems: BTreeMap<ProblemSource, String>,
    /// What is left to do in each shard that is being read.
    backlogs: Vec<Backlog>,
    /// The number of the last request to say when the trigger has caught up, and of the last one that was completed.
    requested: u64,
    completed: u64,
    is_over: bool,
}

impl Inner {
    fn oldest_age_millis(&self, now: EpochMillis) -> u64 {
        self.backlogs.iter().map(|backlog| backlog.age_millis(now)).max().unwrap_or(0)
    }
}

impl SharedState {
    pub(crate) fn new(stream_arn: &str, observer: Option<Observer>, clock: Arc<dyn Clock>) -> Self {
        let mut inner = Inner::default();
        inner.state.stream_arn = stream_arn.to_owned();
        inner.state.last_processing_result = "No records processed";
        Self { inner: Mutex::new(inner), changed: Condvar::new(), observer, clock }
    }

    pub(crate) fn state(&self) -> TriggerState {
        let now = self.clock.now();
        let inner = self.lock();
        TriggerState {
            problem: inner.problems.values().next().cloned(),
            waiting_records: inner.backlogs.iter().map(|backlog| backlog.records).sum(),
            iterator_age_millis: inner.oldest_age_millis(now),
            ..inner.state.clone()
        }
    }

    /// Returns the state of each shard that is being read.
    pub(crate) fn shards(&self) -> Vec<ShardState> {
        let now = self.clock.now();
        let shard = |backlog: &Backlog| ShardState {
            shard_id: backlog.shard_id.to_string(),
            waiting_records: backlog.records,
            iterator_age_millis: backlog.age_millis(now),
        };
        self.lock().backlogs.iter().map(shard).collect()
    }

    /// Returns the age of the oldest record that waits; 0 if none does.
    pub(crate) fn iterator_age_millis(&self) -> u64 {
        let now = self.clock.now();
        self.lock().oldest_age_millis(now)
    }

    /// Notes what is left to do. The running trigger calls this in each round, so it copies no text.
    pub(crate) fn note_backlogs(&self, in_flight: usize, backlogs: impl Iterator<Item = Backlog>) {
        let mut inner = self.lock();
        inner.state.batches_in_flight = in_flight as u64;
        inner.backlogs.clear();
        inner.backlogs.extend(backlogs);
    }

    /// Counts and shows an event of a shard.
    pub(crate) fn note_event(&self, shard_id: &str, event: QueueEvent) {
        let mut inner = self.lock();
        let state = &mut inner.state;
        let shard_id = shard_id.to_owned();
        let notice = match event {
            QueueEvent::Succeeded { records, is_whole } => {
                state.processed_records += records as u64;
                if is_whole {
                    state.invocations += 1;
                    state.last_processing_result = "OK";
                }
                Notice::Processed { shard_id, records }
            }
            QueueEvent::Failed { error } => {
                state.invocations += 1;
                state.failed_invocations += 1;
                state.last_processing_result = "PROBLEM: Function call failed";
                state.last_error = Some(error.chars().take(MAX_ERROR_CHARACTERS).collect());
                Notice::Failed { shard_id, error }
            }
            QueueEvent::Discarded { records, condition } => {
                state.discarded_records += records as u64;
                Notice::Discarded { shard_id, records, condition }
            }
            // It says nothing about how the last try ended.
            QueueEvent::Retried => {
                state.retries += 1;
                return;
            }
            QueueEvent::NotInvoked { error } => return self.set_problem(inner, ProblemSource::Task, error),
            QueueEvent::NotReported { error } => {
                return self.set_problem(
                    inner,
                    ProblemSource::Task,
                    format!("the on-failure destination: {error}"),
                );
            }
        };
        inner.problems.remove(&ProblemSource::Task);
        drop(inner);
        self.observe(&notice);
    }

    /// Counts a record that matched no filter.
    pub(crate) fn count_filtered(&self) {
        self.lock().state.filtered_records += 1;
    }

    /// Notes and shows a problem.
    pub(crate) fn problem(&self, place: ProblemSource, text: String) {
        self.set_problem(self.lock(), place, text);
    }

    /// Notes that this source has no problem.
    pub(crate) fn clear_problem(&self, place: ProblemSource) {
        self.lock().problems.remove(&place);
    }

    fn set_problem(&self, mut inner: MutexGuard<'_, Inner>, place: ProblemSource, text: String) {
        if inner.problems.get(&place) != Some(&text) {
            inner.problems.insert(place, text.clone());
            drop(inner);
            self.observe(&Notice::Problem(text));
        }
    }

    pub(crate) fn note_gap(&self, shard_id: &str) {
        self.observe(&Notice::Trimmed { shard_id: shard_id.to_owned() });
    }

    fn observe(&self, notice: &Notice) {
        if let Some(observer) = &self.observer {
            observer(notice);
        }
    }

    pub(crate) fn set_stream(&self, stream_arn: &str) {
        self.lock().state.stream_arn = stream_arn.to_owned();
    }

    /// Requests to say when the trigger has caught up. Returns the number of the request.
    pub(crate) fn request_catch_up(&self) -> u64 {
        let mut inner = self.lock();
        inner.requested += 1;
        inner.requested
    }

    /// Returns the last request, if it is not completed.
    pub(crate) fn pending_request(&self) -> Option<u64> {
        let inner = self.lock();
        (inner.requested > inner.completed).then_some(inner.requested)
    }

    /// Completes a request: at some time after it, nothing was left to do.
    pub(crate) fn complete_request(&self, request: u64) {
        self.lock().completed = request;
        self.changed.notify_all();
    }

    /// Notes that the trigger has ended, which ends all waits.
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Waits until a request is completed. Returns whether that was in time.
    pub(crate) fn wait_for_request(&self, request: u64, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut inner = self.lock();
        while inner.completed < request && !inner.is_over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.completed >= request
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedState").field("state", &self.state()).finish_non_exhaustive()
    }
}
