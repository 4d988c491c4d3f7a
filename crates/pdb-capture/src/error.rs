//! What can go wrong when an item changes.

use pdb_model::{IndexName, KeyError, ParseError};
use pdb_store::StoreError;

/// Why an item could not be changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CaptureError {
    /// The item has an attribute of an index key that cannot be one: of another type, empty, or too long.
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
