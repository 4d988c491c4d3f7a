//! A proxy between servers and their database, which is slow, or cuts connections, on demand.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What may happen to a connection when its client is about to commit.
#[derive(Debug, Default)]
struct Plan {
    /// The longest that a message to the database is held back, in microseconds.
    delay_us: AtomicU64,
    /// One of so many commits is not passed on, and its connection cut. 0: none.
    cut_before: AtomicU64,
    /// One of so many commits is passed on, but its answer is not, and its connection is cut. 0: none.
    cut_after: AtomicU64,
    /// How many messages were cut.
    cut: AtomicU64,
    /// After how many more messages one is cut; 0: none.
    cut_at: AtomicU64,
    /// Whether that message is passed on first.
    passes_on: AtomicBool,
    /// Draws numbers.
    dice: AtomicU64,
    stopped: AtomicBool,
}

/// A proxy to a database on this machine; ends when dropped, and cuts what is open.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    plan: Arc<Plan>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// Listens on a free port, for the database on this one.
    ///
    /// # Panics
    ///
    /// If the machine has no port left.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let plan = Arc::new(Plan::default());
        let open = Arc::new(Mutex::new(Vec::new()));
        let (shared, connections) = (plan.clone(), open.clone());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if shared.stopped.load(Ordering::Acquire) {
                    return;
                }
                let Ok(client) = client else { continue };
                // Dropped, the client sees its connection closed, as it would without us.
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                pass_on(client, server, &shared, &connections);
            }
        });
        Self { address, plan, open }
    }

    /// Returns a URL with our port in the place of the database's.
    #[must_use]
    pub fn instead_of(&self, url: &str, port: u16) -> String {
        url.replace(&format!(":{port}/"), &format!(":{}/", self.address.port()))
    }

    /// Holds every message to the database back for some time up to this.
    pub fn delay(&self, longest: Duration) {
        self.plan.delay_us.store(longest.as_micros() as u64, Ordering::Relaxed);
    }

    /// Cuts the connection at one of so many commits, half of them before and half after they are done; 0 ends that.
    pub fn cut_commits(&self, one_of: u64) {
        self.plan.cut_before.store(one_of * 2, Ordering::Relaxed);
        self.plan.cut_after.store(one_of * 2, Ordering::Relaxed);
    }

    /// Cuts the connection of the `nth` message to the database from now on; 0 ends that. If it `passes_on` the message, only
    /// its answer is lost.
    pub fn cut_message(&self, nth: u64, passes_on: bool) {
        self.plan.passes_on.store(passes_on, Ordering::Relaxed);
        self.plan.cut_at.store(nth, Ordering::Relaxed);
    }

    /// How many messages were cut, commits or others.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.plan.cut.load(Ordering::Relaxed)
    }

    /// Cuts all connections.
    pub fn cut_all(&self) {
        for connection in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.plan.stopped.store(true, Ordering::Release);
        self.cut_all();
        // Wakes the listener, so that it ends.
        let _ = TcpStream::connect(self.address);
    }
}

impl Plan {
    /// A number below `most`: xorshift, the same ones in every run.
    fn draw(&self, most: u64) -> u64 {
        let mut x = self.dice.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed) | 1;
        x ^= x >> 33;
        x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
        x ^= x >> 33;
        x % most.max(1)
    }

    fn strikes(&self, one_of: &AtomicU64) -> bool {
        let one_of = one_of.load(Ordering::Relaxed);
        one_of > 0 && self.draw(one_of) == 0
    }
}

fn pass_on(client: TcpStream, server: TcpStream, plan: &Arc<Plan>, open: &Arc<Mutex<Vec<TcpStream>>>) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let handles = || {
        Some([
            client.try_clone().ok()?,
            server.try_clone().ok()?,
            client.try_clone().ok()?,
            server.try_clone().ok()?,
        ])
    };
    // Without handles left the connection is closed.
    let Some([client_end, server_end, from_client, to_server]) = handles() else { return };
    open.lock().unwrap_or_else(PoisonError::into_inner).extend([client_end, server_end]);
    // Set once the answers of this connection are no longer passed on.
    let silent = Arc::new(AtomicBool::new(false));
    let (requests, answers) = ((from_client, to_server), (server, client));
    let (plan, muted) = (plan.clone(), silent.clone());
    std::thread::spawn(move || pump(requests.0, requests.1, |chunk| ask(&plan, &muted, chunk)));
    std::thread::spawn(move || pump(answers.0, answers.1, |_| !silent.load(Ordering::Acquire)));
}

/// Decides about a message to the database; returns whether it is passed on.
fn ask(plan: &Plan, silent: &AtomicBool, chunk: &[u8]) -> bool {
    let delay = plan.delay_us.load(Ordering::Relaxed);
    if delay > 0 {
        pause(Duration::from_micros(plan.draw(delay)));
    }
    let left = plan.cut_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if left == Ok(1) {
        plan.cut.fetch_add(1, Ordering::Relaxed);
        if !plan.passes_on.load(Ordering::Relaxed) {
            return false;
        }
        silent.store(true, Ordering::Release);
        return true;
    }
    if chunk.windows(6).any(|bytes| bytes == b"COMMIT") {
        if plan.strikes(&plan.cut_before) {
            plan.cut.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        if plan.strikes(&plan.cut_after) {
            plan.cut.fetch_add(1, Ordering::Relaxed);
            silent.store(true, Ordering::Release);
        }
    }
    true
}

/// Passes bytes on until one side ends or `keeps` says no; then both ends are closed.
fn pump(mut from: TcpStream, mut to: TcpStream, keeps: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || !keeps(&buffer[..length]) || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

fn pause(time: Duration) {
    let (_never, wait) = std::sync::mpsc::channel::<()>();
    let _ = wait.recv_timeout(time);
}
