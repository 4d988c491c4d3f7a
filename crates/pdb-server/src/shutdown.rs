//! Telling every connection to finish, and waiting until they have.

use std::time::Duration;

use tokio::sync::{mpsc, watch};

/// Stops what holds a [`Watcher`].
#[derive(Debug)]
pub(crate) struct Shutdown {
    stop: watch::Sender<bool>,
    /// Never used to send: it ends when the last watcher is gone.
    alive: mpsc::Sender<()>,
    all_gone: mpsc::Receiver<()>,
}

/// Learns of the stop; as long as one exists, the stop is not complete.
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

    /// Returns what tells whether the stop has been asked for, without holding it up.
    pub(crate) fn flag(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub(crate) fn watcher(&self) -> Watcher {
        Watcher { stop: self.stop.subscribe(), _alive: self.alive.clone() }
    }

    /// Tells all watchers to stop and waits until they are gone; returns whether they were in time.
    pub(crate) async fn finish(self, patience: Duration) -> bool {
        let Self { stop, alive, mut all_gone } = self;
        drop(alive);
        stop.send_replace(true);
        tokio::time::timeout(patience, all_gone.recv()).await.is_ok()
    }
}

impl Watcher {
    /// Returns once the stop has been asked for, or nobody is left to ask for it.
    pub(crate) async fn stopped(&mut self) {
        let _ = self.stop.wait_for(|stop| *stop).await;
    }
}
