//! One sweep: all background work that is due.

use crate::throttle::timed;
use crate::{
    CleanupError, Throttle, TrimGuard, TrimReport, TrimTimes, expire_items, rotate_shards, trim_guarded,
    trim_histories,
};
use pdb_model::Env;
use pdb_store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// How long a stream record is kept: 24 hours, as on AWS.
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Settings of sweeps and of the [`Sweeper`](crate::Sweeper).
#[derive(Clone, Debug)]
pub struct CleanupOptions {
    /// How long records, closed shards and disabled streams are kept. The default is [`RETENTION`]. Readers of the streams must use the
    /// same value.
    pub retention: Duration,
    /// The time between two sweeps of a [`Sweeper`](crate::Sweeper), by its clock. The default is an hour.
    pub interval: Duration,
    /// Whether a [`Sweeper`](crate::Sweeper) also sweeps when it starts. The default is `true`. A new database has nothing to sweep.
    pub at_start: bool,
    /// The time between two searches of a [`Sweeper`](crate::Sweeper) for expired items, by its clock. The default is a minute.
    pub expiry_interval: Duration,
    /// The most records or items that one transaction removes. The default is 500. A transaction removes fewer if it takes long.
    pub step: u32,
    /// What has to have a copy of records before they are trimmed. The default is nothing.
    pub guard: Option<Arc<dyn TrimGuard>>,
}

impl Default for CleanupOptions {
    fn default() -> Self {
        let (interval, expiry_interval) = (Duration::from_secs(60 * 60), Duration::from_secs(60));
        Self { retention: RETENTION, interval, at_start: true, expiry_interval, step: 500, guard: None }
    }
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// How many shards were rotated.
    pub rotated: u64,
    /// How many expired items were deleted.
    pub expired: u64,
    /// What was trimmed.
    pub trimmed: TrimReport,
    /// How many changes were removed from histories, because no moment that can be restored needs them.
    pub trimmed_changes: u64,
}

impl SweepReport {
    /// Logs what was done: at debug level if nothing was due.
    fn log(&self) {
        let Self { rotated, expired, trimmed, trimmed_changes } = *self;
        if *self == Self::default() {
            tracing::debug!("swept; nothing was due");
            return;
        }
        tracing::info!(
            rotated_shards = rotated,
            expired_items = expired,
            trimmed_records = trimmed.records,
            trimmed_shards = trimmed.shards,
            trimmed_streams = trimmed.streams,
            trimmed_changes,
            "swept"
        );
    }
}

/// Does all background work that is due: rotates shards, deletes expired items, trims records, shards, streams and histories.
///
/// Before that, the guard of the options copies the records that are due. It does not hold the store meanwhile.
///
/// A second sweep of the same store waits until the first one has ended. With a [gentle](Throttle::gentle) throttle, it waits for one step
/// of the first at most.
///
/// # Errors
///
/// The first failure. Work that was done before it is not undone.
pub fn sweep(
    store: &Store,
    env: &Env,
    options: &CleanupOptions,
    throttle: &Throttle,
) -> Result<SweepReport, CleanupError> {
    let throttle = &throttle.begin();
    if let Some(guard) = &options.guard {
        let times = TrimTimes { retention: options.retention, interval: options.interval };
        guard.copy_due(store, env, times, throttle);
    }
    throttle.maintain(store, || {
        let rotated = throttle.maintain_step(store, || rotate_shards(store, env))?;
        let expired = expire_items(store, env, throttle)?;
        let now = env.clock.now();
        let guard = options.guard.as_deref();
        let trimmed = trim_guarded(store, now, options.retention, guard, throttle)?;
        let trimmed_changes = trim_histories(store, now, throttle)?;
        forget_tokens(store, env, throttle)?;
        let report = SweepReport { rotated, expired, trimmed, trimmed_changes };
        report.log();
        Ok(report)
    })
}

/// Deletes the tokens of transactions that are so old that the same token may be used again.
fn forget_tokens(store: &Store, env: &Env, throttle: &Throttle) -> Result<(), StoreError> {
    let now = env.clock.now();
    throttle.repeat(store, |limit| store.write(move |tx| timed(|| tx.forget_tokens(now, limit))))?;
    Ok(())
}
