//! Why an operation was refused.

use pdb_items::ItemsError;
use pdb_store::StoreError;

/// Why an operation on imports, bulk operations or exports was refused. A variant that carries a text carries AWS's, as far as it is known.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// As the operations on tables refuse.
    #[error(transparent)]
    Items(#[from] ItemsError),
    /// `ImportConflictException`: the token was used with other parameters.
    #[error("{0}")]
    ImportConflict(String),
    /// `ExportConflictException`: the token was used with other parameters.
    #[error("{0}")]
    ExportConflict(String),
    /// `InvalidExportTimeException`: the time is outside of what can be restored.
    #[error("{0}")]
    InvalidExportTime(String),
}

impl From<StoreError> for TransferError {
    fn from(error: StoreError) -> Self {
        Self::Items(error.into())
    }
}

impl TransferError {
    /// A `ValidationException` with this text.
    pub(crate) fn validation(text: impl Into<String>) -> Self {
        Self::Items(ItemsError::Validation(text.into()))
    }
}

/// A stored description that cannot be read, or written, is a bug or a damaged database.
pub(crate) fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::corrupt("description of an import, export or bulk operation", error)
}
