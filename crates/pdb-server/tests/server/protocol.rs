//! Methods, media types, headers, signatures: validation.md, section 2, and streams.md, section 13.

use crate::harness::{Connection, SIGNED, exchange, request, request_with, server};

const LIST: &str = "DynamoDBStreams_20120810.ListStreams";

#[test]
fn an_answer_has_its_headers() {
    let server = server();
    let answer = exchange(server.address(), request(LIST, "{}"));
    assert_eq!((answer.status, answer.text()), (200, r#"{"Streams":[]}"#));
    assert_eq!(answer.header("x-amz-crc32"), Some("1490112021"));
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(answer.header("content-length"), Some("14"));
    assert!(answer.header("server").is_some() && answer.header("date").is_some());
    let id = answer.header("x-amzn-requestid").unwrap();
    assert!(
        id.len() == 52 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()),
        "{id}"
    );
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn the_content_type_is_the_requests() {
    let server = server();
    for (given, answered) in [
        ("application/x-amz-json-1.0", "application/x-amz-json-1.0"),
        ("application/x-amz-json-1.0; charset=utf-8", "application/x-amz-json-1.0"),
        ("application/json", "application/json"),
        ("application/json;charset=utf-8", "application/json"),
    ] {
        for body in ["{}", "{"] {
            let answer = exchange(server.address(), request_with(SIGNED, given, LIST, body));
            assert_eq!(answer.header("content-type"), Some(answered), "{given} {body}");
            let crc = crc32fast::hash(&answer.body).to_string();
            assert_eq!(answer.header("x-amz-crc32"), Some(crc.as_str()));
        }
    }
}

#[test]
fn other_requests_get_status_404() {
    let server = server();
    for request in [
        request_with(SIGNED, "application/x-amz-json-1.1", LIST, "{}"),
        request_with(SIGNED, "text/plain", LIST, "{}"),
        "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
        format!("POST / HTTP/1.1\r\nHost: localhost\r\n{SIGNED}Content-Length: 2\r\n\r\n{{}}"),
    ] {
        let answer = exchange(server.address(), &request);
        assert_eq!((answer.status, answer.text()), (404, "<UnknownOperationException/>\n"), "{request}");
        assert_eq!(answer.header("x-amz-crc32"), Some("3552371480"));
        assert_eq!(answer.header("content-length"), Some("29"));
    }
}

#[test]
fn get_says_that_the_server_is_healthy() {
    let server = server();
    let answer = exchange(server.address(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!((answer.status, answer.text()), (200, "healthy: dynamodb.us-east-1.amazonaws.com "));
}

#[test]
fn json_then_target_then_signature() {
    let server = server();
    let not_json = r#"{"__type":"com.amazon.coral.service#SerializationException"}"#;
    let unknown = r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
    let unsigned = concat!(
        r#"{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","#,
        r#""message":"Request is missing Authentication Token"}"#
    );
    for (headers, target, body, expected) in [
        ("", "Nonsense", "{", not_json),
        ("", "Nonsense", "{}", unknown),
        (SIGNED, "DynamoDB_20120810.ListStreams", "{}", unknown),
        ("", LIST, "{", not_json),
        ("", LIST, "", not_json),
        (SIGNED, LIST, "", not_json),
        ("", LIST, r#"{"Limit":"x"}"#, unsigned),
    ] {
        let answer = exchange(server.address(), request_with(headers, "application/json", target, body));
        assert_eq!((answer.status, answer.text()), (400, expected), "{headers}{target} {body}");
    }
    let incomplete = "Authorization: AWS4-HMAC-SHA256 Credential=a\r\n";
    let answer = exchange(server.address(), request_with(incomplete, "application/json", LIST, "{}"));
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"__type":"com.amazon.coral.service#IncompleteSignatureException","message":"Authorization header requires "#,
            r#"'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires "#,
            r#"existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Credential=a"}"#
        )
    );
}

#[test]
fn a_connection_serves_many_requests() {
    let server = server();
    let mut connection = Connection::to(server.address());
    let mut ids = Vec::new();
    for _ in 0..3 {
        connection.send(request(LIST, "{}"));
        let answer = connection.answer();
        assert_eq!(answer.status, 200);
        ids.push(answer.header("x-amzn-requestid").unwrap().to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    connection.send(request_with(&format!("Connection: close\r\n{SIGNED}"), "application/json", LIST, "{}"));
    assert_eq!(connection.answer().status, 200);
    assert!(connection.is_closed());
}

#[test]
fn a_client_may_wait_for_permission_to_send() {
    let server = server();
    let mut connection = Connection::to(server.address());
    connection.send(format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Amz-Target: {LIST}\r\n{SIGNED}\
         Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    ));
    assert_eq!(connection.line(), "HTTP/1.1 100 Continue");
    assert_eq!(connection.line(), "");
    connection.send("{}");
    assert_eq!(connection.answer().status, 200);
}
