//! The control interface of a server, over HTTP.

use pdb_server::ControlToken;
use serde_json::Value;

use crate::endpoint::Endpoint;

/// A stream of a great many shards, listed.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// Sends commands to a server.
#[derive(Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    endpoint: Endpoint,
    token: Option<ControlToken>,
    region: Option<String>,
}

/// Why a command was not obeyed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CtlError {
    #[error("{endpoint} cannot be reached")]
    Unreachable { endpoint: Endpoint, source: Box<ureq::Error> },
    /// What answers is another server, or one without the flag.
    #[error("{endpoint} takes no commands: start the server with `pretender serve --control`")]
    NoControl { endpoint: Endpoint },
    #[error("`{0}` is not a region")]
    NotARegion(String),
    /// The server says why.
    #[error("{0}")]
    Refused(String),
}

impl Client {
    pub(super) fn new(
        endpoint: Endpoint,
        token: Option<ControlToken>,
        region: Option<String>,
    ) -> Result<Self, CtlError> {
        let is_plain = |region: &String| {
            region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if let Some(region) = region.as_ref().filter(|region| !is_plain(region)) {
            return Err(CtlError::NotARegion(region.clone()));
        }
        // A command is answered when its work is done, however long that takes.
        Ok(Self { agent: endpoint.agent(None), endpoint, token, region })
    }

    pub(super) fn get(&self, command: &str) -> Result<Value, CtlError> {
        self.answer(self.with_token(self.agent.get(self.url(command))).call())
    }

    pub(super) fn post(&self, command: &str, body: &Value) -> Result<Value, CtlError> {
        let request = self.with_token(self.agent.post(self.url(command))).content_type("application/json");
        self.answer(request.send(body.to_string()))
    }

    fn with_token<Body>(&self, request: ureq::RequestBuilder<Body>) -> ureq::RequestBuilder<Body> {
        crate::endpoint::with_token(request, self.token.as_ref())
    }

    fn url(&self, command: &str) -> String {
        let query = self.region.as_ref().map_or(String::new(), |region| format!("?region={region}"));
        format!("{}/_pretender/{command}{query}", self.endpoint)
    }

    fn answer(
        &self,
        response: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, CtlError> {
        let read = response.and_then(|mut response| {
            Ok((
                response.status().is_success(),
                response.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string()?,
            ))
        });
        let (succeeded, body) = read.map_err(|error| CtlError::Unreachable {
            endpoint: self.endpoint.clone(),
            source: Box::new(error),
        })?;
        match serde_json::from_str::<Value>(&body) {
            Ok(answer) if succeeded && answer.is_object() => Ok(answer),
            Ok(Value::Object(answer)) if answer.get("error").is_some_and(Value::is_string) => {
                Err(CtlError::Refused(answer["error"].as_str().unwrap_or_default().to_owned()))
            }
            _ => Err(CtlError::NoControl { endpoint: self.endpoint.clone() }),
        }
    }
}
