//! How often a call that failed is tried again, and after which pauses.
//!
//! As AWS's SDKs do it: pauses double, and a random half of each keeps clients from coming back all at once. So a call that a server
//! refuses for being busy ends after some five seconds; where nobody listens it ends within one.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use pretender::streams::source::WakeHandle;

use super::Unanswered;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often a call is tried, the first time included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tries(pub(super) u32);

impl Tries {
    /// A server that is there, but busy or broken for the moment.
    pub(super) const BUSY: Self = Self(8);
    /// A server that is not there, and may be about to start.
    pub(super) const ABSENT: Self = Self(5);
    /// A server that takes too long: each try takes as long again.
    pub(super) const SLOW: Self = Self(2);
    pub(super) const ONCE: Self = Self(1);
}

/// Returns the pause after so many tries, between half of it and the whole at random.
pub(crate) fn pause(tries: u32) -> Duration {
    let whole = FIRST_PAUSE.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    // Each state has keys of its own.
    let random = RandomState::new().build_hasher().finish() % 1024;
    whole / 2 + (whole / 2).mul_f64(random as f64 / 1024.0)
}

/// Does something until it succeeds or fails for another reason than a server that did not answer.
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
        let Tries(most) = unanswered(&failure).map_or(Tries::ONCE, Unanswered::tries);
        if tries >= most || !rest(stop, pause(tries)) {
            return Err(failure);
        }
    }
}

/// Waits; returns whether it was for so long, and not ended by a stop.
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
