//! The canonical request and the string to sign, as "Create a signed AWS API request" describes them.

use super::key::{hex, sha256};
use super::{ALGORITHM, Claim, SignedRequest, percent};

/// Returns the canonical request: method, path, query, signed headers, their names, and the hash of the body, one per line.
///
/// The hash is always that of the body, whatever `X-Amz-Content-Sha256` says; so a header with the hash of another body, or with
/// `UNSIGNED-PAYLOAD`, never makes a body right that was not signed.
pub(super) fn request(claim: &Claim<'_>, request: &SignedRequest<'_>) -> String {
    let mut names: Vec<&str> = claim.signed_headers().collect();
    names.sort_unstable();
    let mut text = String::with_capacity(1024);
    text.push_str(request.method);
    text.push('\n');
    push_path(request.path, &mut text);
    text.push('\n');
    push_query(claim, request.query, &mut text);
    text.push('\n');
    for name in &names {
        text.push_str(name);
        text.push(':');
        push_values(request, name, &mut text);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&names.join(";"));
    text.push('\n');
    text.push_str(&hex(request.body_hash));
    text
}

/// Returns the string to sign of a canonical request.
pub(super) fn string_to_sign(claim: &Claim<'_>, canonical: &str) -> String {
    let [date, region, service, terminator] =
        [claim.date(), claim.region(), claim.service(), claim.terminator()];
    let (moment, hash) = (claim.moment.basic(), hex(&sha256(canonical.as_bytes())));
    format!("{ALGORITHM}\n{moment}\n{date}/{region}/{service}/{terminator}\n{hash}")
}

/// Adds the path without empty and dotted segments. It is encoded once more than it was sent: only S3 does without.
fn push_path(path: &str, into: &mut String) {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        into.push('/');
        percent::encode(segment.as_bytes(), false, into);
    }
    let ends_a_folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    if segments.is_empty() || ends_a_folder {
        into.push('/');
    }
}

/// Adds the parameters, decoded and encoded again, in the order of their encoded names and values. The signature itself is not signed.
fn push_query(claim: &Claim<'_>, query: &str, into: &mut String) {
    let encoded = |part: &str| {
        let mut text = String::new();
        percent::encode(&percent::decode(part), false, &mut text);
        text
    };
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let parameters = parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
    let parameters = parameters.filter(|(name, _)| !(claim.is_presigned() && *name == "X-Amz-Signature"));
    let mut parameters: Vec<_> = parameters.map(|(name, value)| (encoded(name), encoded(value))).collect();
    parameters.sort_unstable();
    for (number, (name, value)) in parameters.iter().enumerate() {
        if number > 0 {
            into.push('&');
        }
        into.push_str(name);
        into.push('=');
        into.push_str(value);
    }
}

/// Adds the values of a header, separated by commas, in the order in which they were sent. A header that is missing has none.
fn push_values(request: &SignedRequest<'_>, name: &str, into: &mut String) {
    for (number, value) in request.headers.get_all(name).iter().enumerate() {
        if number > 0 {
            into.push(',');
        }
        // Values are nearly always ASCII. Others are signed as the bytes of UTF-8; what is not UTF-8 cannot be signed.
        push_trimmed(&String::from_utf8_lossy(value.as_bytes()), into);
    }
}

/// Adds a value without spaces around it, and with single spaces in it.
fn push_trimmed(value: &str, into: &mut String) {
    let mut is_first = true;
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        if !is_first {
            into.push(' ');
        }
        is_first = false;
        into.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_once_more() {
        for (path, expected) in [
            ("/", "/"),
            ("", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/db/orders", "/db/orders"),
            ("/db/orders/", "/db/orders/"),
            ("/db//orders", "/db/orders"),
            ("/db/a/../orders", "/db/orders"),
            ("/../db/./", "/db/"),
            ("/a%20b", "/a%2520b"),
            ("/\u{1234}", "/%E1%88%B4"),
        ] {
            let mut text = String::new();
            push_path(path, &mut text);
            assert_eq!(text, expected, "{path}");
        }
    }

    #[test]
    fn values_have_single_spaces() {
        for (value, expected) in
            [("a", "a"), ("  a   b  c ", "a b c"), ("\"a   b\"", "\"a b\""), ("", ""), ("   ", "")]
        {
            let mut text = String::new();
            push_trimmed(value, &mut text);
            assert_eq!(text, expected, "{value:?}");
        }
    }
}
