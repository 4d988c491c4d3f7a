//! Functions and destinations that are called over HTTP.

use std::fmt;
use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;

use pdb_trigger::{Destination, Function, InvokeError, MAX_PAYLOAD_BYTES, Response};

use crate::client::{Endpoint, NotAnEndpoint};

/// The path of Lambda's Invoke call, with the function name that the runtime interface emulator uses.
const INVOKE: &str = "/2015-03-31/functions/function/invocations";
/// How long a destination may take to accept a message.
const DESTINATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The URL of a function's Invoke call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct FunctionUrl(Endpoint);

impl FromStr for FunctionUrl {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        Self::at(url.parse()?)
    }
}

impl FunctionUrl {
    /// Returns the URL of the Invoke call at this address, which may already be that URL.
    pub(super) fn at(endpoint: Endpoint) -> Result<Self, NotAnEndpoint> {
        if endpoint.path().ends_with("/invocations") {
            return Ok(Self(endpoint));
        }
        format!("{endpoint}{INVOKE}").parse().map(Self)
    }
}

/// A function that is invoked over HTTP.
#[derive(Debug)]
pub(in crate::commands) struct HttpFunction {
    agent: ureq::Agent,
    url: FunctionUrl,
    timeout: Duration,
}

impl HttpFunction {
    /// Creates a function whose invocations may take as long as `timeout`.
    pub(super) fn new(url: FunctionUrl, timeout: Duration) -> Self {
        Self { agent: url.0.agent(Some(timeout)), url, timeout }
    }
}

impl Function for HttpFunction {
    fn invoke(&self, event: &[u8]) -> Result<Response, InvokeError> {
        let url = &self.url.0;
        let response = post(&self.agent, url, event).and_then(|mut response| {
            let error = response.headers().get("X-Amz-Function-Error");
            let error = error.and_then(|value| value.to_str().ok()).map(str::to_owned);
            // Lambda's own limit for answers.
            let limit = MAX_PAYLOAD_BYTES as u64;
            let body = response.body_mut().with_config().limit(limit).read_to_vec()?;
            Ok((response.status().as_u16(), error, body))
        });
        match response {
            Ok((status, error, body)) => Response::read(status, error.as_deref(), body),
            Err(error) => Err(self.invoke_error(error)),
        }
    }
}

impl HttpFunction {
    /// Distinguishes between a function that was certainly not invoked, and one that ran or may have run.
    fn invoke_error(&self, error: ureq::Error) -> InvokeError {
        let failed = |error_type: &str, message: String| InvokeError::Failed {
            status_code: 200,
            error_type: error_type.to_owned(),
            message,
        };
        match error {
            ureq::Error::ConnectionFailed
            | ureq::Error::HostNotFound
            | ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                InvokeError::NotInvoked(format!("{} cannot be reached: {error}", self.url.0))
            }
            ureq::Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
                InvokeError::NotInvoked(format!("{} cannot be reached: {error}", self.url.0))
            }
            ureq::Error::Timeout(_) => failed(
                "Sandbox.Timedout",
                format!("Task timed out after {}.00 seconds", self.timeout.as_secs()),
            ),
            ureq::Error::BodyExceedsLimit(_) => {
                failed("Function.ResponseSizeTooLarge", "the answer is bigger than 6 MB".to_owned())
            }
            error => failed("Runtime.ExitError", error.to_string()),
        }
    }
}

impl fmt::Display for FunctionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A URL to which reports are posted.
#[derive(Debug)]
pub(super) struct HttpDestination {
    agent: ureq::Agent,
    url: Endpoint,
}

impl HttpDestination {
    pub(super) fn new(url: Endpoint) -> Self {
        Self { agent: url.agent(Some(DESTINATION_TIMEOUT)), url }
    }
}

impl Destination for HttpDestination {
    fn send(&self, message: &str) -> Result<(), String> {
        match post(&self.agent, &self.url, message.as_bytes()) {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(format!("{} answered {}", self.url, response.status())),
            Err(error) => Err(format!("{} cannot be reached: {error}", self.url)),
        }
    }
}

/// Posts JSON on a new connection. If the other side closed a reused connection at that moment, there would be no way
/// to know whether the function has run.
fn post(
    agent: &ureq::Agent,
    url: &Endpoint,
    body: &[u8],
) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
    agent.post(url.to_string()).content_type("application/json").header("Connection", "close").send(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_by_host_or_by_url() {
        for (text, url) in [
            ("127.0.0.1:9000", "http://127.0.0.1:9000/2015-03-31/functions/function/invocations"),
            ("http://localhost:9000/", "http://localhost:9000/2015-03-31/functions/function/invocations"),
            ("http://host/prefix", "http://host/prefix/2015-03-31/functions/function/invocations"),
            (
                "http://host:3001/2015-03-31/functions/orders/invocations",
                "http://host:3001/2015-03-31/functions/orders/invocations",
            ),
        ] {
            assert_eq!(text.parse::<FunctionUrl>().unwrap().0.to_string(), url);
        }
        assert_eq!("ftp://host".parse::<FunctionUrl>(), Err(NotAnEndpoint::NoUrl));
        assert_eq!("".parse::<FunctionUrl>(), Err(NotAnEndpoint::NoUrl));
    }
}
