//! ExportTableToPointInTime, DescribeExport, ListExports: the items that a table had at a moment, or what changed between two, to the objects of a
//! bucket.
//!
//! Evidence: `bulk-import-export.md` part 3. Texts of errors are not known.

mod input;
mod run;
mod target;

use pdb_items::ItemsError;
use pdb_model::{EpochMillis, TableName};
use pdb_store::{PastState, ReadTx, Table};
use serde::{Deserialize, Serialize};

use crate::error::TransferError;
use crate::failure::Failure;
use crate::job::{Job, LISTED_MILLIS, State, StoredJob};
use crate::page::{self, page_begin};
use crate::queue::JobKind;
use crate::runner::TransferManager;

pub use input::{
    ExportFormat, ExportTableInput, ExportType, ExportViewType, FilterSpecification,
    IncrementalExportSpecification,
};

/// The most exports at the same time.
const MAX_RUNNING: usize = 300;
/// Exports on a page of ListExports.
const MAX_PAGE: usize = 25;

/// The status of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportStatus {
    /// It goes on.
    InProgress,
    /// All objects are there.
    Completed,
    /// It has failed. Without manifests, what it wrote is not complete.
    Failed,
}

impl ExportStatus {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }

    fn of(state: State) -> Self {
        match state {
            State::Running | State::Cancelling => Self::InProgress,
            State::Completed => Self::Completed,
            State::Cancelled | State::Failed => Self::Failed,
        }
    }
}

/// An export.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportDescription {
    /// Its ARN.
    pub export_arn: String,
    /// Its status.
    pub export_status: ExportStatus,
    /// What was asked for, with the defaults that were chosen: the time of a full export, both times and the view of an incremental one.
    pub input: ExportTableInput,
    /// The id of the table.
    pub table_id: String,
    /// When it began.
    pub start_time: EpochMillis,
    /// When it ended.
    pub end_time: Option<EpochMillis>,
    /// The key of the summary, when the export is complete.
    pub export_manifest: Option<String>,
    /// The size of the items that were exported so far.
    pub billed_size_bytes: u64,
    /// How many items were exported so far.
    pub item_count: u64,
    /// Why it has failed.
    pub failure: Option<Failure>,
}

/// The input of ListExports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListExportsInput {
    /// Only exports of this table, by its ARN.
    pub table_arn: Option<String>,
    /// At most so many: 1 to 25, which is also the default.
    pub max_results: Option<u32>,
    /// Where the previous page ended.
    pub next_token: Option<String>,
}

/// One entry of ListExports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// The export's ARN.
    pub export_arn: String,
    /// Its status.
    pub export_status: ExportStatus,
    /// What it has.
    pub export_type: ExportType,
}

/// The output of ListExports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListExportsOutput {
    /// Exports, in the reverse order of their ARNs.
    pub export_summaries: Vec<ExportSummary>,
    /// Where the next page begins, if there is one.
    pub next_token: Option<String>,
}

/// What is stored of an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExportJob {
    /// As it was given, for repeated tokens.
    given: ExportTableInput,
    /// With the defaults.
    input: ExportTableInput,
    table_name: TableName,
    table_id: String,
    content: Content,
    #[serde(default)]
    progress: Progress,
    manifest: Option<String>,
}

/// What is exported: the states are certain from the beginning, so an export that begins anew writes the same.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Content {
    Full(StoredState),
    Incremental(StoredState, StoredState),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct StoredState {
    moment: EpochMillis,
    first_later_change: i64,
}

impl From<PastState> for StoredState {
    fn from(state: PastState) -> Self {
        Self { moment: state.moment, first_later_change: state.first_later_change }
    }
}

impl From<StoredState> for PastState {
    fn from(state: StoredState) -> Self {
        Self { moment: state.moment, first_later_change: state.first_later_change }
    }
}

/// How far an export is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Progress {
    items: u64,
    bytes: u64,
}

impl Job for ExportJob {
    const KIND: JobKind = JobKind::Export;
}

impl TransferManager {
    /// Begins to export a table as it was at a moment, or its changes between two, to a bucket. An export whose bucket is not there fails later.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::TableNotFound`], [`ItemsError::PointInTimeRecoveryUnavailable`], [`ItemsError::LimitExceeded`] if there
    /// are 300 exports; [`TransferError::InvalidExportTime`]; [`TransferError::ExportConflict`] for a token that was used with other parameters.
    pub fn export_table_to_point_in_time(
        &self,
        input: ExportTableInput,
    ) -> Result<ExportDescription, TransferError> {
        let table_name = input.check()?;
        let filter = input.filter.clone().unwrap_or_default().parse()?;
        let job = self.begin::<ExportJob>(move |manager, tx| {
            let now = manager.now(tx);
            let jobs = StoredJob::<ExportJob>::all(tx)?;
            if let Some(token) = &input.client_token
                && let Some(known) = jobs.iter().find(|job| job.owns_token(token, now))
            {
                return if known.job.given == input { Ok(known.clone()) } else { Err(conflict()) };
            }
            if jobs.iter().filter(|job| !job.state.is_over()).count() >= MAX_RUNNING {
                let text = format!(
                    "Subscriber limit exceeded: There is a limit of {MAX_RUNNING} concurrent exports per subscriber"
                );
                return Err(ItemsError::LimitExceeded(text).into());
            }
            let tables = &manager.inner.tables;
            let (table, window) = tables.recoverable_table(tx, &table_name, &input.table_arn)?;
            filter.range(&table.definition)?;
            let input = input.clone();
            let (resolved, content) = match input.export_type() {
                ExportType::Full => {
                    let latest = window.latest_restorable_date_time;
                    let moment = input.export_time.unwrap_or(latest);
                    if moment > latest {
                        return Err(invalid_time("ExportTime"));
                    }
                    let state = past_state(tx, &table, moment, "ExportTime")?;
                    let resolved = ExportTableInput { export_time: Some(moment), ..input.clone() };
                    (resolved, Content::Full(state.into()))
                }
                ExportType::Incremental => {
                    let latest = window.latest_restorable_date_time;
                    let (resolved, [from, to]) = input.resolved_times(latest)?;
                    if to > latest {
                        return Err(invalid_time("ExportToTime"));
                    }
                    if from < window.earliest_restorable_date_time {
                        return Err(invalid_time("ExportFromTime"));
                    }
                    // A change of the first millisecond is exported, one of the last is not.
                    let before = |moment: EpochMillis| EpochMillis(moment.0.saturating_sub(1));
                    let from = past_state(tx, &table, before(from), "ExportFromTime")?;
                    let to = past_state(tx, &table, before(to), "ExportToTime")?;
                    (resolved, Content::Incremental(from.into(), to.into()))
                }
            };
            let arn = manager.new_arn(JobKind::Export, &table_name, now);
            let job = ExportJob {
                given: input.clone(),
                input: resolved,
                table_name: table_name.clone(),
                table_id: table.definition.table_id.clone(),
                content,
                progress: Progress::default(),
                manifest: None,
            };
            let job = StoredJob::new(arn, now, input.client_token, job);
            job.write(tx)?;
            Ok(job)
        })?;
        Ok(described(job))
    }

    /// Describes an export.
    ///
    /// # Errors
    ///
    /// [`ItemsError::ExportNotFound`].
    pub fn describe_export(&self, export_arn: &str) -> Result<ExportDescription, TransferError> {
        let job = self.found::<ExportJob>(export_arn)?;
        let missing = || ItemsError::ExportNotFound(format!("Export not found: {export_arn}"));
        Ok(described(job.ok_or_else(missing)?))
    }

    /// Lists the exports of the last 90 days, in the reverse order of their ARNs.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`] for a token that no answer had.
    pub fn list_exports(&self, input: &ListExportsInput) -> Result<ListExportsOutput, TransferError> {
        let after = page_begin(input.next_token.as_deref())?;
        let limit = input.max_results.map_or(MAX_PAGE, |most| most as usize).clamp(1, MAX_PAGE);
        let now = self.inner.env.clock.now();
        let mut jobs = self.inner.store.read(StoredJob::<ExportJob>::all)?;
        jobs.retain(|job| {
            job.started.0.saturating_add(LISTED_MILLIS) >= now.0
                && input.table_arn.as_deref().is_none_or(|table| table_arn(&job.arn) == table)
        });
        jobs.sort_by(|one, other| other.arn.cmp(&one.arn));
        let (jobs, next_token) =
            page::cut(jobs, after.as_deref(), limit, |job| &job.arn, |arn, after| arn < after);
        let summary = |job: StoredJob<ExportJob>| ExportSummary {
            export_status: ExportStatus::of(job.state),
            export_type: job.job.input.export_type(),
            export_arn: job.arn,
        };
        Ok(ListExportsOutput { export_summaries: jobs.into_iter().map(summary).collect(), next_token })
    }
}

fn described(job: StoredJob<ExportJob>) -> ExportDescription {
    ExportDescription {
        export_status: ExportStatus::of(job.state),
        export_arn: job.arn,
        table_id: job.job.table_id,
        start_time: job.started,
        end_time: job.ended,
        export_manifest: job.job.manifest,
        billed_size_bytes: job.job.progress.bytes,
        item_count: job.job.progress.items,
        input: job.job.input,
        failure: job.failure,
    }
}

/// Returns a state of the past, which must be one that can be restored.
fn past_state(
    tx: &mut ReadTx<'_>,
    table: &Table,
    moment: EpochMillis,
    member: &str,
) -> Result<PastState, TransferError> {
    tx.past_state(table, moment)?.ok_or_else(|| invalid_time(member))
}

/// The ARN of an export's table: the beginning of the export's.
fn table_arn(export_arn: &str) -> &str {
    export_arn.split_once("/export/").map_or(export_arn, |(table, _)| table)
}

fn invalid_time(member: &str) -> TransferError {
    TransferError::InvalidExportTime(format!(
        "The specified {member} is not within the point in time recovery window"
    ))
}

/// The text names no table: the caller may not be allowed to know the other one.
fn conflict() -> TransferError {
    TransferError::ExportConflict(
        "An export with the same client token and other parameters exists".to_owned(),
    )
}
