//! The one place where calls ask whether their caller may make them, and then the plan of faults.

use std::sync::Arc;

use pdb_faults::{Faults, Injection};
use pdb_model::{ApiError, Operation};

use super::mode::FaultMode;
use super::named_tables::tables_of;
use super::request::RequestContext;
use crate::Pretender;
use crate::access::NeedsPermissions;

impl Pretender {
    /// Checks that the caller may make a call, and asks the plan of faults about it, on this thread.
    pub(crate) fn inject(
        &self,
        operation: Operation,
        input: &impl NeedsPermissions,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        self.authorize(operation, input)?;
        self.fault_mode.inject(&self.inner.faults, operation, || tables_of(input))
    }

    /// Async variant of [`Pretender::inject`].
    pub(crate) async fn inject_async(
        &self,
        operation: Operation,
        input: &impl NeedsPermissions,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        self.authorize(operation, input)?;
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
