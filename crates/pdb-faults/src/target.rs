//! Operations and groups of them.

use std::fmt;
use std::str::FromStr;

use pdb_model::Operation;

/// Operations that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationGroup {
    /// All operations of both services.
    All,
    /// All operations on items: reads, writes and PartiQL.
    Items,
    /// `GetItem`, `BatchGetItem`, `TransactGetItems`, `Query`, `Scan`, `SearchVectors`.
    Reads,
    /// `PutItem`, `UpdateItem`, `DeleteItem`, `BatchWriteItem`, `TransactWriteItems`.
    Writes,
    /// `BatchGetItem`, `BatchWriteItem`, `BatchExecuteStatement`.
    Batches,
    /// `TransactGetItems`, `TransactWriteItems`, `ExecuteTransaction`.
    Transactions,
    /// PartiQL: `ExecuteStatement`, `BatchExecuteStatement`, `ExecuteTransaction`.
    Statements,
    /// Operations on tables, indexes, backups, tags and settings: all operations of DynamoDB except those on items.
    Tables,
    /// The four operations of DynamoDB Streams.
    Streams,
}

impl OperationGroup {
    /// All groups.
    pub const ALL: &[Self] = &[
        Self::All,
        Self::Items,
        Self::Reads,
        Self::Writes,
        Self::Batches,
        Self::Transactions,
        Self::Statements,
        Self::Tables,
        Self::Streams,
    ];

    /// Returns whether an operation belongs to the group.
    #[must_use]
    pub fn contains(self, operation: Operation) -> bool {
        use Operation as O;
        match self {
            Self::All => true,
            Self::Items => {
                matches!(Self::smallest(operation), Self::Reads | Self::Writes | Self::Statements)
            }
            Self::Reads | Self::Writes | Self::Statements | Self::Tables | Self::Streams => {
                Self::smallest(operation) == self
            }
            Self::Batches => {
                matches!(operation, O::BatchGetItem | O::BatchWriteItem | O::BatchExecuteStatement)
            }
            Self::Transactions => {
                matches!(operation, O::TransactGetItems | O::TransactWriteItems | O::ExecuteTransaction)
            }
        }
    }

    /// Returns the group among those that have no operation in common. It names every operation, so that a new one does not get into a group
    /// unnoticed.
    fn smallest(operation: Operation) -> Self {
        use Operation as O;
        match operation {
            O::GetItem | O::BatchGetItem | O::TransactGetItems | O::Query | O::Scan | O::SearchVectors => {
                Self::Reads
            }
            O::PutItem | O::UpdateItem | O::DeleteItem | O::BatchWriteItem | O::TransactWriteItems => {
                Self::Writes
            }
            O::ExecuteStatement | O::BatchExecuteStatement | O::ExecuteTransaction => Self::Statements,
            O::CreateTable
            | O::DescribeTable
            | O::UpdateTable
            | O::DeleteTable
            | O::ListTables
            | O::UpdateTimeToLive
            | O::DescribeTimeToLive
            | O::TagResource
            | O::UntagResource
            | O::ListTagsOfResource
            | O::DescribeLimits
            | O::DescribeEndpoints
            | O::CreateBackup
            | O::DescribeBackup
            | O::DeleteBackup
            | O::ListBackups
            | O::RestoreTableFromBackup
            | O::RestoreTableToPointInTime
            | O::DescribeContinuousBackups
            | O::UpdateContinuousBackups
            | O::PutResourcePolicy
            | O::GetResourcePolicy
            | O::DeleteResourcePolicy
            | O::EnableKinesisStreamingDestination
            | O::DisableKinesisStreamingDestination
            | O::UpdateKinesisStreamingDestination
            | O::DescribeKinesisStreamingDestination
            | O::DescribeContributorInsights
            | O::UpdateContributorInsights
            | O::ListContributorInsights
            | O::CreateGlobalTable
            | O::UpdateGlobalTable
            | O::DescribeGlobalTable
            | O::ListGlobalTables
            | O::DescribeGlobalTableSettings
            | O::UpdateGlobalTableSettings
            | O::DescribeTableReplicaAutoScaling
            | O::UpdateTableReplicaAutoScaling
            | O::ImportTable
            | O::DescribeImport
            | O::ListImports
            | O::ExportTableToPointInTime
            | O::DescribeExport
            | O::ListExports
            | O::StartBulkPutItems
            | O::DescribeBulkOperation
            | O::ListBulkOperations
            | O::CancelBulkOperation => Self::Tables,
            O::DescribeStream | O::GetShardIterator | O::ListStreams | O::GetRecords => Self::Streams,
        }
    }

    /// Returns the name of the group, as commands and the control API spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Items => "items",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Batches => "batches",
            Self::Transactions => "transactions",
            Self::Statements => "statements",
            Self::Tables => "tables",
            Self::Streams => "streams",
        }
    }
}

impl fmt::Display for OperationGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which operations a fault affects: one, or a group. Parsed from and shown as the name of either: `PutItem`, `writes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultTarget {
    /// One operation.
    Operation(Operation),
    /// All operations of a group to which the fault applies.
    Group(OperationGroup),
}

impl FaultTarget {
    /// Returns whether an operation is the one named, or belongs to the group.
    #[must_use]
    pub fn contains(self, operation: Operation) -> bool {
        match self {
            Self::Operation(named) => named == operation,
            Self::Group(group) => group.contains(operation),
        }
    }
}

impl From<Operation> for FaultTarget {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

impl From<OperationGroup> for FaultTarget {
    fn from(group: OperationGroup) -> Self {
        Self::Group(group)
    }
}

impl fmt::Display for FaultTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operation(operation) => operation.name(),
            Self::Group(group) => group.name(),
        })
    }
}

/// Why a text is not a target: it names neither an operation nor a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an operation: use its name, such as PutItem, or a group: all, items, reads, writes, batches, \
     transactions, statements, tables, streams"
)]
pub struct ParseTargetError(String);

impl FromStr for FaultTarget {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        let group = OperationGroup::ALL.iter().find(|group| group.name() == text).copied();
        group
            .map(Self::Group)
            .or_else(|| Operation::from_name(text).map(Self::Operation))
            .ok_or_else(|| ParseTargetError(text.to_owned()))
    }
}
