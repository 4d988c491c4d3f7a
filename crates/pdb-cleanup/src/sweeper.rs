//! The thread that sweeps now and then.

use crate::{CleanupError, CleanupOptions, SweepReport, Throttle, expire_items, sweep};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use pdb_model::{Clock, Env, EpochMillis};
use pdb_store::Store;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread that sweeps at the interval of its options, first when it starts unless told otherwise, and looks for expired items
/// more often. It owns only the waiting; dropping it stops the thread at once and joins it, also in the middle of a sweep. It works at a
/// [gentle](Throttle::gentle) throttle.
///
/// The intervals are those of the injected clock: one that runs at sixty times the speed makes the thread work sixty times as
/// often. While it stands still, and when somebody moves it, the thread goes on after as long by the machine as it would have
/// waited; whoever moves the clock and does not want to wait for that calls [`Sweeper::run_due`].
#[derive(Debug)]
pub struct Sweeper {
    store: Store,
    env: Env,
    options: CleanupOptions,
    throttle: Throttle,
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
        let throttle = Throttle::new(options.step);
        // The sender is never used, only dropped.
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let thread = {
            let (store, env, options) = (store.clone(), env.clone(), options.clone());
            // Nobody waits for this thread, and everybody would notice it.
            let throttle = throttle.clone().gentle();
            let waits = Waits::new(env.clock.clone(), stopped);
            let started = env.clock.now();
            std::thread::Builder::new().name("pdb-sweeper".to_owned()).spawn(move || {
                let interval = options.interval.min(options.expiry_interval);
                let mut last_sweep = (!options.at_start).then_some(started);
                if !options.at_start && waits.until(started, interval).is_break() {
                    return;
                }
                loop {
                    let began = env.clock.now();
                    // A clock that was set back shows nothing of how long ago the last sweep was.
                    let due =
                        last_sweep.is_none_or(|last| began < last || began.since(last) >= options.interval);
                    let done = if due {
                        last_sweep = Some(began);
                        sweep(&store, &env, &options, &throttle).map(drop)
                    } else {
                        expire_items(&store, &env, &throttle).map(|expired| {
                            if expired > 0 {
                                tracing::info!(
                                    expired_items = expired,
                                    "deleted items whose time to live has passed"
                                );
                            }
                        })
                    };
                    if let Err(error) = done {
                        tracing::error!(error = &error as &dyn Error, "a sweep failed");
                    }
                    if waits.until(began, interval).is_break() {
                        break;
                    }
                }
            })?
        };
        Ok(Self { store, env, options, throttle, stop: Some(stop), thread: Some(thread) })
    }

    /// Sweeps now, on this thread and without rests: what is due by the injected clock is done when this returns.
    ///
    /// # Errors
    ///
    /// As [`sweep()`].
    pub fn run_due(&self) -> Result<SweepReport, CleanupError> {
        sweep(&self.store, &self.env, &self.options, &self.throttle)
    }

    /// Stops the thread and waits for its end.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.throttle.stop();
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sweeper panicked");
        }
    }
}

/// Waiting by a clock whose speed may change meanwhile.
struct Waits {
    clock: Arc<dyn Clock>,
    stopped: Receiver<()>,
    changed: Receiver<()>,
    /// Keeps the other end open for clocks that do not.
    _change: Sender<()>,
}

impl Waits {
    /// The shortest wait by the machine: no clock is so fast that this thread takes all of a processor.
    const LEAST: Duration = Duration::from_millis(10);

    fn new(clock: Arc<dyn Clock>, stopped: Receiver<()>) -> Self {
        let (change, changed) = crossbeam_channel::bounded(1);
        let told = change.clone();
        clock.on_speed_change(Box::new(move || {
            // One that was not taken yet will do.
            !matches!(told.try_send(()), Err(TrySendError::Disconnected(())))
        }));
        Self { clock, stopped, changed, _change: change }
    }

    /// Waits until the clock shows `interval` after `began`; breaks if the thread is to stop.
    fn until(&self, began: EpochMillis, interval: Duration) -> ControlFlow<()> {
        let next = began.plus(interval);
        let mut has_waited = false;
        loop {
            let now = self.clock.now();
            if has_waited && (now >= next || now < began) {
                return ControlFlow::Continue(());
            }
            let left = next.since(now);
            let by_machine = self.clock.machine_time(left);
            // A slow clock may be moved by hand at any time.
            let wait = by_machine.unwrap_or(left).min(interval).max(Self::LEAST);
            crossbeam_channel::select! {
                recv(self.stopped) -> _ => return ControlFlow::Break(()),
                recv(self.changed) -> _ => {}
                default(wait) => {
                    if by_machine.is_none() {
                        return ControlFlow::Continue(());
                    }
                    has_waited = true;
                }
            }
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.end();
    }
}
