//! The jobs that wait for the writer.

use std::sync::{
    Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::job::Job;

/// The most jobs that wait. A caller with one more waits until the writer has taken one: memory stays bounded.
const CAPACITY: usize = 1024;

type BoxedJob = Box<dyn Job + Send>;

/// A job that waits.
struct Waiting {
    job: BoxedJob,
    /// Then a thread with other tasks must not run it.
    may_take_long: bool,
}

/// The jobs that wait for the writer, and what wakes its thread.
pub(crate) struct JobQueue {
    /// None once the store is closed.
    open: RwLock<Option<Open>>,
    jobs: Receiver<Waiting>,
    /// The first job, if a thread that must not run it has found it.
    set_aside: Mutex<Option<Waiting>>,
    /// A thread runs jobs, and will look whether there are more.
    is_running: AtomicBool,
}

struct Open {
    jobs: Sender<Waiting>,
    wake: Sender<()>,
}

impl JobQueue {
    /// Returns a queue, and what the writer's thread waits for: it is disconnected when the queue is closed.
    pub(crate) fn new() -> (Self, Receiver<()>) {
        let (sender, jobs) = crossbeam_channel::bounded(CAPACITY);
        let (wake, woken) = crossbeam_channel::bounded(1);
        let open = RwLock::new(Some(Open { jobs: sender, wake }));
        (Self { open, jobs, set_aside: Mutex::default(), is_running: AtomicBool::new(false) }, woken)
    }

    /// Adds a job. Somebody must see to it that it runs: [`wake`](Self::wake), or [`begin_running`](Self::begin_running).
    pub(crate) fn push(&self, job: BoxedJob, may_take_long: bool) {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        // Once the store is closed, the job is dropped, which answers `Closed`.
        let Some(open) = open.as_ref() else { return };
        if let Err(TrySendError::Full(job)) = open.jobs.try_send(Waiting { job, may_take_long }) {
            open.wake();
            let _ = open.jobs.send(job);
        }
    }

    /// Takes the next job for a thread that may take long with it, or must not. To be called by one thread at a time.
    pub(crate) fn pop(&self, may_take_long: bool) -> Option<BoxedJob> {
        let mut set_aside = self.set_aside();
        let next = set_aside.take().or_else(|| self.jobs.try_recv().ok())?;
        if next.may_take_long && !may_take_long {
            *set_aside = Some(next);
            return None;
        }
        Some(next.job)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.set_aside().is_none()
    }

    fn set_aside(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.set_aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the writer's thread run what waits.
    pub(crate) fn wake(&self) {
        if let Some(open) = self.open.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            open.wake();
        }
    }

    /// Begins to run jobs on this thread. Returns `None` if another thread runs jobs. The thread that began must look for more jobs
    /// after it has dropped the guard, because others leave theirs to it until then.
    pub(crate) fn begin_running(&self) -> Option<Running<'_>> {
        // Read and written in one step, here and when the guard is dropped: the thread that began then sees each job that was added
        // before this.
        (!self.is_running.swap(true, Ordering::AcqRel)).then_some(Running(self))
    }

    /// Refuses further jobs, and lets the writer's thread end when it has run the rest.
    pub(crate) fn close(&self) {
        drop(self.open.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Open {
    fn wake(&self) {
        // If it is to be woken already, it will see all there is.
        let _ = self.wake.try_send(());
    }
}

/// A thread runs jobs as long as this exists.
pub(crate) struct Running<'q>(&'q JobQueue);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.is_running.swap(false, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::StoreError, job::ClosureJob, tx::Tx};

    fn job() -> BoxedJob {
        Box::new(ClosureJob::new(|_: &mut Tx<'_>| Ok::<_, StoreError>(()), None))
    }

    #[test]
    fn a_job_that_may_take_long_waits_for_a_thread_that_may_run_it_and_keeps_its_place() {
        let (queue, _woken) = JobQueue::new();
        [false, true, false].into_iter().for_each(|may_take_long| queue.push(job(), may_take_long));
        let is_there = |may_take_long| queue.pop(may_take_long).is_some();
        assert!(is_there(false));
        assert!(!is_there(false) && !is_there(false));
        assert!(!queue.is_empty());
        assert!(is_there(true));
        assert!(is_there(false));
        assert!(!is_there(true) && queue.is_empty());
        queue.push(job(), true);
        assert!(is_there(true));
    }

    #[test]
    fn one_thread_runs_jobs_and_a_closed_queue_takes_none() {
        let (queue, woken) = JobQueue::new();
        let running = queue.begin_running().unwrap();
        assert!(queue.begin_running().is_none());
        drop(running);
        assert!(queue.begin_running().is_some());
        queue.push(job(), false);
        queue.wake();
        queue.wake();
        queue.close();
        queue.push(job(), false);
        queue.wake();
        assert!(woken.recv().is_ok());
        assert!(woken.recv().is_err());
        assert!(queue.pop(true).is_some());
        assert!(queue.is_empty());
    }
}
