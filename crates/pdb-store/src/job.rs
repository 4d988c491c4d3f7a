//! A job: the closure of a caller that runs in a transaction, and where its result goes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{
    error::StoreError,
    pending::Answer,
    trace::{JobTrace, Origin},
    tx::Tx,
};

/// A job for the writer.
pub(crate) trait Job {
    /// Runs the closure and keeps its result; returns whether what it did to the database is to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Replaces the result: nothing of what the group did was committed.
    fn fail(&mut self, error: StoreError);
    /// Whether it panicked: then it must not run again.
    fn panicked(&self) -> bool;
    /// Gives the result to the caller that waits for it.
    fn answer(&mut self);
    /// What is traced of it.
    fn trace(&mut self) -> &mut JobTrace;
}

/// A caller's closure, and where its result goes.
pub(crate) struct ClosureJob<F, T, E: From<StoreError>> {
    work: F,
    result: Option<Result<T, E>>,
    panicked: bool,
    answer: Option<Answer<Result<T, E>>>,
    trace: JobTrace,
}

impl<F, T, E: From<StoreError>> ClosureJob<F, T, E> {
    /// Makes a job of the caller of this thread.
    pub(crate) fn new(work: F, answer: Option<Answer<Result<T, E>>>) -> Self {
        Self::of(Origin::here(), work, answer)
    }

    /// Makes a job of another caller.
    pub(crate) fn of(origin: Origin, work: F, answer: Option<Answer<Result<T, E>>>) -> Self {
        Self { work, result: None, panicked: false, answer, trace: JobTrace::new(origin) }
    }

    /// Takes the result of a job that ran on the thread of its caller.
    pub(crate) fn take_result(&mut self) -> Result<T, E> {
        self.result.take().unwrap_or_else(|| Err(StoreError::Closed.into()))
    }
}

impl<F, T, E> Job for ClosureJob<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E>,
    E: From<StoreError>,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // What the closure captured may be left half changed by a panic; it is not run again after one.
        let Self { work, trace, .. } = self;
        let result = trace.transaction(|| catch_unwind(AssertUnwindSafe(|| work(tx))));
        self.panicked = result.is_err();
        let result = result.unwrap_or_else(|panic| Err(StoreError::Panicked(message_of(&*panic)).into()));
        let keep = result.is_ok();
        if !keep {
            self.trace.rolled_back(self.panicked);
        }
        self.result = Some(result);
        keep
    }

    fn fail(&mut self, error: StoreError) {
        self.trace.rolled_back(false);
        self.result = Some(Err(error.into()));
    }

    fn panicked(&self) -> bool {
        self.panicked
    }

    fn answer(&mut self) {
        // The caller's span must not last longer than the call.
        self.trace = JobTrace::default();
        if let Some(answer) = self.answer.take() {
            answer.give(self.take_result());
        }
    }

    fn trace(&mut self) -> &mut JobTrace {
        &mut self.trace
    }
}

/// A job that is dropped before it has run is answered too: the store is closed.
impl<F, T, E: From<StoreError>> Drop for ClosureJob<F, T, E> {
    fn drop(&mut self) {
        if let Some(answer) = self.answer.take() {
            answer.give(self.take_result());
        }
    }
}

pub(crate) fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
