//! How the calls of one handle meet the faults.

use std::sync::Arc;

use pdb_model::{ApiError, Operation, TableName};

use pdb_faults::{Call, Faults, Injection};

use crate::Pretender;
use crate::faults::named_tables::{NamesTables, tables_of};

/// How the calls of one handle meet the faults.
#[derive(Clone, Debug, Default)]
pub(crate) enum Door {
    /// Each call asks the plan.
    #[default]
    Asks,
    /// A front door has asked for this call, and has waited.
    Decided { injection: Option<Arc<Injection>>, request_id: Option<Arc<str>> },
    /// Calls meet no faults.
    Closed,
}

impl Door {
    /// Decides about a call, if nobody has yet. Does not wait.
    pub(crate) fn decide(
        &self,
        faults: &Faults,
        operation: Operation,
        tables: impl FnOnce() -> Vec<TableName>,
    ) -> Option<Arc<Injection>> {
        match self {
            Self::Asks if faults.is_armed() => {
                let call = Call::new(operation, tables());
                Some(Arc::new(faults.decide(&call)))
            }
            Self::Decided { injection, .. } => injection.clone(),
            Self::Asks | Self::Closed => None,
        }
    }

    /// Decides about a call, and waits on this thread if it is to wait.
    pub(crate) fn pass(
        &self,
        faults: &Faults,
        operation: Operation,
        tables: impl FnOnce() -> Vec<TableName>,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        let injection = self.decide(faults, operation, tables);
        if let Some(injection) = &injection {
            if matches!(self, Self::Asks) {
                injection.wait();
            }
            refuse(injection)?;
        }
        Ok(injection)
    }

    /// As [`Door::pass`], without blocking the thread.
    pub(crate) async fn pass_async(
        &self,
        faults: &Faults,
        operation: Operation,
        tables: impl FnOnce() -> Vec<TableName>,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        let injection = self.decide(faults, operation, tables);
        if let Some(injection) = &injection {
            if matches!(self, Self::Asks) {
                injection.wait_async().await;
            }
            refuse(injection)?;
        }
        Ok(injection)
    }

    /// Decides whether the last record of a page is to be delivered again.
    pub(crate) fn delivers_twice(&self, faults: &Faults, table: &TableName) -> bool {
        if !faults.is_armed() {
            return false;
        }
        let request_id = match self {
            Self::Asks => None,
            Self::Decided { request_id, .. } => request_id.as_deref().map(str::to_owned),
            Self::Closed => return false,
        };
        let tables = vec![table.clone()];
        faults.decide_redelivery(&Call {
            operation: Operation::GetRecords,
            tables,
            has_connection: request_id.is_some(),
            request_id,
        })
    }
}

fn refuse(injection: &Injection) -> Result<(), ApiError> {
    injection.refusal().map_or(Ok(()), |error| Err(error.clone()))
}

impl Pretender {
    /// Lets a call pass the faults, on this thread.
    pub(crate) fn pass(
        &self,
        operation: Operation,
        input: &impl NamesTables,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        self.door.pass(&self.inner.faults, operation, || tables_of(input))
    }

    /// Lets a call pass the faults, without blocking the thread.
    pub(crate) async fn pass_async(
        &self,
        operation: Operation,
        input: &impl NamesTables,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        self.door.pass_async(&self.inner.faults, operation, || tables_of(input)).await
    }

    /// Returns the faults of this database: what is added to them affects calls from any front door.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// Returns a handle to the same database whose calls meet no faults: for the code that sets up a test or looks at its outcome.
    #[must_use]
    pub fn without_faults(&self) -> Self {
        self.through(Door::Closed)
    }

    /// Returns a handle for one call, about which a front door has asked [`Faults::decide`], or has not needed to ask. The
    /// front door waits, refuses and drops by itself; the call does the rest.
    #[must_use]
    pub fn with_injection(&self, injection: Option<Injection>, request_id: Option<&str>) -> Self {
        let request_id = request_id.map(Arc::from);
        self.through(Door::Decided { injection: injection.map(Arc::new), request_id })
    }
}
