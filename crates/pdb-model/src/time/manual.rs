//! The clock that tests control.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Clock, EpochMillis, SystemClock};

/// The last millisecond of the year 9999. A running clock stops there, because the timestamps in stream ARNs have four-digit years.
const LAST: EpochMillis = EpochMillis(253_402_300_799_999);

/// A clock that can be held, moved, and run at any speed.
///
/// A held clock stands still. A running clock advances with the machine's clock, at the same speed, faster or slower.
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
/// // One second on the machine's clock is an hour on this clock.
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
    /// The clock was at `at` when the machine's clock was at `since`, and has run at `speed` times its speed since then.
    Running {
        at: EpochMillis,
        since: EpochMillis,
        speed: f64,
    },
}

/// A speed that is out of range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the speed of a clock must be from 0.001 to 100000, not {0}")]
pub struct SpeedError(pub f64);

impl ManualClock {
    /// The speeds at which a clock can run: from one second in a quarter of an hour to more than a day in one second.
    pub const SPEEDS: std::ops::RangeInclusive<f64> = 0.001..=100_000.0;

    /// Returns a clock that is held at `now`.
    #[must_use]
    pub fn held_at(now: EpochMillis) -> Self {
        Self::new(State::Held(now))
    }

    /// Returns a clock that shows the machine's time until it is held or moved.
    #[must_use]
    pub fn running() -> Self {
        Self::new(State::running(SystemClock.now(), 1.0))
    }

    fn new(state: State) -> Self {
        Self { state: Mutex::new(state), watchers: Mutex::default() }
    }

    /// Holds the clock at its current time.
    pub fn hold(&self) {
        self.change(|_, now| State::Held(now));
        self.notify_watchers();
    }

    /// Lets the clock run from its current time, as fast as the machine's clock.
    pub fn run(&self) {
        self.change(|_, now| State::running(now, 1.0));
        self.notify_watchers();
    }

    /// Lets the clock run from its current time, `speed` times as fast as the machine's clock.
    ///
    /// Background threads that wait for this clock are told: they do in one second what they would have done in `speed` seconds.
    ///
    /// # Errors
    ///
    /// [`SpeedError`] if the speed is not in [`ManualClock::SPEEDS`]. The clock does not change then.
    pub fn run_at(&self, speed: f64) -> Result<(), SpeedError> {
        if !Self::SPEEDS.contains(&speed) {
            return Err(SpeedError(speed));
        }
        self.change(|_, now| State::running(now, speed));
        self.notify_watchers();
        Ok(())
    }

    /// Moves the clock to `now`, forward or back. A held clock stays held, and a running clock continues from there.
    pub fn set(&self, now: EpochMillis) {
        self.change(|state, _| state.moved_to(now));
    }

    /// Moves the clock forward by `duration`.
    pub fn advance(&self, duration: Duration) {
        self.change(|state, now| state.moved_to(now.plus(duration)));
    }

    /// Returns whether the clock is held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.speed() == 0.0
    }

    /// Returns the speed of the clock relative to the machine's: 1 is the same speed, 0 means that the clock is held.
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

    /// Tells the threads that wait for this clock that its speed has changed.
    fn notify_watchers(&self) {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).retain(|watcher| watcher());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half changed, because it is always replaced as a whole.
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
                // At the speed of the machine no float is needed.
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
    fn a_manual_clock_can_be_held_moved_and_run() {
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
        // Moving it keeps the speed, and holding it keeps the time.
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
    fn a_clock_stops_at_the_end_of_the_year_9999() {
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
    fn watchers_are_called_until_they_return_false() {
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
