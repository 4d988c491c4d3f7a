//! Options of streams.

use std::time::Duration;

/// The retention of records: 24 hours, as on AWS. Disabled streams and closed shards stay as long.
pub const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// The lifetime of an iterator: 15 minutes, as on AWS.
pub const ITERATOR_LIFE: Duration = Duration::from_secs(15 * 60);

/// What can be chosen about the reading of streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// How long records are served; [`RETENTION`] unless said. Trimming must use the same.
    pub retention: Duration,
    /// Whether AWS's rates hold: five `GetRecords` a second and two readers for a shard, five `ListStreams` and ten
    /// `DescribeStream` a second. Off unless said.
    pub enforce_limits: bool,
    /// How long a stream is shown as `ENABLING` after it was enabled, without shards, and as `DISABLING` after it was
    /// disabled. For tests of waiting code; nothing is recorded differently. Zero unless said.
    pub transition_delay: Duration,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self { retention: RETENTION, enforce_limits: false, transition_delay: Duration::ZERO }
    }
}
