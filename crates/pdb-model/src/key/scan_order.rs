//! The order of a scan: a hash of the partition key.
//!
//! DynamoDB scans items in the order of `MD5("Outliers" + bytes of the partition key)`, compared as bytes (`scan-order.md`). Texts and byte
//! strings are hashed as they are, numbers in an encoding of their own (`number/bytes.rs`). The first eight of the sixteen bytes are enough: two
//! keys with the same eight bytes are ordered by their values, and such pairs are too rare to notice.

use md5::{Digest as _, Md5};

use super::{KeyBytes, KeyValue, PrimaryKey};

/// The text that DynamoDB puts before each key.
const PREFIX: &[u8] = b"Outliers";

/// Returns the first eight bytes of the hash of these values, concatenated, as a number.
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
    /// Returns the hash of the whole key, which orders entries of a global index that have the same index key.
    ///
    /// `stored` are the bytes of this key. They already contain the hash if the key has no sort key.
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
