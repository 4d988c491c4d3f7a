//! Points in time, and the clock everything takes them from.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct EpochMillis(pub i64);

impl EpochMillis {
    /// Returns the whole seconds since the epoch, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the point `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the point `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns how much later this is than `earlier`; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Prints seconds with three decimals, the API's form of a timestamp: `1772356542.017`.
impl fmt::Display for EpochMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let millis = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:03}", millis / 1000, millis % 1000)
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the current time.
    fn now(&self) -> EpochMillis;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> EpochMillis {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        EpochMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock in the user's hand: it stands still at a time of the user's choice, or runs with the machine's clock from
/// there.
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
/// ```
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<ClockState>,
}

#[derive(Clone, Copy, Debug)]
enum ClockState {
    Held(EpochMillis),
    /// Runs with the machine's clock, this much ahead of it, in milliseconds.
    Running {
        ahead: i64,
    },
}

impl ManualClock {
    /// Returns a clock that stands at `now` until it is moved.
    #[must_use]
    pub fn held_at(now: EpochMillis) -> Self {
        Self { state: Mutex::new(ClockState::Held(now)) }
    }

    /// Returns a clock that runs with the machine's until it is held or moved.
    #[must_use]
    pub fn running() -> Self {
        Self { state: Mutex::new(ClockState::Running { ahead: 0 }) }
    }

    /// Stops the clock where it is.
    pub fn hold(&self) {
        self.change(|_, now| ClockState::Held(now));
    }

    /// Lets the clock run on from where it is.
    pub fn run(&self) {
        self.change(|_, now| ClockState::Running { ahead: now.0 - SystemClock.now().0 });
    }

    /// Moves the clock to `now`; a held clock stays held, a running one runs on from there.
    pub fn set(&self, now: EpochMillis) {
        self.change(|state, _| match state {
            ClockState::Held(_) => ClockState::Held(now),
            ClockState::Running { .. } => {
                ClockState::Running { ahead: now.0.saturating_sub(SystemClock.now().0) }
            }
        });
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.change(|state, now| match state {
            ClockState::Held(_) => ClockState::Held(now.plus(duration)),
            ClockState::Running { ahead } => {
                ClockState::Running { ahead: EpochMillis(ahead).plus(duration).0 }
            }
        });
    }

    /// Returns whether the clock stands still.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(*self.lock(), ClockState::Held(_))
    }

    fn change(&self, next: impl FnOnce(ClockState, EpochMillis) -> ClockState) {
        let mut state = self.lock();
        *state = next(*state, state.now());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ClockState> {
        // The state is one value, replaced whole: a panic elsewhere cannot have left it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClockState {
    fn now(&self) -> EpochMillis {
        match self {
            Self::Held(now) => *now,
            Self::Running { ahead } => EpochMillis(SystemClock.now().0.saturating_add(*ahead)),
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> EpochMillis {
        self.lock().now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_print_as_seconds() {
        assert_eq!(EpochMillis(1_772_356_542_017).to_string(), "1772356542.017");
        assert_eq!(EpochMillis(5).to_string(), "0.005");
        assert_eq!(EpochMillis(1_999).seconds(), 1);
        assert_eq!(EpochMillis(-1).seconds(), -1);
    }

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
}
