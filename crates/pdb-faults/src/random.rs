//! Random numbers that are the same for the same seed on every machine and in every release.
//!
//! A generator of our own, because no crate promises the same numbers across its releases, and a seed in a test must stay valid.

use std::time::Duration;

/// SplitMix64: a counter whose values are scattered.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns `true` with this probability, from 0 to 1.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        // 53 bits are what a float can hold exactly.
        let drawn = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < probability
    }

    /// Returns a number below `end`, which must not be 0. The bias of the remainder does not matter: no batch has more than 100 items.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Returns a time from `least` to `most`, in whole microseconds above `least`.
    pub(super) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(u64::MAX - 1);
        least + Duration::from_micros(self.next() % (span + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_algorithm() {
        // The published sequence of SplitMix64 for this seed: decisions must not change with a release.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn probabilities_are_met() {
        let mut random = Random::new(7);
        let happened = (0..10_000).filter(|_| random.happens(0.3)).count();
        assert!((2_800..3_200).contains(&happened), "{happened}");
        assert!((0..100).all(|_| random.happens(1.0)));
        let (least, most) = (Duration::from_millis(5), Duration::from_millis(7));
        assert!((0..1_000).all(|_| (least..=most).contains(&random.between(least, most))));
        assert_eq!(random.between(most, most), most);
    }
}
