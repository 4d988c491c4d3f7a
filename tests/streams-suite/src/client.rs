//! A client of both APIs that hides nothing: the cases check the status, the headers and the bytes.

use std::time::Duration;

use serde_json::Value;
use ureq::http;

use crate::outcome::{Outcome, Stop};
use crate::sign::{self, Credentials};
use crate::{check, fail, moment, shown};

/// Which of the two APIs an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Tables and items.
    DynamoDb,
    /// Streams.
    Streams,
}

impl Api {
    /// Returns what stands before the operation in `X-Amz-Target`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::DynamoDb => "DynamoDB_20120810",
            Self::Streams => "DynamoDBStreams_20120810",
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body as sent.
    pub body: Vec<u8>,
}

/// An error as the API tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiFailure {
    /// The HTTP status.
    pub status: u16,
    /// The whole `__type`.
    pub full_type: String,
    /// The `__type` behind its `#`.
    pub kind: String,
    /// `message` or `Message`, empty if there is none.
    pub message: String,
}

impl Answer {
    /// Returns a header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Outcome<Value> {
        serde_json::from_slice(&self.body)
            .map_err(|e| Stop::Failed(format!("body is not JSON ({e}): {}", shown(&self.text()))))
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads the answer as an error, if it is one.
    pub fn failure(&self) -> Option<ApiFailure> {
        if self.status == 200 {
            return None;
        }
        let body: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let full_type = text("__type");
        let kind = full_type.rsplit('#').next().unwrap_or_default().to_owned();
        let message = if body["message"].is_string() { text("message") } else { text("Message") };
        Some(ApiFailure { status: self.status, full_type, kind, message })
    }
}

/// A client of one endpoint, or of the pair that AWS has.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    dynamodb: String,
    streams: String,
    region: String,
    credentials: Credentials,
}

impl Client {
    /// Makes a client; `streams` is the same address as `dynamodb` except at AWS.
    pub fn new(dynamodb: &str, streams: &str, region: &str, credentials: Credentials) -> Client {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .max_idle_connections_per_host(64)
            .build();
        Client {
            agent: config.into(),
            dynamodb: dynamodb.trim_end_matches('/').to_owned(),
            streams: streams.trim_end_matches('/').to_owned(),
            region: region.to_owned(),
            credentials,
        }
    }

    /// Returns the address of an API.
    pub fn endpoint(&self, api: Api) -> &str {
        match api {
            Api::DynamoDb => &self.dynamodb,
            Api::Streams => &self.streams,
        }
    }

    /// Sends any request, unsigned and unchanged, to the endpoint of `api`.
    pub fn send(&self, api: Api, method: &str, headers: &[(&str, String)], body: &[u8]) -> Outcome<Answer> {
        let mut request = http::Request::builder().method(method).uri(format!("{}/", self.endpoint(api)));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let during =
            |e: &dyn std::fmt::Display| Stop::Failed(format!("no answer from {}: {e}", self.endpoint(api)));
        let request = request.body(body.to_vec()).map_err(|e| during(&e))?;
        let mut response = self.agent.run(request).map_err(|e| during(&e))?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().map_err(|e| during(&e))?;
        Ok(Answer { status: response.status().as_u16(), headers, body })
    }

    /// Sends a signed request with any target and any bytes.
    pub fn send_signed(&self, api: Api, target: &str, body: &[u8]) -> Outcome<Answer> {
        self.send(api, "POST", &self.signed(api, target, "application/x-amz-json-1.0", body), body)
    }

    /// Returns the headers of a signed request.
    pub fn signed(
        &self,
        api: Api,
        target: &str,
        content_type: &str,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        let endpoint = self.endpoint(api);
        let host = endpoint.split("://").nth(1).unwrap_or(endpoint).split('/').next().unwrap_or_default();
        let mut headers =
            sign::signed_headers(&self.credentials, &self.region, host, target, body, moment::now_millis());
        headers.push(("X-Amz-Target", target.to_owned()));
        headers.push(("Content-Type", content_type.to_owned()));
        headers
    }

    /// Calls an operation. Throttled and failed calls are repeated for a while, as SDKs do.
    pub fn call(&self, api: Api, operation: &str, body: &Value) -> Outcome<Answer> {
        let bytes = body.to_string().into_bytes();
        let target = format!("{}.{operation}", api.prefix());
        let mut wait = Duration::from_millis(100);
        loop {
            let answer = self.send_signed(api, &target, &bytes)?;
            let again = answer.failure().is_some_and(|e| {
                let throttled = ["ThrottlingException", "LimitExceededException", "RequestLimitExceeded"];
                throttled.contains(&e.kind.as_str()) || e.status >= 502
            });
            if !again || wait > Duration::from_secs(10) {
                return Ok(answer);
            }
            moment::pause(wait);
            wait *= 2;
        }
    }

    /// Calls an operation that must succeed.
    pub fn ok(&self, api: Api, operation: &str, body: &Value) -> Outcome<Value> {
        let answer = self.call(api, operation, body)?;
        check!(
            answer.status == 200,
            "{operation} {} answered {}: {}",
            shown(body),
            answer.status,
            shown(&answer.text())
        );
        answer.json()
    }

    /// Calls an operation that must be refused.
    pub fn refused(&self, api: Api, operation: &str, body: &Value) -> Outcome<ApiFailure> {
        let answer = self.call(api, operation, body)?;
        match answer.failure() {
            Some(failure) => Ok(failure),
            None => fail!("{operation} {} must fail, but answered {}", shown(body), shown(&answer.text())),
        }
    }
}
