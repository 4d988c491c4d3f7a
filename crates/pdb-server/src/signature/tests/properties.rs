//! Requests that AWS's own signer for Rust has signed: they are right, and wrong after any change.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::{SECRET, Sample};

/// How a request is signed.
#[derive(Clone, Debug)]
struct Signing {
    is_in_query: bool,
    has_token: bool,
    has_body_header: bool,
    seconds: u64,
}

/// Signs a request, which gets the headers or the query of its signature.
fn signed(mut sample: Sample, signing: &Signing) -> Sample {
    let token = signing.has_token.then(|| "t0ken/+ =".to_owned());
    let identity = Credentials::new("AKIDEXAMPLE", SECRET, token, None, "test").into();
    let mut settings = SigningSettings::default();
    if signing.is_in_query {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(60));
    } else if signing.has_body_header {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let params = SigningParams::builder()
        .identity(&identity)
        .region("eu-west-1")
        .name("dynamodb")
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(signing.seconds))
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let uri = format!("http://localhost:8000{}", sample.target);
    let headers: Vec<(String, String)> = sample
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8(value.clone()).unwrap()))
        .collect();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request =
        SignableRequest::new(&sample.method, &uri, headers, SignableBody::Bytes(&sample.body)).unwrap();
    let (instructions, _) = sign(request, &params).unwrap().into_parts();
    let (added, parameters) = instructions.into_parts();
    for header in added {
        sample.headers.push((header.name().to_owned(), header.value().as_bytes().to_vec()));
    }
    for (name, value) in parameters {
        let mut encoded = String::new();
        super::super::percent::encode(value.as_bytes(), false, &mut encoded);
        let separator = if sample.target.contains('?') { '&' } else { '?' };
        sample.target.push_str(&format!("{separator}{name}={encoded}"));
    }
    sample
}

fn any_signing() -> impl Strategy<Value = Signing> {
    (any::<bool>(), any::<bool>(), any::<bool>(), 1_000_000_000_u64..2_000_000_000).prop_map(
        |(is_in_query, has_token, has_body_header, seconds)| Signing {
            is_in_query,
            has_token,
            has_body_header,
            seconds,
        },
    )
}

fn any_request() -> impl Strategy<Value = Sample> {
    let target = select(vec![
        "/",
        "/db/orders",
        "/db/orders/",
        "/db/a%20b",
        "/?x=1",
        "/db/o?b=2&a=1&a=0",
        "/?x=a%20b&y=%2F&z",
        "/?x=a+b",
    ]);
    let value = "[!-~]([ -~]{0,20}[!-~])?";
    let headers = vec((select(vec!["x-amz-target", "content-type", "x-other", "accept"]), value), 0..6);
    let body = vec(any::<u8>(), 0..200);
    (select(vec!["POST", "GET"]), target, headers, body).prop_map(|(method, target, headers, body)| {
        let mut headers: Vec<(String, Vec<u8>)> =
            headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
        headers.push(("host".to_owned(), b"localhost:8000".to_vec()));
        Sample { method: method.to_owned(), target: target.to_owned(), headers, body }
    })
}

/// Changes one byte to another visible one.
fn changed(bytes: &[u8], at: &Index, by: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let index = at.index(bytes.len());
    let byte = &mut bytes[index];
    *byte = b'!' + (byte.wrapping_sub(b'!').wrapping_add(by) % 94);
    bytes
}

/// Returns a header as the canonical request has it.
fn canonical(value: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_the_signer_has_signed_is_right(request in any_request(), signing in any_signing()) {
        let request = signed(request, &signing);
        prop_assert_eq!(request.verify(), Ok(()), "{:?}", request);
    }

    #[test]
    fn any_change_of_one_byte_is_wrong(
        request in any_request(),
        signing in any_signing(),
        part in 0_usize..5,
        which in any::<Index>(),
        at in any::<Index>(),
        by in 1_u8..94,
    ) {
        let request = signed(request, &signing);
        let mut other = request.clone();
        match part {
            0 => other.method = String::from_utf8(changed(request.method.as_bytes(), &at, by)).unwrap(),
            1 => {
                // A target that means the same is the same: `%2f` and `%2F`, `+` and `%20`, one slash and two.
                other.target = String::from_utf8(changed(request.target.as_bytes(), &at, by)).unwrap();
                let canonical = |sample: &Sample| {
                    let target = sample.target.clone();
                    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
                    let mut text = path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
                    if path.ends_with('/') {
                        text.push('/');
                    }
                    let mut pairs: Vec<_> = query
                        .split('&')
                        .filter(|pair| !pair.is_empty())
                        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                        .map(|(name, value)| [name, value].map(super::super::percent::decode))
                        .collect();
                    pairs.sort();
                    (text, pairs)
                };
                prop_assume!(canonical(&request) != canonical(&other));
                // A fragment is not sent, and a target without a slash is none.
                prop_assume!(!other.target.contains('#') && other.target.starts_with('/'));
                // `/./a` and `/b/../a` are `/a`.
                let path = other.target.split('?').next().unwrap_or_default();
                let is_dots = |part: &str| matches!(&*super::super::percent::decode(part), b"." | b"..");
                prop_assume!(!path.split('/').any(is_dots));
            }
            2 if !request.body.is_empty() => other.body = changed(&request.body, &at, by),
            2 => other.body.push(by),
            3 => {
                // Another name of a header, or another value: all of them are signed.
                let index = which.index(other.headers.len());
                let (name, value) = &mut other.headers[index];
                prop_assume!(!name.eq_ignore_ascii_case("authorization"));
                let original = value.clone();
                *value = changed(value, &at, by);
                prop_assume!(canonical(value) != canonical(&original));
            }
            _ => {
                // The signature itself.
                if signing.is_in_query {
                    let (front, signature) = request.target.split_once("X-Amz-Signature=").unwrap();
                    let (signature, rest) = signature.split_at(64);
                    let signature = String::from_utf8(changed(signature.as_bytes(), &at, by)).unwrap();
                    other.target = format!("{front}X-Amz-Signature={signature}{rest}");
                } else {
                    let changed = changed(request.header("authorization").as_bytes(), &at, by);
                    let text = String::from_utf8(changed).unwrap();
                    // Commas and spaces both separate the parameters.
                    let separated = |text: &str| text.replace(',', " ").split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
                    prop_assume!(separated(&text) != separated(request.header("authorization")));
                    other.set("authorization", &text);
                }
            }
        }
        prop_assert!(other.verify().is_err(), "{:?}\n{:?}", request, other);
    }
}
