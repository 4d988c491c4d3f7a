//! A batch of records, and the transactions in which it is written.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use pdb_exchange::{Entry, Record, RecordCondition};
use pdb_items::{BulkBatch, BulkCondition, BulkOutcome, BulkUsage, BulkWrite, EncodedPut, PlannedBulkWrite};
use pdb_model::{Item, KeyBytes, TableName};
use pdb_store::{Table, Tx};
use serde::{Deserialize, Serialize};

use super::{LoadJob, Place, Position, Progress, Unwritten};
use crate::import::KEPT_EVENTS;
use crate::job::StoredJob;
use crate::runner::TransferManager;
use crate::running::StepError;
use crate::source::ReadBytes;

/// The most writes and bytes of a transaction. On one core it takes some milliseconds, for which other writers wait.
const STEP_WRITES: usize = 400;
const STEP_BYTES: u64 = 512 * 1024;
/// The same on a database server, where each write takes several round trips.
const REMOTE_STEP_WRITES: usize = 100;
/// The most writes with conditions: each may return an item of 400 KB.
const STEP_CONDITIONS: usize = 25;
/// The most records of a transaction, also if none of them can be written.
const STEP_RECORDS: u64 = 4 * STEP_WRITES as u64;
/// The most records and bytes of a batch that is put in order. The more there are, the more of them lie on one page; and they are in memory.
const ORDERED_RECORDS: u64 = 16_000;
const ORDERED_BYTES: u64 = 16 * 1024 * 1024;
/// The longest time for which records are gathered: what was read then does not have to be read again after an interruption.
const ORDERED_TIME: Duration = Duration::from_secs(1);
/// The longest reason that is kept of a record that was not written.
const MAX_REASON: usize = 1000;

/// How much a batch and a transaction have at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    step_writes: usize,
    is_ordered: bool,
}

impl Limits {
    pub(super) fn new(has_one_writer: bool, is_ordered: bool) -> Self {
        Self { step_writes: if has_one_writer { STEP_WRITES } else { REMOTE_STEP_WRITES }, is_ordered }
    }

    pub(super) fn is_full(self, batch: &Batch) -> bool {
        if self.is_ordered {
            return batch.records >= ORDERED_RECORDS
                || batch.bytes >= ORDERED_BYTES
                || batch.begun.elapsed() >= ORDERED_TIME;
        }
        batch.writes.len() >= self.step_writes
            || batch.bytes >= STEP_BYTES
            || batch.conditions >= STEP_CONDITIONS
            || batch.records >= STEP_RECORDS
    }

    /// Returns whether about as much as a transaction has was read since the last time, and begins to count anew if so.
    pub(super) fn take_due_step(self, batch: &mut Batch) -> bool {
        let (records, bytes) = batch.at_last_step;
        let is_due = batch.records - records >= self.step_writes as u64 || batch.bytes - bytes >= STEP_BYTES;
        if is_due {
            batch.at_last_step = (batch.records, batch.bytes);
        }
        is_due
    }
}

/// What records are written to.
pub(super) struct Target<'t> {
    pub(super) table_name: &'t TableName,
    /// The table, if writes are put in the order of its keys.
    pub(super) ordered: Option<&'t Table>,
    /// Whether records may have conditions.
    pub(super) has_conditions: bool,
}

/// A record that is to be written.
struct Write {
    place: Place,
    planned: PlannedBulkWrite,
    size_bytes: u64,
    /// The key, if writes are put in the order of their keys.
    key: Option<KeyBytes>,
}

/// What was read between two positions.
pub(super) struct Batch {
    writes: Vec<Write>,
    bytes: u64,
    conditions: usize,
    /// Records that cannot be written at all.
    faults: Vec<Unwritten>,
    records: u64,
    /// What was read of the object in which the batch ends.
    pub(super) read: ReadBytes,
    pub(super) end: Position,
    begun: Instant,
    /// How many records and bytes there were when a transaction of the batch before was due.
    at_last_step: (u64, u64),
}

impl Batch {
    /// Returns an empty batch.
    pub(super) fn at(end: Position) -> Self {
        Self {
            writes: Vec::new(),
            bytes: 0,
            conditions: 0,
            faults: Vec::new(),
            records: 0,
            read: ReadBytes::default(),
            end,
            begun: Instant::now(),
            at_last_step: (0, 0),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.faults.is_empty()
    }

    /// Adds a record.
    pub(super) fn take(&mut self, key: &str, entry: Entry, read: ReadBytes, target: &Target<'_>) {
        let place = Place { key: key.to_owned(), index: entry.ordinal };
        self.records += 1;
        self.end.records = entry.ordinal + 1;
        self.read = read;
        if let Err(reason) = self.try_to_take(&place, entry, target) {
            // Faults alone must not fill the memory, either.
            self.bytes += (place.key.len() + reason.len()) as u64;
            self.faults.push(fault(place, None, reason));
        }
    }

    /// Adds a write, or returns why the record is at fault.
    fn try_to_take(&mut self, place: &Place, entry: Entry, target: &Target<'_>) -> Result<(), String> {
        let line = entry.line;
        let record = entry.record.map_err(|error| with_line(line, &error.reason))?;
        let Record::Item { item, condition } = record else {
            return Err("the record is a change, as in an incremental export, and no item".to_owned());
        };
        if condition.is_some() && !target.has_conditions {
            return Err("a record of an import has no condition".to_owned());
        }
        let size_bytes = item.size_bytes();
        let (planned, key) = match target.ordered {
            Some(table) => {
                let put = PlannedBulkWrite::encoded_put(&table.definition, item);
                let put = put.map_err(|reason| with_line(line, &reason))?;
                let EncodedPut { key, kept_bytes, planned } = put;
                self.bytes += kept_bytes;
                (planned, Some(key))
            }
            None => {
                self.conditions += usize::from(condition.is_some());
                self.bytes += size_bytes + condition.as_deref().map_or(0, condition_bytes);
                let condition = condition.map(|condition| of_record(*condition));
                let write = BulkWrite { condition, ..BulkWrite::put(item) };
                (PlannedBulkWrite::new(target.table_name, write), None)
            }
        };
        self.writes.push(Write { place: place.clone(), planned, size_bytes, key });
        Ok(())
    }

    /// Notes that the rest of an object cannot be read. It counts as a record, so that the numbers of a description add up.
    pub(super) fn break_off(&mut self, key: &str, reason: String) {
        let place = Place { key: key.to_owned(), index: self.end.records };
        self.faults.push(fault(place, None, reason));
        self.records += 1;
    }

    /// Returns the transactions in which the batch is written: one, or several in the order of the table's keys.
    pub(super) fn into_steps(
        mut self,
        begin: &Position,
        attempt: u64,
        table_name: &TableName,
        limits: Limits,
    ) -> VecDeque<Step> {
        let mut writes = mem::take(&mut self.writes);
        let parts = if limits.is_ordered {
            // Writes with the same key keep their order.
            writes.sort_by(|one, other| one.key.cmp(&other.key));
            parts(writes, limits.step_writes)
        } else {
            vec![writes]
        };
        let count = parts.len();
        let mut last = Some(self);
        let step = |(index, writes): (usize, Vec<Write>)| {
            let units = writes.iter().map(|write| write.size_bytes.div_ceil(1024).max(1)).sum();
            let (places, planned) = writes.into_iter().map(|write| (write.place, write.planned)).unzip();
            Step {
                begin: begin.clone(),
                attempt,
                index: index as u64,
                units,
                batch: BulkBatch::new(table_name, planned),
                places,
                last: last.take_if(|_| index + 1 == count),
            }
        };
        parts.into_iter().enumerate().map(step).collect()
    }
}

/// Cuts writes into what a transaction may have. There is at least one part.
fn parts(writes: Vec<Write>, most_writes: usize) -> Vec<Vec<Write>> {
    let (mut parts, mut bytes) = (vec![Vec::new()], 0);
    for write in writes {
        if parts.last().is_some_and(|part| part.len() >= most_writes) || bytes >= STEP_BYTES {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += write.size_bytes;
        if let Some(part) = parts.last_mut() {
            part.push(write);
        }
    }
    parts
}

/// What the transactions of a batch have done that come before its last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Partial {
    /// The attempt that they belong to.
    attempt: u64,
    /// How many transactions.
    steps: u64,
    items: u64,
    written: u64,
    conditions_failed: u64,
    errors: u64,
    usage: BulkUsage,
    /// The first records that were refused, by their places.
    refused: Vec<(Place, String)>,
}

/// A transaction of a batch.
pub(super) struct Step {
    /// Where the batch begins.
    begin: Position,
    /// Which attempt to carry the job out this is: another one may cut its batches elsewhere.
    attempt: u64,
    /// How many transactions of the batch come before this one.
    index: u64,
    /// The write units of the writes.
    pub(super) units: u64,
    places: Vec<Place>,
    batch: BulkBatch,
    /// The rest of the batch, if this is its last transaction.
    last: Option<Batch>,
}

impl Step {
    pub(super) fn carry_out<J: LoadJob>(
        &self,
        manager: &TransferManager,
        tx: &mut Tx<'_>,
        job: &mut StoredJob<J>,
    ) -> Result<(), StepError> {
        let mut done = self.done_before(job.job.progress()).ok_or(StepError::Gone)?;
        let table = J::table(manager, tx, job)?;
        let outcomes = self.batch.carry_out(&manager.inner.env, tx, &table, Some(&mut done.usage))?;
        let mut unwritten = Vec::new();
        for ((place, item), outcome) in self.places.iter().zip(self.batch.items()).zip(outcomes) {
            let item = || Some(item.clone());
            match outcome {
                BulkOutcome::Written => done.written += 1,
                BulkOutcome::Refused(reason) => {
                    done.errors += 1;
                    unwritten.push(fault(place.clone(), item(), reason));
                }
                BulkOutcome::ConditionFailed(existing) => {
                    done.conditions_failed += 1;
                    unwritten.push(Unwritten { place: place.clone(), item: item(), reason: None, existing });
                }
            }
        }
        done.steps += 1;
        done.items += self.places.len() as u64;
        if self.last.is_some() {
            job.idle_claims = 0;
        }
        let progress = job.job.progress();
        match &self.last {
            Some(batch) => {
                unwritten.extend(done.take_refused());
                unwritten.extend(batch.faults.iter().cloned());
                unwritten.sort_by(|one, other| by_place(&one.place, &other.place));
                done.errors += batch.faults.len() as u64;
                done.items = batch.records;
                progress.add(done);
                progress.position.clone_from(&batch.end);
                progress.unpacked_bytes = batch.end.unpacked_before + batch.read.unpacked;
                progress.stored_bytes = batch.end.stored_before + batch.read.stored;
                if unwritten.is_empty() { Ok(()) } else { J::keep(tx, job, &unwritten) }
            }
            None => {
                done.keep_refused(unwritten);
                progress.partial = Some(done);
                Ok(())
            }
        }
    }

    /// Returns what the transactions before this one have done, or `None` if it is not this one's turn.
    fn done_before(&self, progress: &Progress) -> Option<Partial> {
        if progress.position != self.begin {
            return None;
        }
        if self.index == 0 {
            // It begins the batch again, if that was interrupted.
            return Some(Partial { attempt: self.attempt, ..Partial::default() });
        }
        let is_next = |done: &Partial| (done.attempt, done.steps) == (self.attempt, self.index);
        progress.partial.clone().filter(is_next)
    }
}

impl Partial {
    fn keep_refused(&mut self, unwritten: Vec<Unwritten>) {
        self.refused.extend(
            unwritten.into_iter().map(|unwritten| (unwritten.place, unwritten.reason.unwrap_or_default())),
        );
        self.refused.sort_by(|(one, _), (other, _)| by_place(one, other));
        // No more of them are shown.
        self.refused.truncate(KEPT_EVENTS);
    }

    fn take_refused(&mut self) -> impl Iterator<Item = Unwritten> + use<> {
        mem::take(&mut self.refused).into_iter().map(|(place, reason)| fault(place, None, reason))
    }
}

impl Progress {
    /// Counts what was done.
    fn add(&mut self, done: Partial) {
        self.read_items += done.items;
        self.written_items += done.written;
        self.conditions_failed += done.conditions_failed;
        self.errors += done.errors;
        self.usage.add(&done.usage);
        self.partial = None;
    }

    /// Counts what was written of a batch that is not written to its end. Returns what was refused of it.
    pub(crate) fn end_early(&mut self) -> Vec<Unwritten> {
        let Some(mut done) = self.partial.take() else { return Vec::new() };
        let refused = done.take_refused().collect();
        self.add(done);
        refused
    }
}

fn by_place(one: &Place, other: &Place) -> std::cmp::Ordering {
    (&one.key, one.index).cmp(&(&other.key, other.index))
}

/// Returns what is wrong with a record, with its line, if it has one. A parser that is given one line calls it the first.
fn with_line(line: Option<u64>, reason: &str) -> String {
    let reason = reason.replace(" at line 1 column ", " at column ");
    line.map_or(reason.clone(), |line| format!("line {line}: {reason}"))
}

/// What a condition takes besides its item, in bytes.
fn condition_bytes(condition: &RecordCondition) -> u64 {
    let names: usize = condition.names.iter().map(|(name, attribute)| name.len() + attribute.len()).sum();
    let values: u64 =
        condition.values.iter().map(|(name, value)| name.len() as u64 + value.size_bytes()).sum();
    (condition.expression.len() + names) as u64 + values
}

fn fault(place: Place, item: Option<Item>, mut reason: String) -> Unwritten {
    if reason.len() > MAX_REASON {
        reason.truncate((0..=MAX_REASON).rev().find(|at| reason.is_char_boundary(*at)).unwrap_or(0));
    }
    Unwritten { place, item, reason: Some(reason), existing: None }
}

fn of_record(condition: RecordCondition) -> BulkCondition {
    let RecordCondition { expression, names, values } = condition;
    BulkCondition { expression, names, values }
}
