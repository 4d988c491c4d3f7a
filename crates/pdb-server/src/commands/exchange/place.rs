//! Places in files, for messages.

use std::fmt;
use std::sync::Arc;

/// Where a record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: Arc<str>,
    /// The line, from 1. Binary files have none.
    pub(super) line: Option<u64>,
    /// How many records of the file come before it.
    pub(super) ordinal: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => write!(f, "{}: record {}", self.file, self.ordinal + 1),
        }
    }
}
