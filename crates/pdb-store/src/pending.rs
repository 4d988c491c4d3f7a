//! The answer that is still to come.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// An answer that is still to come: await it in any runtime, or [`wait`](Self::wait) for it on this thread.
///
/// Dropping it does not cancel the work.
#[must_use = "the work is done, but nobody learns how it went"]
#[derive(Debug)]
pub struct Pending<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Pending<T> {
    /// Returns an answer that is there already.
    pub fn ready(value: T) -> Self {
        let (answer, pending) = Answer::new();
        answer.give(value);
        pending
    }

    /// Waits on this thread until the answer is there.
    ///
    /// # Panics
    ///
    /// If the answer was taken before, by polling.
    pub fn wait(self) -> T {
        let mut state = self.slot.lock();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Given(value) => return value,
                State::Taken => panic!("an answer is taken only once"),
                State::Waiting(waker) => *state = State::Waiting(waker),
            }
            state = self.slot.given.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Future for Pending<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut state = self.slot.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Given(value) => Poll::Ready(value),
            State::Taken => panic!("an answer is taken only once"),
            State::Waiting(old) => {
                let waker = match old {
                    Some(waker) if waker.will_wake(context.waker()) => waker,
                    _ => context.waker().clone(),
                };
                *state = State::Waiting(Some(waker));
                Poll::Pending
            }
        }
    }
}

/// The other end of a [`Pending`].
#[derive(Debug)]
pub(crate) struct Answer<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Answer<T> {
    pub(crate) fn new() -> (Self, Pending<T>) {
        let slot = Arc::new(Slot { state: Mutex::new(State::Waiting(None)), given: Condvar::new() });
        (Self { slot: slot.clone() }, Pending { slot })
    }

    pub(crate) fn give(&self, value: T) {
        let old = std::mem::replace(&mut *self.slot.lock(), State::Given(value));
        self.slot.given.notify_one();
        if let State::Waiting(Some(waker)) = old {
            waker.wake();
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
    Waiting(Option<Waker>),
    Given(T),
    Taken,
}
