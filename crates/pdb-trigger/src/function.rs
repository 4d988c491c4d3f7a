//! The function that is invoked, and its responses.

use serde_json::Value;

use crate::settings::MAX_STATE_BYTES;

/// A function that receives events: a closure, or a client that invokes one over a network.
pub trait Function: Send + Sync {
    /// Invokes the function with an event and waits for its answer. May be called from several threads at once, one call
    /// for each batch that is under way.
    ///
    /// # Errors
    ///
    /// [`InvokeError::Failed`] if it ran and failed, [`InvokeError::NotInvoked`] if it did not run.
    fn invoke(&self, event: &[u8]) -> Result<Response, InvokeError>;
}

impl<F> Function for F
where
    F: Fn(&[u8]) -> Result<Response, InvokeError> + Send + Sync,
{
    fn invoke(&self, event: &[u8]) -> Result<Response, InvokeError> {
        self(event)
    }
}

/// What a function returned: JSON, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    body: Vec<u8>,
}

impl Response {
    /// Returns a response without a body: success.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Returns an answer with this JSON text.
    #[must_use]
    pub fn json(text: impl Into<Vec<u8>>) -> Self {
        Self { body: text.into() }
    }

    /// Returns the answer that names one record, by its sequence number, as the first that failed.
    #[must_use]
    pub fn failed_at(sequence_number: &str) -> Self {
        let failure = serde_json::json!({ "itemIdentifier": sequence_number });
        Self::json(serde_json::json!({ "batchItemFailures": [failure] }).to_string())
    }

    /// Returns the JSON text, which may be empty.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Reads the answer to Lambda's invoke call, as Lambda and its runtime interface emulator (RIE) give it.
    ///
    /// The function has failed if there is the header `X-Amz-Function-Error`, which Lambda sends and the RIE does not; if the
    /// body is an object with the texts `errorMessage` and `errorType`, which is how the RIE tells it, with status 200; if it
    /// is the RIE's `Task timed out after ...`, which is no JSON; and if the status is neither 2xx nor 429. It was not
    /// invoked if the status is 429, which is Lambda's throttling.
    ///
    /// # Errors
    ///
    /// [`InvokeError`] as described above.
    pub fn read(status: u16, function_error: Option<&str>, body: Vec<u8>) -> Result<Self, InvokeError> {
        if status == 429 {
            return Err(InvokeError::NotInvoked("the function is throttled (status 429)".to_owned()));
        }
        let failed = |error_type: &str, message: String| {
            Err(InvokeError::Failed { status_code: status, error_type: error_type.to_owned(), message })
        };
        if body.starts_with(b"Task timed out after ") {
            return failed("Sandbox.Timedout", String::from_utf8_lossy(&body).into_owned());
        }
        let is_success = (200..300).contains(&status);
        if function_error.is_none() && is_success && !could_tell_an_error(&body) {
            return Ok(Self { body });
        }
        let told: Value = serde_json::from_slice(&body).unwrap_or_default();
        match (told["errorType"].as_str(), told["errorMessage"].as_str()) {
            (Some(error_type), Some(message)) => failed(error_type, message.to_owned()),
            (error_type, message) if function_error.is_some() || !is_success => {
                let kind = error_type.or(function_error).unwrap_or("Unhandled");
                failed(kind, message.map_or_else(|| format!("the answer has status {status}"), str::to_owned))
            }
            _ => Ok(Self { body }),
        }
    }
}

/// Returns whether a body may be an error, so that large responses are not parsed: an error contains this name.
fn could_tell_an_error(body: &[u8]) -> bool {
    body.windows(b"\"errorMessage\"".len()).any(|window| window == b"\"errorMessage\"")
}

/// The error of an invocation without a response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The function ran and failed, or took too long. This uses up a retry.
    #[error("function failed: {error_type}: {message}")]
    Failed {
        /// The status of the invoke call; 200 when the function itself failed.
        status_code: u16,
        /// The kind of error, as the function's runtime calls it.
        error_type: String,
        /// The message.
        message: String,
    },
    /// The function did not run: it cannot be reached, or is throttled. It is tried again without using up a retry.
    #[error("function cannot be invoked: {0}")]
    NotInvoked(String),
}

impl InvokeError {
    /// Returns the error of a function that ran and failed, such as a closure's.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { status_code: 200, error_type: "Unhandled".to_owned(), message: message.into() }
    }
}

/// What an answer says about the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchResult {
    Succeeded,
    /// The records before this one, counted from 0, succeeded; it and all behind it did not.
    FailedFrom(usize),
    /// What was reported makes no sense, so that nothing counts as done.
    Invalid,
}

/// Reads `batchItemFailures` of an answer to a batch of records with these sequence numbers.
pub(crate) fn batch_result(body: &[u8], sequence_numbers: &[&str]) -> BatchResult {
    if body.trim_ascii().is_empty() {
        return BatchResult::Succeeded;
    }
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return BatchResult::Invalid };
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return BatchResult::Succeeded,
        Some(Value::Array(failures)) => failures,
        Some(_) => return BatchResult::Invalid,
    };
    let positions = failures.iter().map(|failure| {
        let named = failure["itemIdentifier"].as_str()?;
        sequence_numbers.iter().position(|number| *number == named)
    });
    match positions.collect::<Option<Vec<usize>>>() {
        None => BatchResult::Invalid,
        Some(positions) => {
            positions.into_iter().min().map_or(BatchResult::Succeeded, BatchResult::FailedFrom)
        }
    }
}

/// The state of a window, as a function returned it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WindowState {
    /// JSON.
    pub(crate) json: String,
    pub(crate) is_too_big: bool,
}

/// Reads `state` of an answer; `None` if there is none, which is a failure.
pub(crate) fn window_state(body: &[u8]) -> Option<WindowState> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let json = answer.get("state").filter(|state| !state.is_null())?.to_string();
    let is_too_big = json.len() > MAX_STATE_BYTES;
    Some(WindowState { json, is_too_big })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_as_lambda_reads_them() {
        use BatchResult::*;
        let numbers = ["100", "200", "300"];
        for (body, expected) in [
            ("", Succeeded),
            ("null", Succeeded),
            ("{}", Succeeded),
            ("\"\"", Succeeded),
            ("[]", Succeeded),
            (" \n", Succeeded),
            (r#"{"statusCode":200}"#, Succeeded),
            (r#"{"batchItemFailures":null}"#, Succeeded),
            (r#"{"batchItemFailures":[]}"#, Succeeded),
            (r#"{"batchItemFailures":[{"itemIdentifier":"100"}]}"#, FailedFrom(0)),
            (r#"{"batchItemFailures":[{"itemIdentifier":"200"}]}"#, FailedFrom(1)),
            (r#"{"batchItemFailures":[{"itemIdentifier":"300"},{"itemIdentifier":"200"}]}"#, FailedFrom(1)),
            (r#"{"batchItemFailures":[{"itemIdentifier":"300"},{"itemIdentifier":"300"}]}"#, FailedFrom(2)),
            (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, Invalid),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, Invalid),
            (r#"{"batchItemFailures":[{"itemIdentifier":200}]}"#, Invalid),
            (r#"{"batchItemFailures":[{"itemId":"200"}]}"#, Invalid),
            (r#"{"batchItemFailures":[{"itemIdentifier":"400"}]}"#, Invalid),
            (r#"{"batchItemFailures":[{"itemIdentifier":"200"},{"itemIdentifier":"400"}]}"#, Invalid),
            (r#"{"batchItemFailures":["200"]}"#, Invalid),
            (r#"{"batchItemFailures":"200"}"#, Invalid),
            ("{", Invalid),
        ] {
            assert_eq!(batch_result(body.as_bytes(), &numbers), expected, "{body}");
        }
    }

    #[test]
    fn answers_of_lambda_and_its_emulator() {
        let error = |status_code, error_type: &str, message: &str| {
            let (error_type, message) = (error_type.to_owned(), message.to_owned());
            Err(InvokeError::Failed { status_code, error_type, message })
        };
        for (status, header, body, expected) in [
            (200, None, "null", Ok(Response::json("null"))),
            (204, None, "", Ok(Response::empty())),
            (200, None, r#"{"state":{"errors":0}}"#, Ok(Response::json(r#"{"state":{"errors":0}}"#))),
            // A function may well return a member of that name; both make an error.
            (200, None, r#"{"errorMessage":"x"}"#, Ok(Response::json(r#"{"errorMessage":"x"}"#))),
            (
                200,
                None,
                r#"{"errorMessage":"boom","errorType":"ValueError","stackTrace":[]}"#,
                error(200, "ValueError", "boom"),
            ),
            (
                200,
                Some("Unhandled"),
                r#"{"errorMessage":"boom","errorType":"Error"}"#,
                error(200, "Error", "boom"),
            ),
            (200, Some("Unhandled"), "", error(200, "Unhandled", "the answer has status 200")),
            (
                200,
                None,
                "Task timed out after 1.00 seconds",
                error(200, "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
            ),
            (500, None, "oops", error(500, "Unhandled", "the answer has status 500")),
            (404, None, "", error(404, "Unhandled", "the answer has status 404")),
        ] {
            assert_eq!(Response::read(status, header, body.as_bytes().to_vec()), expected, "{status} {body}");
        }
        let throttled = Response::read(429, None, Vec::new()).unwrap_err();
        assert!(matches!(throttled, InvokeError::NotInvoked(_)));
    }

    #[test]
    fn a_window_needs_a_state() {
        for body in ["", "null", "{}", "[]", r#"{"state":null}"#, "nonsense"] {
            assert_eq!(window_state(body.as_bytes()), None, "{body}");
        }
        let state = window_state(br#"{"state":{"n":1}}"#).unwrap();
        assert_eq!((state.json.as_str(), state.is_too_big), (r#"{"n":1}"#, false));
        // The text of a string has two quotes.
        let body = |bytes: usize| format!(r#"{{"state":"{}"}}"#, "x".repeat(bytes - 2));
        assert!(!window_state(body(MAX_STATE_BYTES).as_bytes()).unwrap().is_too_big);
        assert!(window_state(body(MAX_STATE_BYTES + 1).as_bytes()).unwrap().is_too_big);
    }
}
