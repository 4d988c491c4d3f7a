//! Verifying signatures of version 4, in the `Authorization` header and in the query ("presigned").
//!
//! There are no sockets here: [`Claim::of`] reads what a request says about its signature, [`Claim::verify`] computes the signature
//! again from the request as it was sent, and [`Claim::check_time`] compares its time with a clock. Each way to get it wrong has AWS's
//! answer, as far as it is published; `docs/spec/signatures.md` lists the sources.
//!
//! | file | has |
//! | --- | --- |
//! | `claim.rs` | the parts of the header and of the query, and what is wrong with them by themselves |
//! | `canonical.rs` | the canonical request and the string to sign |
//! | `key.rs` | HMAC, the signing key and the signature |
//! | `moment.rs` | times in requests |
//! | `percent.rs` | the encoding of URLs |

mod canonical;
mod claim;
mod key;
mod moment;
mod percent;

use hyper::header::HeaderMap;
use pdb_model::{ApiError, ErrorCode};
use pretender::time::EpochMillis;
use subtle::ConstantTimeEq;

pub(crate) use claim::{Claim, Lifetime};
use moment::Moment;

/// The only algorithm that is verified.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The algorithm of version 4A. Its signatures are made with a key pair that is derived from the secret.
const ALGORITHM_4A: &str = "AWS4-ECDSA-P256-SHA256";
/// The service that both APIs are signed for.
const SERVICE: &str = "dynamodb";
/// The end of every scope.
const TERMINATOR: &str = "aws4_request";
/// How far the time of a request may differ from the clock. DynamoDB's messages say so: "(... - 15 min.)".
const SKEW_MINUTES: i64 = 15;

/// A request as its client has signed it. It has no `Debug`, as headers have secrets.
#[derive(Clone, Copy)]
pub(crate) struct SignedRequest<'r> {
    pub(crate) method: &'r str,
    /// The path of the request line, as it was sent.
    pub(crate) path: &'r str,
    /// The query of the request line, as it was sent.
    pub(crate) query: &'r str,
    pub(crate) headers: &'r HeaderMap,
    /// The SHA-256 hash of the body as it was sent, before it is decompressed.
    pub(crate) body_hash: &'r [u8; 32],
}

/// The regions that a signature may be for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ValidRegion<'r> {
    /// Only this one.
    Only(&'r str),
    /// Others are checked where their databases are.
    Any,
}

/// Why a signature is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The answer to the client, with the canonical request and the string to sign that the server has computed.
    pub(crate) answer: ApiError,
    /// The same without these, for logs: a canonical request may contain a session token.
    pub(crate) for_log: ApiError,
}

impl Claim<'_> {
    /// Checks that the signature is for this service, and for a region that is there.
    ///
    /// # Errors
    ///
    /// AWS's text, with one sentence for each part that is wrong.
    pub(crate) fn check_scope(&self, valid: ValidRegion<'_>) -> Result<(), ApiError> {
        let mut text = String::new();
        if let ValidRegion::Only(region) = valid
            && self.region() != region
        {
            let given = shortened(self.region());
            text.push_str(&format!("Credential should be scoped to a valid region, not '{given}'. "));
        }
        if self.service() != SERVICE {
            text.push_str(&format!("Credential should be scoped to correct service: '{SERVICE}'. "));
        }
        if self.terminator() != TERMINATOR {
            let given = shortened(self.terminator());
            text.push_str(&format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{given}'. "
            ));
        }
        if self.date() != self.moment.date() {
            let (given, date, time) = (shortened(self.date()), self.moment.date(), self.moment.basic());
            text.push_str(&format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{given}' != \
                 '{date}', from '{time}'."
            ));
        }
        if text.is_empty() { Ok(()) } else { Err(invalid(text)) }
    }

    /// Computes the signature, and compares it with that of the request. The time this takes does not depend on how much of it is right.
    ///
    /// # Errors
    ///
    /// [`Mismatch`].
    pub(crate) fn verify(&self, request: &SignedRequest<'_>, secret: &[u8]) -> Result<(), Box<Mismatch>> {
        let canonical = canonical::request(self, request);
        let to_sign = canonical::string_to_sign(self, &canonical);
        let key = key::signing_key(secret, [self.date(), self.region(), self.service(), self.terminator()]);
        let signature = key::hex(&key::hmac(&key, to_sign.as_bytes()));
        if signature.as_bytes().ct_eq(self.signature.as_bytes()).into() {
            return Ok(());
        }
        let text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                    Access Key and signing method. Consult the service documentation for details.";
        let shown = format!(
            "{text}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\nThe String-to-Sign should \
             have been\n'{to_sign}'\n"
        );
        Err(Box::new(Mismatch { answer: invalid(shown), for_log: invalid(text) }))
    }

    /// Checks that the request was signed at about `now`, or is valid for longer.
    ///
    /// # Errors
    ///
    /// AWS's text for a signature of the past or of the future.
    pub(crate) fn check_time(&self, now: EpochMillis) -> Result<(), ApiError> {
        let signed = self.moment.seconds();
        // Requests have whole seconds.
        let now = now.0.div_euclid(1000);
        let skew = SKEW_MINUTES * 60;
        let (lifetime, unit) = match self.lifetime {
            Lifetime::Header => (skew, format!("{SKEW_MINUTES} min.")),
            Lifetime::Presigned(seconds) => (i64::from(seconds), format!("{seconds} sec.")),
        };
        let shown = |seconds: i64| Moment::at(seconds).basic().to_owned();
        let given = self.moment.basic();
        if signed < now.saturating_sub(lifetime) {
            let (earliest, now) = (shown(now.saturating_sub(lifetime)), shown(now));
            return Err(invalid(format!(
                "Signature expired: {given} is now earlier than {earliest} ({now} - {unit})"
            )));
        }
        if signed > now.saturating_add(skew) {
            let (latest, now) = (shown(now.saturating_add(skew)), shown(now));
            return Err(invalid(format!(
                "Signature not yet current: {given} is still later than {latest} ({now} + {SKEW_MINUTES} min.)"
            )));
        }
        Ok(())
    }
}

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidSignatureException, text)
}

fn incomplete(text: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::IncompleteSignatureException, text)
}

/// Shortens a text of the client, which may be any, for a message.
fn shortened(text: &str) -> &str {
    text.char_indices().nth(200).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests;
