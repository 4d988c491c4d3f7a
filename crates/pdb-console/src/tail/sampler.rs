//! Which of the records that arrive are shown, when there are more than anybody can read.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most rows that are shown in a second.
const MOST_A_SECOND: usize = 200;
/// The fewest rows of a batch that are shown while there are any left of this second.
const FEWEST: usize = 10;
const SECOND: Duration = Duration::from_secs(1);

/// Decides how many records of each batch are shown: at most 200 in any second.
///
/// If a batch fits in what is left of the second, all of it is shown: somebody who writes 100 items at once sees 100 records. If it does
/// not, a quarter of what is left is shown, so that the next batches have rows, too.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    /// When so many rows were shown, within the last second.
    shown: VecDeque<(Instant, usize)>,
}

impl Sampler {
    /// Returns which records of a batch of this size are shown.
    pub(crate) fn choose(&mut self, now: Instant, arrived: usize) -> Chosen {
        while self.shown.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= SECOND) {
            self.shown.pop_front();
        }
        let spent: usize = self.shown.iter().map(|(_, rows)| rows).sum();
        let left = MOST_A_SECOND.saturating_sub(spent);
        let shown = if arrived <= left { arrived } else { (left / 4).max(FEWEST).min(left) };
        if shown > 0 {
            self.shown.push_back((now, shown));
        }
        Chosen { shown, arrived }
    }
}

/// The records of a batch that are shown, evenly spread over it. The last one always is, unless none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// How many are shown.
    pub(crate) shown: usize,
    arrived: usize,
}

impl Chosen {
    /// Returns how many records are not shown.
    pub(crate) fn skipped(self) -> usize {
        self.arrived - self.shown
    }

    /// Returns whether a record is shown, given its place in the batch.
    pub(crate) fn has(self, place: usize) -> bool {
        // With each record, `shown / arrived` of a row is earned.
        self.arrived > 0 && (place + 1) * self.shown / self.arrived > place * self.shown / self.arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets so many records arrive every 50 ms for so many batches; returns how many of each batch are shown.
    fn shown(sampler: &mut Sampler, start: Instant, arrived: usize, batches: u32) -> Vec<usize> {
        (0..batches).map(|n| sampler.choose(start + n * Duration::from_millis(50), arrived).shown).collect()
    }

    #[test]
    fn what_can_be_read_is_shown_whole() {
        let mut sampler = Sampler::default();
        assert_eq!(shown(&mut sampler, Instant::now(), 9, 60), [9; 60]);
        let mut sampler = Sampler::default();
        assert_eq!(sampler.choose(Instant::now(), 0), Chosen { shown: 0, arrived: 0 });
        assert_eq!(sampler.choose(Instant::now(), 150).shown, 150);
        assert_eq!(sampler.choose(Instant::now(), 50).shown, 50);
        assert_eq!(sampler.choose(Instant::now(), 1).shown, 0);
    }

    #[test]
    fn at_most_200_rows_are_shown_in_a_second() {
        for arrived in [11, 50, 500, 5_000] {
            let mut sampler = Sampler::default();
            let start = Instant::now();
            let rows = shown(&mut sampler, start, arrived, 200);
            for window in rows.windows(20) {
                assert!(window.iter().sum::<usize>() <= 200, "{arrived}: {window:?}");
            }
            // No second is empty, and soon no batch is.
            assert!(
                rows[40..].windows(20).all(|window| window.iter().sum::<usize>() >= 150),
                "{arrived}: {rows:?}"
            );
            // A pause makes room again.
            assert_eq!(sampler.choose(start + Duration::from_secs(20), 200).shown, 200);
        }
    }

    #[test]
    fn the_records_that_are_shown_are_spread_over_the_batch() {
        let places = |shown, arrived| -> Vec<usize> {
            let chosen = Chosen { shown, arrived };
            (0..arrived).filter(|place| chosen.has(*place)).collect()
        };
        assert_eq!(places(3, 9), [2, 5, 8]);
        assert_eq!(places(4, 4), [0, 1, 2, 3]);
        assert_eq!(places(0, 3), [0; 0]);
        assert_eq!(places(1, 1000), [999]);
        for (shown, arrived) in [(7, 100), (10, 5_000), (199, 200)] {
            assert_eq!(places(shown, arrived).len(), shown);
            assert_eq!(places(shown, arrived).last(), Some(&(arrived - 1)));
            assert_eq!(Chosen { shown, arrived }.skipped(), arrived - shown);
        }
    }
}
