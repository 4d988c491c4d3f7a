//! Waiting without a runtime: for calls that are to take longer.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// Waits on this thread.
pub(super) fn block(delay: Duration) {
    let until = Instant::now() + delay;
    // Nobody sends anything, and the sender lives until the time is over.
    let (sender, receiver) = mpsc::channel::<()>();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let _ = receiver.recv_timeout(left);
    }
    drop(sender);
}

/// Waits without blocking: a thread of its own keeps the time. Waits are rare, since somebody asks for each.
pub(super) async fn delay(delay: Duration) {
    let until = Instant::now() + delay;
    let waiting: Arc<Mutex<Option<Waker>>> = Arc::default();
    let mut timer = None;
    std::future::poll_fn(|context| {
        if Instant::now() >= until {
            return Poll::Ready(());
        }
        *waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.waker().clone());
        if timer.is_none() {
            let waiting = waiting.clone();
            let started = std::thread::Builder::new().name("pretender-delay".to_owned()).spawn(move || {
                block(until.saturating_duration_since(Instant::now()));
                let waker = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            });
            match started {
                Ok(thread) => timer = Some(thread),
                // Without a thread the wait blocks: late is better than never.
                Err(_) => {
                    block(until.saturating_duration_since(Instant::now()));
                    return Poll::Ready(());
                }
            }
        }
        Poll::Pending
    })
    .await;
}
