//! The thread that sweeps at an interval.

use crate::{CleanupError, CleanupOptions, SweepReport, Throttle, expire_items, sweep};
use crossbeam_channel::{Receiver, Sender, TrySendError};
use pdb_model::{Clock, Env, EpochMillis};
use pdb_store::Store;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread that sweeps at the interval of its options, and looks for expired items more often.
///
/// It works with a [gentle](Throttle::gentle) throttle. Dropping a `Sweeper` stops the thread after its current step, also in the middle of
/// a sweep, and joins it.
///
/// Intervals are measured by the injected clock: if that runs sixty times as fast as the machine's, the thread sweeps sixty times as often.
/// If the clock is held or moved by hand, the thread continues after the interval has passed on the machine. To sweep at once after moving
/// the clock, call [`Sweeper::run_due`].
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
    /// If the operating system cannot start a thread.
    pub fn start(store: Store, env: Env, options: CleanupOptions) -> Result<Self, std::io::Error> {
        let throttle = Throttle::new(options.step);
        // Nothing is ever sent: the thread stops when the sender is dropped.
        let (stop, stopped) = crossbeam_channel::bounded(0);
        let thread = {
            let (store, env, options) = (store.clone(), env.clone(), options.clone());
            // No caller waits for this thread, but prompt steps would slow down all writers.
            let throttle = throttle.clone().gentle();
            let timer = SweepTimer::new(env.clock.clone(), stopped);
            let started = env.clock.now();
            std::thread::Builder::new().name("pdb-sweeper".to_owned()).spawn(move || {
                let interval = options.interval.min(options.expiry_interval);
                let mut last_sweep = (!options.at_start).then_some(started);
                if !options.at_start && timer.wait_until(started, interval).is_break() {
                    return;
                }
                loop {
                    let began = env.clock.now();
                    // A clock that was set back does not tell how long ago the last sweep was, so sweep.
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
                    if timer.wait_until(began, interval).is_break() {
                        break;
                    }
                }
            })?
        };
        Ok(Self { store, env, options, throttle, stop: Some(stop), thread: Some(thread) })
    }

    /// Sweeps now, on the caller's thread, and rests only while others write. When it returns, all work that was due by the injected
    /// clock is done.
    ///
    /// # Errors
    ///
    /// The same as [`sweep()`].
    pub fn run_due(&self) -> Result<SweepReport, CleanupError> {
        sweep(&self.store, &self.env, &self.options, &self.throttle)
    }

    /// Stops the thread after its current step, and waits until it has ended.
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

/// Waits by a clock whose speed may change meanwhile.
struct SweepTimer {
    clock: Arc<dyn Clock>,
    stopped: Receiver<()>,
    changed: Receiver<()>,
    /// Keeps `changed` connected if the clock drops its end, as clocks do whose speed never changes: a disconnected channel is always ready.
    _change: Sender<()>,
}

impl SweepTimer {
    /// The shortest wait, by the machine's clock. Without it, a very fast clock would make this thread use a whole processor.
    const MIN_WAIT: Duration = Duration::from_millis(10);

    fn new(clock: Arc<dyn Clock>, stopped: Receiver<()>) -> Self {
        let (change, changed) = crossbeam_channel::bounded(1);
        let wake = change.clone();
        clock.on_speed_change(Box::new(move || {
            // A full channel is fine: one message is enough to wake the thread.
            !matches!(wake.try_send(()), Err(TrySendError::Disconnected(())))
        }));
        Self { clock, stopped, changed, _change: change }
    }

    /// Waits until `interval` has passed since `began` on the clock. Breaks if the thread has to stop.
    ///
    /// If the clock is held, this waits for the same time on the machine's clock instead.
    fn wait_until(&self, began: EpochMillis, interval: Duration) -> ControlFlow<()> {
        let next = began.plus(interval);
        let mut has_waited = false;
        loop {
            let now = self.clock.now();
            if has_waited && (now >= next || now < began) {
                return ControlFlow::Continue(());
            }
            let left = next.since(now);
            let by_machine = self.clock.machine_time(left);
            // Wait no longer than `interval`, even by a slow clock: it may be moved by hand at any time, which wakes nobody.
            let wait = by_machine.unwrap_or(left).min(interval).max(Self::MIN_WAIT);
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
