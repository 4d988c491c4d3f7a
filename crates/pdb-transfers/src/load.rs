//! Reading records and writing their items: what imports and bulk operations have in common.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pdb_exchange::{Entry, Record, RecordCondition};
use pdb_items::{BulkBatch, BulkCondition, BulkOutcome, BulkUsage, BulkWrite};
use pdb_model::{EncodedItem, Item, TableName};
use pdb_store::{Pending, Table, Tx};
use serde::{Deserialize, Serialize};

use crate::job::StoredJob;
use crate::runner::TransferManager;
use crate::running::{RunnableJob, Running, StepError, Stop};
use crate::source::{Input, Interruption, ReadBytes};

/// The most writes and bytes of a transaction. On one core it takes some milliseconds, for which other writers wait.
const CHUNK_WRITES: usize = 400;
const CHUNK_BYTES: u64 = 512 * 1024;
/// The same on a database server, where each write takes several round trips.
const REMOTE_CHUNK_WRITES: usize = 100;
/// The most writes with conditions: each may return an item of 400 KB.
const CHUNK_CONDITIONS: usize = 25;
/// The most records of a transaction, also if none of them can be written.
const CHUNK_RECORDS: usize = 4 * CHUNK_WRITES;
/// How often a job says that it goes on while it finds no records.
const STEP_INTERVAL: Duration = Duration::from_secs(1);
/// The longest reason that is kept of a record that was not written.
const MAX_REASON: usize = 1000;

/// The place of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) key: String,
    /// How many records of the object come before it.
    pub(crate) index: u64,
}

/// How far a load is. It is stored with the items.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) position: Position,
    /// The size of all objects as they are stored, as soon as they have been listed.
    pub(crate) total_bytes: Option<u64>,
    /// What was read: records, their bytes unpacked, their bytes as they are stored.
    pub(crate) read_items: u64,
    pub(crate) unpacked_bytes: u64,
    pub(crate) stored_bytes: u64,
    pub(crate) written_items: u64,
    pub(crate) errors: u64,
    pub(crate) conditions_failed: u64,
    #[serde(default)]
    pub(crate) usage: BulkUsage,
}

/// Where reading goes on: behind so many records of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The object; objects before it have been read.
    pub(crate) key: String,
    pub(crate) records: u64,
    /// What was read of the objects before it.
    pub(crate) unpacked_before: u64,
    pub(crate) stored_before: u64,
}

/// A record that was not written.
#[derive(Clone, Debug)]
pub(crate) struct Unwritten {
    pub(crate) place: Place,
    /// The item that could not be written, if the record has one.
    pub(crate) item: Option<Item>,
    /// Why it is at fault; `None` if its condition did not hold.
    pub(crate) reason: Option<String>,
    /// The item that is there, if the condition did not hold.
    pub(crate) existing: Option<EncodedItem>,
}

/// A job that loads items.
pub(crate) trait LoadJob: RunnableJob {
    /// The table.
    fn table_name(&self) -> &TableName;

    /// Its table, in a transaction. [`StepError::Failed`] if it is not there any more.
    fn table(
        manager: &TransferManager,
        tx: &mut Tx<'_>,
        job: &StoredJob<Self>,
    ) -> Result<Arc<Table>, StepError>;

    fn progress(&mut self) -> &mut Progress;

    /// Whether records may have conditions.
    const HAS_CONDITIONS: bool;

    /// The most write units a second, if they are limited.
    fn units_a_second(&self) -> Option<u64>;

    /// Keeps what is to be reported of records that were not written, in the transaction of the others.
    fn keep(tx: &mut Tx<'_>, job: &mut StoredJob<Self>, unwritten: &[Unwritten]) -> Result<(), StepError>;

    /// Called after each transaction, outside of it.
    fn between(running: &Running<'_, Self>) -> Result<(), Stop>;
}

/// Reads all that is left of the input, and writes it.
pub(crate) fn load<J: LoadJob>(running: &Running<'_, J>, input: &Input) -> Result<(), Stop> {
    let listed = input.list().map_err(Stop::Failed)?;
    let total = listed.iter().map(|object| object.size).sum();
    running
        .submit(move |_, _, job| {
            job.job.progress().total_bytes = Some(total);
            Ok(())
        })
        .wait()?;
    let mut progress = running.job.job.clone();
    let position = progress.progress().position.clone();
    let has_one_writer = running.manager.inner.store.has_one_writer();
    let mut loader = Loader {
        running,
        most_writes: if has_one_writer { CHUNK_WRITES } else { REMOTE_CHUNK_WRITES },
        has_one_writer,
        submitted: position.clone(),
        chunk: Chunk::at(position.clone()),
        in_flight: VecDeque::new(),
    };
    let objects = listed.iter().filter(|object| object.key >= position.key);
    let mut read = Ok(());
    for object in objects {
        let is_resumed = object.key == position.key;
        let skipped = if is_resumed { position.records } else { 0 };
        read = loader.object(input, &object.key, object.size, skipped);
        if read.is_err() {
            break;
        }
    }
    // What was read counts, also if the next object cannot be: the caller reports it when this returns.
    let written = match &read {
        Ok(()) | Err(Stop::Failed(_)) => loader.submit(),
        Err(_) => Ok(()),
    };
    let settled = loader.settle_all();
    read.and(written).and(settled)
}

struct Loader<'r, 'm, J> {
    running: &'r Running<'m, J>,
    most_writes: usize,
    /// Whether transactions are carried out in the order in which they are submitted.
    has_one_writer: bool,
    /// Where the chunk begins that is being filled.
    submitted: Position,
    chunk: Chunk,
    in_flight: VecDeque<InFlight>,
}

struct InFlight {
    outcome: Pending<Result<(), StepError>>,
    units: u64,
}

/// The records that are to be written in one transaction.
#[derive(Default)]
struct Chunk {
    places: Vec<Place>,
    writes: Vec<BulkWrite>,
    bytes: u64,
    conditions: usize,
    /// Records that cannot be written at all.
    faults: Vec<Unwritten>,
    records: u64,
    /// What was read of the object in which the chunk ends.
    read: ReadBytes,
    end: Position,
}

impl Chunk {
    fn at(end: Position) -> Self {
        Self { end, ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.faults.is_empty()
    }
}

impl<J: LoadJob> Loader<'_, '_, J> {
    /// Reads an object from the record behind the `skipped` first ones.
    fn object(&mut self, input: &Input, key: &str, size: u64, skipped: u64) -> Result<(), Stop> {
        let end = &mut self.chunk.end;
        if end.key != key {
            (end.key, end.records) = (key.to_owned(), 0);
        }
        let stopped = RefCell::new(None);
        let running = self.running;
        let mut last_step = Instant::now();
        let mut pulse = || match still_wanted(running, &mut last_step) {
            Ok(()) => Ok(()),
            Err(stop) => {
                *stopped.borrow_mut() = Some(stop);
                Err(io::Error::other("the job does not go on"))
            }
        };
        let read = input.read(key, &mut pulse, &mut |entry, read| {
            if entry.ordinal < skipped {
                return ControlFlow::Continue(());
            }
            self.take(key, entry, read);
            match self.submit_if_full() {
                Ok(()) => ControlFlow::Continue(()),
                Err(stop) => {
                    *stopped.borrow_mut() = Some(stop);
                    ControlFlow::Break(())
                }
            }
        });
        if let Some(stop) = stopped.into_inner() {
            return Err(stop);
        }
        let read = match read {
            Ok(read) => read,
            Err(Interruption::Store(failure)) => return Err(Stop::Failed(failure)),
            Err(Interruption::Content { reason }) => {
                let place = Place { key: key.to_owned(), index: self.chunk.end.records };
                self.chunk.faults.push(fault(place, None, reason));
                // What cannot be processed counts as processed, too, so that the numbers of a description add up.
                self.chunk.records += 1;
                ReadBytes { stored: size, unpacked: self.chunk.read.unpacked }
            }
        };
        let end = &mut self.chunk.end;
        // The object has been read: what follows it in byte order is the next one.
        end.key.push('\0');
        end.records = 0;
        end.unpacked_before += read.unpacked;
        end.stored_before += read.stored;
        self.chunk.read = ReadBytes::default();
        if self.running.is_stopped() { Err(Stop::Closed) } else { Ok(()) }
    }

    fn take(&mut self, key: &str, entry: Entry, read: ReadBytes) {
        let place = Place { key: key.to_owned(), index: entry.ordinal };
        let chunk = &mut self.chunk;
        chunk.records += 1;
        chunk.end.records = entry.ordinal + 1;
        chunk.read = read;
        let (item, condition) = match entry.record {
            Ok(Record::Item { item, condition }) => (item, condition),
            Ok(Record::Change { .. }) => {
                let reason = "the record is a change, as in an incremental export, and no item";
                return chunk.faults.push(fault(place, None, reason.to_owned()));
            }
            Err(error) => return chunk.faults.push(fault(place, None, with_line(entry.line, &error.reason))),
        };
        if condition.is_some() && !J::HAS_CONDITIONS {
            let reason = "a record of an import has no condition";
            return chunk.faults.push(fault(place, None, reason.to_owned()));
        }
        chunk.conditions += usize::from(condition.is_some());
        chunk.bytes += condition.as_deref().map_or(0, condition_bytes);
        let write =
            BulkWrite { condition: condition.map(|condition| of_record(*condition)), ..BulkWrite::put(item) };
        chunk.bytes += write.size_bytes();
        chunk.places.push(place);
        chunk.writes.push(write);
    }

    fn submit_if_full(&mut self) -> Result<(), Stop> {
        let chunk = &self.chunk;
        let is_full = chunk.writes.len() >= self.most_writes
            || chunk.bytes >= CHUNK_BYTES
            || chunk.conditions >= CHUNK_CONDITIONS
            || chunk.records as usize >= CHUNK_RECORDS;
        if is_full { self.submit() } else { Ok(()) }
    }

    /// Writes the chunk. On SQLite, it is written while the next one is read. On a server, transactions of one process may overtake each other.
    fn submit(&mut self) -> Result<(), Stop> {
        if self.running.is_stopped() {
            return Err(Stop::Closed);
        }
        let end = self.chunk.end.clone();
        if self.chunk.is_empty() && end == self.submitted {
            return Ok(());
        }
        let is_alone = !self.has_one_writer || self.running.job.job.units_a_second().is_some();
        while self.in_flight.len() >= if is_alone { 1 } else { 2 } {
            self.settle()?;
        }
        let chunk = std::mem::replace(&mut self.chunk, Chunk::at(end.clone()));
        let units = chunk.writes.iter().map(|write| write.size_bytes().div_ceil(1024).max(1)).sum();
        let step = Step {
            begin: std::mem::replace(&mut self.submitted, end),
            batch: BulkBatch::new(self.running.job.job.table_name(), &chunk.writes),
            chunk,
        };
        let mut outcome = self.running.submit(move |manager, tx, job| step.carry_out(manager, tx, job));
        outcome.begin();
        self.in_flight.push_back(InFlight { outcome, units });
        if is_alone { self.settle() } else { Ok(()) }
    }

    /// Waits for all transactions. Returns why one of them was not carried out, if one was not.
    fn settle_all(&mut self) -> Result<(), Stop> {
        let mut settled = Ok(());
        while !self.in_flight.is_empty() {
            settled = settled.and(self.settle());
        }
        settled
    }

    /// Waits for the oldest transaction, and for the next second if writes are limited.
    fn settle(&mut self) -> Result<(), Stop> {
        let Some(InFlight { outcome, units }) = self.in_flight.pop_front() else { return Ok(()) };
        outcome.wait()?;
        if let Some(limit) = self.running.job.job.units_a_second()
            && self.running.manager.inner.queue.pause(Duration::from_secs_f64(units as f64 / limit as f64))
        {
            return Err(Stop::Closed);
        }
        J::between(self.running)
    }
}

/// A transaction of a load.
struct Step {
    begin: Position,
    batch: BulkBatch,
    chunk: Chunk,
}

impl Step {
    fn carry_out<J: LoadJob>(
        &self,
        manager: &TransferManager,
        tx: &mut Tx<'_>,
        job: &mut StoredJob<J>,
    ) -> Result<(), StepError> {
        let Self { begin, batch, chunk } = self;
        if job.job.progress().position != *begin {
            return Err(StepError::Gone);
        }
        let table = J::table(manager, tx, job)?;
        let mut usage = BulkUsage::default();
        let outcomes = batch.carry_out(&manager.inner.env, tx, &table, Some(&mut usage))?;
        let mut unwritten = chunk.faults.clone();
        let (mut written, mut conditions_failed) = (0, 0);
        for ((place, write), outcome) in chunk.places.iter().zip(&chunk.writes).zip(outcomes) {
            let item = || match &write.change {
                pdb_items::BulkChange::Put(item) | pdb_items::BulkChange::Delete(item) => Some(item.clone()),
            };
            match outcome {
                BulkOutcome::Written => written += 1,
                BulkOutcome::Refused(reason) => unwritten.push(fault(place.clone(), item(), reason)),
                BulkOutcome::ConditionFailed(existing) => {
                    conditions_failed += 1;
                    unwritten.push(Unwritten { place: place.clone(), item: item(), reason: None, existing });
                }
            }
        }
        unwritten.sort_by(|one, other| {
            (&one.place.key, one.place.index).cmp(&(&other.place.key, other.place.index))
        });
        let progress = job.job.progress();
        progress.position.clone_from(&chunk.end);
        progress.read_items += chunk.records;
        progress.unpacked_bytes = chunk.end.unpacked_before + chunk.read.unpacked;
        progress.stored_bytes = chunk.end.stored_before + chunk.read.stored;
        progress.written_items += written;
        progress.conditions_failed += conditions_failed;
        progress.errors += unwritten.iter().filter(|unwritten| unwritten.reason.is_some()).count() as u64;
        progress.usage.add(&usage);
        if unwritten.is_empty() { Ok(()) } else { J::keep(tx, job, &unwritten) }
    }
}

/// Notes about once a second that the job goes on, which also shows whether it has been cancelled.
fn still_wanted<J: LoadJob>(running: &Running<'_, J>, last_step: &mut Instant) -> Result<(), Stop> {
    if running.is_stopped() {
        return Err(Stop::Closed);
    }
    if last_step.elapsed() >= STEP_INTERVAL {
        running.submit(|_, _, _| Ok(())).wait()?;
        *last_step = Instant::now();
    }
    Ok(())
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
