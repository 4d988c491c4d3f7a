//! What faults need to know of a request, and what they decide about it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pdb_faults::{Call, ConnectionDrop, Faults, Injection};
use pdb_model::{ApiError, ErrorCode, Operation, TableName};

/// A request that a front end, such as an HTTP server, answers by a typed call.
///
/// The front end decodes the request and makes the call through a handle from [`Pretender::for_request`]. The call asks the plan of
/// faults, once for the request, with the tables that its input names. It does not wait and does not know of a connection: the front
/// end asks [`RequestContext::next_step`] what to do when the call has returned.
///
/// A request that is refused before a typed call is made names no table. `next_step` asks the plan about it, so it is affected by
/// faults without a table only.
///
/// [`Pretender::for_request`]: crate::Pretender::for_request
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use pretender::faults::{RequestContext, RequestStep};
/// use pretender::prelude::*;
///
/// let db = Pretender::in_memory()?;
/// db.faults().add(Fault::new(FaultKind::DropAfter))?;
///
/// let context = Arc::new(RequestContext::new(Operation::ListTables, Some("7F3K"), true));
/// let output = db.for_request(&context).list_tables(&ListTablesInput::default());
/// assert!(output.is_ok());
/// assert_eq!(context.next_step(db.faults()), RequestStep::Drop);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RequestContext {
    operation: Operation,
    request_id: Option<String>,
    has_connection: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The tables that the typed input names, once a call was made.
    tables: Vec<TableName>,
    has_tables: bool,
    /// What is injected, once the plan was asked.
    injection: Option<Arc<Injection>>,
    is_decided: bool,
    /// No fault affects the request: it is answered through a handle without faults.
    is_off: bool,
    /// The front end has waited for the delay.
    has_waited: bool,
}

/// What a front end does after the typed call of a request has returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Answer with the outcome of the call, or of decoding.
    Answer,
    /// Wait, then make the call again: it had no effect.
    Wait(Duration),
    /// Answer with this error: the call had no effect.
    Refuse(ApiError),
    /// Close the connection without an answer.
    Drop,
}

impl RequestContext {
    /// Returns the context of a request that has just arrived: its operation, the id that its answer will carry, and whether
    /// there is a connection that can be dropped.
    #[must_use]
    pub fn new(operation: Operation, request_id: Option<&str>, has_connection: bool) -> Self {
        let request_id = request_id.map(str::to_owned);
        Self { operation, request_id, has_connection, state: Mutex::default() }
    }

    /// Returns the tables that the input of the typed call names; in batches and transactions one for each item or action. Empty
    /// if no call was made.
    #[must_use]
    pub fn tables(&self) -> Vec<TableName> {
        self.state().tables.clone()
    }

    /// Returns what the front end does next. To be asked each time the call has returned, or the request was refused before.
    #[must_use]
    pub fn next_step(&self, faults: &Faults) -> RequestStep {
        let mut state = self.state();
        self.decide(&mut state, faults);
        let Some(injection) = &state.injection else { return RequestStep::Answer };
        if let Some(delay) = injection.delay().filter(|_| !state.has_waited) {
            state.has_waited = true;
            return RequestStep::Wait(delay);
        }
        match (injection.refusal(), injection.drops()) {
            (Some(error), _) => RequestStep::Refuse(error.clone()),
            (None, Some(_)) => RequestStep::Drop,
            (None, None) => RequestStep::Answer,
        }
    }

    /// Asks the plan about the typed call of this request, the first time; returns what is injected, or an error if the call is
    /// not to be carried out (now).
    pub(super) fn inject(
        &self,
        faults: &Faults,
        tables: impl FnOnce() -> Vec<TableName>,
    ) -> Result<Option<Arc<Injection>>, ApiError> {
        let mut state = self.state();
        if !state.has_tables {
            state.has_tables = true;
            state.tables = tables();
        }
        self.decide(&mut state, faults);
        let Some(injection) = &state.injection else { return Ok(None) };
        let must_wait = injection.delay().is_some() && !state.has_waited;
        if must_wait || injection.drops() == Some(ConnectionDrop::Before) {
            // No client gets this error: `next_step` says to wait, or to drop the connection.
            return Err(ApiError::new(ErrorCode::InternalServerError, ""));
        }
        match injection.refusal() {
            Some(error) => Err(error.clone()),
            None => Ok(Some(injection.clone())),
        }
    }

    /// Returns this request as a call that names these tables.
    pub(super) fn call(&self, tables: Vec<TableName>) -> Call {
        let Self { operation, request_id, has_connection, .. } = self;
        Call {
            operation: *operation,
            tables,
            request_id: request_id.clone(),
            has_connection: *has_connection,
        }
    }

    /// Lets no fault affect the request.
    pub(super) fn turn_off(&self) {
        self.state().is_off = true;
    }

    /// Says whether no fault affects the request.
    pub(super) fn is_off(&self) -> bool {
        self.state().is_off
    }

    fn decide(&self, state: &mut State, faults: &Faults) {
        if state.is_decided || state.is_off {
            return;
        }
        state.is_decided = true;
        if faults.is_armed() {
            state.injection = Some(Arc::new(faults.decide(&self.call(state.tables.clone()))));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the state is half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
