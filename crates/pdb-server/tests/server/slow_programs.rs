//! What the program takes of the system: memory, and open files.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::binary::{Process, pretender};
use crate::harness::{Connection, exchange, request};

const HEALTH: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn call(address: SocketAddr, operation: &str, body: &str) -> u16 {
    exchange(address, request(&format!("DynamoDB_20120810.{operation}"), body)).status
}

/// What a process occupies now, in KiB, without the pages of files that it maps.
fn memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix("RssAnon")).unwrap();
    value.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// Eight items of 400 KB have 22 MB of JSON. Clients fetch them again and again, and read nothing; a connection has one answer at a
/// time.
#[test]
fn memory_is_bounded_whatever_is_asked_for_and_not_fetched() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nulls.db");
    let mut process = Process::start(pretender().args(["serve", "--port", "0", "--db"]).arg(&file));
    let address = process.address();
    let table = r#"{"TableName": "nulls", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "N"}]}"#;
    assert_eq!(call(address, "CreateTable", table), 200);
    let nulls = vec![r#"{"NULL":true}"#; 200_000].join(",");
    for n in 0..8 {
        let item = format!(r#"{{"pk":{{"N":"{n}"}},"n":{{"L":[{nulls}]}}}}"#);
        assert_eq!(call(address, "PutItem", &format!(r#"{{"TableName":"nulls","Item":{item}}}"#)), 200);
    }
    let keys: Vec<String> = (0..8).map(|n| format!(r#"{{"pk":{{"N":"{n}"}}}}"#)).collect();
    let get = request(
        "DynamoDB_20120810.BatchGetItem",
        &format!(r#"{{"RequestItems":{{"nulls":{{"Keys":[{}]}}}}}}"#, keys.join(",")),
    );
    let answer = exchange(address, &get);
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() > 16_000_000 && answer.body.len() < 21 << 20, "{}", answer.body.len());

    let mut idle: Vec<Connection> = (0..24).map(|_| Connection::to(address)).collect();
    idle.iter_mut().for_each(|connection| connection.send(get.repeat(20)));
    // Long enough for all that would be made.
    let start = Instant::now();
    let (mut calls, mut most_kib) = (0, 0);
    while start.elapsed() < Duration::from_secs(4) || calls < 10 {
        assert_eq!(call(address, "GetItem", r#"{"TableName":"nulls","Key":{"pk":{"N":"99"}}}"#), 200);
        calls += 1;
        most_kib = most_kib.max(memory_kib(process.id()));
    }
    assert!(most_kib < 400 * 1024, "{most_kib} KiB");
    drop(idle);
    assert_eq!(exchange(address, &get).status, 200);
    assert_eq!(process.stop("-TERM").code(), Some(0));
}

/// Starts a server under limits of open files, as `ulimit` sets them.
fn limited(limits: &str) -> (Process, SocketAddr) {
    let mut shell = Command::new("sh");
    let serve = format!("{limits} exec {} serve --port 0 --db :memory:", env!("CARGO_BIN_EXE_pretender"));
    let mut process = Process::start(shell.args(["-c", &serve]));
    let address = process.address();
    (process, address)
}

#[test]
fn the_soft_limit_of_open_files_is_raised() {
    let (process, address) = limited("ulimit -Sn 64;");
    let mut connections: Vec<Connection> = (0..200).map(|_| Connection::to(address)).collect();
    for connection in &mut connections {
        connection.send(HEALTH);
        assert_eq!(connection.answer().status, 200);
    }
    let (status, log) = process.stop_and_read("-TERM");
    assert_eq!((status.code(), log.as_str()), (Some(0), ""));
}

#[test]
fn too_many_connections_are_logged_once_a_second() {
    let (process, address) = limited("ulimit -n 64;");
    let start = Instant::now();
    let connections: Vec<Connection> = (0..200).map(|_| Connection::to(address)).collect();
    let mut late = Connection::to(address);
    late.send(HEALTH);
    while start.elapsed() < Duration::from_secs(2) {
        assert_eq!(late.status_within(Duration::from_millis(100)), None);
    }
    drop(connections);
    assert_eq!(late.status_within(Duration::from_secs(20)), Some(200));
    let seconds = start.elapsed().as_secs() as usize;
    let (status, log) = process.stop_and_read("-TERM");
    assert_eq!(status.code(), Some(0));
    let warnings = log.lines().filter(|line| line.contains("could not accept a connection")).count();
    assert!(warnings >= 1 && warnings <= seconds + 2, "{warnings} in {seconds} seconds: {log}");
}
