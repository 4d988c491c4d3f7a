//! What is noted of an API call while it is answered: for the log, and for traces.

use std::sync::Arc;

use hyper::http::request::Parts;
use pdb_wire::{CallLog, Operation, Response};
use pretender::faults::RequestContext;
use tracing::Span;

use super::answer::Answer;
use super::call_trace::CallTrace;
use super::{target, user_agent};

/// Notes on one call, as far as anybody wants them.
pub(super) struct CallNotes {
    /// Written when it is dropped.
    log: Option<CallLog>,
    trace: Option<CallTrace>,
    /// Once it is known, and the call is not refused.
    operation: Option<Operation>,
}

impl CallNotes {
    /// Begins the notes of a call that has just arrived.
    pub(super) fn begin(parts: &Parts, request_id: &str) -> Self {
        let log = || CallLog::new(request_id, target(&parts.headers), user_agent(&parts.headers));
        Self {
            log: CallLog::is_wanted().then(log),
            trace: CallTrace::is_wanted().then(|| CallTrace::begin(parts, request_id)),
            operation: None,
        }
    }

    /// Returns the span of the call, if it is traced.
    pub(super) fn span(&self) -> Option<Span> {
        self.trace.as_ref().map(CallTrace::span)
    }

    /// Notes the body of the request, and the name of the database that it means.
    pub(super) fn note_request(&mut self, body: &[u8], database: Option<&str>) {
        if let Some(log) = &mut self.log {
            log.note_request(body);
            database.iter().for_each(|name| log.note_database(name));
        }
        if let (Some(trace), Some(name)) = (&self.trace, database) {
            trace.note_database(name);
        }
    }

    /// Notes the operation that is to be carried out.
    pub(super) fn note_operation(&mut self, operation: Operation) {
        self.operation = Some(operation);
    }

    /// Returns the operation that was noted.
    pub(super) fn operation(&self) -> Option<Operation> {
        self.operation
    }

    /// Notes the answer to a request that was refused before it was decoded.
    pub(super) fn note_response(&mut self, response: &Response) {
        if let Some(log) = &mut self.log {
            log.note_response(response);
        }
    }

    /// Returns the log.
    pub(super) fn log(&mut self) -> Option<&mut CallLog> {
        self.log.as_mut()
    }

    /// Returns the context in which the request is to be carried out, if it is traced.
    pub(super) fn context(&mut self, operation: Operation, request_id: &str) -> Option<Arc<RequestContext>> {
        self.trace.as_mut().map(|trace| trace.context(operation, request_id))
    }

    /// Notes the answer; there is none if a fault has dropped the connection.
    pub(super) fn finish(mut self, answer: Option<&Answer>) {
        if let Some(log) = &mut self.log {
            match answer {
                Some(answer) => log.note_status(answer.status.as_u16(), answer.bytes()),
                None => log.note_drop(),
            }
        }
        if let Some(trace) = self.trace {
            trace.finish(answer);
        }
    }
}
