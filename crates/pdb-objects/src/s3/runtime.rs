//! The thread that the requests of a store run on.

use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime as Tokio};

/// A runtime that starts with the first request.
#[derive(Debug, Default)]
pub(super) struct Runtime {
    started: Mutex<Option<Tokio>>,
}

impl Runtime {
    fn handle(&self) -> io::Result<Handle> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*started {
            return Ok(runtime.handle().clone());
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            // For looking up names.
            .max_blocking_threads(2)
            .thread_name("pdb-objects")
            .enable_all()
            .build()?;
        Ok(started.insert(runtime).handle().clone())
    }

    /// Runs a future on the runtime, and waits for it.
    ///
    /// It waits as for any other thread, not as tokio does, which panics on a thread that belongs to another runtime.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<T> {
        let outcome = self.begin(future)?;
        outcome.recv().map_err(|_| io::Error::other("the request was given up"))
    }

    /// Runs a future on the runtime, and waits for it some time. It goes on after that.
    pub(super) fn wait_some_time<T: Send + 'static>(
        &self,
        time: Duration,
        future: impl Future<Output = T> + Send + 'static,
    ) {
        if let Ok(outcome) = self.begin(future) {
            let _ = outcome.recv_timeout(time);
        }
    }

    fn begin<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<mpsc::Receiver<T>> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.handle()?.spawn(async move {
            // Nobody may be waiting any more.
            let _ = sender.send(future.await);
        });
        Ok(receiver)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let started = self.started.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = started.take() {
            // To wait for its threads would panic on a thread of another runtime.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_used_and_dropped_within_another_runtime() {
        let outer = Builder::new_current_thread().build().unwrap();
        outer.block_on(async {
            let runtime = Runtime::default();
            assert!(runtime.started.lock().unwrap().is_none());
            assert_eq!(runtime.wait(async { 1 }).unwrap(), 1);
            drop(runtime);
        });
    }

    #[test]
    fn a_future_that_panics_is_an_error() {
        let runtime = Runtime::default();
        assert!(runtime.wait(async { assert_eq!(1, 2) }).is_err());
        assert_eq!(runtime.wait(async { 3 }).unwrap(), 3);
    }
}
