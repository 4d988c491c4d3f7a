//! Work that would hold up the threads that answer requests.

/// Runs work on a thread that may block; `None` if the server is stopping.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(output) => Some(output),
        Err(error) => match error.try_into_panic() {
            // Caught again by the caller, which knows the request ID.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}
