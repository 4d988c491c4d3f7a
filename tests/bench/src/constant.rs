//! A constant answer of the HTTP stack that the server uses: what no server that is built on it can be faster than.

use std::convert::Infallible;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};

use crate::process::Usage;

/// Bytes of the body of each answer.
const BODY_BYTES: usize = 1024;

/// A process that answers all requests with the same bytes; killed when dropped.
pub(crate) struct ConstantServer {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its use of the machine.
    pub(crate) usage: Usage,
}

impl ConstantServer {
    /// Starts this program as such a server.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("constant")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let usage = Usage::of(&child);
        Ok(Self { child, address: line.trim().parse()?, usage })
    }
}

impl Drop for ConstantServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves on one thread until the process is killed, and prints the address.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(
                http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service_fn(answer)),
            );
        }
    })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    // The body is read, as every server must. A connection that breaks off meanwhile gets its answer in vain.
    drop(request.into_body().collect().await);
    let mut response = Response::new(Full::new(Bytes::from_static(&[b'x'; BODY_BYTES])));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    Ok(response)
}
