//! Signature version 4, for the one form of request that both APIs have.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::moment;

/// Who signs. Emulators accept anybody; AWS does not.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_key: String,
    /// `AWS_SESSION_TOKEN`, of temporary credentials.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Returns credentials that no real service accepts.
    pub fn dummy() -> Credentials {
        Credentials {
            access_key: "AKIDEXAMPLE0STREAMS0".into(),
            secret_key: "streams-suite".into(),
            session_token: None,
        }
    }
}

/// Returns the headers that sign a `POST /` with this body at this time.
pub(crate) fn signed_headers(
    credentials: &Credentials,
    region: &str,
    host: &str,
    target: &str,
    body: &[u8],
    epoch_millis: i64,
) -> Vec<(&'static str, String)> {
    let date_time = moment::basic_date_time(epoch_millis);
    let date = &date_time[..8];
    let mut canonical = format!("host:{host}\nx-amz-date:{date_time}\n");
    let mut names = "host;x-amz-date".to_owned();
    if let Some(token) = &credentials.session_token {
        canonical += &format!("x-amz-security-token:{token}\n");
        names += ";x-amz-security-token";
    }
    canonical += &format!("x-amz-target:{target}\n");
    names += ";x-amz-target";
    let request = format!("POST\n/\n\n{canonical}\n{names}\n{}", hex(&Sha256::digest(body)));
    let scope = format!("{date}/{region}/dynamodb/aws4_request");
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{date_time}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes())));
    let mut key = keyed(format!("AWS4{}", credentials.secret_key).as_bytes(), date);
    for part in [region, "dynamodb", "aws4_request"] {
        key = keyed(&key, part);
    }
    let signature = hex(&keyed(&key, &to_sign));
    let mut headers = vec![
        (
            "Authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
                credentials.access_key
            ),
        ),
        ("X-Amz-Date", date_time),
    ];
    if let Some(token) = &credentials.session_token {
        headers.push(("X-Amz-Security-Token", token.clone()));
    }
    headers
}

fn keyed(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_the_key_as_documented() {
        // The example of AWS's documentation of signature version 4.
        let mut key = keyed(b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830");
        for part in ["us-east-1", "iam", "aws4_request"] {
            key = keyed(&key, part);
        }
        assert_eq!(hex(&key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }

    #[test]
    fn signs_every_header_that_the_service_reads() {
        let headers = signed_headers(
            &Credentials::dummy(),
            "us-east-1",
            "localhost:8000",
            "T.Op",
            b"{}",
            1_772_356_542_017,
        );
        assert!(headers[0].1.contains(
            "/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, "
        ));
        assert_eq!(headers[1], ("X-Amz-Date", "20260301T091542Z".to_owned()));
    }
}
