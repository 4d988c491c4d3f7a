//! `--credentials`: calls that are signed with known keys, and all others.

use std::sync::Arc;
use std::time::Duration;

use pdb_server::{Credentials, NamedDatabase, NamedDatabases, Regions, RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::time::ManualClock;
use serde_json::Value;

use crate::harness::{Answer, exchange};
use crate::signed::Signed;

const KEYS: &str = r#"{"keys": [
    {"accessKeyId": "AKIDOWNER", "secretAccessKey": "owner+/="},
    {"accessKeyId": "AKIDREADER", "secretAccessKey": "reader", "userName": "reports", "readOnly": true},
    {"accessKeyId": "AKIDTESTS", "secretAccessKey": "tests", "tablePrefixes": ["test-"]},
    {"accessKeyId": "ASIATEMPORARY", "secretAccessKey": "temporary", "sessionToken": "t0ken/+=",
     "expiration": "2100-01-01T00:00:00Z"}
]}"#;
const LIST: &str = "DynamoDB_20120810.ListTables";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
                        Key and signing method. Consult the service documentation for details.";

fn options() -> ServerOptions {
    ServerOptions { credentials: Some(Credentials::parse(KEYS).unwrap()), ..ServerOptions::default() }
}

fn locked() -> RunningServer {
    Server::start(Pretender::in_memory().unwrap(), options()).unwrap()
}

fn owner() -> Signed<'static> {
    Signed::by("AKIDOWNER", "owner+/=")
}

/// Checks exception and text of an answer.
#[track_caller]
fn refused(answer: &Answer, exception: &str, text: &str) {
    let error: Value = serde_json::from_slice(&answer.body).unwrap();
    let kind = error["__type"].as_str().unwrap();
    let message = error["message"].as_str().or(error["Message"].as_str()).unwrap_or_default();
    assert_eq!((answer.status, kind), (400, format!("com.amazon.coral.service#{exception}").as_str()));
    assert!(message.starts_with(text), "{message}");
}

fn create(name: &str) -> String {
    format!(
        r#"{{"TableName":"{name}","AttributeDefinitions":[{{"AttributeName":"id","AttributeType":"S"}}],"KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],"BillingMode":"PAY_PER_REQUEST"}}"#
    )
}

#[test]
fn calls_with_known_keys_are_answered() {
    let server = locked();
    let address = server.address();
    let temporary = Signed { key: ("ASIATEMPORARY", "temporary", Some("t0ken/+=")), ..owner() };
    let presigned = Signed { expires: Some(60), ..owner() };
    let both = Signed { expires: Some(604_800), ..temporary.clone() };
    for signed in [owner(), temporary, presigned, both] {
        let answer = exchange(address, signed.call(LIST, "{}"));
        assert_eq!((answer.status, answer.text()), (200, r#"{"TableNames":[]}"#), "{signed:?}");
    }
    let other_port = Signed { host: "127.0.0.1:8123", headers: &[("X-Other", "  a   b ")], ..owner() };
    assert_eq!(exchange(address, other_port.call(LIST, "{}")).status, 200);
    // As a client sends it to a proxy.
    let to_proxy = String::from_utf8(owner().call(LIST, "{}")).unwrap();
    let to_proxy = to_proxy.replace("POST / HTTP", "POST http://localhost/ HTTP");
    assert_eq!(exchange(address, to_proxy).status, 200);
    // The root page and the state of the server are for all.
    for open in ["/", "/_pretender/health", "/_pretender/ready", "/_pretender/version"] {
        assert_eq!(exchange(address, format!("GET {open} HTTP/1.1\r\nHost: localhost\r\n\r\n")).status, 200);
    }
}

#[test]
fn all_other_calls_are_refused() {
    let server = locked();
    let address = server.address();
    let invalid = "The security token included in the request is invalid.";
    for (signed, exception, text) in [
        (Signed::by("AKIDOWNER", "wrong"), "InvalidSignatureException", MISMATCH),
        (Signed::by("AKIDOTHER", "owner+/="), "UnrecognizedClientException", invalid),
        (
            Signed { key: ("AKIDOWNER", "owner+/=", Some("t")), ..owner() },
            "UnrecognizedClientException",
            invalid,
        ),
        (Signed::by("ASIATEMPORARY", "temporary"), "UnrecognizedClientException", invalid),
        (
            Signed { key: ("ASIATEMPORARY", "temporary", Some("t0ken")), ..owner() },
            "UnrecognizedClientException",
            invalid,
        ),
        (
            Signed { region: "eu-west-1", ..owner() },
            "InvalidSignatureException",
            "Credential should be scoped to a valid region, not 'eu-west-1'. ",
        ),
        (
            Signed { service: "s3", ..owner() },
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'dynamodb'. ",
        ),
        (
            Signed { seconds: Some(1_000_000_000), ..owner() },
            "InvalidSignatureException",
            "Signature expired: 20010909T014640Z is now earlier than ",
        ),
        (
            Signed { seconds: Some(4_000_000_000), ..owner() },
            "InvalidSignatureException",
            "Signature not yet current: 20961002T070640Z is still later than ",
        ),
        (
            Signed { seconds: Some(1_000_000_000), expires: Some(60), ..owner() },
            "InvalidSignatureException",
            "Signature expired: 20010909T014640Z is now earlier than ",
        ),
    ] {
        refused(&exchange(address, signed.call(LIST, "{}")), exception, text);
    }
    let call = owner().call(LIST, "{}");
    let changed = String::from_utf8(call).unwrap().replace("\r\n\r\n{}", "\r\n\r\n[]");
    let answer = exchange(address, changed);
    refused(&answer, "InvalidSignatureException", MISMATCH);
    assert!(
        answer.text().contains("The Canonical String for this request should have been\\n'POST\\n/\\n\\n")
    );
    // Without a signature, the answer is the same as on any server.
    let unsigned = crate::harness::request_with("", "application/x-amz-json-1.0", LIST, "{}");
    refused(&exchange(address, unsigned), "MissingAuthenticationTokenException", "Request is missing");
}

#[test]
fn the_hash_is_that_of_the_body_as_it_was_sent() {
    use std::io::Write;
    let server = locked();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"{}").unwrap();
    let packed = encoder.finish().unwrap();
    let signed = Signed { headers: &[("Content-Encoding", "gzip")], ..owner() };
    let answer = exchange(server.address(), signed.call(LIST, packed));
    assert_eq!((answer.status, answer.text()), (200, r#"{"TableNames":[]}"#));
    // A large body arrives in pieces.
    let large = format!(r#"{{"Limit":1,"Ignored":"{}"}}"#, "x".repeat(300_000));
    assert_eq!(exchange(server.address(), owner().call(LIST, large)).status, 200);
    // No header replaces the hash of the body.
    for hash in ["UNSIGNED-PAYLOAD", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"] {
        let signed = Signed { headers: &[("X-Amz-Content-Sha256", hash)], ..owner() };
        let call = String::from_utf8(signed.call(LIST, "{}")).unwrap();
        assert_eq!(exchange(server.address(), &call).status, 200);
        let answer = exchange(server.address(), call.replace("\r\n\r\n{}", "\r\n\r\n[]"));
        refused(&answer, "InvalidSignatureException", MISMATCH);
    }
}

#[test]
fn keys_have_limits() {
    let server = locked();
    let address = server.address();
    let call = |signed: &Signed<'_>, operation: &str, body: &str| {
        exchange(address, signed.call(&format!("DynamoDB_20120810.{operation}"), body))
    };
    let (reader, tests) = (Signed::by("AKIDREADER", "reader"), Signed::by("AKIDTESTS", "tests"));
    assert_eq!(call(&owner(), "CreateTable", &create("orders")).status, 200);
    assert_eq!(call(&tests, "CreateTable", &create("test-orders")).status, 200);
    assert_eq!(call(&reader, "Scan", r#"{"TableName":"orders"}"#).status, 200);
    refused(
        &call(&reader, "CreateTable", &create("new")),
        "AccessDeniedException",
        "User: arn:aws:iam::000000000000:user/reports is not authorized to perform: dynamodb:CreateTable on resource: \
         arn:aws:dynamodb:us-east-1:000000000000:table/new because no identity-based policy allows the dynamodb:CreateTable action",
    );
    refused(&call(&tests, "Scan", r#"{"TableName":"orders"}"#), "AccessDeniedException", "User: ");
    let listed = call(&reader, "ListTables", "{}");
    assert_eq!(listed.text(), r#"{"TableNames":["orders","test-orders"]}"#);
}

#[test]
fn the_time_is_that_of_the_database() {
    let clock = Arc::new(ManualClock::running());
    let pretender = Pretender::builder().in_memory().clock(clock.clone()).open().unwrap();
    let options = ServerOptions {
        control: Some(clock.clone()),
        control_token: Some("t".parse().unwrap()),
        ..options()
    };
    let server = Server::start(pretender, options).unwrap();
    let address = server.address();
    let call = owner().call(LIST, "{}");
    assert_eq!(exchange(address, &call).status, 200);
    clock.advance(Duration::from_secs(14 * 60));
    assert_eq!(exchange(address, &call).status, 200);
    clock.advance(Duration::from_secs(2 * 60));
    refused(&exchange(address, &call), "InvalidSignatureException", "Signature expired: ");
    let temporary = Signed { key: ("ASIATEMPORARY", "temporary", Some("t0ken/+=")), ..owner() };
    clock.set(pretender::time::EpochMillis(4_102_444_800_000));
    let late = Signed { seconds: Some(4_102_444_800), ..temporary };
    refused(
        &exchange(address, late.call(LIST, "{}")),
        "ExpiredTokenException",
        "The security token included in the request is expired",
    );
}

#[test]
fn a_database_that_a_call_names_is_opened_only_for_a_right_signature() {
    let databases = NamedDatabases::new(None, |_| {
        let clock = Arc::new(ManualClock::running());
        let pretender = Pretender::builder().in_memory().clock(clock.clone()).open()?;
        Ok(NamedDatabase { regions: pretender.into(), clock: Some(clock) })
    });
    let server = Server::start(
        Pretender::in_memory().unwrap(),
        ServerOptions {
            databases: Some(databases.clone()),
            control_token: Some("t".parse().unwrap()),
            ..options()
        },
    )
    .unwrap();
    let address = server.address();
    let names = || {
        let listed = exchange(
            address,
            "GET /_pretender/databases HTTP/1.1\r\nHost: localhost\r\nX-Pretender-Token: t\r\n\r\n",
        );
        let listed: Value = serde_json::from_slice(&listed.body).unwrap();
        let listed = listed["databases"].as_array().unwrap().iter();
        listed.map(|database| database["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for signed in [
        Signed { path: "/db/orders", ..Signed::by("AKIDOWNER", "wrong") },
        Signed { path: "/db/orders", seconds: Some(1_000_000_000), ..owner() },
        Signed::by("AKIDREADER", "wrong"),
    ] {
        assert_eq!(exchange(address, signed.call(LIST, "{}")).status, 400, "{signed:?}");
    }
    // A signature is for one path.
    let call = String::from_utf8(owner().call(LIST, "{}")).unwrap().replace("POST / ", "POST /db/orders ");
    refused(&exchange(address, call), "InvalidSignatureException", MISMATCH);
    assert!(names().is_empty());
    for path in ["/db/orders", "/db/orders/"] {
        let answer = exchange(address, Signed { path, ..owner() }.call(LIST, "{}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(exchange(address, Signed::by("AKIDREADER", "reader").call(LIST, "{}")).status, 200);
    assert_eq!(names(), ["AKIDREADER", "orders"]);
}

#[test]
fn separate_regions_need_signatures_of_their_own() {
    let builder = Pretender::builder().in_memory();
    let home = builder.clone().open().unwrap();
    let regions = Regions::separate(home, move |region| builder.clone().in_region(region).open());
    let server = Server::start(regions, options()).unwrap();
    let address = server.address();
    let west = Signed { region: "eu-west-1", ..owner() };
    assert_eq!(exchange(address, west.call("DynamoDB_20120810.CreateTable", create("orders"))).status, 200);
    assert_eq!(exchange(address, west.call(LIST, "{}")).text(), r#"{"TableNames":["orders"]}"#);
    assert_eq!(exchange(address, owner().call(LIST, "{}")).text(), r#"{"TableNames":[]}"#);
    let call = String::from_utf8(west.call(LIST, "{}")).unwrap().replace("eu-west-1", "eu-west-2");
    refused(&exchange(address, call), "InvalidSignatureException", MISMATCH);
    let nowhere = Signed { region: "nowhere", ..owner() };
    refused(
        &exchange(address, nowhere.call(LIST, "{}")),
        "InvalidSignatureException",
        "Credential should be scoped to a valid region, not 'nowhere'. ",
    );
}

#[test]
fn what_is_not_a_call_needs_the_token() {
    let requests = [
        "GET /_pretender/metrics HTTP/1.1\r\nHost: localhost\r\n",
        "GET /_pretender/console/ HTTP/1.1\r\nHost: localhost\r\n",
        "POST /_pretender/backup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 0\r\n",
    ];
    let server = locked();
    for request in requests {
        let answer = exchange(server.address(), format!("{request}\r\n"));
        assert_eq!(answer.status, 403, "{request}");
        assert!(answer.text().contains("PRETENDER_CONTROL_TOKEN"), "{}", answer.text());
    }
    let with_token = ServerOptions { control_token: Some("t".parse().unwrap()), ..options() };
    let server = Server::start(Pretender::in_memory().unwrap(), with_token).unwrap();
    for request in requests {
        let without = exchange(server.address(), format!("{request}\r\n")).status;
        // The console asks for the token on a page.
        assert!(without == 401 || (request.contains("console") && without == 303), "{request} {without}");
        if !request.contains("console") {
            let answer = exchange(server.address(), format!("{request}X-Pretender-Token: t\r\n\r\n"));
            assert_eq!(answer.status, 200, "{request}");
        }
    }
}
