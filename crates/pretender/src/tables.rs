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
    RestoreToPointInTimeInput, SearchSchemaElement, SseDescription, SseSpecification, SseType,
    StreamSpecification, TableClassInput, TableClassSummary, TableDescription, TableStatus, Tag,
    ThroughputDescription, ThroughputInput, TimeToLiveSpecification, UpdateContributorInsightsInput,
    UpdateTableInput, VectorIndexDescription, VectorIndexInput, VectorIndexUpdate, WarmThroughputDescription,
    WarmThroughputInput,
};
use pdb_model::{ApiError, IndexName, Operation, TableName};
#[doc(inline)]
pub use pdb_model::{
    AttributeDefinition, BillingMode, DistanceFunction, KinesisDestination, OnDemandThroughput, Projection,
    ResourcePolicy, SearchAttribute, SearchRole, TimePrecision, VectorIndex,
};

use crate::Pretender;
use crate::arguments::{Keep, Lend, operations};
use crate::faults::named_tables::Arguments;

operations! { tables, api_error:
    /// Returns the limits of an account as AWS documents them; none of them is enforced.
    DescribeLimits: describe_limits, describe_limits_async() -> Limits;
    /// Creates a table. It is ready when the call returns.
    CreateTable: create_table, create_table_async(input: CreateTableInput) -> TableDescription;
    /// Describes a table.
    DescribeTable: describe_table, describe_table_async(table_name: &TableName) -> TableDescription;
    /// Lists the names of tables in byte order.
    ListTables: list_tables, list_tables_async(input: &ListTablesInput) -> ListTablesOutput;
    /// Changes billing, throughput, stream, indexes or settings of a table.
    UpdateTable: update_table, update_table_async(input: UpdateTableInput) -> TableDescription;
    /// Deletes a table and its items. Its streams stay readable for 24 hours.
    DeleteTable: delete_table, delete_table_async(table_name: &TableName) -> TableDescription;
    /// Enables or disables the expiry of items.
    UpdateTimeToLive: update_time_to_live, update_time_to_live_async(table_name: &TableName, specification: TimeToLiveSpecification) -> TimeToLiveSpecification;
    /// Returns the attribute that holds the time of expiry, if expiry is enabled.
    DescribeTimeToLive: describe_time_to_live, describe_time_to_live_async(table_name: &TableName) -> Option<String>;
    /// Adds tags to a table or stream, or replaces them.
    TagResource: tag_resource, tag_resource_async(resource_arn: &str, tags: Vec<Tag>) -> ();
    /// Removes tags.
    UntagResource: untag_resource, untag_resource_async(resource_arn: &str, tag_keys: Vec<String>) -> ();
    /// Lists the tags of a table or stream.
    ListTagsOfResource: list_tags_of_resource, list_tags_of_resource_async(resource_arn: &str) -> Vec<Tag>;
    /// Copies a table and its items into a backup.
    CreateBackup: create_backup, create_backup_async(table_name: &TableName, backup_name: &str) -> BackupDetails;
    /// Describes a backup.
    DescribeBackup: describe_backup, describe_backup_async(backup_arn: &str) -> BackupDescription;
    /// Lists backups.
    ListBackups: list_backups, list_backups_async(input: &ListBackupsInput) -> ListBackupsOutput;
    /// Deletes a backup.
    DeleteBackup: delete_backup, delete_backup_async(backup_arn: &str) -> BackupDescription;
    /// Creates a table from a backup.
    RestoreTableFromBackup: restore_table_from_backup, restore_table_from_backup_async(target_table_name: &TableName, backup_arn: &str, overrides: RestoreOverrides)
        -> TableDescription;
    /// Creates a table from the items that another one had at a moment, after all changes of that millisecond. The source must have had point-in-time
    /// recovery enabled at that moment, and ever since.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use pretender::prelude::*;
    /// use pretender::tables::{RestoreOverrides, RestoreToPointInTimeInput};
    /// use pretender::time::{Clock, EpochMillis, ManualClock};
    ///
    /// let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
    /// let db = Pretender::builder().clock(clock.clone()).open()?;
    /// let orders: TableName = "Orders".parse()?;
    /// db.create_table(CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None))?;
    /// db.update_continuous_backups(&orders, true, None)?;
    ///
    /// db.put_item(PutItemInput::new(orders.clone(), Item::new().with("id", "a").with("total", 1)))?;
    /// let before = clock.now();
    /// clock.advance(Duration::from_millis(1));
    /// db.put_item(PutItemInput::new(orders.clone(), Item::new().with("id", "a").with("total", 2)))?;
    ///
    /// db.restore_table_to_point_in_time(RestoreToPointInTimeInput {
    ///     source_table: orders.to_string(),
    ///     target_table_name: "Before".parse()?,
    ///     use_latest_restorable_time: false,
    ///     restore_date_time: Some(before),
    ///     overrides: RestoreOverrides::default(),
    /// })?;
    /// let found = db.get_item(GetItemInput::new("Before".parse()?, Item::new().with("id", "a")))?;
    /// assert_eq!(found.item.unwrap().decode()?["total"], 1.into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    RestoreTableToPointInTime: restore_table_to_point_in_time, restore_table_to_point_in_time_async(input: RestoreToPointInTimeInput) -> TableDescription;
    /// Returns whether point-in-time recovery is enabled.
    DescribeContinuousBackups: describe_continuous_backups, describe_continuous_backups_async(table_name: &TableName) -> Option<PointInTimeRecoveryDescription>;
    /// Enables or disables point-in-time recovery. Disabling it removes what is known of the past.
    UpdateContinuousBackups: update_continuous_backups, update_continuous_backups_async(table_name: &TableName, enabled: bool, recovery_period_in_days: Option<u32>)
        -> Option<PointInTimeRecoveryDescription>;
    /// Stores a resource policy and returns its revision. Policies are not enforced.
    PutResourcePolicy: put_resource_policy, put_resource_policy_async(resource_arn: &str, policy: &str, expected_revision_id: Option<&str>) -> String;
    /// Returns the policy of a resource.
    GetResourcePolicy: get_resource_policy, get_resource_policy_async(resource_arn: &str) -> ResourcePolicy;
    /// Deletes the policy of a resource; returns its revision if there was one.
    DeleteResourcePolicy: delete_resource_policy, delete_resource_policy_async(resource_arn: &str, expected_revision_id: Option<&str>) -> Option<String>;
    /// Stores a Kinesis stream as a destination. Nothing is sent to it.
    EnableKinesisStreamingDestination: enable_kinesis_streaming_destination, enable_kinesis_streaming_destination_async(table_name: &TableName, stream_arn: &str, precision: Option<TimePrecision>)
        -> ();
    /// Disables a Kinesis stream as a destination.
    DisableKinesisStreamingDestination: disable_kinesis_streaming_destination, disable_kinesis_streaming_destination_async(table_name: &TableName, stream_arn: &str) -> ();
    /// Changes the precision of a Kinesis destination.
    UpdateKinesisStreamingDestination: update_kinesis_streaming_destination, update_kinesis_streaming_destination_async(table_name: &TableName, stream_arn: &str, precision: Option<TimePrecision>)
        -> TimePrecision;
    /// Lists the Kinesis destinations of a table.
    DescribeKinesisStreamingDestination: describe_kinesis_streaming_destination, describe_kinesis_streaming_destination_async(table_name: &TableName) -> Vec<KinesisDestination>;
    /// Returns whether contributor insights are enabled for a table or an index.
    DescribeContributorInsights: describe_contributor_insights, describe_contributor_insights_async(table_name: &TableName, index_name: Option<&IndexName>)
        -> ContributorInsightsDescription;
    /// Enables or disables contributor insights. Only the state is kept.
    UpdateContributorInsights: update_contributor_insights, update_contributor_insights_async(input: UpdateContributorInsightsInput) -> ContributorInsightsDescription;
    /// Lists the tables and indexes for which contributor insights are enabled.
    ListContributorInsights: list_contributor_insights, list_contributor_insights_async(table_name: Option<&TableName>) -> Vec<ContributorInsightsDescription>;
    /// Fails: the first version of global tables is not supported.
    CreateGlobalTable: refuse_legacy_global_tables, refuse_legacy_global_tables_async() -> ();
    /// Fails: there are no global tables.
    DescribeGlobalTable: describe_global_table, describe_global_table_async(name: &TableName) -> ();
    /// Fails: no table is a global table.
    DescribeTableReplicaAutoScaling: describe_table_replica_auto_scaling, describe_table_replica_auto_scaling_async(name: &TableName) -> ();
}
