//! A request in, a reply out: what every front end does with a call, whether it has sockets or not.

use std::sync::Arc;
use std::time::Duration;

use pdb_model::{Operation, OperationClass};
use pretender::faults::{RequestContext, RequestStep};

use crate::call_log::CallLog;
use crate::error::{error_response, unknown_operation};
use crate::response::Response;
use crate::wire::{Wire, block_on};

/// Writes with a body up to this length are decoded and carried out on the thread that received them, because that takes less time
/// than handing them to another thread.
const MAX_BYTES_WRITTEN_INLINE: usize = 64 * 1024;

/// A request as a front end has received it. `B` is its body.
#[derive(Debug)]
pub struct Request<'a, B> {
    operation: Option<Operation>,
    body: B,
    id: Option<&'a str>,
    has_connection: bool,
    log: Option<&'a mut CallLog>,
    context: Option<Arc<RequestContext>>,
}

impl<'a, B> Request<'a, B> {
    /// Returns a request with this `X-Amz-Target` and this body.
    pub fn new(target: Option<&str>, body: B) -> Self {
        Self {
            operation: target.and_then(Operation::from_target),
            body,
            id: None,
            has_connection: true,
            log: None,
            context: None,
        }
    }

    /// Returns a request for an operation.
    pub fn of(operation: Operation, body: B) -> Self {
        Self { operation: Some(operation), body, id: None, has_connection: true, log: None, context: None }
    }

    /// Sets the id that the answer will carry. Injected faults are reported with it.
    #[must_use]
    pub fn id(self, id: &'a str) -> Self {
        Self { id: Some(id), ..self }
    }

    /// Sets whether there is a connection that faults can drop; the default is `true`. [`Reply::Drop`] is returned only if there
    /// is one.
    #[must_use]
    pub fn connection(self, has_connection: bool) -> Self {
        Self { has_connection, ..self }
    }

    /// Sets the notes of this call for the log.
    #[must_use]
    pub fn log(self, log: Option<&'a mut CallLog>) -> Self {
        Self { log, ..self }
    }

    /// Sets the context in which the request is carried out, of a front end that wants to know what the context learns, such as the
    /// tables. It is made with the operation, the id and the connection of this request.
    #[must_use]
    pub fn context(self, context: Option<Arc<RequestContext>>) -> Self {
        Self { context, ..self }
    }
}

impl<B: AsRef<[u8]>> Request<'_, B> {
    /// Answers a request that names no operation.
    fn unknown_operation(self) -> Reply {
        let reply = Reply::Answer(unknown_operation(self.body.as_ref()));
        note(self.log, &reply);
        reply
    }
}

/// What a front end does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It sends this answer.
    Answer(Response),
    /// It closes the connection without an answer, or fails as if it had been closed: a fault that the user has added says so.
    Drop,
}

impl Reply {
    /// Returns the answer, if there is one.
    #[must_use]
    pub fn answer(self) -> Option<Response> {
        match self {
            Self::Answer(response) => Some(response),
            Self::Drop => None,
        }
    }
}

/// What an asynchronous front end lends to a call: a timer, and threads that may block.
pub trait Host {
    /// Waits for the delay that a fault asks for, without blocking the thread. Returns whether the call may go on; if not, it is
    /// answered with status 503.
    fn wait(&self, delay: Duration) -> impl Future<Output = bool> + Send;

    /// Runs work on a thread that may block. `None` if the program is stopping.
    fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> impl Future<Output = Option<T>> + Send;
}

impl Wire {
    /// Answers a request, blocking until it is done.
    ///
    /// # Examples
    ///
    /// ```
    /// use pdb_wire::{Reply, Request, Wire};
    ///
    /// let wire = Wire::new(pretender::Pretender::in_memory()?);
    /// let Reply::Answer(answer) = wire.call(Request::new(Some("DynamoDB_20120810.ListTables"), b"{}")) else {
    ///     panic!("there are no faults");
    /// };
    /// assert_eq!(answer.body, br#"{"TableNames":[]}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn call<B: AsRef<[u8]>>(&self, mut request: Request<'_, B>) -> Reply {
        let Some(operation) = request.operation else { return request.unknown_operation() };
        let Some((wire, context)) = self.watched(operation, &mut request) else {
            return Reply::Answer(block_on(self.respond(operation, request.body.as_ref())));
        };
        let body = request.body.as_ref();
        let reply = loop {
            let response = block_on(wire.respond(operation, body));
            match wire.after(&context, response) {
                Ok(reply) => break reply,
                Err(delay) => pretender::faults::wait(delay),
            }
        };
        note(request.log, &reply);
        reply
    }

    /// Async variant of [`Wire::call`]. Waiting, for a commit or for a delay, does not block the thread. Work that may take long
    /// runs on the threads of the `host`.
    pub async fn call_async<B>(&self, mut request: Request<'_, B>, host: &impl Host) -> Reply
    where
        B: AsRef<[u8]> + Clone + Send + Sync + 'static,
    {
        let Some(operation) = request.operation else { return request.unknown_operation() };
        let Some((wire, context)) = self.watched(operation, &mut request) else {
            return Reply::Answer(self.run(operation, &request.body, host).await);
        };
        let reply = loop {
            let response = wire.run(operation, &request.body, host).await;
            match wire.after(&context, response) {
                Ok(reply) => break reply,
                // The call has had no effect. It is decoded once more after the delay, so that neither a thread nor the decoded
                // request is kept meanwhile.
                Err(delay) => {
                    if !host.wait(delay).await {
                        break Reply::Answer(Response { status: 503, body: Vec::new() });
                    }
                }
            }
        };
        note(request.log, &reply);
        reply
    }

    /// Carries a request out, on a thread of the host if it may block.
    async fn run<B>(&self, operation: Operation, body: &B, host: &impl Host) -> Response
    where
        B: AsRef<[u8]> + Clone + Send + Sync + 'static,
    {
        let may_block = match operation.class() {
            // Decoding a large request would hold up the others of this thread.
            OperationClass::Write => body.as_ref().len() > MAX_BYTES_WRITTEN_INLINE,
            OperationClass::PointRead => self.pretender.is_remote(),
            OperationClass::Blocking => true,
        };
        if !may_block {
            return self.respond(operation, body.as_ref()).await;
        }
        let (wire, body) = (self.clone(), body.clone());
        let response = host.block(move || block_on(wire.respond(operation, body.as_ref()))).await;
        response.unwrap_or_else(Response::unavailable)
    }

    /// Returns the wire for one request that faults may affect, or that the log or the front end wants to know of. Most requests are
    /// none of these, and pay nothing.
    fn watched<B>(
        &self,
        operation: Operation,
        request: &mut Request<'_, B>,
    ) -> Option<(Self, Arc<RequestContext>)> {
        let given = request.context.take();
        if !self.original.faults().is_armed() && request.log.is_none() && given.is_none() {
            return None;
        }
        let new = || Arc::new(RequestContext::new(operation, request.id, request.has_connection));
        let context = given.unwrap_or_else(new);
        if let Some(log) = &mut request.log {
            log.note_context(context.clone());
        }
        let wire = Self { pretender: self.original.for_request(&context), ..self.clone() };
        Some((wire, context))
    }

    /// Decides what a request is answered after it was decoded and, unless a fault prevents it, carried out. `Err` is a delay after
    /// which it is to be run again.
    fn after(&self, context: &RequestContext, response: Response) -> Result<Reply, Duration> {
        match context.next_step(self.pretender.faults()) {
            RequestStep::Answer => Ok(Reply::Answer(response)),
            RequestStep::Refuse(error) => Ok(Reply::Answer(error_response(&error))),
            RequestStep::Drop => Ok(Reply::Drop),
            RequestStep::Wait(delay) => Err(delay),
        }
    }
}

fn note(log: Option<&mut CallLog>, reply: &Reply) {
    let Some(log) = log else { return };
    match reply {
        Reply::Answer(response) => log.note_response(response),
        Reply::Drop => log.note_drop(),
    }
}
