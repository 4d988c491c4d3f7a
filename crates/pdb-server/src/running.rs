//! A running server.

use std::net::SocketAddr;
use std::time::Duration;

use crate::ServerOptions;
use crate::shutdown::Shutdown;
use crate::workers::Workers;

/// A server that answers requests until it is stopped or dropped.
#[derive(Debug)]
pub struct RunningServer {
    /// Taken when the server stops.
    parts: Option<(Workers, Shutdown)>,
    address: SocketAddr,
    drain_timeout: Duration,
    is_https: bool,
}

impl RunningServer {
    pub(crate) fn new(
        workers: Workers,
        address: SocketAddr,
        shutdown: Shutdown,
        options: &ServerOptions,
    ) -> Self {
        let (drain_timeout, is_https) = (options.drain_timeout, options.is_https());
        Self { parts: Some((workers, shutdown)), address, drain_timeout, is_https }
    }

    /// Returns the address at which the server answers.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL that clients use as their endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.address)
    }

    /// Returns `https` if the server speaks TLS, or else `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// Runs a future with the server's timers and connections, and returns its output. Must not be called from async code.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let (workers, _) = self.parts.as_ref().expect("the threads are there until the server stops");
        workers.first().block_on(future)
    }

    /// Finishes the requests in progress, for as long as the options allow, and stops. Returns whether all were
    /// finished. Must not be called from async code.
    pub fn stop(mut self) -> bool {
        let Some((workers, shutdown)) = self.parts.take() else { return true };
        let is_finished = workers.first().block_on(shutdown.finish(self.drain_timeout));
        workers.stop();
        is_finished
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if let Some((workers, shutdown)) = self.parts.take() {
            drop(shutdown);
            workers.stop_in_background();
        }
    }
}
