//! The one place where calls ask the plan of faults.

use std::sync::Arc;

use pdb_faults::{Call, Faults, Injection};
use pdb_model::{ApiError, Operation, TableName};

use super::named_tables::{NamesTables, tables_of};
use super::request::RequestContext;
use crate::Pretender;

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
            Self::Request(context) => faults.decide_redelivery(&context.call(call.tables)),
            Self::Off => false,
        }
    }
}

fn unless_refused(injection: Injection) -> Result<Option<Arc<Injection>>, ApiError> {
    match injection.refusal() {
        Some(error) => Err(error.clone()),
        None => Ok(Some(Arc::new(injection))),
    }
}

impl Pretender {
    /// Asks the plan of faults about a call, on this thread.
    pub(crate) fn inject(
        &self,
        operation: Operation,
        input: &impl NamesTables,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        self.fault_mode.inject(&self.inner.faults, operation, || tables_of(input))
    }

    /// Async variant of [`Pretender::inject`].
    pub(crate) async fn inject_async(
        &self,
        operation: Operation,
        input: &impl NamesTables,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        self.fault_mode.inject_async(&self.inner.faults, operation, || tables_of(input)).await
    }

    /// Returns the plan of faults of this database. It affects calls through every handle and front end.
    ///
    /// # Examples
    ///
    /// ```
    /// use pretender::prelude::*;
    ///
    /// let db = Pretender::in_memory()?;
    /// db.faults().add(Fault::new(FaultKind::Throttling).times(1))?;
    /// let error = db.list_tables(&ListTablesInput::default()).unwrap_err();
    /// assert_eq!(error.code, ErrorCode::ThrottlingException);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// Returns a handle to the same database whose calls are not affected by faults: for code that sets a test up or checks its
    /// outcome.
    ///
    /// # Examples
    ///
    /// ```
    /// use pretender::prelude::*;
    ///
    /// let db = Pretender::in_memory()?;
    /// db.faults().add(Fault::new(FaultKind::InternalError))?;
    /// assert!(db.list_tables(&ListTablesInput::default()).is_err());
    /// assert!(db.without_faults().list_tables(&ListTablesInput::default()).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn without_faults(&self) -> Self {
        Self { fault_mode: FaultMode::Off, ..self.clone() }
    }

    /// Returns a handle for the typed call that answers one request of a front end. See [`RequestContext`].
    #[must_use]
    pub fn for_request(&self, context: &Arc<RequestContext>) -> Self {
        // The context notes the tables of the call for the log, also where faults are off.
        if matches!(self.fault_mode, FaultMode::Off) {
            context.turn_off();
        }
        Self { fault_mode: FaultMode::Request(context.clone()), ..self.clone() }
    }
}
