//! Faults on demand: what goes wrong at AWS now and then goes wrong here when, where and as often as the user says.
//!
//! [`Faults`] is the plan: it decides and remembers. Whoever takes calls asks it once for each call and does what it says:
//! the typed operations of [`Pretender`](crate::Pretender) by themselves, front doors through
//! [`Faults::decide`] and [`Pretender::with_injection`](crate::Pretender::with_injection).

mod calls;
mod delay;
mod door;
mod fault;
mod injection;
mod plan;
mod random;
mod report;
mod target;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pdb_model::{Clock, Operation, TableName};

pub(crate) use calls::{NamesTables, tables_of};
pub(crate) use door::Door;
pub use fault::{Fault, FaultError, FaultKind};
pub use injection::{Drops, Injection};
pub use report::{FaultReport, FaultState, InjectedFault};
pub use target::{FaultTarget, NotATarget, OperationGroup};

use plan::Plan;

/// The number by which a fault is known. Numbers are not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(pub u64);

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A call, as far as faults care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is called.
    pub operation: Operation,
    /// The tables that the call names: in batches and transactions one entry for each item or action, in order.
    pub tables: Vec<TableName>,
    /// The id that the answer will carry, if the call came as a request.
    pub request_id: Option<String>,
    /// Whether there is a connection that can be dropped.
    pub has_connection: bool,
}

/// The faults of one database: added and removed by the user, met by calls. Cheap to clone; all clones are the same.
///
/// Without faults a call pays one relaxed read for them.
#[derive(Clone, Debug)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Whether any fault may still happen; says nothing about the plan's contents, so needs no order.
    is_armed: AtomicBool,
    plan: Mutex<Plan>,
    clock: Arc<dyn Clock>,
}

impl Faults {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let (is_armed, plan) = (AtomicBool::new(false), Mutex::default());
        Self { shared: Arc::new(Shared { is_armed, plan, clock }) }
    }

    /// Adds a fault, behind those that are there: of several that would affect a call, the first added does, except that
    /// waits add up.
    ///
    /// # Errors
    ///
    /// [`FaultError`] if an operation or group named cannot fail like this, or the fault contradicts itself.
    pub fn add(&self, fault: Fault) -> Result<FaultId, FaultError> {
        let operations = fault.checked()?;
        Ok(self.change(|plan| plan.add(fault, operations)))
    }

    /// Removes a fault; returns whether it was there. What it did stays in the report.
    pub fn remove(&self, id: FaultId) -> bool {
        self.change(|plan| plan.remove(id))
    }

    /// Removes all faults, and the report of what they did; returns how many faults there were.
    pub fn clear(&self) -> usize {
        self.change(Plan::clear)
    }

    /// Returns all faults, and what they did.
    #[must_use]
    pub fn report(&self) -> FaultReport {
        self.plan().report()
    }

    /// Tells whether any fault may still happen.
    #[inline]
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.shared.is_armed.load(Ordering::Relaxed)
    }

    /// Decides, for a front door, what becomes of a call; to be asked once for each call that arrives.
    #[must_use]
    pub fn decide(&self, call: &Call) -> Injection {
        self.change(|plan| plan.decide(call, self.shared.clock.now()))
    }

    /// Decides whether the last record of a page that is about to be answered is to be delivered again.
    pub(crate) fn decide_delivery(&self, call: &Call) -> bool {
        self.change(|plan| plan.decide_delivery(call, self.shared.clock.now()))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Plan) -> T) -> T {
        let mut plan = self.plan();
        let changed = change(&mut plan);
        self.shared.is_armed.store(plan.is_armed(), Ordering::Relaxed);
        changed
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        // Each change leaves a plan that holds together: after a panic it is as good as before.
        self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
