//! Features of a table: restores, point-in-time recovery, Kinesis, contributor insights, policies.

use crate::{EpochMillis, IndexName};

/// The source of a restored table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RestoredFrom {
    /// The ARN of the backup. `None` if the table was restored to a point in time.
    pub backup_arn: Option<String>,
    /// The ARN of the source table.
    pub table_arn: String,
    /// The point in time that was restored.
    pub moment: EpochMillis,
}

/// A change that a table reports as in progress, although it is done.
///
/// Changes of tables take a while on AWS. With a transition delay, tests can check that their code waits.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Transition {
    /// The change that is reported.
    pub change: TableChange,
    /// Until when it is reported.
    pub until: EpochMillis,
}

/// A change of a table that takes a while on AWS.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TableChange {
    /// The table is being created, and cannot be used yet.
    Creation,
    /// The billing mode or the provisioned units change.
    Throughput,
    /// The stream is being enabled or disabled.
    Stream {
        /// Whether it is being enabled.
        enabling: bool,
    },
    /// A global index is being created.
    IndexCreation(IndexName),
    /// A vector index is being created.
    VectorIndexCreation {
        /// The index.
        index: IndexName,
        /// When it begins to take in the items of the table. Until then, its resources are being allocated.
        backfills: EpochMillis,
    },
    /// A global or vector index is being deleted.
    IndexDeletion(IndexName),
    /// The provisioned units of a global index change.
    IndexThroughput(IndexName),
    /// Other settings of the table change.
    Settings,
}

/// Point-in-time recovery that is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PointInTimeRecovery {
    /// When it was enabled.
    pub enabled: EpochMillis,
    /// How many days one can go back: 1 to 35.
    pub recovery_period_days: u32,
}

/// A Kinesis stream that was set as a destination of a table's changes. Only the setting is stored: no changes are sent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KinesisDestination {
    /// The ARN of the Kinesis stream.
    pub stream_arn: String,
    /// Whether it is enabled. A disabled destination is still listed.
    pub active: bool,
    /// The precision of creation times, if it was set.
    pub precision: Option<TimePrecision>,
}

/// The precision of creation times sent to Kinesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum TimePrecision {
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
}

impl TimePrecision {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Millisecond => "MILLISECOND",
            Self::Microsecond => "MICROSECOND",
        }
    }
}

/// The contributor insights of a table or of one of its indexes. Only the setting is stored: nothing is counted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContributorInsights {
    /// The index, or `None` for the table itself.
    pub index: Option<IndexName>,
    /// Whether they are enabled.
    pub enabled: bool,
    /// Whether only throttled keys are counted, and not accessed keys as well.
    pub throttled_keys_only: bool,
    /// When the setting last changed.
    pub last_update: EpochMillis,
}

/// A resource policy. It is stored and returned, but not enforced.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ResourcePolicy {
    /// The policy, as JSON text.
    pub text: String,
    /// Identifies this revision of the policy.
    pub revision_id: String,
}
