//! How an export is carried out.
//!
//! It reads a page of the past, writes it, and reads the next one, so neither the table nor the objects are ever whole in memory, and no transaction
//! is open while objects are written. After an interruption it begins anew: the states that it exports are certain since it was asked for, and the keys
//! of its objects depend on nothing but its id.

use std::time::{Duration, Instant};

use pdb_exchange::{ChangeLine, ExportKind, ExportSummary, ExportWriter, Format};
use pdb_items::ParsedItemFilter;
use pdb_model::{EncodedItem, EpochMillis, Item, KeySchema};
use pdb_store::{KeyRange, NetChange, NetChanges, PastItems, ReadTx, StoreError, Table, Tx};

use super::target::Bucket;
use super::{Content, ExportFormat, ExportJob, ExportType, ExportViewType, Progress};
use crate::failure::Failure;
use crate::input::SseAlgorithm;
use crate::job::{State, StoredJob};
use crate::runner::TransferManager;
use crate::running::{RunnableJob, Running, StepError, Stop};

/// How often the progress is noted. Where processes share a database, it also shows that the export goes on.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

impl RunnableJob for ExportJob {
    fn run(running: &Running<'_, Self>) -> Result<(), Stop> {
        let job = &running.job;
        let bucket =
            Bucket { objects: running.manager.inner.objects.clone(), name: job.job.input.s3_bucket.clone() };
        let kind = match job.job.content {
            Content::Full(_) => ExportKind::Full,
            Content::Incremental(..) => ExportKind::Incremental,
        };
        let format = match job.job.input.export_format.unwrap_or_default() {
            ExportFormat::DynamoDbJson => Format::DynamoDbJson,
            ExportFormat::Ion => Format::Ion,
        };
        let prefix = job.job.input.s3_prefix.as_deref();
        let writer = ExportWriter::begin(bucket, prefix, job.id(), kind, format).map_err(Stop::Failed)?;
        if job.steps > 1 {
            // An earlier attempt may have been complete but for its end: its manifests must not stand beside other files.
            let summary = writer.summary_key();
            for key in [summary.replace(".json", ".checksum"), summary] {
                let deleted = running.manager.inner.objects.delete(&job.job.input.s3_bucket, &key);
                deleted.map_err(|error| Stop::Failed(Failure::of_object(&error)))?;
            }
        }
        let filter = job.job.input.filter.clone().unwrap_or_default().parse().map_err(StepError::from)?;
        let (table, range) = read(running, |tx| {
            let table = tx.find_table(&job.job.table_name);
            let table = table.filter(|table| table.definition.table_id == job.job.table_id);
            let table = table.ok_or_else(|| StoreError::TableNotFound(job.job.table_name.clone()))?;
            let range = filter.range(&table.definition);
            Ok((table, range))
        })?;
        let range = range.map_err(StepError::from)?;
        let mut export =
            Export { running, writer, filter, progress: Progress::default(), noted: Instant::now() };
        match job.job.content {
            Content::Full(state) => export.items(&mut PastItems::new(&table, &range, state.into()))?,
            Content::Incremental(from, to) => export.changes(&table, &range, [from.into(), to.into()])?,
        }
        export.finish()
    }

    /// What was written stays, as on AWS. Without manifests, it is not complete.
    fn broken_off(
        _manager: &TransferManager,
        _tx: &mut Tx<'_>,
        _job: &mut StoredJob<Self>,
    ) -> Result<(), StepError> {
        Ok(())
    }
}

struct Export<'r, 'm> {
    running: &'r Running<'m, ExportJob>,
    writer: ExportWriter<Bucket>,
    filter: ParsedItemFilter,
    progress: Progress,
    /// When the progress was noted last.
    noted: Instant,
}

impl Export<'_, '_> {
    fn items(&mut self, walk: &mut PastItems) -> Result<(), Stop> {
        while let Some(page) = read(self.running, |tx| walk.next_page(tx))? {
            for item in page {
                if self.lets_through(&item)? {
                    let item = self.filter.project(item).map_err(unreadable)?;
                    self.writer.write_encoded(item.json()).map_err(Stop::Failed)?;
                    self.count(item.size_bytes());
                }
            }
            self.between()?;
        }
        Ok(())
    }

    fn changes(
        &mut self,
        table: &Table,
        range: &KeyRange,
        states: [pdb_store::PastState; 2],
    ) -> Result<(), Stop> {
        let view = self.running.job.job.input.incremental.and_then(|given| given.export_view_type);
        let mut walk = NetChanges::new(table, range, states);
        while let Some(page) = read(self.running, |tx| walk.next_page(tx))? {
            for change in page {
                self.change(&table.definition.key_schema, change, view.unwrap_or_default())?;
            }
            self.between()?;
        }
        Ok(())
    }

    fn change(&mut self, schema: &KeySchema, change: NetChange, view: ExportViewType) -> Result<(), Stop> {
        let NetChange { old, new, changed } = change;
        let mut is_wanted = false;
        for image in [&new, &old].into_iter().flatten() {
            is_wanted = is_wanted || self.lets_through(image)?;
        }
        let Some(image) = new.as_ref().or(old.as_ref()).filter(|_| is_wanted) else { return Ok(()) };
        let keys: Item = image.decode_attributes(|name| schema.contains(name)).map_err(unreadable)?;
        let project = |image: Option<EncodedItem>| {
            image.map(|image| self.filter.project(image)).transpose().map_err(unreadable)
        };
        let new = project(new)?;
        let old = project(old.filter(|_| view == ExportViewType::NewAndOldImages))?;
        let line = ChangeLine {
            changed,
            keys: &keys,
            new_image: new.as_ref().map(EncodedItem::json),
            old_image: old.as_ref().map(EncodedItem::json),
        };
        self.writer.write_change(&line).map_err(Stop::Failed)?;
        self.count([new, old].iter().flatten().map(EncodedItem::size_bytes).sum());
        Ok(())
    }

    fn lets_through(&self, item: &EncodedItem) -> Result<bool, Stop> {
        self.filter.lets_through(item).map_err(unreadable)
    }

    fn count(&mut self, bytes: u64) {
        self.progress.items += 1;
        self.progress.bytes += bytes;
    }

    /// Called after each page.
    fn between(&mut self) -> Result<(), Stop> {
        if self.running.is_stopped() {
            return Err(Stop::Closed);
        }
        if self.noted.elapsed() >= NOTE_INTERVAL {
            let progress = self.progress;
            self.running
                .submit(move |_, _, job| {
                    job.job.progress = progress;
                    job.idle_claims = 0;
                    Ok(())
                })
                .wait()?;
            self.noted = Instant::now();
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Stop> {
        let Self { running, writer, progress, .. } = self;
        // An earlier attempt may have begun a file more: pages end where others have written meanwhile.
        let beyond = writer.next_data_key();
        let is_repeated = running.job.steps > 1;
        let manifest = writer.summary_key();
        let ended = running.manager.inner.env.clock.now().max(running.job.started);
        let (_, bucket) = writer.finish(summary(&running.job, progress, ended)).map_err(Stop::Failed)?;
        if is_repeated && let Err(error) = bucket.objects.delete(&bucket.name, &beyond) {
            tracing::warn!(%error, "an object of an interrupted attempt of an export may have been left over");
        }
        running.last_step(move |_, _, job| {
            job.job.progress = progress;
            job.job.manifest = Some(manifest.clone());
            job.end(State::Completed, None, ended);
            tracing::info!(
                export = job.arn,
                items = progress.items,
                bytes = progress.bytes,
                "an export is complete"
            );
            Ok(())
        })
    }
}

/// Returns what the manifest says.
fn summary(job: &StoredJob<ExportJob>, progress: Progress, ended: EpochMillis) -> ExportSummary {
    let input = &job.job.input;
    let times = input.incremental.unwrap_or_default();
    let is_incremental = input.export_type() == ExportType::Incremental;
    let view = is_incremental.then(|| times.export_view_type.unwrap_or_default());
    ExportSummary {
        export_arn: job.arn.clone(),
        start_time: ExportSummary::time(job.started),
        end_time: ExportSummary::time(ended),
        table_arn: super::table_arn(&job.arn).to_owned(),
        table_id: job.job.table_id.clone(),
        export_time: input.export_time.filter(|_| !is_incremental).map(ExportSummary::time),
        export_from_time: times.export_from_time.map(ExportSummary::time),
        export_to_time: times.export_to_time.map(ExportSummary::time),
        s3_bucket: Some(input.s3_bucket.clone()),
        s3_prefix: input.s3_prefix.clone(),
        s3_sse_algorithm: input.s3_sse_algorithm.map(|algorithm| SseAlgorithm::as_str(algorithm).to_owned()),
        s3_sse_kms_key_id: input.s3_sse_kms_key_id.clone(),
        billed_size_bytes: progress.bytes,
        output_view: view.map(|view| view.as_str().to_owned()),
        export_type: is_incremental.then(|| input.export_type().as_str().to_owned()),
        ..ExportSummary::default()
    }
}

/// Reads in a transaction of its own.
fn read<T>(
    running: &Running<'_, ExportJob>,
    work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, StoreError>,
) -> Result<T, Stop> {
    running.manager.inner.store.read(work).map_err(|error| match error {
        StoreError::PastLost(table) => Stop::Failed(Failure::new(
            "PointInTimeRecoveryUnavailable",
            format!(
                "Point in time recovery of table '{table}' no longer leads back to the time of the export: it was disabled, or \
                 the recovery period has passed"
            ),
        )),
        StoreError::TableNotFound(table) => {
            Stop::Failed(Failure::new("TableNotFound", format!("Table not found: {table}")))
        }
        other => StepError::from(other).into(),
    })
}

fn unreadable(error: pdb_model::ParseError) -> Stop {
    StepError::from(StoreError::corrupt("item", error)).into()
}
