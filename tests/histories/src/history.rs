//! What clients did and saw, in the form that the checker reads (`checker/history.go`).

use serde::{Deserialize, Serialize};

/// The number of items in a group.
pub const KEYS: usize = 5;
/// The number of them that are in the table with a sort key. The others are in the table without.
pub const MAIN_KEYS: usize = 3;

/// The value of an item, without its key. Each write gives `v` a value that no other write uses.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Which write was the last.
    pub v: u32,
    /// A counter that updates add to.
    pub n: i64,
    /// The value of the key of the indexes, 1 or 2; 0 if the item is in no index.
    pub b: u8,
}

/// What an answer showed of an item.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// There was no item.
    pub gone: bool,
    /// The attribute, if the answer had it.
    pub v: Option<u32>,
    /// The attribute, if the answer had it.
    pub n: Option<i64>,
    /// The attribute, if the answer had it.
    pub b: Option<u8>,
}

/// What an item must be for a write to be carried out. One of the fields is set.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// There is no item.
    pub absent: bool,
    /// There is one.
    pub exists: bool,
    /// It was written last by this write.
    pub v: Option<u32>,
    /// Its counter is below this number.
    pub below: Option<i64>,
}

/// What `UpdateItem` does.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Update {
    /// The new value of `v`.
    pub v: u32,
    /// The new value of `b`, if it changes.
    pub b: Option<u8>,
    /// What is added to `n`.
    pub add: i64,
}

/// What an operation does to one item. Without an action it only checks the condition.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The number of the item in its group.
    pub key: usize,
    /// The condition.
    #[serde(rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// The new item of `PutItem`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub put: Option<Item>,
    /// What `UpdateItem` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<Update>,
    /// Whether the item is deleted.
    pub delete: bool,
    /// Whether the answer says that this condition failed.
    pub refused: bool,
    /// The old item, if the answer showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Seen>,
    /// The new item, if the answer showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Seen>,
}

impl Part {
    /// Returns the value of `v` that this part writes.
    #[must_use]
    pub fn writes(&self) -> Option<u32> {
        self.put.map(|item| item.v).or(self.update.map(|update| update.v))
    }
}

/// What an operation found.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Read {
    /// The items that it looked for.
    pub keys: Vec<usize>,
    /// If an index was read, the value of its key.
    pub bucket: u8,
    /// What it found, an item for each key.
    pub found: Vec<Option<Item>>,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// A condition failed.
    Refused,
    /// There was no answer. It may be carried out at any later time, or never.
    Unknown,
}

/// An operation with its answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Op {
    /// The number of the client.
    pub client: usize,
    /// When it was called, in nanoseconds since the history began.
    pub call: i64,
    /// When its answer was there.
    #[serde(rename = "return")]
    pub returned: Option<i64>,
    /// The name of the operation.
    pub name: String,
    /// What it writes and checks.
    pub parts: Vec<Part>,
    /// What it reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read: Option<Read>,
    /// Its token; 0 for none.
    pub token: usize,
    /// How it ended.
    pub outcome: Outcome,
}

impl Op {
    /// Returns the values of `v` that it writes.
    pub fn writes(&self) -> impl Iterator<Item = u32> + '_ {
        self.parts.iter().filter_map(Part::writes)
    }
}

/// A stream record, as far as the checker must know it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct ShownChange {
    /// The new image.
    pub item: Option<Item>,
    /// For each key, how many of its records come before this one in the same shard or in its ancestors.
    pub before: Vec<usize>,
}

/// The history of a group.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct History {
    /// Its name, also that of a file.
    pub name: String,
    /// The number of items.
    pub keys: usize,
    /// All operations.
    pub ops: Vec<Op>,
    /// The records of the stream by key, if the operations must have happened in the order of the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<Vec<ShownChange>>>,
}

/// The most tokens that several operations of a group may carry.
pub const MAX_TOKENS: usize = 128;

/// Numbers the tokens that several operations carry from 1, and removes all others.
///
/// Clients count tokens without end, and the checker's state has a bit for each one.
pub fn number_tokens(ops: &mut [Op]) {
    let mut uses = std::collections::BTreeMap::new();
    for op in ops.iter().filter(|op| op.token != 0) {
        *uses.entry(op.token).or_insert(0_usize) += 1;
    }
    let repeated: Vec<usize> =
        uses.into_iter().filter(|(_, count)| *count > 1).map(|(token, _)| token).collect();
    for op in ops {
        op.token = repeated.binary_search(&op.token).map_or(0, |at| at + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_repeated_tokens_are_numbered() {
        let op = |token| Op {
            client: 0,
            call: 0,
            returned: None,
            name: String::new(),
            parts: Vec::new(),
            read: None,
            token,
            outcome: Outcome::Done,
        };
        let mut ops: Vec<Op> = [7, 0, 12, 9, 12, 0, 7, 30].map(op).into();
        number_tokens(&mut ops);
        assert_eq!(ops.iter().map(|op| op.token).collect::<Vec<_>>(), [1, 0, 2, 0, 2, 0, 1, 0]);
    }
}
