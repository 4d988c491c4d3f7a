//! What responses say of a table.

use pdb_model::{
    AttributeDefinition, BillingMode, EpochMillis, IndexName, OnDemandThroughput, Projection, StreamArn,
    StreamViewType, TableName, VectorIndex,
};

use super::input::{KeySchemaElement, TableClassInput};

/// The state of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableStatus {
    /// Just created; the next description says `ACTIVE`.
    Creating,
    /// Just changed; the next description says `ACTIVE`.
    Updating,
    /// Just deleted; the next description finds nothing.
    Deleting,
    /// Ready.
    Active,
}

impl TableStatus {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Active => "ACTIVE",
        }
    }
}

/// A table as CreateTable, DescribeTable, UpdateTable and DeleteTable describe it.
///
/// What an operation does not show is `None` or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDescription {
    /// The table's name.
    pub table_name: TableName,
    /// Its ARN.
    pub table_arn: String,
    /// The id of this incarnation of the table.
    pub table_id: String,
    /// Its state.
    pub table_status: TableStatus,
    /// The types of its key attributes, sorted by name.
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// When it was created.
    pub creation_date_time: Option<EpochMillis>,
    /// How many items it holds.
    pub item_count: u64,
    /// How many bytes they are.
    pub table_size_bytes: u64,
    /// Its provisioned units: zeros when paid by request.
    pub provisioned_throughput: ThroughputDescription,
    /// Its billing mode: absent on tables that were always provisioned.
    pub billing_mode_summary: Option<BillingModeSummary>,
    /// Whether DeleteTable is refused.
    pub deletion_protection_enabled: bool,
    /// The throughput it can serve at once.
    pub warm_throughput: Option<WarmThroughputDescription>,
    /// Its on-demand caps, if set.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// Its class, if ever set.
    pub table_class_summary: Option<TableClassSummary>,
    /// Its encryption, if not the default.
    pub sse_description: Option<SseDescription>,
    /// The view type of its stream, if that is enabled.
    pub stream_view_type: Option<StreamViewType>,
    /// The stream it has, or had last.
    pub latest_stream_arn: Option<StreamArn>,
    /// Its global indexes, in the order of their creation.
    pub global_secondary_indexes: Vec<GlobalIndexDescription>,
    /// Its local indexes, in the order of the request.
    pub local_secondary_indexes: Vec<LocalIndexDescription>,
    /// Its vector indexes, in the order of their creation.
    pub vector_indexes: Vec<VectorIndexDescription>,
    /// Where it was restored from.
    pub restore_summary: Option<RestoreSummary>,
}

/// Provisioned units, as described.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThroughputDescription {
    /// Reads a second.
    pub read_capacity_units: i64,
    /// Writes a second.
    pub write_capacity_units: i64,
    /// How often units were lowered on this UTC day.
    pub number_of_decreases_today: u32,
    /// When units were last raised.
    pub last_increase_date_time: Option<EpochMillis>,
    /// When units were last lowered.
    pub last_decrease_date_time: Option<EpochMillis>,
}

/// The billing mode, as described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillingModeSummary {
    /// The mode.
    pub billing_mode: BillingMode,
    /// When the table was last switched to, or created with, on-demand mode.
    pub last_update_to_pay_per_request_date_time: Option<EpochMillis>,
}

/// Warm throughput, as described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmThroughputDescription {
    /// Reads a second.
    pub read_units_per_second: i64,
    /// Writes a second.
    pub write_units_per_second: i64,
    /// `ACTIVE`, or `UPDATING` in the answer to a change.
    pub status: TableStatus,
}

impl WarmThroughputDescription {
    /// Returns the same, while it is being changed.
    pub(crate) fn updating(self) -> Self {
        Self { status: TableStatus::Updating, ..self }
    }
}

/// The table class, as described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableClassSummary {
    /// The class.
    pub table_class: TableClassInput,
    /// When it was last changed.
    pub last_update_date_time: Option<EpochMillis>,
}

/// Encryption with a KMS key, as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseDescription {
    /// Whether the key is in use, or in the answer that changes it, being changed.
    pub is_updating: bool,
    /// The key's ARN.
    pub kms_master_key_arn: String,
}

/// A global secondary index, as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalIndexDescription {
    /// The index's name.
    pub index_name: IndexName,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// What it holds besides keys.
    pub projection: Projection,
    /// Its state.
    pub index_status: TableStatus,
    /// Only in the answer that adds it to a table: `false`, the existing items are still to be taken in.
    pub backfilling: Option<bool>,
    /// Its provisioned units.
    pub provisioned_throughput: ThroughputDescription,
    /// Bytes it holds.
    pub index_size_bytes: u64,
    /// Entries it has.
    pub item_count: u64,
    /// Its ARN.
    pub index_arn: String,
    /// The throughput it can serve at once.
    pub warm_throughput: Option<WarmThroughputDescription>,
    /// Its on-demand caps, if set.
    pub on_demand_throughput: Option<OnDemandThroughput>,
}

/// A local secondary index, as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalIndexDescription {
    /// The index's name.
    pub index_name: IndexName,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// What it holds besides keys.
    pub projection: Projection,
    /// Bytes it holds.
    pub index_size_bytes: u64,
    /// Entries it has.
    pub item_count: u64,
    /// Its ARN.
    pub index_arn: String,
}

/// A vector index, as described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorIndexDescription {
    /// What the index is.
    pub index: VectorIndex,
    /// Its state.
    pub index_status: TableStatus,
    /// While it is being added to a table: whether the existing items are being taken in, or are still to be.
    pub backfilling: Option<bool>,
    /// Bytes it holds.
    pub index_size_bytes: u64,
    /// Entries it has.
    pub item_count: u64,
    /// Its ARN.
    pub index_arn: String,
}

/// Where a restored table came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreSummary {
    /// The backup, unless it was restored to a point in time.
    pub source_backup_arn: Option<String>,
    /// The table that was copied.
    pub source_table_arn: String,
    /// The moment whose state was restored.
    pub restore_date_time: EpochMillis,
    /// Whether this is the answer to the restore: AWS would still be busy with it.
    pub restore_in_progress: bool,
}
