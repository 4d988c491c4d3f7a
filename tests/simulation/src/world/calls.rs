//! Calls of operations, with the faults that are injected into them.

use pretender::Pretender;
use pretender::errors::{ApiError, ErrorCode};
use pretender::faults::{Fault, FaultKind, OperationGroup};

use super::World;
use crate::violation::{Checked, Unexpected, ensure};

/// What came of a call.
pub(crate) struct Called<T> {
    /// The answer.
    pub(crate) result: Result<T, ApiError>,
    /// The fault that was injected, if any.
    pub(crate) injected: Option<FaultKind>,
}

impl<T> Called<T> {
    /// Returns whether the call was refused by a fault, and so must have had no effect.
    pub(crate) fn is_refused(&self) -> bool {
        self.injected.is_some() && self.result.is_err()
    }
}

impl World {
    /// Calls an operation as a client does.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(&Pretender) -> Result<T, ApiError>,
    ) -> Checked<Called<T>> {
        let faults = self.db.faults().clone();
        let before = faults.is_armed().then(|| injections(&self.db));
        let result = call(&self.db);
        if let Err(error) = &result {
            self.digest.add(&error.message);
        }
        let injected = before.and_then(|before| {
            let report = faults.report();
            let now = report.injected.len() as u64 + report.forgotten;
            (now > before).then(|| report.injected.last().map(|last| last.kind)).flatten()
        });
        if let (Some(kind), Err(error)) = (injected, &result) {
            ensure!(is_error_of(kind, error.code), "the fault {kind:?} was answered by {error:?}");
        }
        Ok(Called { result, injected })
    }

    /// Adds a fault. From now on consumers may see records twice.
    pub(super) fn add_fault(
        &mut self,
        kind: FaultKind,
        group: OperationGroup,
        times: u8,
        percent: u8,
        seed: u64,
    ) -> Checked {
        let fault = Fault::new(kind).on(group).times(times.into()).seed(seed);
        let fault = fault.probability(f64::from(percent) / 100.0);
        self.db.faults().add(fault).expected_to("add a fault")?;
        if matches!(kind, FaultKind::Duplicate | FaultKind::TrimmedData | FaultKind::EmptyPage) {
            self.allow_repeats();
        }
        Ok(())
    }

    /// Lets the consumers see records twice from now on.
    pub(crate) fn allow_repeats(&mut self) {
        if let Some(follower) = &mut self.follower {
            follower.deliveries.may_repeat = true;
        }
        if let Some(mapping) = &mut self.mapping {
            mapping.deliveries.may_repeat = true;
        }
    }
}

fn injections(db: &Pretender) -> u64 {
    let report = db.faults().report();
    report.injected.len() as u64 + report.forgotten
}

/// Returns whether a fault is answered by this code.
fn is_error_of(kind: FaultKind, code: ErrorCode) -> bool {
    use ErrorCode as E;
    match kind {
        FaultKind::ProvisionedThroughputExceeded => code == E::ProvisionedThroughputExceededException,
        FaultKind::Throttling => code == E::ThrottlingException,
        FaultKind::RequestLimitExceeded => code == E::RequestLimitExceeded,
        FaultKind::LimitExceeded => code == E::LimitExceededException,
        FaultKind::InternalError => code == E::InternalServerError,
        FaultKind::Unavailable => code == E::ServiceUnavailable,
        FaultKind::ExpiredIterator => code == E::ExpiredIteratorException,
        FaultKind::TrimmedData => code == E::TrimmedDataAccessException,
        FaultKind::Conflict => {
            matches!(code, E::TransactionCanceledException | E::TransactionConflictException)
        }
        // The call itself may fail for its own reason.
        FaultKind::Latency
        | FaultKind::DropBefore
        | FaultKind::DropAfter
        | FaultKind::EmptyPage
        | FaultKind::Duplicate
        | FaultKind::Unprocessed => true,
    }
}
