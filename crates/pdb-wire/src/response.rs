//! What an operation answers.

use pdb_model::{ApiError, ErrorCode};

use crate::error::error_response;

/// An answer: a status code and a JSON body. Headers are the transport's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// JSON on one line; empty for the few operations that answer nothing.
    pub body: Vec<u8>,
}

impl Response {
    /// The answer for a bug.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::internal_failure(
            "The request processing has failed because of an unknown error, exception or failure.",
        )
    }

    /// The answer to what AWS answers in this way, although it is the caller's fault, with the reason.
    #[must_use]
    pub fn internal_failure(reason: &str) -> Self {
        error_response(&ApiError::new(ErrorCode::InternalServerError, reason))
    }

    /// The answer to a caller who may not call, with the reason.
    #[must_use]
    pub fn access_denied(reason: &str) -> Self {
        error_response(&ApiError::new(ErrorCode::AccessDeniedException, reason))
    }

    /// The answer of a server that is stopping.
    #[must_use]
    pub fn unavailable() -> Self {
        error_response(&ApiError::new(ErrorCode::ServiceUnavailable, "The service is stopping."))
    }
}

/// Returns what `x-amz-crc32` says about a body. Some SDKs check it.
#[must_use]
pub fn checksum(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}
