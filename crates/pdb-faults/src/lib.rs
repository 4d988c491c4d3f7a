#![doc = include_str!("../README.md")]

mod delay;
mod fault;
mod injection;
mod plan;
mod random;
mod report;
mod target;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pdb_model::{Clock, Operation, TableName};

pub use delay::{wait, wait_async};
pub use fault::{Fault, FaultError, FaultKind};
pub use injection::{ConnectionDrop, Injection, Unprocessed};
pub use report::{FaultReport, FaultState, InjectedFault};
pub use target::{FaultTarget, OperationGroup, ParseTargetError};

use plan::Plan;

/// The number that identifies a fault. Numbers are not reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub u64);

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a plan of faults needs to know of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The operation that is called.
    pub operation: Operation,
    /// The tables that the call names. A batch or a transaction has one entry for each item or action, in order.
    pub tables: Vec<TableName>,
    /// The id that the answer will carry, if the call came as a request.
    pub request_id: Option<String>,
    /// Whether there is a connection that can be dropped.
    pub has_connection: bool,
}

impl Call {
    /// Returns a typed call: it has no request id and no connection.
    #[must_use]
    pub fn new(operation: Operation, tables: Vec<TableName>) -> Self {
        Self { operation, tables, request_id: None, has_connection: false }
    }
}

/// The faults of one database. The user adds and removes them, and calls are affected by them. Cheap to clone; all clones
/// share one plan.
///
/// Without faults a call costs one relaxed read.
#[derive(Clone, Debug)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Whether any fault may still be injected. The flag guards nothing that is read after it, so a relaxed read is enough.
    is_armed: AtomicBool,
    plan: Mutex<Plan>,
    clock: Arc<dyn Clock>,
}

impl Faults {
    /// Returns an empty plan. `clock` gives the times in the report.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (is_armed, plan) = (AtomicBool::new(false), Mutex::default());
        Self { shared: Arc::new(Shared { is_armed, plan, clock }) }
    }

    /// Adds a fault behind those that are there. If several faults apply to a call, only the first added is injected; delays
    /// are injected besides, and add up.
    ///
    /// # Errors
    ///
    /// [`FaultError`] if the fault does not apply to an operation or group that it names, or contradicts itself.
    pub fn add(&self, fault: Fault) -> Result<FaultId, FaultError> {
        let operations = fault.checked()?;
        Ok(self.change(|plan| plan.add(fault, operations)))
    }

    /// Removes a fault; returns whether it was there. Its injections stay in the report.
    pub fn remove(&self, id: FaultId) -> bool {
        self.change(|plan| plan.remove(id))
    }

    /// Removes all faults and the report of their injections; returns the number of faults removed.
    pub fn clear(&self) -> usize {
        self.change(Plan::clear)
    }

    /// Returns all faults and their injections.
    #[must_use]
    pub fn report(&self) -> FaultReport {
        self.plan().report()
    }

    /// Returns how often each kind of fault was injected, by name, since this plan was made. Neither [`remove`](Self::remove) nor
    /// [`clear`](Self::clear) resets it.
    #[must_use]
    pub fn injection_counts(&self) -> BTreeMap<&'static str, u64> {
        self.plan().counts()
    }

    /// Returns whether any fault may still be injected.
    #[inline]
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.shared.is_armed.load(Ordering::Relaxed)
    }

    /// Decides what is injected into a call. Ask once for each call: the answer is counted and reported.
    #[must_use]
    pub fn decide(&self, call: &Call) -> Injection {
        self.change(|plan| plan.decide(call, self.shared.clock.now()))
    }

    /// Decides whether the last record of a page is delivered again with the next page. Ask once for each page that has
    /// records: the answer is counted and reported.
    #[must_use]
    pub fn decide_redelivery(&self, call: &Call) -> bool {
        self.change(|plan| plan.decide_redelivery(call, self.shared.clock.now()))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        let mut plan = self.plan();
        let changed = change(&mut plan);
        self.shared.is_armed.store(plan.is_armed(), Ordering::Relaxed);
        changed
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        // Each change leaves a consistent plan, so a panic of another thread does not spoil it.
        self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
