//! Which permission each operation needs. A new operation does not compile until it is chosen here.

use pdb_model::Operation;

use super::Effect;

/// How the permissions of a call follow from its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// The permission with the operation's name, for each resource that the input names; for `*` if it names none.
    Own(Effect),
    /// A permission for each item or statement. AWS has none for the operation itself (Using IAM with DynamoDB transactions; IAM
    /// policies with PartiQL).
    EachPart,
}

/// Returns the rule of an operation. Effects are the access levels of AWS's service authorization reference, where all that is not
/// `Read` or `List` is a write.
pub(super) fn rule(operation: Operation) -> Rule {
    use Effect::{Read, ReadAccount, Write};
    use Operation as O;
    match operation {
        O::GetItem | O::Query | O::Scan | O::SearchVectors | O::BatchGetItem => Rule::Own(Read),
        O::PutItem | O::UpdateItem | O::DeleteItem | O::BatchWriteItem => Rule::Own(Write),
        O::TransactGetItems
        | O::TransactWriteItems
        | O::ExecuteStatement
        | O::BatchExecuteStatement
        | O::ExecuteTransaction => Rule::EachPart,
        O::DescribeTable
        | O::ListTables
        | O::DescribeTimeToLive
        | O::ListTagsOfResource
        | O::DescribeBackup
        | O::ListBackups
        | O::DescribeContinuousBackups
        | O::GetResourcePolicy
        | O::DescribeKinesisStreamingDestination
        | O::DescribeContributorInsights
        | O::ListContributorInsights
        | O::DescribeGlobalTable
        | O::ListGlobalTables
        | O::DescribeGlobalTableSettings
        | O::DescribeTableReplicaAutoScaling
        | O::DescribeImport
        | O::ListImports
        | O::DescribeExport
        | O::ListExports
        | O::DescribeBulkOperation
        | O::ListBulkOperations => Rule::Own(Read),
        O::DescribeLimits | O::DescribeEndpoints => Rule::Own(ReadAccount),
        O::CreateTable
        | O::UpdateTable
        | O::DeleteTable
        | O::UpdateTimeToLive
        | O::TagResource
        | O::UntagResource
        | O::CreateBackup
        | O::DeleteBackup
        | O::RestoreTableFromBackup
        | O::RestoreTableToPointInTime
        | O::UpdateContinuousBackups
        | O::PutResourcePolicy
        | O::DeleteResourcePolicy
        | O::EnableKinesisStreamingDestination
        | O::DisableKinesisStreamingDestination
        | O::UpdateKinesisStreamingDestination
        | O::UpdateContributorInsights
        | O::CreateGlobalTable
        | O::UpdateGlobalTable
        | O::UpdateGlobalTableSettings
        | O::UpdateTableReplicaAutoScaling
        | O::ImportTable
        | O::ExportTableToPointInTime
        | O::StartBulkPutItems
        | O::CancelBulkOperation => Rule::Own(Write),
        O::ListStreams | O::DescribeStream | O::GetShardIterator | O::GetRecords => Rule::Own(Read),
    }
}
