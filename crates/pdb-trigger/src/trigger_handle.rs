//! A handle that shows the state of a trigger.

use std::fmt;
use std::sync::Arc;

use crate::state::{ShardState, SharedState, TriggerState};

/// Shows the state of a [`Trigger`](crate::Trigger), also to other threads. It neither stops the trigger nor keeps it running.
#[derive(Clone)]
pub struct TriggerHandle(Arc<SharedState>);

impl TriggerHandle {
    pub(crate) fn new(shared: Arc<SharedState>) -> Self {
        Self(shared)
    }

    /// Returns the state of the trigger; after its end, the final one.
    #[must_use]
    pub fn state(&self) -> TriggerState {
        self.0.state()
    }

    /// Returns the state of each shard that is being read.
    #[must_use]
    pub fn shards(&self) -> Vec<ShardState> {
        self.0.shards()
    }

    /// Returns [`TriggerState::iterator_age_millis`], and copies nothing else.
    #[must_use]
    pub fn iterator_age_millis(&self) -> u64 {
        self.0.iterator_age_millis()
    }
}

impl fmt::Debug for TriggerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
