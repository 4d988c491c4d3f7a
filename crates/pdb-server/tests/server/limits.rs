//! Sizes.

use std::time::Duration;

use pdb_server::{Server, ServerOptions};
use pretender::Pretender;

use crate::harness::{Answer, Connection, SIGNED, exchange, request, request_with, server, server_with};

const LIST: &str = "DynamoDBStreams_20120810.ListStreams";
const LIMIT: usize = 16 * 1024 * 1024;

/// A body of so many bytes that is JSON.
fn body_of(bytes: usize) -> String {
    format!("{}{{}}", " ".repeat(bytes - 2))
}

fn head(more: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Amz-Target: {LIST}\r\n{SIGNED}{more}\r\n\r\n"
    )
}

#[test]
fn a_body_has_at_most_16_mib() {
    let server = server();
    for (bytes, status) in [(LIMIT, 200), (LIMIT + 1, 413)] {
        let answer =
            exchange(server.address(), request_with(SIGNED, "application/json", LIST, &body_of(bytes)));
        assert_eq!(answer.status, status, "{bytes}");
        assert_eq!(answer.body.is_empty(), status == 413);
    }
}

fn chunked(bytes: usize) -> Answer {
    let server = server();
    let mut connection = Connection::to(server.address());
    connection.send(head("Transfer-Encoding: chunked"));
    let body = body_of(bytes);
    for chunk in body.as_bytes().chunks(1 << 20) {
        connection.send(format!("{:x}\r\n", chunk.len()));
        connection.send(chunk);
        connection.send("\r\n");
    }
    connection.send("0\r\n\r\n");
    connection.answer()
}

#[test]
fn chunks_are_counted_too() {
    assert_eq!(chunked(100_000).text(), r#"{"Streams":[]}"#);
    assert_eq!(chunked(LIMIT).status, 200);
    assert_eq!(chunked(LIMIT + 1).status, 413);
}

#[test]
fn large_bodies_wait_for_room_and_nothing_else_waits_for_them() {
    let options = ServerOptions { bytes_in_flight: 1 << 20, ..ServerOptions::default() };
    let server = server_with(options);
    let large = || {
        let mut connection = Connection::to(server.address());
        connection.send(head(&format!("Content-Length: {}", 1 << 20)));
        connection
    };
    let body = body_of(1 << 20);
    let (begun, rest) = body.split_at(1000);
    // The first takes all the room; or the second does, and the first waits.
    let mut connections = [large(), large()];
    connections.iter_mut().for_each(|connection| connection.send(begun));
    let small =
        || exchange(server.address(), request_with(SIGNED, "application/json", LIST, &body_of(16_384)));
    assert_eq!(small().status, 200);
    let health = exchange(server.address(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(health.status, 200);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ends = connections.iter_mut().map(|connection| {
            scope.spawn(move || {
                connection.send(rest);
                connection.answer().status
            })
        });
        ends.collect::<Vec<_>>().into_iter().map(|end| end.join().unwrap()).collect()
    });
    assert_eq!(answers, [200, 200]);
}

#[test]
fn requests_without_memory_get_status_503() {
    let options = ServerOptions {
        bytes_in_flight: 1 << 20,
        body_timeout: Duration::from_secs(3),
        contended_timeout: Duration::from_secs(60),
        ..ServerOptions::default()
    };
    let server = server_with(options);
    // One of them may exceed the limit, others find it reached. Who stops sending is cut off, too.
    let mut connections = [(); 6].map(|()| {
        let mut connection = Connection::to(server.address());
        connection.send(head("Content-Length: 1000000"));
        connection.send(" ".repeat(600_000));
        connection
    });
    let told = connections.each_mut().map(|connection| connection.answer().status);
    assert!(told.iter().all(|status| [408, 503].contains(status)), "{told:?}");
    assert!(told.contains(&503) && told.contains(&408), "{told:?}");
    let answer =
        exchange(server.address(), request_with(SIGNED, "application/json", LIST, &body_of(900_000)));
    assert_eq!(answer.status, 200);
}

#[test]
fn clients_that_do_not_read_are_cut_off() {
    let options = ServerOptions {
        bytes_in_flight: 1 << 20,
        body_timeout: Duration::from_millis(300),
        ..ServerOptions::default()
    };
    let pretender = Pretender::in_memory().unwrap();
    let server = Server::start(pretender, options).unwrap();
    let call = |target: &str, body: &str| {
        exchange(server.address(), request(&format!("DynamoDB_20120810.{target}"), body)).status
    };
    let table = r#"{"TableName": "large", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}"#;
    assert_eq!(call("CreateTable", table), 200);
    let text = "x".repeat(300_000);
    for n in 0..4 {
        let item = format!(r#"{{"pk": {{"S": "{n}"}}, "text": {{"S": "{text}"}}}}"#);
        assert_eq!(call("PutItem", &format!(r#"{{"TableName": "large", "Item": {item}}}"#)), 200);
    }
    let scan = request("DynamoDB_20120810.Scan", r#"{"TableName": "large"}"#);
    // Far more than the operating system keeps of what nobody fetches.
    let mut idle = Connection::to(server.address());
    while idle.try_send(scan.repeat(20)) {}
    let answer = exchange(server.address(), &scan);
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() > 900_000);
}

#[test]
fn heads_are_limited() {
    let server = server();
    let with = |bytes: usize| {
        let header = format!("X-Long: {}\r\n{SIGNED}", "x".repeat(bytes));
        exchange(server.address(), request_with(&header, "application/json", LIST, "{}")).status
    };
    assert_eq!(with(15_000), 200);
    assert_eq!(with(17_000), 400);
}
