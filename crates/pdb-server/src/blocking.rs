//! Work that would hold up the threads that answer requests.

use tracing::{Level, Span, span_enabled};

/// Runs work on a thread that may block; `None` if the server is stopping.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    // What the work does belongs to the request, if anybody traces requests.
    let is_traced = span_enabled!(target: "pretender::traces", Level::INFO);
    let span = if is_traced { Span::current() } else { Span::none() };
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(output) => Some(output),
        Err(error) => match error.try_into_panic() {
            // Caught again by the caller, which knows the request ID.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}
