//! Bulk loads: many writes to one table, faster than by single calls and batches.
//!
//! # Examples
//!
//! ```
//! use pretender::bulk::BulkWrite;
//! use pretender::prelude::*;
//!
//! let db = Pretender::in_memory()?;
//! let orders = TableName::new("Orders")?;
//! db.create_table(CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None))?;
//!
//! let mut load = db.bulk_load(&orders);
//! for line in 1..=1000 {
//!     load.push(line, BulkWrite::put(Item::new().with("id", format!("o{line}"))))?;
//! }
//! load.push(1001, BulkWrite::put(Item::new().with("total", 42)))?;
//! let report = load.finish()?;
//! assert_eq!((report.put, report.refused), (1000, 1));
//! let refused = load.take_refused();
//! assert_eq!(refused[0].tag, 1001);
//! assert!(refused[0].reason.contains("Missing the key id"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::VecDeque;

use pdb_items::ItemsError;
use pdb_model::{ApiError, EncodedItem, Operation, TableName};
use pdb_store::Pending;

#[doc(inline)]
pub use pdb_items::{BulkChange, BulkCondition, BulkWrite, ItemReader};

use pdb_items::BulkOutcome;

use crate::Pretender;

/// The most writes and bytes of a transaction. On one core it takes some milliseconds, for which other writers wait.
const CHUNK_WRITES: usize = 400;
const CHUNK_BYTES: u64 = 512 * 1024;
/// How many transactions are under way: one is carried out while the next one is made ready.
const IN_FLIGHT: usize = 2;
/// The same on a database server, where each write takes several round trips, and transactions run side by side.
const REMOTE_CHUNK_WRITES: usize = 100;
const REMOTE_IN_FLIGHT: usize = 4;

/// A bulk load of one table. It can be stopped at any time: what was written stays.
///
/// Writes are collected, and carried out some hundred at a time, so that other writers get their turn in between. They are ordinary
/// changes, with index entries and stream records. `T` is what the caller wants to know about a write that is refused, such as its line.
///
/// On SQLite, writes are carried out in the order in which they are pushed. On a database server, two writes with the same key may change
/// places if there are some hundred others between them.
pub struct BulkLoad<T> {
    db: Pretender,
    table: TableName,
    is_trial: bool,
    tags: Vec<T>,
    writes: Vec<BulkWrite>,
    bytes: u64,
    in_flight: VecDeque<Chunk<T>>,
    report: BulkReport,
    refused: Vec<RefusedWrite<T>>,
}

struct Chunk<T> {
    tags: Vec<T>,
    writes: Vec<BulkWrite>,
    outcome: Pending<Result<Vec<BulkOutcome>, ItemsError>>,
}

/// What a bulk load has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BulkReport {
    /// Items that were put, also if an equal one was there.
    pub put: u64,
    /// Keys whose items were deleted, also if there was none.
    pub deleted: u64,
    /// Writes whose condition did not hold.
    pub conditions_failed: u64,
    /// Writes that are not valid.
    pub refused: u64,
    /// The bytes of the items that were put.
    pub bytes: u64,
}

/// A write that had no effect.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedWrite<T> {
    /// What the caller has pushed with it.
    pub tag: T,
    /// The write.
    pub write: BulkWrite,
    /// The reason.
    pub reason: String,
    /// Whether its condition did not hold, which is no fault of the write.
    pub is_condition: bool,
    /// The item that is there, if the condition did not hold.
    pub existing: Option<EncodedItem>,
}

impl Pretender {
    /// Begins a bulk load. It asks the plan of faults for each of its transactions, as `BatchWriteItem` does.
    #[must_use]
    pub fn bulk_load<T>(&self, table: &TableName) -> BulkLoad<T> {
        BulkLoad {
            db: self.clone(),
            table: table.clone(),
            is_trial: false,
            tags: Vec::new(),
            writes: Vec::new(),
            bytes: 0,
            in_flight: VecDeque::new(),
            report: BulkReport::default(),
            refused: Vec::new(),
        }
    }

    /// Begins a trial of a bulk load: it checks all writes and reports what a bulk load would refuse, and changes nothing. Conditions are
    /// parsed, but not evaluated.
    #[must_use]
    pub fn bulk_trial<T>(&self, table: &TableName) -> BulkLoad<T> {
        BulkLoad { is_trial: true, ..self.bulk_load(table) }
    }

    /// Passes all items of a table to a function, in the order of a scan, as canonical DynamoDB JSON. With several functions, the whole table
    /// is read for one after the other. All of them see the same commit. A function that breaks off ends its own reading only.
    ///
    /// It asks the plan of faults once, as `Scan` does. Do not write to the same database in a function.
    ///
    /// # Errors
    ///
    /// [`ApiError`] if there is no such table, or the store fails.
    pub fn read_whole_table(&self, table: &TableName, passes: &mut [ItemReader<'_>]) -> Result<(), ApiError> {
        self.inject(Operation::Scan, table)?;
        self.inner.items.read_whole_table(table, passes).map_err(|error| self.api_error(error))
    }
}

impl<T> BulkLoad<T> {
    /// Adds a write. Carries out the writes that have been added if there are enough for a transaction.
    ///
    /// # Errors
    ///
    /// [`ApiError`] if a transaction fails as a whole. The earlier ones stay.
    pub fn push(&mut self, tag: T, write: BulkWrite) -> Result<(), ApiError> {
        self.bytes += write.size_bytes();
        self.tags.push(tag);
        self.writes.push(write);
        let most = if self.db.is_remote() { REMOTE_CHUNK_WRITES } else { CHUNK_WRITES };
        if self.writes.len() >= most || self.bytes >= CHUNK_BYTES { self.submit() } else { Ok(()) }
    }

    /// Carries out what has been added, and waits until everything is written.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn finish(&mut self) -> Result<BulkReport, ApiError> {
        let submitted = if self.writes.is_empty() { Ok(()) } else { self.submit() };
        while !self.in_flight.is_empty() {
            self.settle()?;
        }
        submitted.map(|()| self.report)
    }

    /// Returns what has been done so far, without the transactions that are under way.
    #[must_use]
    pub fn report(&self) -> BulkReport {
        self.report
    }

    /// Returns the writes that had no effect since the last call.
    pub fn take_refused(&mut self) -> Vec<RefusedWrite<T>> {
        std::mem::take(&mut self.refused)
    }

    fn submit(&mut self) -> Result<(), ApiError> {
        let most = if self.db.is_remote() { REMOTE_IN_FLIGHT } else { IN_FLIGHT };
        while self.in_flight.len() >= most {
            self.settle()?;
        }
        self.db.inject(Operation::BatchWriteItem, &self.table)?;
        let (tags, writes) = (std::mem::take(&mut self.tags), std::mem::take(&mut self.writes));
        self.bytes = 0;
        let mut outcome = self.db.inner.items.write_in_bulk(&self.table, &writes, self.is_trial);
        outcome.begin();
        self.in_flight.push_back(Chunk { tags, writes, outcome });
        Ok(())
    }

    /// Waits for the oldest transaction.
    fn settle(&mut self) -> Result<(), ApiError> {
        let Some(Chunk { tags, writes, outcome }) = self.in_flight.pop_front() else { return Ok(()) };
        let outcomes = outcome.wait().map_err(|error| self.db.api_error(error))?;
        for ((tag, write), outcome) in tags.into_iter().zip(writes).zip(outcomes) {
            let (reason, existing) = match outcome {
                BulkOutcome::Written => {
                    match &write.change {
                        BulkChange::Put(item) => {
                            self.report.put += 1;
                            self.report.bytes += item.size_bytes();
                        }
                        BulkChange::Delete(_) => self.report.deleted += 1,
                    }
                    continue;
                }
                BulkOutcome::Refused(reason) => {
                    self.report.refused += 1;
                    self.refused.push(RefusedWrite {
                        tag,
                        write,
                        reason,
                        is_condition: false,
                        existing: None,
                    });
                    continue;
                }
                BulkOutcome::ConditionFailed(existing) => {
                    self.report.conditions_failed += 1;
                    ("The conditional request failed".to_owned(), existing)
                }
            };
            self.refused.push(RefusedWrite { tag, write, reason, is_condition: true, existing });
        }
        Ok(())
    }
}

impl<T> std::fmt::Debug for BulkLoad<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkLoad")
            .field("table", &self.table)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}
