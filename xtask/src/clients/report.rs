//! The last line that a client program prints, and its check.

use std::fmt;

use serde::Deserialize;

use crate::Outcome;

/// The counts of a client program.
#[derive(Debug, Deserialize)]
pub(super) struct Figures {
    /// The number of records that its writes must have created.
    written: u64,
    /// Records that it read, including repeated ones.
    seen: u64,
    /// Records that it read more than once.
    duplicates: u64,
    /// Records that it did not read.
    missing: u64,
    /// Records that it read and no write created.
    unexpected: u64,
    /// The number of shards that it read.
    shards: u64,
}

impl Figures {
    /// The header of the columns that `Display` prints.
    pub(super) const HEADER: &str = " written    seen duplicates missing unexpected shards";

    /// Parses the last line that a program printed.
    pub(super) fn parse(line: &str) -> Outcome<Self> {
        serde_json::from_str(line)
            .map_err(|error| format!("its last line does not contain its figures: {error}: {line}"))
    }

    /// Returns what is wrong with the figures, if something is.
    pub(super) fn complaint(&self) -> Option<String> {
        if self.written == 0 {
            Some("nothing was written".to_owned())
        } else if self.shards < 3 {
            Some(format!("{} shards are not those of a split", self.shards))
        } else if self.seen != self.written || self.duplicates + self.missing + self.unexpected > 0 {
            Some(format!("not every record was read once: {self:?}"))
        } else {
            None
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { written, seen, duplicates, missing, unexpected, shards } = self;
        write!(f, "{written:>8} {seen:>7} {duplicates:>10} {missing:>7} {unexpected:>10} {shards:>6}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(written: u64, seen: u64, missing: u64, shards: u64) -> Option<String> {
        let line = format!(
            r#"{{"client":"x","written":{written},"seen":{seen},"duplicates":0,"missing":{missing},"unexpected":0,"shards":{shards}}}"#
        );
        Figures::parse(&line).expect("the line parses").complaint()
    }

    #[test]
    fn every_record_must_be_read_once_across_a_split() {
        assert_eq!(complaint(9, 9, 0, 3), None);
        assert!(complaint(0, 0, 0, 3).is_some());
        assert!(complaint(9, 8, 1, 3).is_some());
        assert!(complaint(9, 10, 0, 3).is_some());
        assert!(complaint(9, 9, 0, 1).is_some());
        assert!(Figures::parse("done").is_err());
    }
}
