//! Where requests go: over HTTP to a server, or to a database in this process.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pdb_wire::{Request, Wire};
use serde_json::Value;

/// How long an answer may take. A server that needs longer hangs.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What came of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body; null if it is not JSON.
        body: Value,
    },
    /// None. The request may have been carried out, or will be.
    Lost,
    /// There was no server.
    NotSent,
}

/// The address of a server, which is missing while the server does not run.
#[derive(Clone, Debug, Default)]
pub struct Address(Arc<Mutex<Option<SocketAddr>>>);

impl Address {
    /// Changes it.
    pub fn set(&self, address: Option<SocketAddr>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// Returns it.
    #[must_use]
    pub fn get(&self) -> Option<SocketAddr> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client's way to a database.
#[derive(Debug)]
pub enum Endpoint {
    /// A connection to a server.
    Http(Connection),
    /// A database in this process.
    InProcess(Box<Wire>),
}

impl Endpoint {
    /// Returns a way to a server.
    #[must_use]
    pub fn http(address: &Address) -> Self {
        Self::Http(Connection { address: address.clone(), stream: None })
    }

    /// Sends a request of the DynamoDB API, and waits for the answer.
    pub fn call(&mut self, operation: &str, body: &Value) -> Reply {
        self.send(&format!("DynamoDB_20120810.{operation}"), body)
    }

    /// Sends a request of the Streams API, and waits for the answer.
    pub fn call_streams(&mut self, operation: &str, body: &Value) -> Reply {
        self.send(&format!("DynamoDBStreams_20120810.{operation}"), body)
    }

    fn send(&mut self, target: &str, body: &Value) -> Reply {
        match self {
            Self::Http(connection) => connection.call(&http_request("/", Some(target), body)),
            Self::InProcess(wire) => match wire.call(Request::new(Some(target), body.to_string())) {
                pdb_wire::Reply::Answer(answer) => Reply::Answer {
                    status: answer.status,
                    body: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
                },
                pdb_wire::Reply::Drop => Reply::Lost,
            },
        }
    }

    /// Sends a request and hangs up.
    pub fn cut(&mut self, operation: &str, body: &Value) -> Reply {
        let Self::Http(connection) = self else { return self.call(operation, body) };
        let target = format!("DynamoDB_20120810.{operation}");
        match connection.begin(&http_request("/", Some(&target), body)) {
            Err(reply) => reply,
            Ok(stream) => {
                // The server reads what was sent before it notices.
                let _ = stream.shutdown(Shutdown::Both);
                Reply::Lost
            }
        }
    }

    /// Sends a command to the control interface. There is none in this process.
    pub fn control(&mut self, command: &str, body: &Value) -> Reply {
        match self {
            Self::Http(connection) => {
                connection.call(&http_request(&format!("/_pretender/{command}"), None, body))
            }
            Self::InProcess(_) => Reply::NotSent,
        }
    }
}

/// A connection that is opened when it is needed. Nothing is ever sent twice.
#[derive(Debug)]
pub struct Connection {
    address: Address,
    stream: Option<TcpStream>,
}

impl Connection {
    /// Sends a request; returns the open connection, or what came of the request.
    fn begin(&mut self, request: &[u8]) -> Result<TcpStream, Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open().map_err(|_| Reply::NotSent)?,
        };
        stream.write_all(request).map_err(|_| Reply::Lost)?;
        Ok(stream)
    }

    fn open(&self) -> io::Result<TcpStream> {
        let address = self.address.get().ok_or(io::ErrorKind::NotConnected)?;
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(stream)
    }

    fn call(&mut self, request: &[u8]) -> Reply {
        let mut stream = match self.begin(request) {
            Ok(stream) => stream,
            Err(reply) => return reply,
        };
        match read_answer(&mut stream) {
            Ok(answer) => {
                if !answer.closes {
                    self.stream = Some(stream);
                }
                Reply::Answer {
                    status: answer.status,
                    body: serde_json::from_slice(&answer.body).unwrap_or(Value::Null),
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Reply::Answer { status: 0, body: Value::String("no answer in time".to_owned()) }
            }
            Err(_) => Reply::Lost,
        }
    }
}

fn http_request(path: &str, target: Option<&str>, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let kind = if target.is_some() { "application/x-amz-json-1.0" } else { "application/json" };
    // Any signature is good enough.
    let target = target.map(|target| {
        format!(
            "X-Amz-Target: {target}\r\nX-Amz-Date: 20260301T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 \
             Credential=any/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, \
             Signature=0\r\n"
        )
    });
    let target = target.unwrap_or_default();
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n{target}Content-Length: \
         {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

struct Answer {
    status: u16,
    body: Vec<u8>,
    closes: bool,
}

/// Reads an answer whose head says how long it is, as all of the server's do.
fn read_answer(stream: &mut TcpStream) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let mut more = |bytes: &mut Vec<u8>| match stream.read(&mut buffer)? {
        0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        count => {
            bytes.extend_from_slice(&buffer[..count]);
            Ok(())
        }
    };
    let body_start = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(&mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..body_start]).to_ascii_lowercase();
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(|value| value.trim().to_owned()))
    };
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(wrong)?;
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).ok_or_else(wrong)?;
    let closes = header("connection").is_some_and(|value| value == "close");
    while bytes.len() < body_start + length {
        more(&mut bytes)?;
    }
    Ok(Answer { status, body: bytes.split_off(body_start), closes })
}
