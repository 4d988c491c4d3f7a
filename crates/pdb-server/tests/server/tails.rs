//! The live view of a stream: server-sent events of the console.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pdb_server::{RunningServer, ServerOptions};
use pretender::Pretender;
use pretender::prelude::*;

use crate::harness::{Connection, exchange, request};

/// What takes much longer if anything waits for a tail.
const PROMPT: Duration = Duration::from_secs(5);

/// A server with a table that has a stream.
struct Served {
    server: RunningServer,
    arn: StreamArn,
}

impl Served {
    fn new() -> Self {
        let pretender = Pretender::in_memory().unwrap();
        let table = pretender
            .create_table(CreateTableInput {
                stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
                ..CreateTableInput::new("orders".parse().unwrap(), ("id", ScalarType::S), None)
            })
            .unwrap();
        let server = pdb_server::Server::start(pretender, ServerOptions::default()).unwrap();
        Self { server, arn: table.latest_stream_arn.unwrap() }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn put(&self, id: &str) {
        let body = format!(r#"{{"TableName":"orders","Item":{{"id":{{"S":"{id}"}}}}}}"#);
        assert_eq!(exchange(self.address(), request("DynamoDB_20120810.PutItem", &body)).status, 200);
    }

    fn head(&self, headers: &str) -> String {
        let arn = &self.arn;
        format!("GET /_pretender/console/events?arn={arn} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
    }

    /// Opens a tail.
    fn tail(&self, headers: &str) -> Tail {
        let mut connection = Connection::to(self.address());
        connection.send(self.head(headers));
        let mut tail = Tail { connection, head: Vec::new(), id: String::new() };
        loop {
            match tail.connection.line() {
                line if line.is_empty() => break,
                line => tail.head.push(line),
            }
        }
        assert_eq!(tail.head[0], "HTTP/1.1 200 OK");
        tail.until("retry: ");
        tail
    }
}

/// A browser that follows the stream.
struct Tail {
    connection: Connection,
    head: Vec<String>,
    /// The id of the last event.
    id: String,
}

impl Tail {
    /// Reads up to a line with a text.
    fn until(&mut self, text: &str) -> String {
        let until = Instant::now() + 4 * PROMPT;
        while Instant::now() < until {
            let line = self.connection.line();
            if let Some(id) = line.strip_prefix("id: ") {
                self.id = id.to_owned();
            }
            if line.contains(text) {
                return line;
            }
        }
        panic!("`{text}` did not come");
    }
}

#[test]
fn a_tail_receives_what_is_written() {
    let served = Served::new();
    let mut tail = served.tail("");
    for header in ["content-type: text/event-stream", "cache-control: no-store", "transfer-encoding: chunked"]
    {
        assert!(tail.head.iter().any(|line| line == header), "{:?}", tail.head);
    }
    assert!(tail.head.iter().any(|line| line.starts_with("content-security-policy: default-src 'none'")));
    assert!(
        !tail.head.iter().any(|line| line.starts_with("x-amz-crc32") || line.starts_with("content-encoding"))
    );
    for id in ["a", "b"] {
        let written = Instant::now();
        served.put(id);
        tail.until(&format!("&quot;{id}&quot;"));
        assert!(written.elapsed() < PROMPT);
    }
}

#[test]
fn two_tails_receive_the_same() {
    let served = Served::new();
    let mut tails = [served.tail(""), served.tail("Accept-Encoding: gzip\r\n")];
    served.put("a");
    let [first, second] = tails.each_mut().map(|tail| tail.until("&quot;a&quot;"));
    assert_eq!(first, second);
}

#[test]
fn a_browser_goes_on_behind_the_last_event() {
    let served = Served::new();
    let mut tail = served.tail("");
    served.put("a");
    tail.until("&quot;a&quot;");
    let id = std::mem::take(&mut tail.id);
    drop(tail);
    served.put("b");
    let mut tail = served.tail(&format!("Last-Event-ID: {id}\r\n"));
    let line = tail.until("&quot;b&quot;");
    assert!(!line.contains("&quot;a&quot;"), "{line}");
}

#[test]
fn a_server_has_16_tails_at_most() {
    let served = Served::new();
    let mut tails: Vec<Tail> = (0..16).map(|_| served.tail("")).collect();
    let refused = exchange(served.address(), served.head(""));
    assert_eq!((refused.status, refused.header("content-type")), (503, Some("text/plain; charset=utf-8")));
    assert!(refused.text().contains("already has 16 live views"), "{}", refused.text());
    // Pages are shown nevertheless.
    let page =
        format!("GET /_pretender/console/stream?arn={} HTTP/1.1\r\nHost: localhost\r\n\r\n", served.arn);
    assert_eq!(exchange(served.address(), page).status, 200);
    // When one has left, there is room for another one soon, although nothing happens in the stream.
    tails.pop();
    let until = Instant::now() + 4 * PROMPT;
    let connection = loop {
        let mut connection = Connection::to(served.address());
        connection.send(served.head(""));
        match connection.line().as_str() {
            "HTTP/1.1 200 OK" => break connection,
            other => assert!(Instant::now() < until, "{other}"),
        }
    };
    let mut another = Tail { connection, head: Vec::new(), id: String::new() };
    another.until("retry: ");
    tails.push(another);
    served.put("a");
    tails.iter_mut().for_each(|tail| drop(tail.until("&quot;a&quot;")));
}

#[test]
fn a_stop_does_not_wait_for_tails() {
    let served = Served::new();
    let mut tails = [served.tail(""), served.tail("")];
    let stopped = Instant::now();
    assert!(served.server.stop());
    assert!(stopped.elapsed() < PROMPT, "{:?}", stopped.elapsed());
    // The answers end as answers do, so that browsers try again.
    tails.iter_mut().for_each(|tail| drop(tail.until("0")));
    assert!(tails.iter_mut().all(|tail| tail.connection.read_some() <= 2));
}

#[test]
fn a_tail_that_nobody_reads_delays_nothing() {
    let served = Served::new();
    let _idle = served.tail("");
    let start = Instant::now();
    for n in 0..300 {
        let body = format!(
            r#"{{"TableName":"orders","Item":{{"id":{{"S":"{n}"}},"text":{{"S":"{}"}}}}}}"#,
            "x".repeat(10_000)
        );
        assert_eq!(exchange(served.address(), request("DynamoDB_20120810.PutItem", &body)).status, 200);
    }
    assert!(start.elapsed() < 3 * PROMPT, "{:?}", start.elapsed());
    let stopped = Instant::now();
    assert!(served.server.stop());
    assert!(stopped.elapsed() < PROMPT, "{:?}", stopped.elapsed());
}
