//! What a trigger tells of itself while it runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::lane::Told;
use crate::message::Condition;

/// What a trigger has done since it was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TriggerState {
    /// The stream that is read; of a table the one it has come to.
    pub stream_arn: String,
    /// The last result in AWS's words: `No records processed`, `OK`, or `PROBLEM: Function call failed`.
    pub last_processing_result: &'static str,
    /// How often the function ran, with and without success.
    pub invocations: u64,
    /// How many of those failed, as a whole or from a record on.
    pub failed_invocations: u64,
    /// How many records the function has taken.
    pub processed_records: u64,
    /// How many records no filter let through.
    pub filtered_records: u64,
    /// How many records were given up.
    pub discarded_records: u64,
    /// What keeps the trigger from going on at the moment, if anything does; it goes on trying.
    pub problem: Option<String>,
}

/// Something that happened, for who wants to show it; `Display` is a line for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The function took records of a shard: all of a batch, or those before the first that failed. None, if it was the last
    /// invocation of a window.
    Processed {
        /// The shard's id.
        shard_id: String,
        /// How many.
        records: usize,
    },
    /// The function failed, or reported failures.
    Failed {
        /// The shard's id.
        shard_id: String,
        /// What it said.
        error: String,
    },
    /// Records were given up.
    Discarded {
        /// The shard's id.
        shard_id: String,
        /// How many.
        records: usize,
        /// Why.
        condition: Condition,
    },
    /// Records were trimmed from the stream before they were read.
    Trimmed {
        /// The shard's id.
        shard_id: String,
    },
    /// The trigger cannot go on; told once, until something else is the matter. It goes on trying.
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

/// Where something can be the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The stream cannot be read.
    Stream,
    /// The checkpoint cannot be kept.
    Checkpoint,
    /// The function cannot be invoked, or a message is not taken.
    Task,
}

/// Receives what happens, on the trigger's thread.
pub(crate) type Observer = Box<dyn Fn(&Notice) + Send + Sync>;

/// What the handle and the running trigger share.
#[derive(Default)]
pub(crate) struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
    observer: Option<Observer>,
}

#[derive(Default)]
struct Inner {
    state: TriggerState,
    /// What is the matter, by where; `state.problem` is empty.
    problems: BTreeMap<Place, String>,
    /// How often somebody asked whether the trigger has caught up, and which of that was answered.
    asked: u64,
    answered: u64,
    is_over: bool,
}

impl Shared {
    pub(crate) fn new(stream_arn: &str, observer: Option<Observer>) -> Self {
        let shared = Self { observer, ..Self::default() };
        let mut inner = shared.lock();
        inner.state.stream_arn = stream_arn.to_owned();
        inner.state.last_processing_result = "No records processed";
        drop(inner);
        shared
    }

    pub(crate) fn state(&self) -> TriggerState {
        let inner = self.lock();
        TriggerState { problem: inner.problems.values().next().cloned(), ..inner.state.clone() }
    }

    /// Counts and shows what happened in a shard.
    pub(crate) fn tell(&self, shard_id: &str, told: Told) {
        let mut inner = self.lock();
        let state = &mut inner.state;
        let shard_id = shard_id.to_owned();
        let notice = match told {
            Told::Succeeded { records, is_whole } => {
                state.processed_records += records as u64;
                if is_whole {
                    state.invocations += 1;
                    state.last_processing_result = "OK";
                }
                Notice::Processed { shard_id, records }
            }
            Told::Failed { error } => {
                state.invocations += 1;
                state.failed_invocations += 1;
                state.last_processing_result = "PROBLEM: Function call failed";
                Notice::Failed { shard_id, error }
            }
            Told::Discarded { records, condition } => {
                state.discarded_records += records as u64;
                Notice::Discarded { shard_id, records, condition }
            }
            Told::NotInvoked { error } => return self.set_problem(inner, Place::Task, error),
            Told::NotReported { error } => {
                return self.set_problem(inner, Place::Task, format!("the on-failure destination: {error}"));
            }
        };
        inner.problems.remove(&Place::Task);
        drop(inner);
        self.observe(&notice);
    }

    /// Counts a record that no filter let through.
    pub(crate) fn count_filtered(&self) {
        self.lock().state.filtered_records += 1;
    }

    /// Shows what keeps the trigger from going on.
    pub(crate) fn problem(&self, place: Place, text: String) {
        self.set_problem(self.lock(), place, text);
    }

    /// Notes that nothing is the matter there.
    pub(crate) fn no_problem(&self, place: Place) {
        self.lock().problems.remove(&place);
    }

    fn set_problem(&self, mut inner: MutexGuard<'_, Inner>, place: Place, text: String) {
        if inner.problems.get(&place) != Some(&text) {
            inner.problems.insert(place, text.clone());
            drop(inner);
            self.observe(&Notice::Problem(text));
        }
    }

    pub(crate) fn trimmed(&self, shard_id: &str) {
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

    /// Asks whether the trigger has caught up; returns the number of the question.
    pub(crate) fn ask(&self) -> u64 {
        let mut inner = self.lock();
        inner.asked += 1;
        inner.asked
    }

    /// Returns the last question that has no answer.
    pub(crate) fn open_question(&self) -> Option<u64> {
        let inner = self.lock();
        (inner.asked > inner.answered).then_some(inner.asked)
    }

    /// Says: at some time after this was asked, nothing was left to do.
    pub(crate) fn answer(&self, question: u64) {
        self.lock().answered = question;
        self.changed.notify_all();
    }

    /// Says that the trigger has ended, so that nobody waits for it.
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Waits for the answer; returns whether there was one in time.
    pub(crate) fn wait_for_answer(&self, question: u64, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut inner = self.lock();
        while inner.answered < question && !inner.is_over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            inner = self.changed.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        inner.answered >= question
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("state", &self.state()).finish_non_exhaustive()
    }
}
