//! Clients that are slow, stalled, gone, or many; and stopping.

use std::time::{Duration, Instant};

use pdb_server::ServerOptions;

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
