//! The order of a scan: by a hash of the partition key.
//!
//! DynamoDB scans items in the order of `MD5("Outliers" + bytes of the partition key)`, compared as bytes. Text and bytes are
//! hashed as they are, numbers in an encoding of their own (`number/bytes.rs`). Eight of the sixteen bytes order all keys that
//! anybody has.

use md5::{Digest as _, Md5};

use super::{KeyBytes, KeyValue, PrimaryKey};

/// What is hashed before each key.
const PREFIX: &[u8] = b"Outliers";

/// The first eight bytes of the hash of these values, one after the other, as a number.
pub(super) fn hash<'v>(values: impl IntoIterator<Item = &'v KeyValue>) -> u64 {
    let mut md5 = Md5::new_with_prefix(PREFIX);
    for value in values {
        match value {
            KeyValue::S(text) => md5.update(text),
            KeyValue::B(bytes) => md5.update(bytes),
            KeyValue::N(number) => number.with_hashed_bytes(|bytes| md5.update(bytes)),
        }
    }
    md5.finalize().first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

impl PrimaryKey {
    /// Returns what orders the entries of this item in a global index among those with the same index key: the hash of the
    /// values of its whole key. `stored` are the bytes of this key.
    #[must_use]
    pub fn tie_break(&self, stored: &KeyBytes) -> u64 {
        match stored.0.first_chunk() {
            Some(token) if self.range.is_empty() => u64::from_be_bytes(*token),
            _ => hash(self.hash.iter().chain(&self.range)),
        }
    }
}

#[cfg(test)]
mod tests;
