//! One sweep: everything that is due.

use crate::throttle::timed;
use crate::{CleanupError, Throttle, TrimReport, expire_items, rotate_shards, trim};
use pdb_model::Env;
use pdb_store::{Store, StoreError};
use std::time::Duration;

/// How long a record is kept: 24 hours, as at AWS.
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// What can be chosen about cleaning up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanupOptions {
    /// How long records, closed shards and disabled streams are kept; [`RETENTION`] unless said. Reading must use the same.
    pub retention: Duration,
    /// How long a [`Sweeper`](crate::Sweeper) waits between two sweeps, by the clock; an hour unless said.
    pub interval: Duration,
    /// Whether a [`Sweeper`](crate::Sweeper) sweeps when it starts too; it does unless said. In a fresh database nothing is due.
    pub at_start: bool,
    /// How often a [`Sweeper`](crate::Sweeper) looks for expired items between two sweeps, by the clock; every minute unless
    /// said.
    pub expiry_interval: Duration,
    /// The most records or items that one transaction removes; 500 unless said. Fewer if that takes long.
    pub step: u32,
}

impl Default for CleanupOptions {
    fn default() -> Self {
        let (interval, expiry_interval) = (Duration::from_secs(60 * 60), Duration::from_secs(60));
        Self { retention: RETENTION, interval, at_start: true, expiry_interval, step: 500 }
    }
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Shards that were rotated.
    pub rotated: u64,
    /// Items that had expired.
    pub expired: u64,
    /// What was trimmed.
    pub trimmed: TrimReport,
}

impl SweepReport {
    /// Tells the log what was done, if it was anything.
    fn tell(&self) {
        let Self { rotated, expired, trimmed } = *self;
        if *self == Self::default() {
            tracing::debug!("swept, and nothing was due");
            return;
        }
        tracing::info!(
            rotated_shards = rotated,
            expired_items = expired,
            trimmed_records = trimmed.records,
            trimmed_shards = trimmed.shards,
            trimmed_streams = trimmed.streams,
            "swept"
        );
    }
}

/// Does all that is due: rotates shards, removes expired items, trims records, shards and streams.
///
/// Sweeps of one store never overlap, whoever begins them: a second one waits for the first. One at a [gentle](Throttle::gentle) throttle
/// makes way for others between its steps.
///
/// # Errors
///
/// The first failure. What was done until then stays so.
pub fn sweep(
    store: &Store,
    env: &Env,
    options: &CleanupOptions,
    throttle: &Throttle,
) -> Result<SweepReport, CleanupError> {
    let throttle = &throttle.begun();
    throttle.together(store, || {
        let rotated = throttle.alone(store, || rotate_shards(store, env))?;
        let expired = expire_items(store, env, throttle)?;
        let now = env.clock.now();
        let trimmed = trim(store, now, options.retention, throttle)?;
        forget_tokens(store, env, throttle)?;
        let report = SweepReport { rotated, expired, trimmed };
        report.tell();
        Ok(report)
    })
}

/// Forgets the tokens of transactions that may be applied again by now.
fn forget_tokens(store: &Store, env: &Env, throttle: &Throttle) -> Result<(), StoreError> {
    let now = env.clock.now();
    throttle.repeat(store, |limit| store.write(move |tx| timed(|| tx.forget_tokens(now, limit))))?;
    Ok(())
}
