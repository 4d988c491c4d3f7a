//! Keys: their attributes, their values, and the bytes under which an item is stored.

use std::fmt;
use std::hash::Hasher;
use std::ops::Bound;

use siphasher::sip::SipHasher13;

use crate::{AttributeValue, Item, Number};

mod scan_order;
mod stored;

/// The length of a token, in bytes.
const TOKEN_BYTES: usize = 8;
/// The largest partition key, in bytes.
const MAX_HASH_BYTES: u64 = 2048;
/// The largest sort key, in bytes.
const MAX_RANGE_BYTES: u64 = 1024;

/// The type of a key attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ScalarType {
    /// Text.
    S,
    /// Number.
    N,
    /// Bytes.
    B,
}

impl ScalarType {
    /// Returns `S`, `N` or `B`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }
}

impl fmt::Display for ScalarType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An attribute that is a part of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct KeyAttribute {
    /// The attribute's name.
    pub name: String,
    /// The type that its values must have.
    pub scalar_type: ScalarType,
}

/// The attributes that form the key of a table or index.
///
/// A table and a local index have one hash attribute and at most one range attribute. A global index has up to four of each.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct KeySchema {
    /// The attributes of the partition key. Never empty.
    pub hash: Vec<KeyAttribute>,
    /// The attributes of the sort key. Empty if there is none.
    pub range: Vec<KeyAttribute>,
}

/// Why an item or a key does not match a key schema.
///
/// The operations translate it into AWS's texts, which differ from one operation to another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The attribute is missing.
    #[error("key attribute `{0}` is missing")]
    Missing(String),
    /// The attribute has a different type than in the schema.
    #[error("key attribute `{name}` must be of type {expected}, not {actual}")]
    WrongType {
        /// The attribute.
        name: String,
        /// The type in the schema.
        expected: ScalarType,
        /// The type of the value.
        actual: &'static str,
    },
    /// The value is an empty text or an empty byte string.
    #[error("key attribute `{name}` is empty")]
    Empty {
        /// The attribute.
        name: String,
        /// The type of the value.
        scalar_type: ScalarType,
    },
    /// The partition key has more than 2048 bytes.
    #[error("the partition key is longer than 2048 bytes")]
    HashTooLong,
    /// The sort key has more than 1024 bytes.
    #[error("the sort key is longer than 1024 bytes")]
    RangeTooLong,
    /// The key has attributes that are not in the schema.
    #[error("the key has more attributes than the schema")]
    ExtraAttributes,
}

impl KeySchema {
    /// Returns a schema with one hash attribute and at most one range attribute.
    #[must_use]
    pub fn simple(hash: KeyAttribute, range: Option<KeyAttribute>) -> Self {
        Self { hash: vec![hash], range: range.into_iter().collect() }
    }

    /// Returns all attributes, hash before range.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.hash.iter().chain(&self.range)
    }

    /// Returns whether the attribute is a part of the key.
    #[must_use]
    pub fn contains(&self, attribute: &str) -> bool {
        self.attributes().any(|key| key.name == attribute)
    }

    /// Returns how many attributes the key has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hash.len() + self.range.len()
    }

    /// Returns false: a key has at least one attribute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the key of an item.
    ///
    /// # Errors
    ///
    /// The first [`KeyError`] in schema order: missing, wrong type, empty; then the sizes.
    pub fn extract(&self, item: &Item) -> Result<PrimaryKey, KeyError> {
        let key = PrimaryKey {
            hash: self.hash.iter().map(|key| extract_one(item, key)).collect::<Result<_, _>>()?,
            range: self.range.iter().map(|key| extract_one(item, key)).collect::<Result<_, _>>()?,
        };
        key.check_sizes()?;
        Ok(key)
    }

    /// Returns the key in `item`, which must have no other attributes.
    ///
    /// # Errors
    ///
    /// The errors of [`KeySchema::extract`], and [`KeyError::ExtraAttributes`].
    pub fn extract_exact(&self, item: &Item) -> Result<PrimaryKey, KeyError> {
        if item.len() > self.len() {
            return Err(KeyError::ExtraAttributes);
        }
        self.extract(item)
    }

    /// Returns the key's attributes as an item: what the API calls a `Key`.
    #[must_use]
    pub fn key_item(&self, key: &PrimaryKey) -> Item {
        self.attributes()
            .zip(key.hash.iter().chain(&key.range))
            .map(|(attribute, value)| (attribute.name.clone(), value.clone().into()))
            .collect()
    }
}

fn extract_one(item: &Item, key: &KeyAttribute) -> Result<KeyValue, KeyError> {
    let value = item.get(&key.name).ok_or_else(|| KeyError::Missing(key.name.clone()))?;
    KeyValue::new(value, key)
}

/// The value of a key attribute: a scalar that is not empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyValue {
    /// Text.
    S(String),
    /// Number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
}

impl KeyValue {
    /// Checks and returns the value of the key attribute `key`.
    ///
    /// # Errors
    ///
    /// [`KeyError::WrongType`] or [`KeyError::Empty`].
    pub fn new(value: &AttributeValue, key: &KeyAttribute) -> Result<Self, KeyError> {
        let value = match (value, key.scalar_type) {
            (AttributeValue::S(text), ScalarType::S) => Self::S(text.clone()),
            (AttributeValue::N(number), ScalarType::N) => Self::N(*number),
            (AttributeValue::B(bytes), ScalarType::B) => Self::B(bytes.clone()),
            (other, expected) => {
                let (name, actual) = (key.name.clone(), other.type_name());
                return Err(KeyError::WrongType { name, expected, actual });
            }
        };
        if value.size_bytes() == 0 {
            return Err(KeyError::Empty { name: key.name.clone(), scalar_type: key.scalar_type });
        }
        Ok(value)
    }

    /// Returns the size DynamoDB counts for the value, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::S(text) => text.len() as u64,
            Self::N(number) => number.size_bytes(),
            Self::B(bytes) => bytes.len() as u64,
        }
    }

    /// Returns how many bytes [`write_bytes`](Self::write_bytes) appends. It appends one more for each zero byte in the value.
    fn stored_bytes(&self) -> usize {
        match self {
            Self::S(text) => text.len() + 2,
            Self::B(bytes) => bytes.len() + 2,
            // Two bytes before the digits and one after them. Most numbers have few digits.
            Self::N(_) => 12,
        }
    }

    /// Appends bytes that sort like the values of their type. The bytes of a value are never a prefix of another value's.
    fn write_bytes(&self, out: &mut Vec<u8>) {
        match self {
            Self::N(number) => number.write_key_bytes(out),
            Self::S(text) => {
                write_escaped(text.as_bytes(), out);
                out.extend([0, 0]);
            }
            Self::B(bytes) => {
                write_escaped(bytes, out);
                out.extend([0, 0]);
            }
        }
    }
}

/// Appends `bytes` with each zero as `00 ff`. So `00 00` can mark the end, and the order stays the same.
fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(zero) = rest.iter().position(|&byte| byte == 0) {
        out.extend_from_slice(&rest[..zero]);
        out.extend([0, 0xff]);
        rest = &rest[zero + 1..];
    }
    out.extend_from_slice(rest);
}

impl From<KeyValue> for AttributeValue {
    fn from(value: KeyValue) -> Self {
        match value {
            KeyValue::S(text) => Self::S(text),
            KeyValue::N(number) => Self::N(number),
            KeyValue::B(bytes) => Self::B(bytes),
        }
    }
}

/// The values of a key, in the order of its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrimaryKey {
    /// The values of the hash attributes.
    pub hash: Vec<KeyValue>,
    /// The values of the range attributes.
    pub range: Vec<KeyValue>,
}

impl PrimaryKey {
    /// Returns the bytes under which the item with this key is stored.
    #[must_use]
    pub fn encode(&self) -> KeyBytes {
        KeyBytes::of(&self.hash, &self.range, 0)
    }

    /// Returns a hash of the partition key. It decides which shard of a stream contains the records of this key.
    ///
    /// This is not the hash that orders a scan. Keys were once ordered by this hash, and the ranges of shards are stored. With another hash
    /// the next record of a key could go to another open shard, and a consumer that reads shards in parallel could see it before the last one.
    #[must_use]
    pub fn shard_token(&self) -> u64 {
        let mut bytes = Vec::new();
        self.hash.iter().for_each(|value| value.write_bytes(&mut bytes));
        // The keys of the hash must be the same in every release, because the ranges of shards are stored.
        let mut hasher = SipHasher13::new_with_keys(0x7072_6574_656e_6465, 0x7220_746f_6b65_6e73);
        hasher.write(&bytes);
        hasher.finish()
    }

    /// Checks the sizes of the values.
    ///
    /// # Errors
    ///
    /// [`KeyError::HashTooLong`], [`KeyError::RangeTooLong`].
    pub fn check_sizes(&self) -> Result<(), KeyError> {
        if self.hash.iter().any(|value| value.size_bytes() > MAX_HASH_BYTES) {
            return Err(KeyError::HashTooLong);
        }
        if self.range.iter().any(|value| value.size_bytes() > MAX_RANGE_BYTES) {
            return Err(KeyError::RangeTooLong);
        }
        Ok(())
    }
}

/// The bytes under which an item or an index entry is stored.
///
/// They consist of eight bytes of a hash of the partition key (the token), the partition key, and the sort key. In an index entry, the key of
/// the table's item follows; in a global index, eight bytes of a hash of that key come between.
///
/// Their unsigned byte order is DynamoDB's: by sort key within a partition, and by hash among partitions and among equal keys of a
/// global index. A segment of a parallel scan is a range of tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyBytes(Vec<u8>);

impl KeyBytes {
    /// Takes bytes that [`KeyBytes::as_bytes`] has returned, for example from the database.
    #[must_use]
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Returns the common prefix of all keys with these hash values.
    #[must_use]
    pub fn partition(hash: &[KeyValue]) -> Self {
        Self::of(hash, &[], 0)
    }

    /// Returns the key with these values, with capacity for `more` bytes after it.
    fn of(hash: &[KeyValue], range: &[KeyValue], more: usize) -> Self {
        // One allocation: growing twice takes some 600 instructions, nearly as many as the hash.
        let values = || hash.iter().chain(range);
        let length: usize = values().map(KeyValue::stored_bytes).sum();
        let mut bytes = Vec::with_capacity(TOKEN_BYTES + length + more);
        bytes.extend_from_slice(&scan_order::hash(hash).to_be_bytes());
        values().for_each(|value| value.write_bytes(&mut bytes));
        Self(bytes)
    }

    /// Returns this partition followed by these range values, which may be fewer than the schema has.
    #[must_use]
    pub fn with_range(&self, range: &[KeyValue]) -> Self {
        let mut bytes = self.0.clone();
        range.iter().for_each(|value| value.write_bytes(&mut bytes));
        Self(bytes)
    }

    /// Returns the common prefix of all keys of this partition whose next range value begins with `prefix`.
    ///
    /// A number has no prefixes, so a number as `prefix` stands for itself.
    #[must_use]
    pub fn with_range_prefix(&self, prefix: &KeyValue) -> Self {
        let mut bytes = self.0.clone();
        match prefix {
            KeyValue::S(text) => write_escaped(text.as_bytes(), &mut bytes),
            KeyValue::B(value) => write_escaped(value, &mut bytes),
            KeyValue::N(number) => number.write_key_bytes(&mut bytes),
        }
        Self(bytes)
    }

    /// Returns the key of an index entry: the index key, then in a global index the [`tie_break`](PrimaryKey::tie_break) of the
    /// table's item, then the key of that item.
    #[must_use]
    pub fn index_entry(index_key: &PrimaryKey, tie_break: Option<u64>, base: &Self) -> Self {
        let mut key = Self::of(&index_key.hash, &index_key.range, TOKEN_BYTES + base.0.len());
        if let Some(tie_break) = tie_break {
            key.0.extend_from_slice(&tie_break.to_be_bytes());
        }
        key.0.extend_from_slice(&base.0);
        key
    }

    /// Returns the bytes of a key without its token. They have the order of the values: that of partition keys, then of sort keys.
    #[must_use]
    pub fn values_of(key: &[u8]) -> &[u8] {
        key.get(TOKEN_BYTES..).unwrap_or_default()
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes without copying them.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Returns the upper bound of all keys that start with this one: the first greater bytes, which are excluded.
    #[must_use]
    pub fn prefix_end(&self) -> Bound<Vec<u8>> {
        let mut bytes = self.0.clone();
        while let Some(last) = bytes.pop() {
            if last < 0xff {
                bytes.push(last + 1);
                return Bound::Excluded(bytes);
            }
        }
        Bound::Unbounded
    }
}

#[cfg(test)]
mod tests;
