//! Calls of the APIs, as JSON: the console asks the database what any client asks, and shows the same errors.

use pdb_wire::{Reply, Request, Wire};
use serde_json::Value;

/// Why a call was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallError {
    /// AWS's code, such as `ValidationException`.
    pub(crate) code: String,
    /// AWS's text.
    pub(crate) message: String,
    /// The whole answer: some errors carry more, such as the item that failed a condition.
    pub(crate) answer: Value,
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Calls an operation of DynamoDB.
pub(crate) fn dynamodb(wire: &Wire, operation: &str, input: &Value) -> Result<Value, CallError> {
    call(wire, &format!("DynamoDB_20120810.{operation}"), input)
}

/// Calls an operation of DynamoDB Streams.
pub(crate) fn streams(wire: &Wire, operation: &str, input: &Value) -> Result<Value, CallError> {
    call(wire, &format!("DynamoDBStreams_20120810.{operation}"), input)
}

fn call(wire: &Wire, target: &str, input: &Value) -> Result<Value, CallError> {
    let request = Request::new(Some(target), input.to_string()).connection(false);
    let (status, body) = match wire.call(request) {
        Reply::Answer(response) => (response.status, response.body),
        Reply::Drop => (500, Vec::new()),
    };
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status == 200 {
        return Ok(answer);
    }
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = text("__type").unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default().to_owned();
    let message = text("message").or_else(|| text("Message")).unwrap_or_default();
    Err(CallError { code, message, answer })
}
