//! Calls over HTTP.

use serde_json::Value;

/// Status and answer of a call; an error if there is no whole answer.
pub(crate) fn call(url: &str, target: &str, body: &Value) -> Result<(u16, Value), String> {
    call_with(&agent(), url, target, body)
}

/// The same on the connections of a client of one's own.
pub(crate) fn call_with(
    agent: &ureq::Agent,
    url: &str,
    target: &str,
    body: &Value,
) -> Result<(u16, Value), String> {
    let mut answer = agent
        .post(url)
        .header("Content-Type", "application/x-amz-json-1.0")
        .header("X-Amz-Target", target)
        .header("X-Amz-Date", "20260301T000000Z")
        .header(
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=key/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        )
        .send(body.to_string())
        .map_err(|error| error.to_string())?;
    let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    let value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    Ok((answer.status().as_u16(), value))
}

/// A client; answers of any status are answers.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// The exception an error's answer names.
pub(crate) fn exception(answer: &Value) -> String {
    answer["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned()
}

/// Whether an SDK of AWS's would try again after this answer.
pub(crate) fn is_retryable(status: u16, answer: &Value) -> bool {
    matches!(status, 500 | 502 | 503 | 504)
        || matches!(
            exception(answer).as_str(),
            "ThrottlingException"
                | "ProvisionedThroughputExceededException"
                | "RequestLimitExceeded"
                | "TransactionInProgressException"
                | "LimitExceededException"
        )
}
