//! Ranges of keys, as the store reads them.

use std::ops::Bound;

use pdb_expr::{KeyComparison, KeyCondition};
use pdb_model::{KeyBytes, KeyValue};
use pdb_store::KeyRange;

/// A range of key bytes: `lower` is in it, `upper` is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) lower: Vec<u8>,
    pub(crate) upper: Option<Vec<u8>>,
}

impl ByteRange {
    /// Everything.
    pub(crate) fn all() -> Self {
        Self { lower: Vec::new(), upper: None }
    }

    /// The keys whose token lies in segment `segment` of `total`: contiguous, disjoint and complete.
    ///
    /// In DynamoDB a segment begins at `ceil(2^128 * segment / total)`, and hashes have 128 bits. A token is the first 64 of them, and
    /// so is a bound here, rounded up. Only a hash that has the same 64 as the bound of there lies in another segment: one key
    /// in 2^64. If `total` is a power of two, there is no such difference.
    pub(crate) fn segment(segment: u32, total: u32) -> Self {
        Self {
            lower: segment_start(segment, total).map_or(Vec::new(), |token| token.to_be_bytes().to_vec()),
            upper: segment_start(segment + 1, total).map(|token| token.to_be_bytes().to_vec()),
        }
    }

    /// The keys that start with these bytes.
    pub(crate) fn prefix(prefix: &KeyBytes) -> Self {
        Self { lower: prefix.as_bytes().to_vec(), upper: end_of(prefix) }
    }

    /// Leaves out everything up to and including `key`, in the direction of reading.
    pub(crate) fn after(mut self, key: &[u8], forward: bool) -> Self {
        if forward {
            let mut next = key.to_vec();
            next.push(0);
            self.lower = self.lower.max(next);
        } else {
            self.upper = Some(self.upper.map_or_else(|| key.to_vec(), |upper| upper.min(key.to_vec())));
        }
        self
    }

    /// The range as the store takes it.
    pub(crate) fn into_key_range(self) -> KeyRange {
        KeyRange {
            lower: Bound::Included(self.lower),
            upper: self.upper.map_or(Bound::Unbounded, Bound::Excluded),
        }
    }

    /// Whether a key is in the range.
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.lower.as_slice() <= key && self.upper.as_deref().is_none_or(|upper| key < upper)
    }
}

/// The first token of a segment; none past the last one, and none for the first, which begins at the beginning.
fn segment_start(segment: u32, total: u32) -> Option<u64> {
    let start = (u128::from(segment) << 64).div_ceil(u128::from(total));
    if segment == 0 { None } else { u64::try_from(start).ok() }
}

fn end_of(prefix: &KeyBytes) -> Option<Vec<u8>> {
    match prefix.prefix_end() {
        Bound::Excluded(end) | Bound::Included(end) => Some(end),
        Bound::Unbounded => None,
    }
}

/// The keys that a query reads.
pub(crate) fn range_of(condition: &KeyCondition) -> ByteRange {
    let start = KeyBytes::partition(&condition.hash).with_range(&condition.range_equal);
    let whole = ByteRange::prefix(&start);
    let at = |value: &KeyValue| start.with_range(std::slice::from_ref(value));
    let Some(comparison) = &condition.range else { return whole };
    match comparison {
        KeyComparison::Equal(value) => ByteRange::prefix(&at(value)),
        KeyComparison::Less(value) => ByteRange { upper: Some(at(value).into_bytes()), ..whole },
        KeyComparison::LessOrEqual(value) => ByteRange { upper: end_of(&at(value)), ..whole },
        KeyComparison::GreaterOrEqual(value) => ByteRange { lower: at(value).into_bytes(), ..whole },
        // Only bytes that are all `0xff` have no end, and no key is like that.
        KeyComparison::Greater(value) => {
            ByteRange { lower: end_of(&at(value)).unwrap_or_else(|| at(value).into_bytes()), ..whole }
        }
        KeyComparison::Between(lower, upper) => {
            ByteRange { lower: at(lower).into_bytes(), upper: end_of(&at(upper)) }
        }
        KeyComparison::BeginsWith(prefix) => ByteRange::prefix(&start.with_range_prefix(prefix)),
    }
}

#[cfg(test)]
mod tests;
