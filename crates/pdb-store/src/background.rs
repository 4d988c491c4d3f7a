//! Threads for reads that async code awaits.
//!
//! A read takes its connection and its thread for its whole time: on a server it waits for the network, and in a file it may go
//! through thousands of rows. A thread that runs async tasks must not do either, so such reads run here. The threads start when
//! they are needed and end when they have been idle, because most programs read on threads of their own and need none.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::StoreError;
use crate::job::message_of;
use crate::pending::{Answer, Pending};
use crate::threads;

/// How many threads there are at most. More would wait for the connections that read, whose default number is far lower.
const MOST_THREADS: usize = 32;
/// After which an idle thread ends.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// Threads, and the jobs that wait for one. Cheap to clone; all clones are the same threads.
#[derive(Clone, Default)]
pub(crate) struct BackgroundThreads {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    has_jobs: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle_threads: usize,
}

impl BackgroundThreads {
    /// Runs a job. Its answer is given also if it panics.
    pub(crate) fn run<T, E>(
        &self,
        job: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Pending<Result<T, E>>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, pending) = Answer::new();
        let answer = Arc::new(answer);
        let given = answer.clone();
        let job = move || {
            let outcome = catch_unwind(AssertUnwindSafe(job));
            given.give(outcome.unwrap_or_else(|panic| Err(StoreError::Panicked(message_of(&*panic)).into())));
        };
        if let Err(error) = self.enqueue(Box::new(job)) {
            answer.give(Err(error.into()));
        }
        pending
    }

    /// Hands a job to a thread.
    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let mut state = self.shared.lock();
        // A thread that has been woken counts as idle until it takes its job, hence the comparison with the queue.
        if state.jobs.len() < state.idle_threads || state.threads == MOST_THREADS {
            state.jobs.push_back(job);
            drop(state);
            self.shared.has_jobs.notify_one();
            return Ok(());
        }
        let shared = self.shared.clone();
        match threads::start("pretender-read", move || shared.serve()) {
            Ok(_) => state.threads += 1,
            // Those that run already do the job in their turn.
            Err(error) if state.threads == 0 => return Err(error),
            Err(_) => {}
        }
        state.jobs.push_back(job);
        Ok(())
    }
}

impl Shared {
    /// Does jobs until there has been none for a while.
    fn serve(&self) {
        let mut state = self.lock();
        loop {
            while let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.lock();
            }
            state.idle_threads += 1;
            let (woken, waited) = self
                .has_jobs
                .wait_timeout_while(state, IDLE_TIMEOUT, |state| state.jobs.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle_threads -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No job runs under the lock, so a poisoned state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn jobs_run_at_the_same_time_and_wait_if_there_are_too_many() {
        let threads = BackgroundThreads::default();
        // Each of them waits for the others, so they end only if all run.
        let all = Arc::new(Barrier::new(MOST_THREADS));
        let wait_for_all = || {
            let all = all.clone();
            threads.run(move || {
                all.wait();
                Ok::<_, StoreError>(())
            })
        };
        let together: Vec<_> = (0..MOST_THREADS).map(|_| wait_for_all()).collect();
        together.into_iter().for_each(|pending| pending.wait().unwrap());
        let many = 0..20 * MOST_THREADS;
        let pending: Vec<_> =
            many.clone().map(|number| threads.run(move || Ok::<_, StoreError>(number))).collect();
        let numbers: Vec<usize> = pending.into_iter().map(|pending| pending.wait().unwrap()).collect();
        assert_eq!(numbers, many.collect::<Vec<_>>());
        assert_eq!(threads.shared.lock().threads, MOST_THREADS);
    }

    #[test]
    fn a_panic_fails_its_job_only() {
        let threads = BackgroundThreads::default();
        let panicking = threads.run(|| -> Result<(), StoreError> { panic!("a bug") });
        assert!(matches!(panicking.wait(), Err(StoreError::Panicked(text)) if text == "a bug"));
        threads.run(|| Ok::<_, StoreError>(())).wait().unwrap();
    }
}
