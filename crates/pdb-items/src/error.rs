//! Why an operation was refused.

use pdb_capture::CaptureError;
use pdb_model::{CancellationReason, EncodedItem};
use pdb_store::StoreError;

/// The text of a missing table on every operation on items.
const RESOURCE_NOT_FOUND: &str = "Requested resource not found";

/// Why an operation on items or tables was refused.
///
/// A variant that carries a text carries AWS's, word for word; the facade chooses the code.
#[derive(Debug, thiserror::Error)]
pub enum ItemsError {
    /// `ValidationException`.
    #[error("{0}")]
    Validation(String),
    /// `ResourceNotFoundException`.
    #[error("{0}")]
    ResourceNotFound(String),
    /// `ResourceInUseException`.
    #[error("{0}")]
    ResourceInUse(String),
    /// `LimitExceededException`.
    #[error("{0}")]
    LimitExceeded(String),
    /// `ConditionalCheckFailedException`, with the stored item if the request asked for it.
    #[error("The conditional request failed")]
    ConditionalCheckFailed {
        /// The item as it is stored: only with `ReturnValuesOnConditionCheckFailure: ALL_OLD`.
        item: Option<EncodedItem>,
    },
    /// `TransactionCanceledException`, one reason for each action in the order of the request.
    #[error("{}", CancellationReason::summary(.0))]
    TransactionCanceled(Vec<CancellationReason>),
    /// `IdempotentParameterMismatchException`.
    #[error("The client request token was reused with different parameters")]
    IdempotentParameterMismatch,
    /// `DuplicateItemException`, of a PartiQL `INSERT`.
    #[error("Duplicate primary key exists in table")]
    DuplicateItem,
    /// `TableNotFoundException`, of backups and continuous backups.
    #[error("{0}")]
    TableNotFound(String),
    /// `TableAlreadyExistsException`, of a restore.
    #[error("{0}")]
    TableAlreadyExists(String),
    /// `TableInUseException`, of backups.
    #[error("{0}")]
    TableInUse(String),
    /// `ContinuousBackupsUnavailableException`.
    #[error("{0}")]
    ContinuousBackupsUnavailable(String),
    /// `BackupNotFoundException`.
    #[error("{0}")]
    BackupNotFound(String),
    /// `PointInTimeRecoveryUnavailableException`.
    #[error("{0}")]
    PointInTimeRecoveryUnavailable(String),
    /// `InvalidRestoreTimeException`.
    #[error("{0}")]
    InvalidRestoreTime(String),
    /// `AccessDeniedException`: the resource belongs to another account.
    #[error("{0}")]
    AccessDenied(String),
    /// `PolicyNotFoundException`.
    #[error("{0}")]
    PolicyNotFound(String),
    /// `GlobalTableNotFoundException`.
    #[error("{0}")]
    GlobalTableNotFound(String),
    /// `ExportNotFoundException`.
    #[error("{0}")]
    ExportNotFound(String),
    /// `ImportNotFoundException`.
    #[error("{0}")]
    ImportNotFound(String),
    /// The store failed; a missing table has become [`ItemsError::ResourceNotFound`].
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// The write door failed.
    #[error("the change could not be captured")]
    Capture(#[source] CaptureError),
}

impl ItemsError {
    /// A `ValidationException` with this text.
    pub fn validation(text: impl Into<String>) -> Self {
        Self::Validation(text.into())
    }
}

/// The refusal of a table that is not there.
pub(crate) fn not_found() -> ItemsError {
    ItemsError::ResourceNotFound(RESOURCE_NOT_FOUND.to_owned())
}

impl From<StoreError> for ItemsError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TableNotFound(_) => not_found(),
            other => Self::Store(other),
        }
    }
}

impl From<CaptureError> for ItemsError {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Store(error) => error.into(),
            CaptureError::IndexKey { .. } | CaptureError::Corrupt(_) => Self::Capture(error),
        }
    }
}
