//! A queue of batches: the records of some keys of a shard, of which one batch at a time is under way, in order.
//!
//! A shard has as many queues as its parallelization factor, and a key always goes to the same queue, so that records of one item keep
//! their order. A queue decides and does nothing else: [`BatchQueue::next`] returns a task, the mapping carries it out, and
//! [`BatchQueue::finish`] takes the outcome. It reads no clock and starts no thread, so that every decision can be tested.
//!
//! # States of a record
//!
//! ```text
//! waiting --form_batch--> batch --next--> task under way --finish--> settled
//!                           ^                   |
//!                           +-- back off, halve-+--> given up --report--> settled
//! ```
//!
//! - **Waiting.** The record was read. `form_batch` makes a batch when there are enough records, when the first has waited for as long as
//!   the batching window allows, or when no further record can belong to it.
//! - **In a batch.** Only the first batch of `batches` is worked on. The others are halves or rests of a batch that failed: they lie in front
//!   of all waiting records, because an earlier record must not be overtaken by a later one of its key.
//! - **Under way.** `is_busy` is true, and `next` returns nothing until `finish` is called.
//! - **After a failure** (`fail`), records in front of the first failed one count as processed. With bisecting, the rest is tried again at
//!   once if the function said where it failed, and in two halves otherwise; neither uses up an attempt. Else an attempt is used up, and
//!   the batch is tried again after a pause. A function that could not be invoked uses up nothing.
//! - **Given up**, because the attempts are used up or the records are too old. With a destination, a message has to be delivered first, as
//!   often as it takes. Nothing behind it moves until then: otherwise a crash could lose the message.
//! - **Settled.** The shard's checkpoint may move behind the record when all records before it are settled, too. Records of an open tumbling
//!   window are settled only with the window: a mapping that starts again has lost the window's state, and must read all its records.

mod form;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pretender::model::IdSource;
use pretender::time::EpochMillis;

use crate::event::{self, EventRecord, WindowMembers};
use crate::function::{BatchResult, InvokeError, Response, batch_result, window_state};
use crate::message::{Condition, Discarded, LastAnswer};
use crate::settings::Settings;

/// The settings and the surroundings of a queue, which it does not own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueueContext<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) stream_arn: &'a str,
    pub(crate) shard_id: &'a str,
    pub(crate) function_arn: &'a str,
    pub(crate) ids: &'a dyn IdSource,
    pub(crate) has_destination: bool,
    /// The retention of the stream. A batch that has failed is not tried again when its records are older.
    pub(crate) retention: Option<Duration>,
    pub(crate) backoff: Backoff,
}

/// The pauses between two tries of the same task: each twice as long as the last, up to the longest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Backoff {
    fn delay(self, n: u32) -> Duration {
        self.first.saturating_mul(1 << n.min(20)).min(self.longest)
    }
}

/// A moment by both clocks. Ages and windows go by the clock of the database, which a test moves. Pauses go by that of the machine: they
/// spare a function that fails, which the clock of the database cannot do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: EpochMillis,
    pub(crate) real: Instant,
}

/// The state of reading of the shard.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadState {
    /// Whether no more records will come.
    pub(crate) is_ended: bool,
    /// When the shard last had no further records; `None` if it has had some since.
    pub(crate) quiet_at: Option<EpochMillis>,
}

/// A task that the mapping carries out for a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Invoke the function with this event.
    Invoke(String),
    /// Send this message to the destination.
    Report(String),
}

/// The outcome of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TaskOutcome {
    Invoked(Result<Response, InvokeError>),
    Reported(Result<(), String>),
}

/// An event to be counted and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum QueueEvent {
    /// The function took records: all of a batch, or those before the first that failed.
    Succeeded {
        records: usize,
        is_whole: bool,
    },
    Failed {
        error: String,
    },
    NotInvoked {
        error: String,
    },
    Discarded {
        records: usize,
        condition: Condition,
    },
    NotReported {
        error: String,
    },
    /// Records are given to the function again.
    Retried,
}

/// A record that is not settled.
#[derive(Clone, Debug)]
struct QueuedRecord {
    /// Its position in the shard, counted from where reading began.
    position: u64,
    record: EventRecord,
    /// When it was read.
    read_at: EpochMillis,
}

/// Start and end of a tumbling window.
type WindowSpan = (EpochMillis, EpochMillis);

/// A batch, from when it is formed to when it is settled.
#[derive(Debug, Default)]
struct Batch {
    records: Vec<QueuedRecord>,
    window: Option<WindowSpan>,
    /// Whether this is the last invocation of the open window, which has no records.
    closes_window: bool,
    /// Failures that used up an attempt.
    failures: u32,
    /// How often the function ran.
    invocations: u32,
    /// Pauses since the last task that succeeded.
    pauses: u32,
    not_before: Option<Instant>,
    answer: Option<LastAnswer>,
    /// Why it is given up, and the id of the message.
    given_up: Option<(Condition, u128)>,
}

/// The window whose records are being delivered.
#[derive(Debug)]
struct OpenWindow {
    span: WindowSpan,
    /// JSON.
    state: String,
    is_early: bool,
    /// The positions of the records that have been delivered. They are settled with the window: a mapping that starts again has to begin
    /// with the first record of the window, because its state is gone.
    delivered: Vec<u64>,
    first: (String, EpochMillis),
    last: (String, EpochMillis),
}

/// The records and batches of some keys of a shard.
#[derive(Debug, Default)]
pub(crate) struct BatchQueue {
    waiting: VecDeque<QueuedRecord>,
    batches: VecDeque<Batch>,
    window: Option<OpenWindow>,
    is_busy: bool,
    settled: Vec<u64>,
    events: Vec<QueueEvent>,
}

impl BatchQueue {
    /// Adds a record at the end.
    pub(crate) fn push(&mut self, position: u64, record: EventRecord, read_at: EpochMillis) {
        self.waiting.push_back(QueuedRecord { position, record, read_at });
    }

    /// Returns the number of records that are not yet in a batch.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the number of records that are neither processed nor discarded, and when the first of them was created.
    pub(crate) fn backlog(&self) -> (usize, Option<EpochMillis>) {
        let records =
            self.batches.iter().map(|batch| batch.records.len()).sum::<usize>() + self.waiting.len();
        // Those in batches were read before all that wait.
        let mut in_order = self.batches.iter().flat_map(|batch| &batch.records).chain(&self.waiting);
        (records, in_order.next().map(|queued| queued.record.created))
    }

    /// Returns whether all records so far are dealt with. A window may be open.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.batches.is_empty()
    }

    /// Returns whether all records so far are dealt with and no window is open.
    pub(crate) fn is_done(&self) -> bool {
        self.is_idle() && self.window.is_none()
    }

    /// Returns the end of the pause, if the queue waits for one.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.is_busy { None } else { self.batches.front()?.not_before }
    }

    /// Takes the positions of the records that were settled since the last call, in any order.
    pub(crate) fn take_settled(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.settled)
    }

    /// Takes the events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<QueueEvent> {
        std::mem::take(&mut self.events)
    }

    /// Returns the next task, if there is one now. Its outcome has to go to [`BatchQueue::finish`] before there is another.
    pub(crate) fn next(
        &mut self,
        context: &QueueContext<'_>,
        at: Moment,
        reading: ReadState,
    ) -> Option<Task> {
        if self.is_busy {
            return None;
        }
        loop {
            if self.batches.is_empty() && !self.form_batch(context, at, reading) {
                return None;
            }
            let batch = self.batches.front_mut()?;
            if batch.not_before.is_some_and(|until| until > at.real) {
                return None;
            }
            if batch.given_up.is_some() && !context.has_destination {
                self.discard_front();
                continue;
            }
            if batch.given_up.is_none() && self.give_up_old(context, at) {
                continue;
            }
            if self.batches.front().is_some_and(Batch::is_retried) {
                self.events.push(QueueEvent::Retried);
            }
            self.is_busy = true;
            return Some(self.task(context, at));
        }
    }

    /// Returns the task of the first batch, which has to exist.
    fn task(&mut self, context: &QueueContext<'_>, at: Moment) -> Task {
        let batch = self.batches.front().expect("there is a records");
        if let Some((condition, request_id)) = batch.given_up {
            return Task::Report(self.message(batch, condition, request_id, context, at));
        }
        if let Some(span) = batch.window
            && self.window.is_none()
            && let (Some(first), Some(last)) = (batch.records.first(), batch.records.last())
        {
            self.window = Some(OpenWindow {
                span,
                state: "{}".to_owned(),
                is_early: false,
                delivered: Vec::new(),
                first: number_and_time(&first.record),
                last: number_and_time(&last.record),
            });
        }
        let window = self.window.as_ref().map(|open| WindowMembers {
            start: open.span.0,
            end: open.span.1,
            state: &open.state,
            shard_id: context.shard_id,
            stream_arn: context.stream_arn,
            is_final: batch.closes_window,
            is_early: open.is_early,
        });
        Task::Invoke(event::event(batch.records.iter().map(|queued| &queued.record), window))
    }

    fn message(
        &self,
        batch: &Batch,
        condition: Condition,
        request_id: u128,
        context: &QueueContext<'_>,
        at: Moment,
    ) -> String {
        let nowhere = (String::new(), EpochMillis::default());
        let (first, last) = match (batch.records.first(), batch.records.last(), &self.window) {
            (Some(first), Some(last), _) => (number_and_time(&first.record), number_and_time(&last.record)),
            // The last invocation of a window has no records; it stands for all of them.
            (_, _, Some(open)) => (open.first.clone(), open.last.clone()),
            _ => (nowhere.clone(), nowhere),
        };
        Discarded {
            request_id,
            function_arn: context.function_arn,
            condition,
            invocations: batch.invocations,
            answer: batch.answer,
            now: at.now,
            shard_id: context.shard_id,
            stream_arn: context.stream_arn,
            first: (&first.0, first.1),
            last: (&last.0, last.1),
            batch_size: batch.records.len(),
        }
        .message()
    }

    /// Takes the outcome of the task that [`BatchQueue::next`] returned last.
    pub(crate) fn finish(&mut self, context: &QueueContext<'_>, at: Moment, outcome: TaskOutcome) {
        self.is_busy = false;
        let Some(batch) = self.batches.front_mut() else { return };
        match outcome {
            TaskOutcome::Reported(Ok(())) => self.discard_front(),
            TaskOutcome::Reported(Err(error)) => {
                batch.back_off(context, at);
                self.events.push(QueueEvent::NotReported { error });
            }
            TaskOutcome::Invoked(Err(InvokeError::NotInvoked(error))) => {
                batch.back_off(context, at);
                self.events.push(QueueEvent::NotInvoked { error });
            }
            TaskOutcome::Invoked(Err(InvokeError::Failed { status_code, error_type, message })) => {
                batch.invocations += 1;
                batch.answer = Some(LastAnswer { status_code, is_function_error: true });
                self.events.push(QueueEvent::Failed { error: format!("{error_type}: {message}") });
                self.fail(context, at, 0);
            }
            TaskOutcome::Invoked(Ok(response)) => {
                batch.invocations += 1;
                batch.answer = Some(LastAnswer { status_code: 200, is_function_error: false });
                self.read(context, at, &response);
            }
        }
    }

    /// Interprets the response of the function to the first batch.
    fn read(&mut self, context: &QueueContext<'_>, at: Moment, response: &Response) {
        let Some(batch) = self.batches.front() else { return };
        let settings = context.settings;
        let batch_result = if settings.report_batch_item_failures && !batch.closes_window {
            let numbers: Vec<&str> =
                batch.records.iter().map(|queued| queued.record.sequence_number()).collect();
            batch_result(response.body(), &numbers)
        } else {
            BatchResult::Succeeded
        };
        if batch_result != BatchResult::Invalid
            && batch_result != BatchResult::FailedFrom(0)
            && batch.window.is_some()
        {
            // AWS also requires a state in the response to the last invocation of a window, although nothing reads it.
            let Some(state) = window_state(response.body()) else {
                self.events.push(QueueEvent::Failed { error: "the function returned no `state`".to_owned() });
                return self.fail(context, at, 0);
            };
            if let Some(open) = &mut self.window {
                open.state = state.json;
                open.is_early = state.is_too_big && !batch.closes_window;
            }
        }
        match batch_result {
            BatchResult::Succeeded => {
                let Some(batch) = self.batches.pop_front() else { return };
                self.events.push(QueueEvent::Succeeded { records: batch.records.len(), is_whole: true });
                self.settle(batch.records, batch.closes_window);
            }
            BatchResult::FailedFrom(from) => {
                let error =
                    format!("the function reported failures, from record {} of the records on", from + 1);
                self.events.push(QueueEvent::Failed { error });
                self.fail(context, at, from);
            }
            BatchResult::Invalid => {
                let error = "the function reported failures that are not in the records".to_owned();
                self.events.push(QueueEvent::Failed { error });
                self.fail(context, at, 0);
            }
        }
        self.close_early_window();
    }

    /// Closes the window before its end if its state became too large. This batch comes first, because later records would need the state.
    fn close_early_window(&mut self) {
        if let Some(open) = &self.window
            && open.is_early
            && self.batches.front().is_none_or(|batch| !batch.closes_window)
        {
            self.batches.push_front(Batch {
                window: Some(open.span),
                closes_window: true,
                ..Batch::default()
            });
        }
    }

    /// Decides what to do with the first batch after a failure. Its records in front of `from` succeeded.
    fn fail(&mut self, context: &QueueContext<'_>, at: Moment, from: usize) {
        let Some(mut batch) = self.batches.pop_front() else { return };
        let rest = batch.records.split_off(from.min(batch.records.len()));
        let done = std::mem::replace(&mut batch.records, rest);
        if !done.is_empty() {
            self.events.push(QueueEvent::Succeeded { records: done.len(), is_whole: false });
            self.settle(done, false);
        }
        let is_bisecting = context.settings.bisect_batch_on_function_error;
        if is_bisecting && from > 0 {
            // It was cut where the function failed, so that halving it would only cost invocations.
            batch.pauses = 0;
            return self.batches.push_front(batch);
        }
        if is_bisecting && batch.records.len() > 1 {
            let second = batch.records.split_off(batch.records.len().div_ceil(2));
            let Batch { window, failures, invocations, answer, .. } = batch;
            let second = Batch { records: second, window, failures, invocations, answer, ..Batch::default() };
            self.batches.push_front(second);
            return self.batches.push_front(batch);
        }
        batch.failures += 1;
        let allowed = u32::try_from(context.settings.maximum_retry_attempts).unwrap_or(u32::MAX);
        if batch.failures > allowed {
            batch.given_up = Some((Condition::RetryAttemptsExhausted, context.ids.next_id()));
            batch.not_before = None;
            batch.pauses = 0;
        } else {
            batch.back_off(context, at);
        }
        self.batches.push_front(batch);
    }

    /// Settles the first batch, which was given up.
    fn discard_front(&mut self) {
        let Some(batch) = self.batches.pop_front() else { return };
        if let Some((condition, _)) = batch.given_up {
            self.events.push(QueueEvent::Discarded { records: batch.records.len(), condition });
        }
        self.settle(batch.records, batch.closes_window);
    }

    /// Settles records; those of a window that stays open are settled with it.
    fn settle(&mut self, records: Vec<QueuedRecord>, closes_window: bool) {
        let positions = records.iter().map(|queued| queued.position);
        match &mut self.window {
            Some(open) => {
                open.delivered.extend(positions);
                if let Some(queued) = records.last() {
                    open.last = number_and_time(&queued.record);
                }
            }
            None => self.settled.extend(positions),
        }
        if closes_window && let Some(open) = self.window.take() {
            self.settled.extend(open.delivered);
        }
    }
}

impl Batch {
    /// Returns whether the next task gives the function records that it, or the way to it, has failed on before.
    fn is_retried(&self) -> bool {
        self.given_up.is_none() && (self.invocations > 0 || self.pauses > 0)
    }

    fn back_off(&mut self, context: &QueueContext<'_>, at: Moment) {
        self.not_before = Some(at.real + context.backoff.delay(self.pauses));
        self.pauses += 1;
    }
}

fn number_and_time(record: &EventRecord) -> (String, EpochMillis) {
    (record.sequence_number.clone(), record.created)
}

#[cfg(test)]
impl BatchQueue {
    /// Returns the numbers of the records that are not done with.
    pub(crate) fn unsettled_numbers(&self) -> Vec<u64> {
        let batches = self.batches.iter().flat_map(|batch| &batch.records);
        batches.chain(&self.waiting).filter_map(|queued| queued.record.sequence_number.parse().ok()).collect()
    }
}
