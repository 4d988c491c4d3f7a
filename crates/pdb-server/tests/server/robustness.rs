//! Clients that are slow, stalled, gone, or many; and stopping.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pdb_server::{Server, ServerOptions};
use pretender::Pretender;
use pretender::time::{Clock, EpochMillis};

use crate::harness::{Connection, SIGNED, exchange, request, server, server_with};

const LIST: &str = "DynamoDBStreams_20120810.ListStreams";

fn half_a_request() -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Amz-Target: {LIST}\r\n{SIGNED}\
         Content-Length: 100\r\n\r\n{{"
    )
}

#[test]
fn stalled_clients_block_nobody() {
    let server = server();
    let mut stalled: Vec<Connection> = (0..50).map(|_| Connection::to(server.address())).collect();
    for (index, connection) in stalled.iter_mut().enumerate() {
        let all = half_a_request();
        connection.send(&all[..if index % 2 == 0 { all.len() } else { 40 }]);
    }
    let start = Instant::now();
    for _ in 0..20 {
        assert_eq!(exchange(server.address(), request(LIST, "{}")).status, 200);
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn clients_may_not_stall_for_ever() {
    let patience = Duration::from_millis(200);
    let server = server_with(ServerOptions {
        head_timeout: patience,
        body_timeout: patience,
        ..ServerOptions::default()
    });
    let mut no_body = Connection::to(server.address());
    no_body.send(half_a_request());
    let mut no_head = Connection::to(server.address());
    no_head.send("POST / HTTP/1.1\r\n");
    assert_eq!(no_body.answer().status, 408);
    assert!(no_body.is_closed());
    // A head that never ends is answered with 408 or not at all; the connection ends.
    while !no_head.is_closed() {}
}

#[test]
fn a_client_that_leaves_harms_nobody() {
    let server = server();
    for _ in 0..20 {
        let mut connection = Connection::to(server.address());
        connection.send(half_a_request());
    }
    for _ in 0..20 {
        let mut connection = Connection::to(server.address());
        connection.try_send(request(LIST, "{}"));
    }
    assert_eq!(exchange(server.address(), request(LIST, "{}")).status, 200);
}

#[test]
fn a_client_that_has_said_all_still_gets_its_answer() {
    let server = server();
    let mut connection = Connection::to(server.address());
    // Two requests at once: also the second has its answer.
    connection.send(request(LIST, "{}").repeat(2));
    connection.end_sending();
    for _ in 0..2 {
        assert_eq!(connection.answer().text(), r#"{"Streams":[]}"#);
    }
    assert!(connection.is_closed());
    // Who has said half only has none, and does not keep the connection.
    let mut half = Connection::to(server.address());
    half.send(half_a_request());
    half.end_sending();
    assert_ne!(half.answer_unless_closed().map(|answer| answer.status), Some(200));
    assert!(half.is_closed());
}

#[test]
fn nonsense_is_answered_or_cut_off() {
    let server = server();
    for nonsense in ["\r\n\r\n", "hello\r\n\r\n", "POST / HTTP/9\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n"] {
        let mut connection = Connection::to(server.address());
        connection.try_send(nonsense);
        connection.try_send("\r\n\r\n");
    }
    assert_eq!(exchange(server.address(), request(LIST, "{}")).status, 200);
}

#[test]
fn a_stop_ends_idle_connections_at_once() {
    let server = server();
    let address = server.address();
    let mut idle = Connection::to(address);
    idle.send(request(LIST, "{}"));
    assert_eq!(idle.answer().status, 200);
    let start = Instant::now();
    assert!(server.stop());
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(idle.is_closed());
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_stop_waits_only_so_long_for_a_stalled_request() {
    let server =
        server_with(ServerOptions { drain_timeout: Duration::from_millis(300), ..ServerOptions::default() });
    let mut stalled = Connection::to(server.address());
    stalled.send(half_a_request());
    // The request is in flight once another one, sent later, has been answered.
    exchange(server.address(), request(LIST, "{}"));
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// A clock that panics once when it is armed: a bug, wherever time is asked for.
#[derive(Debug, Default)]
struct Trap(AtomicBool);

impl Clock for Trap {
    fn now(&self) -> EpochMillis {
        assert!(!self.0.swap(false, Ordering::SeqCst), "the trap snaps");
        EpochMillis(1_772_356_542_017)
    }
}

#[test]
fn a_bug_costs_one_request() {
    let trap = Arc::new(Trap::default());
    let pretender = Pretender::builder().clock(trap.clone()).sweep_interval(None).open().unwrap();
    let server = Server::start(pretender, ServerOptions::default()).unwrap();
    let call = |target: &str, body: &str| exchange(server.address(), request(target, body));
    let created = call(
        "DynamoDB_20120810.CreateTable",
        r#"{"TableName":"Orders","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
            "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
            "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}"#,
    );
    assert_eq!(created.status, 200, "{}", created.text());
    let put = ("DynamoDB_20120810.PutItem", r#"{"TableName":"Orders","Item":{"pk":{"S":"a"}}}"#);
    for (target, body) in [(LIST, "{}"), put] {
        trap.0.store(true, Ordering::SeqCst);
        let answer = call(target, body);
        assert_eq!(
            (answer.status, answer.text()),
            (
                500,
                concat!(
                    r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"The request processing has "#,
                    r#"failed because of an unknown error, exception or failure."}"#
                )
            ),
            "{target}"
        );
        assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(52));
        assert!(!trap.0.load(Ordering::SeqCst));
        assert_eq!(call(target, body).status, 200, "{target}");
    }
    let scanned = call("DynamoDB_20120810.Scan", r#"{"TableName":"Orders","Select":"COUNT"}"#);
    assert_eq!(scanned.text(), r#"{"Count":1,"ScannedCount":1}"#);
}
