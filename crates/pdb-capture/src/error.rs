//! The error of this crate.

use pdb_model::{IndexName, KeyError, ParseError};
use pdb_store::StoreError;

/// Why an item could not be changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CaptureError {
    /// An attribute of the item cannot be the key of an index: it has another type, is empty, or is too long.
    #[error("the item does not fit index `{index}`")]
    IndexKey {
        /// The index.
        index: IndexName,
        /// What is wrong.
        source: KeyError,
    },
    /// A stored item cannot be read.
    #[error("a stored item cannot be read")]
    Corrupt(#[source] ParseError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
