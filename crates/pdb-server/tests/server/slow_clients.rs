//! Clients that send or read slowly, and what others notice of them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;

use crate::harness::{Connection, SIGNED, exchange, request, server_with};

const HEALTH: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// What takes a minute if anything waits for a stalled client, and no time at all if not.
const PROMPT: Duration = Duration::from_secs(15);

fn call(address: SocketAddr, operation: &str, body: &str) -> u16 {
    exchange(address, request(&format!("DynamoDB_20120810.{operation}"), body)).status
}

fn put(n: usize, text: &str) -> String {
    format!(r#"{{"TableName": "large", "Item": {{"pk": {{"S": "{n}"}}, "text": {{"S": "{text}"}}}}}}"#)
}

/// A server with the table `large`, whose scan answers 1.2 MB.
fn filled_server(options: ServerOptions) -> RunningServer {
    let server = server_with(options);
    fill(server.address());
    server
}

fn fill(address: SocketAddr) {
    let table = r#"{"TableName": "large", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}"#;
    assert_eq!(call(address, "CreateTable", table), 200);
    for n in 0..4 {
        assert_eq!(call(address, "PutItem", &put(n, &"x".repeat(300_000))), 200);
    }
}

fn scan() -> String {
    request("DynamoDB_20120810.Scan", r#"{"TableName": "large"}"#)
}

/// Connections that ask for so many scans each, and read nothing.
fn scanners_that_read_nothing(address: SocketAddr, count: usize) -> Vec<Connection> {
    // Some more than the operating system keeps of what nobody fetches.
    let scans = scan().repeat(10);
    let mut connections: Vec<Connection> = (0..count).map(|_| Connection::to(address)).collect();
    connections.iter_mut().for_each(|connection| connection.send(&scans));
    connections
}

#[track_caller]
fn check_small_calls_are_prompt(address: SocketAddr) {
    let start = Instant::now();
    for n in 0..10 {
        let get = r#"{"TableName": "large", "Key": {"pk": {"S": "none"}}}"#;
        assert_eq!(call(address, "GetItem", get), 200);
        assert_eq!(call(address, "PutItem", &put(100 + n, "short")), 200);
        assert_eq!(exchange(address, HEALTH).status, 200);
    }
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
}

#[test]
fn answers_that_nobody_fetches_do_not_delay_small_calls() {
    let server = filled_server(ServerOptions { bytes_in_flight: 4 << 20, ..ServerOptions::default() });
    let idle = scanners_that_read_nothing(server.address(), 40);
    // These do not wait even while others do: nobody is cut off within ten seconds.
    check_small_calls_are_prompt(server.address());
    // Neither does an item of some size.
    let start = Instant::now();
    let get = r#"{"TableName": "large", "Key": {"pk": {"S": "1"}}}"#;
    let answer = exchange(server.address(), request("DynamoDB_20120810.GetItem", get));
    assert_eq!((answer.status, answer.body.len() > 300_000), (200, true));
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
    drop(idle);
}

#[test]
fn clients_that_do_not_read_are_cut_off_if_others_wait() {
    let server = filled_server(ServerOptions {
        bytes_in_flight: 4 << 20,
        contended_timeout: Duration::from_millis(400),
        ..ServerOptions::default()
    });
    let start = Instant::now();
    let mut idle = scanners_that_read_nothing(server.address(), 40);
    let answer = exchange(server.address(), scan());
    assert_eq!((answer.status, answer.body.len() > 900_000), (200, true));
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
    drop(idle.split_off(20));
    // Who begins to read now finds its connection closed, or gets all of its answers.
    let ends = idle.into_iter().map(|mut connection| {
        (0..10).map_while(|_| connection.try_answer().ok()).filter(|answer| answer.status == 200).count()
    });
    let cut = ends.filter(|&answers| answers < 10).count();
    assert!(cut > 0);
    let answer = exchange(server.address(), scan());
    assert_eq!((answer.status, answer.body.len() > 900_000), (200, true));
}

/// Asks for 20 scans and reads the answers little by little, with a pause after each part; returns how many bytes there were
/// before the server closed the connection.
fn read_slowly(address: SocketAddr) -> usize {
    let mut connection = Connection::to(address);
    connection.send(scan().repeat(19));
    connection.send(scan().replace("Host: localhost", "Host: localhost\r\nConnection: close"));
    let mut bytes = 0;
    loop {
        match connection.read_some() {
            0 => return bytes,
            some => bytes += some,
        }
        assert_eq!(exchange(address, HEALTH).status, 200);
    }
}

#[test]
fn readers_must_reach_a_minimum_rate() {
    let pretender = Pretender::in_memory().unwrap();
    let patient = Server::start(pretender.clone(), ServerOptions::default()).unwrap();
    fill(patient.address());
    let all = read_slowly(patient.address());
    assert!(all > 20 * 1_200_000);
    let millisecond = Duration::from_millis(1);
    for limits in [
        // Nobody reads that fast.
        ServerOptions {
            body_timeout: millisecond,
            min_bytes_per_second: u32::MAX,
            ..ServerOptions::default()
        },
        ServerOptions { transfer_timeout: millisecond, ..ServerOptions::default() },
    ] {
        let impatient = Server::start(pretender.clone(), limits).unwrap();
        assert!(read_slowly(impatient.address()) < all);
    }
}

fn head(length: usize, more: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Target: DynamoDB_20120810.PutItem\r\n{SIGNED}{more}Content-Length: {length}\r\n\r\n"
    )
}

/// Connections that announce a body of 16 MiB, and send so much of it.
fn uploaders_that_stop(address: SocketAddr, count: usize, bytes: usize, more: &str) -> Vec<Connection> {
    let part = " ".repeat(bytes);
    let mut connections: Vec<Connection> = (0..count).map(|_| Connection::to(address)).collect();
    std::thread::scope(|scope| {
        for connection in &mut connections {
            connection.send(head(16 << 20, more));
            // What the server does not take is nobody's loss.
            scope.spawn(|| connection.send_within(&part, Duration::from_millis(500)));
        }
    });
    connections
}

#[track_caller]
fn check_writes_are_prompt(address: SocketAddr) {
    let start = Instant::now();
    for n in 0..5 {
        assert_eq!(call(address, "PutItem", &put(200 + n, &"x".repeat(300_000))), 200);
    }
    check_small_calls_are_prompt(address);
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
}

#[test]
fn announced_bodies_occupy_no_memory() {
    let server = filled_server(ServerOptions::default());
    let _plain = uploaders_that_stop(server.address(), 3, 10, "");
    let _packed = uploaders_that_stop(server.address(), 3, 10, "Content-Encoding: gzip\r\n");
    check_writes_are_prompt(server.address());
}

#[test]
fn long_uploads_leave_room_for_others() {
    let server = filled_server(ServerOptions { bytes_in_flight: 8 << 20, ..ServerOptions::default() });
    // More than there is room for, also with the one that may exceed it.
    let _stalled = uploaders_that_stop(server.address(), 4, 8 << 20, "");
    check_writes_are_prompt(server.address());
}

#[test]
fn clients_that_stop_sending_are_cut_off_if_others_wait() {
    let server = filled_server(ServerOptions {
        bytes_in_flight: 8 << 20,
        contended_timeout: Duration::from_millis(400),
        ..ServerOptions::default()
    });
    let start = Instant::now();
    let mut stalled = uploaders_that_stop(server.address(), 4, 8 << 20, "");
    // A body that takes more than is left.
    let mut connection = Connection::to(server.address());
    connection.send(head(8 << 20, ""));
    connection.send(" ".repeat((8 << 20) - 2));
    connection.send("{}");
    assert_eq!(connection.answer().status, 400);
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());
    let told: Vec<_> =
        stalled.iter_mut().filter_map(|connection| connection.status_within(PROMPT / 50)).collect();
    assert!(told.contains(&408) && told.iter().all(|status| [0, 408].contains(status)), "{told:?}");
    check_writes_are_prompt(server.address());
}

#[test]
fn uploads_do_not_wait_for_each_other() {
    let server = filled_server(ServerOptions { bytes_in_flight: 2 << 20, ..ServerOptions::default() });
    // All have sent a part, which together is more than there is room for.
    let part = " ".repeat(1 << 20);
    let mut connections: Vec<Connection> = (0..8).map(|_| Connection::to(server.address())).collect();
    for connection in &mut connections {
        connection.send(head(2 << 20, ""));
        connection.send(&part);
    }
    check_small_calls_are_prompt(server.address());
    let end = format!("{}{{}}", " ".repeat((1 << 20) - 2));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ends = connections.iter_mut().map(|connection| {
            scope.spawn(|| {
                connection.send(&end);
                connection.answer().status
            })
        });
        ends.collect::<Vec<_>>().into_iter().map(|end| end.join().unwrap()).collect()
    });
    // The bodies are JSON, and lack a table.
    assert_eq!(statuses, [400; 8]);
}

#[test]
fn senders_must_reach_a_minimum_rate() {
    let server = filled_server(ServerOptions {
        body_timeout: Duration::from_millis(200),
        min_bytes_per_second: 50_000_000,
        ..ServerOptions::default()
    });
    let mut connection = Connection::to(server.address());
    connection.send(head(16 << 20, ""));
    let mut status = None;
    while status.is_none() {
        connection.try_send(" ".repeat(1000));
        status = connection.status_within(Duration::from_millis(20));
    }
    assert_eq!(status, Some(408));
}

#[test]
fn nothing_goes_on_for_ever() {
    let server = filled_server(ServerOptions {
        transfer_timeout: Duration::from_millis(500),
        min_bytes_per_second: 0,
        ..ServerOptions::default()
    });
    let mut connection = Connection::to(server.address());
    connection.send(head(16 << 20, ""));
    let mut status = None;
    while status.is_none() {
        connection.try_send(" ".repeat(10));
        status = connection.status_within(Duration::from_millis(20));
    }
    assert_eq!(status, Some(408));
}

#[test]
fn connections_without_a_request_are_closed_sooner() {
    let server = filled_server(ServerOptions {
        first_head_timeout: Duration::from_millis(300),
        ..ServerOptions::default()
    });
    let mut known = Connection::to(server.address());
    known.send(HEALTH);
    assert_eq!(known.answer().status, 200);
    let mut silent = Connection::to(server.address());
    let mut slow = Connection::to(server.address());
    slow.send(&HEALTH[..20]);
    assert!(silent.is_closed());
    assert!(slow.is_closed());
    // As long as that, and more, has the other one been idle.
    known.send(HEALTH);
    assert_eq!(known.answer().status, 200);
}
