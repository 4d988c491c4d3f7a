//! Request ids.

use std::sync::atomic::{AtomicU64, Ordering};

use pdb_model::{IdSource, RandomIds};

/// AWS's request ids end in this.
const TAIL: &str = "VV4KQNSO5AEMVJF66Q9ASUAAJG";
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// A source of request ids, for `x-amzn-requestid`: 52 characters of base 32. They differ, and are no secret.
#[derive(Debug)]
pub struct RequestIds {
    seed: u64,
    count: AtomicU64,
}

impl RequestIds {
    /// Returns a source whose ids no other source gives.
    #[must_use]
    pub fn new() -> Self {
        let random = RandomIds.next_id();
        Self { seed: random as u64, count: AtomicU64::new((random >> 64) as u64) }
    }

    /// Returns a fresh id.
    #[must_use]
    pub fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let (high, low) = (scatter(count ^ self.seed), scatter(count.wrapping_add(self.seed)));
        let mut bits = (u128::from(high) << 64) | u128::from(low);
        let mut id = String::with_capacity(2 * TAIL.len());
        for _ in 0..TAIL.len() {
            id.push(char::from(DIGITS[(bits & 31) as usize]));
            bits >>= 5;
        }
        id.push_str(TAIL);
        id
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

/// Spreads neighbouring numbers over all bits; different numbers stay different (the finaliser of SplitMix64).
fn scatter(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_have_aws_form_and_differ() {
        let ids = RequestIds::new();
        let seen: HashSet<String> = (0..10_000).map(|_| ids.next()).collect();
        assert_eq!(seen.len(), 10_000);
        assert!(seen.iter().all(|id| id.len() == 52 && id.bytes().all(|byte| DIGITS.contains(&byte))));
    }
}
