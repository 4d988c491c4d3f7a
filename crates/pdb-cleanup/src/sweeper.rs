//! The thread that sweeps now and then.

use crate::{CleanupError, CleanupOptions, Pace, SweepReport, expire_items, sweep};
use crossbeam_channel::{RecvTimeoutError, Sender};
use pdb_model::Env;
use pdb_store::Store;
use std::error::Error;
use std::thread::JoinHandle;
use std::time::Instant;

/// A thread that sweeps at the interval of its options, first when it starts unless told otherwise, and looks for expired items
/// more often. It owns only the waiting; dropping it stops the thread at once and joins it, also in the middle of a sweep. It works at a
/// [gentle](Pace::gentle) pace.
///
/// The intervals are those of the machine's clock. Whoever moves another clock calls [`Sweeper::run_due`].
#[derive(Debug)]
pub struct Sweeper {
    store: Store,
    env: Env,
    options: CleanupOptions,
    pace: Pace,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// If the system has no thread for it.
    pub fn start(store: Store, env: Env, options: CleanupOptions) -> Result<Self, std::io::Error> {
        let pace = Pace::new(options.step);
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let thread = {
            let (store, env, options) = (store.clone(), env.clone(), options.clone());
            // Nobody waits for this thread, and everybody would notice it.
            let pace = pace.clone().gentle();
            std::thread::Builder::new().name("pdb-sweeper".to_owned()).spawn(move || {
                let wait = options.interval.min(options.expiry_interval);
                // The sender is never used, only dropped.
                let is_over = || stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout);
                let mut last_sweep = (!options.at_start).then(Instant::now);
                if !options.at_start && is_over() {
                    return;
                }
                loop {
                    let due = last_sweep.is_none_or(|last: Instant| last.elapsed() >= options.interval);
                    let done = if due {
                        last_sweep = Some(Instant::now());
                        sweep(&store, &env, &options, &pace).map(drop)
                    } else {
                        expire_items(&store, &env, &pace).map(drop)
                    };
                    if let Err(error) = done {
                        tracing::error!(error = &error as &dyn Error, "a sweep failed");
                    }
                    if is_over() {
                        break;
                    }
                }
            })?
        };
        Ok(Self { store, env, options, pace, stop: Some(stop), thread: Some(thread) })
    }

    /// Sweeps now, on this thread and without rests: what is due by the injected clock is done when this returns.
    ///
    /// # Errors
    ///
    /// As [`sweep()`].
    pub fn run_due(&self) -> Result<SweepReport, CleanupError> {
        sweep(&self.store, &self.env, &self.options, &self.pace)
    }

    /// Stops the thread and waits for its end.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.pace.stop();
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sweeper panicked");
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.end();
    }
}
