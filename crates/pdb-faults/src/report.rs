//! The report: which faults there are, and what was injected where.

use pdb_model::{EpochMillis, Operation, TableName};

use super::FaultId;
use super::fault::{Fault, FaultKind};

/// A fault that was added, and what it has done so far.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultState {
    /// The id with which it can be removed.
    pub id: FaultId,
    /// The fault.
    pub fault: Fault,
    /// Calls that matched its operations and table, including those skipped. Calls after it is over are not counted.
    pub matched: u64,
    /// How often it was injected.
    pub injected: u64,
    /// Whether it was injected as often as it may be.
    pub is_over: bool,
}

/// One injection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InjectedFault {
    /// When, by the clock of the database.
    pub at: EpochMillis,
    /// The fault that was injected.
    pub fault: FaultId,
    /// What went wrong.
    pub kind: FaultKind,
    /// The operation that was called.
    pub operation: Operation,
    /// The tables that the call named, each once, sorted by name.
    pub tables: Vec<TableName>,
    /// The id of the request, which the client gets as `x-amzn-requestid`; absent for typed calls.
    pub request_id: Option<String>,
    /// The code of the error or the length of the delay; empty for other kinds.
    pub detail: String,
}

/// All faults and their injections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultReport {
    /// The faults in the order in which they were added, which is the order in which they are asked.
    pub faults: Vec<FaultState>,
    /// The latest injections, oldest first; at most 1,000.
    pub injected: Vec<InjectedFault>,
    /// How many older injections are no longer listed.
    pub forgotten: u64,
}
