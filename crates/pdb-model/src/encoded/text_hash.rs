//! The hash of stored texts.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use twox_hash::XxHash3_64;

/// Returns the 64-bit XXH3 hash of a text or a key. The checksums of stored rows contain it, so it never changes.
#[must_use]
#[inline]
pub fn text_hash(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}

/// The cached hash of a text that does not change. An item is hashed when it is read or written, and again as an image of a stream record;
/// the cache saves the second time.
pub(super) struct CachedHash(AtomicU64);

/// The value while no hash is cached. A text that really has this hash is hashed each time.
const UNKNOWN: u64 = 0;

impl CachedHash {
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

impl Default for CachedHash {
    fn default() -> Self {
        Self::new(UNKNOWN)
    }
}

impl Clone for CachedHash {
    fn clone(&self) -> Self {
        Self::new(self.0.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for CachedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

/// Always equal: the hash follows from the text, which is compared anyway.
impl PartialEq for CachedHash {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for CachedHash {}
