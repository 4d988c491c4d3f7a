//! Waiting without an async runtime, for calls that are delayed.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// Waits on this thread.
pub fn wait(delay: Duration) {
    let until = Instant::now() + delay;
    // Nothing is sent, and the sender lives until the time is over. The receiver may return early, hence the loop.
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

/// Async variant of [`wait`]. It needs no particular runtime and does not block its threads.
//
// A thread of its own keeps the time: delays are rare, because the user asks for each.
pub async fn wait_async(delay: Duration) {
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
                wait(until.saturating_duration_since(Instant::now()));
                let waker = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            });
            match started {
                Ok(thread) => timer = Some(thread),
                // If the system refuses a thread, the delay blocks: a call that is not delayed at all would fail the test.
                Err(_) => {
                    wait(until.saturating_duration_since(Instant::now()));
                    return Poll::Ready(());
                }
            }
        }
        Poll::Pending
    })
    .await;
}
