//! The answer that is still to come.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// An answer that is still to come: await it in any runtime, or [`wait`](Self::wait) for it on this thread.
///
/// The work begins when this is first polled, waited for, dropped, or [begun](Self::begin), if not earlier. Dropping it does not
/// cancel the work.
#[must_use = "the work is done, but nobody learns how it went"]
pub struct Pending<T> {
    slot: Arc<Slot<T>>,
    /// Who runs the job, as long as nobody has been asked to.
    starter: Option<Starter>,
}

/// Runs the jobs of a queue.
pub(crate) trait JobRunner: Send + Sync {
    /// Runs the jobs that wait on this thread, unless another thread is about to do so. If this thread must not take long, another one
    /// runs those that may, and the jobs behind them.
    fn run_here(&self, may_take_long: bool);
    /// Has them run on another thread.
    fn run_elsewhere(&self);
}

struct Starter {
    runner: Arc<dyn JobRunner>,
    has_yielded: bool,
}

impl<T> Pending<T> {
    /// Returns an answer that is there already.
    pub fn ready(value: T) -> Self {
        let (answer, pending) = Answer::new();
        answer.give(value);
        pending
    }

    /// Adds who runs the job, which waits in a queue.
    pub(crate) fn started_by(mut self, runner: Arc<dyn JobRunner>) -> Self {
        self.starter = Some(Starter { runner, has_yielded: false });
        self
    }

    /// Lets the work begin now, on a thread of the store, while this thread does something else.
    pub fn begin(&mut self) {
        if let Some(starter) = self.starter.take() {
            starter.runner.run_elsewhere();
        }
    }

    /// Waits on this thread until the answer is there.
    ///
    /// # Panics
    ///
    /// If the answer was taken before, by polling.
    pub fn wait(mut self) -> T {
        if let Some(starter) = self.starter.take() {
            starter.runner.run_here(true);
        }
        let mut state = self.slot.lock();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Given(value) => return value,
                State::Taken => panic!("an answer is taken only once"),
                State::Awaited(_) | State::Waited => *state = State::Waited,
            }
            state = self.slot.given.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if let Some(starter) = &mut self.starter {
            if !starter.has_yielded {
                // The other tasks that are ready come first: their jobs then share a commit with this one.
                starter.has_yielded = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let runner = starter.runner.clone();
            self.starter = None;
            // The thread of a task has others to run.
            runner.run_here(false);
        }
        let mut state = self.slot.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Given(value) => Poll::Ready(value),
            State::Taken => panic!("an answer is taken only once"),
            State::Awaited(Some(waker)) if waker.will_wake(context.waker()) => {
                *state = State::Awaited(Some(waker));
                Poll::Pending
            }
            State::Awaited(_) | State::Waited => {
                *state = State::Awaited(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        self.begin();
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}

/// The other end of a [`Pending`].
#[derive(Debug)]
pub(crate) struct Answer<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Answer<T> {
    pub(crate) fn new() -> (Self, Pending<T>) {
        let slot = Arc::new(Slot { state: Mutex::new(State::Awaited(None)), given: Condvar::new() });
        (Self { slot: slot.clone() }, Pending { slot, starter: None })
    }

    pub(crate) fn give(&self, value: T) {
        let before = std::mem::replace(&mut *self.slot.lock(), State::Given(value));
        match before {
            State::Awaited(Some(waker)) => waker.wake(),
            // A call of the system, so only if a thread sleeps.
            State::Waited => self.slot.given.notify_one(),
            State::Awaited(None) | State::Given(_) | State::Taken => {}
        }
    }
}

#[derive(Debug)]
struct Slot<T> {
    state: Mutex<State<T>>,
    given: Condvar,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code of a caller runs under the lock, so a poisoned state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum State<T> {
    /// The task to wake, once it has polled.
    Awaited(Option<Waker>),
    /// A thread sleeps until the answer is there.
    Waited,
    Given(T),
    Taken,
}
