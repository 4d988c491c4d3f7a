//! ImportTable, DescribeImport, ListImports: a new table from the objects of a bucket.
//!
//! Evidence: `bulk-import-export.md` part 2.

mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_exchange::CsvOptions;
use pdb_items::ItemsError;
use pdb_model::TableName;
use pdb_store::{StoreError, Table, Tx};
use serde::{Deserialize, Serialize};

use crate::error::TransferError;
use crate::failure::Failure;
use crate::input::{InputCompression, InputFormat};
use crate::job::{Job, LISTED_MILLIS, State, StoredJob};
use crate::load::{LoadJob, Place, Progress, Unwritten, load};
use crate::page::{self, newest_first, page_begin};
use crate::queue::JobKind;
use crate::runner::TransferManager;
use crate::running::{RunnableJob, Running, StepError, Stop};
use crate::source::Input;

pub use types::{
    ErrorEvent, ImportDescription, ImportStatus, ImportSummary, ImportTableInput, ListImportsInput,
    ListImportsOutput, TableCreationParameters,
};

/// The most imports at the same time.
const MAX_RUNNING: usize = 50;
/// Imports on a page of ListImports.
const MAX_PAGE: usize = 25;
/// The most errors that are kept with an import. AWS writes them to a log; here the first ones can be asked for.
pub(crate) const KEPT_EVENTS: usize = 20;

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
                return if known.job.input == input { Ok(known.clone()) } else { Err(conflict()) };
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
        let refused = job.job.progress.end_early();
        Self::keep(tx, job, &refused)?;
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
    const IS_IN_KEY_ORDER: bool = true;

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

/// The text names no table: the caller may not be allowed to know the other one.
fn conflict() -> TransferError {
    TransferError::ImportConflict(
        "An import with the same client token and other parameters exists".to_owned(),
    )
}
