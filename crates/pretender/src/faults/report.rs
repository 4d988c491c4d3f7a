//! What was injected where.

use pdb_model::{EpochMillis, Operation, TableName};

use super::FaultId;
use super::fault::{Fault, FaultKind};

/// A fault that was added, and what became of it so far.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultState {
    /// The id, by which it can be removed.
    pub id: FaultId,
    /// The fault.
    pub fault: Fault,
    /// Calls that it was meant for by operation and table, those skipped included; not counted any more once it is over.
    pub matched: u64,
    /// How often it was injected.
    pub injected: u64,
    /// It was injected as often as it may be.
    pub is_over: bool,
}

/// One injection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InjectedFault {
    /// When, by the clock of the database.
    pub at: EpochMillis,
    /// Of which fault.
    pub fault: FaultId,
    /// What went wrong.
    pub kind: FaultKind,
    /// The operation that was called.
    pub operation: Operation,
    /// The tables that the call named, each once, in order.
    pub tables: Vec<TableName>,
    /// The id of the request, as the client has it from `x-amzn-requestid`; absent for typed calls.
    pub request_id: Option<String>,
    /// What there is to say besides: the code of an error, the length of a delay. Often empty.
    pub detail: String,
}

/// All faults, and what they did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultReport {
    /// The faults in the order in which they were added, which is that in which they are asked.
    pub faults: Vec<FaultState>,
    /// The latest injections, oldest first; at most 1,000.
    pub injected: Vec<InjectedFault>,
    /// How many older injections are remembered no more.
    pub forgotten: u64,
}
