//! What readers of streams saw.

mod checks;
mod order;
mod reader;
mod whole;

pub use checks::{Facts, check};
pub use order::shown_changes;
pub use reader::{Reader, ReaderLog};
pub use whole::{Shard, Whole, read_whole};

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::answer::{item_or_none, key_in};
use crate::history::Item;

/// A stream record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `eventID`.
    pub id: String,
    /// `eventName`.
    pub event: String,
    /// The number of the item in its group.
    pub key: usize,
    /// The image before the change.
    pub old: Option<Item>,
    /// The image after it.
    pub new: Option<Item>,
    /// The sequence number.
    pub sequence_number: u128,
}

impl Record {
    /// Reads a record of `GetRecords`.
    ///
    /// # Errors
    ///
    /// The record, if something is missing.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let read = || {
            let change = &value["dynamodb"];
            Some(Self {
                id: value["eventID"].as_str()?.to_owned(),
                event: value["eventName"].as_str()?.to_owned(),
                key: key_in(&change["Keys"])?,
                old: item_or_none(&change["OldImage"])?,
                new: item_or_none(&change["NewImage"])?,
                sequence_number: change["SequenceNumber"].as_str()?.parse().ok()?,
            })
        };
        read().ok_or_else(|| format!("a record cannot be read: {value}"))
    }
}

/// Where a reader began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// `TRIM_HORIZON`.
    TrimHorizon,
    /// `LATEST`.
    Latest,
    /// `AT_SEQUENCE_NUMBER`.
    At(u128),
    /// `AFTER_SEQUENCE_NUMBER`.
    After(u128),
}

/// An answer to `GetRecords`.
#[derive(Clone, Debug)]
pub struct Poll {
    /// When it was called.
    pub call: i64,
    /// When its answer was there.
    pub returned: i64,
    /// The records.
    pub records: Vec<Record>,
    /// The most records that it might have had.
    pub limit: usize,
    /// Whether there was no further iterator.
    pub end: bool,
}

/// A reader of a shard, from a `GetShardIterator` on.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The number of the table.
    pub table: usize,
    /// The shard.
    pub shard: String,
    /// Where it began.
    pub start: Start,
    /// When the iterator was asked for.
    pub call: i64,
    /// When the iterator was there.
    pub returned: i64,
    /// All answers.
    pub polls: Vec<Poll>,
}

/// An answer to `DescribeStream`.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The number of the table.
    pub table: usize,
    /// When it was called.
    pub call: i64,
    /// The shards.
    pub shards: Vec<String>,
}
