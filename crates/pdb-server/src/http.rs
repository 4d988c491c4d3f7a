//! HTTP around the wire: which request is an API call, what it must contain, and the headers of every answer.

mod admission;
mod answer;
mod answer_body;
mod answer_budget;
mod auth;
mod backup;
mod body;
mod budget;
mod call_notes;
mod call_trace;
mod command_log;
mod console;
mod decompress;
mod encoding;
mod guard;
mod host;
mod metrics;
mod named;
mod origin;
mod status;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use pdb_model::OperationClass;
use pdb_wire::{Host, Operation, Request as Call, RequestIds};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};
use tracing::Instrument;

use crate::backup::Backups;
use crate::blocking::blocking;
use crate::control;
use crate::database::{Database, Shared};
use crate::metrics::Metrics;
use crate::regions::Regions;
use crate::transfer::TransferLimits;
use crate::{Credentials, NamedDatabases, ServerOptions};
use admission::{Admitted, RefusedCall, SentTarget};
use answer::{Answer, HttpResponse, MediaType};
use answer_budget::{AnswerBudget, AnswerSlot, BudgetedAnswer};
use body::ReadError;
use budget::{Budget, BudgetPermit};
use call_notes::CallNotes;
use command_log::CommandLog;
use console::Console;
use encoding::{Encoding, UnknownEncoding};
use guard::{Guard, Refused};
use origin::Cors;
use status::{Status, StatusPage};

pub(crate) use budget::{Contention, SMALL};
pub use host::{HostName, NotAHostName};
pub use origin::{CorsOrigin, NotAnOrigin};

/// The maximum size of request line and headers.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Answers above this length are compressed for clients that ask for it. According to a public report
/// (EfficientDynamoDb, issue 259), the limit is the same on AWS, and errors are never compressed.
const MIN_COMPRESSED_BYTES: usize = 4 * 1024;
/// Answers up to this length are compressed on the thread that answers requests, because that takes less time than
/// handing them to another thread.
const MAX_BYTES_COMPRESSED_INLINE: usize = 32 * 1024;

/// A call with the value `off` meets no faults, on a server with the control API: a test that looks at the result must
/// not use up the faults that are meant for the code under test.
const FAULTS: HeaderName = HeaderName::from_static("x-pretender-faults");

/// The connection of a request must be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("a fault dropped the connection")]
pub(crate) struct DroppedByFault;

/// The state that all connections share.
pub(crate) struct HttpService {
    /// The server's own database.
    home: Arc<Database>,
    /// The databases that requests can name.
    databases: Option<NamedDatabases>,
    /// The keys that calls must be signed with, if the server checks signatures.
    credentials: Option<Credentials>,
    shared: Shared,
    guard: Guard,
    console: Console,
    metrics: Arc<Metrics>,
    /// Lets one scrape read the databases at a time.
    scrapes: Arc<Semaphore>,
    status: Status,
    root_status: u16,
    transfer_limits: TransferLimits,
    requests: Budget,
    answers: AnswerBudget,
    request_ids: RequestIds,
    backups: Backups,
}

impl HttpService {
    /// `stopping` becomes true when the server must stop.
    pub(crate) fn new(
        regions: Regions,
        shared: Shared,
        options: &ServerOptions,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            console: Console::new(options, &shared.endpoint, regions.home().file(), stopping.clone()),
            status: Status::new(&regions, options, stopping),
            home: Arc::new(Database::new(None, regions, options.control.clone(), &shared)),
            databases: options.databases.clone(),
            credentials: options.credentials.clone(),
            shared,
            guard: Guard::new(options),
            metrics: Arc::new(Metrics::new()),
            scrapes: Arc::new(Semaphore::new(1)),
            root_status: options.root_status,
            transfer_limits: options.transfer_limits(),
            requests: Budget::new(options.bytes_in_flight, options.body_timeout),
            answers: AnswerBudget::new(options.bytes_in_flight, options.body_timeout),
            request_ids: RequestIds::new(),
            backups: Backups::new(),
        }
    }

    /// Returns whether answers wait for others that their clients have not received yet.
    pub(crate) fn contention(&self) -> &Contention {
        self.answers.contention()
    }

    /// Answers one request. There is always an answer, unless a fault drops the connection.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<HttpResponse, DroppedByFault> {
        let request_id = self.request_ids.next();
        let (mut parts, body) = request.into_parts();
        if self.credentials.is_some() {
            SentTarget::keep(&mut parts);
        }
        let Ok(name) = self.databases.as_ref().map_or(Ok(None), |_| named::take_name(&mut parts)) else {
            return Ok(Answer::empty(StatusCode::BAD_REQUEST).finish(&request_id, Cors::NotAsked));
        };
        let cors = match self.admit(&parts, peer) {
            Ok(cors) => cors,
            Err(refused) => {
                let reason = refused.text.as_str();
                let (method, path) = (parts.method.as_str(), parts.uri.path());
                let database = name.as_deref();
                tracing::info!(request_id = %request_id, %peer, method, path, database, reason, "refused a request");
                return Ok(Answer::refused(&parts, &refused).finish(&request_id, Cors::NotAsked));
            }
        };
        let routed = pdb_wire::caught(self.route(&parts, name, body, &cors, &request_id, peer)).await;
        let routed = routed.unwrap_or_else(|message| {
            let target = target(&parts.headers).unwrap_or_default();
            tracing::error!(request_id = %request_id, target, panic = message, "an operation failed because of a bug");
            Some(Answer::internal_error())
        });
        let Some(answer) = routed else { return Err(DroppedByFault) };
        if answer.status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(request_id = %request_id, "answered with an internal error");
        }
        Ok(answer.finish(&request_id, cors))
    }

    /// Decides, based only on its head, whether a request is processed, and what a web page may do with the answer.
    fn admit(&self, parts: &Parts, peer: SocketAddr) -> Result<Cors, Refused> {
        self.guard.check_host(parts)?;
        if !control::is_below(parts.uri.path()) {
            return self.guard.check_call(parts);
        }
        if console::is_asked_for(parts) {
            self.guard.check_lock()?;
            self.console.admit(parts, peer)?;
            return Ok(Cors::NotAsked);
        }
        if metrics::is_asked_for(parts) {
            self.guard.check_command(parts)?;
            return Ok(Cors::NotAsked);
        }
        // The status pages are for everyone.
        let is_page = StatusPage::of(parts).is_some();
        let is_command = (self.home.control().is_some() && !is_page) || self.is_for_databases(parts);
        if is_command || backup::is_asked_for(parts) {
            self.guard.check_command(parts)?;
        }
        if backup::is_asked_for(parts) {
            self.guard.check_backup()?;
        }
        // No page may read answers below this path, whether the control API is on or off.
        Ok(Cors::NotAsked)
    }

    /// Returns the answer to a request; `None` if the connection must be closed without one.
    ///
    /// What few requests need is in boxes: the state of every request would have room for it, and is moved several times.
    async fn route(
        self: &Arc<Self>,
        parts: &Parts,
        name: Option<String>,
        body: Incoming,
        cors: &Cors,
        request_id: &str,
        peer: SocketAddr,
    ) -> Option<Answer> {
        if head_bytes(parts) > MAX_HEAD_BYTES {
            return Some(Answer::empty(StatusCode::BAD_REQUEST));
        }
        if let Some(page) = StatusPage::of(parts) {
            return Some(Box::pin(self.status.answer(page)).await);
        }
        let is_own = name.as_deref().is_none_or(|name| name == NamedDatabases::OWN);
        if is_own && self.is_for_databases(parts) {
            return Some(Box::pin(self.command_for_databases(parts, body, peer)).await);
        }
        if metrics::is_asked_for(parts) {
            return Some(Box::pin(self.show_metrics(name.as_deref())).await);
        }
        if console::is_asked_for(parts) {
            return Some(Box::pin(self.show(name.as_deref(), parts, body, peer)).await);
        }
        let is_backup = backup::is_asked_for(parts);
        let is_command = self.home.control().is_some() && parts.uri.path().starts_with(control::PATH);
        if is_backup || is_command {
            let database = match Box::pin(self.database_for_command(name.as_deref(), parts)).await {
                Ok(database) => database,
                Err((status, text)) => return Some(Answer::json(status, &control::error(&text))),
            };
            return Some(if is_backup {
                Box::pin(self.back_up(&database, parts, body, peer)).await
            } else {
                Box::pin(self.command(&database, parts, body, peer)).await
            });
        }
        let is_preflight = parts.method == Method::OPTIONS;
        if self.databases.is_none() && !is_preflight && parts.uri.path().starts_with(named::PREFIX) {
            return Some(self.has_no_databases(parts));
        }
        let is_root = parts.uri.path() == "/";
        Some(match parts.method {
            Method::POST if is_root => match MediaType::of(&parts.headers) {
                Some(media_type) => return self.call(parts, name, body, media_type, request_id).await,
                None => Answer::unknown_operation_page(),
            },
            Method::GET if is_root => Answer::root(self.root_status, self.home.region()),
            Method::OPTIONS if *cors != Cors::NotAsked => Answer::preflight(&parts.headers),
            _ => Answer::unknown_operation_page(),
        })
    }

    /// Answers an API call, logs it and traces it.
    async fn call(
        self: &Arc<Self>,
        parts: &Parts,
        name: Option<String>,
        body: Incoming,
        media_type: MediaType,
        request_id: &str,
    ) -> Option<Answer> {
        let timer = self.metrics.begin();
        let mut notes = CallNotes::begin(parts, request_id);
        let answer = match notes.span() {
            Some(span) => {
                let traced = self.carry_out(parts, name, body, media_type, request_id, &mut notes);
                Box::pin(traced.instrument(span)).await
            }
            None => self.carry_out(parts, name, body, media_type, request_id, &mut notes).await,
        };
        // A request that was refused before it was looked at is still one for an operation.
        let operation = notes.operation().or_else(|| target(&parts.headers).and_then(Operation::from_target));
        let outcome = answer.as_ref().map(|answer| (answer.status.as_u16(), answer.body()));
        self.metrics.count(operation, outcome, timer);
        notes.finish(answer.as_ref());
        answer
    }

    async fn carry_out(
        self: &Arc<Self>,
        parts: &Parts,
        name: Option<String>,
        body: Incoming,
        media_type: MediaType,
        request_id: &str,
        notes: &mut CallNotes,
    ) -> Option<Answer> {
        // In a box, because few servers check signatures.
        let mut hash = self.credentials.as_ref().map(|_| Box::new(Sha256::new()));
        // The permit for the body is held until there is an answer.
        let (body, permit) = match self.read(parts, body, hash.as_deref_mut()).await {
            Ok(body) => body,
            Err(answer) => return Some(answer),
        };
        // The path is more specific than the credentials, which may serve for several databases.
        let name = self.databases.as_ref().and_then(|_| name.or_else(|| auth::key_id(parts)));
        notes.note_request(&body, name.as_deref());
        let hash = hash.map(|hash| hash.finalize().into());
        let Admitted { operation, database, elsewhere, access } =
            match self.admit_call(parts, name.as_deref(), &body, hash.as_ref()).await {
                Ok(admitted) => admitted,
                Err(RefusedCall { answer, for_log }) => {
                    notes.note_response(for_log.as_ref().unwrap_or(&answer));
                    return Some(Answer::of(answer, media_type));
                }
            };
        notes.note_operation(operation);
        let Some(slot) = self.answers.admit(operation, &body).await else {
            return Some(Answer::overloaded());
        };
        let host =
            CallHost { answers: &self.answers, operation, body: body.clone(), slot: Mutex::new(Some(slot)) };
        let context = notes.context(operation, request_id);
        let request = Call::of(operation, body).id(request_id).context(context).log(notes.log());
        let wire = elsewhere.as_ref().unwrap_or(database.wire());
        let is_without_faults = database.control().is_some() && is_off(&parts.headers);
        let without_faults = is_without_faults.then(|| wire.without_faults());
        let wire = without_faults.as_ref().unwrap_or(wire);
        let limited = access.map(|access| wire.for_caller(&access));
        let wire = limited.as_ref().unwrap_or(wire);
        let reply = wire.call_async(request, &host).await;
        let slot = host.into_slot();
        // The body is no longer needed, even if the answer has to wait.
        drop(permit);
        let response = reply.answer()?;
        if operation.class() == OperationClass::PointRead && response.body.len() <= SMALL {
            let_others_read().await;
        }
        let Some(slot) = slot else { return Some(Answer::overloaded()) };
        let encoding = if response.body.len() > MIN_COMPRESSED_BYTES && response.status == 200 {
            Encoding::of_answer(&parts.headers)
        } else {
            None
        };
        let Some(budgeted) = self.answers.keep(slot, response.body).await else {
            return Some(Answer::overloaded());
        };
        Some(match encoding {
            None => Answer::with_body(response.status, budgeted.into_bytes(), media_type),
            Some(encoding) => match Box::pin(compress(encoding, budgeted)).await {
                Some((budgeted, is_compressed)) => {
                    let answer = Answer::with_body(response.status, budgeted.into_bytes(), media_type);
                    answer.encoded(Some(encoding).filter(|_| is_compressed))
                }
                None => Answer::of(pdb_wire::Response::unavailable(), media_type),
            },
        })
    }

    async fn command(&self, database: &Database, parts: &Parts, body: Incoming, peer: SocketAddr) -> Answer {
        let command = parts.uri.path().strip_prefix(control::PATH).unwrap_or_default().to_owned();
        let Some(control) = database.control().cloned() else { return Answer::unknown_operation_page() };
        let (method, region) = (parts.method.clone(), control::RegionInQuery::of(parts.uri.query()));
        let execute = move |body: &[u8]| control.execute(&method, &command, &region, body);
        self.execute(database.name(), parts, body, peer, execute).await
    }

    /// Executes a command on a thread that may block, and logs it.
    async fn execute(
        &self,
        database: Option<&str>,
        parts: &Parts,
        body: Incoming,
        peer: SocketAddr,
        execute: impl FnOnce(&[u8]) -> (StatusCode, serde_json::Value) + Send + 'static,
    ) -> Answer {
        let (body, _permit) = match self.read(parts, body, None).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        let command = parts.uri.path().strip_prefix(control::PATH).unwrap_or_default();
        let log = CommandLog::begin(parts, database, command, &body, peer);
        match blocking(move || execute(&body)).await {
            Some((status, answer)) => {
                if let Some(log) = log {
                    log.tell(status, &answer);
                }
                Answer::json(status, &answer)
            }
            None => Answer::of(pdb_wire::Response::unavailable(), MediaType::Json),
        }
    }

    /// Reads the body, and hashes it as it was sent. If that fails, returns the answer.
    async fn read(
        &self,
        parts: &Parts,
        body: Incoming,
        hash: Option<&mut Sha256>,
    ) -> Result<(Bytes, BudgetPermit), Answer> {
        match body::read(&parts.headers, body, &self.requests, &self.transfer_limits, hash).await {
            Ok(body) => Ok(body),
            Err(ReadError::TooLarge) => Err(Answer::empty(StatusCode::PAYLOAD_TOO_LARGE).closing()),
            Err(ReadError::TimedOut) => Err(Answer::empty(StatusCode::REQUEST_TIMEOUT).closing()),
            Err(ReadError::Broken(error)) => {
                tracing::debug!(%error, "could not read a request body");
                Err(Answer::empty(StatusCode::BAD_REQUEST).closing())
            }
            Err(ReadError::NoPermit) => Err(Answer::overloaded()),
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

/// The timer and the threads of one call. It holds the slot of the answer, except while a fault delays the call.
struct CallHost<'a> {
    answers: &'a AnswerBudget,
    operation: Operation,
    body: Bytes,
    slot: Mutex<Option<AnswerSlot>>,
}

impl CallHost<'_> {
    fn into_slot(self) -> Option<AnswerSlot> {
        self.slot.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_slot(&self, slot: Option<AnswerSlot>) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = slot;
    }
}

impl Host for CallHost<'_> {
    async fn wait(&self, delay: Duration) -> bool {
        // A delay must not affect other calls, so they can use the slot meanwhile.
        self.set_slot(None);
        tokio::time::sleep(delay).await;
        let slot = self.answers.admit(self.operation, &self.body).await;
        let may_go_on = slot.is_some();
        self.set_slot(slot);
        may_go_on
    }

    async fn block<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        blocking(work).await
    }
}

/// Compresses an answer, unless that makes it longer. Returns whether it is compressed; `None` if the server is
/// stopping. The answer holds its permit meanwhile, which limits how much waits to be compressed.
async fn compress(encoding: Encoding, mut budgeted: BudgetedAnswer) -> Option<(BudgetedAnswer, bool)> {
    let is_short = budgeted.bytes().len() <= MAX_BYTES_COMPRESSED_INLINE;
    let work = move || {
        let compressed = encoding.compress(budgeted.bytes());
        let is_shorter = compressed.len() < budgeted.bytes().len();
        if is_shorter {
            budgeted.replace(compressed);
        }
        (budgeted, is_shorter)
    };
    if is_short { Some(work()) } else { blocking(work).await }
}

/// Lets the other tasks of this thread run that are ready.
///
/// They read their requests, and then all answers are sent one after the other: a client that waits for several is woken once. Not for
/// large answers, which would leave the processor's cache meanwhile. Unlike `yield_now` of tokio, this does not ask the system for
/// events first, which a single connection would pay for with each read.
async fn let_others_read() {
    let mut has_yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// Returns the operation that a request names.
fn target(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target").and_then(|target| target.to_str().ok())
}

/// Returns whether the caller wants no faults.
fn is_off(headers: &HeaderMap) -> bool {
    headers.get(FAULTS).is_some_and(|value| value == "off")
}

/// Returns the client that sent a request, in the form of SDKs. In browsers, they cannot set `User-Agent`.
fn user_agent(headers: &HeaderMap) -> Option<&str> {
    let named = headers.get("x-amz-user-agent").or_else(|| headers.get(USER_AGENT));
    named.and_then(|agent| agent.to_str().ok())
}

/// Returns the approximate size of request line and headers.
fn head_bytes(parts: &Parts) -> usize {
    let uri = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
    let headers: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    uri + headers
}
