//! Errors for a server that did not answer.

use std::fmt;
use std::io::ErrorKind;

use super::Endpoint;
use super::retry::Attempts;

/// A server that did not answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    endpoint: Endpoint,
    cause: Cause,
}

/// The cause.
#[derive(Debug)]
enum Cause {
    /// Nothing listens on the port.
    Refused,
    /// The host name is unknown, or the machine cannot be reached.
    NoRoute(String),
    /// The connection broke before the answer was complete.
    Dropped,
    TimedOut,
    /// Any other cause; a retry would not help.
    Other(String),
}

impl Unanswered {
    pub(crate) fn new(endpoint: &Endpoint, error: &ureq::Error) -> Self {
        Self { endpoint: endpoint.clone(), cause: cause(endpoint, error) }
    }

    /// Returns whether nothing listens on the port, so that nothing was sent.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.cause, Cause::Refused)
    }

    /// Returns whether the server may answer later.
    pub(crate) fn is_transient(&self) -> bool {
        self.tries() != Attempts::ONCE
    }

    pub(super) fn tries(&self) -> Attempts {
        match self.cause {
            Cause::Refused | Cause::NoRoute(_) => Attempts::ABSENT,
            Cause::Dropped => Attempts::BUSY,
            Cause::TimedOut => Attempts::SLOW,
            Cause::Other(_) => Attempts::ONCE,
        }
    }

    /// Returns the cause as text, without advice.
    pub(super) fn reason(&self) -> String {
        let cause = match &self.cause {
            Cause::Refused => "connection refused",
            Cause::Dropped => "the connection was closed before the answer",
            Cause::TimedOut => "no answer in time",
            Cause::NoRoute(text) | Cause::Other(text) => text,
        };
        format!("{} cannot be reached: {cause}", self.endpoint)
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())?;
        if matches!(self.cause, Cause::Refused) && self.endpoint.is_local() {
            f.write_str("; is `pretender serve` running?")?;
        }
        Ok(())
    }
}

impl std::error::Error for Unanswered {}

fn cause(endpoint: &Endpoint, error: &ureq::Error) -> Cause {
    match error {
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => Cause::Refused,
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof => Cause::Dropped,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Cause::TimedOut,
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Cause::NoRoute(error.to_string()),
            ErrorKind::InvalidData if !endpoint.is_plain() => Cause::Other(tls_failure(endpoint, error)),
            _ => Cause::Other(error.to_string()),
        },
        ureq::Error::Timeout(_) => Cause::TimedOut,
        ureq::Error::HostNotFound => Cause::NoRoute("unknown host".to_owned()),
        ureq::Error::ConnectionFailed => Cause::NoRoute("connection failed".to_owned()),
        error if !endpoint.is_plain() => Cause::Other(tls_failure(endpoint, error)),
        error => Cause::Other(error.to_string()),
    }
}

/// Returns the cause if a TLS handshake failed, with what may help.
fn tls_failure(endpoint: &Endpoint, error: &dyn fmt::Display) -> String {
    let text = error.to_string();
    if endpoint.is_aws() {
        text
    } else if text.contains("certificate") {
        format!("{text}; --ca-file or AWS_CA_BUNDLE names the authority to trust")
    } else {
        // A plain HTTP server answers a handshake with something else.
        format!("{text}; without `--tls`, pretender speaks plain HTTP: try http://{}", endpoint.host())
    }
}
