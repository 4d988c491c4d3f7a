//! How much memory a request may take once it is decoded.
//!
//! Three bytes of JSON (`{},`) can become two kilobytes of a structure. So everything that is kept counts, and a request that takes too much
//! is refused while it is read. The limit is far above what a request within AWS's limits takes: see `docs/compatibility.md`.

use std::cell::Cell;

use pdb_model::{ApiError, MAX_ITEM_BYTES};
use serde::de::Error;

/// How many bytes a request may take once it is decoded.
pub(crate) const MAX_DECODED_BYTES: usize = 48 * 1024 * 1024;
/// The same where values are copied into what they become: updates, transactions and statements.
pub(crate) const MAX_COPIED_BYTES: usize = 24 * 1024 * 1024;
/// So much of an item or a value is kept: enough to know that it is too large.
const MAX_KEPT_BYTES: u64 = 2 * MAX_ITEM_BYTES;

/// So much of a text or of bytes is kept: more than an item may have.
pub(crate) const MAX_PART_BYTES: usize = MAX_ITEM_BYTES as usize + 8;

/// Counts what is decoded of one request.
#[derive(Debug)]
pub(crate) struct Meter {
    max_bytes: usize,
    /// Bytes of memory that may still be taken.
    left: Cell<usize>,
    is_exhausted: Cell<bool>,
    /// How many items and values are around the next one.
    nesting: Cell<u32>,
    /// DynamoDB's size, at least, of the outermost item or value that is being read.
    item_bytes: Cell<u64>,
}

impl Meter {
    /// Returns the meter of a request of which nothing is decoded, and that may take so many bytes.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            left: Cell::new(max_bytes),
            is_exhausted: Cell::new(false),
            nesting: Cell::new(0),
            item_bytes: Cell::new(0),
        }
    }

    /// Takes memory for something that is kept.
    ///
    /// # Errors
    ///
    /// There is not so much left.
    pub(crate) fn take<E: Error>(&self, bytes: usize) -> Result<(), E> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                self.is_exhausted.set(true);
                Err(E::custom("too much to decode"))
            }
        }
    }

    /// Gives back what was taken for something that is gone.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.left.set(self.left.get() + bytes);
    }

    /// The error of a request that took too much.
    pub(crate) fn refusal(&self) -> Option<ApiError> {
        self.is_exhausted.get().then(|| {
            ApiError::validation(format!(
                "The request has too many values: decoded, it takes more than {} bytes of memory. Send fewer or larger \
                 values in a request",
                self.max_bytes
            ))
        })
    }

    /// Begins an item or a value; returns whether nothing is around it.
    pub(crate) fn enter(&self) -> bool {
        let nesting = self.nesting.get();
        if nesting == 0 {
            self.item_bytes.set(0);
        }
        self.nesting.set(nesting + 1);
        nesting == 0
    }

    /// Ends what the last [`enter`](Self::enter) began.
    pub(crate) fn leave(&self) {
        self.nesting.set(self.nesting.get() - 1);
    }

    /// Counts a part of the outermost item or value, at least at its size; returns whether to keep it.
    ///
    /// The part with which it becomes too large is kept, of a text or bytes [`MAX_PART_BYTES`]: so what is kept is too large as well.
    pub(crate) fn keeps(&self, bytes: usize) -> bool {
        let is_kept = !self.is_cut();
        self.item_bytes.set(self.item_bytes.get() + bytes as u64);
        is_kept
    }

    /// Whether the outermost item or value is so large that what follows is not kept.
    pub(crate) fn is_cut(&self) -> bool {
        self.item_bytes.get() > MAX_KEPT_BYTES
    }
}
