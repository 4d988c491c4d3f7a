//! One lane of a shard: the batches of some of its keys, one at a time, in order.
//!
//! A lane forms batches of the records it was given and says what to do next: invoke the function, or tell that records were
//! given up. It is told what came of that, and decides: done, again, halves, given up. It does nothing by itself and reads no
//! clock, so that every decision can be tested.

mod form;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pretender::model::IdSource;
use pretender::time::EpochMillis;

use crate::event::{self, EventRecord, WindowMembers};
use crate::function::{InvokeError, Response, Verdict, verdict, window_state};
use crate::message::{Condition, Discarded, LastAnswer};
use crate::settings::Settings;

/// What a lane must know of the mapping and its shard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) stream_arn: &'a str,
    pub(crate) shard_id: &'a str,
    pub(crate) function_arn: &'a str,
    pub(crate) ids: &'a dyn IdSource,
    pub(crate) has_destination: bool,
    /// How long the stream keeps records; a batch that has failed is not tried again after that.
    pub(crate) retention: Option<Duration>,
    pub(crate) pauses: Pauses,
}

/// How long to wait before the same thing is tried again: doubling from the first to the longest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Pauses {
    fn nth(self, n: u32) -> Duration {
        self.first.saturating_mul(1 << n.min(20)).min(self.longest)
    }
}

/// A moment by the database's clock and by the machine's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: EpochMillis,
    pub(crate) real: Instant,
}

/// How far the shard has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Whether no more records will come.
    pub(crate) is_ended: bool,
    /// When the shard was last asked for records and had none; not if it had some since.
    pub(crate) quiet_at: Option<EpochMillis>,
}

/// What a lane wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Invoke the function with this event.
    Invoke(String),
    /// Send this message to the destination.
    Report(String),
}

/// What came of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Invoked(Result<Response, InvokeError>),
    Reported(Result<(), String>),
}

/// What happened, for who counts and prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
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
}

/// A record that has not been settled.
#[derive(Clone, Debug)]
struct Held {
    /// Its place in the shard, counted from the begin of reading.
    position: u64,
    record: EventRecord,
    /// When it was read.
    gathered: EpochMillis,
}

/// Begin and end of a tumbling window.
type Span = (EpochMillis, EpochMillis);

/// A batch, from when it is formed to when it is settled.
#[derive(Debug, Default)]
struct Work {
    batch: Vec<Held>,
    window: Option<Span>,
    /// Whether this is the last invocation of the open window, which has no records.
    closes: bool,
    /// Failures that used up an attempt.
    failures: u32,
    /// How often the function ran.
    invocations: u32,
    /// Pauses since something last went well.
    pauses: u32,
    not_before: Option<Instant>,
    answer: Option<LastAnswer>,
    /// Why it is given up, and the id in the message.
    given_up: Option<(Condition, u128)>,
}

/// The window whose records are being delivered.
#[derive(Debug)]
struct OpenWindow {
    span: Span,
    /// JSON.
    state: String,
    is_early: bool,
    /// The records that have been delivered. They are settled with the window: who begins again does so at its begin, without
    /// a state.
    delivered: Vec<u64>,
    first: (String, EpochMillis),
    last: (String, EpochMillis),
}

/// The batches of some keys of a shard.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    waiting: VecDeque<Held>,
    work: VecDeque<Work>,
    window: Option<OpenWindow>,
    is_busy: bool,
    settled: Vec<u64>,
    told: Vec<Told>,
}

impl Lane {
    /// Adds a record behind those it has.
    pub(crate) fn push(&mut self, position: u64, record: EventRecord, gathered: EpochMillis) {
        self.waiting.push_back(Held { position, record, gathered });
    }

    /// Returns how many records wait to become part of a batch.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Returns whether nothing is left to do with the records so far. A window may be open.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.work.is_empty()
    }

    /// Returns whether no window is open, either.
    pub(crate) fn is_done(&self) -> bool {
        self.is_idle() && self.window.is_none()
    }

    /// Returns when a pause ends, if that is what the lane waits for.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.is_busy { None } else { self.work.front()?.not_before }
    }

    /// Takes the positions of the records that are done with, in any order.
    pub(crate) fn take_settled(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.settled)
    }

    /// Takes what happened since it was last asked.
    pub(crate) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// Returns what is to be done now, if anything; its outcome must be told before there is anything else.
    pub(crate) fn next(&mut self, around: &Surroundings<'_>, at: Moment, reading: Reading) -> Option<Task> {
        if self.is_busy {
            return None;
        }
        loop {
            if self.work.is_empty() && !self.form(around, at, reading) {
                return None;
            }
            let work = self.work.front_mut()?;
            if work.not_before.is_some_and(|until| until > at.real) {
                return None;
            }
            if work.given_up.is_some() && !around.has_destination {
                self.discard_front();
                continue;
            }
            if work.given_up.is_none() && self.give_up_old(around, at) {
                continue;
            }
            self.is_busy = true;
            return Some(self.task(around, at));
        }
    }

    /// Returns the task of the first batch, which must be there.
    fn task(&mut self, around: &Surroundings<'_>, at: Moment) -> Task {
        let work = self.work.front().expect("there is a batch");
        if let Some((condition, request_id)) = work.given_up {
            return Task::Report(self.message(work, condition, request_id, around, at));
        }
        if let Some(span) = work.window
            && self.window.is_none()
            && let (Some(first), Some(last)) = (work.batch.first(), work.batch.last())
        {
            self.window = Some(OpenWindow {
                span,
                state: "{}".to_owned(),
                is_early: false,
                delivered: Vec::new(),
                first: place(&first.record),
                last: place(&last.record),
            });
        }
        let window = self.window.as_ref().map(|open| WindowMembers {
            start: open.span.0,
            end: open.span.1,
            state: &open.state,
            shard_id: around.shard_id,
            stream_arn: around.stream_arn,
            is_final: work.closes,
            is_early: open.is_early,
        });
        Task::Invoke(event::event(work.batch.iter().map(|held| &held.record), window))
    }

    fn message(
        &self,
        work: &Work,
        condition: Condition,
        request_id: u128,
        around: &Surroundings<'_>,
        at: Moment,
    ) -> String {
        let nowhere = (String::new(), EpochMillis::default());
        let (first, last) = match (work.batch.first(), work.batch.last(), &self.window) {
            (Some(first), Some(last), _) => (place(&first.record), place(&last.record)),
            // The last invocation of a window has no records; it stands for all of them.
            (_, _, Some(open)) => (open.first.clone(), open.last.clone()),
            _ => (nowhere.clone(), nowhere),
        };
        Discarded {
            request_id,
            function_arn: around.function_arn,
            condition,
            invocations: work.invocations,
            answer: work.answer,
            now: at.now,
            shard_id: around.shard_id,
            stream_arn: around.stream_arn,
            first: (&first.0, first.1),
            last: (&last.0, last.1),
            batch_size: work.batch.len(),
        }
        .message()
    }

    /// Takes what came of the task that [`Lane::next`] returned last.
    pub(crate) fn finish(&mut self, around: &Surroundings<'_>, at: Moment, outcome: Outcome) {
        self.is_busy = false;
        let Some(work) = self.work.front_mut() else { return };
        match outcome {
            Outcome::Reported(Ok(())) => self.discard_front(),
            Outcome::Reported(Err(error)) => {
                work.pause(around, at);
                self.told.push(Told::NotReported { error });
            }
            Outcome::Invoked(Err(InvokeError::NotInvoked(error))) => {
                work.pause(around, at);
                self.told.push(Told::NotInvoked { error });
            }
            Outcome::Invoked(Err(InvokeError::Failed { status_code, error_type, message })) => {
                work.invocations += 1;
                work.answer = Some(LastAnswer { status_code, is_function_error: true });
                self.told.push(Told::Failed { error: format!("{error_type}: {message}") });
                self.fail(around, at, 0);
            }
            Outcome::Invoked(Ok(response)) => {
                work.invocations += 1;
                work.answer = Some(LastAnswer { status_code: 200, is_function_error: false });
                self.read(around, at, &response);
            }
        }
    }

    /// Reads what the function returned for the first batch.
    fn read(&mut self, around: &Surroundings<'_>, at: Moment, response: &Response) {
        let Some(work) = self.work.front() else { return };
        let settings = around.settings;
        let verdict = if settings.report_batch_item_failures && !work.closes {
            let numbers: Vec<&str> = work.batch.iter().map(|held| held.record.sequence_number()).collect();
            verdict(response.body(), &numbers)
        } else {
            Verdict::Succeeded
        };
        if verdict != Verdict::Nonsense && verdict != Verdict::FailedFrom(0) && work.window.is_some() {
            // What closes a window is done with its state, but has to return one all the same.
            let Some(state) = window_state(response.body()) else {
                self.told.push(Told::Failed { error: "the function returned no `state`".to_owned() });
                return self.fail(around, at, 0);
            };
            if let Some(open) = &mut self.window {
                open.state = state.json;
                open.is_early = state.is_too_big && !work.closes;
            }
        }
        match verdict {
            Verdict::Succeeded => {
                let Some(work) = self.work.pop_front() else { return };
                self.told.push(Told::Succeeded { records: work.batch.len(), is_whole: true });
                self.settle(work.batch, work.closes);
            }
            Verdict::FailedFrom(from) => {
                let error =
                    format!("the function reported failures, from record {} of the batch on", from + 1);
                self.told.push(Told::Failed { error });
                self.fail(around, at, from);
            }
            Verdict::Nonsense => {
                let error = "the function reported failures that are not in the batch".to_owned();
                self.told.push(Told::Failed { error });
                self.fail(around, at, 0);
            }
        }
        self.close_early_window();
    }

    /// Has the window closed before anything else if its state became too big.
    fn close_early_window(&mut self) {
        if let Some(open) = &self.window
            && open.is_early
            && self.work.front().is_none_or(|work| !work.closes)
        {
            self.work.push_front(Work { window: Some(open.span), closes: true, ..Work::default() });
        }
    }

    /// Decides about the first batch, of which the records before `from` succeeded.
    fn fail(&mut self, around: &Surroundings<'_>, at: Moment, from: usize) {
        let Some(mut work) = self.work.pop_front() else { return };
        let rest = work.batch.split_off(from.min(work.batch.len()));
        let done = std::mem::replace(&mut work.batch, rest);
        if !done.is_empty() {
            self.told.push(Told::Succeeded { records: done.len(), is_whole: false });
            self.settle(done, false);
        }
        let is_bisecting = around.settings.bisect_batch_on_function_error;
        if is_bisecting && from > 0 {
            // It was cut where the function said.
            work.pauses = 0;
            return self.work.push_front(work);
        }
        if is_bisecting && work.batch.len() > 1 {
            let second = work.batch.split_off(work.batch.len().div_ceil(2));
            let Work { window, failures, invocations, answer, .. } = work;
            let second = Work { batch: second, window, failures, invocations, answer, ..Work::default() };
            self.work.push_front(second);
            return self.work.push_front(work);
        }
        work.failures += 1;
        let allowed = u32::try_from(around.settings.maximum_retry_attempts).unwrap_or(u32::MAX);
        if work.failures > allowed {
            work.given_up = Some((Condition::RetryAttemptsExhausted, around.ids.next_id()));
            work.not_before = None;
            work.pauses = 0;
        } else {
            work.pause(around, at);
        }
        self.work.push_front(work);
    }

    /// Settles the first batch, which was given up.
    fn discard_front(&mut self) {
        let Some(work) = self.work.pop_front() else { return };
        if let Some((condition, _)) = work.given_up {
            self.told.push(Told::Discarded { records: work.batch.len(), condition });
        }
        self.settle(work.batch, work.closes);
    }

    /// Settles records; those of a window that stays open are settled with it.
    fn settle(&mut self, batch: Vec<Held>, closes: bool) {
        let positions = batch.iter().map(|held| held.position);
        match &mut self.window {
            Some(open) => {
                open.delivered.extend(positions);
                if let Some(held) = batch.last() {
                    open.last = place(&held.record);
                }
            }
            None => self.settled.extend(positions),
        }
        if closes && let Some(open) = self.window.take() {
            self.settled.extend(open.delivered);
        }
    }
}

impl Work {
    fn pause(&mut self, around: &Surroundings<'_>, at: Moment) {
        self.not_before = Some(at.real + around.pauses.nth(self.pauses));
        self.pauses += 1;
    }
}

fn place(record: &EventRecord) -> (String, EpochMillis) {
    (record.sequence_number.clone(), record.created)
}

#[cfg(test)]
impl Lane {
    /// Returns the numbers of the records that are not done with.
    pub(crate) fn held(&self) -> Vec<u64> {
        let batches = self.work.iter().flat_map(|work| &work.batch);
        batches.chain(&self.waiting).filter_map(|held| held.record.sequence_number.parse().ok()).collect()
    }
}
