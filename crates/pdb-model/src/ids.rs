//! Where identifiers come from, and the bundle of what an operation may ask of the world.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::{Clock, SystemClock};

/// What an operation may ask of the world besides its transaction. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Env {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh identifiers.
    pub ids: Arc<dyn IdSource>,
}

impl Default for Env {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) }
    }
}

/// A source of identifiers nobody else has.
pub trait IdSource: Send + Sync + fmt::Debug {
    /// Returns a fresh 128-bit value.
    fn next_id(&self) -> u128;
}

/// Random identifiers.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn next_id(&self) -> u128 {
        Uuid::new_v4().as_u128()
    }
}

/// Identifiers that count from a start, for tests that want to know them beforehand.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl CountingIds {
    /// Returns a source whose first identifier is `first`.
    #[must_use]
    pub fn starting_at(first: u64) -> Self {
        Self(AtomicU64::new(first))
    }
}

impl IdSource for CountingIds {
    fn next_id(&self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
