//! Which of a table's rows of counts a transaction uses.

use std::sync::atomic::{AtomicU16, Ordering};

/// How many rows each statistic has on PostgreSQL, where writers that share one would wait for each other.
pub(crate) const SLOTS: i64 = 16;

/// The slots that are free in this process, so that its transactions do not wait for each other as long as there are some.
pub(crate) struct Slots {
    used: AtomicU16,
    /// Where the search begins: in another place in each process.
    first: u32,
}

/// A slot in use; free again when dropped.
pub(crate) struct Slot<'s> {
    slots: &'s Slots,
    number: u32,
    is_ours: bool,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self { used: AtomicU16::new(0), first: std::process::id() % SLOTS as u32 }
    }

    pub(crate) fn take(&self) -> Slot<'_> {
        let count = SLOTS as u32;
        for step in 0..count {
            let number = (self.first + step) % count;
            let bit = 1 << number;
            if self.used.fetch_or(bit, Ordering::AcqRel) & bit == 0 {
                return Slot { slots: self, number, is_ours: true };
            }
        }
        // All are in use: one is shared.
        Slot { slots: self, number: self.first, is_ours: false }
    }
}

impl Slot<'_> {
    pub(crate) fn number(&self) -> i64 {
        self.number.into()
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        if self.is_ours {
            self.slots.used.fetch_and(!(1 << self.number), Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_shared_only_if_all_are_in_use() {
        let slots = Slots::new();
        let taken: Vec<Slot<'_>> = (0..SLOTS).map(|_| slots.take()).collect();
        let mut numbers: Vec<i64> = taken.iter().map(Slot::number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..SLOTS).collect::<Vec<_>>());
        assert!((0..SLOTS).contains(&slots.take().number()));
        drop(taken);
        assert_eq!(slots.take().number(), i64::from(slots.first));
    }
}
