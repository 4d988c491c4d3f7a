//! How large the steps are, how long they rest, and when to leave off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pdb_store::Store;

const FIRST_STEP: u32 = 16;

/// How cleaning up proceeds: in steps of a transaction each, between which writers get their turn, until told to stop.
#[derive(Clone, Debug)]
pub struct Throttle {
    /// The most records or items of one transaction. Steps are smaller if they take long.
    pub step: u32,
    manner: Manner,
    /// When the work began; the first rest takes the time if nobody has.
    began: Option<Instant>,
    stop: Arc<Stop>,
    /// What others do meanwhile, in tests.
    #[cfg(test)]
    pub(crate) between: Between,
}

/// Work of a test that is done after each step.
#[cfg(test)]
#[derive(Clone, Default)]
pub(crate) struct Between(pub(crate) Option<Arc<dyn Fn() + Send + Sync>>);

#[cfg(test)]
impl std::fmt::Debug for Between {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Between")
    }
}

/// Who is to wait for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Somebody waits for the end: one step follows the other.
    Prompt,
    /// Nobody waits: small steps, and rests between them, so that writers hardly notice.
    Gentle,
}

#[derive(Debug, Default)]
struct Stop {
    stopped: AtomicBool,
    /// Guards nothing; a rest waits with it.
    lock: Mutex<()>,
    changed: Condvar,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::new(500)
    }
}

impl Throttle {
    /// How long a writer that comes while a prompt step runs may have to wait for it.
    const PROMPT_STEP: Duration = Duration::from_micros(500);
    /// How long one may have to wait for a gentle step.
    const GENTLE_STEP: Duration = Duration::from_micros(150);
    /// How long it rests after a gentle step while there are writers. A writer that never pauses does more than a hundred
    /// writes in the meantime, so fewer than one in a hundred meets a step.
    const REST: Duration = Duration::from_millis(5);
    /// After how long rests become half as long, and again after as long: what is due must not grow faster than it goes.
    const HURRY: Duration = Duration::from_secs(5 * 60);
    /// For how long nobody must have written for the rests to become short.
    const IDLE: Duration = Duration::from_secs(1);

    /// Makes a throttle of steps of this size, one after the other; a step has one record at least.
    #[must_use]
    pub fn new(step: u32) -> Self {
        Self {
            step: step.max(1),
            manner: Manner::Prompt,
            began: None,
            stop: Arc::default(),
            #[cfg(test)]
            between: Between::default(),
        }
    }

    /// The same throttle with smaller steps and rests between them, so that fewer than one write in a hundred has to wait for a
    /// step. Rests are short while nobody writes, and become shorter every five minutes that a sweep lasts.
    #[must_use]
    pub fn gentle(self) -> Self {
        Self { manner: Manner::Gentle, ..self }
    }

    /// The same throttle for work that begins now.
    pub(crate) fn begun(&self) -> Self {
        Self { began: Some(Instant::now()), ..self.clone() }
    }

    /// Ends whatever proceeds at this throttle, or a clone of it, after its present step.
    pub fn stop(&self) {
        let _lock = self.stop.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.stop.stopped.store(true, Ordering::Release);
        self.stop.changed.notify_all();
    }

    /// Tells whether [`Throttle::stop`] was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.stopped.load(Ordering::Acquire)
    }

    /// Does the whole of something that somebody may wait for: alone, if this is prompt. What is gentle lets go of the store
    /// after each step, so that whoever waits need not wait for all of it; see [`Throttle::alone`].
    pub(crate) fn together<T>(&self, store: &Store, work: impl FnOnce() -> T) -> T {
        match self.manner {
            Manner::Prompt => store.maintain(work),
            Manner::Gentle => work(),
        }
    }

    /// Does a part of such work, in which no other maintenance interferes.
    pub(crate) fn alone<T>(&self, store: &Store, work: impl FnOnce() -> T) -> T {
        match self.manner {
            // Has the store for itself already, or was not asked to.
            Manner::Prompt => work(),
            Manner::Gentle => store.maintain(work),
        }
    }

    /// Makes steps until one does less than it might, or the throttle is stopped; returns how much all of them did.
    ///
    /// A step does at most as much as it is told, and returns how much, and how long it held the writer.
    pub(crate) fn repeat<E>(
        &self,
        store: &Store,
        mut step: impl FnMut(u32) -> Result<(u64, Duration), E>,
    ) -> Result<u64, E> {
        let mut size = StepSize::of(self);
        let mut rests = Rests::new(store, self.began);
        let mut all = 0;
        while !self.is_stopped() {
            let limit = size.limit;
            let (done, took) = self.alone(store, || step(limit))?;
            all += done;
            #[cfg(test)]
            if let Between(Some(others)) = &self.between {
                others();
            }
            if done < u64::from(limit) {
                break;
            }
            size.learn(took);
            if self.manner == Manner::Gentle {
                rests.rest(took, |time| self.wait(time), || store.commits());
            }
        }
        Ok(all)
    }

    /// Waits, but not longer than until the throttle is stopped.
    fn wait(&self, time: Duration) {
        let lock = self.stop.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.stop.changed.wait_timeout_while(lock, time, |()| !self.is_stopped());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// The size of the next step: as large as can be done in the time a writer may be made to wait.
#[derive(Clone, Copy, Debug)]
struct StepSize {
    limit: u32,
    most: u32,
    time: Duration,
}

impl StepSize {
    fn of(throttle: &Throttle) -> Self {
        let time = match throttle.manner {
            Manner::Prompt => Throttle::PROMPT_STEP,
            Manner::Gentle => Throttle::GENTLE_STEP,
        };
        Self { limit: throttle.step.min(FIRST_STEP), most: throttle.step, time }
    }

    /// Learns from a step that took this long.
    fn learn(&mut self, took: Duration) {
        self.limit = if took > self.time {
            (self.limit / 2).max(1)
        } else if took < self.time / 2 {
            self.limit.saturating_mul(2).min(self.most)
        } else {
            self.limit
        };
    }
}

/// The rests between gentle steps.
#[derive(Debug)]
struct Rests {
    began: Instant,
    /// Commits that were seen, ours included, and when somebody else's was seen last.
    commits: u64,
    written: Instant,
}

impl Rests {
    fn new(store: &Store, began: Option<Instant>) -> Self {
        let now = Instant::now();
        Self { began: began.unwrap_or(now), commits: store.commits(), written: now }
    }

    /// Rests after a step that held the writer for so long, by way of `wait`.
    fn rest(&mut self, took: Duration, wait: impl FnOnce(Duration), commits: impl Fn() -> u64) {
        let now = Instant::now();
        let seen = commits();
        // One of them was the step's.
        if seen > self.commits + 1 {
            self.written = now;
        }
        self.commits = seen;
        wait(if now.duration_since(self.written) >= Throttle::IDLE {
            took
        } else {
            self.rest_beside_writers(now)
        });
    }

    fn rest_beside_writers(&self, now: Instant) -> Duration {
        let halvings = now.duration_since(self.began).as_secs() / Throttle::HURRY.as_secs();
        Throttle::REST / 2_u32.saturating_pow(u32::try_from(halvings).unwrap_or(u32::MAX))
    }
}

/// Runs `work` and says how long it took.
pub(crate) fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let began = Instant::now();
    let done = work()?;
    Ok((done, began.elapsed()))
}

#[cfg(test)]
mod tests;
