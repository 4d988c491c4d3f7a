//! The live tails of the console: a thread for each, and what it sends as the body of an answer.
//!
//! A tail reads the database and never waits for its browser: what the browser does not take in time is dropped, and counted. It holds no
//! part of the budget for answers, because it has no more in memory than its channel.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use pdb_console::{Sent, Tail, TailStop};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

/// The most tails of a server. Each has a thread, and a browser opens six connections to a server at most.
const MAX_TAILS: usize = 16;
/// How many messages wait for a browser. There are at most some 20 a second.
const MAX_WAITING: usize = 8;

/// The tails of a server.
#[derive(Debug)]
pub(super) struct Tails {
    open: Arc<AtomicUsize>,
    stopping: watch::Receiver<bool>,
}

/// Why there is no tail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoTail {
    #[error(
        "this server already has {MAX_TAILS} live views of streams; close some of their pages, and this one continues by itself"
    )]
    TooMany,
    #[error("this server cannot start another thread")]
    NoThread,
}

/// What a tail sends. The tail ends when this is dropped.
pub(crate) struct EventsBody {
    messages: mpsc::Receiver<Bytes>,
    stop: TailStop,
    /// Ready when the server stops: it would wait for this answer otherwise.
    stopping: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
}

impl Tails {
    /// `stopping` becomes true when the server must stop.
    pub(super) fn new(stopping: watch::Receiver<bool>) -> Self {
        Self { open: Arc::default(), stopping }
    }

    /// Starts a tail.
    pub(super) fn start(&self, tail: Tail) -> Result<EventsBody, NoTail> {
        let place = Place::take(&self.open).ok_or(NoTail::TooMany)?;
        let (sender, messages) = mpsc::channel(MAX_WAITING);
        let stop = tail.stop_handle();
        let run = move || {
            let _place = place;
            tail.run(&mut |message| match sender.try_send(message.into()) {
                Ok(()) => Sent::Taken,
                Err(TrySendError::Full(_)) => Sent::Full,
                Err(TrySendError::Closed(_)) => Sent::Gone,
            });
        };
        let thread = std::thread::Builder::new().name("pretender-tail".to_owned()).spawn(run);
        // The thread ends by itself, so nobody waits for it.
        drop(thread.map_err(|_| NoTail::NoThread)?);
        let mut stopping = self.stopping.clone();
        // The server has stopped, too, if nobody can tell any more.
        let stopping = Box::pin(async move { drop(stopping.wait_for(|stop| *stop).await) });
        Ok(EventsBody { messages, stop, stopping })
    }
}

/// One of the tails that a server may have.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Option<Self> {
        let one_more = |tails: usize| (tails < MAX_TAILS).then_some(tails + 1);
        open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(open.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl EventsBody {
    pub(in crate::http) fn poll_message(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.stopping.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        self.messages.poll_recv(context)
    }
}

impl Drop for EventsBody {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

impl std::fmt::Debug for EventsBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventsBody").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places() {
        let open = Arc::default();
        let mut taken: Vec<Place> = (0..MAX_TAILS).map_while(|_| Place::take(&open)).collect();
        assert_eq!(taken.len(), MAX_TAILS);
        assert!(Place::take(&open).is_none());
        taken.pop();
        assert!(Place::take(&open).is_some());
        drop(taken);
        assert_eq!(open.load(Ordering::Relaxed), 0);
    }
}
