//! The clock of a history, and waiting.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The clock of a history. It never goes back, and all threads share it.
#[derive(Clone, Copy, Debug)]
pub struct Watch(Instant);

impl Watch {
    /// Starts the clock.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the nanoseconds since the start.
    #[must_use]
    pub fn now(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }

    /// Returns the time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Ends all threads of a history at once. Dropped, it ends them too.
#[derive(Debug)]
pub struct Stop {
    senders: Vec<Sender<()>>,
}

/// A thread's side of a [`Stop`].
#[derive(Clone, Debug)]
pub struct Stopped(Arc<Mutex<Receiver<()>>>);

impl Stop {
    /// Creates a stop for so many threads.
    #[must_use]
    pub fn new(threads: usize) -> (Self, Vec<Stopped>) {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..threads).map(|_| channel()).unzip();
        let receivers = receivers.into_iter().map(|receiver| Stopped(Arc::new(Mutex::new(receiver))));
        (Self { senders }, receivers.collect())
    }

    /// Ends the threads.
    pub fn stop(&mut self) {
        self.senders.clear();
    }
}

impl Stopped {
    /// Waits, at most so long. Returns whether the thread must end.
    #[must_use]
    pub fn wait(&self, time: Duration) -> bool {
        let receiver = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }
}
