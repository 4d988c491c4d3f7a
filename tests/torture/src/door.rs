//! The ways to a database: over HTTP to a server, or by calls in this process.

use std::fmt;

use pretender_tests::formats::World;
use serde_json::Value;

use crate::campaign::short;

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// It was carried out.
    Done(Value),
    /// It was refused, with this exception, and had no effect.
    Refused(String, Value),
    /// There was no answer, or one that says that nobody knows.
    Unknown(String),
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(answer) => write!(f, "done: {}", short(answer)),
            Self::Refused(name, answer) => write!(f, "refused, {name}: {}", short(answer)),
            Self::Unknown(why) => f.write_str(why),
        }
    }
}

/// A way to a database.
pub(crate) trait Door: Sync {
    /// Sends a request.
    fn ask(&self, operation: &str, body: &Value) -> Reply;

    /// The answer to a request that must succeed.
    fn get(&self, operation: &str, body: &Value) -> Result<Value, String> {
        match self.ask(operation, body) {
            Reply::Done(answer) => Ok(answer),
            other => Err(format!("{operation} {}: {other}", short(body))),
        }
    }
}

/// Reads a status and an answer as a client does.
fn reply(status: u16, answer: Value) -> Reply {
    match status {
        200 => Reply::Done(answer),
        400..500 => {
            let name = answer["__type"].as_str().unwrap_or_default();
            Reply::Refused(name.rsplit('#').next().unwrap_or_default().to_owned(), answer)
        }
        _ => Reply::Unknown(format!("{status} {}", short(&answer))),
    }
}

impl Door for World {
    fn ask(&self, operation: &str, body: &Value) -> Reply {
        let (status, answer) = self.try_call(operation, body);
        reply(status, answer)
    }
}

/// A server.
#[derive(Clone)]
pub(crate) struct Http {
    agent: ureq::Agent,
    pub(crate) url: String,
}

impl Http {
    pub(crate) fn to(url: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(std::time::Duration::from_secs(60)))
            .build()
            .into();
        Self { agent, url: url.to_owned() }
    }

    fn send(&self, operation: &str, body: &Value) -> Result<(u16, Value), String> {
        let service = match operation {
            "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords" => {
                "DynamoDBStreams_20120810"
            }
            _ => "DynamoDB_20120810",
        };
        let mut answer = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/x-amz-json-1.0")
            .header("X-Amz-Target", format!("{service}.{operation}"))
            .header("X-Amz-Date", "20260301T000000Z")
            .header(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=key/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
            )
            .send(body.to_string())
            .map_err(|error| error.to_string())?;
        let text = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_string()
            .map_err(|error| error.to_string())?;
        let value = serde_json::from_str(&text).map_err(|error| format!("{error}: {}", short(&text)))?;
        Ok((answer.status().as_u16(), value))
    }

    /// Sends a command of the control interface; returns whether it was obeyed.
    pub(crate) fn command(&self, command: &str, body: &Value) -> bool {
        let url = format!("{}/_pretender/{command}", self.url);
        let sent = self.agent.post(url).content_type("application/json").send(body.to_string());
        sent.is_ok_and(|answer| answer.status() == 200)
    }
}

impl Door for Http {
    fn ask(&self, operation: &str, body: &Value) -> Reply {
        match self.send(operation, body) {
            Ok((status, answer)) => reply(status, answer),
            Err(why) => Reply::Unknown(why),
        }
    }
}
