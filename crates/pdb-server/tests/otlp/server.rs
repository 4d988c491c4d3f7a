//! The program as a process, and requests for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=key/20260301/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host, Signature=00\r\nX-Amz-Date: 20260301T000000Z\r\n";

/// A server, running.
pub(crate) struct Server {
    child: Child,
    address: String,
}

/// A connection to it.
pub(crate) struct Connection(BufReader<TcpStream>);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) request_id: String,
    pub(crate) body: Value,
}

impl Server {
    /// Starts a server over an empty database, with more arguments and these variables.
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pretender"))
            .env_clear()
            .envs(variables.iter().copied())
            .args(["serve", "--db", ":memory:", "--port", "0", "--workers", "1", "--stop-on-stdin-close"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim_end().strip_prefix("Listening on http://").unwrap_or_else(|| panic!("{line}"));
        Self { address: address.to_owned(), child }
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection(BufReader::new(TcpStream::connect(&self.address).unwrap()))
    }

    /// Creates the table `orders`.
    pub(crate) fn create_table(&self) {
        let answer = self.connect().call(
            "CreateTable",
            "",
            r#"{"TableName":"orders","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
                "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#,
        );
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Ends the server, which sends all spans first. Returns what it has logged.
    pub(crate) fn stop(mut self) -> String {
        drop(self.child.stdin.take());
        let log = std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap();
        assert!(self.child.wait().unwrap().success(), "{log}");
        log
    }
}

impl Connection {
    /// Sends a call with more headers.
    pub(crate) fn send(&mut self, operation: &str, headers: &str, body: &str) {
        let text = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: DynamoDB_20120810.{operation}\r\n{SIGNED}{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Reads an answer.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut head).unwrap() > 0, "{head}");
        }
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let mut body = vec![0; header("content-length: ").parse().unwrap()];
        self.0.read_exact(&mut body).unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            request_id: header("x-amzn-requestid: ").to_owned(),
            body: serde_json::from_slice(&body).unwrap(),
        }
    }

    pub(crate) fn call(&mut self, operation: &str, headers: &str, body: &str) -> Answer {
        self.send(operation, headers, body);
        self.answer()
    }
}
