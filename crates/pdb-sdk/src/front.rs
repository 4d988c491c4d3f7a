//! From the SDK's request to its answer: the part of an HTTP server that is left when there is no socket.

use std::sync::Arc;

use aws_smithy_async::rt::sleep::{AsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use pdb_wire::{Admission, CallLog, OperationClass, Reply, RequestIds, Response, Wire};
use pretender::Pretender;
use tokio::runtime::Handle;

use crate::body;

/// The answer to a body that is too large.
const TOO_LARGE: Response = Response { status: 413, body: Vec::new() };

/// Answers requests from one database.
#[derive(Debug)]
pub(crate) struct Front {
    wire: Wire,
    request_ids: RequestIds,
}

impl Front {
    pub(crate) fn new(pretender: Pretender) -> Self {
        Self { wire: Wire::new(pretender), request_ids: RequestIds::new() }
    }

    /// Answers one request. A bug costs this request an internal error, and nobody else anything.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        request: HttpRequest,
    ) -> Result<HttpResponse, ConnectorError> {
        let request_id = self.request_ids.next();
        let target = request.headers().get("x-amz-target").map(str::to_owned);
        let mut log = CallLog::is_wanted().then(|| {
            let headers = request.headers();
            let user_agent = headers.get("x-amz-user-agent").or_else(|| headers.get("user-agent"));
            CallLog::new(&request_id, target.as_deref(), user_agent)
        });
        let reply = match body::read(request.into_body()).await? {
            Some(body) => {
                let call = self.call(target.as_deref(), body, &request_id, log.as_mut());
                let caught = pdb_wire::caught(call).await;
                caught.unwrap_or_else(|message| {
                    let target = target.unwrap_or_default();
                    tracing::error!(request_id, target, panic = message, "an operation failed on a bug");
                    Reply::Answer(Response::internal_error())
                })
            }
            None => Reply::Answer(TOO_LARGE),
        };
        if let Some(log) = &mut log {
            match &reply {
                Reply::Answer(response) => log.note_response(response),
                Reply::Drop => log.note_drop(),
            }
        }
        let Reply::Answer(response) = reply else {
            return Err(ConnectorError::io("the connection was dropped, as a fault says".into()));
        };
        if response.status == 500 {
            tracing::error!(request_id, "answered with an internal error");
        }
        finish(response, request_id)
    }

    async fn call(
        self: &Arc<Self>,
        target: Option<&str>,
        body: Bytes,
        request_id: &str,
        log: Option<&mut CallLog>,
    ) -> Reply {
        let operation = self.wire.operation(target, &body);
        if let Some(log) = log {
            log.note_request(operation.as_ref().ok().copied(), &body);
        }
        let operation = match operation {
            Ok(operation) => operation,
            Err(response) => return Reply::Answer(response),
        };
        let mut admission = self.wire.admit(operation, &body, Some(request_id));
        let runtime = Handle::try_current().ok();
        if runtime.is_some()
            && let Some(delay) = admission.take_delay()
        {
            TokioSleep::new().sleep(delay).await;
        }
        let may_block = match operation.class() {
            OperationClass::Write => false,
            OperationClass::PointRead => self.wire.pretender().is_remote(),
            OperationClass::Blocking => true,
        };
        match runtime {
            Some(runtime) if may_block => self.carry_out_apart(&runtime, admission, body).await,
            // Without a runtime of tokio there is none that could be held up.
            Some(_) | None => self.wire.carry_out(admission, &body).await,
        }
    }

    /// Carries out a request on a thread that may block.
    async fn carry_out_apart(self: &Arc<Self>, runtime: &Handle, admission: Admission, body: Bytes) -> Reply {
        let front = self.clone();
        match runtime.spawn_blocking(move || front.wire.carry_out_blocking(admission, &body)).await {
            Ok(reply) => reply,
            Err(error) => match error.try_into_panic() {
                // Caught again, and answered, where the request id is known.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Reply::Answer(Response::unavailable()),
            },
        }
    }
}

/// Adds the headers that the server adds.
fn finish(response: Response, request_id: String) -> Result<HttpResponse, ConnectorError> {
    let status =
        StatusCode::try_from(response.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let (length, checksum) = (response.body.len(), pdb_wire::checksum(&response.body));
    let mut answer = HttpResponse::new(status, SdkBody::from(response.body));
    let headers = answer.headers_mut();
    headers.insert("server", "Server");
    headers.insert("content-type", "application/x-amz-json-1.0");
    headers.insert("content-length", length.to_string());
    headers.insert("x-amzn-requestid", request_id);
    headers.insert("x-amz-crc32", checksum.to_string());
    Ok(answer)
}

#[cfg(test)]
mod tests;
