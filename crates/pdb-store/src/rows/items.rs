//! Items and index entries as they are stored, and ranges of their keys.

use std::ops::Bound;

use pdb_model::{EncodedItem, KeyBytes};

/// A range of stored keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// Where it begins.
    pub lower: Bound<Vec<u8>>,
    /// Where it ends.
    pub upper: Bound<Vec<u8>>,
}

impl KeyRange {
    /// Returns the range of all keys.
    #[must_use]
    pub fn all() -> Self {
        Self { lower: Bound::Unbounded, upper: Bound::Unbounded }
    }

    /// Returns the range of the keys that begin with these bytes.
    #[must_use]
    pub fn prefix(prefix: &KeyBytes) -> Self {
        Self { lower: Bound::Included(prefix.as_bytes().to_vec()), upper: prefix.prefix_end() }
    }
}

/// Which way a range is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the lower end up.
    Forward,
    /// From the upper end down.
    Backward,
}

/// An item, or an index entry, as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'r> {
    /// The key it is stored under: the item's, or the index entry's.
    pub key: &'r [u8],
    /// The key of the table's item; the same as `key` unless this is an index entry.
    pub base: &'r [u8],
    /// The item, or what the index has of it, as canonical JSON.
    pub json: &'r str,
    /// Its size.
    pub size_bytes: u64,
}

impl RowRef<'_> {
    /// Returns the item as a value of its own.
    #[must_use]
    pub fn to_item(&self) -> EncodedItem {
        EncodedItem::from_stored(self.json.to_owned(), self.size_bytes)
    }
}

/// An entry of a vector index, as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct VectorRow<'r> {
    /// The key it is stored under.
    pub key: &'r [u8],
    /// The vector: 32-bit floats, packed with the lowest byte first.
    pub vector: &'r [u8],
    /// What the index has of the item besides the vector, as canonical JSON.
    pub json: &'r str,
    /// Its size.
    pub size_bytes: u64,
}

/// What is written of an item into an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewEntry<'e> {
    /// The key to store it under.
    pub key: &'e KeyBytes,
    /// The key of the item, or in a vector index the vector.
    pub content: &'e [u8],
    /// What the index has of the item.
    pub projected: &'e EncodedItem,
}

/// The row of an item that a transaction has locked; with it the transaction replaces or removes exactly this one.
#[derive(Clone, Copy, Debug)]
pub struct ItemRow {
    pub(crate) id: i64,
    pub(crate) size_bytes: u64,
}
