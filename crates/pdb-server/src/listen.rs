//! Binding a port, and answering on it.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use pdb_trigger::TriggerMonitor;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior};

#[cfg(feature = "https")]
use crate::Tls;
use crate::control::SnapshotFolder;
use crate::database::Shared;
use crate::http::HttpService;
use crate::regions::Regions;
use crate::shutdown::{Shutdown, Watcher};
use crate::transfer::TransferLimits;
use crate::workers::{Balancer, ConnectionCount, Workers};
use crate::write_timeout::WriteTimeout;
use crate::{NamedDatabases, RunningServer, ServerOptions};

/// How long the accept loop rests after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often to log such an error.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// How often to sample the iterator age of triggers.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
/// How many bytes a connection reads ahead at most. hyper's default would be 400 KB.
const MAX_BUFFERED_BYTES: usize = 32 * 1024;
/// Threads for short blocking work: definitions, commands, compressed bodies, and reads by key from a database server.
const SHORT_WORK_THREADS: usize = 8;
/// How many connections may wait to be accepted. The usual 128 are soon exceeded, and a rejected client retries only
/// after a second.
const MAX_WAITING: i32 = 4096;

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is in use, not allowed, or not an address of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The snapshot folder does not exist, or is not a folder.
    #[error("cannot use `{}` as the snapshot folder: {source}", path.display())]
    SnapshotDirectory {
        /// The folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The server's threads could not be started.
    #[error("cannot start the server's threads: {0}")]
    Threads(io::Error),
}

/// The HTTP server of both APIs.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Binds the port, without answering on it yet.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`] if the port cannot be bound, [`ServerError::SnapshotDirectory`].
    pub fn bind(options: ServerOptions) -> Result<BoundServer, ServerError> {
        let snapshots = options.snapshot_directory.as_deref().map(|path| {
            SnapshotFolder::open(path)
                .map_err(|source| ServerError::SnapshotDirectory { path: path.to_owned(), source })
        });
        let snapshots = snapshots.transpose()?;
        let address = SocketAddr::new(options.host, options.port);
        let refused = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(refused)?;
        socket2::SockRef::from(&listener).listen(MAX_WAITING).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(BoundServer { listener, address, snapshots, options })
    }

    /// Starts a server for a database. The server stops when [`RunningServer::stop`] is called, or when it is dropped.
    ///
    /// # Errors
    ///
    /// [`ServerError::Listen`] if the port cannot be bound, [`ServerError::SnapshotDirectory`],
    /// [`ServerError::Threads`].
    pub fn start(
        databases: impl Into<Regions>,
        options: ServerOptions,
    ) -> Result<RunningServer, ServerError> {
        Self::bind(options)?.start(databases)
    }
}

/// A server that has bound its port, but does not answer yet.
#[derive(Debug)]
pub struct BoundServer {
    listener: TcpListener,
    address: SocketAddr,
    snapshots: Option<SnapshotFolder>,
    options: ServerOptions,
}

impl BoundServer {
    /// Returns the address at which the server will answer.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns whether the server will speak HTTPS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.options.is_https()
    }

    /// Starts answering requests.
    ///
    /// # Errors
    ///
    /// [`ServerError::Threads`].
    pub fn start(self, databases: impl Into<Regions>) -> Result<RunningServer, ServerError> {
        let regions = databases.into();
        let Self { listener, address, snapshots, options } = self;
        // Long reads have their own limit; the other threads are for work that must not wait for them.
        let blocking_threads = ServerOptions::MAX_LONG_READS as usize + SHORT_WORK_THREADS;
        let workers = Workers::start(options.workers, blocking_threads).map_err(ServerError::Threads)?;
        let shared = Shared { endpoint: address.to_string(), snapshots };
        let shutdown = Shutdown::new();
        let front = Arc::new(HttpService::new(regions, shared, &options, shutdown.flag()));
        let watcher = shutdown.watcher();
        if let Some(databases) = options.databases.clone() {
            workers.first().spawn(drop_idle(databases, shutdown.watcher()));
        }
        if !options.triggers.is_empty() {
            workers.first().spawn(sample(options.triggers.clone(), shutdown.watcher()));
        }
        let listener = {
            let _context = workers.first().enter();
            tokio::net::TcpListener::from_std(listener).map_err(ServerError::Threads)?
        };
        let timeouts = Timeouts {
            head: options.head_timeout,
            first_head: options.first_head_timeout,
            transfer_limits: options.transfer_limits(),
        };
        #[cfg(feature = "https")]
        let door = Door { timeouts, tls: options.tls.clone() };
        #[cfg(not(feature = "https"))]
        let door = Door { timeouts };
        workers.first().spawn(accept(listener, workers.balancer(), front, door, watcher));
        Ok(RunningServer::new(workers, address, shutdown, &options))
    }
}

/// How long a connection waits for the client.
#[derive(Clone, Copy)]
struct Timeouts {
    head: Duration,
    first_head: Duration,
    transfer_limits: TransferLimits,
}

/// How connections are taken.
#[derive(Clone)]
struct Door {
    timeouts: Timeouts,
    #[cfg(feature = "https")]
    tls: Option<Tls>,
}

async fn accept(
    listener: tokio::net::TcpListener,
    balancer: Balancer,
    front: Arc<HttpService>,
    door: Door,
    mut watcher: Watcher,
) {
    let mut failures = Failures::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = watcher.stopped() => return,
        };
        match accepted {
            Ok((stream, peer)) => match stream.into_std() {
                Ok(stream) => {
                    let worker = balancer.choose();
                    let count = worker.count_connection();
                    worker.spawn(serve(stream, count, peer, front.clone(), door.clone(), watcher.clone()));
                }
                Err(error) => tracing::debug!(%error, "a connection ended before it was served"),
            },
            Err(error) => {
                if let Some(more) = failures.note(Instant::now()) {
                    tracing::warn!(%error, more, "could not accept a connection");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Drops named databases that are not used any more, until the server stops.
async fn drop_idle(databases: NamedDatabases, mut watcher: Watcher) {
    let Some(interval) = databases.idle_check_interval() else { return };
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = watcher.stopped() => return,
        }
        let databases = databases.clone();
        match tokio::task::spawn_blocking(move || databases.drop_idle()).await {
            Ok(()) => {}
            Err(error) if error.is_panic() => {
                tracing::error!(%error, "could not drop databases because of a bug")
            }
            Err(_) => return,
        }
    }
}

/// Samples the iterator age of triggers, until the server stops.
async fn sample(triggers: Vec<TriggerMonitor>, mut watcher: Watcher) {
    let mut ticks = tokio::time::interval(SAMPLE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => triggers.iter().for_each(TriggerMonitor::sample),
            () = watcher.stopped() => return,
        }
    }
}

/// Limits how often a frequent error is logged.
#[derive(Debug, Default)]
struct Failures {
    logged: Option<Instant>,
    more: u64,
}

impl Failures {
    /// Counts a failure. If it is time to log one, returns how many were not logged since the last one.
    fn note(&mut self, now: Instant) -> Option<u64> {
        if self.logged.is_some_and(|logged| now - logged < LOG_INTERVAL) {
            self.more += 1;
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.more))
    }
}

/// Serves one connection, until either side ends it.
async fn serve(
    stream: std::net::TcpStream,
    _count: ConnectionCount,
    peer: SocketAddr,
    front: Arc<HttpService>,
    door: Door,
    watcher: Watcher,
) {
    let timeouts = door.timeouts;
    // The connection belongs to the runtime of this thread now.
    let stream = match TcpStream::from_std(stream) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::warn!(%error, "could not serve a connection");
            return;
        }
    };
    // Answers are written completely, so waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let contention = front.contention().clone();
    // Below TLS, because that is where a slow client is noticed.
    let watched = |stream| WriteTimeout::new(TokioIo::new(stream), timeouts.transfer_limits, contention);
    #[cfg(feature = "https")]
    if let Some(tls) = door.tls {
        // In a box, because most servers have no TLS.
        Box::pin(serve_tls(tls, stream, watched, peer, front, timeouts, watcher)).await;
        return;
    }
    converse(watched(stream), peer, front, timeouts, watcher).await;
}

/// Serves one connection that begins with a handshake.
#[cfg(feature = "https")]
async fn serve_tls<S>(
    tls: Tls,
    stream: TcpStream,
    watched: impl FnOnce(TcpStream) -> S,
    peer: SocketAddr,
    front: Arc<HttpService>,
    timeouts: Timeouts,
    mut watcher: Watcher,
) where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send,
{
    let accepted = tokio::select! {
        accepted = tls.accept(stream, watched) => accepted,
        () = watcher.stopped() => None,
    };
    if let Some(stream) = accepted {
        converse(stream, peer, front, timeouts, watcher).await;
    }
}

/// Answers the requests of one connection, one after the other, until either side ends it.
async fn converse(
    stream: impl hyper::rt::Read + hyper::rt::Write + Unpin,
    peer: SocketAddr,
    front: Arc<HttpService>,
    timeouts: Timeouts,
    mut watcher: Watcher,
) {
    let has_begun = AtomicBool::new(false);
    let service = service_fn(|request| {
        has_begun.store(true, Ordering::Relaxed);
        let front = front.clone();
        // In a box, because hyper moves it.
        Box::pin(async move { front.answer(request, peer).await })
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.head)
        // A client that shuts down its sending side after a request still waits for the answer.
        .half_close(true)
        .max_buf_size(MAX_BUFFERED_BYTES)
        .serve_connection(stream, service);
    let mut connection = std::pin::pin!(connection);
    let is_late = async {
        tokio::time::sleep(timeouts.first_head).await;
        if has_begun.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = is_late => {
            tracing::debug!("a connection sent no request");
            return;
        }
        () = watcher.stopped() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_logged_once_a_second() {
        let start = Instant::now();
        let mut failures = Failures::default();
        let logged: Vec<_> =
            (0..=50).filter_map(|n| failures.note(start + n * ACCEPT_PAUSE).map(|more| (n, more))).collect();
        assert_eq!(logged, [(0, 0), (20, 19), (40, 19)]);
    }
}
