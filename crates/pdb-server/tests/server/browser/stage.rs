//! Where the browser sends everything: to pages of ours, and through us to the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// The pages and what they share.
const PAGES: [(&str, &str, &str); 5] = [
    ("/attack/commands.html", "text/html", include_str!("commands.html")),
    ("/attack/form.html", "text/html", include_str!("form.html")),
    ("/attack/rebound.html", "text/html", include_str!("rebound.html")),
    ("/attack/calls.html", "text/html", include_str!("calls.html")),
    ("/attack/steps.js", "text/javascript", include_str!("steps.js")),
];

/// How long a page may take. A machine with other work needs many seconds to start a browser.
const PATIENCE: Duration = Duration::from_secs(240);

/// A request that was passed on to the server.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    /// As they came.
    pub(super) headers: Vec<String>,
    pub(super) status: u16,
}

/// A listener that serves the pages and passes everything else on.
pub(super) struct Stage {
    address: SocketAddr,
    reports: Receiver<Value>,
    shared: Shared,
    accepting: Option<JoinHandle<()>>,
}

/// What connections share.
#[derive(Clone)]
struct Shared {
    server: SocketAddr,
    reporter: Sender<Value>,
    seen: Arc<Mutex<Vec<Seen>>>,
    is_over: Arc<AtomicBool>,
}

impl Stage {
    pub(super) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (reporter, reports) = channel();
        let shared = Shared { server, reporter, seen: Arc::default(), is_over: Arc::default() };
        let all = shared.clone();
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = all.clone();
                if shared.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                // A browser also opens connections that it never uses.
                std::thread::spawn(move || shared.answer(&stream));
            }
        });
        Self { address, reports, shared, accepting: Some(accepting) }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits for the report of the page; returns it with everything that has been passed on.
    pub(super) fn report(&self) -> (Value, Vec<Seen>) {
        let report = self.reports.recv_timeout(PATIENCE).expect("the page says that it has run");
        (report, self.shared.seen.lock().unwrap().clone())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.accepting.take().map(JoinHandle::join);
    }
}

impl Shared {
    /// Answers the first request of a connection; the browser may leave at any time.
    fn answer(&self, mut stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let (method, rest) = line.split_once(' ')?;
        let (method, target) = (method.to_owned(), rest.split(' ').next()?.to_owned());
        let (mut headers, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim_end();
            let Some((name, value)) = line.split_once(": ") else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok()?;
            }
            if !name.eq_ignore_ascii_case("connection") {
                headers.push(line.to_owned());
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let answer = match path.as_str() {
            "/attack/report" => {
                self.reporter.send(serde_json::from_slice(&body).ok()?).ok()?;
                own("text/plain", "")
            }
            "/attack/seen" => own("text/plain", &self.seen.lock().unwrap().len().to_string()),
            "/favicon.ico" => own("text/plain", ""),
            path => match PAGES.iter().find(|(page, ..)| *page == path) {
                Some((_, content_type, text)) => own(content_type, text),
                None => self.pass_on(&method, &target, headers, &body)?,
            },
        };
        stream.write_all(&answer).ok()
    }

    /// Sends a request to the server as it came, and notes what it answers.
    fn pass_on(&self, method: &str, target: &str, headers: Vec<String>, body: &[u8]) -> Option<Vec<u8>> {
        let mut server = TcpStream::connect(self.server).ok()?;
        let head = headers.join("\r\n");
        write!(server, "{method} {target} HTTP/1.1\r\n{head}\r\nConnection: close\r\n\r\n").ok()?;
        server.write_all(body).ok()?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok()?;
        let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
        let path = target.to_owned();
        self.seen.lock().unwrap().push(Seen { method: method.to_owned(), path, headers, status });
        Some(answer)
    }
}

fn own(content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
