//! Points in time, and clocks.

mod manual;

use std::fmt;
use std::time::Duration;

pub use manual::{ManualClock, SpeedError};

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

    /// Returns the time `duration` later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the time `duration` earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the time that has passed since `earlier`, or zero if `earlier` is later than this.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Prints seconds with three decimals, as the API writes timestamps: `1772356542.017`.
impl fmt::Display for EpochMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let millis = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:03}", millis / 1000, millis % 1000)
    }
}

/// A source of the current time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the current time.
    fn now(&self) -> EpochMillis;

    /// Returns how long it takes on the machine's clock until `duration` has passed on this clock. Returns `None` if this clock stands still.
    ///
    /// Code that waits for this clock waits for that time, then asks again, because the clock may have been moved meanwhile.
    fn machine_time(&self, duration: Duration) -> Option<Duration> {
        Some(duration)
    }

    /// Registers a function that the clock calls after each change of its speed, until the function returns `false`.
    ///
    /// A clock whose speed never changes drops the function at once.
    fn on_speed_change(&self, changed: Box<dyn Fn() -> bool + Send + Sync>) {
        drop(changed);
    }

    /// Returns this clock if it is a [`ManualClock`].
    fn as_manual(&self) -> Option<&ManualClock> {
        None
    }
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
}
