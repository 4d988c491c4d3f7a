//! A server on a free port, and a client that sends exactly the bytes it is told to.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;

/// A signature as SDKs send it.
pub(crate) const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=key/20260301/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host, Signature=00\r\nX-Amz-Date: 20260301T000000Z\r\n";

/// Starts a server over an empty database.
pub(crate) fn server() -> RunningServer {
    server_with(ServerOptions::default())
}

/// Starts a server over an empty database, with options.
pub(crate) fn server_with(options: ServerOptions) -> RunningServer {
    Server::start(Pretender::in_memory().unwrap(), options).unwrap()
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A connection.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends what the server may refuse to read to the end.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// Tells the server that nothing more will come.
    pub(crate) fn end_sending(&mut self) {
        self.0.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer().unwrap_or_else(|error| panic!("no answer: {error}"))
    }

    /// The answer, or why there is none.
    pub(crate) fn try_answer(&mut self) -> std::io::Result<Answer> {
        let mut status = String::new();
        self.0.read_line(&mut status)?;
        let status = status.split(' ').nth(1).ok_or(ErrorKind::UnexpectedEof)?.parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.body = vec![0; length];
        self.0.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    /// Reads something; returns how much, which is nothing once the server has closed the connection.
    pub(crate) fn read_some(&mut self) -> usize {
        self.0.read(&mut [0; 32 * 1024]).unwrap_or(0)
    }

    /// The answer, unless the server closes the connection without one.
    pub(crate) fn answer_unless_closed(&mut self) -> Option<Answer> {
        match self.0.fill_buf() {
            Ok(bytes) if !bytes.is_empty() => Some(self.answer()),
            Ok(_) => None,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The status, unless the server closes the connection without one.
    pub(crate) fn status_unless_cut(&mut self) -> Option<u16> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        line.split(' ').nth(1)?.parse().ok()
    }

    /// The status, if there is one soon; 0 if the connection was closed without one.
    pub(crate) fn status_within(&mut self, patience: Duration) -> Option<u16> {
        self.0.get_ref().set_read_timeout(Some(patience)).unwrap();
        match self.0.fill_buf() {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(_) => Some(0),
            Ok(_) => Some(self.status_unless_cut().unwrap_or(0)),
        }
    }

    /// Sends as much as the server takes before it takes nothing for some time.
    pub(crate) fn send_within(&mut self, bytes: impl AsRef<[u8]>, patience: Duration) {
        let stream = self.0.get_mut();
        stream.set_write_timeout(Some(patience)).unwrap();
        let _ = stream.write_all(bytes.as_ref());
        stream.set_write_timeout(None).unwrap();
    }

    /// Whether the server has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0; 1]), Ok(0) | Err(_))
    }
}

/// The text of a signed call.
pub(crate) fn request(target: &str, body: &str) -> String {
    request_with(SIGNED, "application/x-amz-json-1.0", target, body)
}

/// The text of a call with more headers and a content type.
pub(crate) fn request_with(headers: &str, content_type: &str, target: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nX-Amz-Target: {target}\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The answer to one request on a connection of its own.
pub(crate) fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut connection = Connection::to(address);
    connection.send(request);
    connection.answer()
}
