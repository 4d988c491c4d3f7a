//! Which requests are looked at: by host, by origin, by token. In `browser.rs` a browser sends them itself.

use std::net::SocketAddr;

use pdb_server::ServerOptions;
use pretender::items::ScanInput;
use serde_json::{Value, json};

use crate::control::ControlledServer;
use crate::harness::{Answer, SIGNED, exchange, request_with, server_with};

const LIST: &str = "DynamoDB_20120810.ListTables";
const DELETE: &str = "DynamoDB_20120810.DeleteTable";

/// A server that takes commands, answers to `db.example.com`, and serves the pages of `https://app.example.com`.
fn server() -> ControlledServer {
    ControlledServer::with(ServerOptions {
        allowed_hosts: vec!["db.example.com".parse().unwrap()],
        cors_origins: vec!["https://app.example.com".parse().unwrap()],
        ..ServerOptions::default()
    })
}

/// The three doors: a call, a command that shows, one that changes, and the health check.
fn doors(address: SocketAddr, start: &str, headers: &str) -> [Answer; 4] {
    let call = format!("Content-Type: application/json\r\nX-Amz-Target: {LIST}\r\n{SIGNED}");
    [
        ("POST", "/", call.as_str(), "{}"),
        ("GET", "/_pretender/clock", "", ""),
        ("POST", "/_pretender/clock/advance", "Content-Type: application/json\r\n", r#"{"millis":1}"#),
        ("GET", "/", "", ""),
    ]
    .map(|(method, path, more, body)| {
        let line = start.replace("METHOD", method).replace("PATH", path);
        let length = body.len();
        exchange(address, format!("{line}\r\n{headers}{more}Content-Length: {length}\r\n\r\n{body}"))
    })
}

fn statuses(answers: &[Answer; 4]) -> [u16; 4] {
    answers.each_ref().map(|answer| answer.status)
}

fn clock(server: &ControlledServer) -> i64 {
    server.shows("clock")["epoch_millis"].as_i64().unwrap()
}

#[test]
fn requests_are_for_this_server() {
    let server = server();
    let address = server.server.address();
    for (start, headers, status) in [
        ("METHOD PATH HTTP/1.1", "Host: localhost:8000\r\n", 200),
        ("METHOD PATH HTTP/1.1", "Host: app.localhost\r\n", 200),
        ("METHOD PATH HTTP/1.1", "Host: 192.168.7.7:8000\r\n", 200),
        ("METHOD PATH HTTP/1.1", "Host: [::1]:8000\r\n", 200),
        ("METHOD PATH HTTP/1.1", "Host: pretender:8000\r\n", 200),
        ("METHOD PATH HTTP/1.1", "Host: host.docker.internal:8000\r\n", 200),
        ("METHOD PATH HTTP/1.1", "Host: DB.example.com:8000\r\n", 200),
        ("METHOD http://localhost:8000PATH HTTP/1.1", "Host: localhost:8000\r\n", 200),
        ("METHOD PATH HTTP/1.0", "", 200),
        ("METHOD PATH HTTP/1.1", "Host: rebind.example.com:8000\r\n", 403),
        ("METHOD PATH HTTP/1.1", "Host: 127.0.0.1.nip.io\r\n", 403),
        ("METHOD PATH HTTP/1.1", "Host: dynamodb.us-east-1.amazonaws.com\r\n", 403),
        ("METHOD PATH HTTP/1.0", "Host: rebind.example.com\r\n", 403),
        ("METHOD http://rebind.example.comPATH HTTP/1.1", "Host: localhost:8000\r\n", 403),
        ("METHOD http://localhostPATH HTTP/1.1", "Host: rebind.example.com\r\n", 403),
        ("METHOD PATH HTTP/1.1", "", 400),
        ("METHOD http://localhostPATH HTTP/1.1", "", 400),
        ("METHOD PATH HTTP/1.1", "Host: \r\n", 400),
        ("METHOD PATH HTTP/1.1", "Host: localhost\r\nHost: localhost\r\n", 400),
        ("METHOD PATH HTTP/1.1", "Host: user@localhost\r\n", 400),
    ] {
        let before = clock(&server);
        let answers = doors(address, start, headers);
        assert_eq!(statuses(&answers), [status; 4], "{start} {headers}");
        assert_eq!(clock(&server) - before, i64::from(status == 200), "{start} {headers}");
        if status != 200 {
            // In the form that each sender reads.
            let [call, shown, changed, health] = answers;
            let exception: Value = serde_json::from_str(call.text()).unwrap();
            assert_eq!(exception["__type"], "com.amazon.coral.service#AccessDeniedException");
            let text = exception["Message"].as_str().unwrap();
            for command in [shown, changed] {
                let error: Value = serde_json::from_str(command.text()).unwrap();
                assert_eq!(error, json!({ "error": text }));
            }
            assert_eq!(health.text(), format!("{text}\n"));
        }
    }
    let answer = exchange(
        address,
        "GET / HTTP/1.1\r\nHost: dynamodb.eu-west-1.amazonaws.com\r\nOrigin: http://localhost\r\n\r\n",
    );
    assert!(answer.text().contains("`--allow-host dynamodb.eu-west-1.amazonaws.com`"), "{}", answer.text());
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

/// What a browser asks before it sends a call with the headers of an SDK.
fn preflight(address: SocketAddr, path: &str, origin: &str) -> Answer {
    exchange(
        address,
        format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\n{origin}Access-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: x-amz-target, authorization\r\n\r\n"
        ),
    )
}

const CORS: [&str; 5] = [
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
];

#[track_caller]
fn check_without_cors(answer: &Answer) {
    for name in CORS {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[test]
fn pages_of_this_machine_and_those_allowed_may_call() {
    let server = server();
    let address = server.server.address();
    for origin in
        ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443", "https://app.example.com"]
    {
        let header = format!("Origin: {origin}\r\n");
        let call = exchange(
            address,
            request_with(&format!("{header}{SIGNED}"), "application/x-amz-json-1.0", LIST, "{}"),
        );
        let preflight = preflight(address, "/", &header);
        assert_eq!((call.status, preflight.status, preflight.text()), (200, 200, ""), "{origin}");
        for answer in [&call, &preflight] {
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("vary"), Some("origin"));
            assert_eq!(
                answer.header("access-control-expose-headers"),
                Some("x-amzn-requestid,x-amzn-errortype,x-amzn-errormessage,x-amz-crc32,date")
            );
        }
        for (name, value) in [
            ("access-control-max-age", "172800"),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "x-amz-target, authorization"),
        ] {
            assert_eq!(preflight.header(name), Some(value), "{name}");
        }
    }
}

#[test]
fn pages_from_elsewhere_do_nothing() {
    let server = server();
    let address = server.server.address();
    let delete = json!({"TableName": "Orders"}).to_string();
    for origin in [
        "https://example.com",
        "http://app.example.com",
        "http://192.168.1.5:3000",
        "http://localhost.example.com",
        "null",
        "file://",
        "",
    ] {
        let header = format!("Origin: {origin}\r\n");
        for content_type in ["application/x-amz-json-1.0", "application/json", "text/plain"] {
            let call =
                exchange(address, request_with(&format!("{header}{SIGNED}"), content_type, DELETE, &delete));
            assert_eq!(call.status, 403, "{origin} {content_type}");
            assert!(call.text().contains(&format!("from `{origin}` may not call")), "{}", call.text());
            check_without_cors(&call);
        }
        for path in ["/", "/nothing", "/_pretender/reset", "/_pretender"] {
            let answer = preflight(address, path, &header);
            assert_eq!(answer.status, 403, "{origin} {path}");
            check_without_cors(&answer);
        }
    }
    assert!(server.pretender.scan(ScanInput::new("Orders".parse().unwrap())).is_ok());
    // Not a page, and not a browser that asks for one.
    assert_eq!(preflight(address, "/", "").status, 404);
}

#[test]
fn every_page_may_call_if_all_are_allowed() {
    let all = vec!["*".parse().unwrap()];
    let server = server_with(ServerOptions { cors_origins: all, ..ServerOptions::default() });
    for origin in ["https://example.com", "null", "http://localhost"] {
        let header = format!("Origin: {origin}\r\n");
        let headers = format!("{header}{SIGNED}");
        let call = exchange(server.address(), request_with(&headers, "application/json", LIST, "{}"));
        let preflight = preflight(server.address(), "/", &header);
        for answer in [call, preflight] {
            assert_eq!(
                (answer.status, answer.header("access-control-allow-origin"), answer.header("vary")),
                (200, Some("*"), None)
            );
        }
    }
}

#[test]
fn no_page_commands() {
    let all = vec!["*".parse().unwrap()];
    let server = ControlledServer::with(ServerOptions { cors_origins: all, ..ServerOptions::default() });
    let address = server.server.address();
    let before = clock(&server);
    for (headers, status) in [
        // What a browser says of a page, of any origin; then what it lets a page send without asking.
        ("Origin: https://example.com\r\nContent-Type: application/json\r\n", 403),
        ("Origin: http://localhost:3000\r\nContent-Type: application/json\r\n", 403),
        ("Origin: null\r\nContent-Type: application/json\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\nContent-Type: application/json\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\nContent-Type: application/json\r\n", 403),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Type: text/plain; charset=UTF-8\r\n", 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("Content-Type: multipart/form-data; boundary=x\r\n", 415),
        ("", 415),
    ] {
        for (command, body) in [("clock/advance", r#"{"millis":1}"#), ("reset", ""), ("nothing", "{}")] {
            let answer = exchange(
                address,
                format!(
                    "POST /_pretender/{command} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n{body}",
                    body.len()
                ),
            );
            assert_eq!(answer.status, status, "{command} {headers}");
            let error: Value = serde_json::from_str(answer.text()).unwrap();
            assert!(error["error"].is_string());
            check_without_cors(&answer);
        }
        if status == 403 {
            let answer = exchange(
                address,
                format!("GET /_pretender/clock HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"),
            );
            assert_eq!(answer.status, 403, "{headers}");
            check_without_cors(&answer);
        }
    }
    for path in ["/_pretender", "/_pretender/", "/_pretender/reset", "/_pretender/clock"] {
        let answer = preflight(address, path, "Origin: http://localhost:3000\r\n");
        assert_eq!(answer.status, 403, "{path}");
        check_without_cors(&answer);
    }
    assert_eq!(clock(&server), before);
    assert!(server.pretender.scan(ScanInput::new("Orders".parse().unwrap())).is_ok());
}

#[test]
fn pages_learn_nothing_of_a_server_without_commands() {
    let all = vec!["*".parse().unwrap()];
    let server = server_with(ServerOptions { cors_origins: all, ..ServerOptions::default() });
    for path in ["/_pretender", "/_pretender/clock"] {
        let answer = preflight(server.address(), path, "Origin: https://example.com\r\n");
        assert_eq!(answer.status, 404, "{path}");
        check_without_cors(&answer);
    }
}

#[test]
fn commands_need_the_token_if_there_is_one() {
    let token = Some("correct-horse".parse().unwrap());
    let server = ControlledServer::with(ServerOptions { control_token: token, ..ServerOptions::default() });
    let address = server.server.address();
    for (headers, status) in [
        ("", 401),
        ("Authorization: Bearer battery-staple\r\n", 401),
        ("X-Pretender-Token: battery-staple\r\n", 401),
        ("Authorization: Bearer correct-horse\r\n", 200),
        ("X-Pretender-Token: correct-horse\r\n", 200),
        ("Authorization: Bearer correct-horse\r\nOrigin: http://localhost\r\n", 403),
    ] {
        for (method, command) in [
            ("GET", "clock"),
            ("GET", "snapshots"),
            ("GET", "faults"),
            ("POST", "clock/hold"),
            ("POST", "reset"),
        ] {
            let answer = exchange(
                address,
                format!(
                    "{method} /_pretender/{command} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\
                     Content-Length: 2\r\n\r\n{{}}"
                ),
            );
            assert_eq!(answer.status, status, "{method} {command} {headers}");
            assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"));
            assert!(
                !answer.text().contains("horse") && !answer.text().contains("staple"),
                "{}",
                answer.text()
            );
        }
    }
    // The APIs do not need it: their clients sign.
    let call = exchange(address, request_with(SIGNED, "application/json", LIST, "{}"));
    assert_eq!(call.status, 200);
}

#[test]
fn a_bearer_token_is_not_repeated() {
    let server = server_with(ServerOptions::default());
    for (header, repeated) in [
        ("Bearer s3cret", "Authorization=Bearer (not repeated)"),
        ("Basic dXNlcjpzM2NyZXQ=", "Authorization=Basic (not repeated)"),
        ("s3cret", "Authorization=(not repeated)"),
    ] {
        let headers = format!("Authorization: {header}\r\n");
        let answer = exchange(server.address(), request_with(&headers, "application/json", LIST, "{}"));
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("IncompleteSignatureException"));
        assert!(answer.text().ends_with(&format!("{repeated}\"}}")), "{}", answer.text());
    }
}
