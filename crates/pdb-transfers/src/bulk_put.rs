//! StartBulkPutItems, DescribeBulkOperation, ListBulkOperations, CancelBulkOperation: many items from the objects of a bucket into a table in use.
//!
//! Evidence: `bulk-import-export.md` part 1.

mod report;

use std::sync::Arc;

use pdb_exchange::CsvOptions;
use pdb_items::{BulkUsage, ItemsError};
use pdb_model::{EpochMillis, TableName};
use pdb_store::{StoreError, Table, Tx};
use serde::{Deserialize, Serialize};

use crate::error::TransferError;
use crate::failure::Failure;
use crate::input::{InputCompression, InputFormat, PerformanceTier, S3Output, S3Source};
use crate::job::{Job, LISTED_MILLIS, State, StoredJob};
use crate::load::{LoadJob, Progress, Unwritten, load};
use crate::page::{self, newest_first, page_begin};
use crate::queue::JobKind;
use crate::runner::TransferManager;
use crate::running::{RunnableJob, Running, StepError, Stop};
use crate::source::Input;
use report::Report;

/// Operations on a page of ListBulkOperations, by default and at most.
const DEFAULT_PAGE: usize = 10;
const MAX_PAGE: usize = 25;
/// The most operations at the same time. AWS has a limit too; its number is not known.
const MAX_RUNNING: usize = 50;

/// The input of StartBulkPutItems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartBulkPutItemsInput {
    /// The table, which must exist.
    pub table_name: TableName,
    /// A text that stands for this operation for eight hours, so that a repeated request begins no other.
    pub client_token: Option<String>,
    /// The objects.
    pub source: S3Source,
    /// Their format; not CSV.
    pub input_format: InputFormat,
    /// How the objects are packed; not at all if it is absent.
    pub input_compression_type: Option<InputCompression>,
    /// Where the report goes.
    pub output: S3Output,
    /// The most write units a second.
    pub max_write_request_units: Option<u64>,
    /// How fast it is on AWS.
    pub performance_tier: Option<PerformanceTier>,
}

/// The status of a bulk operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkOperationStatus {
    /// It goes on.
    InProgress,
    /// All records were valid. Conditions may have failed.
    Completed,
    /// It has read all objects, and some records were not valid.
    CompletedWithErrors,
    /// It is to be cancelled.
    Cancelling,
    /// It was cancelled. What was written stays.
    Cancelled,
    /// It has failed. What was written stays.
    Failed,
}

impl BulkOperationStatus {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::CompletedWithErrors => "COMPLETED_WITH_ERRORS",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }
}

/// A bulk operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkOperationDescription {
    /// Its ARN.
    pub bulk_operation_arn: String,
    /// Its status.
    pub bulk_operation_status: BulkOperationStatus,
    /// The id of its table.
    pub table_id: String,
    /// What was asked for.
    pub input: StartBulkPutItemsInput,
    /// When it began.
    pub start_time: EpochMillis,
    /// When it ended.
    pub end_time: Option<EpochMillis>,
    /// How many records were read so far.
    pub processed_item_count: u64,
    /// The bytes of the objects that were read so far, as they are stored.
    pub processed_input_bytes: u64,
    /// The bytes of all objects, as soon as they have been listed.
    pub total_input_bytes: Option<u64>,
    /// How many records and objects could not be processed.
    pub failed_item_count: u64,
    /// What was written.
    pub usage: BulkUsage,
    /// Why it has failed.
    pub failure: Option<Failure>,
}

/// The input of ListBulkOperations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListBulkOperationsInput {
    /// At most so many: 1 to 25; 10 if it is absent.
    pub max_results: Option<u32>,
    /// Where the previous page ended.
    pub next_token: Option<String>,
}

/// One entry of ListBulkOperations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkOperationSummary {
    /// The operation's ARN.
    pub bulk_operation_arn: String,
    /// Its status.
    pub bulk_operation_status: BulkOperationStatus,
    /// When it began.
    pub start_time: EpochMillis,
    /// When it ended.
    pub end_time: Option<EpochMillis>,
}

/// The output of ListBulkOperations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListBulkOperationsOutput {
    /// Operations, newest first.
    pub bulk_operations: Vec<BulkOperationSummary>,
    /// Where the next page begins, if there is one.
    pub next_token: Option<String>,
}

/// What is stored of a bulk operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BulkPutJob {
    input: StartBulkPutItemsInput,
    table_id: String,
    progress: Progress,
    report: Report,
}

impl Job for BulkPutJob {
    const KIND: JobKind = JobKind::BulkPut;
}

impl TransferManager {
    /// Begins to put items from the objects of a bucket into a table. The puts are as real as others, with stream records.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::ResourceInUse`] if an operation puts items into the table;
    /// [`ItemsError::LimitExceeded`]; [`ItemsError::IdempotentParameterMismatch`] for a token that was used with other parameters.
    pub fn start_bulk_put_items(
        &self,
        input: StartBulkPutItemsInput,
    ) -> Result<BulkOperationDescription, TransferError> {
        if input.output.sse_kms_key_id.is_some()
            && input.output.sse_algorithm != Some(crate::SseAlgorithm::Kms)
        {
            return Err(TransferError::validation(
                "One or more parameter values were invalid: S3SseKmsKeyId can only be specified when S3SseAlgorithm is KMS",
            ));
        }
        let job = self.begin::<BulkPutJob>(move |manager, tx| {
            let now = manager.now(tx);
            let jobs = StoredJob::<BulkPutJob>::all(tx)?;
            if let Some(token) = &input.client_token
                && let Some(known) = jobs.iter().find(|job| job.started_within_token(token, now))
            {
                let is_same = known.job.input == input;
                return if is_same { Ok(known.clone()) } else { Err(ItemsError::IdempotentParameterMismatch.into()) };
            }
            let table = manager.inner.tables.bulk_target(tx, &input.table_name)?;
            let mut running = jobs.iter().filter(|job| !job.state.is_over());
            if running.clone().count() >= MAX_RUNNING {
                let text = format!(
                    "Subscriber limit exceeded: There is a limit of {MAX_RUNNING} concurrent bulk operations per subscriber"
                );
                return Err(ItemsError::LimitExceeded(text).into());
            }
            if running.any(|job| job.job.table_id == table.definition.table_id) {
                let text = format!(
                    "Attempt to change a resource which is still in use: Table has a bulk operation in progress: {}",
                    input.table_name
                );
                return Err(ItemsError::ResourceInUse(text).into());
            }
            let arn = manager.new_arn(JobKind::BulkPut, &input.table_name, now);
            let job = BulkPutJob {
                input: input.clone(),
                table_id: table.definition.table_id.clone(),
                progress: Progress::default(),
                report: Report::default(),
            };
            let job = StoredJob::new(arn, now, input.client_token.clone(), job);
            job.write(tx)?;
            Ok(job)
        })?;
        Ok(described(job))
    }

    /// Describes a bulk operation.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`].
    pub fn describe_bulk_operation(
        &self,
        bulk_operation_arn: &str,
    ) -> Result<BulkOperationDescription, TransferError> {
        let job = self.found::<BulkPutJob>(bulk_operation_arn)?;
        job.map(described).ok_or_else(|| missing(bulk_operation_arn))
    }

    /// Lists the bulk operations of the last 90 days, newest first.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`] for a token that no answer had.
    pub fn list_bulk_operations(
        &self,
        input: &ListBulkOperationsInput,
    ) -> Result<ListBulkOperationsOutput, TransferError> {
        let after = page_begin(input.next_token.as_deref())?;
        let limit = input.max_results.map_or(DEFAULT_PAGE, |most| most as usize).clamp(1, MAX_PAGE);
        let now = self.inner.env.clock.now();
        let mut jobs = self.inner.store.read(StoredJob::<BulkPutJob>::all)?;
        jobs.retain(|job| job.started.0.saturating_add(LISTED_MILLIS) >= now.0);
        jobs.sort_by(|one, other| newest_first(&one.arn, &other.arn));
        let is_behind = |arn: &str, after: &str| newest_first(arn, after).is_gt();
        let (jobs, next_token) = page::cut(jobs, after.as_deref(), limit, |job| &job.arn, is_behind);
        let summary = |job: StoredJob<BulkPutJob>| BulkOperationSummary {
            bulk_operation_status: status(&job),
            start_time: job.started,
            end_time: job.ended,
            bulk_operation_arn: job.arn,
        };
        Ok(ListBulkOperationsOutput { bulk_operations: jobs.into_iter().map(summary).collect(), next_token })
    }

    /// Cancels a bulk operation. It ends after the transaction that is under way; what was written stays.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ResourceNotFound`]; [`ItemsError::Validation`] if the operation has ended.
    pub fn cancel_bulk_operation(
        &self,
        bulk_operation_arn: &str,
    ) -> Result<BulkOperationStatus, TransferError> {
        let arn = bulk_operation_arn.to_owned();
        let job = self.inner.store.write(move |tx| {
            let known = StoredJob::<BulkPutJob>::find(tx, &arn)?.ok_or_else(|| missing(&arn))?;
            let job = StoredJob::<BulkPutJob>::read_to_change(tx, known.id())?;
            let mut job = job.ok_or_else(|| missing(&arn))?;
            if job.state.is_over() {
                return Err(TransferError::validation(format!(
                    "Bulk operation cannot be cancelled: its status is {}",
                    status(&job).as_str()
                )));
            }
            job.state = State::Cancelling;
            job.write(tx)?;
            Ok(job)
        })?;
        self.ensure_running(&job);
        Ok(status(&job))
    }
}

impl StoredJob<BulkPutJob> {
    /// Whether a repeated token means this operation: for eight hours after the first request, however long it takes.
    fn started_within_token(&self, token: &str, now: EpochMillis) -> bool {
        self.client_token.as_deref() == Some(token)
            && now.0 < self.started.0.saturating_add(crate::job::TOKEN_MILLIS)
    }
}

fn status(job: &StoredJob<BulkPutJob>) -> BulkOperationStatus {
    match job.state {
        State::Running => BulkOperationStatus::InProgress,
        State::Cancelling => BulkOperationStatus::Cancelling,
        State::Completed if job.job.progress.errors > 0 => BulkOperationStatus::CompletedWithErrors,
        State::Completed => BulkOperationStatus::Completed,
        State::Cancelled => BulkOperationStatus::Cancelled,
        State::Failed => BulkOperationStatus::Failed,
    }
}

fn described(job: StoredJob<BulkPutJob>) -> BulkOperationDescription {
    let progress = &job.job.progress;
    BulkOperationDescription {
        bulk_operation_status: status(&job),
        start_time: job.started,
        end_time: job.ended,
        processed_item_count: progress.read_items,
        processed_input_bytes: progress.stored_bytes,
        total_input_bytes: progress.total_bytes,
        failed_item_count: progress.errors,
        usage: progress.usage.clone(),
        bulk_operation_arn: job.arn,
        table_id: job.job.table_id,
        input: job.job.input,
        failure: job.failure,
    }
}

fn missing(arn: &str) -> TransferError {
    ItemsError::ResourceNotFound(format!("Requested resource not found: Bulk operation: {arn} not found"))
        .into()
}

impl RunnableJob for BulkPutJob {
    fn run(running: &Running<'_, Self>) -> Result<(), Stop> {
        let input = &running.job.job.input;
        report::begin(running)?;
        let source = Input::new(
            running.manager.inner.objects.clone(),
            input.source.clone(),
            input.input_format,
            input.input_compression_type.unwrap_or(InputCompression::None),
            CsvOptions::default(),
        );
        let loaded = load(running, &source);
        match loaded {
            // What could not be written is reported, however the operation ends.
            Ok(()) | Err(Stop::Cancelled | Stop::Failed(_)) => report::finish(running)?,
            Err(Stop::Gone | Stop::Closed | Stop::Later) => {}
        }
        loaded?;
        running.last_step(|manager, tx, job| {
            report::forget(tx, job.id())?;
            let now = manager.now(tx);
            job.end(State::Completed, None, now);
            Ok(())
        })
    }

    fn broken_off(
        _manager: &TransferManager,
        tx: &mut Tx<'_>,
        job: &mut StoredJob<Self>,
    ) -> Result<(), StepError> {
        report::forget(tx, job.id())
    }
}

impl LoadJob for BulkPutJob {
    const HAS_CONDITIONS: bool = true;
    const IS_IN_KEY_ORDER: bool = false;

    fn table_name(&self) -> &TableName {
        &self.input.table_name
    }

    fn table(
        manager: &TransferManager,
        tx: &mut Tx<'_>,
        job: &StoredJob<Self>,
    ) -> Result<Arc<Table>, StepError> {
        let name = &job.job.input.table_name;
        let table = manager.inner.tables.ready_table(tx, name)?;
        // Another table of the same name is not the one that was meant.
        if table.definition.table_id == job.job.table_id {
            Ok(table)
        } else {
            Err(StoreError::TableNotFound(name.clone()).into())
        }
    }

    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }

    fn units_a_second(&self) -> Option<u64> {
        self.input.max_write_request_units
    }

    fn keep(tx: &mut Tx<'_>, job: &mut StoredJob<Self>, unwritten: &[Unwritten]) -> Result<(), StepError> {
        report::keep(tx, job, unwritten)
    }

    fn between(running: &Running<'_, Self>) -> Result<(), Stop> {
        report::write_if_long(running)
    }
}

impl BulkPutJob {
    /// The folder of the report in its bucket.
    fn folder(&self, id: &str) -> String {
        match self.input.output.key_prefix.as_deref().map(|prefix| prefix.trim_end_matches('/')) {
            None | Some("") => format!("AWSDynamoDB/{id}"),
            Some(prefix) => format!("{prefix}/AWSDynamoDB/{id}"),
        }
    }
}
