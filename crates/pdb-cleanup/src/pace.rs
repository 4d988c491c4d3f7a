//! How large the steps are, and when to leave off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How cleaning up proceeds: in steps of a transaction each, between which writers get their turn, until told to stop.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The most records or items of one transaction.
    pub step: u32,
    stopped: Arc<AtomicBool>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(100)
    }
}

impl Pace {
    /// Makes a pace of steps of this size; a step has one record at least.
    #[must_use]
    pub fn new(step: u32) -> Self {
        Self { step: step.max(1), stopped: Arc::default() }
    }

    /// Ends whatever proceeds at this pace, or a clone of it, after its present step.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// Tells whether [`Pace::stop`] was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}
