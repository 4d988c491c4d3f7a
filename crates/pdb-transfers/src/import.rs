//! ImportTable, DescribeImport, ListImports: a new table from the objects of a bucket.
//!
//! Evidence: `bulk-import-export.md` part 2.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_exchange::CsvOptions;
use pdb_items::ItemsError;
use pdb_items::tables::{
    CreateTableInput, GlobalIndexInput, KeySchemaElement, SseSpecification, ThroughputInput, VectorIndexInput,
};
use pdb_model::{AttributeDefinition, BillingMode, EpochMillis, OnDemandThroughput, TableArn, TableName};
use pdb_store::{StoreError, Table, Tx};
use serde::{Deserialize, Serialize};

use crate::error::TransferError;
use crate::failure::Failure;
use crate::input::{CsvInput, InputCompression, InputFormat, S3Source};
use crate::job::{Job, LISTED_MILLIS, State, StoredJob};
use crate::load::{LoadJob, Place, Progress, Unwritten, load};
use crate::manager::{RunnableJob, Running, StepError, Stop, TransferManager};
use crate::page;
use crate::queue::JobKind;
use crate::source::Input;

/// The most imports at the same time.
const MAX_RUNNING: usize = 50;
/// Imports on a page of ListImports.
const MAX_PAGE: usize = 25;
/// The most errors that are kept with an import. AWS writes them to a log; here the first ones can be asked for.
const KEPT_EVENTS: usize = 20;

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
    fn to_input(&self) -> CreateTableInput {
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

/// What is stored of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ImportJob {
    input: ImportTableInput,
    table_id: String,
    progress: Progress,
    #[serde(default)]
    first_errors: Vec<ErrorEvent>,
}

impl Job for ImportJob {
    const KIND: JobKind = JobKind::Import;
}

impl TransferManager {
    /// Creates a table and begins to fill it from the objects of a bucket. The table is `CREATING` until the import has ended. An import whose
    /// bucket is not there fails later, as on AWS.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`]; [`ItemsError::ResourceInUse`] if there is a table of this name; [`ItemsError::LimitExceeded`] if there are 50
    /// imports; [`TransferError::ImportConflict`] for a token that was used with other parameters.
    pub fn import_table(&self, input: ImportTableInput) -> Result<ImportDescription, TransferError> {
        check(&input)?;
        let table = input.table.to_input();
        self.inner.tables.check_imported_table(&table)?;
        let job = self.begin::<ImportJob>(move |manager, tx| {
            let now = manager.now(tx);
            let jobs = StoredJob::<ImportJob>::all(tx)?;
            if let Some(token) = &input.client_token
                && let Some(known) = jobs.iter().find(|job| job.owns_token(token, now))
            {
                return if known.job.input == input { Ok(known.clone()) } else { Err(conflict(&known.arn)) };
            }
            if jobs.iter().filter(|job| !job.state.is_over()).count() >= MAX_RUNNING {
                let text = format!(
                    "Subscriber limit exceeded: There is a limit of {MAX_RUNNING} concurrent imports per subscriber"
                );
                return Err(ItemsError::LimitExceeded(text).into());
            }
            let created = manager.inner.tables.create_imported_table(tx, &table)?;
            let arn = manager.new_arn(JobKind::Import, &table.table_name, now);
            let job = ImportJob {
                input: input.clone(),
                table_id: created.definition.table_id.clone(),
                progress: Progress::default(),
                first_errors: Vec::new(),
            };
            let job = StoredJob::new(arn, now, input.client_token.clone(), job);
            job.write(tx)?;
            Ok(job)
        })?;
        Ok(self.described(job))
    }

    /// Describes an import.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ImportNotFound`].
    pub fn describe_import(&self, import_arn: &str) -> Result<ImportDescription, TransferError> {
        let job = self.found::<ImportJob>(import_arn)?;
        let missing = || ItemsError::ImportNotFound(format!("Import not found: {import_arn}"));
        Ok(self.described(job.ok_or_else(missing)?))
    }

    /// Lists the imports of the last 90 days, newest first.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`] for a token that no answer had.
    pub fn list_imports(&self, input: &ListImportsInput) -> Result<ListImportsOutput, TransferError> {
        let after = page_begin(input.next_token.as_deref())?;
        let limit = input.page_size.map_or(MAX_PAGE, |size| size as usize).clamp(1, MAX_PAGE);
        let now = self.inner.env.clock.now();
        let mut jobs = self.inner.store.read(StoredJob::<ImportJob>::all)?;
        jobs.retain(|job| {
            job.started.0.saturating_add(LISTED_MILLIS) >= now.0
                && input.table_arn.as_deref().is_none_or(|table| job.table_arn() == table)
        });
        jobs.sort_by(|one, other| newest_first(&one.arn, &other.arn));
        let is_behind = |arn: &str, after: &str| newest_first(arn, after).is_gt();
        let (jobs, next_token) = page::cut(jobs, after.as_deref(), limit, |job| &job.arn, is_behind);
        let summary = |job: StoredJob<ImportJob>| {
            let described = self.described(job);
            ImportSummary {
                import_arn: described.import_arn,
                import_status: described.import_status,
                table_arn: described.table_arn,
                s3_bucket_source: described.input.s3_bucket_source,
                cloud_watch_log_group_arn: described.cloud_watch_log_group_arn,
                input_format: described.input.input_format,
                start_time: described.start_time,
                end_time: described.end_time,
            }
        };
        Ok(ListImportsOutput { import_summary_list: jobs.into_iter().map(summary).collect(), next_token })
    }

    fn described(&self, job: StoredJob<ImportJob>) -> ImportDescription {
        let pdb_model::Account { region, id } = &self.inner.account;
        let progress = &job.job.progress;
        ImportDescription {
            import_status: match job.state {
                State::Running | State::Cancelling => ImportStatus::InProgress,
                State::Completed => ImportStatus::Completed,
                State::Cancelled | State::Failed => ImportStatus::Failed,
            },
            table_arn: job.table_arn().to_owned(),
            cloud_watch_log_group_arn: format!(
                "arn:aws:logs:{region}:{id}:log-group:/aws-dynamodb/imports:*"
            ),
            start_time: job.started,
            end_time: job.ended,
            processed_size_bytes: progress.unpacked_bytes,
            processed_item_count: progress.read_items,
            imported_item_count: progress.written_items,
            error_count: progress.errors,
            import_arn: job.arn,
            table_id: job.job.table_id,
            input: job.job.input,
            failure: job.failure,
            first_errors: job.job.first_errors,
        }
    }
}

impl StoredJob<ImportJob> {
    /// The ARN of the table: the beginning of the job's.
    fn table_arn(&self) -> &str {
        self.arn.split_once("/import/").map_or(self.arn.as_str(), |(table, _)| table)
    }
}

impl RunnableJob for ImportJob {
    fn run(running: &Running<'_, Self>) -> Result<(), Stop> {
        let input = &running.job.job.input;
        let source = Input::new(
            running.manager.inner.objects.clone(),
            input.s3_bucket_source.clone(),
            input.input_format,
            input.input_compression_type.unwrap_or(InputCompression::None),
            csv_options(input),
        );
        load(running, &source)?;
        running.last_step(|manager, tx, job| {
            let table = Self::table(manager, tx, job)?;
            manager.inner.tables.finish_import(tx, &table)?;
            let failure = (job.job.progress.errors > 0).then(|| {
                Failure::new(
                    "ItemValidationError",
                    "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs \
                     for more details.",
                )
            });
            let state = if failure.is_some() { State::Failed } else { State::Completed };
            let now = manager.now(tx);
            job.end(state, failure, now);
            let progress = &job.job.progress;
            tracing::info!(
                import = job.arn,
                read = progress.read_items,
                imported = progress.written_items,
                errors = progress.errors,
                "an import has ended"
            );
            Ok(())
        })
    }

    /// If nothing was read, the table goes; else it stays as far as it was filled.
    fn broken_off(
        manager: &TransferManager,
        tx: &mut Tx<'_>,
        job: &mut StoredJob<Self>,
    ) -> Result<(), StepError> {
        let tables = &manager.inner.tables;
        let (name, id) = (&job.job.input.table.table_name, &job.job.table_id);
        let Some(table) = tables.imported_table(tx, name, id)? else { return Ok(()) };
        if job.job.progress.read_items == 0 {
            tables.abandon_import(tx, &table)?;
        } else {
            tables.finish_import(tx, &table)?;
        }
        Ok(())
    }
}

impl LoadJob for ImportJob {
    const HAS_CONDITIONS: bool = false;

    fn table_name(&self) -> &TableName {
        &self.input.table.table_name
    }

    fn table(
        manager: &TransferManager,
        tx: &mut Tx<'_>,
        job: &StoredJob<Self>,
    ) -> Result<Arc<Table>, StepError> {
        let name = &job.job.input.table.table_name;
        let table = manager.inner.tables.imported_table(tx, name, &job.job.table_id)?;
        table.ok_or_else(|| StoreError::TableNotFound(name.clone()).into())
    }

    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    fn units_a_second(&self) -> Option<u64> {
        None
    }

    fn keep(_tx: &mut Tx<'_>, job: &mut StoredJob<Self>, unwritten: &[Unwritten]) -> Result<(), StepError> {
        for unwritten in unwritten {
            if job.job.first_errors.len() >= KEPT_EVENTS {
                break;
            }
            let Place { key, index } = unwritten.place.clone();
            let message = unwritten.reason.clone().unwrap_or_default();
            tracing::warn!(import = job.arn, key, index, reason = message, "an item cannot be imported");
            job.job.first_errors.push(ErrorEvent { key, item_index: index, message });
        }
        Ok(())
    }

    fn between(_running: &Running<'_, Self>) -> Result<(), Stop> {
        Ok(())
    }
}

/// Checks what goes together with the format.
fn check(input: &ImportTableInput) -> Result<(), TransferError> {
    let Some(header) = input.csv.as_ref().and_then(|csv| csv.header_list.as_ref()) else { return Ok(()) };
    if input.input_format != InputFormat::Csv {
        return Ok(());
    }
    for (at, name) in header.iter().enumerate() {
        if header[..at].contains(name) {
            return Err(TransferError::validation(format!(
                "One or more parameter values were invalid: Duplicate column in HeaderList: {name}"
            )));
        }
    }
    for key in &input.table.key_schema {
        if !header.contains(&key.attribute_name) {
            return Err(TransferError::validation(format!(
                "One or more parameter values were invalid: HeaderList does not have the key attribute {}",
                key.attribute_name
            )));
        }
    }
    Ok(())
}

fn csv_options(input: &ImportTableInput) -> CsvOptions {
    let csv = input.csv.as_ref();
    let delimiter = csv.and_then(|csv| csv.delimiter.as_deref()).and_then(|text| text.bytes().next());
    let types = input.table.attribute_definitions.iter();
    let types: BTreeMap<_, _> = types.map(|of| (of.name.clone(), of.scalar_type)).collect();
    CsvOptions {
        delimiter: delimiter.unwrap_or(b','),
        header: csv.and_then(|csv| csv.header_list.clone()),
        types,
    }
}

fn conflict(arn: &str) -> TransferError {
    TransferError::ImportConflict(format!(
        "An import with the same client token and other parameters exists: {arn}"
    ))
}

/// The order of lists: by the end of the ARN, which begins with the time, then by the rest of it.
pub(crate) fn newest_first(one: &str, other: &str) -> std::cmp::Ordering {
    let key = |arn: &str| (arn.rsplit('/').next().unwrap_or_default().to_owned(), arn.to_owned());
    key(other).cmp(&key(one))
}

/// Returns the ARN behind which a page begins.
pub(crate) fn page_begin(token: Option<&str>) -> Result<Option<String>, TransferError> {
    let Some(token) = token else { return Ok(None) };
    let arn = page::arn_in(token).filter(|arn| TableArn::at_start_of(arn).is_some());
    arn.map(Some).ok_or_else(|| TransferError::validation("Invalid NextToken"))
}
