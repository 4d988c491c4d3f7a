//! The operations on tables, and all that belongs to them.

use pdb_items::tables::{
    BackupDescription, BackupDetails, ContributorInsightsDescription, CreateTableInput, Limits,
    ListBackupsInput, ListBackupsOutput, ListTablesInput, ListTablesOutput, PointInTimeRecoveryDescription,
    RestoreOverrides, RestoreToPointInTimeInput, TableDescription, Tag, TimeToLiveSpecification,
    UpdateContributorInsightsInput, UpdateTableInput,
};
use pdb_model::{ApiError, IndexName, KinesisDestination, ResourcePolicy, TableName, TimePrecision};

use crate::Pretender;
use crate::errors::items_error;

macro_rules! table_operations {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) -> $output:ty;)+) => {
        impl Pretender {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// [`ApiError`] with AWS's code and text. Nothing was changed then.
                pub fn $name(&self $(, $argument: $type)*) -> Result<$output, ApiError> {
                    self.inner.tables.$name($($argument),*).map_err(items_error)
                }
            )+

            /// Returns what AWS answers about an account's limits; none is enforced.
            #[must_use]
            pub fn describe_limits(&self) -> Limits {
                self.inner.tables.describe_limits()
            }
        }
    };
}

table_operations! {
    /// Creates a table, ready when the call returns.
    create_table(input: CreateTableInput) -> TableDescription;
    /// Describes a table.
    describe_table(table_name: &TableName) -> TableDescription;
    /// Lists the names of tables in byte order.
    list_tables(input: &ListTablesInput) -> ListTablesOutput;
    /// Changes billing, throughput, stream, indexes or settings of a table.
    update_table(input: UpdateTableInput) -> TableDescription;
    /// Deletes a table with its items. Its streams stay readable for 24 hours.
    delete_table(table_name: &TableName) -> TableDescription;
    /// Enables or disables the expiry of items.
    update_time_to_live(table_name: &TableName, specification: TimeToLiveSpecification) -> TimeToLiveSpecification;
    /// Returns the attribute that says when an item expires, if expiry is enabled.
    describe_time_to_live(table_name: &TableName) -> Option<String>;
    /// Adds tags to a table or stream, or replaces them.
    tag_resource(resource_arn: &str, tags: Vec<Tag>) -> ();
    /// Removes tags.
    untag_resource(resource_arn: &str, tag_keys: Vec<String>) -> ();
    /// Lists the tags of a table or stream.
    list_tags_of_resource(resource_arn: &str) -> Vec<Tag>;
    /// Copies a table and its items into a backup.
    create_backup(table_name: &TableName, backup_name: &str) -> BackupDetails;
    /// Describes a backup.
    describe_backup(backup_arn: &str) -> BackupDescription;
    /// Lists backups.
    list_backups(input: &ListBackupsInput) -> ListBackupsOutput;
    /// Deletes a backup.
    delete_backup(backup_arn: &str) -> BackupDescription;
    /// Makes a new table from a backup.
    restore_table_from_backup(target_table_name: &TableName, backup_arn: &str, overrides: RestoreOverrides)
        -> TableDescription;
    /// Makes a new table from another one as it is now.
    restore_table_to_point_in_time(input: RestoreToPointInTimeInput) -> TableDescription;
    /// Tells whether point-in-time recovery is on.
    describe_continuous_backups(table_name: &TableName) -> Option<PointInTimeRecoveryDescription>;
    /// Switches point-in-time recovery.
    update_continuous_backups(table_name: &TableName, enabled: bool, recovery_period_in_days: Option<u32>)
        -> Option<PointInTimeRecoveryDescription>;
    /// Stores a policy, which is not enforced; returns its revision.
    put_resource_policy(resource_arn: &str, policy: &str, expected_revision_id: Option<&str>) -> String;
    /// Returns the policy of a resource.
    get_resource_policy(resource_arn: &str) -> ResourcePolicy;
    /// Deletes the policy of a resource; returns its revision if there was one.
    delete_resource_policy(resource_arn: &str, expected_revision_id: Option<&str>) -> Option<String>;
    /// Notes a Kinesis stream as destination; nothing is sent to it.
    enable_kinesis_streaming_destination(table_name: &TableName, stream_arn: &str, precision: Option<TimePrecision>)
        -> ();
    /// Notes that a Kinesis stream is no destination any more.
    disable_kinesis_streaming_destination(table_name: &TableName, stream_arn: &str) -> ();
    /// Changes the precision noted for a Kinesis destination.
    update_kinesis_streaming_destination(table_name: &TableName, stream_arn: &str, precision: Option<TimePrecision>)
        -> TimePrecision;
    /// Lists the Kinesis destinations of a table.
    describe_kinesis_streaming_destination(table_name: &TableName) -> Vec<KinesisDestination>;
    /// Tells whether contributor insights are on for a table or index.
    describe_contributor_insights(table_name: &TableName, index_name: Option<&IndexName>)
        -> ContributorInsightsDescription;
    /// Switches contributor insights; only the state is kept.
    update_contributor_insights(input: UpdateContributorInsightsInput) -> ContributorInsightsDescription;
    /// Lists where contributor insights are on.
    list_contributor_insights(table_name: Option<&TableName>) -> Vec<ContributorInsightsDescription>;
    /// Refuses the operations of the first version of global tables, as AWS does.
    refuse_legacy_global_tables() -> ();
    /// Answers that there is no such global table.
    describe_global_table(name: &TableName) -> ();
    /// Answers that the table is no global table.
    describe_table_replica_auto_scaling(name: &TableName) -> ();
    /// Refuses to import: there is no S3.
    import_table() -> ();
    /// Refuses to export: there is no S3.
    export_table_to_point_in_time(table_arn: &str) -> ();
    /// Answers that there is no such import.
    describe_import(import_arn: &str) -> ();
    /// Answers that there is no such export.
    describe_export(export_arn: &str) -> ();
}
