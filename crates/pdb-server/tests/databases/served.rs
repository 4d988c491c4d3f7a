//! `pretender serve` as a process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::http;

/// The program under test, with nothing of our environment.
pub(crate) fn pretender(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    command.env_clear().args(arguments).stdin(Stdio::null());
    command
}

/// A running server, killed when dropped.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
    agent: ureq::Agent,
}

impl Served {
    /// Starts it on a free port, obedient to commands.
    pub(crate) fn start(db: &str, more: &[&str]) -> Self {
        let mut command = pretender(&["serve", "--control", "--port", "0", "--db", db]);
        // What it logs of troubles that tests make is of no interest.
        let mut child = command.args(more).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, url, agent: http::agent() }
    }

    /// Status and answer; the service follows from the operation's name.
    pub(crate) fn call(&self, operation: &str, body: &Value) -> Result<(u16, Value), String> {
        http::call_with(&self.agent, &self.url, &target(operation), body)
    }

    /// The answer of a call that succeeds.
    #[track_caller]
    pub(crate) fn ok(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.call(operation, &body).unwrap();
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    /// The error of a call that is refused: status and exception.
    #[track_caller]
    pub(crate) fn refused(&self, operation: &str, body: Value) -> (u16, String) {
        let (status, answer) = self.call(operation, &body).unwrap();
        assert_ne!(status, 200, "{operation} {body}: {answer}");
        (status, http::exception(&answer))
    }

    /// Obeys a command of the control interface; returns whether it could.
    pub(crate) fn command(&self, command: &str, body: &Value) -> bool {
        let url = format!("{}/_pretender/{command}", self.url);
        self.agent
            .post(url)
            .content_type("application/json")
            .send(body.to_string())
            .is_ok_and(|answer| answer.status() == 200)
    }

    /// Splits all open shards of a stream.
    pub(crate) fn split(&self, stream_arn: &Value) -> bool {
        self.command("shards/split", &json!({"stream_arn": stream_arn}))
    }

    /// Whether the process still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The header that names an operation.
pub(crate) fn target(operation: &str) -> String {
    let service = match operation {
        "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords" => "DynamoDBStreams_20120810",
        _ => "DynamoDB_20120810",
    };
    format!("{service}.{operation}")
}
