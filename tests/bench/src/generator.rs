//! The limit of the load generator, measured against a server with a constant answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::cost;
use crate::load::{self, MakeRequest, Until};
use crate::report::Report;
use crate::sizes::Sizes;
use crate::work::Work;

/// Measures the generator with 1 KB both ways, and what an exchange costs it.
pub(crate) fn run(report: &mut Report, sizes: &Sizes) -> io::Result<()> {
    println!("The generator, against a server that answers a constant of 1 KB");
    let address = serve_constant()?;
    let work = Work { item_bytes: 1024, keys: 1_000 };
    let make: MakeRequest = Arc::new(move |n| ("DynamoDB_20120810.PutItem", work.item_json(n)));
    for connections in [1, 16, 64] {
        let cpu = cost::thread_cpu_us();
        let load = load::run(address, connections, Until::Elapsed(sizes.turn), &make)?;
        let cpu = (cost::thread_cpu_us() - cpu) / load.requests.max(1) as f64;
        let what = format!("generator, {connections} connections");
        report.footprint(&what, load.rate(), "exchanges/s");
        report.footprint(&format!("{what}: its CPU time"), cpu, "us");
    }
    Ok(())
}

/// Starts a server on a thread of its own that lives as long as this process.
fn serve_constant() -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        // It ends with an error, which nobody waits for, or with the process.
        let _: io::Result<()> = runtime.block_on(accept(listener));
    });
    Ok(address)
}

async fn accept(listener: std::net::TcpListener) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(answer(stream));
    }
}

/// Answers each request of a connection with the same bytes.
async fn answer(mut stream: TcpStream) -> io::Result<()> {
    let body = "x".repeat(1024);
    let constant = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut buffer = Vec::new();
    loop {
        let length = loop {
            if let Some(length) = load::request_length(&buffer) {
                break length;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        while buffer.len() < length {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        buffer.drain(..length);
        stream.write_all(constant.as_bytes()).await?;
    }
}
