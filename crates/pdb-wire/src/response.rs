//! What an operation answers.

use pdb_model::{ApiError, ErrorCode};

use crate::error::error_response;

/// An answer: a status code and a JSON body. The front end adds the headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// JSON on one line; empty for the few operations without an output.
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

    /// The answer to a request that AWS answers with an internal error although the caller caused it, with the reason.
    #[must_use]
    pub fn internal_failure(reason: &str) -> Self {
        error_response(&ApiError::new(ErrorCode::InternalServerError, reason))
    }

    /// The answer to a caller without permission, with the reason.
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

/// Returns the value of `x-amz-crc32` for a body. Some SDKs check it.
#[must_use]
pub fn checksum(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}
