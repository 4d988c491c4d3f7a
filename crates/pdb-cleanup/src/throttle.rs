//! How background work holds back: the size of its steps, the rests between them, and when it stops.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pdb_store::Store;

/// The size of the first step. How long a step takes is known after the first one, so it has to be small.
const FIRST_STEP: u32 = 16;

/// Limits how much cleaning up disturbs writers: the work is done in steps of one transaction each, between which writers get their turn.
///
/// The size of a step follows the time that the last one took, because a step blocks writers while it runs. A clone belongs to the same
/// work: stopping one of them stops all.
#[derive(Clone, Debug)]
pub struct Throttle {
    /// The most records or items that one transaction removes. Steps are smaller if they take long.
    pub step: u32,
    mode: Mode,
    /// When the work began. Without it, work begins with its first step.
    began: Option<Instant>,
    stop: Arc<Stop>,
    /// Called after each step, so that a test can write meanwhile.
    #[cfg(test)]
    pub(crate) after_step: AfterStep,
}

/// Called after each step, in tests.
#[cfg(test)]
#[derive(Clone, Default)]
pub(crate) struct AfterStep(pub(crate) Option<Arc<dyn Fn() + Send + Sync>>);

#[cfg(test)]
impl std::fmt::Debug for AfterStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AfterStep")
    }
}

/// Whether somebody waits for the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// A caller waits for the end: steps follow each other, with rests only if others write.
    Prompt,
    /// No caller waits: small steps with rests between them, so that writers hardly notice.
    Gentle,
}

#[derive(Debug, Default)]
struct Stop {
    is_stopped: AtomicBool,
    /// Guards no data: a rest waits on `changed` with it.
    lock: Mutex<()>,
    changed: Condvar,
}

impl Default for Throttle {
    /// Returns a prompt throttle with steps of at most 500 records or items.
    fn default() -> Self {
        Self::new(500)
    }
}

impl Throttle {
    /// How long a prompt step may block a writer.
    const PROMPT_STEP: Duration = Duration::from_micros(500);
    /// How long a gentle step may block a writer.
    const GENTLE_STEP: Duration = Duration::from_micros(150);
    /// How long to rest after a gentle step while there are writers. A writer that never pauses makes more than a hundred
    /// writes in this time, so a step delays fewer than one write in a hundred.
    const REST: Duration = Duration::from_millis(5);
    /// How often rests become half as long. Without that, a sweep would never end if records expired faster than the steps remove them.
    const REST_HALVES_EVERY: Duration = Duration::from_secs(5 * 60);
    /// After how long without writes rests become short.
    const IDLE: Duration = Duration::from_secs(1);

    /// Returns a throttle with steps of at most this size, which follow each other without rests, unless others write. A size of 0
    /// counts as 1.
    #[must_use]
    pub fn new(step: u32) -> Self {
        Self {
            step: step.max(1),
            mode: Mode::Prompt,
            began: None,
            stop: Arc::default(),
            #[cfg(test)]
            after_step: AfterStep::default(),
        }
    }

    /// Returns this throttle with smaller steps, and rests between them: a step delays fewer than one write in a hundred.
    ///
    /// Rests are short if there were no writes for a second, and become half as long with every five minutes that the work lasts.
    #[must_use]
    pub fn gentle(self) -> Self {
        Self { mode: Mode::Gentle, ..self }
    }

    /// Returns this throttle for work that begins now, and consists of several calls of [`repeat`](Self::repeat).
    pub(crate) fn begin(&self) -> Self {
        Self { began: Some(Instant::now()), ..self.clone() }
    }

    /// Ends the work with this throttle, or with a clone of it, after the current step.
    pub fn stop(&self) {
        let _lock = self.stop.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.stop.is_stopped.store(true, Ordering::Release);
        self.stop.changed.notify_all();
    }

    /// Returns whether [`Throttle::stop`] was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.is_stopped.load(Ordering::Acquire)
    }

    /// Runs a whole round of work. Prompt work excludes all other maintenance of the store until it ends.
    ///
    /// Gentle work takes the store for one step at a time, in [`maintain_step`](Self::maintain_step): it may rest for minutes, and a sweep
    /// that a user asks for must not wait that long.
    pub(crate) fn maintain<T>(&self, store: &Store, work: impl FnOnce() -> T) -> T {
        match self.mode {
            Mode::Prompt => store.maintain(work),
            Mode::Gentle => work(),
        }
    }

    /// Runs a step of such work. No other maintenance of the store runs at the same time.
    pub(crate) fn maintain_step<T>(&self, store: &Store, step: impl FnOnce() -> T) -> T {
        match self.mode {
            // `maintain` holds the store already, or the caller did not want that.
            Mode::Prompt => step(),
            Mode::Gentle => store.maintain(step),
        }
    }

    /// Repeats a step until it does less than its limit, or until the work is stopped. Returns how much all steps did.
    ///
    /// A step gets its limit, and returns how much it did and for how long it held the writer.
    pub(crate) fn repeat<E>(
        &self,
        store: &Store,
        mut step: impl FnMut(u32) -> Result<(u64, Duration), E>,
    ) -> Result<u64, E> {
        let mut size = StepSize::of(self);
        let mut rests = Rests::new(store, self.began);
        let mut total = 0;
        while !self.is_stopped() {
            let limit = size.limit;
            let (done, took) = self.maintain_step(store, || step(limit))?;
            total += done;
            #[cfg(test)]
            if let AfterStep(Some(after_step)) = &self.after_step {
                after_step();
            }
            if done < u64::from(limit) {
                break;
            }
            size.adjust(took);
            // Where several write at the same time, a prompt step holds up nobody who writes other rows.
            if self.mode == Mode::Gentle || store.has_one_writer() {
                rests.rest(self.mode, took, |time| self.wait(time), || store.commits());
            }
        }
        Ok(total)
    }

    /// Waits for this time, or until the work is stopped.
    fn wait(&self, time: Duration) {
        let lock = self.stop.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stop.changed.wait_timeout_while(lock, time, |()| !self.is_stopped());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// The size of the next step: as much as can be done in the time for which a writer may be blocked.
#[derive(Clone, Copy, Debug)]
struct StepSize {
    limit: u32,
    max: u32,
    target: Duration,
}

impl StepSize {
    fn of(throttle: &Throttle) -> Self {
        let target = match throttle.mode {
            Mode::Prompt => Throttle::PROMPT_STEP,
            Mode::Gentle => Throttle::GENTLE_STEP,
        };
        Self { limit: throttle.step.min(FIRST_STEP), max: throttle.step, target }
    }

    /// Adjusts the size after a step that took this long.
    ///
    /// It stays between half the target and the target, since a size that changed after each step would swing around it.
    fn adjust(&mut self, took: Duration) {
        self.limit = if took > self.target {
            (self.limit / 2).max(1)
        } else if took < self.target / 2 {
            self.limit.saturating_mul(2).min(self.max)
        } else {
            self.limit
        };
    }
}

/// The rests between steps.
///
/// After a prompt step there is a rest as long as the step if others have written since the last one, and none if not: somebody waits for
/// the end, and the writers get half of the time.
///
/// After a gentle step, while the store is idle, a rest is as long as the step before it: longer rests would help no writer, and make the
/// sweep last longer.
///
/// Other writers show in the number of commits, because each step makes one commit itself.
#[derive(Debug)]
struct Rests {
    began: Instant,
    /// The commits that were counted after the last step.
    commits: u64,
    /// When another writer's commit was last counted. At the beginning nothing is known, which counts as a commit just now.
    last_write: Instant,
}

impl Rests {
    fn new(store: &Store, began: Option<Instant>) -> Self {
        let now = Instant::now();
        Self { began: began.unwrap_or(now), commits: store.commits(), last_write: now }
    }

    /// Rests after a step that held the writer for this long; `wait` does the waiting.
    fn rest(&mut self, mode: Mode, took: Duration, wait: impl FnOnce(Duration), commits: impl Fn() -> u64) {
        let now = Instant::now();
        let counted = commits();
        // One commit is that of the step.
        let others_write = counted > self.commits + 1;
        if others_write {
            self.last_write = now;
        }
        self.commits = counted;
        let is_idle = now.duration_since(self.last_write) >= Throttle::IDLE;
        match mode {
            Mode::Prompt if others_write => wait(took),
            Mode::Prompt => {}
            Mode::Gentle if is_idle => wait(took),
            Mode::Gentle => wait(self.rest_among_writers(now)),
        }
    }

    fn rest_among_writers(&self, now: Instant) -> Duration {
        let halvings = now.duration_since(self.began).as_secs() / Throttle::REST_HALVES_EVERY.as_secs();
        Throttle::REST / 2_u32.saturating_pow(u32::try_from(halvings).unwrap_or(u32::MAX))
    }
}

/// Runs `work`, and returns its result with the time it took.
pub(crate) fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let began = Instant::now();
    let done = work()?;
    Ok((done, began.elapsed()))
}

#[cfg(test)]
mod tests;
