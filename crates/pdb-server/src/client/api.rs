//! Signed calls to the DynamoDB and DynamoDB Streams APIs, with the same retries as AWS's SDKs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pretender::streams::source::WakeHandle;
use pretender::time::{Clock, SystemClock};
use serde_json::Value;

use super::failure::Unanswered;
use super::retry::{Attempts, pause, rest};
use super::service::Service;
use super::sign::{Call, Credentials, signed_headers};
use super::{Endpoint, answer};

/// Timeout of one attempt.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A page of records is about a megabyte by DynamoDB's measure; its JSON may be several times as large.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// The APIs of a server. Clones share their state.
///
/// ```ignore
/// let api = self.connection.api(&[&self.table])?;
/// let input = json!({ "TableName": self.table });
/// let answer = api.call(Service::DynamoDb, "DescribeTable", &input)?;
/// println!("{}", answer["Table"]["TableStatus"]);
/// ```
///
/// A call is retried, even if it is a write, if the server is busy or failing, or if the connection breaks. Each cause
/// is reported once on standard error. If all attempts fail, the result is an [`ApiFailure`], whose text is for people:
/// return it with `?`, or look at its [`code`](ApiFailure::code) first, such as `ResourceNotFoundException`.
#[derive(Clone, Debug)]
pub(crate) struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    items: Host,
    streams: Host,
    region: String,
    credentials: Credentials,
    /// Ends the pauses between attempts.
    stop: WakeHandle,
    retries_disabled: AtomicBool,
    /// The causes that have been reported.
    reported: Mutex<BTreeSet<String>>,
    /// Missing table names, with the similar names that were found.
    similar: Mutex<BTreeMap<String, Option<String>>>,
}

#[derive(Debug)]
struct Host {
    endpoint: Endpoint,
    agent: ureq::Agent,
}

/// How a call fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiFailure {
    /// No answer: nothing listens on the port, or the connection broke.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// The answer does not come from one of these APIs.
    #[error("{endpoint} does not speak the {api}: it answered {status}")]
    NotTheApi { endpoint: Endpoint, api: &'static str, status: u16 },
    /// The answer to a change was lost, and the change must not be repeated.
    #[error("{0}: the change may or may not have been made; check before you run the command again")]
    Lost(Unanswered),
    /// An exception of the API.
    #[error("{}", refusal(.code, .message))]
    Refused { code: String, message: String, status: u16 },
}

fn refusal(code: &str, message: &str) -> String {
    if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") }
}

impl Api {
    pub(super) fn new(
        items: Endpoint,
        streams: Endpoint,
        region: String,
        credentials: Credentials,
        stop: WakeHandle,
    ) -> Self {
        let host = |endpoint: Endpoint| Host { agent: endpoint.agent(Some(TIMEOUT)), endpoint };
        Self(Arc::new(Inner {
            items: host(items),
            streams: host(streams),
            region,
            credentials,
            stop,
            retries_disabled: AtomicBool::new(false),
            reported: Mutex::default(),
            similar: Mutex::default(),
        }))
    }

    /// Returns the endpoint of a service.
    pub(crate) fn endpoint(&self, service: Service) -> &Endpoint {
        &self.host(service).endpoint
    }

    /// Returns the region that requests are signed for.
    pub(crate) fn region(&self) -> &str {
        &self.0.region
    }

    /// Calls an operation of a service, such as `Service::DynamoDb` and `"GetItem"`, with its input in the form of the
    /// API. Returns the output, which is an object.
    ///
    /// # Errors
    ///
    /// The [`ApiFailure`] of the last attempt.
    pub(crate) fn call(&self, service: Service, operation: &str, input: &Value) -> Result<Value, ApiFailure> {
        self.call_until(service, operation, input, |failure| failure)
    }

    /// Variant of [`call`](Self::call) for a change that must not be repeated, or whose answer says whether it was
    /// made. It is not retried if the change may already have been made.
    ///
    /// # Errors
    ///
    /// The [`ApiFailure`] of the last attempt; [`ApiFailure::Lost`] if there was no answer.
    pub(crate) fn call_once(
        &self,
        service: Service,
        operation: &str,
        input: &Value,
    ) -> Result<Value, ApiFailure> {
        self.call_until(service, operation, input, |failure| match failure {
            ApiFailure::Unanswered(unanswered) if !unanswered.is_refused() => ApiFailure::Lost(unanswered),
            failure => failure,
        })
    }

    fn call_until(
        &self,
        service: Service,
        operation: &str,
        input: &Value,
        judge: fn(ApiFailure) -> ApiFailure,
    ) -> Result<Value, ApiFailure> {
        let body = input.to_string();
        let mut tries = 0;
        loop {
            let failure = match self.try_once(service, operation, &body) {
                Ok(answer) => return Ok(answer),
                Err(failure) => judge(failure),
            };
            tries += 1;
            let Attempts(most) = failure.tries();
            if self.retries_disabled() {
                if failure.is_transient() {
                    self.report_retry(operation, &failure);
                }
                return Err(failure);
            }
            if tries >= most {
                return Err(failure);
            }
            self.report_retry(operation, &failure);
            if !rest(&self.0.stop, pause(tries)) {
                return Err(failure);
            }
        }
    }

    /// From now on, makes only one attempt per call. For callers that retry by themselves, and have other work in
    /// between.
    pub(crate) fn disable_retries(&self) {
        self.0.retries_disabled.store(true, Ordering::Relaxed);
    }

    /// Returns whether only one attempt is made per call.
    pub(super) fn retries_disabled(&self) -> bool {
        self.0.retries_disabled.load(Ordering::Relaxed)
    }

    /// Reports that a call will be retried, once for each cause, and again if a call succeeded in between.
    fn report_retry(&self, operation: &str, failure: &ApiFailure) {
        let (cause, text) = match failure {
            ApiFailure::Unanswered(unanswered) | ApiFailure::Lost(unanswered) => {
                (String::new(), unanswered.reason())
            }
            ApiFailure::NotTheApi { endpoint, status, .. } => {
                (status.to_string(), format!("{endpoint} answered {status} to {operation}"))
            }
            ApiFailure::Refused { code, .. } => (code.clone(), format!("{operation} failed: {failure}")),
        };
        if self.reported().insert(cause) {
            crate::terminal::warn(&format!("{text}; retrying"));
        }
    }

    /// Returns the similar name of a missing table. Searches for it only once.
    pub(super) fn known_similar(&self, table: &str, look: impl FnOnce() -> Option<String>) -> Option<String> {
        let known = || self.0.similar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(similar) = known().get(table) {
            return similar.clone();
        }
        let similar = look();
        known().insert(table.to_owned(), similar.clone());
        similar
    }

    fn reported(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self, service: Service) -> &Host {
        match service {
            Service::DynamoDb => &self.0.items,
            Service::Streams => &self.0.streams,
        }
    }

    fn try_once(&self, service: Service, operation: &str, body: &str) -> Result<Value, ApiFailure> {
        let host = self.host(service);
        let (status, body) = self
            .post(host, &service.target(operation), body)
            .map_err(|error| Unanswered::new(&host.endpoint, &error))?;
        self.reported().remove("");
        let answer = answer::parse(&body).unwrap_or_default();
        if (200..300).contains(&status) && answer.is_object() {
            return Ok(answer);
        }
        let Some(code) = answer["__type"].as_str() else {
            return Err(ApiFailure::NotTheApi {
                endpoint: host.endpoint.clone(),
                api: service.name(),
                status,
            });
        };
        let code = code.rsplit('#').next().unwrap_or(code).to_owned();
        let message = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
        Err(ApiFailure::Refused { code, message: message.to_owned(), status })
    }

    fn post(&self, host: &Host, target: &str, body: &str) -> Result<(u16, String), ureq::Error> {
        let call = Call {
            host: host.endpoint.host(),
            path: host.endpoint.path(),
            region: &self.0.region,
            target,
            body,
        };
        // Servers that check signatures compare the time with the true time.
        let signed = signed_headers(&self.0.credentials, call, SystemClock.now());
        let mut request = host
            .agent
            .post(host.endpoint.to_string())
            .header("Content-Type", "application/x-amz-json-1.0")
            .header("X-Amz-Target", target);
        for (name, value) in signed {
            request = request.header(name, value);
        }
        let mut response = request.send(body)?;
        let body = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string()?;
        Ok((response.status().as_u16(), body))
    }
}

impl ApiFailure {
    /// Returns the name of the exception, such as `ResourceNotFoundException`.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Returns whether the same call may succeed later, because the server is absent, busy or failing at the moment.
    pub(crate) fn is_transient(&self) -> bool {
        self.tries() != Attempts::ONCE
    }

    fn tries(&self) -> Attempts {
        match self {
            Self::Unanswered(unanswered) => unanswered.tries(),
            Self::NotTheApi { status: 500.., .. } | Self::Refused { status: 500.., .. } => Attempts::BUSY,
            Self::Refused { code, .. } if is_transient(code) => Attempts::BUSY,
            Self::NotTheApi { .. } | Self::Refused { .. } | Self::Lost(_) => Attempts::ONCE,
        }
    }
}

/// Returns whether AWS's SDKs retry this exception.
fn is_transient(code: &str) -> bool {
    matches!(
        code,
        "ThrottlingException"
            | "Throttling"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "TransactionInProgressException"
            | "ReplicatedWriteConflictException"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "InternalServerError"
            | "InternalFailure"
            | "ServiceUnavailable"
            | "SlowDown"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transient_errors_are_retried() {
        for (code, status, tries) in [
            ("ThrottlingException", 400, Attempts::BUSY),
            ("ProvisionedThroughputExceededException", 400, Attempts::BUSY),
            ("LimitExceededException", 400, Attempts::BUSY),
            ("InternalServerError", 500, Attempts::BUSY),
            ("ServiceUnavailable", 503, Attempts::BUSY),
            ("Unheard", 500, Attempts::BUSY),
            ("ValidationException", 400, Attempts::ONCE),
            ("ResourceNotFoundException", 400, Attempts::ONCE),
            ("ConditionalCheckFailedException", 400, Attempts::ONCE),
            ("UnrecognizedClientException", 400, Attempts::ONCE),
        ] {
            let failure = ApiFailure::Refused { code: code.to_owned(), message: String::new(), status };
            assert_eq!((failure.tries(), failure.is_transient()), (tries, tries != Attempts::ONCE), "{code}");
            assert_eq!((failure.code(), &*failure.to_string()), (Some(code), code));
        }
        let endpoint: Endpoint = "localhost".parse().unwrap();
        for (status, tries) in [(200, Attempts::ONCE), (404, Attempts::ONCE), (502, Attempts::BUSY)] {
            let endpoint = endpoint.clone();
            assert_eq!(ApiFailure::NotTheApi { endpoint, api: "", status }.tries(), tries);
        }
        for (kind, tries) in [
            (std::io::ErrorKind::ConnectionRefused, Attempts::ABSENT),
            (std::io::ErrorKind::ConnectionReset, Attempts::BUSY),
            (std::io::ErrorKind::UnexpectedEof, Attempts::BUSY),
            (std::io::ErrorKind::TimedOut, Attempts::SLOW),
            (std::io::ErrorKind::PermissionDenied, Attempts::ONCE),
        ] {
            let error = ureq::Error::Io(kind.into());
            assert_eq!(ApiFailure::from(Unanswered::new(&endpoint, &error)).tries(), tries, "{kind}");
        }
    }

    #[test]
    fn a_server_that_is_not_there_is_asked_for() {
        let refused = ureq::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        let text = |endpoint: &str| Unanswered::new(&endpoint.parse().unwrap(), &refused).to_string();
        let here =
            "http://localhost:8000 cannot be reached: connection refused; is `pretender serve` running?";
        assert_eq!(text("localhost"), here);
        assert_eq!(text("http://db:8000"), "http://db:8000 cannot be reached: connection refused");
    }
}
