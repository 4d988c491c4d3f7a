//! Waits that end early: because of a stop, or of new records.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Stops a [`Subscription`](crate::Subscription) from another thread, or ends its wait for records.
#[derive(Clone, Debug, Default)]
pub struct WakeHandle {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    news: bool,
    nudged: bool,
}

impl WakeHandle {
    /// Ends the subscription: a thread that waits in it returns at once, and it returns no further events.
    pub fn stop(&self) {
        self.state().stopped = true;
        self.shared.changed.notify_all();
    }

    /// Ends the present or the next wait, because there may be new records.
    pub fn wake(&self) {
        self.state().news = true;
        self.shared.changed.notify_all();
    }

    /// Ends the present or the next wait for another reason than new records.
    pub fn nudge(&self) {
        self.state().nudged = true;
        self.shared.changed.notify_all();
    }

    /// Returns a function that does the same as [`WakeHandle::wake`]. The function returns false, and does nothing, when all copies of
    /// this handle are gone, or after a stop.
    pub fn waker(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.shared);
        move || {
            shared.upgrade().is_some_and(|shared| {
                let handle = Self { shared };
                handle.wake();
                !handle.is_stopped()
            })
        }
    }

    /// Returns whether [`WakeHandle::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Waits until [`WakeHandle::wake`], [`WakeHandle::nudge`] or [`WakeHandle::stop`] is called, or `timeout` has passed. Returns whether
    /// there may be new records.
    pub fn wait(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut state = self.state();
        while !state.stopped && !state.news && !state.nudged {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.nudged = false;
        std::mem::take(&mut state.news)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
