//! Checking that a request has a signature. The signature itself is not verified: any credentials are accepted.

use std::borrow::Cow;

use hyper::header::{AUTHORIZATION, DATE};
use hyper::http::request::Parts;
use pdb_model::{ApiError, ErrorCode};

/// Checks that there is exactly one complete signature, in the header or in the query.
///
/// # Errors
///
/// AWS's exception for a missing, duplicate or incomplete signature.
pub(crate) fn check(parts: &Parts) -> Result<(), ApiError> {
    let header = parts.headers.get(AUTHORIZATION);
    let query = parts.uri.query().unwrap_or_default();
    let is_in_query = query.split('&').any(|pair| pair.split('=').next() == Some("X-Amz-Algorithm"));
    let header = match (header, is_in_query) {
        (None, true) => return Ok(()),
        (None, false) => {
            return Err(ApiError::new(
                ErrorCode::MissingAuthenticationTokenException,
                "Request is missing Authentication Token",
            ));
        }
        (Some(_), true) => {
            return Err(ApiError::new(
                ErrorCode::InvalidSignatureException,
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
            ));
        }
        (Some(header), false) => header.as_bytes(),
    };
    let has_date = parts.headers.contains_key("x-amz-date") || parts.headers.contains_key(DATE);
    let given = given_parameters(header);
    if has_date && given == [true; PARAMETERS.len()] {
        return Ok(());
    }
    let mut missing = String::new();
    for (parameter, _) in PARAMETERS.iter().zip(given).filter(|(_, is_given)| !is_given) {
        missing.push_str(&format!("Authorization header requires '{parameter}' parameter. "));
    }
    if !has_date {
        missing.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    let message = format!("{missing}Authorization={}", shown(&String::from_utf8_lossy(header)));
    Err(ApiError::new(ErrorCode::IncompleteSignatureException, message))
}

/// The parameters that a signature consists of.
const PARAMETERS: [&str; 3] = ["Credential", "Signature", "SignedHeaders"];

/// Returns which of the parameters have a value. Each request has such a header, so it is looked at once, byte by byte.
fn given_parameters(header: &[u8]) -> [bool; PARAMETERS.len()] {
    let mut given = [false; PARAMETERS.len()];
    for part in header.split(|byte| matches!(byte, b' ' | b',')) {
        for (parameter, is_given) in PARAMETERS.iter().zip(&mut given) {
            let value = part.strip_prefix(parameter.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            *is_given |= value.is_some_and(|value| !value.is_empty());
        }
    }
    given
}

/// The header, and the query parameter, with the regions of a signature of version 4A.
const REGION_SET: &str = "X-Amz-Region-Set";

/// Returns the region that a request is signed for, from the header or the query: the third of the five parts of its
/// credential, or else the first region of its region set, unless that is a pattern.
pub(crate) fn region(parts: &Parts) -> Option<String> {
    let credential = credential(parts)?;
    let scope: Vec<&str> = credential.split('/').collect();
    if let [_, _, region, _, _] = scope.as_slice() {
        return Some(region).filter(|region| !region.is_empty()).map(|region| (*region).to_owned());
    }
    let set = match parts.headers.get(REGION_SET) {
        Some(set) => Cow::Borrowed(std::str::from_utf8(set.as_bytes()).ok()?),
        None => Cow::Owned(in_query(parts, REGION_SET)?.replace("%2C", ",").replace("%2c", ",")),
    };
    let first = set.split(',').next()?.trim();
    let is_plain =
        !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_plain.then(|| first.to_owned())
}

/// Returns the access key ID that a request is signed with, from the header or the query: the first part of its
/// credential.
pub(crate) fn key_id(parts: &Parts) -> Option<String> {
    let credential = credential(parts)?;
    let key_id = credential.split('/').next()?;
    Some(key_id).filter(|key_id| !key_id.is_empty()).map(str::to_owned)
}

/// Returns the credential of a signature: the key ID and the scope, separated by slashes.
fn credential(parts: &Parts) -> Option<Cow<'_, str>> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Some(Cow::Owned(
            in_query(parts, "X-Amz-Credential")?.replace("%2F", "/").replace("%2f", "/"),
        ));
    };
    let header = std::str::from_utf8(header.as_bytes()).ok()?;
    header.split([' ', ',']).find_map(|part| part.strip_prefix("Credential=")).map(Cow::Borrowed)
}

/// Returns a parameter of the query, as it is encoded there.
fn in_query<'p>(parts: &'p Parts, name: &str) -> Option<&'p str> {
    let mut pairs = parts.uri.query()?.split('&');
    pairs.find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

/// Returns what an answer may repeat of the header. AWS's own schemes contain no secret, and AWS repeats them
/// completely. Another scheme may contain a password or a token that was sent by mistake, which must not get into
/// answers, or into logs that store them.
fn shown(header: &str) -> Cow<'_, str> {
    let Some((scheme, _)) = header.split_once(' ') else { return Cow::Borrowed("(not repeated)") };
    if scheme.starts_with("AWS") {
        return Cow::Borrowed(header);
    }
    let is_name = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_name { Cow::Owned(format!("{scheme} (not repeated)")) } else { Cow::Borrowed("(not repeated)") }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    const COMPLETE: &str = "AWS4-HMAC-SHA256 Credential=k/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=ab";

    fn checked(uri: &str, authorization: Option<&str>, date: bool) -> Result<(), ApiError> {
        let mut request = Request::builder().uri(uri);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        if date {
            request = request.header("X-Amz-Date", "20260301T000000Z");
        }
        check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn any_complete_signature_is_accepted() {
        assert_eq!(checked("/", Some(COMPLETE), true), Ok(()));
        assert_eq!(checked("/?X-Amz-Algorithm=AWS4-HMAC-SHA256", None, false), Ok(()));
    }

    #[test]
    fn the_region_is_that_of_the_scope() {
        let of = |uri: &str, authorization: Option<&str>| {
            let mut request = Request::builder().uri(uri);
            if let Some(authorization) = authorization {
                request = request.header("Authorization", authorization);
            }
            region(&request.body(()).unwrap().into_parts().0)
        };
        assert_eq!(of("/", Some(COMPLETE)).as_deref(), Some("us-east-1"));
        let packed = "AWS4-HMAC-SHA256 SignedHeaders=host,Credential=k/20260301/eu-west-1/dynamodb/aws4_request,Signature=ab";
        assert_eq!(of("/", Some(packed)).as_deref(), Some("eu-west-1"));
        for credential in ["k%2F20260301%2Fap-east-1%2Fdynamodb%2Faws4_request", "k/20260301/ap-east-1/x/y"] {
            let uri = format!("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}");
            assert_eq!(of(&uri, None).as_deref(), Some("ap-east-1"));
        }
        for none in [
            "AWS4-HMAC-SHA256 Credential=k, Signature=ab",
            "AWS4-HMAC-SHA256 Credential=k/20260301//dynamodb/aws4_request",
            "AWS4-HMAC-SHA256 Credential=k/20260301/us-east-1/dynamodb",
            "AWS4-ECDSA-P256-SHA256 Credential=k/20260301/dynamodb/aws4_request, Signature=ab",
            "Bearer x",
        ] {
            assert_eq!(of("/", Some(none)), None, "{none}");
        }
        assert_eq!(of("/", None), None);
        assert_eq!(of("/?X-Amz-Algorithm=AWS4-HMAC-SHA256", None), None);
    }

    #[test]
    fn the_key_id_is_the_first_part_of_the_credential() {
        let of = |uri: &str, header: Option<&str>| {
            let mut request = Request::builder().uri(uri);
            if let Some(header) = header {
                request = request.header("Authorization", header);
            }
            key_id(&request.body(()).unwrap().into_parts().0)
        };
        assert_eq!(of("/", Some(COMPLETE)).as_deref(), Some("k"));
        let query =
            "/?X-Amz-Algorithm=x&X-Amz-Credential=test-1%2F20260301%2Feu-west-1%2Fdynamodb%2Faws4_request";
        assert_eq!(of(query, None).as_deref(), Some("test-1"));
        assert_eq!(
            of("/", Some("AWS4-HMAC-SHA256 Credential=test-1, Signature=x")).as_deref(),
            Some("test-1")
        );
        for (uri, header) in
            [("/", None), ("/", Some("AWS4-HMAC-SHA256 Credential=/x, Signature=x")), ("/", Some("Bearer x"))]
        {
            assert_eq!(of(uri, header), None, "{uri} {header:?}");
        }
    }

    #[test]
    fn a_scope_without_a_region_has_a_set_of_regions() {
        let scope = "k/20260301/dynamodb/aws4_request";
        for (set, expected) in [
            ("eu-west-1", Some("eu-west-1")),
            ("eu-west-1, us-east-1", Some("eu-west-1")),
            ("eu-west-1,*", Some("eu-west-1")),
            ("*", None),
            ("us-*,eu-west-1", None),
            ("", None),
        ] {
            let header =
                format!("AWS4-ECDSA-P256-SHA256 Credential={scope}, SignedHeaders=host, Signature=ab");
            let request = Request::builder().header("Authorization", header).header("X-Amz-Region-Set", set);
            let in_header = region(&request.body(()).unwrap().into_parts().0);
            assert_eq!(in_header.as_deref(), expected, "{set}");
            let set = set.replace(',', "%2C").replace(' ', "");
            let uri = format!("/?X-Amz-Algorithm=x&X-Amz-Credential={scope}&X-Amz-Region-Set={set}");
            let in_query = region(&Request::builder().uri(uri).body(()).unwrap().into_parts().0);
            assert_eq!(in_query.as_deref(), expected, "{set}");
        }
    }

    #[test]
    fn missing_parameters_are_named() {
        for (uri, authorization, date, code, message) in [
            (
                "/",
                None,
                true,
                ErrorCode::MissingAuthenticationTokenException,
                "Request is missing Authentication Token",
            ),
            (
                "/?X-Amz-Algorithm=AWS4-HMAC-SHA256",
                Some(COMPLETE),
                true,
                ErrorCode::InvalidSignatureException,
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
            ),
            (
                "/",
                Some("X"),
                false,
                ErrorCode::IncompleteSignatureException,
                "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
                 Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a \
                 'X-Amz-Date' or a 'Date' header. Authorization=(not repeated)",
            ),
        ] {
            assert_eq!(checked(uri, authorization, date), Err(ApiError::new(code, message)));
        }
    }

    #[test]
    fn secrets_are_not_repeated() {
        for (header, repeated) in [
            (
                "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=",
                "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=",
            ),
            ("AWS key:signature", "AWS key:signature"),
            ("Bearer s3cret", "Bearer (not repeated)"),
            ("bearer s3cret", "bearer (not repeated)"),
            ("Basic dXNlcjpzM2NyZXQ=", "Basic (not repeated)"),
            ("s3cret", "(not repeated)"),
            ("AWSs3cret", "(not repeated)"),
            ("s3cret=yes Signature=x", "(not repeated)"),
            ("", "(not repeated)"),
        ] {
            let error = checked("/", Some(header), true).unwrap_err();
            assert_eq!(error.message.split_once("Authorization=").unwrap().1, repeated, "{header}");
        }
    }
}
