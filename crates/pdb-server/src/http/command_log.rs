//! Log lines about commands: who sent which command, and its result.

use std::net::SocketAddr;
use std::time::Instant;

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use pdb_wire::CallLog;
use serde_json::Value;
use tracing::Level;

/// The most characters of a command's body to log.
const MAX_BODY: usize = 300;

/// The log line of one command, if it is wanted: at `INFO` for commands that may change something, at `DEBUG` also for
/// those that only read.
#[derive(Debug)]
pub(super) struct CommandLog {
    began: Instant,
    is_change: bool,
    /// The named database that the command applies to.
    database: Option<String>,
    command: String,
    body: String,
    query: Option<String>,
    peer: SocketAddr,
    client: Option<String>,
}

impl CommandLog {
    pub(super) fn begin(
        parts: &Parts,
        database: Option<&str>,
        command: &str,
        body: &[u8],
        peer: SocketAddr,
    ) -> Option<Self> {
        let is_change = parts.method != Method::GET;
        let is_wanted = if is_change {
            tracing::enabled!(target: "pretender::commands", Level::INFO)
        } else {
            tracing::enabled!(target: "pretender::commands", Level::DEBUG)
        };
        is_wanted.then(|| Self {
            began: Instant::now(),
            is_change,
            database: database.map(str::to_owned),
            command: command.to_owned(),
            // The records of a replay contain items of the user, which the log of calls does not show at this level
            // either.
            body: if command == "replay" { format!("({} bytes)", body.len()) } else { shown(body) },
            query: parts.uri.query().map(str::to_owned),
            peer,
            client: super::user_agent(&parts.headers).and_then(CallLog::client),
        })
    }

    /// Writes the line, with the result.
    pub(super) fn tell(self, status: StatusCode, answer: &Value) {
        let millis = (self.began.elapsed().as_secs_f64() * 100_000.0).round() / 100.0;
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(
                    target: "pretender::commands",
                    $level,
                    database = self.database.as_ref().map(display),
                    command = self.command,
                    body = (!self.body.is_empty()).then_some(self.body.as_str()),
                    query = self.query.as_deref(),
                    status = status.as_u16(),
                    error = answer["error"].as_str(),
                    ms = millis,
                    peer = %self.peer,
                    client = self.client.as_ref().map(display),
                    "executed a command"
                )
            };
        }
        if self.is_change {
            event!(Level::INFO);
        } else {
            event!(Level::DEBUG);
        }
    }
}

/// Returns the beginning of a body.
fn shown(body: &[u8]) -> String {
    // A character has at most four bytes.
    let beginning = &body[..body.len().min(4 * MAX_BODY)];
    let text = String::from_utf8_lossy(beginning);
    let mut shown: String = text.chars().take(MAX_BODY).collect();
    if shown.len() < body.len() {
        shown.push_str("...");
    }
    shown
}
