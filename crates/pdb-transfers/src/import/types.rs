//! What the operations on imports take and answer.

use pdb_items::tables::{
    CreateTableInput, GlobalIndexInput, KeySchemaElement, SseSpecification, ThroughputInput, VectorIndexInput,
};
use pdb_model::{AttributeDefinition, BillingMode, EpochMillis, OnDemandThroughput, TableName};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::input::{CsvInput, InputCompression, InputFormat, S3Source};

/// The input of ImportTable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportTableInput {
    /// A text that stands for this import for eight hours after it has ended, so that a repeated request begins no other.
    pub client_token: Option<String>,
    /// The objects.
    pub s3_bucket_source: S3Source,
    /// Their format.
    pub input_format: InputFormat,
    /// How CSV is read. It is kept, and without effect, for other formats.
    pub csv: Option<CsvInput>,
    /// How the objects are packed; not at all if it is absent.
    pub input_compression_type: Option<InputCompression>,
    /// The new table.
    pub table: TableCreationParameters,
}

/// The table that an import creates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCreationParameters {
    /// Its name.
    pub table_name: TableName,
    /// The types of all key attributes.
    pub attribute_definitions: Vec<AttributeDefinition>,
    /// Its key.
    pub key_schema: Vec<KeySchemaElement>,
    /// How capacity is paid; provisioned when absent.
    pub billing_mode: Option<BillingMode>,
    /// Provisioned units, for that billing mode only.
    pub provisioned_throughput: Option<ThroughputInput>,
    /// Caps for on-demand tables.
    pub on_demand_throughput: Option<OnDemandThroughput>,
    /// Server-side encryption.
    pub sse_specification: Option<SseSpecification>,
    /// Global secondary indexes.
    pub global_secondary_indexes: Option<Vec<GlobalIndexInput>>,
    /// Vector indexes.
    pub vector_indexes: Option<Vec<VectorIndexInput>>,
}

impl ImportTableInput {
    /// Returns an input without a token, for objects that are not packed.
    #[must_use]
    pub fn new(
        s3_bucket_source: S3Source,
        input_format: InputFormat,
        table: TableCreationParameters,
    ) -> Self {
        Self {
            client_token: None,
            s3_bucket_source,
            input_format,
            csv: None,
            input_compression_type: None,
            table,
        }
    }
}

/// Takes over what the table of an import can have. The rest is left out.
impl From<CreateTableInput> for TableCreationParameters {
    fn from(table: CreateTableInput) -> Self {
        Self {
            table_name: table.table_name,
            attribute_definitions: table.attribute_definitions,
            key_schema: table.key_schema,
            billing_mode: table.billing_mode,
            provisioned_throughput: table.provisioned_throughput,
            on_demand_throughput: table.on_demand_throughput,
            sse_specification: table.sse_specification,
            global_secondary_indexes: table.global_secondary_indexes,
            vector_indexes: table.vector_indexes,
        }
    }
}

impl TableCreationParameters {
    pub(super) fn to_input(&self) -> CreateTableInput {
        let this = self.clone();
        CreateTableInput {
            table_name: this.table_name,
            attribute_definitions: this.attribute_definitions,
            key_schema: this.key_schema,
            billing_mode: this.billing_mode,
            provisioned_throughput: this.provisioned_throughput,
            local_secondary_indexes: None,
            global_secondary_indexes: this.global_secondary_indexes,
            vector_indexes: this.vector_indexes,
            stream_specification: None,
            sse_specification: this.sse_specification,
            tags: None,
            table_class: None,
            deletion_protection_enabled: None,
            warm_throughput: None,
            on_demand_throughput: this.on_demand_throughput,
            resource_policy: None,
            global_table_source_arn: None,
        }
    }
}

/// The status of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportStatus {
    /// It goes on.
    InProgress,
    /// All items are in the table.
    Completed,
    /// It has failed, or some of the items could not be imported.
    Failed,
}

impl ImportStatus {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// An import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportDescription {
    /// Its ARN.
    pub import_arn: String,
    /// Its status.
    pub import_status: ImportStatus,
    /// The ARN of its table.
    pub table_arn: String,
    /// The id of its table.
    pub table_id: String,
    /// The group of the log to which AWS writes errors.
    pub cloud_watch_log_group_arn: String,
    /// What was asked for.
    pub input: ImportTableInput,
    /// When it began.
    pub start_time: EpochMillis,
    /// When it ended.
    pub end_time: Option<EpochMillis>,
    /// The bytes of the objects that were read so far, unpacked.
    pub processed_size_bytes: u64,
    /// How many records were read so far.
    pub processed_item_count: u64,
    /// How many items were written so far, also if a later one had the same key.
    pub imported_item_count: u64,
    /// How many records and objects could not be imported.
    pub error_count: u64,
    /// Why it has failed.
    pub failure: Option<Failure>,
    /// The first errors, in the form of AWS's log.
    pub first_errors: Vec<ErrorEvent>,
}

/// A record, or the rest of an object, that could not be imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEvent {
    /// The key of the object.
    pub key: String,
    /// How many records of the object come before it.
    pub item_index: u64,
    /// The reason.
    pub message: String,
}

/// The input of ListImports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListImportsInput {
    /// Only imports into this table, by its ARN.
    pub table_arn: Option<String>,
    /// At most so many: 1 to 25, which is also the default.
    pub page_size: Option<u32>,
    /// Where the previous page ended.
    pub next_token: Option<String>,
}

/// One entry of ListImports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportSummary {
    /// The import's ARN.
    pub import_arn: String,
    /// Its status.
    pub import_status: ImportStatus,
    /// The ARN of its table.
    pub table_arn: String,
    /// The objects.
    pub s3_bucket_source: S3Source,
    /// The group of the log to which AWS writes errors.
    pub cloud_watch_log_group_arn: String,
    /// The format.
    pub input_format: InputFormat,
    /// When it began.
    pub start_time: EpochMillis,
    /// When it ended.
    pub end_time: Option<EpochMillis>,
}

/// The output of ListImports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListImportsOutput {
    /// Imports, newest first.
    pub import_summary_list: Vec<ImportSummary>,
    /// Where the next page begins, if there is one.
    pub next_token: Option<String>,
}
