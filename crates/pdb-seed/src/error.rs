//! Errors, which name the file and the place.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a file of definitions or items could not be applied: the file, the place in it, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedError {
    file: Option<PathBuf>,
    line: Option<u64>,
    place: String,
    reason: String,
}

impl SeedError {
    pub(crate) fn of_file(file: &Path, reason: impl fmt::Display) -> Self {
        Self { file: Some(file.to_owned()), line: None, place: String::new(), reason: reason.to_string() }
    }

    pub(crate) fn of_line(file: &Path, line: u64, reason: impl fmt::Display) -> Self {
        Self { line: Some(line), ..Self::of_file(file, reason) }
    }

    pub(crate) fn of_place(file: &Path, place: &str, reason: impl fmt::Display) -> Self {
        Self { place: place.to_owned(), ..Self::of_file(file, reason) }
    }

    pub(crate) fn of_database(reason: impl fmt::Display) -> Self {
        Self { file: None, line: None, place: String::new(), reason: reason.to_string() }
    }

    /// Returns the file, if the error concerns one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Returns the number of the line, from 1, if it is known. For a packed file, it is the line of the unpacked text.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        self.line
    }
}

/// Prints `FILE:LINE: PLACE: REASON` on one line, without the parts that are not known.
impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for SeedError {}

/// A fault in a part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: String,
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }

    pub(crate) fn in_file(self, file: &Path) -> SeedError {
        SeedError::of_place(file, &self.place, self.reason)
    }
}
