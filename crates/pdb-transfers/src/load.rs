//! Reading records and writing their items: what imports and bulk operations have in common.
//!
//! What is read between two positions of the input is a [`Batch`]. It is written in one transaction with the new position. Nobody sees the items of
//! an import before its end, so it has larger batches, and writes them in the order of their keys: neighbours share the pages of the database
//! that change. Such a batch takes several transactions of the usual size, and the last one has the new position. After an interruption, the whole batch
//! is written again, which changes nothing, as it replaces each item by itself.

mod batch;

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pdb_items::BulkUsage;
use pdb_model::{EncodedItem, Item, TableName};
use pdb_objects::Object;
use pdb_store::{Pending, StoreError, Table, Tx};
use serde::{Deserialize, Serialize};

use crate::job::StoredJob;
use crate::runner::TransferManager;
use crate::running::{RunnableJob, Running, StepError, Stop};
use crate::source::{Input, Interruption, ReadBytes};
use batch::{Batch, Limits, Partial, Step, Target};

/// How often a job says that it goes on while it finds no records.
const STEP_INTERVAL: Duration = Duration::from_secs(1);

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
    /// What was written of the records behind the position, which do not count yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) partial: Option<Partial>,
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

    /// Whether items are written in the order of their keys. It must not matter in which order, nor whether some of them are written twice: nobody sees
    /// them before the end, and the table has no stream.
    const IS_IN_KEY_ORDER: bool;

    /// The most write units a second, if they are limited.
    fn units_a_second(&self) -> Option<u64>;

    /// Keeps what is to be reported of records that were not written, in the transaction of the others.
    fn keep(tx: &mut Tx<'_>, job: &mut StoredJob<Self>, unwritten: &[Unwritten]) -> Result<(), StepError>;

    /// Called after each transaction, outside of it.
    fn between(running: &Running<'_, Self>) -> Result<(), Stop>;
}

/// Reads all that is left of the input, and writes it.
pub(crate) fn load<J: LoadJob>(running: &Running<'_, J>, input: &Input) -> Result<(), Stop> {
    let listed = list(running, input)?;
    let total = listed.iter().map(|object| object.size).sum();
    running
        .submit(move |_, _, job| {
            job.job.progress().total_bytes = Some(total);
            Ok(())
        })
        .wait()?;
    let mut job = running.job.job.clone();
    let position = job.progress().position.clone();
    let has_one_writer = running.manager.inner.store.has_one_writer();
    let ordered = if J::IS_IN_KEY_ORDER { table_of(running)? } else { None };
    let mut loader = Loader {
        running,
        limits: Limits::new(has_one_writer, ordered.is_some()),
        ordered,
        attempt: running.manager.inner.env.ids.next_id() as u64,
        has_one_writer,
        submitted: position.clone(),
        batch: Batch::at(position.clone()),
        waiting: VecDeque::new(),
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
        Ok(()) | Err(Stop::Failed(_)) => loader.submit_all(),
        Err(_) => Ok(()),
    };
    let settled = loader.settle_all();
    read.and(written).and(settled)
}

/// Lists the objects.
fn list<J: LoadJob>(running: &Running<'_, J>, input: &Input) -> Result<Vec<Object>, Stop> {
    // Another process takes the job over if this one makes no step for too long.
    let mut last_step = Instant::now().checked_sub(STEP_INTERVAL).unwrap_or_else(Instant::now);
    let mut stopped = None;
    let mut pulse = || match still_wanted(running, &mut last_step) {
        Ok(()) => ControlFlow::Continue(()),
        Err(stop) => {
            stopped = Some(stop);
            ControlFlow::Break(())
        }
    };
    let listed = input.list(&mut pulse).map_err(Stop::Failed);
    stopped.map_or(listed, Err)
}

/// Returns the job's table, if it is there.
fn table_of<J: LoadJob>(running: &Running<'_, J>) -> Result<Option<Arc<Table>>, Stop> {
    let name = running.job.job.table_name();
    let table = running.manager.inner.store.read(|tx| Ok(tx.find_table(name)));
    table.map_err(|error: StoreError| StepError::from(error).into())
}

struct Loader<'r, 'm, J> {
    running: &'r Running<'m, J>,
    limits: Limits,
    /// The table, if items are written in the order of its keys.
    ordered: Option<Arc<Table>>,
    /// Tells this attempt from others to carry the job out.
    attempt: u64,
    /// Whether transactions are carried out in the order in which they are submitted.
    has_one_writer: bool,
    /// Where the batch begins that is being filled.
    submitted: Position,
    batch: Batch,
    /// Transactions of the batch before it that are still to be submitted.
    waiting: VecDeque<Step>,
    in_flight: VecDeque<InFlight>,
}

struct InFlight {
    outcome: Pending<Result<(), StepError>>,
    /// Kept so that its memory is released in this thread: the one that writes has more to do.
    step: Arc<Step>,
}

impl<J: LoadJob> Loader<'_, '_, J> {
    /// Reads an object from the record behind the `skipped` first ones.
    fn object(&mut self, input: &Input, key: &str, size: u64, skipped: u64) -> Result<(), Stop> {
        let end = &mut self.batch.end;
        if end.key != key {
            (end.key, end.records) = (key.to_owned(), 0);
        }
        let stopped = Mutex::new(None);
        let running = self.running;
        let mut last_step = Instant::now();
        let mut pulse = || match still_wanted(running, &mut last_step) {
            Ok(()) => Ok(()),
            Err(stop) => {
                *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
                Err(io::Error::other("the job does not go on"))
            }
        };
        let read = input.read(key, &mut pulse, &mut |entry, read| {
            if entry.ordinal < skipped {
                return ControlFlow::Continue(());
            }
            let target = Target {
                table_name: running.job.job.table_name(),
                ordered: self.ordered.as_deref(),
                has_conditions: J::HAS_CONDITIONS,
            };
            self.batch.take(key, entry, read, &target);
            match self.submit_what_is_due() {
                Ok(()) => ControlFlow::Continue(()),
                Err(stop) => {
                    *stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
                    ControlFlow::Break(())
                }
            }
        });
        if let Some(stop) = stopped.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(stop);
        }
        let read = match read {
            Ok(read) => read,
            Err(Interruption::Store(failure)) => return Err(Stop::Failed(failure)),
            Err(Interruption::Content { reason, read }) => {
                self.batch.break_off(key, reason);
                ReadBytes { stored: size, ..read }
            }
        };
        let end = &mut self.batch.end;
        // The object has been read: what follows it in byte order is the next one.
        end.key.push('\0');
        end.records = 0;
        end.unpacked_before += read.unpacked;
        end.stored_before += read.stored;
        self.batch.read = ReadBytes::default();
        if self.running.is_stopped() { Err(Stop::Closed) } else { Ok(()) }
    }

    /// Submits the batch if it is full. Until then, it submits a transaction of the batch before for about as much as was read, so that reading and
    /// writing go on side by side.
    fn submit_what_is_due(&mut self) -> Result<(), Stop> {
        if self.limits.is_full(&self.batch) {
            self.submit()
        } else if self.limits.take_due_step(&mut self.batch) {
            self.submit_step()
        } else {
            Ok(())
        }
    }

    /// Submits what is left of the batch before, and the first transaction of this one.
    fn submit(&mut self) -> Result<(), Stop> {
        self.submit_waiting()?;
        let end = self.batch.end.clone();
        if self.batch.is_empty() && end == self.submitted {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, Batch::at(end.clone()));
        let begin = std::mem::replace(&mut self.submitted, end);
        let table = self.running.job.job.table_name();
        self.waiting = batch.into_steps(&begin, self.attempt, table, self.limits);
        self.submit_step()
    }

    fn submit_all(&mut self) -> Result<(), Stop> {
        self.submit()?;
        self.submit_waiting()
    }

    fn submit_waiting(&mut self) -> Result<(), Stop> {
        while !self.waiting.is_empty() {
            self.submit_step()?;
        }
        Ok(())
    }

    /// Submits the next transaction, when those before it have been carried out but for one. On SQLite, it is carried out while the next records
    /// are read. On a server, transactions of one process may overtake each other.
    fn submit_step(&mut self) -> Result<(), Stop> {
        if self.running.is_stopped() {
            return Err(Stop::Closed);
        }
        let is_alone = !self.has_one_writer || self.running.job.job.units_a_second().is_some();
        while self.in_flight.len() >= if is_alone { 1 } else { 2 } {
            self.settle()?;
        }
        let Some(step) = self.waiting.pop_front() else { return Ok(()) };
        let step = Arc::new(step);
        let submitted = step.clone();
        let mut outcome = self.running.submit(move |manager, tx, job| submitted.carry_out(manager, tx, job));
        outcome.begin();
        self.in_flight.push_back(InFlight { outcome, step });
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
        let Some(InFlight { outcome, step }) = self.in_flight.pop_front() else { return Ok(()) };
        outcome.wait()?;
        if let Some(limit) = self.running.job.job.units_a_second()
            && self
                .running
                .manager
                .inner
                .queue
                .pause(Duration::from_secs_f64(step.units as f64 / limit as f64))
        {
            return Err(Stop::Closed);
        }
        J::between(self.running)
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
