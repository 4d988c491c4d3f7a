//! A connection to a service that breaks.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// What is let through.
#[derive(Debug, Default)]
struct Plan {
    /// How many connections break.
    breaks: AtomicI64,
    /// How many bytes of answers pass on each of them.
    answers: AtomicU64,
    broken: AtomicU64,
    is_over: AtomicBool,
}

/// A proxy to a service on this machine. moto answers one request on a connection, so each request can break.
pub(crate) struct Proxy {
    address: SocketAddr,
    plan: Arc<Plan>,
}

impl Proxy {
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, plan) = (listener.local_addr().unwrap(), Arc::new(Plan::default()));
        let shared = plan.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                // Without a service behind it, the connection is closed.
                let Ok(service) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let limit = (shared.breaks.fetch_sub(1, Ordering::Relaxed) > 0).then(|| {
                    shared.broken.fetch_add(1, Ordering::Relaxed);
                    shared.answers.load(Ordering::Relaxed)
                });
                let (requests, answers) = (client.try_clone().unwrap(), service.try_clone().unwrap());
                std::thread::spawn(move || pump(requests, service, u64::MAX));
                std::thread::spawn(move || pump(answers, client, limit.unwrap_or(u64::MAX)));
            }
        });
        Self { address, plan }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Breaks so many of the next connections after so many bytes of answers.
    pub(crate) fn break_next(&self, connections: i64, after: u64) {
        self.plan.answers.store(after, Ordering::Relaxed);
        self.plan.breaks.store(connections, Ordering::Relaxed);
        self.plan.broken.store(0, Ordering::Relaxed);
    }

    /// Returns how many connections have broken since.
    pub(crate) fn broken(&self) -> u64 {
        self.plan.broken.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.plan.is_over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// Passes on so many bytes, and closes both ends when there are more: with none to pass on, after the service has begun to answer.
fn pump(mut from: TcpStream, mut to: TcpStream, mut left: u64) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length) = from.read(&mut buffer) {
        let passed = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        if length == 0 || to.write_all(&buffer[..passed]).is_err() || passed < length {
            break;
        }
        left -= passed as u64;
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
