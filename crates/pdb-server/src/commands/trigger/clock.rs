//! The clock of a server that lets its clock be moved.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pdb_server::ControlToken;
use pretender::streams::source::WakeHandle;
use pretender::time::{Clock, EpochMillis};
use serde_json::Value;
use ureq::http::StatusCode;

use super::super::wait::NotStarted;
use crate::client::{Api, Endpoint, Service, Unanswered, retried, with_token};

/// How old the time may be; it is asked for that often at most.
const FRESH: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(5);

/// The clock of a server with `--control`, which may stand still or be moved.
#[derive(Debug)]
pub(super) struct ServerClock {
    agent: ureq::Agent,
    endpoint: Endpoint,
    /// If the server wants one.
    token: Option<ControlToken>,
    seen: Mutex<(EpochMillis, Instant)>,
}

/// Why the time of a server is not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoTime {
    /// The server wants another token, or one at all.
    #[error(
        "{0} does not tell its time without its token: give it with --token, or in PRETENDER_CONTROL_TOKEN"
    )]
    NeedsToken(Endpoint),
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// What came instead of the time.
enum NotTold {
    Unanswered(Unanswered),
    /// A server of ours wants a token.
    NeedsToken,
    /// It is another server, or shows no clock.
    NoClock,
}

impl ServerClock {
    /// Returns the clock of this server; `None` if it shows none, as one without `--control` and any other endpoint does.
    ///
    /// # Errors
    ///
    /// Without its clock windows and retries would follow another time than the records: if the server wants a token, or cannot be
    /// reached.
    pub(super) fn of(
        api: &Api,
        stop: &WakeHandle,
        token: Option<&ControlToken>,
    ) -> Result<Option<Self>, NoTime> {
        let endpoint = api.endpoint(Service::Streams);
        if endpoint.is_aws() {
            return Ok(None);
        }
        let agent = endpoint.agent(Some(TIMEOUT));
        // As often as any other call.
        let asked = |token| retried(stop, || ask(&agent, endpoint, token), NotTold::unanswered);
        // The token is a secret: only a server of ours that asks for it gets it.
        let (told, token) = match (asked(None), token) {
            (Err(NotTold::NeedsToken), Some(token)) => (asked(Some(token)), Some(token)),
            (told, _) => (told, None),
        };
        match told {
            Ok(now) => {
                let (endpoint, token) = (endpoint.clone(), token.cloned());
                Ok(Some(Self { agent, endpoint, token, seen: Mutex::new((now, Instant::now())) }))
            }
            Err(NotTold::Unanswered(unanswered)) => Err(unanswered.into()),
            Err(NotTold::NeedsToken) => Err(NoTime::NeedsToken(endpoint.clone())),
            Err(NotTold::NoClock) => Ok(None),
        }
    }
}

impl NotTold {
    fn unanswered(&self) -> Option<&Unanswered> {
        match self {
            Self::Unanswered(unanswered) => Some(unanswered),
            Self::NeedsToken | Self::NoClock => None,
        }
    }
}

impl std::convert::From<NoTime> for NotStarted {
    fn from(error: NoTime) -> Self {
        match &error {
            NoTime::Unanswered(unanswered) if unanswered.is_passing() => Self::absent(error),
            _ => Self::lasting(error),
        }
    }
}

impl Clock for ServerClock {
    fn now(&self) -> EpochMillis {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.1.elapsed() >= FRESH {
            // A server that does not answer just now has the time it had.
            let now = ask(&self.agent, &self.endpoint, self.token.as_ref()).unwrap_or(seen.0);
            *seen = (now, Instant::now());
        }
        seen.0
    }
}

/// Asks for the time.
fn ask(
    agent: &ureq::Agent,
    endpoint: &Endpoint,
    token: Option<&ControlToken>,
) -> Result<EpochMillis, NotTold> {
    let request = with_token(agent.get(format!("{endpoint}/_pretender/clock")), token);
    let unanswered = |error| NotTold::Unanswered(Unanswered::new(endpoint, &error));
    let mut response = request.call().map_err(unanswered)?;
    let status = response.status();
    if !status.is_success() && status != StatusCode::UNAUTHORIZED {
        return Err(NotTold::NoClock);
    }
    let text = response.body_mut().read_to_string().map_err(unanswered)?;
    let shown: Value = serde_json::from_str(&text).unwrap_or_default();
    if status == StatusCode::UNAUTHORIZED {
        return Err(if is_ours(&shown) { NotTold::NeedsToken } else { NotTold::NoClock });
    }
    shown["epoch_millis"].as_i64().map(EpochMillis).ok_or(NotTold::NoClock)
}

/// Whether a refusal is one of pretender's control interface.
fn is_ours(refusal: &Value) -> bool {
    let text = refusal["error"].as_str().unwrap_or_default();
    text.contains("PRETENDER_CONTROL_TOKEN") || text.starts_with("the token is not the one")
}
