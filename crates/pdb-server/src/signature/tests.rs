//! Signatures of AWS's signer, and what is refused.

mod properties;
mod refusals;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::key::sha256;
use super::*;

pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request that owns its parts.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Sample {
    /// Verifies the signature with the only key that there is.
    pub(super) fn verify(&self) -> Result<(), ApiError> {
        self.with_claim(|claim, request| {
            if claim.key_id() != "AKIDEXAMPLE" {
                return Err(ApiError::new(ErrorCode::UnrecognizedClientException, ""));
            }
            claim.verify(request, SECRET.as_bytes()).map_err(|mismatch| mismatch.for_log)
        })
    }

    /// Calls `check` with the claim of the request.
    pub(super) fn with_claim<T>(
        &self,
        check: impl FnOnce(&Claim<'_>, &SignedRequest<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let body_hash = sha256(&self.body);
        let request =
            SignedRequest { method: &self.method, path, query, headers: &headers, body_hash: &body_hash };
        let claim = Claim::of(&request)?;
        check(&claim, &request)
    }

    /// Sets a header, instead of all others with its name.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        std::str::from_utf8(&found.unwrap().1).unwrap()
    }
}
