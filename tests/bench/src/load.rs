//! The load generator: closed loops over keep-alive connections, on one thread.
//!
//! A request is built before its clock starts. An answer is read just far enough to find the start of the next one. The limit of the
//! generator itself is measured against a server with a constant answer (`generator.rs`) and printed.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a run of one case showed.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct LoadResult {
    /// Requests answered with 200.
    pub(crate) requests: u64,
    /// Requests answered with anything else.
    pub(crate) failures: u64,
    /// Wall time in seconds.
    pub(crate) seconds: f64,
    /// Median latency in microseconds.
    pub(crate) p50_us: f64,
    /// 99th percentile of the latency in microseconds.
    pub(crate) p99_us: f64,
    /// The longest latency in microseconds.
    pub(crate) longest_us: f64,
    /// Bytes of all answers' bodies.
    pub(crate) body_bytes: u64,
}

impl LoadResult {
    /// Returns requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}

/// When a run ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After this many requests over all connections.
    Requests(u64),
    /// After this many requests, or after this time if that comes first.
    RequestsWithin(u64, Duration),
}

/// Makes the `n`th request of a run: the operation's target and its body.
pub(crate) type MakeRequest = Arc<dyn Fn(u64) -> (&'static str, String) + Send + Sync>;

/// Sends requests over `connections` connections until the run ends.
pub(crate) fn run(
    address: SocketAddr,
    connections: u64,
    until: Until,
    make: &MakeRequest,
) -> io::Result<LoadResult> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let started = Instant::now();
        let loops: Vec<_> = (0..connections)
            .map(|first| {
                let make = Arc::clone(make);
                tokio::spawn(async move {
                    let mut one = Connection::open(address).await?;
                    let mut seen = Seen::default();
                    let mut n = first;
                    while match until {
                        Until::Elapsed(limit) => started.elapsed() < limit,
                        Until::Requests(limit) => n < limit,
                        Until::RequestsWithin(limit, time) => n < limit && started.elapsed() < time,
                    } {
                        let (target, body) = make(n);
                        let sent = Instant::now();
                        let (status, length) = one.exchange(target, &body).await?;
                        seen.add(status, length, sent.elapsed());
                        n += connections;
                    }
                    io::Result::Ok(seen)
                })
            })
            .collect();
        let mut all = Seen::default();
        for one in loops {
            all.join(one.await.map_err(io::Error::other)??);
        }
        Ok(all.result(started.elapsed()))
    })
}

/// Sends one request on a connection of its own and returns the status and the body.
pub(crate) fn call(address: SocketAddr, target: &str, body: &str) -> io::Result<(u16, String)> {
    let mut caller = Caller::to(address)?;
    let (status, answer) = caller.call(target, body)?;
    Ok((status, String::from_utf8_lossy(answer).into_owned()))
}

/// A client with one connection that sends one request after the other.
pub(crate) struct Caller {
    runtime: tokio::runtime::Runtime,
    connection: Connection,
}

impl Caller {
    /// Connects to a server.
    pub(crate) fn to(address: SocketAddr) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(Connection::open(address))?;
        Ok(Self { runtime, connection })
    }

    /// Sends a request and returns the status and the body.
    pub(crate) fn call(&mut self, target: &str, body: &str) -> io::Result<(u16, &[u8])> {
        let Self { runtime, connection } = self;
        let (status, length) = runtime.block_on(connection.exchange(target, body))?;
        let start = connection.body_start;
        Ok((status, &connection.buffer[start..start + length]))
    }
}

#[derive(Default)]
struct Seen {
    requests: u64,
    failures: u64,
    body_bytes: u64,
    latencies_us: Vec<u32>,
}

impl Seen {
    fn add(&mut self, status: u16, length: usize, latency: Duration) {
        if status == 200 {
            self.requests += 1;
        } else {
            self.failures += 1;
        }
        self.body_bytes += length as u64;
        self.latencies_us.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    fn join(&mut self, other: Self) {
        self.requests += other.requests;
        self.failures += other.failures;
        self.body_bytes += other.body_bytes;
        self.latencies_us.extend(other.latencies_us);
    }

    fn result(mut self, elapsed: Duration) -> LoadResult {
        self.latencies_us.sort_unstable();
        let percentile = |share: f64| {
            let at = (self.latencies_us.len() as f64 * share) as usize;
            self.latencies_us
                .get(at.min(self.latencies_us.len().saturating_sub(1)))
                .map_or(0.0, |us| f64::from(*us))
        };
        LoadResult {
            requests: self.requests,
            failures: self.failures,
            seconds: elapsed.as_secs_f64(),
            p50_us: percentile(0.5),
            p99_us: percentile(0.99),
            longest_us: percentile(1.0),
            body_bytes: self.body_bytes,
        }
    }
}

/// A keep-alive connection with its buffers.
struct Connection {
    stream: TcpStream,
    host: String,
    request: Vec<u8>,
    buffer: Vec<u8>,
    body_start: usize,
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, host: address.to_string(), request: Vec::new(), buffer: Vec::new(), body_start: 0 })
    }

    /// Sends a request, reads its answer, and returns the status and the length of the body.
    async fn exchange(&mut self, target: &str, body: &str) -> io::Result<(u16, usize)> {
        use std::io::Write;
        self.request.clear();
        write!(
            self.request,
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0\r\nX-Amz-Date: 20260101T000000Z\r\nContent-Length: {}\r\n\r\n",
            self.host,
            body.len()
        )?;
        self.request.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
            if let Some(head) = Head::parse(&self.buffer)? {
                self.body_start = head.length;
                match head.content_length {
                    Some(length) => {
                        self.read_to(head.length + length).await?;
                        return Ok((head.status, length));
                    }
                    None => return Ok((head.status, self.read_chunks(head.length).await?)),
                }
            }
        }
    }

    async fn read_to(&mut self, length: usize) -> io::Result<()> {
        self.buffer.reserve(length.saturating_sub(self.buffer.len()));
        while self.buffer.len() < length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ended early"));
            }
        }
        Ok(())
    }

    /// Reads a chunked body in place and returns its length.
    async fn read_chunks(&mut self, start: usize) -> io::Result<usize> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "the chunked body is malformed");
        let (mut at, mut end) = (start, start);
        loop {
            let line_end = loop {
                if let Some(n) = self.buffer[at..].windows(2).position(|pair| pair == b"\r\n") {
                    break at + n;
                }
                let have = self.buffer.len();
                self.read_to(have + 1).await?;
            };
            let line = std::str::from_utf8(&self.buffer[at..line_end]).map_err(|_| bad())?;
            let size =
                usize::from_str_radix(line.split(';').next().unwrap_or("").trim(), 16).map_err(|_| bad())?;
            self.read_to(line_end + 2 + size + 2).await?;
            self.buffer.copy_within(line_end + 2..line_end + 2 + size, end);
            end += size;
            at = line_end + 2 + size + 2;
            if size == 0 {
                return Ok(end - start);
            }
        }
    }
}

/// What the head of an answer says.
struct Head {
    status: u16,
    length: usize,
    content_length: Option<usize>,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
        let head = std::str::from_utf8(&bytes[..end]).map_err(|_| bad())?;
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let content_length = lines
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, value)| value.trim().parse().ok());
        Ok(Some(Self { status: status.ok_or_else(bad)?, length: end + 4, content_length }))
    }
}

/// Returns the length of the request that a buffer begins with, once its head is there.
pub(crate) fn request_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("Content-Length: "));
    Some(end + length.and_then(|length| length.parse::<usize>().ok()).unwrap_or(0))
}
