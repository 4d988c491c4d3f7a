//! What is refused, and with which text.

use hyper::header::HeaderName;

use super::*;

const HEADER: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260301/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host;x-amz-date, Signature=ab";
const QUERY: &str = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260301%2Fus-east-1%2Fdynamodb%2Faws4_request\
     &X-Amz-Date=20260301T091542Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";

fn in_header() -> Sample {
    let mut sample = Sample {
        method: "POST".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: b"{}".to_vec(),
    };
    sample.set("Host", "localhost:8000");
    sample.set("X-Amz-Date", "20260301T091542Z");
    sample.set("Authorization", HEADER);
    sample
}

fn in_query(target: &str) -> Sample {
    let mut sample = in_header();
    sample.headers.retain(|(name, _)| name == "Host");
    Sample { target: target.to_owned(), ..sample }
}

/// Checks code and text with which a claim is refused before its signature is computed.
#[track_caller]
fn refused(sample: &Sample, code: ErrorCode, text: &str) {
    let checked = sample.with_claim(|claim, _| claim.check_scope(ValidRegion::Only("us-east-1")));
    assert_eq!(checked, Err(ApiError::new(code, text)), "{sample:?}");
}

#[test]
fn headers_that_are_malformed() {
    use ErrorCode::{IncompleteSignatureException as Incomplete, InvalidSignatureException as Invalid};
    for (from, to, code, text) in [
        (
            "AWS4-HMAC-SHA256 ",
            "AWS4-ECDSA-P256-SHA256 ",
            Invalid,
            "pretender does not verify signatures of version 4A (AWS4-ECDSA-P256-SHA256), and this server accepts only verified \
             ones: sign with AWS4-HMAC-SHA256",
        ),
        (
            "AWS4-HMAC-SHA256 ",
            "AWS4-HMAC-SHA1 ",
            Incomplete,
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.",
        ),
        (
            "AKIDEXAMPLE/20260301/",
            "AKID/EXAMPLE/20260301/",
            Incomplete,
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
             'AKID/EXAMPLE/20260301/us-east-1/dynamodb/aws4_request'",
        ),
        (
            ", Signature=ab",
            ", Signature=ab, Signature=cd",
            Incomplete,
            "Authorization header has more than one 'Signature' parameter.",
        ),
        (
            "us-east-1",
            "eu-west-1",
            Invalid,
            "Credential should be scoped to a valid region, not 'eu-west-1'. ",
        ),
        ("/dynamodb/", "/s3/", Invalid, "Credential should be scoped to correct service: 'dynamodb'. "),
        (
            "us-east-1/dynamodb/",
            "eu-west-1/s3/",
            Invalid,
            "Credential should be scoped to a valid region, not 'eu-west-1'. Credential should be scoped to correct service: \
             'dynamodb'. ",
        ),
        (
            "aws4_request",
            "aws5_request",
            Invalid,
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ",
        ),
        (
            "/20260301/",
            "/20260302/",
            Invalid,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260302' != \
             '20260301', from '20260301T091542Z'.",
        ),
        (
            "SignedHeaders=host;",
            "SignedHeaders=",
            Invalid,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "SignedHeaders=host;x-amz-date",
            "SignedHeaders=host",
            Invalid,
            "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.",
        ),
    ] {
        let mut sample = in_header();
        sample.set("Authorization", &HEADER.replace(from, to));
        refused(&sample, code, text);
    }
    let mut sample = in_header();
    sample.set("Authorization", "AWS4-HMAC-SHA256 Credential=a, nonsense, SignedHeaders=host, Signature=ab");
    refused(
        &sample,
        Incomplete,
        "'nonsense' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Credential=a, \
         nonsense, SignedHeaders=host, Signature=ab'.",
    );
    let mut sample = in_header();
    sample.set("X-Amz-Target", "DynamoDB_20120810.ListTables");
    refused(&sample, Invalid, "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
    let mut sample = in_header();
    sample.headers.push(("Authorization".to_owned(), HEADER.as_bytes().to_vec()));
    refused(&sample, Incomplete, "The request has more than one 'Authorization' header.");
    let mut sample = in_header();
    sample.set("X-Amz-Date", "2026-03-01T09:15:42Z");
    refused(
        &sample,
        Incomplete,
        "Date must be in ISO-8601 'basic format'. Got '2026-03-01T09:15:42Z'. See http://en.wikipedia.org/wiki/ISO_8601",
    );
}

#[test]
fn the_date_header_serves_if_there_is_no_other() {
    let mut sample = in_header();
    sample.headers.retain(|(name, _)| name != "X-Amz-Date");
    sample.set("Date", "Sun, 01 Mar 2026 09:15:42 GMT");
    refused(
        &sample,
        ErrorCode::InvalidSignatureException,
        "'Date' must be a 'SignedHeader' in the AWS Authorization.",
    );
    sample.set("Authorization", &HEADER.replace("x-amz-date", "date"));
    let moment = sample.with_claim(|claim, _| Ok(claim.moment.basic().to_owned()));
    assert_eq!(moment.as_deref(), Ok("20260301T091542Z"));
    // The other one wins.
    sample.set("X-Amz-Date", "20260301T091543Z");
    sample.set("Authorization", HEADER);
    let moment = sample.with_claim(|claim, _| Ok(claim.moment.basic().to_owned()));
    assert_eq!(moment.as_deref(), Ok("20260301T091543Z"));
}

#[test]
fn queries_that_are_malformed() {
    use ErrorCode::{IncompleteSignatureException as Incomplete, InvalidSignatureException as Invalid};
    for (from, to, code, text) in [
        (
            "&X-Amz-Date=20260301T091542Z",
            "",
            Incomplete,
            "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
        ),
        (
            "X-Amz-S",
            "X-S",
            Incomplete,
            "AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include \
             'X-Amz-SignedHeaders'. Re-examine the query-string parameters.",
        ),
        (
            "Expires=60",
            "Expires=0",
            Incomplete,
            "X-Amz-Expires must be a number of seconds between 1 and 604800, not '0'.",
        ),
        (
            "Expires=60",
            "Expires=604801",
            Incomplete,
            "X-Amz-Expires must be a number of seconds between 1 and 604800, not '604801'.",
        ),
        (
            "Expires=60",
            "Expires=%2B60",
            Incomplete,
            "X-Amz-Expires must be a number of seconds between 1 and 604800, not '+60'.",
        ),
        (
            "SignedHeaders=host",
            "SignedHeaders=date",
            Invalid,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "us-east-1",
            "eu-west-1",
            Invalid,
            "Credential should be scoped to a valid region, not 'eu-west-1'. ",
        ),
        (
            "&X-Amz-Expires=60",
            "&X-Amz-Credential=other",
            Incomplete,
            "The query has more than one 'X-Amz-Credential' parameter.",
        ),
        (
            "&X-Amz-Expires=60",
            "&X-Amz-Expires=60&X-Amz-Expire%73=61",
            Incomplete,
            "The query has more than one 'X-Amz-Expires' parameter.",
        ),
        (
            "&X-Amz-Expires=60",
            "&X-Amz-Expire%73=0",
            Incomplete,
            "X-Amz-Expires must be a number of seconds between 1 and 604800, not '0'.",
        ),
        (
            "SignedHeaders=host",
            "SignedHeaders=host%3Bx-other%3Bx-other",
            Incomplete,
            "'SignedHeaders' has 'x-other' more than once.",
        ),
        (
            "AWS4-HMAC-SHA256",
            "AWS4-ECDSA-P256-SHA256",
            Invalid,
            "pretender does not verify signatures of version 4A (AWS4-ECDSA-P256-SHA256), and this server accepts only verified \
             ones: sign with AWS4-HMAC-SHA256",
        ),
    ] {
        refused(&in_query(&QUERY.replace(from, to)), code, text);
    }
}

#[test]
fn a_wrong_signature_is_answered_with_what_should_have_been_signed() {
    let mut sample = in_header();
    sample.target = "/db/o?b=&a=1".to_owned();
    sample.set("X-Amz-Security-Token", "t0ken");
    sample.set("Authorization", &HEADER.replace("x-amz-date", "x-amz-date;x-amz-security-token;x-other"));
    let mismatch =
        sample.with_claim(|claim, request| Ok(claim.verify(request, SECRET.as_bytes()).unwrap_err()));
    let mismatch = mismatch.unwrap();
    let text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
                and signing method. Consult the service documentation for details.";
    assert_eq!(mismatch.for_log.message, text);
    assert_eq!(
        mismatch.answer.message,
        format!(
            "{text}\n\nThe Canonical String for this request should have been\n'POST\n/db/o\na=1&b=\nhost:localhost:8000\n\
             x-amz-date:20260301T091542Z\nx-amz-security-token:t0ken\nx-other:\n\n\
             host;x-amz-date;x-amz-security-token;x-other\n\
             44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'\n\nThe String-to-Sign should have been\n\
             'AWS4-HMAC-SHA256\n20260301T091542Z\n20260301/us-east-1/dynamodb/aws4_request\n\
             {}'\n",
            key::hex(&sha256(
                b"POST\n/db/o\na=1&b=\nhost:localhost:8000\nx-amz-date:20260301T091542Z\nx-amz-security-token:t0ken\n\
                  x-other:\n\nhost;x-amz-date;x-amz-security-token;x-other\n\
                  44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
            ))
        )
    );
}

#[test]
fn a_signature_is_valid_for_a_while() {
    const SIGNED: i64 = 1_772_356_542;
    let header = in_header();
    let presigned = in_query(QUERY);
    let unlimited = in_query(&QUERY.replace("&X-Amz-Expires=60", ""));
    let longest = in_query(&QUERY.replace("Expires=60", "Expires=604800"));
    for (sample, later, expected) in [
        (&header, 0, None),
        (&header, 900, None),
        (
            &header,
            901,
            Some(
                "Signature expired: 20260301T091542Z is now earlier than 20260301T091543Z (20260301T093043Z - 15 min.)",
            ),
        ),
        (&header, -900, None),
        (
            &header,
            -901,
            Some(
                "Signature not yet current: 20260301T091542Z is still later than 20260301T091541Z (20260301T090041Z + 15 min.)",
            ),
        ),
        (&presigned, 60, None),
        (
            &presigned,
            61,
            Some(
                "Signature expired: 20260301T091542Z is now earlier than 20260301T091543Z (20260301T091643Z - 60 sec.)",
            ),
        ),
        (
            &presigned,
            -901,
            Some(
                "Signature not yet current: 20260301T091542Z is still later than 20260301T091541Z (20260301T090041Z + 15 min.)",
            ),
        ),
        (&unlimited, 900, None),
        (
            &unlimited,
            901,
            Some(
                "Signature expired: 20260301T091542Z is now earlier than 20260301T091543Z (20260301T093043Z - 15 min.)",
            ),
        ),
        (&longest, 604_800, None),
        (
            &longest,
            604_801,
            Some(
                "Signature expired: 20260301T091542Z is now earlier than 20260301T091543Z (20260308T091543Z - 604800 sec.)",
            ),
        ),
    ] {
        let now = EpochMillis((SIGNED + later) * 1000 + 999);
        let checked = sample.with_claim(|claim, _| claim.check_time(now));
        assert_eq!(checked.err().map(|error| error.message).as_deref(), expected, "{later}");
    }
    // Clocks that can be set to any time.
    for now in [i64::MIN, i64::MAX, 0] {
        assert!(header.with_claim(|claim, _| claim.check_time(EpochMillis(now))).is_err());
    }
}

#[test]
fn nothing_that_a_client_sends_panics() {
    let long = "x".repeat(5000);
    for text in [
        "",
        " ",
        "=",
        ",",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=\u{e9}",
        "AWS4-HMAC-SHA256 =,=",
        &long,
    ] {
        let mut sample = in_header();
        sample.set("Authorization", text);
        assert!(sample.verify().is_err());
        assert!(in_query(&format!("/?X-Amz-Algorithm={text}&&=&%&X-Amz-Date=%")).verify().is_err());
    }
    assert_eq!(HeaderName::from_static("x-amz-date").as_str(), "x-amz-date");
}
