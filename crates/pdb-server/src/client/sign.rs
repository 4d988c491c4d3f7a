//! Signature version 4, for the one form of request that this program sends.

use hmac::{Hmac, KeyInit, Mac};
use pretender::streams::StreamLabel;
use pretender::time::EpochMillis;
use sha2::{Digest, Sha256};

/// The credentials that sign requests. Emulators accept any, AWS does not.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    /// Only for temporary credentials.
    pub(crate) session_token: Option<String>,
}

impl Credentials {
    /// Returns credentials that emulators accept.
    pub(super) fn made_up() -> Self {
        Self { access_key: "pretender".to_owned(), secret_key: "pretender".to_owned(), session_token: None }
    }
}

/// Shows no secrets.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// What is signed, besides the credentials and the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) region: &'a str,
    pub(crate) target: &'a str,
    pub(crate) body: &'a str,
}

/// Returns the headers that sign a `POST`.
pub(crate) fn signed_headers(
    credentials: &Credentials,
    call: Call<'_>,
    now: EpochMillis,
) -> Vec<(&'static str, String)> {
    let Call { host, path, region, target, body } = call;
    let (date, moment) = stamps(now);
    let mut signed = vec![("host", host), ("x-amz-date", &moment)];
    signed.extend(credentials.session_token.as_deref().map(|token| ("x-amz-security-token", token)));
    signed.push(("x-amz-target", target));
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names = signed.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");

    let request = format!("POST\n{path}\n\n{lines}\n{names}\n{}", hex(&Sha256::digest(body)));
    let scope = format!("{date}/{region}/dynamodb/aws4_request");
    let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex(&Sha256::digest(request)));
    let secret = format!("AWS4{}", credentials.secret_key).into_bytes();
    let key = [&date, region, "dynamodb", "aws4_request"]
        .into_iter()
        .fold(secret, |key, part| keyed(&key, part.as_bytes()));
    let signature = hex(&keyed(&key, to_sign.as_bytes()));

    let access_key = &credentials.access_key;
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    );
    let mut headers = vec![("Authorization", authorization)];
    headers.extend(credentials.session_token.clone().map(|token| ("X-Amz-Security-Token", token)));
    headers.push(("X-Amz-Date", moment));
    headers
}

/// Returns the date and the time in the form of signatures: `20260301` and `20260301T091542Z`.
fn stamps(now: EpochMillis) -> (String, String) {
    let mut digits = StreamLabel::at(now).as_str().replace(['-', ':'], "");
    digits.truncate("20260301T091542".len());
    (digits[.."20260301".len()].to_owned(), format!("{digits}Z"))
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(session_token: Option<&str>, names: &str, signature: &str) {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: session_token.map(str::to_owned),
        };
        let call = Call {
            host: "streams.dynamodb.eu-west-1.amazonaws.com",
            path: "/",
            region: "eu-west-1",
            target: "DynamoDBStreams_20120810.ListStreams",
            body: "{}",
        };
        let headers = signed_headers(&credentials, call, EpochMillis(1_772_356_542_017));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/eu-west-1/dynamodb/aws4_request, \
             SignedHeaders={names}, Signature={signature}"
        );
        assert_eq!(headers[0], ("Authorization", authorization));
        assert!(headers.contains(&("X-Amz-Date", "20260301T091542Z".to_owned())));
        let token = session_token.map(|token| ("X-Amz-Security-Token", token.to_owned()));
        assert!(token.is_none_or(|token| headers.contains(&token)));
    }

    #[test]
    fn signs_as_botocore_does() {
        // Computed with botocore for the same request, credentials and second.
        check(
            None,
            "host;x-amz-date;x-amz-target",
            "5a2350008bc4ebf11ea37617431b72b7e37ddc6c3b0b58fd6bc13c7c6ff79c2f",
        );
        check(
            Some("TOKEN"),
            "host;x-amz-date;x-amz-security-token;x-amz-target",
            "a6004c74195ad912fd584035e38957e767d37198868781241cd62881a90899b4",
        );
    }
}
