//! Features of a table beside its items: where it came from, recovery, Kinesis, insights, policies.

use crate::{EpochMillis, IndexName};

/// Where a restored table came from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RestoredFrom {
    /// The backup's ARN, unless the table was restored to a point in time.
    pub backup_arn: Option<String>,
    /// The ARN of the table that was copied.
    pub table_arn: String,
    /// The moment whose state was restored.
    pub moment: EpochMillis,
}

/// What a table is shown to be busy with, though it is done: for tests of code that waits.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Transition {
    /// What is shown to go on.
    pub change: TableChange,
    /// When it is shown to have ended.
    pub until: EpochMillis,
}

/// A change of a table that takes AWS a while.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TableChange {
    /// The table comes to be; nothing can be done with it yet.
    Creation,
    /// Billing mode or provisioned units change.
    Throughput,
    /// The stream is being enabled or disabled.
    Stream {
        /// Enabled rather than disabled.
        enabling: bool,
    },
    /// A global index is being created.
    IndexCreation(IndexName),
    /// A global index is being deleted.
    IndexDeletion(IndexName),
    /// The units of a global index change.
    IndexThroughput(IndexName),
    /// Something else of the table changes.
    Settings,
}

/// Point-in-time recovery, while it is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PointInTimeRecovery {
    /// When it was enabled.
    pub enabled: EpochMillis,
    /// For how many days a moment stays restorable: 1 to 35.
    pub recovery_period_days: u32,
}

/// A Kinesis stream a table was told to send its changes to. Only the setting is kept: there is no Kinesis here.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KinesisDestination {
    /// The ARN of the Kinesis stream.
    pub stream_arn: String,
    /// Whether it is enabled; a disabled destination stays listed.
    pub active: bool,
    /// The precision of creation times, if it was ever set.
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

/// Contributor insights of a table or of one of its indexes. Only the setting is kept: nothing is counted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ContributorInsights {
    /// The index; none for the table itself.
    pub index: Option<IndexName>,
    /// Whether they are enabled.
    pub enabled: bool,
    /// Only throttled keys rather than accessed and throttled ones.
    pub throttled_keys_only: bool,
    /// When the setting was last changed.
    pub last_update: EpochMillis,
}

/// A resource policy. It is kept and returned, not enforced.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ResourcePolicy {
    /// The policy, as JSON text.
    pub text: String,
    /// Tells revisions apart.
    pub revision_id: String,
}
