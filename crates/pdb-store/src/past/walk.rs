//! Walks over keys in several passes, so that the keys that have changed need not all be in memory.

use std::{
    collections::BTreeMap,
    ops::{Bound, ControlFlow},
};

use super::PastState;
use crate::rows::items::KeyRange;

/// How much a walk takes at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Changed keys in memory. One takes some 100 bytes, and up to 3 KB if its values are long.
    pub(super) keys: usize,
    /// Rows of a page. They bound how long the writer of a database in memory waits: some milliseconds.
    pub(super) rows: usize,
    /// Bytes of a page, but for its last row.
    pub(super) bytes: usize,
}

pub(super) const LIMITS: Limits = Limits { keys: 100_000, rows: 2_000, bytes: 1 << 20 };

/// What is left of a page.
pub(super) struct PageBudget {
    rows: usize,
    bytes: usize,
}

impl PageBudget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { rows: limits.rows.max(1), bytes: limits.bytes.max(1) }
    }

    /// Takes a row of this size; breaks off if there is nothing left for another one.
    pub(super) fn take(&mut self, bytes: usize) -> ControlFlow<()> {
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        if self.is_spent() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.rows == 0 || self.bytes == 0
    }
}

/// A range of keys and those of its keys that have changed. It begins as the range of all keys that are left, and becomes smaller at its end
/// when more keys have changed than fit into memory: the next pass begins there.
#[derive(Debug)]
pub(super) struct Pass<V> {
    pub(super) lower: Vec<u8>,
    /// Where the range ends, itself not part of it.
    pub(super) upper: Option<Vec<u8>>,
    /// Where the last pass ends.
    end: Option<Vec<u8>>,
    pub(super) changed: BTreeMap<Vec<u8>, V>,
    /// Changes with smaller numbers have been looked at.
    pub(super) looked_to: i64,
    most_keys: usize,
}

impl<V> Pass<V> {
    /// Returns the first pass through a range. It looks at changes from this state on.
    pub(super) fn first(range: &KeyRange, state: PastState, limits: Limits) -> Self {
        // The least bytes above `b` are `b` and a zero.
        let above = |bytes: &[u8]| [bytes, &[0]].concat();
        let lower = match &range.lower {
            Bound::Included(key) => key.clone(),
            Bound::Excluded(key) => above(key),
            Bound::Unbounded => Vec::new(),
        };
        let end = match &range.upper {
            Bound::Included(key) => Some(above(key)),
            Bound::Excluded(key) => Some(key.clone()),
            Bound::Unbounded => None,
        };
        Self::from(lower, end, state, limits)
    }

    fn from(lower: Vec<u8>, end: Option<Vec<u8>>, state: PastState, limits: Limits) -> Self {
        Self {
            lower,
            upper: end.clone(),
            end,
            changed: BTreeMap::new(),
            looked_to: state.first_later_change,
            most_keys: limits.keys.max(1),
        }
    }

    /// Returns the pass behind this one, if there is one.
    pub(super) fn next(&mut self, state: PastState, limits: Limits) -> Option<Self> {
        let end = self.end.take();
        self.upper
            .take()
            .filter(|upper| end.as_ref() != Some(upper))
            .map(|upper| Self::from(upper, end, state, limits))
    }

    /// Whether a key is of this pass.
    pub(super) fn has(&self, key: &[u8]) -> bool {
        key >= self.lower.as_slice() && self.upper.as_deref().is_none_or(|upper| key < upper)
    }

    /// Notes a changed key that is of this pass and new. It may be left to the next pass at once.
    pub(super) fn note(&mut self, key: &[u8], value: V) {
        self.changed.insert(key.to_vec(), value);
        if self.changed.len() > self.most_keys
            && let Some((key, _)) = self.changed.pop_last()
        {
            self.upper = Some(key);
        }
    }
}
