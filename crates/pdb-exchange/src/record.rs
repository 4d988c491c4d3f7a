//! What a file consists of: records, each with its place.

use std::collections::BTreeMap;
use std::io;

use pdb_model::{AttributeValue, Item};

/// A record of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// An item.
    Item {
        /// The item.
        item: Item,
        /// The condition under which it is to be written; only in DynamoDB JSON.
        condition: Option<Box<RecordCondition>>,
    },
    /// A change, as in an incremental export.
    Change {
        /// The key of the item that changed.
        keys: Item,
        /// The item after the change. `None` if it was deleted.
        new_image: Option<Item>,
        /// The item before the change, if the export has it.
        old_image: Option<Item>,
    },
}

impl Record {
    /// Returns the record of an item without a condition.
    #[must_use]
    pub fn item(item: Item) -> Self {
        Self::Item { item, condition: None }
    }
}

/// A condition on the item that a record would replace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecordCondition {
    /// The condition expression.
    pub expression: String,
    /// Attribute names by placeholder.
    pub names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub values: BTreeMap<String, AttributeValue>,
}

/// A record with its place, or the reason why it cannot be read. After such a fault, reading goes on with the next record.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The line in which the record begins, from 1. `None` in binary files. In a packed file, it is the line of the unpacked text.
    pub line: Option<u64>,
    /// How many records of the file come before this one.
    pub ordinal: u64,
    /// The record.
    pub record: Result<Record, RecordFault>,
}

/// Why a single record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RecordFault {
    /// The reason, for people.
    pub reason: String,
    /// The beginning of the record as it is in the file, if it is text.
    pub text: Option<String>,
}

/// How many bytes of a record that cannot be read are kept for the message.
const KEPT_TEXT: usize = 200;

impl RecordFault {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), text: None }
    }

    pub(crate) fn with_text(reason: impl Into<String>, text: &str) -> Self {
        let end = (0..=KEPT_TEXT.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        Self { reason: reason.into(), text: Some(text[..end].to_owned()) }
    }
}

/// Why a file cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{}", io_reason(.0))]
    Io(io::Error),
    /// The content is at fault.
    #[error("{reason}")]
    Content {
        /// The line, if it is known.
        line: Option<u64>,
        /// The reason, for people.
        reason: String,
    },
}

impl ReadError {
    pub(crate) fn at_line(line: u64, reason: impl Into<String>) -> Self {
        Self::Content { line: Some(line), reason: reason.into() }
    }

    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self::Content { line: None, reason: reason.into() }
    }

    /// Returns the line, if it is known.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Io(_) => None,
            Self::Content { line, .. } => *line,
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::IsADirectory => "this is a folder".to_owned(),
        // The decoders' own texts say what they have found; see `compression.rs`.
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => error.to_string(),
        _ => format!("the file cannot be read: {error}"),
    }
}
