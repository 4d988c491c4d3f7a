//! How often a failed call is retried, and after which pauses.
//!
//! As in AWS's SDKs, pauses double, and half of each is random, so that clients do not all return at the same time. A
//! call that a busy server refuses fails after about five seconds; if nothing listens on the port, it fails within one
//! second.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use pretender::streams::source::WakeHandle;

use super::Unanswered;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The maximum number of attempts, including the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempts(pub(super) u32);

impl Attempts {
    /// The server exists but is busy or failing at the moment.
    pub(super) const BUSY: Self = Self(8);
    /// The server does not exist, but may be about to start.
    pub(super) const ABSENT: Self = Self(5);
    /// The server is too slow; each attempt takes as long again.
    pub(super) const SLOW: Self = Self(2);
    pub(super) const ONCE: Self = Self(1);
}

/// Returns the pause after so many attempts: a random time between half of it and all of it.
pub(crate) fn pause(tries: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    // Each `RandomState` has random keys of its own.
    let random = RandomState::new().build_hasher().finish() % 1024;
    whole / 2 + (whole / 2).mul_f64(random as f64 / 1024.0)
}

/// Repeats an action until it succeeds or fails for another reason than a server that did not answer.
pub(crate) fn retried<T, E>(
    stop: &WakeHandle,
    mut attempt: impl FnMut() -> Result<T, E>,
    unanswered: impl Fn(&E) -> Option<&Unanswered>,
) -> Result<T, E> {
    let mut tries = 0;
    loop {
        let failure = match attempt() {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        tries += 1;
        let Attempts(most) = unanswered(&failure).map_or(Attempts::ONCE, Unanswered::tries);
        if tries >= most || !rest(stop, pause(tries)) {
            return Err(failure);
        }
    }
}

/// Waits. Returns false if a stop ended the wait early.
pub(crate) fn rest(stop: &WakeHandle, pause: Duration) -> bool {
    let until = Instant::now() + pause;
    while !stop.is_stopped() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        stop.wait(left);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        for (tries, least, most) in
            [(0, 25, 50), (1, 25, 50), (2, 50, 100), (4, 200, 400), (7, 1000, 2000), (u32::MAX, 1000, 2000)]
        {
            for _ in 0..100 {
                let pause = pause(tries).as_millis();
                assert!((least..=most).contains(&pause), "{tries}: {pause}");
            }
        }
    }

    #[test]
    fn a_stop_ends_a_rest() {
        let stop = WakeHandle::default();
        assert!(rest(&stop, Duration::ZERO));
        stop.stop();
        assert!(!rest(&stop, Duration::from_secs(3600)));
    }
}
