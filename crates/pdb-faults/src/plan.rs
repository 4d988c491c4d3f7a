//! The faults that were added, their decisions, and the report of their injections.

use std::collections::{BTreeMap, VecDeque};

use pdb_model::{EpochMillis, Operation, TableName};

use super::fault::{Fault, FaultKind};
use super::injection::Injection;
use super::random::Random;
use super::report::{FaultReport, FaultState, InjectedFault};
use super::{Call, FaultId};

/// How many injections the report keeps: a test reads them all, and a server that runs for weeks stays small.
const REMEMBERED: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Plan {
    last_id: u64,
    faults: Vec<Armed>,
    injected: VecDeque<InjectedFault>,
    forgotten: u64,
    /// Injections by the name of their kind, also those of faults that were removed.
    counts: BTreeMap<&'static str, u64>,
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

    /// Removes a fault; returns whether there was one with this id.
    pub(super) fn remove(&mut self, id: FaultId) -> bool {
        let before = self.faults.len();
        self.faults.retain(|armed| armed.id != id);
        self.faults.len() < before
    }

    /// Forgets everything but the last id, so that ids are not reused, and the counts; returns the number of faults.
    pub(super) fn clear(&mut self) -> usize {
        let counts = std::mem::take(&mut self.counts);
        let cleared = Self { last_id: self.last_id, counts, ..Self::default() };
        std::mem::replace(self, cleared).faults.len()
    }

    /// Returns whether any fault may still be injected.
    pub(super) fn is_armed(&self) -> bool {
        self.faults.iter().any(Armed::is_pending)
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.clone()
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

    /// Decides what is injected into a call.
    pub(super) fn decide(&mut self, call: &Call, now: EpochMillis) -> Injection {
        let mut injection = Injection::default();
        for armed in &mut self.faults {
            let is_delay = armed.fault.kind == FaultKind::Latency;
            // Delays add up; of all other faults at most one is injected. The faults behind it do not count the call.
            if armed.fault.kind == FaultKind::Duplicate || (injection.has_effect() && !is_delay) {
                continue;
            }
            if armed.applies_to(call) {
                let detail = injection.add(&armed.fault, call, &mut armed.random);
                let remembered = armed.injection_of(call, detail, now);
                *self.counts.entry(armed.fault.kind.name()).or_default() += 1;
                remember(&mut self.injected, &mut self.forgotten, remembered);
            }
        }
        injection
    }

    /// Decides whether the last record of a page is delivered again.
    pub(super) fn decide_redelivery(&mut self, call: &Call, now: EpochMillis) -> bool {
        for armed in &mut self.faults {
            if armed.fault.kind == FaultKind::Duplicate && armed.applies_to(call) {
                let remembered = armed.injection_of(call, String::new(), now);
                *self.counts.entry(armed.fault.kind.name()).or_default() += 1;
                remember(&mut self.injected, &mut self.forgotten, remembered);
                return true;
            }
        }
        false
    }
}

impl Armed {
    /// Returns whether the fault may still be injected.
    fn is_pending(&self) -> bool {
        self.fault.times.is_none_or(|times| self.injected < times)
    }

    /// Counts a call that matches the fault, and decides whether the fault is injected into it.
    fn applies_to(&mut self, call: &Call) -> bool {
        if !self.is_pending() || !self.matches(call) {
            return false;
        }
        self.matched += 1;
        if self.matched <= self.fault.skip || !self.random.happens(self.fault.probability) {
            return false;
        }
        self.injected += 1;
        true
    }

    fn matches(&self, call: &Call) -> bool {
        self.operations.contains(&call.operation)
            && self.fault.table.as_ref().is_none_or(|table| call.tables.contains(table))
            && match self.fault.kind {
                FaultKind::DropBefore | FaultKind::DropAfter => call.has_connection,
                // At least one item of a batch is processed, so a batch of one is never affected.
                FaultKind::Unprocessed => call.tables.len() > 1,
                _ => true,
            }
    }

    fn injection_of(&self, call: &Call, detail: String, now: EpochMillis) -> InjectedFault {
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
    log(&fault);
    if injected.len() == REMEMBERED {
        injected.pop_front();
        *forgotten += 1;
    }
    injected.push_back(fault);
}

/// Logs an injection, so that what a client sees is not mistaken for a failure of this program.
fn log(injected: &InjectedFault) {
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
