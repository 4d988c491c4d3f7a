//! The clock of a server that lets its clock be moved.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pretender::{Clock, EpochMillis};
use serde_json::Value;

use crate::endpoint::Endpoint;

/// How old the time may be; it is asked for that often at most.
const FRESH: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(5);

/// The clock of a server with `--control`, which may stand still or be moved.
#[derive(Debug)]
pub(super) struct ServerClock {
    agent: ureq::Agent,
    url: String,
    seen: Mutex<(EpochMillis, Instant)>,
}

impl ServerClock {
    /// Returns the clock of this server; `None` if it shows none, as one without `--control` and any other endpoint does.
    pub(super) fn of(endpoint: &Endpoint) -> Option<Self> {
        if endpoint.region().is_some() {
            // That is AWS.
            return None;
        }
        let (agent, url) = (endpoint.agent(Some(TIMEOUT)), format!("{endpoint}/_pretender/clock"));
        let now = ask(&agent, &url)?;
        Some(Self { agent, url, seen: Mutex::new((now, Instant::now())) })
    }
}

impl Clock for ServerClock {
    fn now(&self) -> EpochMillis {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.1.elapsed() >= FRESH {
            // A server that does not answer just now has the time it had.
            let now = ask(&self.agent, &self.url).unwrap_or(seen.0);
            *seen = (now, Instant::now());
        }
        seen.0
    }
}

fn ask(agent: &ureq::Agent, url: &str) -> Option<EpochMillis> {
    let mut response = agent.get(url).call().ok()?;
    if !response.status().is_success() {
        return None;
    }
    let shown: Value = serde_json::from_str(&response.body_mut().read_to_string().ok()?).ok()?;
    shown["epoch_millis"].as_i64().map(EpochMillis)
}
