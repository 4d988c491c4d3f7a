//! A site of somebody else, on another port of the same machine.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A listener that answers everything with one page, until it is dropped.
pub(crate) struct Attacker {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Attacker {
    pub(crate) fn with(html: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                // A browser also opens connections that it never uses.
                let html = html.clone();
                std::thread::spawn(move || answer(&stream.unwrap(), &html));
            }
        });
        Self { address, is_over, accepting: Some(accepting) }
    }

    /// Returns the address of its page at a name of this machine.
    pub(crate) fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.address.port())
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.accepting.take().map(JoinHandle::join);
    }
}

/// Answers the first request of a connection; the browser may leave at any time.
fn answer(mut stream: &TcpStream, html: &str) -> Option<()> {
    let mut head = BufReader::new(stream).lines();
    while !head.next()?.ok()?.is_empty() {}
    let length = html.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all((head + html).as_bytes()).ok()
}
