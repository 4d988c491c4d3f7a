//! The report of a bulk operation: what was not written, in objects of the output bucket.
//!
//! Lines wait in the database, where they come in the transactions of their items, until there are enough for an object. So none is missing after a
//! restart, and none is there twice.

use std::io::Write;

use pdb_exchange::{Compression, Packer, checksum};
use pdb_store::{StoreError, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::BulkPutJob;
use crate::error::unreadable;
use crate::failure::Failure;
use crate::input::OutputType;
use crate::job::StoredJob;
use crate::load::Unwritten;
use crate::running::{Running, StepError, Stop};

/// The kind of the store's documents with lines.
const LINES: &str = "bulk operation report";
/// So many bytes of lines make an object.
const OBJECT_BYTES: u64 = 8 * 1024 * 1024;
/// Documents that are read at a time.
const PAGE: u32 = 16;

/// How far the report of an operation is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Report {
    /// The number of the next document with lines.
    next: u64,
    /// The bytes of the lines that wait.
    waiting_bytes: u64,
    /// The objects that have been written.
    files: Vec<ReportFile>,
}

/// An object of a report: a line of `manifest-files.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReportFile {
    item_count: u64,
    md5_checksum: String,
    output_type: String,
    data_file_s3_key: String,
}

/// A line about a record that is at fault.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorLine<'a> {
    #[serde(rename = "itemS3Pointer")]
    pointer: Pointer<'a>,
    error_messages: [&'a str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pointer<'a> {
    bucket: &'a str,
    key: &'a str,
    item_index: u64,
}

/// A line about an item whose condition did not hold.
#[derive(Serialize)]
struct ConditionLine {
    #[serde(rename = "Item")]
    item: Box<RawValue>,
    #[serde(rename = "ExistingItem", skip_serializing_if = "Option::is_none")]
    existing: Option<Box<RawValue>>,
}

/// The folder and the first part of the documents' names for a type.
fn folder(output_type: OutputType) -> &'static str {
    match output_type {
        OutputType::Error => "errors",
        OutputType::ConditionCheckFailure => "condition-check-failures",
    }
}

/// Keeps lines, in the transaction of their items.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    job: &mut StoredJob<BulkPutJob>,
    unwritten: &[Unwritten],
) -> Result<(), StepError> {
    let id = job.id().to_owned();
    for output_type in job.job.input.output.output_types.clone() {
        let mut lines = String::new();
        for unwritten in unwritten {
            if let Some(line) = line(&job.job.input.source.bucket, output_type, unwritten)? {
                lines.push_str(&line);
                lines.push('\n');
            }
        }
        if lines.is_empty() {
            continue;
        }
        let report = &mut job.job.report;
        let name = format!("{id}/{}/{:012}", folder(output_type), report.next);
        tx.put_document(LINES, &name, &lines)?;
        report.next += 1;
        report.waiting_bytes += lines.len() as u64;
    }
    Ok(())
}

fn line(bucket: &str, output_type: OutputType, unwritten: &Unwritten) -> Result<Option<String>, StoreError> {
    let text = match (output_type, &unwritten.reason) {
        (OutputType::Error, Some(reason)) => {
            let place = &unwritten.place;
            let pointer = Pointer { bucket, key: &place.key, item_index: place.index };
            serde_json::to_string(&ErrorLine { pointer, error_messages: [reason] })
        }
        (OutputType::ConditionCheckFailure, None) => {
            let raw = |json: String| RawValue::from_string(json).map_err(unreadable);
            let item = raw(unwritten.item.as_ref().map(ToString::to_string).unwrap_or_default())?;
            let existing = unwritten.existing.as_ref().map(|item| raw(item.json().to_owned())).transpose()?;
            serde_json::to_string(&ConditionLine { item, existing })
        }
        (OutputType::Error, None) | (OutputType::ConditionCheckFailure, Some(_)) => return Ok(None),
    };
    text.map(Some).map_err(unreadable)
}

/// Removes the lines that wait, at the end of the job. There are some only if they could not be written.
pub(super) fn forget(tx: &mut Tx<'_>, id: &str) -> Result<(), StepError> {
    let prefix = format!("{id}/");
    loop {
        let waiting = tx.documents(LINES, Some(&prefix), PAGE)?;
        let names: Vec<_> =
            waiting.into_iter().map(|(name, _)| name).take_while(|name| name.starts_with(&prefix)).collect();
        if names.is_empty() {
            return Ok(());
        }
        for name in &names {
            tx.delete_document(LINES, name)?;
        }
    }
}

/// Writes the first object, which shows whether the bucket is there.
pub(super) fn begin(running: &Running<'_, BulkPutJob>) -> Result<(), Stop> {
    put(running, "_started", &[])
}

/// Writes objects if enough lines wait.
pub(super) fn write_if_long(running: &Running<'_, BulkPutJob>) -> Result<(), Stop> {
    let waiting = now(running)?.job.report.waiting_bytes;
    if waiting >= OBJECT_BYTES { write(running) } else { Ok(()) }
}

/// Writes what waits, and the manifests.
pub(super) fn finish(running: &Running<'_, BulkPutJob>) -> Result<(), Stop> {
    write(running)?;
    let job = now(running)?;
    let mut files = Vec::new();
    for file in &job.job.report.files {
        serde_json::to_writer(&mut files, file).map_err(|error| StepError::from(unreadable(error)))?;
        files.push(b'\n');
    }
    put(running, "manifest-files.json", &files)?;
    let (input, progress) = (&job.job.input, &job.job.progress);
    let key = format!("{}/manifest-files.json", job.job.folder(job.id()));
    let summary = json!({
        "version": "1",
        "bulkOperationArn": job.arn,
        "startTime": pdb_exchange::ExportSummary::time(job.started),
        "tableName": input.table_name.as_str(),
        "tableId": job.job.table_id,
        "s3Bucket": input.output.bucket,
        "s3Prefix": input.output.key_prefix,
        "manifestFilesS3Key": key,
        "processedItemCount": progress.read_items,
        "failedItemCount": progress.errors,
        "conditionCheckFailureCount": progress.conditions_failed,
    });
    put(running, "manifest-summary.json", summary.to_string().as_bytes())
}

fn now(running: &Running<'_, BulkPutJob>) -> Result<StoredJob<BulkPutJob>, Stop> {
    let id = running.job.id();
    let job = running.manager.inner.store.read(|tx| StoredJob::<BulkPutJob>::read(tx, id));
    job.map_err(StepError::from)?.ok_or(Stop::Gone)
}

fn put(running: &Running<'_, BulkPutJob>, name: &str, content: &[u8]) -> Result<(), Stop> {
    let job = &running.job.job;
    let key = format!("{}/{name}", job.folder(running.job.id()));
    let stored = running.manager.inner.objects.put(&job.input.output.bucket, &key, content);
    stored.map_err(|error| Stop::Failed(Failure::of_object(&error)))
}

/// Writes what waits, as one object for each type.
fn write(running: &Running<'_, BulkPutJob>) -> Result<(), Stop> {
    for output_type in running.job.job.input.output.output_types.clone() {
        write_type(running, output_type)?;
    }
    running.last_step(|_, _, job| {
        job.job.report.waiting_bytes = 0;
        Ok(())
    })
}

fn write_type(running: &Running<'_, BulkPutJob>, output_type: OutputType) -> Result<(), Stop> {
    let prefix = format!("{}/{}/", running.job.id(), folder(output_type));
    let failed = |error: std::io::Error| Stop::Failed(Failure::new("InternalError", error.to_string()));
    let mut packed = Packer::new(Vec::new(), Compression::Gzip).map_err(failed)?;
    let (mut names, mut item_count) = (Vec::<String>::new(), 0_u64);
    loop {
        let after = names.last().map_or(prefix.as_str(), String::as_str).to_owned();
        let read = running.manager.inner.store.read(|tx| tx.documents(LINES, Some(&after), PAGE));
        let documents = read.map_err(StepError::from)?;
        let of_job = documents.into_iter().take_while(|(name, _)| name.starts_with(&prefix));
        let before = names.len();
        for (name, lines) in of_job {
            packed.write_all(lines.as_bytes()).map_err(failed)?;
            item_count += lines.lines().count() as u64;
            names.push(name);
        }
        if names.len() == before {
            break;
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let content = packed.finish().map_err(failed)?;
    // After a restart the same lines make the same object.
    let number = now(running)?.job.report.files.len();
    let name = format!("{}/{number:06}.json.gz", folder(output_type));
    put(running, &name, &content)?;
    let file = ReportFile {
        item_count,
        md5_checksum: checksum(&content),
        output_type: output_type.as_str().to_owned(),
        data_file_s3_key: format!("{}/{name}", running.job.job.folder(running.job.id())),
    };
    running.last_step(move |_, tx, job| {
        for name in &names {
            tx.delete_document(LINES, name)?;
        }
        job.job.report.files.push(file.clone());
        Ok(())
    })
}
