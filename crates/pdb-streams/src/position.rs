//! The position of a sequence number in a shard. Pure functions.
//!
//! Inside a shard only the counter of a number counts. A number from elsewhere, with another shard's number in its last 20
//! digits, is compared as a whole, as a number: it stands between two counters.

use crate::StreamsError;
use pdb_model::{IteratorPosition, SequenceNumber};

/// The sequence numbers of one shard that decide what a position means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardNumbers {
    /// The number that was drawn when the shard was opened; no record has it.
    pub(crate) starting: SequenceNumber,
    /// The highest counter ever drawn: of a record, which may be trimmed, or that of `starting`.
    pub(crate) newest: u64,
    /// The newest trimmed counter; at most `starting` if nothing was trimmed.
    pub(crate) trimmed: u64,
}

impl ShardNumbers {
    /// Checks a position that a client gives by number, and returns the position for its iterator.
    ///
    /// The starting number is always accepted and means the trim horizon: consumers of idle shards resume from it.
    pub(crate) fn check(self, position: IteratorPosition) -> Result<IteratorPosition, StreamsError> {
        let (IteratorPosition::At(number) | IteratorPosition::After(number)) = position else {
            return Ok(position);
        };
        if number == self.starting {
            return Ok(IteratorPosition::TrimHorizon);
        }
        let newest = SequenceNumber { counter: self.newest, shard: self.starting.shard };
        if number < self.starting || number > newest {
            return Err(StreamsError::validation("Invalid SequenceNumber for the shard"));
        }
        self.first_counter(position)?;
        Ok(position)
    }

    /// Returns the smallest counter that a record at or behind the position can have, or an error if it was trimmed.
    pub(crate) fn first_counter(self, position: IteratorPosition) -> Result<u64, StreamsError> {
        let shard = self.starting.shard;
        let counter = match position {
            IteratorPosition::TrimHorizon => return Ok(self.trimmed.saturating_add(1)),
            IteratorPosition::At(number) if number.shard <= shard => number.counter,
            IteratorPosition::After(number) if number.shard < shard => number.counter,
            IteratorPosition::At(number) | IteratorPosition::After(number) => {
                number.counter.saturating_add(1)
            }
        };
        if counter <= self.trimmed { Err(StreamsError::Trimmed) } else { Ok(counter) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use IteratorPosition::{After, At, TrimHorizon};

    const SHARD: u64 = 4;

    fn number(counter: u64, shard: u64) -> SequenceNumber {
        SequenceNumber { counter, shard }
    }

    /// Shows what a check gives: the first counter it would read, or the error's first word.
    #[track_caller]
    fn check(numbers: ShardNumbers, position: IteratorPosition, expected: &str) {
        let seen = match numbers.check(position).and_then(|position| numbers.first_counter(position)) {
            Ok(counter) => counter.to_string(),
            Err(StreamsError::Trimmed) => "trimmed".to_owned(),
            Err(error) => {
                assert_eq!(error.to_string(), "Invalid SequenceNumber for the shard");
                "invalid".to_owned()
            }
        };
        assert_eq!(seen, expected, "{position:?}");
    }

    #[test]
    fn positions_in_a_shard_with_records() {
        // Opened with 10, records 11 to 15, nothing trimmed.
        let numbers = ShardNumbers { starting: number(10, SHARD), newest: 15, trimmed: 10 };
        for (position, expected) in [
            (TrimHorizon, "11"),
            (At(number(9, SHARD)), "invalid"),
            (After(number(9, SHARD)), "invalid"),
            (At(number(10, SHARD)), "11"),
            (After(number(10, SHARD)), "11"),
            (At(number(11, SHARD)), "11"),
            (After(number(11, SHARD)), "12"),
            (At(number(15, SHARD)), "15"),
            (After(number(15, SHARD)), "16"),
            (At(number(16, SHARD)), "invalid"),
            (After(number(16, SHARD)), "invalid"),
            (At(number(u64::MAX, u64::MAX)), "invalid"),
            // Numbers with another shard's number stand between two counters.
            (At(number(12, SHARD - 1)), "12"),
            (After(number(12, SHARD - 1)), "12"),
            (At(number(12, SHARD + 1)), "13"),
            (After(number(12, SHARD + 1)), "13"),
            (At(number(10, SHARD + 1)), "11"),
            (At(number(10, SHARD - 1)), "invalid"),
            (At(number(15, SHARD + 1)), "invalid"),
        ] {
            check(numbers, position, expected);
        }
    }

    #[test]
    fn positions_in_a_shard_that_is_partly_trimmed() {
        let numbers = ShardNumbers { starting: number(10, SHARD), newest: 15, trimmed: 12 };
        for (position, expected) in [
            (TrimHorizon, "13"),
            (At(number(10, SHARD)), "13"),
            (After(number(10, SHARD)), "13"),
            (At(number(11, SHARD)), "trimmed"),
            (After(number(11, SHARD)), "trimmed"),
            (At(number(12, SHARD)), "trimmed"),
            // After the newest trimmed record nothing is missing.
            (After(number(12, SHARD)), "13"),
            (At(number(13, SHARD)), "13"),
        ] {
            check(numbers, position, expected);
        }
    }

    #[test]
    fn positions_in_an_empty_shard() {
        let numbers = ShardNumbers { starting: number(10, SHARD), newest: 10, trimmed: 10 };
        for (position, expected) in [
            (TrimHorizon, "11"),
            (At(number(10, SHARD)), "11"),
            (After(number(10, SHARD)), "11"),
            (At(number(11, SHARD)), "invalid"),
            (At(number(9, SHARD)), "invalid"),
        ] {
            check(numbers, position, expected);
        }
    }

    #[test]
    fn positions_in_a_shard_whose_records_are_all_trimmed() {
        let numbers = ShardNumbers { starting: number(10, SHARD), newest: 15, trimmed: 15 };
        for (position, expected) in [
            (TrimHorizon, "16"),
            (At(number(10, SHARD)), "16"),
            (At(number(15, SHARD)), "trimmed"),
            (After(number(14, SHARD)), "trimmed"),
            (After(number(15, SHARD)), "16"),
            (At(number(16, SHARD)), "invalid"),
        ] {
            check(numbers, position, expected);
        }
    }
}
