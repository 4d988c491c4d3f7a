//! The codec of shard iterators.
//!
//! An iterator is a text of the form `<stream ARN>|1|<base64>`, as on AWS. It contains its whole state, so every process that shares the
//! database accepts it, also after a restart. A checksum with the database's key covers all of it, so a changed or forged iterator is refused.

use std::fmt;
use std::hash::Hasher;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::{EpochMillis, ParseError, SequenceNumber, ShardId, StreamArn};

/// The format of the text behind the ARN.
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 16;

/// The secret key of a database. It signs the database's iterators.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IteratorKey(pub [u8; 16]);

/// Does not print the secret.
impl fmt::Debug for IteratorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IteratorKey(…)")
    }
}

/// The position of an iterator in its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IteratorPosition {
    /// Before the oldest record that still exists when the iterator is used.
    TrimHorizon,
    /// Before the record with this number, or before the first one after it.
    At(SequenceNumber),
    /// After the record with this number.
    After(SequenceNumber),
}

/// A position in a shard, with the time it was issued.
///
/// # Examples
///
/// ```
/// use pdb_model::{EpochMillis, IteratorKey, IteratorPosition, ShardId, ShardIterator};
///
/// let key = IteratorKey([7; 16]);
/// let iterator = ShardIterator {
///     stream_arn: "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017".parse()?,
///     shard_id: ShardId::at(EpochMillis(1_772_356_542_017), 1),
///     position: IteratorPosition::TrimHorizon,
///     issued: EpochMillis(1_772_356_600_000),
///     nonce: 0,
/// };
/// let text = iterator.encode(&key);
/// assert_eq!(ShardIterator::decode(&text, &key)?, iterator);
/// assert!(ShardIterator::decode(&text, &IteratorKey([8; 16])).is_err());
/// # Ok::<(), pdb_model::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShardIterator {
    /// The stream.
    pub stream_arn: StreamArn,
    /// The shard.
    pub shard_id: ShardId,
    /// The position in the shard.
    pub position: IteratorPosition,
    /// When the iterator was issued. It expires after 15 minutes.
    pub issued: EpochMillis,
    /// Makes two iterators for the same position differ, as on AWS.
    pub nonce: u32,
}

impl ShardIterator {
    /// Returns the iterator as a text of at most 2048 characters, signed with `key`.
    #[must_use]
    pub fn encode(&self, key: &IteratorKey) -> String {
        let mut bytes = vec![VERSION];
        let (kind, number) = match self.position {
            IteratorPosition::TrimHorizon => (0, SequenceNumber { counter: 0, shard: 0 }),
            IteratorPosition::At(number) => (1, number),
            IteratorPosition::After(number) => (2, number),
        };
        bytes.push(kind);
        bytes.extend(number.counter.to_be_bytes());
        bytes.extend(number.shard.to_be_bytes());
        bytes.extend(self.issued.0.to_be_bytes());
        bytes.extend(self.nonce.to_be_bytes());
        bytes.extend(self.shard_id.as_str().as_bytes());
        let arn = self.stream_arn.to_string();
        let checksum = checksum(key, &arn, &bytes);
        bytes.extend(checksum);
        format!("{arn}|1|{}", BASE64.encode(bytes))
    }

    /// Parses an iterator and checks its signature.
    ///
    /// # Errors
    ///
    /// [`ParseError`] if [`ShardIterator::encode`] did not create the text with the same key.
    pub fn decode(text: &str, key: &IteratorKey) -> Result<Self, ParseError> {
        Self::try_decode(text, key).ok_or_else(|| ParseError::new("shard iterator", text))
    }

    fn try_decode(text: &str, key: &IteratorKey) -> Option<Self> {
        let (rest, token) = text.rsplit_once('|')?;
        let arn = rest.strip_suffix("|1")?;
        let bytes = BASE64.decode(token).ok()?;
        let (body, given) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        if *given != checksum(key, arn, body) {
            return None;
        }
        let (&[VERSION, kind], body) = body.split_first_chunk::<2>()? else { return None };
        let (counter, body) = body.split_first_chunk()?;
        let (shard, body) = body.split_first_chunk()?;
        let (issued, body) = body.split_first_chunk()?;
        let (nonce, shard_id) = body.split_first_chunk()?;
        let number =
            SequenceNumber { counter: u64::from_be_bytes(*counter), shard: u64::from_be_bytes(*shard) };
        let position = match kind {
            0 => IteratorPosition::TrimHorizon,
            1 => IteratorPosition::At(number),
            2 => IteratorPosition::After(number),
            _ => return None,
        };
        Some(Self {
            stream_arn: arn.parse().ok()?,
            shard_id: std::str::from_utf8(shard_id).ok()?.parse().ok()?,
            position,
            issued: EpochMillis(i64::from_be_bytes(*issued)),
            nonce: u32::from_be_bytes(*nonce),
        })
    }
}

/// Returns a checksum that cannot be computed without the key.
fn checksum(key: &IteratorKey, arn: &str, body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = SipHasher24::new_with_key(&key.0);
    hasher.write(&(arn.len() as u64).to_be_bytes());
    hasher.write(arn.as_bytes());
    hasher.write(body);
    hasher.finish128().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: IteratorKey = IteratorKey([42; 16]);

    fn iterator() -> ShardIterator {
        ShardIterator {
            stream_arn: "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017"
                .parse()
                .unwrap(),
            shard_id: ShardId::at(EpochMillis(1_772_356_542_017), 0xabcd),
            position: IteratorPosition::After(SequenceNumber { counter: 12, shard: 4 }),
            issued: EpochMillis(1_772_356_600_123),
            nonce: 9,
        }
    }

    /// Every later release has to read iterators of version 1.
    #[test]
    fn version_1_is_decoded() {
        let text = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017|1|";
        assert!(iterator().encode(&KEY).starts_with(text));
        assert_eq!(ShardIterator::decode(&iterator().encode(&KEY), &KEY).unwrap(), iterator());
    }

    proptest! {
        #[test]
        fn every_change_is_noticed(at in 0usize..200, byte in 0x20u8..0x7f) {
            let good = iterator().encode(&KEY);
            let mut bad = good.clone().into_bytes();
            let at = at % bad.len();
            bad[at] = byte;
            let bad = String::from_utf8(bad).unwrap();
            prop_assert_eq!(ShardIterator::decode(&bad, &KEY).is_ok(), bad == good);
            prop_assert!(ShardIterator::decode(&good[..at], &KEY).is_err());
        }

        #[test]
        fn nothing_invented_is_accepted(text in "\\PC{0,80}") {
            prop_assert!(ShardIterator::decode(&text, &KEY).is_err());
        }
    }
}
