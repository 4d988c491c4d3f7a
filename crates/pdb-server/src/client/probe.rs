//! Checking whether a server is ready.

use std::time::Duration;

use serde_json::Value;

use super::Endpoint;
use super::failure::Unanswered;

/// Timeout of one request. The server itself gives its database two seconds.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Checks whether a server is ready.
#[derive(Debug)]
pub(crate) struct Probe {
    agent: ureq::Agent,
    endpoint: Endpoint,
}

/// Why a server is not ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeFailure {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error("pretender at {endpoint} is not ready: {reason}")]
    NotReady { endpoint: Endpoint, reason: String },
    #[error("{endpoint} answered with status {status}, but is not pretender")]
    Other { endpoint: Endpoint, status: u16 },
}

impl ProbeFailure {
    /// Returns whether a retry may succeed, for example while the server is starting.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unanswered(failure) => failure.is_transient(),
            Self::NotReady { .. } => true,
            Self::Other { .. } => false,
        }
    }
}

impl Probe {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { agent: endpoint.agent(Some(TIMEOUT)), endpoint }
    }

    /// Asks once. Returns a line for people about the server that is ready.
    pub(crate) fn ask(&self) -> Result<String, ProbeFailure> {
        let endpoint = self.endpoint.clone();
        let (status, answer) = self.get("ready")?;
        match (status, answer["status"].as_str()) {
            (200, Some("ready")) => {}
            (503, Some(_)) => {
                let reason = answer["error"].as_str().unwrap_or("it does not say why").to_owned();
                return Err(ProbeFailure::NotReady { endpoint, reason });
            }
            _ => return Err(ProbeFailure::Other { endpoint, status }),
        }
        let (_, answer) = self.get("version")?;
        let version = answer["version"].as_str().unwrap_or("of an unknown version");
        let control = if answer["control"] == true { ", control API on" } else { "" };
        Ok(format!("pretender {version} at {endpoint} is ready{control}"))
    }

    fn get(&self, page: &str) -> Result<(u16, Value), Unanswered> {
        let url = format!("{}/_pretender/{page}", self.endpoint);
        let asked = self.agent.get(url).call().and_then(|mut response| {
            let body = response.body_mut().with_config().limit(64 * 1024).read_to_string()?;
            Ok((response.status().as_u16(), body))
        });
        let (status, body) = asked.map_err(|error| Unanswered::new(&self.endpoint, &error))?;
        // An answer that is not JSON comes from another kind of server.
        Ok((status, serde_json::from_str(&body).unwrap_or_default()))
    }
}
