//! The clock in the user's hand.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Clock, EpochMillis, SystemClock};

/// The last millisecond of the year 9999, where the calendar of ARNs ends: no running clock goes further.
const LAST: EpochMillis = EpochMillis(253_402_300_799_999);

/// A clock in the user's hand: it stands still at a time of the user's choice, or runs on from there, as fast as the
/// machine's clock or faster or slower.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use pdb_model::{Clock, EpochMillis, ManualClock};
///
/// let clock = ManualClock::held_at(EpochMillis(1_000));
/// clock.advance(Duration::from_secs(24 * 3600));
/// assert_eq!(clock.now(), EpochMillis(86_401_000));
/// // An hour each second.
/// clock.run_at(3600.0)?;
/// assert_eq!(clock.machine_time(Duration::from_secs(7200)), Some(Duration::from_secs(2)));
/// # Ok::<(), pdb_model::SpeedError>(())
/// ```
pub struct ManualClock {
    state: Mutex<State>,
    watchers: Mutex<Vec<Watcher>>,
}

type Watcher = Box<dyn Fn() -> bool + Send + Sync>;

#[derive(Clone, Copy, Debug)]
enum State {
    Held(EpochMillis),
    /// Was at `at` when the machine's clock was at `since`; has gone `speed` times as far as that since then.
    Running {
        at: EpochMillis,
        since: EpochMillis,
        speed: f64,
    },
}

/// A speed at which no clock can run.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the speed of a clock is from 0.001 to 100000, not {0}")]
pub struct SpeedError(pub f64);

impl ManualClock {
    /// The speeds at which a clock runs: from a second in a quarter of an hour to more than a day in a second.
    pub const SPEEDS: std::ops::RangeInclusive<f64> = 0.001..=100_000.0;

    /// Returns a clock that stands at `now` until it is moved.
    #[must_use]
    pub fn held_at(now: EpochMillis) -> Self {
        Self::new(State::Held(now))
    }

    /// Returns a clock that runs with the machine's until it is held or moved.
    #[must_use]
    pub fn running() -> Self {
        Self::new(State::running(SystemClock.now(), 1.0))
    }

    fn new(state: State) -> Self {
        Self { state: Mutex::new(state), watchers: Mutex::default() }
    }

    /// Stops the clock where it is.
    pub fn hold(&self) {
        self.change(|_, now| State::Held(now));
        self.tell();
    }

    /// Lets the clock run on from where it is, as fast as the machine's.
    pub fn run(&self) {
        self.change(|_, now| State::running(now, 1.0));
        self.tell();
    }

    /// Lets the clock run on from where it is, `speed` times as fast as the machine's.
    ///
    /// Background threads that wait for this clock follow: they do in a second what they would have done in `speed` seconds.
    ///
    /// # Errors
    ///
    /// [`SpeedError`] if the speed is none of [`ManualClock::SPEEDS`]; the clock goes on as before then.
    pub fn run_at(&self, speed: f64) -> Result<(), SpeedError> {
        if !Self::SPEEDS.contains(&speed) {
            return Err(SpeedError(speed));
        }
        self.change(|_, now| State::running(now, speed));
        self.tell();
        Ok(())
    }

    /// Moves the clock to `now`, also back; a held clock stays held, a running one runs on from there.
    pub fn set(&self, now: EpochMillis) {
        self.change(|state, _| state.moved_to(now));
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.change(|state, now| state.moved_to(now.plus(duration)));
    }

    /// Returns whether the clock stands still.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.speed() == 0.0
    }

    /// Returns how many times as fast as the machine's the clock runs; 0 if it stands still.
    #[must_use]
    pub fn speed(&self) -> f64 {
        match *self.lock() {
            State::Held(_) => 0.0,
            State::Running { speed, .. } => speed,
        }
    }

    fn change(&self, next: impl FnOnce(State, EpochMillis) -> State) {
        let mut state = self.lock();
        *state = next(*state, state.now());
    }

    /// Tells who waits for this clock that it runs differently.
    fn tell(&self) {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).retain(|watcher| watcher());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is one value, replaced whole: a panic elsewhere cannot have left it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn running(at: EpochMillis, speed: f64) -> Self {
        Self::Running { at, since: SystemClock.now(), speed }
    }

    fn moved_to(self, now: EpochMillis) -> Self {
        match self {
            Self::Held(_) => Self::Held(now),
            Self::Running { speed, .. } => Self::running(now, speed),
        }
    }

    fn now(&self) -> EpochMillis {
        match *self {
            Self::Held(now) => now,
            Self::Running { at, since, speed } => {
                let passed = SystemClock.now().0.saturating_sub(since.0);
                // Exact while it is the machine's speed.
                let gone = if speed == 1.0 { passed } else { (passed as f64 * speed) as i64 };
                EpochMillis(at.0.saturating_add(gone).min(LAST.0.max(at.0)))
            }
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> EpochMillis {
        self.lock().now()
    }

    fn machine_time(&self, duration: Duration) -> Option<Duration> {
        match *self.lock() {
            State::Held(_) => None,
            State::Running { speed, .. } => {
                Some(Duration::try_from_secs_f64(duration.as_secs_f64() / speed).unwrap_or(Duration::MAX))
            }
        }
    }

    fn on_speed_change(&self, changed: Box<dyn Fn() -> bool + Send + Sync>) {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(changed);
    }

    fn as_manual(&self) -> Option<&ManualClock> {
        Some(self)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("state", &*self.lock()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_manual_clock_obeys() {
        let clock = ManualClock::running();
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now().since(before) >= Duration::from_secs(3600));
        clock.hold();
        assert!(clock.is_held());
        clock.set(EpochMillis(7));
        assert_eq!(clock.now(), EpochMillis(7));
        clock.run();
        assert!(clock.now() >= EpochMillis(7) && clock.now() < EpochMillis(60_000));
    }

    #[test]
    fn a_clock_runs_at_any_speed() {
        let clock = ManualClock::held_at(EpochMillis(0));
        let hour = Duration::from_secs(3600);
        assert_eq!((clock.speed(), clock.machine_time(hour)), (0.0, None));
        clock.run_at(100_000.0).unwrap();
        assert_eq!((clock.speed(), clock.machine_time(hour)), (100_000.0, Some(Duration::from_millis(36))));
        let (machine, before) = (SystemClock.now(), clock.now());
        while SystemClock.now().since(machine) < Duration::from_millis(2) {
            std::thread::yield_now();
        }
        let passed = clock.now().since(before);
        assert!(passed >= Duration::from_secs(90), "{passed:?}");
        // Moved or held it keeps what it has.
        clock.advance(hour);
        assert_eq!(clock.speed(), 100_000.0);
        clock.hold();
        let held = clock.now();
        clock.run_at(0.001).unwrap();
        assert!(clock.now().since(held) < Duration::from_secs(1));
        clock.run();
        assert_eq!((clock.speed(), clock.machine_time(hour)), (1.0, Some(hour)));
        for none in [0.0, -1.0, 0.000_9, 100_001.0, f64::NAN, f64::INFINITY] {
            assert!(clock.run_at(none).is_err(), "{none}");
        }
        assert_eq!(clock.speed(), 1.0);
    }

    #[test]
    fn no_clock_runs_out_of_the_calendar() {
        let clock = ManualClock::held_at(EpochMillis(LAST.0 - 1));
        clock.run_at(100_000.0).unwrap();
        let began = SystemClock.now();
        while SystemClock.now().since(began) < Duration::from_millis(2) {
            std::thread::yield_now();
        }
        assert_eq!(clock.now(), LAST);
        assert_eq!(clock.machine_time(Duration::MAX).map(|time| time > Duration::from_secs(1)), Some(true));
    }

    #[test]
    fn watchers_hear_of_changes_until_they_want_no_more() {
        let clock = ManualClock::running();
        let heard = Arc::new(AtomicUsize::new(0));
        let counter = heard.clone();
        clock.on_speed_change(Box::new(move || counter.fetch_add(1, Ordering::Relaxed) < 2));
        clock.advance(Duration::from_secs(1));
        clock.hold();
        clock.run();
        assert_eq!(heard.load(Ordering::Relaxed), 2);
        clock.run_at(2.0).unwrap();
        clock.hold();
        assert_eq!(heard.load(Ordering::Relaxed), 3);
    }
}
