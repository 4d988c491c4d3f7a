//! Sizes and packing.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{Answer, Connection, SIGNED, exchange, request_with, server};

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

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzip(body: &[u8]) -> Answer {
    let server = server();
    let mut connection = Connection::to(server.address());
    connection.send(head(&format!("Content-Encoding: gzip\r\nContent-Length: {}", body.len())));
    connection.send(body);
    connection.answer()
}

#[test]
fn packed_bodies_are_unpacked_within_limits() {
    assert_eq!(gzip(&packed(b"{}")).text(), r#"{"Streams":[]}"#);
    assert_eq!(gzip(&packed(body_of(LIMIT).as_bytes())).status, 200);
    assert_eq!(gzip(&packed(body_of(LIMIT + 1).as_bytes())).status, 413);
    for broken in [&b"{}"[..], &packed(&[b'x'; 5_000])[..40]] {
        let answer = gzip(broken);
        let not_json = r#"{"__type":"com.amazon.coral.service#SerializationException"}"#;
        assert_eq!((answer.status, answer.text()), (400, not_json));
    }
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
