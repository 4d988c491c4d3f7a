//! A panic is a bug. It must fail one request, not the program that answers it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs a future.
///
/// # Errors
///
/// The message of the panic, if the future panics.
pub async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        // After a panic the future is never polled again, so a state that it left inconsistent is not seen.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(message(panic.as_ref()))),
        }
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::block_on;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(block_on(caught(async { 7 })), Ok(7));
        assert_eq!(
            block_on(caught(async { panic!("the {}", "reason") })),
            Err::<(), _>("the reason".to_owned())
        );
    }
}
