//! The threads that answer requests.
//!
//! Each has a runtime of its own, and answers all requests of the connections that it was given. So a request is read, carried out and
//! answered on one thread: nothing is handed over, and no other thread has to be woken, which would cost more than a read by key.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// How long a stop waits for work that blocks a thread.
const BLOCKING_TIMEOUT: Duration = Duration::from_secs(1);

/// The threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    /// At least one.
    workers: Vec<Worker>,
}

#[derive(Debug)]
struct Worker {
    handle: Handle,
    connections: Arc<AtomicUsize>,
    /// Sends how long to wait for work that blocks.
    stop: oneshot::Sender<Duration>,
    thread: JoinHandle<()>,
}

/// Chooses the thread of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Balancer(Arc<[WorkerHandle]>);

/// A thread that connections can be given to.
#[derive(Clone, Debug)]
pub(crate) struct WorkerHandle {
    handle: Handle,
    connections: Arc<AtomicUsize>,
}

/// Counts a connection of a thread, until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionCount(Arc<AtomicUsize>);

impl Workers {
    /// Returns how many threads there are by default. Clients are often on the same machine, so they get half of the processors.
    fn default_number() -> usize {
        std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))
    }

    /// Starts `number` threads, or the default number; each may have so many other threads for work that blocks.
    pub(crate) fn start(number: Option<usize>, blocking_threads: usize) -> io::Result<Self> {
        let number = number.unwrap_or_else(Self::default_number).max(1);
        let workers = (0..number).map(|_| Worker::start(blocking_threads));
        Ok(Self { workers: workers.collect::<io::Result<_>>()? })
    }

    /// Returns the runtime of the first thread, for what there is only one of.
    pub(crate) fn first(&self) -> &Handle {
        &self.workers[0].handle
    }

    pub(crate) fn balancer(&self) -> Balancer {
        Balancer(self.workers.iter().map(Worker::to_handle).collect())
    }

    /// Ends the threads, and waits for them.
    pub(crate) fn stop(self) {
        let threads: Vec<_> = self.workers.into_iter().map(|worker| worker.stop(BLOCKING_TIMEOUT)).collect();
        for thread in threads {
            // A panic was reported when it happened.
            let _ = thread.join();
        }
    }

    /// Tells the threads to end, and does not wait.
    pub(crate) fn stop_in_background(self) {
        self.workers.into_iter().for_each(|worker| drop(worker.stop(Duration::ZERO)));
    }
}

impl Worker {
    fn start(blocking_threads: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .thread_name("pretender-work")
            .max_blocking_threads(blocking_threads)
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("pretender-http".to_owned()).spawn(move || {
            // Also if nobody can tell any more.
            let timeout = runtime.block_on(stopped).unwrap_or_default();
            runtime.shutdown_timeout(timeout);
        })?;
        Ok(Self { handle, connections: Arc::default(), stop, thread })
    }

    fn to_handle(&self) -> WorkerHandle {
        WorkerHandle { handle: self.handle.clone(), connections: self.connections.clone() }
    }

    fn stop(self, timeout: Duration) -> JoinHandle<()> {
        // A thread that has ended needs no stop.
        let _ = self.stop.send(timeout);
        self.thread
    }
}

impl Balancer {
    /// Chooses the thread with the fewest connections.
    pub(crate) fn choose(&self) -> &WorkerHandle {
        let least = self.0.iter().min_by_key(|worker| worker.connections.load(Ordering::Relaxed));
        least.unwrap_or(&self.0[0])
    }
}

impl WorkerHandle {
    /// Counts a connection.
    pub(crate) fn count_connection(&self) -> ConnectionCount {
        self.connections.fetch_add(1, Ordering::Relaxed);
        ConnectionCount(self.connections.clone())
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.handle.spawn(task));
    }
}

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn connections_go_to_the_thread_with_the_fewest() {
        let workers = Workers::start(Some(3), 1).unwrap();
        let balancer = workers.balancer();
        let counts = || -> Vec<usize> {
            balancer.0.iter().map(|worker| worker.connections.load(Ordering::Relaxed)).collect()
        };
        let mut counted: Vec<ConnectionCount> =
            (0..7).map(|_| balancer.choose().count_connection()).collect();
        assert_eq!(counts(), [3, 2, 2]);
        // Those of the second thread end.
        counted.remove(4);
        counted.remove(1);
        assert_eq!(counts(), [3, 0, 2]);
        counted.push(balancer.choose().count_connection());
        counted.push(balancer.choose().count_connection());
        assert_eq!(counts(), [3, 2, 2]);
        workers.stop();
    }

    #[test]
    fn each_handle_has_a_thread_of_its_own() {
        let workers = Workers::start(Some(2), 1).unwrap();
        let (sender, receiver) = mpsc::channel();
        for worker in workers.balancer().0.iter() {
            let sender = sender.clone();
            worker.spawn(async move { sender.send(std::thread::current().id()).unwrap() });
        }
        assert_ne!(receiver.recv().unwrap(), receiver.recv().unwrap());
        workers.stop();
    }

    #[test]
    fn there_is_at_least_one_thread() {
        assert_eq!(Workers::start(Some(0), 1).unwrap().workers.len(), 1);
        assert!(!Workers::start(None, 1).unwrap().workers.is_empty());
    }
}
