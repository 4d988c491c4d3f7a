//! Background threads.

use std::{sync::Arc, thread::JoinHandle};

use crate::error::StoreError;

pub(crate) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(|e| StoreError::Thread(Arc::new(e)))
}

/// Waits for the end of threads, unless one of them asks: the engine they serve may be dropped by a job that runs on one of them.
pub(crate) fn join(threads: Vec<JoinHandle<()>>) {
    let this = std::thread::current().id();
    if threads.iter().any(|thread| thread.thread().id() == this) {
        return;
    }
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread of the store panicked");
        }
    }
}
