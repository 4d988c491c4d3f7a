//! The clock of a server whose clock can be moved.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pdb_server::ControlToken;
use pretender::streams::source::WakeHandle;
use pretender::time::{Clock, EpochMillis};
use serde_json::Value;
use ureq::http::StatusCode;

use super::wait::NotStarted;
use crate::client::{Api, Endpoint, Service, Unanswered, retried, with_token};

/// The maximum age of the cached time, and so the minimum interval between requests for it.
const MAX_AGE: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(5);

/// The clock of a server with `--control`, which may be held or moved.
#[derive(Debug)]
pub(super) struct ServerClock {
    agent: ureq::Agent,
    endpoint: Endpoint,
    /// The control token, if the server needs one.
    token: Option<ControlToken>,
    seen: Mutex<(EpochMillis, Instant)>,
}

/// Why the time of a server is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClockError {
    /// The server needs a token, or a different one.
    #[error(
        "{0} needs its control token to show its time: give it with --token, or in PRETENDER_CONTROL_TOKEN"
    )]
    NeedsToken(Endpoint),
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// What a server answered instead of its time.
enum Refused {
    Unanswered(Unanswered),
    /// It is a pretender server that needs a token.
    NeedsToken,
    /// It is another server, or has no control API.
    NoClock,
}

impl ServerClock {
    /// Returns the clock of a server; `None` if the server has none, because it was started without `--control` or is
    /// not pretender.
    ///
    /// # Errors
    ///
    /// If the server needs a token or cannot be reached. Without the server's clock, windows and retries would follow a
    /// different time than the records.
    pub(super) fn of(
        api: &Api,
        stop: &WakeHandle,
        token: Option<&ControlToken>,
    ) -> Result<Option<Self>, ClockError> {
        let endpoint = api.endpoint(Service::Streams);
        if endpoint.is_aws() {
            return Ok(None);
        }
        let agent = endpoint.agent(Some(TIMEOUT));
        // With the same retries as any other call.
        let asked = |token| retried(stop, || ask(&agent, endpoint, token), Refused::unanswered);
        // The token is a secret: send it only to a pretender server that asks for it.
        let (told, token) = match (asked(None), token) {
            (Err(Refused::NeedsToken), Some(token)) => (asked(Some(token)), Some(token)),
            (told, _) => (told, None),
        };
        match told {
            Ok(now) => {
                let (endpoint, token) = (endpoint.clone(), token.cloned());
                Ok(Some(Self { agent, endpoint, token, seen: Mutex::new((now, Instant::now())) }))
            }
            Err(Refused::Unanswered(unanswered)) => Err(unanswered.into()),
            Err(Refused::NeedsToken) => Err(ClockError::NeedsToken(endpoint.clone())),
            Err(Refused::NoClock) => Ok(None),
        }
    }
}

impl Refused {
    fn unanswered(&self) -> Option<&Unanswered> {
        match self {
            Self::Unanswered(unanswered) => Some(unanswered),
            Self::NeedsToken | Self::NoClock => None,
        }
    }
}

impl std::convert::From<ClockError> for NotStarted {
    fn from(error: ClockError) -> Self {
        match &error {
            ClockError::Unanswered(unanswered) if unanswered.is_transient() => Self::absent(error),
            _ => Self::permanent(error),
        }
    }
}

impl Clock for ServerClock {
    fn now(&self) -> EpochMillis {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.1.elapsed() >= MAX_AGE {
            // If the server does not answer at the moment, use the last known time.
            let now = ask(&self.agent, &self.endpoint, self.token.as_ref()).unwrap_or(seen.0);
            *seen = (now, Instant::now());
        }
        seen.0
    }
}

/// Requests the time.
fn ask(
    agent: &ureq::Agent,
    endpoint: &Endpoint,
    token: Option<&ControlToken>,
) -> Result<EpochMillis, Refused> {
    let request = with_token(agent.get(format!("{endpoint}/_pretender/clock")), token);
    let unanswered = |error| Refused::Unanswered(Unanswered::new(endpoint, &error));
    let mut response = request.call().map_err(unanswered)?;
    let status = response.status();
    if !status.is_success() && status != StatusCode::UNAUTHORIZED {
        return Err(Refused::NoClock);
    }
    let text = response.body_mut().read_to_string().map_err(unanswered)?;
    let shown: Value = serde_json::from_str(&text).unwrap_or_default();
    if status == StatusCode::UNAUTHORIZED {
        return Err(if is_ours(&shown) { Refused::NeedsToken } else { Refused::NoClock });
    }
    shown["epoch_millis"].as_i64().map(EpochMillis).ok_or(Refused::NoClock)
}

/// Returns whether a refusal comes from pretender's control API.
fn is_ours(refusal: &Value) -> bool {
    let text = refusal["error"].as_str().unwrap_or_default();
    text.contains("PRETENDER_CONTROL_TOKEN") || text.starts_with("the token is not the one")
}
