//! Telling all connections to finish, and waiting until they have.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// Stops everything that holds a [`Watcher`].
#[derive(Debug)]
pub(crate) struct Shutdown {
    stop: watch::Sender<bool>,
    /// Never used to send. The receiver notices when the last watcher has been dropped.
    alive: mpsc::Sender<()>,
    all_gone: mpsc::Receiver<()>,
}

/// Learns of the stop. The stop is complete when no watcher exists any more.
#[derive(Clone, Debug)]
pub(crate) struct Watcher {
    stop: watch::Receiver<bool>,
    _alive: mpsc::Sender<()>,
}

impl Shutdown {
    pub(crate) fn new() -> Self {
        let (alive, all_gone) = mpsc::channel(1);
        Self { stop: watch::Sender::new(false), alive, all_gone }
    }

    /// Returns a flag for the stop. Unlike a watcher, it does not delay the stop.
    pub(crate) fn flag(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub(crate) fn watcher(&self) -> Watcher {
        Watcher { stop: self.stop.subscribe(), _alive: self.alive.clone() }
    }

    /// Tells all watchers to stop, and waits until they are gone. Returns whether that happened in time.
    pub(crate) async fn finish(self, patience: Duration) -> bool {
        let Self { stop, alive, mut all_gone } = self;
        drop(alive);
        stop.send_replace(true);
        tokio::time::timeout(patience, all_gone.recv()).await.is_ok()
    }
}

impl Watcher {
    /// Returns when the stop has been requested, or when the [`Shutdown`] has been dropped.
    pub(crate) async fn stopped(&mut self) {
        let _ = self.stop.wait_for(|stop| *stop).await;
    }
}
