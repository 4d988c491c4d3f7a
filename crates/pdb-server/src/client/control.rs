//! The control interface of a server, over HTTP.

use pdb_server::ControlToken;
use pretender::WakeHandle;
use serde_json::Value;

use super::{ConnectionError, Endpoint, Unanswered, retried};

/// A stream of a great many shards, listed.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// Sends commands to a server.
#[derive(Debug)]
pub(crate) struct Control {
    agent: ureq::Agent,
    endpoint: Endpoint,
    token: Option<ControlToken>,
    region: Option<String>,
    usual_region: Option<String>,
}

/// Why a command was not obeyed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlFailure {
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// What answers is another server, or one without the flag.
    #[error("{endpoint} takes no commands: start the server with `pretender serve --control`")]
    NoControl { endpoint: Endpoint },
    #[error("AWS takes no commands: name a server that was started with `pretender serve --control`")]
    Aws,
    /// The server says why.
    #[error("{0}")]
    Refused(String),
}

impl Control {
    /// Commands are for `region`, on a server that keeps regions apart, else those for one region for `usual_region`.
    pub(super) fn new(
        endpoint: Endpoint,
        token: Option<ControlToken>,
        region: Option<String>,
        usual_region: Option<String>,
    ) -> Self {
        // A command is answered when its work is done, however long that takes.
        Self { agent: endpoint.agent(None), endpoint, token, region, usual_region }
    }

    /// Asks for something, which changes nothing.
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

    fn with_token<Body>(&self, request: ureq::RequestBuilder<Body>) -> ureq::RequestBuilder<Body> {
        with_token(request, self.token.as_ref())
    }

    /// Sends until there is a connection: a command that did not reach the server has done nothing. Any other failure is final.
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

/// Returns why nobody took the command.
fn refused(failure: &ControlFailure) -> Option<&Unanswered> {
    match failure {
        ControlFailure::Unanswered(unanswered) if unanswered.is_refused() => Some(unanswered),
        _ => None,
    }
}

/// Adds the token of the control interface to a request, if there is one.
pub(crate) fn with_token<Body>(
    request: ureq::RequestBuilder<Body>,
    token: Option<&ControlToken>,
) -> ureq::RequestBuilder<Body> {
    match token {
        Some(token) => request.header("Authorization", format!("Bearer {}", token.secret())),
        None => request,
    }
}
