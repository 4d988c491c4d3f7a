//! What must have its own copy of stream records before they are trimmed.

use crate::Throttle;
use pdb_model::Env;
use pdb_store::{ReadTx, ShardRow, Store, StoreError, StreamRow};
use std::fmt::Debug;
use std::time::Duration;

/// Keeps a copy of stream records, and holds a trim back until it has them: an archive.
pub trait TrimGuard: Debug + Send + Sync {
    /// Copies what is due. Called before each trim, without the store being held: it may take long. A failure is the guard's to report; the
    /// trim then goes as far as [`released`](Self::released) says.
    fn copy_due(&self, store: &Store, env: &Env, times: TrimTimes, throttle: &Throttle);

    /// Returns how far a shard may be trimmed.
    ///
    /// # Errors
    ///
    /// Those of the transaction.
    fn released(
        &self,
        tx: &mut ReadTx<'_>,
        stream: &StreamRow,
        shard: &ShardRow,
    ) -> Result<Released, StoreError>;

    /// Returns how long a record waits for its copy at most, after it has outlived the retention. Then it is trimmed without one.
    fn max_delay(&self) -> Duration;

    /// Called after records were trimmed that have no copy.
    fn lost(&self, stream: &StreamRow, shard: &ShardRow, records: u64);
}

/// When records are trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrimTimes {
    /// How long records are kept.
    pub retention: Duration,
    /// The time until the next trim.
    pub interval: Duration,
}

/// How far a shard may be trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    /// The counter of the last record that may be removed.
    pub through: u64,
    /// Whether the shard itself may be removed, too.
    pub is_complete: bool,
}

impl Released {
    /// Everything, if there is no guard.
    pub(crate) const ALL: Self = Self { through: u64::MAX, is_complete: true };
}
