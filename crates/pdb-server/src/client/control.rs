//! A client for the control API of a server.

use std::io::Read;

use pdb_server::ControlToken;
use pretender::streams::source::WakeHandle;
use serde_json::Value;

use super::{ConnectionError, Endpoint, Unanswered, retried};

/// Enough for the list of a stream with very many shards.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// Sends commands to a server.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    agent: ureq::Agent,
    endpoint: Endpoint,
    token: Option<ControlToken>,
    region: Option<String>,
    usual_region: Option<String>,
}

/// A backup that is being received from a server.
pub(crate) struct RemoteBackup {
    /// Its length in bytes.
    pub(crate) length: u64,
    /// Its SHA-256 hash, in hexadecimal digits.
    pub(crate) sha256: String,
    /// Other regions for which the server has databases.
    pub(crate) other_regions: Vec<String>,
    pub(crate) reader: Box<dyn Read + Send>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlFailure {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// It is another kind of server, or was started without `--control`.
    #[error("{endpoint} has no control API: start the server with `pretender serve --control`")]
    NoControl { endpoint: Endpoint },
    /// It is another kind of server, or an older version.
    #[error("{endpoint} does not support backups: it is not pretender, or an older version")]
    NoBackups { endpoint: Endpoint },
    #[error("AWS has no control API: name a server that was started with `pretender serve --control`")]
    Aws,
    /// The server refused the command; the text is the server's.
    #[error("{0}")]
    Refused(String),
}

impl Control {
    /// Creates a client. On a server with separate regions, commands apply to `region`; without it, commands for one
    /// region apply to `usual_region`.
    pub(super) fn new(
        endpoint: Endpoint,
        token: Option<ControlToken>,
        region: Option<String>,
        usual_region: Option<String>,
    ) -> Self {
        // No timeout: a command is answered when its work is done, which may take long.
        Self { agent: endpoint.agent(None), endpoint, token, region, usual_region }
    }

    /// Sends a request that changes nothing.
    pub(crate) fn get(&self, command: &str) -> Result<Value, ControlFailure> {
        self.send(|| self.with_token(self.agent.get(self.url(command))).call())
    }

    /// Sends a command.
    pub(crate) fn post(&self, command: &str, body: &Value) -> Result<Value, ControlFailure> {
        let body = body.to_string();
        self.send(|| {
            let request = self.agent.post(self.url(command)).content_type("application/json");
            self.with_token(request).send(&body)
        })
    }

    /// Requests a backup of the database. Returns when the server has made it, and its first bytes have arrived.
    pub(crate) fn backup(&self) -> Result<RemoteBackup, ControlFailure> {
        let url = self.url("backup");
        let request = self.with_token(self.agent.post(url).content_type("application/json"));
        let response = request.send("{}").map_err(|error| Unanswered::new(&self.endpoint, &error))?;
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        let (length, sha256) =
            (header("content-length").and_then(|it| it.parse().ok()), header("x-pretender-sha256"));
        let regions = header("x-pretender-other-regions").unwrap_or_default();
        let other_regions = regions.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        match (length, sha256) {
            (Some(length), Some(sha256)) if response.status().is_success() => {
                let reader = Box::new(response.into_body().into_reader());
                Ok(RemoteBackup { length, sha256, other_regions, reader })
            }
            _ => Err(match self.answer(Ok(response)) {
                Err(failure @ ControlFailure::Refused(_)) => failure,
                _ => ControlFailure::NoBackups { endpoint: self.endpoint.clone() },
            }),
        }
    }

    /// Returns a client for the same server and another region.
    pub(crate) fn in_region(&self, region: &str) -> Self {
        Self { region: Some(region.to_owned()), ..self.clone() }
    }

    fn with_token<Body>(&self, request: ureq::RequestBuilder<Body>) -> ureq::RequestBuilder<Body> {
        with_token(request, self.token.as_ref())
    }

    /// Sends a command, and retries only while there is no connection, because a command that did not reach the server
    /// has had no effect. Any other failure is final.
    fn send(
        &self,
        send: impl Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, ControlFailure> {
        retried(&WakeHandle::default(), || self.answer(send()), refused)
    }

    fn url(&self, command: &str) -> String {
        let query = match (&self.region, &self.usual_region) {
            (Some(region), _) => format!("?region={region}"),
            (None, Some(region)) => format!("?usual_region={region}"),
            (None, None) => String::new(),
        };
        format!("{}/_pretender/{command}{query}", self.endpoint)
    }

    fn answer(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, ControlFailure> {
        let read = response.and_then(|mut response| {
            Ok((
                response.status().is_success(),
                response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string()?,
            ))
        });
        let (succeeded, body) = read.map_err(|error| Unanswered::new(&self.endpoint, &error))?;
        match serde_json::from_str::<Value>(&body) {
            Ok(answer) if succeeded && answer.is_object() => Ok(answer),
            Ok(Value::Object(answer)) if answer.get("error").is_some_and(Value::is_string) => {
                Err(ControlFailure::Refused(answer["error"].as_str().unwrap_or_default().to_owned()))
            }
            _ => Err(ControlFailure::NoControl { endpoint: self.endpoint.clone() }),
        }
    }
}

/// Returns the reason if the server was not reached.
fn refused(failure: &ControlFailure) -> Option<&Unanswered> {
    match failure {
        ControlFailure::Unanswered(unanswered) if unanswered.is_refused() => Some(unanswered),
        _ => None,
    }
}

/// Adds the control token to a request, if there is one.
pub(crate) fn with_token<Body>(
    request: ureq::RequestBuilder<Body>,
    token: Option<&ControlToken>,
) -> ureq::RequestBuilder<Body> {
    match token {
        Some(token) => request.header("Authorization", format!("Bearer {}", token.secret())),
        None => request,
    }
}
