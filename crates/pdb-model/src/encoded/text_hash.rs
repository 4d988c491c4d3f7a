//! The hash of stored texts.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use twox_hash::XxHash3_64;

/// Returns the XXH3 (64 bits) of a text or a key, from which the checksums of stored rows are made. It stays what it is for ever.
#[must_use]
#[inline]
pub fn text_hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// The hash of a text that does not change, once it is known: an item is hashed when it is read or written, and again as an image of
/// a stream record.
pub(super) struct KnownHash(AtomicU64);

/// No hash is known. A text that has this hash is hashed each time.
const UNKNOWN: u64 = 0;

impl KnownHash {
    pub(super) fn new(hash: u64) -> Self {
        Self(AtomicU64::new(hash))
    }

    pub(super) fn of(&self, text: &str) -> u64 {
        match self.0.load(Ordering::Relaxed) {
            UNKNOWN => {
                let hash = text_hash(text.as_bytes());
                self.0.store(hash, Ordering::Relaxed);
                hash
            }
            known => known,
        }
    }
}

impl Default for KnownHash {
    fn default() -> Self {
        Self::new(UNKNOWN)
    }
}

impl Clone for KnownHash {
    fn clone(&self) -> Self {
        Self::new(self.0.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for KnownHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

/// It says nothing that the text does not.
impl PartialEq for KnownHash {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KnownHash {}
