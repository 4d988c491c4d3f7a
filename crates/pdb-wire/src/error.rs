//! Error answers: the one place that knows `__type`, status code and body.

use pdb_model::{ApiError, CancellationReason, ErrorCode};

use crate::decode::{is_json, not_json};
use crate::json::JsonWriter;
use crate::response::Response;

/// The answer for an error.
pub(crate) fn error_response(error: &ApiError) -> Response {
    Response { status: status(error.code), body: error_body(error) }
}

/// Returns the answer for a request that names no operation. AWS reads the body before it looks at the target.
pub(crate) fn unknown_operation(body: &[u8]) -> Response {
    error_response(&if is_json(body) {
        ApiError::new(ErrorCode::UnknownOperationException, "")
    } else {
        not_json()
    })
}

/// The JSON of an error.
pub(crate) fn error_body(error: &ApiError) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        json.name("__type").text(&format!("{}{}", family(error.code), error.code.name()));
        if !error.message.is_empty() {
            json.name(message_member(error.code)).text(&error.message);
        }
        if let Some(item) = &error.item {
            json.name("Item").raw(item.json());
        }
        if !error.cancellation_reasons.is_empty() {
            json.name("CancellationReasons").list(&error.cancellation_reasons, write_reason);
        }
    })
}

fn write_reason(json: &mut JsonWriter, reason: &CancellationReason) {
    json.object(|json| {
        if let Some(item) = &reason.item {
            json.name("Item").raw(item.json());
        }
        json.name("Code").text(reason.code);
        if let Some(message) = &reason.message {
            json.name("Message").text(message);
        }
    });
}

/// Whose error it is: the part of `__type` in front of the name.
fn family(code: ErrorCode) -> &'static str {
    use ErrorCode as E;
    match code {
        E::ValidationException => "com.amazon.coral.validate#",
        E::ThrottlingException => "com.amazon.coral.availability#",
        E::SerializationException
        | E::UnknownOperationException
        | E::AccessDeniedException
        | E::ExpiredTokenException
        | E::MissingAuthenticationTokenException
        | E::IncompleteSignatureException
        | E::InvalidSignatureException
        | E::UnrecognizedClientException => "com.amazon.coral.service#",
        E::ExpiredIteratorException | E::TrimmedDataAccessException => {
            "com.amazonaws.dynamodb.streams.v20120810#"
        }
        _ => "com.amazonaws.dynamodb.v20120810#",
    }
}

/// The name of the member with the text, which depends on the exception's model.
fn message_member(code: ErrorCode) -> &'static str {
    use ErrorCode as E;
    match code {
        E::SerializationException
        | E::AccessDeniedException
        | E::TransactionCanceledException
        | E::TransactionInProgressException
        | E::IdempotentParameterMismatchException => "Message",
        _ => "message",
    }
}

fn status(code: ErrorCode) -> u16 {
    match code {
        ErrorCode::InternalServerError => 500,
        ErrorCode::ServiceUnavailable => 503,
        _ => 400,
    }
}

#[cfg(test)]
mod tests {
    use pdb_model::{EncodedItem, Item};

    use super::*;

    #[track_caller]
    fn check(error: ApiError, status: u16, body: &str) {
        let response = error_response(&error);
        assert_eq!((response.status, String::from_utf8(response.body).unwrap().as_str()), (status, body));
    }

    #[test]
    fn bodies_name_the_family_and_the_text() {
        check(
            ApiError::validation("no"),
            400,
            r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#,
        );
        check(
            ApiError::new(ErrorCode::SerializationException, ""),
            400,
            r#"{"__type":"com.amazon.coral.service#SerializationException"}"#,
        );
        check(
            ApiError::new(ErrorCode::SerializationException, "Unexpected field type"),
            400,
            r#"{"__type":"com.amazon.coral.service#SerializationException","Message":"Unexpected field type"}"#,
        );
        check(
            ApiError::new(
                ErrorCode::ResourceNotFoundException,
                "Requested resource not found: Shard does not exist",
            ),
            400,
            concat!(
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","#,
                r#""message":"Requested resource not found: Shard does not exist"}"#
            ),
        );
        check(
            ApiError::new(ErrorCode::ExpiredIteratorException, "old"),
            400,
            r#"{"__type":"com.amazonaws.dynamodb.streams.v20120810#ExpiredIteratorException","message":"old"}"#,
        );
        check(
            ApiError::new(ErrorCode::InternalServerError, "x"),
            500,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"x"}"#,
        );
    }

    #[test]
    fn some_errors_carry_more() {
        let item = EncodedItem::from(&Item::new().with("pk", "a"));
        let failed = ApiError {
            item: Some(item.clone()),
            ..ApiError::new(ErrorCode::ConditionalCheckFailedException, "The conditional request failed")
        };
        check(
            failed,
            400,
            concat!(
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","#,
                r#""message":"The conditional request failed","Item":{"pk":{"S":"a"}}}"#
            ),
        );
        let reason = CancellationReason {
            code: "ConditionalCheckFailed",
            message: Some("The conditional request failed".to_owned()),
            item: Some(item),
        };
        let cancelled = ApiError {
            cancellation_reasons: vec![CancellationReason::none(), reason],
            ..ApiError::new(ErrorCode::TransactionCanceledException, "Transaction cancelled")
        };
        check(
            cancelled,
            400,
            concat!(
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","#,
                r#""Message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},{"Item":{"pk":{"S":"a"}},"#,
                r#""Code":"ConditionalCheckFailed","Message":"The conditional request failed"}]}"#
            ),
        );
    }
}
