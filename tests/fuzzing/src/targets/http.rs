//! The bytes of a connection to the server.

use std::cell::OnceCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use pdb_server::{RunningServer, Server, ServerOptions};
use pdb_wire::Operation;
use pretender::Pretender;
use pretender::time::ManualClock;

use crate::Source;
use crate::database::NOW;

/// The most that a client reads of the answers, in bytes.
const MAX_ANSWER: u64 = 32 * 1024 * 1024;
/// After this time without a byte, an answer is missing.
const MAX_SILENCE: Duration = Duration::from_secs(10);

/// A server with everything turned on that needs no other server.
struct Running {
    db: Pretender,
    server: RunningServer,
    _snapshots: tempfile::TempDir,
}

thread_local! {
    static SERVER: OnceCell<Running> = const { OnceCell::new() };
}

impl Running {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::held_at(NOW));
        let db = Pretender::builder().in_memory().clock(clock.clone()).sweep_interval(None).open().unwrap();
        let snapshots = tempfile::tempdir().unwrap();
        let options = ServerOptions {
            control: Some(clock),
            snapshot_directory: Some(snapshots.path().to_owned()),
            workers: Some(1),
            ..ServerOptions::default()
        };
        let server = Server::start(db.clone(), options).unwrap();
        Self { db, server, _snapshots: snapshots }
    }

    /// Sends `bytes` on a connection, and returns all that comes back until the server closes it.
    fn answer(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(MAX_SILENCE)).unwrap();
        stream.set_write_timeout(Some(MAX_SILENCE)).unwrap();
        // The server may have closed the connection already, and need not read all.
        if stream.write_all(bytes).is_ok() {
            let _: Result<(), _> = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        match stream.take(MAX_ANSWER).read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {}
            Err(error) => {
                panic!("{error}: the connection stays open, after {}", String::from_utf8_lossy(&answer))
            }
        }
        answer
    }
}

pub(crate) fn run(input: &[u8]) {
    SERVER.with(|server| {
        let running = server.get_or_init(Running::new);
        let mut source = Source::new(input);
        let bytes = match source.below(4) {
            0 => source.rest().to_vec(),
            _ => requests(&mut source),
        };
        // Each input begins with the same server: without faults, and at the same time.
        running.db.faults().clear();
        let answer = running.answer(&bytes);
        let has_faults = running.db.faults().is_armed() || contains(&bytes, b"fault");
        check(&answer, &bytes, has_faults);
        running.db.faults().clear();
        let alive = running
            .answer(b"GET /_pretender/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert!(alive.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&alive));
        running.db.reset().unwrap();
    });
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What comes back is HTTP, and no failure of the server.
fn check(answer: &[u8], bytes: &[u8], has_faults: bool) {
    if answer.is_empty() {
        return;
    }
    let head = String::from_utf8_lossy(&answer[..answer.len().min(200)]);
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| head.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3));
    let status: u16 =
        status.and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("this is not HTTP: {head}"));
    // A body that is not what its `Content-Encoding` says has this status on AWS, too.
    let is_not_encoded =
        [&b"may be encoded as"[..], b"is not encoded as"].iter().any(|text| contains(answer, text));
    let is_expected = (100..500).contains(&status) || has_faults || (status == 500 && is_not_encoded);
    assert!(is_expected, "{head}\nfor {}", String::from_utf8_lossy(bytes));
}

const PATHS: [&str; 30] = [
    "/",
    "/_pretender/health",
    "/_pretender/ready",
    "/_pretender/version",
    "/_pretender/metrics",
    "/_pretender/clock",
    "/_pretender/clock/hold",
    "/_pretender/clock/set",
    "/_pretender/clock/advance",
    "/_pretender/shards/list",
    "/_pretender/shards/split",
    "/_pretender/trim",
    "/_pretender/snapshots",
    "/_pretender/snapshots/save",
    "/_pretender/snapshots/restore",
    "/_pretender/snapshots/delete",
    "/_pretender/reset",
    "/_pretender/compact",
    "/_pretender/replay",
    "/_pretender/faults",
    "/_pretender/faults/clear",
    "/_pretender/progress",
    "/_pretender/console/",
    "/_pretender/console/table?table=Orders",
    "/_pretender/console/partiql",
    "/_pretender/backup",
    "/db/first/",
    "/../..%2f",
    "//",
    "*",
];

const HEADERS: [&str; 28] = [
    "Host: localhost",
    "Host: 127.0.0.1:8000",
    "Host: evil.example",
    "Content-Type: application/x-amz-json-1.0",
    "Content-Type: application/json",
    "Content-Type: application/x-www-form-urlencoded",
    "Content-Type: text/html",
    "Authorization: AWS4-HMAC-SHA256 Credential=a/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00",
    "Authorization: Bearer x",
    "X-Pretender-Token: x",
    "X-Amz-Date: 20260301T091542Z",
    "X-Amz-Security-Token: t",
    "Origin: http://localhost",
    "Origin: null",
    "Origin: http://evil.example",
    "Sec-Fetch-Site: cross-site",
    "Accept-Encoding: gzip",
    "Content-Encoding: gzip",
    "Content-Encoding: br",
    "Expect: 100-continue",
    "Connection: close",
    "Connection: keep-alive",
    "Transfer-Encoding: chunked",
    "Upgrade: h2c",
    "Cookie: pretender=1",
    "X-Pretender-Faults: off",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "Access-Control-Request-Method: POST",
];

const BODIES: [&str; 14] = [
    "{}",
    "{\"TableName\":\"Orders\"}",
    "{\"all\":true}",
    "{\"table\":\"Orders\"}",
    "{\"name\":\"first\"}",
    "{\"file\":\"a.db\"}",
    "{\"file\":\"../a.db\"}",
    "{\"millis\":1000}",
    "{\"duration\":\"1h\"}",
    "{\"time\":\"2026-03-01T09:15:42.017Z\"}",
    "{\"epoch_millis\":-1}",
    "{\"table\":\"Orders\",\"records\":[]}",
    "statement=SELECT&form_token=x",
    "[",
];

/// Up to three requests on one connection, right more often than not.
fn requests(source: &mut Source<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=source.below(3) {
        let body = match source.below(4) {
            0 => source.bytes(64),
            _ => source.pick(&BODIES).as_bytes().to_vec(),
        };
        let method = source.pick(&["POST", "GET", "POST", "OPTIONS", "PUT", "HEAD", "DELETE"]);
        let path = source.pick(&PATHS);
        bytes.extend(format!("{method} {path} HTTP/1.1\r\n").into_bytes());
        if !source.once_in(8) {
            bytes.extend_from_slice(b"Host: localhost\r\n");
        }
        if path == "/" {
            let operation = source.pick(Operation::ALL);
            let service =
                if operation.is_of_streams() { "DynamoDBStreams_20120810" } else { "DynamoDB_20120810" };
            bytes.extend(format!("X-Amz-Target: {service}.{}\r\n", operation.name()).into_bytes());
            bytes.extend(format!("{}\r\n{}\r\n", HEADERS[3], HEADERS[7]).into_bytes());
        }
        for _ in 0..source.below(4) {
            bytes.extend_from_slice(source.pick(&HEADERS).as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        if source.once_in(16) {
            bytes.extend(source.bytes(32));
            bytes.extend_from_slice(b"\r\n");
        }
        let length = if source.once_in(16) { source.below(10_000) } else { body.len() };
        bytes.extend(format!("Content-Length: {length}\r\n\r\n").into_bytes());
        bytes.extend(body);
    }
    bytes
}
