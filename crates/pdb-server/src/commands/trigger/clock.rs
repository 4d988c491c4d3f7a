//! The clock of a server that lets its clock be moved.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pdb_server::ControlToken;
use pretender::{Clock, EpochMillis};
use serde_json::Value;

use crate::client::{Endpoint, with_token};

/// How old the time may be; it is asked for that often at most.
const FRESH: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(5);

/// The clock of a server with `--control`, which may stand still or be moved.
#[derive(Debug)]
pub(super) struct ServerClock {
    agent: ureq::Agent,
    url: String,
    token: Option<ControlToken>,
    seen: Mutex<(EpochMillis, Instant)>,
}

/// The server wants another token, or one at all.
#[derive(Debug, thiserror::Error)]
#[error(
    "{endpoint} does not tell its time without its token: give it with --token, or in PRETENDER_CONTROL_TOKEN"
)]
pub(super) struct NeedsToken {
    endpoint: Endpoint,
}

impl ServerClock {
    /// Returns the clock of this server; `None` if it shows none, as one without `--control` and any other endpoint does.
    ///
    /// # Errors
    ///
    /// [`NeedsToken`]: without its clock windows and retries would follow another time than the records.
    pub(super) fn of(endpoint: &Endpoint, token: Option<ControlToken>) -> Result<Option<Self>, NeedsToken> {
        if endpoint.region().is_some() {
            // That is AWS.
            return Ok(None);
        }
        let (agent, url) = (endpoint.agent(Some(TIMEOUT)), format!("{endpoint}/_pretender/clock"));
        match ask(&agent, &url, token.as_ref()) {
            Ok(now) => Ok(Some(Self { agent, url, token, seen: Mutex::new((now, Instant::now())) })),
            Err(Some(401)) => Err(NeedsToken { endpoint: endpoint.clone() }),
            Err(_) => Ok(None),
        }
    }
}

impl Clock for ServerClock {
    fn now(&self) -> EpochMillis {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.1.elapsed() >= FRESH {
            // A server that does not answer just now has the time it had.
            let now = ask(&self.agent, &self.url, self.token.as_ref()).unwrap_or(seen.0);
            *seen = (now, Instant::now());
        }
        seen.0
    }
}

/// Asks for the time; fails with the status, if there is an answer at all.
fn ask(agent: &ureq::Agent, url: &str, token: Option<&ControlToken>) -> Result<EpochMillis, Option<u16>> {
    let mut response = with_token(agent.get(url), token).call().map_err(|_| None)?;
    let status = Some(response.status().as_u16());
    if !response.status().is_success() {
        return Err(status);
    }
    let text = response.body_mut().read_to_string().map_err(|_| status)?;
    let shown: Value = serde_json::from_str(&text).map_err(|_| status)?;
    shown["epoch_millis"].as_i64().map(EpochMillis).ok_or(status)
}
