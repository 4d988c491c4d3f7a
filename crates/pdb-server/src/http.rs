//! HTTP around the wire: which request is an API call, what it must carry, and the headers of every answer.

mod answer;
mod answer_body;
mod answer_budget;
mod auth;
mod backup;
mod body;
mod budget;
mod command_log;
mod encoding;
mod guard;
mod host;
mod origin;
mod status;
mod unpack;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use pdb_model::ApiError;
use pdb_wire::{Admission, CallLog, OperationClass, Reply, RequestIds, Wire};
use tokio::sync::watch;

use crate::ServerOptions;
use crate::backup::Backups;
use crate::control::{self, Control};
use crate::pace::PaceLimits;
use crate::regions::{RegionError, Regions};
use answer::{Answer, HttpResponse, MediaType};
use answer_budget::{AnswerBudget, Kept};
use body::ReadError;
use budget::{Budget, Permit};
use command_log::CommandLog;
use encoding::{Encoding, UnknownEncoding};
use guard::{Guard, Refused};
use origin::Cors;
use status::{Status, StatusPage};

pub(crate) use budget::{Contention, SMALL};
pub use host::{HostName, NotAHostName};
pub use origin::{CorsOrigin, NotAnOrigin};

/// The most bytes of request line and headers.
const MOST_HEAD_BYTES: usize = 16 * 1024;
/// Answers above this length are packed for clients that ask for it; at AWS the limit lies there, too, says a public report
/// (EfficientDynamoDb, issue 259). Errors are never packed, which the same report says of AWS.
const LEAST_PACKED_BYTES: usize = 4 * 1024;
/// Answers up to this length are packed between two other requests, which takes less than a switch of threads is worth.
const MOST_BYTES_PACKED_AT_ONCE: usize = 32 * 1024;

/// The connection of a request is to end without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was dropped, as a fault says")]
pub(crate) struct Dropped;

/// What all connections share.
pub(crate) struct Front {
    wire: Arc<Wire>,
    /// Where requests for other regions are answered from, if that is another place.
    regions: Option<Regions>,
    /// The database is on a server: also short reads wait.
    is_remote: bool,
    control: Option<Arc<Control>>,
    guard: Guard,
    status: Status,
    region: String,
    /// Where clients reach this server.
    endpoint: String,
    root_status: u16,
    pace_limits: PaceLimits,
    requests: Budget,
    answers: AnswerBudget,
    request_ids: RequestIds,
    backups: Backups,
}

impl Front {
    /// `endpoint` is where clients reach this server; `stopping` becomes true when it is to stop.
    pub(crate) fn new(
        regions: Regions,
        control: Option<Control>,
        endpoint: String,
        options: &ServerOptions,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let home = regions.home();
        Self {
            status: Status::new(&regions, options, stopping),
            is_remote: home.is_remote(),
            wire: Arc::new(regions.wire(home.clone(), &endpoint)),
            region: regions.home_region().to_owned(),
            endpoint,
            regions: Some(regions).filter(Regions::are_separate),
            control: control.map(Arc::new),
            guard: Guard::new(options),
            root_status: options.root_status,
            pace_limits: options.pace_limits(),
            requests: Budget::new(options.bytes_in_flight, options.body_timeout),
            answers: AnswerBudget::new(options.bytes_in_flight, options.body_timeout),
            request_ids: RequestIds::new(),
            backups: Backups::new(),
        }
    }

    /// Returns what tells whether answers wait for others that are not fetched.
    pub(crate) fn contention(&self) -> &Contention {
        self.answers.contention()
    }

    /// Answers one request of a client. There is always an answer, unless the user has asked that there be none.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<HttpResponse, Dropped> {
        let request_id = self.request_ids.next();
        let (parts, body) = request.into_parts();
        let cors = match self.admit(&parts) {
            Ok(cors) => cors,
            Err(refused) => {
                let reason = refused.text.as_str();
                let (method, path) = (parts.method.as_str(), parts.uri.path());
                tracing::info!(request_id = %request_id, %peer, method, path, reason, "refused a request");
                return Ok(Answer::refused(&parts, &refused).finish(&request_id, Cors::NotAsked));
            }
        };
        let routed = pdb_wire::caught(self.route(&parts, body, &cors, &request_id, peer)).await;
        let routed = routed.unwrap_or_else(|message| {
            let target = target(&parts.headers).unwrap_or_default();
            tracing::error!(request_id = %request_id, target, panic = message, "an operation failed on a bug");
            Some(Answer::internal_error())
        });
        let Some(answer) = routed else { return Err(Dropped) };
        if answer.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(request_id = %request_id, "answered with an internal error");
        }
        Ok(answer.finish(&request_id, cors))
    }

    /// Decides, by its head alone, whether a request is looked at, and what a web page may do with its answer.
    fn admit(&self, parts: &Parts) -> Result<Cors, Refused> {
        self.guard.check_host(parts)?;
        if !control::is_below(parts.uri.path()) {
            return self.guard.check_call(parts);
        }
        // What the server tells of itself it tells anybody.
        let is_command = self.control.is_some() && StatusPage::of(parts).is_none();
        if is_command || backup::is_asked_for(parts) {
            self.guard.check_command(parts)?;
        }
        if backup::is_asked_for(parts) {
            self.guard.check_backup()?;
        }
        // Below the commands no page is answered, whether there are commands or not.
        Ok(Cors::NotAsked)
    }

    /// The answer to a request; none if the connection is to be dropped.
    async fn route(
        self: &Arc<Self>,
        parts: &Parts,
        body: Incoming,
        cors: &Cors,
        request_id: &str,
        peer: SocketAddr,
    ) -> Option<Answer> {
        if head_bytes(parts) > MOST_HEAD_BYTES {
            return Some(Answer::empty(StatusCode::BAD_REQUEST));
        }
        if let Some(page) = StatusPage::of(parts) {
            return Some(self.status.answer(page).await);
        }
        if backup::is_asked_for(parts) {
            return Some(self.back_up(parts, body, peer).await);
        }
        if let Some(control) = &self.control
            && let Some(command) = parts.uri.path().strip_prefix(control::PATH)
        {
            return Some(self.command(control, parts, command, body, peer).await);
        }
        let is_root = parts.uri.path() == "/";
        Some(match parts.method {
            Method::POST if is_root => match MediaType::of(&parts.headers) {
                Some(media_type) => return self.call(parts, body, media_type, request_id).await,
                None => Answer::unknown_operation_page(),
            },
            Method::GET if is_root => Answer::root(self.root_status, &self.region),
            Method::OPTIONS if *cors != Cors::NotAsked => Answer::preflight(&parts.headers),
            _ => Answer::unknown_operation_page(),
        })
    }

    /// Answers a call of the APIs, and tells the log of it.
    async fn call(
        self: &Arc<Self>,
        parts: &Parts,
        body: Incoming,
        media_type: MediaType,
        request_id: &str,
    ) -> Option<Answer> {
        let mut log = CallLog::is_wanted()
            .then(|| CallLog::new(request_id, target(&parts.headers), user_agent(&parts.headers)));
        let answer = self.carry_out(parts, body, media_type, request_id, log.as_mut()).await;
        if let Some(log) = &mut log {
            match &answer {
                Some(answer) => log.note_status(answer.status.as_u16(), answer.bytes()),
                None => log.note_drop(),
            }
        }
        answer
    }

    async fn carry_out(
        self: &Arc<Self>,
        parts: &Parts,
        body: Incoming,
        media_type: MediaType,
        request_id: &str,
        mut log: Option<&mut CallLog>,
    ) -> Option<Answer> {
        // Until there is an answer.
        let (body, permit) = match self.read(parts, body).await {
            Ok(body) => body,
            Err(answer) => return Some(answer),
        };
        let operation = self.wire.operation(target(&parts.headers), &body);
        if let Some(log) = &mut log {
            log.note_request(operation.as_ref().ok().copied(), &body);
        }
        let answered = |response: pdb_wire::Response, log: Option<&mut CallLog>| {
            if let Some(log) = log {
                log.note_response(&response);
            }
            Some(Answer::of(response, media_type))
        };
        let operation = match operation {
            Ok(operation) => operation,
            Err(response) => return answered(response, log),
        };
        if let Err(reason) = auth::check(parts) {
            return answered(self.wire.refuse(&body, &reason), log);
        }
        let elsewhere = match self.wire_elsewhere(parts).await {
            Ok(elsewhere) => elsewhere,
            Err(reason) => return answered(self.wire.refuse(&body, &reason), log),
        };
        let wire = elsewhere.as_ref().unwrap_or(&self.wire);
        let mut admission = wire.admit(operation, &body, Some(request_id));
        if let Some(delay) = admission.take_delay() {
            tokio::time::sleep(delay).await;
        }
        let Some(place) = self.answers.admit(operation, &body).await else {
            return Some(Answer::no_room());
        };
        let may_block = match operation.class() {
            OperationClass::Write => false,
            OperationClass::PointRead => self.is_remote,
            OperationClass::Blocking => true,
        };
        let reply = if may_block {
            carry_out_blocking(wire.clone(), admission, body).await
        } else {
            let body = body;
            wire.carry_out(admission, &body).await
        };
        // The body is gone, whatever its answer waits for.
        drop(permit);
        let response = reply.answer()?;
        if let Some(log) = log {
            log.note_response(&response);
        }
        let encoding = if response.body.len() > LEAST_PACKED_BYTES && response.status == 200 {
            Encoding::of_answer(&parts.headers)
        } else {
            None
        };
        let Some(kept) = self.answers.keep(place, response.body).await else {
            return Some(Answer::no_room());
        };
        Some(match encoding {
            None => Answer::with_body(response.status, kept.into_bytes(), media_type),
            Some(encoding) => match pack(encoding, kept).await {
                Some((kept, is_packed)) => {
                    let answer = Answer::with_body(response.status, kept.into_bytes(), media_type);
                    answer.encoded(Some(encoding).filter(|_| is_packed))
                }
                None => Answer::of(pdb_wire::Response::unavailable(), media_type),
            },
        })
    }

    /// What answers a request for another region, if regions are kept apart.
    async fn wire_elsewhere(&self, parts: &Parts) -> Result<Option<Arc<Wire>>, ApiError> {
        let Some(regions) = &self.regions else { return Ok(None) };
        // Who signs for no region means this one.
        let Some(region) = auth::region(parts) else { return Ok(None) };
        let region = regions.name_of(&region);
        if region == self.region {
            return Ok(None);
        }
        if let Some(wire) = regions.find(&region) {
            return Ok(Some(wire));
        }
        let refused = |error: RegionError| {
            if let RegionError::Open(source) = &error {
                tracing::error!(error = source as &dyn std::error::Error, "{error}");
            }
            error.refusal()
        };
        // No more than one thread waits for one region, which may take long on a server that does not answer.
        let turn = regions.turn(&region).map_err(refused)?;
        let held = turn.held().await;
        let endpoint = self.endpoint.clone();
        let opened = blocking(move || {
            let opened = turn.open(&endpoint);
            drop(held);
            opened
        });
        opened.await.unwrap_or(Err(RegionError::Closed)).map(Some).map_err(refused)
    }

    async fn command(
        &self,
        control: &Arc<Control>,
        parts: &Parts,
        command: &str,
        body: Incoming,
        peer: SocketAddr,
    ) -> Answer {
        let (body, _permit) = match self.read(parts, body).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let log = CommandLog::begin(parts, command, &body, peer);
        let (control, method, command) = (control.clone(), parts.method.clone(), command.to_owned());
        let region = control::RegionInQuery::of(parts.uri.query());
        match blocking(move || control.execute(&method, &command, &region, &body)).await {
            Some((status, answer)) => {
                if let Some(log) = log {
                    log.tell(status, &answer);
                }
                Answer::json(status, &answer)
            }
            None => Answer::of(pdb_wire::Response::unavailable(), MediaType::Json),
        }
    }

    /// Reads the body, or says what to answer if that cannot be.
    async fn read(&self, parts: &Parts, body: Incoming) -> Result<(Bytes, Permit), Answer> {
        match body::read(&parts.headers, body, &self.requests, &self.pace_limits).await {
            Ok(body) => Ok(body),
            Err(ReadError::TooLarge) => Err(Answer::empty(StatusCode::PAYLOAD_TOO_LARGE).closing()),
            Err(ReadError::TimedOut) => Err(Answer::empty(StatusCode::REQUEST_TIMEOUT).closing()),
            Err(ReadError::Broken(error)) => {
                tracing::debug!(%error, "a request body could not be read");
                Err(Answer::empty(StatusCode::BAD_REQUEST).closing())
            }
            Err(ReadError::NoPermit) => Err(Answer::no_room()),
            Err(ReadError::NotEncoded(encoding)) => {
                let name = encoding.as_str();
                Err(Answer::not_encoded(parts, &format!("the request body is not encoded as {name}")))
            }
            Err(ReadError::UnknownEncoding(UnknownEncoding(name))) => {
                let text = format!("request bodies may be encoded as gzip or deflate, not as `{name}`");
                Err(Answer::not_encoded(parts, &text))
            }
        }
    }
}

async fn carry_out_blocking(wire: Arc<Wire>, admission: Admission, body: Bytes) -> Reply {
    let reply = blocking(move || wire.carry_out_blocking(admission, &body)).await;
    reply.unwrap_or_else(|| Reply::Answer(pdb_wire::Response::unavailable()))
}

/// Does work on a thread that may wait; `None` if the server is being stopped.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(output) => Some(output),
        Err(error) => match error.try_into_panic() {
            // Caught again, and answered, where the request id is known.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}

/// Packs an answer, unless that makes it longer; tells whether it did. `None` if the server is being stopped. The answer has its permit
/// meanwhile, so that only so much waits to be packed.
async fn pack(encoding: Encoding, mut kept: Kept) -> Option<(Kept, bool)> {
    let is_short = kept.bytes().len() <= MOST_BYTES_PACKED_AT_ONCE;
    let work = move || {
        let packed = encoding.pack(kept.bytes());
        let is_shorter = packed.len() < kept.bytes().len();
        if is_shorter {
            kept.replace(packed);
        }
        (kept, is_shorter)
    };
    if is_short { Some(work()) } else { blocking(work).await }
}

/// The operation that a request names.
fn target(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target").and_then(|target| target.to_str().ok())
}

/// The client that has sent a request, as SDKs call themselves; in browsers they cannot say so in `User-Agent`.
fn user_agent(headers: &HeaderMap) -> Option<&str> {
    let named = headers.get("x-amz-user-agent").or_else(|| headers.get(USER_AGENT));
    named.and_then(|agent| agent.to_str().ok())
}

/// The size of request line and headers, about as they were sent.
fn head_bytes(parts: &Parts) -> usize {
    let uri = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let headers: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    uri + headers
}
