//! How the plan of faults is asked: by each call, once for the calls of a request, or not at all.

use std::sync::Arc;

use pdb_faults::{Call, Faults, Injection};
use pdb_model::{ApiError, Operation, TableName};

use super::request::RequestContext;

/// How faults affect the calls through one handle.
#[derive(Clone, Debug, Default)]
pub(crate) enum FaultMode {
    /// Each call asks the plan, and waits and fails as it says.
    #[default]
    Calls,
    /// The calls of one request, which together ask the plan once. What concerns the connection is left to the front end.
    Request(Arc<RequestContext>),
    /// No call is affected.
    Off,
}

impl FaultMode {
    /// Decides about a call, waits if it is delayed, and fails if it is refused; returns what else is injected.
    pub(crate) fn inject(
        &self,
        faults: &Faults,
        operation: Operation,
        tables: impl FnOnce() -> Vec<TableName>,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        match self {
            Self::Calls if faults.is_armed() => {
                let injection = faults.decide(&Call::new(operation, tables()));
                injection.wait();
                unless_refused(injection)
            }
            Self::Request(context) => context.inject(faults, tables),
            Self::Calls | Self::Off => Ok(None),
        }
    }

    /// Async variant of [`FaultMode::inject`].
    pub(crate) async fn inject_async(
        &self,
        faults: &Faults,
        operation: Operation,
        tables: impl FnOnce() -> Vec<TableName>,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        match self {
            Self::Calls if faults.is_armed() => {
                let injection = faults.decide(&Call::new(operation, tables()));
                injection.wait_async().await;
                unless_refused(injection)
            }
            Self::Request(context) => context.inject(faults, tables),
            Self::Calls | Self::Off => Ok(None),
        }
    }

    /// Decides whether the last record of a page is delivered again.
    pub(crate) fn repeats_record(&self, faults: &Faults, table: &TableName) -> bool {
        if !faults.is_armed() {
            return false;
        }
        let call = Call::new(Operation::GetRecords, vec![table.clone()]);
        match self {
            Self::Calls => faults.decide_redelivery(&call),
            Self::Request(context) if !context.is_off() => {
                faults.decide_redelivery(&context.call(call.tables))
            }
            Self::Request(_) | Self::Off => false,
        }
    }
}

fn unless_refused(injection: Injection) -> Result<Option<Arc<Injection>>, ApiError> {
    match injection.refusal() {
        Some(error) => Err(error.clone()),
        None => Ok(Some(Arc::new(injection))),
    }
}
