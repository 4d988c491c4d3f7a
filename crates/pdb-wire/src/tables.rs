//! Operations on tables and what belongs to them: all of the control plane.
//!
//! `input` reads what several operations take, `describe` writes what several answer. These operations have the classic texts on
//! both layers: AWS has not moved them.

mod account;
mod backups;
mod continuous_backups;
mod create_table;
mod describe;
mod input;
mod insights;
mod kinesis;
mod policies;
mod restore;
mod shapes;
mod tags;
mod time_to_live;
mod transfers;
mod update_table;
mod vectors;
mod words;

use pdb_model::{ApiError, ErrorCode, Operation};

use crate::Wire;

/// Runs an operation on tables.
pub(crate) fn answer(wire: &Wire, operation: Operation, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let run: fn(&Wire, &[u8]) -> Result<Vec<u8>, ApiError> = match operation {
        Operation::CreateTable => create_table::create_table,
        Operation::UpdateTable => update_table::update_table,
        Operation::DescribeTable => describe::describe_table,
        Operation::DeleteTable => describe::delete_table,
        Operation::ListTables => describe::list_tables,
        Operation::UpdateTimeToLive => time_to_live::update_time_to_live,
        Operation::DescribeTimeToLive => time_to_live::describe_time_to_live,
        Operation::TagResource => tags::tag_resource,
        Operation::UntagResource => tags::untag_resource,
        Operation::ListTagsOfResource => tags::list_tags_of_resource,
        Operation::DescribeLimits => account::describe_limits,
        Operation::DescribeEndpoints => account::describe_endpoints,
        Operation::CreateBackup => backups::create_backup,
        Operation::DescribeBackup => backups::describe_backup,
        Operation::DeleteBackup => backups::delete_backup,
        Operation::ListBackups => backups::list_backups,
        Operation::RestoreTableFromBackup => restore::restore_table_from_backup,
        Operation::RestoreTableToPointInTime => restore::restore_table_to_point_in_time,
        Operation::DescribeContinuousBackups => continuous_backups::describe_continuous_backups,
        Operation::UpdateContinuousBackups => continuous_backups::update_continuous_backups,
        Operation::PutResourcePolicy => policies::put_resource_policy,
        Operation::GetResourcePolicy => policies::get_resource_policy,
        Operation::DeleteResourcePolicy => policies::delete_resource_policy,
        Operation::EnableKinesisStreamingDestination => kinesis::enable,
        Operation::DisableKinesisStreamingDestination => kinesis::disable,
        Operation::UpdateKinesisStreamingDestination => kinesis::update,
        Operation::DescribeKinesisStreamingDestination => kinesis::describe,
        Operation::DescribeContributorInsights => insights::describe_contributor_insights,
        Operation::UpdateContributorInsights => insights::update_contributor_insights,
        Operation::ListContributorInsights => insights::list_contributor_insights,
        Operation::CreateGlobalTable
        | Operation::UpdateGlobalTable
        | Operation::UpdateGlobalTableSettings => account::refuse_legacy_global_tables,
        Operation::DescribeGlobalTable | Operation::DescribeGlobalTableSettings => {
            account::describe_global_table
        }
        Operation::ListGlobalTables => account::list_global_tables,
        Operation::DescribeTableReplicaAutoScaling | Operation::UpdateTableReplicaAutoScaling => {
            account::describe_table_replica_auto_scaling
        }
        Operation::ImportTable => transfers::import::import_table,
        Operation::DescribeImport => transfers::import::describe_import,
        Operation::ListImports => transfers::import::list_imports,
        Operation::StartBulkPutItems => transfers::bulk_put::start_bulk_put_items,
        Operation::DescribeBulkOperation => transfers::bulk_put::describe_bulk_operation,
        Operation::ListBulkOperations => transfers::bulk_put::list_bulk_operations,
        Operation::CancelBulkOperation => transfers::bulk_put::cancel_bulk_operation,
        Operation::ExportTableToPointInTime => transfers::export::export_table_to_point_in_time,
        Operation::DescribeExport => transfers::export::describe_export,
        Operation::ListExports => transfers::export::list_exports,
        // All others are answered before.
        _ => return Err(ApiError::new(ErrorCode::UnknownOperationException, "")),
    };
    run(wire, body)
}

#[cfg(test)]
mod tests;
