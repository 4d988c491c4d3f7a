//! A connection that fails if its client receives an answer too slowly.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::{Instant, Sleep, sleep};

use crate::http::{Contention, SMALL};
use crate::transfer::{TransferLimits, TransferMeter};

/// A connection that fails if its client receives an answer too slowly, because the answer occupies memory that others
/// wait for.
///
/// hyper starts an answer when the previous one has been written, and flushes then. So there is exactly one answer
/// between two flushes.
#[derive(Debug)]
pub(crate) struct WriteTimeout<S> {
    stream: S,
    limits: TransferLimits,
    contention: Contention,
    /// Exists from the moment when the client does not accept more data until it has accepted everything.
    slow: Option<Slow>,
}

#[derive(Debug)]
struct Slow {
    meter: TransferMeter,
    tick: Pin<Box<Sleep>>,
    /// Whether the answer occupies a part of the budget.
    is_large: bool,
}

impl<S> WriteTimeout<S> {
    pub(crate) fn new(stream: S, limits: TransferLimits, contention: Contention) -> Self {
        Self { stream, limits, contention, slow: None }
    }

    /// Passes on the result of an attempt to send so many bytes, unless the client is too slow.
    fn watch(
        &mut self,
        context: &mut Context<'_>,
        bytes: usize,
        sent: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &sent {
            Poll::Ready(Ok(sent)) => {
                if let Some(slow) = &mut self.slow {
                    slow.meter.advance(*sent);
                }
                return Poll::Ready(Ok(*sent));
            }
            Poll::Ready(Err(_)) => return sent,
            Poll::Pending => {}
        }
        let tick = self.limits.tick();
        let slow = self.slow.get_or_insert_with(|| Slow {
            meter: TransferMeter::new(Instant::now()),
            tick: Box::pin(sleep(tick)),
            is_large: false,
        });
        slow.is_large |= bytes > SMALL;
        while slow.tick.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if slow.meter.check(now, &self.limits, slow.is_large && self.contention.is_on()).is_err() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            slow.tick.as_mut().reset(now + tick);
        }
        Poll::Pending
    }
}

impl<S: Read + Unpin> Read for WriteTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: Write + Unpin> Write for WriteTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, bytes.len(), sent)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // All data has been written.
        self.slow = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        let length = if sent.is_pending() { bytes.iter().map(|slice| slice.len()).sum() } else { 0 };
        self.watch(context, length, sent)
    }
}
