//! Reading the metrics of a server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pdb_server::ControlToken;
use pretender::streams::source::WakeHandle;
use ureq::http::StatusCode;

use super::{Endpoint, Unanswered, retried};

/// Timeout of one request: a view that is not renewed for longer must say so.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for a hundred thousand shards.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// Requests the metrics of a server: `GET /_pretender/metrics`.
#[derive(Debug)]
pub(crate) struct MetricsClient {
    agent: ureq::Agent,
    endpoint: Endpoint,
    token: Option<ControlToken>,
    /// Whether the server has asked for a token. The token is a secret and not sent before.
    needs_token: AtomicBool,
    region: Option<String>,
}

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetricsFailure {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(
        "{0} needs its control token to show its metrics: give it with --token, or in PRETENDER_CONTROL_TOKEN"
    )]
    NeedsToken(Endpoint),
    #[error("{endpoint} did not accept the control token")]
    WrongToken { endpoint: Endpoint },
    #[error("{endpoint} has no metrics: it is not pretender, or an older version (it answered {status})")]
    NoMetrics { endpoint: Endpoint, status: u16 },
    /// The server is failing at the moment.
    #[error("{endpoint} cannot show its metrics at the moment: it answered {status}")]
    Failing { endpoint: Endpoint, status: u16 },
}

impl MetricsClient {
    /// Creates a client. `region` is the only region to show, if there is one.
    pub(super) fn new(endpoint: Endpoint, token: Option<ControlToken>, region: Option<String>) -> Self {
        let agent = endpoint.agent(Some(TIMEOUT));
        Self { agent, endpoint, token, needs_token: AtomicBool::new(false), region }
    }

    /// Returns the server.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the only region to show, if one was chosen.
    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Variant of [`read`](Self::read) for a server that may be about to start. Retries for a moment if nothing listens
    /// on the port.
    ///
    /// # Errors
    ///
    /// The [`MetricsFailure`] of the last attempt.
    pub(crate) fn read_first(&self) -> Result<String, MetricsFailure> {
        retried(
            &WakeHandle::default(),
            || self.read(),
            |failure| match failure {
                MetricsFailure::Unanswered(unanswered) if unanswered.is_refused() => Some(unanswered),
                _ => None,
            },
        )
    }

    /// Returns the metrics in the text format of Prometheus. Makes one attempt.
    ///
    /// # Errors
    ///
    /// The [`MetricsFailure`].
    pub(crate) fn read(&self) -> Result<String, MetricsFailure> {
        let needed_token = self.needs_token.load(Ordering::Relaxed);
        let (status, text) = self.get(needed_token)?;
        if status != StatusCode::UNAUTHORIZED {
            return self.checked(status, text);
        }
        match &self.token {
            None => Err(MetricsFailure::NeedsToken(self.endpoint.clone())),
            Some(_) if needed_token => self.checked(status, text),
            Some(_) => {
                self.needs_token.store(true, Ordering::Relaxed);
                let (status, text) = self.get(true)?;
                self.checked(status, text)
            }
        }
    }

    fn checked(&self, status: StatusCode, text: String) -> Result<String, MetricsFailure> {
        let endpoint = || self.endpoint.clone();
        match status.as_u16() {
            200 => Ok(text),
            401 => Err(MetricsFailure::WrongToken { endpoint: endpoint() }),
            status @ 500.. => Err(MetricsFailure::Failing { endpoint: endpoint(), status }),
            status => Err(MetricsFailure::NoMetrics { endpoint: endpoint(), status }),
        }
    }

    fn get(&self, is_trusted: bool) -> Result<(StatusCode, String), Unanswered> {
        let url = format!("{}/_pretender/metrics", self.endpoint);
        let mut request = self.agent.get(url).header("Accept", "text/plain");
        if let Some(token) = self.token.as_ref().filter(|_| is_trusted) {
            request = request.header("Authorization", format!("Bearer {}", token.secret()));
        }
        let answered = request.call().and_then(|mut response| {
            let text = response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string()?;
            Ok((response.status(), text))
        });
        answered.map_err(|error| Unanswered::new(&self.endpoint, &error))
    }
}
