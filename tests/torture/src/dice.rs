//! Random numbers that a seed repeats.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice for a part of the work, which does not depend on what the other parts draw.
    pub(crate) fn split(&mut self) -> Self {
        Self(self.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from `from` to `to`, both included, small ones as often as large ones by their number of digits.
    pub(crate) fn spread(&mut self, from: u64, to: u64) -> u64 {
        let steps = (to / from.max(1)).max(1).ilog2() + 1;
        let most = from.max(1) << self.below(u64::from(steps) + 1);
        from + self.below(most.min(to).saturating_sub(from) + 1)
    }

    /// True in one of `of` cases.
    pub(crate) fn one_of(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_bounds_and_a_seed_repeats_them() {
        let (mut one, mut other) = (Dice::new(7), Dice::new(7));
        for _ in 0..10_000 {
            let number = one.spread(5, 300);
            assert!((5..=300).contains(&number), "{number}");
            assert_eq!(other.spread(5, 300), number);
        }
    }
}
