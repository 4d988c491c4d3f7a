//! The source of identifiers, and `Env`, which holds it with the clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::{Clock, SystemClock};

/// What an operation needs besides its transaction: a clock and a source of identifiers. Cheap to clone.
///
/// Tests replace both, which makes timestamps and identifiers predictable.
#[derive(Clone, Debug)]
pub struct Env {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of identifiers.
    pub ids: Arc<dyn IdSource>,
}

impl Default for Env {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) }
    }
}

/// A source of unique identifiers.
pub trait IdSource: Send + Sync + fmt::Debug {
    /// Returns an identifier that was not returned before.
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

/// Identifiers that count upwards, for tests that have to know them in advance.
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
