//! How large the steps are, and when to leave off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a step should take at most: writers that come meanwhile wait for it.
const STEP_TIME: Duration = Duration::from_micros(500);
const FIRST_STEP: u32 = 16;

/// How cleaning up proceeds: in steps of a transaction each, between which writers get their turn, until told to stop.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The most records or items of one transaction. Steps are smaller if they take long.
    pub step: u32,
    stopped: Arc<AtomicBool>,
}

impl Default for Pace {
    fn default() -> Self {
        Self::new(500)
    }
}

impl Pace {
    /// Makes a pace of steps of this size; a step has one record at least.
    #[must_use]
    pub fn new(step: u32) -> Self {
        Self { step: step.max(1), stopped: Arc::default() }
    }

    /// Ends whatever proceeds at this pace, or a clone of it, after its present step.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// Tells whether [`Pace::stop`] was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

/// The size of the next step: as large as can be done in the time a writer may be made to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepSize {
    limit: u32,
    max: u32,
}

impl StepSize {
    pub(crate) fn of(pace: &Pace) -> Self {
        Self { limit: pace.step.min(FIRST_STEP), max: pace.step }
    }

    pub(crate) fn limit(self) -> u32 {
        self.limit
    }

    /// Learns from a step that took this long.
    fn learn(&mut self, took: Duration) {
        self.limit = if took > STEP_TIME {
            (self.limit / 2).max(1)
        } else if took < STEP_TIME / 4 {
            self.limit.saturating_mul(2).min(self.max)
        } else {
            self.limit
        };
    }

    /// Makes steps until one does less than it might, or the pace is stopped; returns how much all of them did.
    ///
    /// A step does at most as much as it is told, and returns how much, and how long it held the writer.
    pub(crate) fn repeat<E>(
        mut self,
        pace: &Pace,
        mut step: impl FnMut(u32) -> Result<(u64, Duration), E>,
    ) -> Result<u64, E> {
        let mut all = 0;
        while !pace.is_stopped() {
            let limit = self.limit();
            let (done, took) = step(limit)?;
            all += done;
            if done < u64::from(limit) {
                break;
            }
            self.learn(took);
        }
        Ok(all)
    }
}

/// Runs `work` and says how long it took.
pub(crate) fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let began = Instant::now();
    let done = work()?;
    Ok((done, began.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_while_they_are_quick_and_shrink_when_they_are_slow() {
        let mut limits = Vec::new();
        let mut took = [0, 0, 0, 0, 200, 600, 600, 600, 600, 600, 600, 600, 600, 0]
            .map(Duration::from_micros)
            .into_iter();
        let all = StepSize::of(&Pace::new(100)).repeat(&Pace::default(), |limit| {
            limits.push(limit);
            Ok::<_, ()>(took.next().map_or((0, Duration::ZERO), |took| (limit.into(), took)))
        });
        assert_eq!(limits, [16, 32, 64, 100, 100, 100, 50, 25, 12, 6, 3, 1, 1, 1, 2]);
        assert_eq!(all, Ok(limits[..14].iter().map(|limit| u64::from(*limit)).sum()));
        assert_eq!(StepSize::of(&Pace::new(3)).limit(), 3);
    }

    #[test]
    fn a_failed_step_ends_it() {
        assert_eq!(StepSize::of(&Pace::default()).repeat(&Pace::default(), |_| Err("bad")), Err("bad"));
    }
}
