//! Limits on how slow a client may be.

use std::time::Duration;

use tokio::time::Instant;

/// How many times as fast a client must be while others wait for the memory that it occupies.
const CONTENDED_FACTOR: u64 = 8;

/// The limits for a client that sends a body or receives an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransferLimits {
    /// How long the client may stay below `bytes_per_second`, on average.
    pub(crate) window: Duration,
    /// Replaces `window` while others wait for the memory that the client occupies; the minimum rate is then higher as
    /// well.
    pub(crate) contended_window: Duration,
    /// The minimum rate.
    pub(crate) bytes_per_second: u64,
    /// How long a body, or an answer, may take in total.
    pub(crate) deadline: Duration,
}

impl TransferLimits {
    /// Returns how often to check a transfer.
    pub(crate) fn tick(&self) -> Duration {
        self.window.min(self.contended_window).min(self.deadline) / 4
    }
}

/// The client was too slow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooSlow;

/// The progress of one body, or of one answer.
#[derive(Debug)]
pub(crate) struct TransferMeter {
    began: Instant,
    window_began: Instant,
    bytes_in_window: u64,
}

impl TransferMeter {
    pub(crate) fn new(now: Instant) -> Self {
        Self { began: now, window_began: now, bytes_in_window: 0 }
    }

    /// Counts transferred bytes.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.bytes_in_window += bytes as u64;
    }

    /// Does not count a time during which the client had to wait for the server.
    pub(crate) fn exclude(&mut self, waited: Duration) {
        self.began += waited;
        self.window_began += waited;
    }

    /// Checks that the client is fast enough.
    ///
    /// # Errors
    ///
    /// [`TooSlow`] if it is not.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        limits: &TransferLimits,
        is_contended: bool,
    ) -> Result<(), TooSlow> {
        if now - self.began >= limits.deadline {
            return Err(TooSlow);
        }
        let (window, rate) = if is_contended {
            (limits.contended_window, limits.bytes_per_second * CONTENDED_FACTOR)
        } else {
            (limits.window, limits.bytes_per_second)
        };
        if now - self.window_began < window {
            return Ok(());
        }
        if (self.bytes_in_window as f64) < rate as f64 * window.as_secs_f64() {
            return Err(TooSlow);
        }
        (self.window_began, self.bytes_in_window) = (now, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: TransferLimits = TransferLimits {
        window: Duration::from_secs(60),
        contended_window: Duration::from_secs(10),
        bytes_per_second: 1000,
        deadline: Duration::from_secs(600),
    };

    /// Transfers so many bytes each second. Returns the second in which the client is too slow, of at most a thousand.
    fn cut_off_at(bytes: usize, is_contended: impl Fn(u64) -> bool) -> Option<u64> {
        let start = Instant::now();
        let mut meter = TransferMeter::new(start);
        (1..=1000).find(|&second| {
            meter.advance(bytes);
            meter.check(start + Duration::from_secs(second), &LIMITS, is_contended(second)).is_err()
        })
    }

    #[test]
    fn slow_clients_are_cut_off() {
        assert_eq!(cut_off_at(0, |_| false), Some(60));
        assert_eq!(cut_off_at(999, |_| false), Some(60));
        // Fast enough, but the deadline applies.
        assert_eq!(cut_off_at(1000, |_| false), Some(600));
    }

    #[test]
    fn slow_clients_are_cut_off_sooner_if_others_wait() {
        assert_eq!(cut_off_at(0, |_| true), Some(10));
        assert_eq!(cut_off_at(7999, |_| true), Some(10));
        assert_eq!(cut_off_at(8000, |_| true), Some(600));
        // Immediately, if it has already been slow for that long.
        assert_eq!(cut_off_at(0, |second| second > 30), Some(31));
        assert_eq!(cut_off_at(0, |second| second < 9), Some(60));
    }

    #[test]
    fn waiting_for_the_server_does_not_count() {
        let start = Instant::now();
        let mut meter = TransferMeter::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        meter.exclude(Duration::from_secs(50));
        assert_eq!(meter.check(at(109), &LIMITS, false), Ok(()));
        assert_eq!(meter.check(at(110), &LIMITS, false), Err(TooSlow));
    }
}
