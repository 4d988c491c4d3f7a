//! From the SDK's request to its answer: the part of an HTTP server that is left when there is no socket.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use pdb_wire::{CallLog, Host, Reply, Request, RequestIds, Response, Wire};
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

    /// Answers one request. A bug costs this request an internal error, and does not affect others.
    pub(crate) async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request_id = self.request_ids.next();
        let target = request.headers().get("x-amz-target").map(str::to_owned);
        let mut log = CallLog::is_wanted().then(|| {
            let headers = request.headers();
            let user_agent = headers.get("x-amz-user-agent").or_else(|| headers.get("user-agent"));
            CallLog::new(&request_id, target.as_deref(), user_agent)
        });
        let Some(body) = body::read(request.into_body()).await? else {
            if let Some(log) = &mut log {
                log.note_response(&TOO_LARGE);
            }
            return finish(TOO_LARGE, request_id);
        };
        if let Some(log) = &mut log {
            log.note_request(&body);
        }
        let request = Request::new(target.as_deref(), body).id(&request_id).log(log.as_mut());
        let host = TokioHost(Handle::try_current().ok());
        let reply = match pdb_wire::caught(self.wire.call_async(request, &host)).await {
            Ok(reply) => reply,
            Err(message) => {
                let target = target.unwrap_or_default();
                tracing::error!(request_id, target, panic = message, "an operation failed because of a bug");
                let response = Response::internal_error();
                if let Some(log) = &mut log {
                    log.note_response(&response);
                }
                Reply::Answer(response)
            }
        };
        let Reply::Answer(response) = reply else {
            return Err(ConnectorError::io("the connection was dropped by an injected fault".into()));
        };
        if response.status == 500 {
            tracing::error!(request_id, "answered with an internal error");
        }
        finish(response, request_id)
    }
}

/// Waits and blocks on tokio's threads, if the caller runs on tokio. Elsewhere the caller's thread may block.
struct TokioHost(Option<Handle>);

impl Host for TokioHost {
    async fn wait(&self, delay: Duration) -> bool {
        match &self.0 {
            // Tokio's own timer, which tests may stop.
            Some(_) => TokioSleep::new().sleep(delay).await,
            None => pretender::faults::wait_async(delay).await,
        }
        true
    }

    async fn block<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let Some(runtime) = &self.0 else { return Some(work()) };
        match runtime.spawn_blocking(work).await {
            Ok(output) => Some(output),
            Err(error) => match error.try_into_panic() {
                // Caught again, and answered, where the request id is known.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => None,
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
