//! The faults that were added, what they decide, and what is remembered of it.

use std::collections::VecDeque;

use pdb_model::{EpochMillis, Operation, TableName};

use super::fault::{Fault, FaultKind};
use super::injection::Injection;
use super::random::Random;
use super::report::{FaultReport, FaultState, InjectedFault};
use super::{Call, FaultId};

/// How many injections are remembered.
const REMEMBERED: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Plan {
    last_id: u64,
    faults: Vec<Armed>,
    injected: VecDeque<InjectedFault>,
    forgotten: u64,
}

#[derive(Debug)]
struct Armed {
    id: FaultId,
    fault: Fault,
    operations: Vec<Operation>,
    random: Random,
    matched: u64,
    injected: u64,
}

impl Plan {
    pub(super) fn add(&mut self, fault: Fault, operations: Vec<Operation>) -> FaultId {
        self.last_id += 1;
        let id = FaultId(self.last_id);
        let random = Random::new(fault.seed);
        self.faults.push(Armed { id, fault, operations, random, matched: 0, injected: 0 });
        id
    }

    /// Returns whether there was such a fault.
    pub(super) fn remove(&mut self, id: FaultId) -> bool {
        let before = self.faults.len();
        self.faults.retain(|armed| armed.id != id);
        self.faults.len() < before
    }

    /// Forgets everything but the last id; returns how many faults there were.
    pub(super) fn clear(&mut self) -> usize {
        let cleared = Self { last_id: self.last_id, ..Self::default() };
        std::mem::replace(self, cleared).faults.len()
    }

    /// Tells whether any fault may still happen.
    pub(super) fn is_armed(&self) -> bool {
        self.faults.iter().any(Armed::is_pending)
    }

    pub(super) fn report(&self) -> FaultReport {
        let faults = self.faults.iter().map(|armed| FaultState {
            id: armed.id,
            fault: armed.fault.clone(),
            matched: armed.matched,
            injected: armed.injected,
            is_over: !armed.is_pending(),
        });
        FaultReport {
            faults: faults.collect(),
            injected: self.injected.iter().cloned().collect(),
            forgotten: self.forgotten,
        }
    }

    /// Decides what becomes of a call when it arrives.
    pub(super) fn decide(&mut self, call: &Call, now: EpochMillis) -> Injection {
        let mut injection = Injection::for_request(call.request_id.clone());
        for armed in &mut self.faults {
            let is_wait = armed.fault.kind == FaultKind::Latency;
            // Waits add up; of everything else a call meets one.
            if armed.fault.kind == FaultKind::Duplicate || (injection.has_effect() && !is_wait) {
                continue;
            }
            if armed.happens_to(call) {
                let detail = injection.add(&armed.fault, call, &mut armed.random);
                let remembered = armed.injected(call, detail, now);
                remember(&mut self.injected, &mut self.forgotten, remembered);
            }
        }
        injection
    }

    /// Decides whether the last record of a page that is about to be answered is to be delivered again.
    pub(super) fn decide_delivery(&mut self, call: &Call, now: EpochMillis) -> bool {
        for armed in &mut self.faults {
            if armed.fault.kind == FaultKind::Duplicate && armed.happens_to(call) {
                let remembered = armed.injected(call, String::new(), now);
                remember(&mut self.injected, &mut self.forgotten, remembered);
                return true;
            }
        }
        false
    }
}

impl Armed {
    /// Tells whether the fault may still happen.
    fn is_pending(&self) -> bool {
        self.fault.times.is_none_or(|times| self.injected < times)
    }

    /// Counts a call that the fault is meant for, and decides whether it meets it.
    fn happens_to(&mut self, call: &Call) -> bool {
        if !self.is_pending() || !self.is_meant_for(call) {
            return false;
        }
        self.matched += 1;
        if self.matched <= self.fault.skip || !self.random.happens(self.fault.probability) {
            return false;
        }
        self.injected += 1;
        true
    }

    fn is_meant_for(&self, call: &Call) -> bool {
        self.operations.contains(&call.operation)
            && self.fault.table.as_ref().is_none_or(|table| call.tables.contains(table))
            && match self.fault.kind {
                FaultKind::DropBefore | FaultKind::DropAfter => call.has_connection,
                // One item is always processed.
                FaultKind::Unprocessed => call.tables.len() > 1,
                _ => true,
            }
    }

    fn injected(&self, call: &Call, detail: String, now: EpochMillis) -> InjectedFault {
        let mut tables = call.tables.clone();
        tables.sort();
        tables.dedup();
        InjectedFault {
            at: now,
            fault: self.id,
            kind: self.fault.kind,
            operation: call.operation,
            tables,
            request_id: call.request_id.clone(),
            detail,
        }
    }
}

fn remember(injected: &mut VecDeque<InjectedFault>, forgotten: &mut u64, fault: InjectedFault) {
    tell(&fault);
    if injected.len() == REMEMBERED {
        injected.pop_front();
        *forgotten += 1;
    }
    injected.push_back(fault);
}

/// Tells the log of an injection: what a client meets must not look like a failure of this program.
fn tell(injected: &InjectedFault) {
    if !tracing::enabled!(target: "pretender::faults", tracing::Level::INFO) {
        return;
    }
    let tables: Vec<&str> = injected.tables.iter().map(TableName::as_str).collect();
    let (tables, detail) = (tables.join(","), injected.detail.as_str());
    tracing::info!(
        target: "pretender::faults",
        fault = injected.fault.0,
        kind = %injected.kind.name(),
        operation = %injected.operation.name(),
        table = (!tables.is_empty()).then(|| tracing::field::display(&tables)),
        detail = (!detail.is_empty()).then_some(detail),
        request_id = injected.request_id.as_ref().map(tracing::field::display),
        "injected a fault"
    );
}
