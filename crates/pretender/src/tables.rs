//! Operations on tables, and on what belongs to a table: indexes, streams, tags, expiry, backups, policies.
//!
//! # Examples
//!
//! ```
//! use pretender::Pretender;
//! use pretender::model::{ScalarType, TableName};
//! use pretender::streams::StreamViewType;
//! use pretender::tables::{CreateTableInput, StreamSpecification};
//!
//! let db = Pretender::in_memory()?;
//! let orders = TableName::new("Orders")?;
//! let table = db.create_table(CreateTableInput {
//!     stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
//!     ..CreateTableInput::new(orders.clone(), ("customer", ScalarType::S), Some(("placed", ScalarType::N)))
//! })?;
//! assert!(table.latest_stream_arn.is_some());
//! assert_eq!(db.describe_table(&orders)?.item_count, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc(inline)]
pub use pdb_items::tables::{
    BackupDescription, BackupDetails, BackupStatus, BackupSummary, BillingModeSummary,
    ContributorInsightsDescription, CreateTableInput, GlobalIndexDescription, GlobalIndexInput,
    GlobalIndexThroughputUpdate, GlobalIndexUpdate, KeySchemaElement, KeyType, Limits, ListBackupsInput,
    ListBackupsOutput, ListTablesInput, ListTablesOutput, LocalIndexDescription, LocalIndexInput,
    PointInTimeRecoveryDescription, ProjectionInput, ProjectionType, RestoreOverrides, RestoreSummary,
    RestoreToPointInTimeInput, SseDescription, SseSpecification, SseType, StreamSpecification,
    TableClassInput, TableClassSummary, TableDescription, TableStatus, Tag, ThroughputDescription,
    ThroughputInput, TimeToLiveSpecification, UpdateContributorInsightsInput, UpdateTableInput,
    WarmThroughputDescription, WarmThroughputInput,
};
use pdb_model::{ApiError, IndexName, Operation, TableName};
#[doc(inline)]
pub use pdb_model::{
    AttributeDefinition, BillingMode, ContributorInsights, KinesisDestination, OnDemandThroughput,
    PointInTimeRecovery, Projection, ProvisionedThroughput, ResourcePolicy, RestoredFrom,
    ServerSideEncryption, TableClass, TimePrecision, WarmThroughput,
};

use crate::Pretender;
use crate::faults::named_tables::NamesTables;

macro_rules! table_operations {
    ($($(#[$doc:meta])* $operation:ident: $name:ident($($argument:ident: $type:ty),*) -> $output:ty;)+) => {
        impl Pretender {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// [`ApiError`] with AWS's code and text. Nothing was changed then.
                pub fn $name(&self $(, $argument: $type)*) -> Result<$output, ApiError> {
                    self.door.pass(&self.inner.faults, Operation::$operation, || {
                        let inputs: &[&dyn NamesTables] = &[$(&$argument),*];
                        let mut tables = Vec::new();
                        inputs.iter().for_each(|input| input.add_tables(&mut tables));
                        tables
                    })?;
                    self.tables().$name($($argument),*).map_err(|error| self.told(error))
                }
            )+

            /// Returns what AWS answers about an account's limits; none is enforced.
            #[must_use]
            pub fn describe_limits(&self) -> Limits {
                self.tables().describe_limits()
            }
        }
    };
}

table_operations! {
    /// Creates a table, ready when the call returns.
    CreateTable: create_table(input: CreateTableInput) -> TableDescription;
    /// Describes a table.
    DescribeTable: describe_table(table_name: &TableName) -> TableDescription;
    /// Lists the names of tables in byte order.
    ListTables: list_tables(input: &ListTablesInput) -> ListTablesOutput;
    /// Changes billing, throughput, stream, indexes or settings of a table.
    UpdateTable: update_table(input: UpdateTableInput) -> TableDescription;
    /// Deletes a table with its items. Its streams stay readable for 24 hours.
    DeleteTable: delete_table(table_name: &TableName) -> TableDescription;
    /// Enables or disables the expiry of items.
    UpdateTimeToLive: update_time_to_live(table_name: &TableName, specification: TimeToLiveSpecification) -> TimeToLiveSpecification;
    /// Returns the attribute that says when an item expires, if expiry is enabled.
    DescribeTimeToLive: describe_time_to_live(table_name: &TableName) -> Option<String>;
    /// Adds tags to a table or stream, or replaces them.
    TagResource: tag_resource(resource_arn: &str, tags: Vec<Tag>) -> ();
    /// Removes tags.
    UntagResource: untag_resource(resource_arn: &str, tag_keys: Vec<String>) -> ();
    /// Lists the tags of a table or stream.
    ListTagsOfResource: list_tags_of_resource(resource_arn: &str) -> Vec<Tag>;
    /// Copies a table and its items into a backup.
    CreateBackup: create_backup(table_name: &TableName, backup_name: &str) -> BackupDetails;
    /// Describes a backup.
    DescribeBackup: describe_backup(backup_arn: &str) -> BackupDescription;
    /// Lists backups.
    ListBackups: list_backups(input: &ListBackupsInput) -> ListBackupsOutput;
    /// Deletes a backup.
    DeleteBackup: delete_backup(backup_arn: &str) -> BackupDescription;
    /// Makes a new table from a backup.
    RestoreTableFromBackup: restore_table_from_backup(target_table_name: &TableName, backup_arn: &str, overrides: RestoreOverrides)
        -> TableDescription;
    /// Makes a new table from another one as it is now.
    RestoreTableToPointInTime: restore_table_to_point_in_time(input: RestoreToPointInTimeInput) -> TableDescription;
    /// Tells whether point-in-time recovery is on.
    DescribeContinuousBackups: describe_continuous_backups(table_name: &TableName) -> Option<PointInTimeRecoveryDescription>;
    /// Switches point-in-time recovery.
    UpdateContinuousBackups: update_continuous_backups(table_name: &TableName, enabled: bool, recovery_period_in_days: Option<u32>)
        -> Option<PointInTimeRecoveryDescription>;
    /// Stores a policy, which is not enforced; returns its revision.
    PutResourcePolicy: put_resource_policy(resource_arn: &str, policy: &str, expected_revision_id: Option<&str>) -> String;
    /// Returns the policy of a resource.
    GetResourcePolicy: get_resource_policy(resource_arn: &str) -> ResourcePolicy;
    /// Deletes the policy of a resource; returns its revision if there was one.
    DeleteResourcePolicy: delete_resource_policy(resource_arn: &str, expected_revision_id: Option<&str>) -> Option<String>;
    /// Notes a Kinesis stream as destination; nothing is sent to it.
    EnableKinesisStreamingDestination: enable_kinesis_streaming_destination(table_name: &TableName, stream_arn: &str, precision: Option<TimePrecision>)
        -> ();
    /// Notes that a Kinesis stream is no destination any more.
    DisableKinesisStreamingDestination: disable_kinesis_streaming_destination(table_name: &TableName, stream_arn: &str) -> ();
    /// Changes the precision noted for a Kinesis destination.
    UpdateKinesisStreamingDestination: update_kinesis_streaming_destination(table_name: &TableName, stream_arn: &str, precision: Option<TimePrecision>)
        -> TimePrecision;
    /// Lists the Kinesis destinations of a table.
    DescribeKinesisStreamingDestination: describe_kinesis_streaming_destination(table_name: &TableName) -> Vec<KinesisDestination>;
    /// Tells whether contributor insights are on for a table or index.
    DescribeContributorInsights: describe_contributor_insights(table_name: &TableName, index_name: Option<&IndexName>)
        -> ContributorInsightsDescription;
    /// Switches contributor insights; only the state is kept.
    UpdateContributorInsights: update_contributor_insights(input: UpdateContributorInsightsInput) -> ContributorInsightsDescription;
    /// Lists where contributor insights are on.
    ListContributorInsights: list_contributor_insights(table_name: Option<&TableName>) -> Vec<ContributorInsightsDescription>;
    /// Refuses the operations of the first version of global tables, as AWS does.
    CreateGlobalTable: refuse_legacy_global_tables() -> ();
    /// Answers that there is no such global table.
    DescribeGlobalTable: describe_global_table(name: &TableName) -> ();
    /// Answers that the table is no global table.
    DescribeTableReplicaAutoScaling: describe_table_replica_auto_scaling(name: &TableName) -> ();
    /// Refuses to import: there is no S3.
    ImportTable: import_table() -> ();
    /// Refuses to export: there is no S3.
    ExportTableToPointInTime: export_table_to_point_in_time(table_arn: &str) -> ();
    /// Answers that there is no such import.
    DescribeImport: describe_import(import_arn: &str) -> ();
    /// Answers that there is no such export.
    DescribeExport: describe_export(export_arn: &str) -> ();
}
