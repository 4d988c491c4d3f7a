//! Errors. An operation fails with an [`ApiError`], which has the code and the text of AWS; opening a database fails with a
//! [`StoreError`].
//!
//! # Examples
//!
//! ```
//! use pretender::Pretender;
//! use pretender::errors::ErrorCode;
//!
//! let db = Pretender::in_memory()?;
//! let error = db.describe_table(&"Orders".parse()?).unwrap_err();
//! assert_eq!(error.code, ErrorCode::ResourceNotFoundException);
//! assert_eq!(error.message, "Requested resource not found: Table: Orders not found");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// This is the one place where an error of any layer gets AWS's code. The matches have no wildcard, so a new variant does not
// compile until its code is chosen here.

#[doc(inline)]
pub use pdb_model::{ApiError, CancellationReason, ErrorCode};
#[doc(inline)]
pub use pdb_store::{OpenError, StoreError};

use pdb_items::ItemsError;
use pdb_streams::StreamsError;

use crate::Pretender;

/// AWS's text for a failure that is not the caller's.
const INTERNAL: &str = "The request processing has failed because of an unknown error, exception or failure.";

impl Pretender {
    /// Returns what a client is told of a failed operation on items or tables, in the words that were chosen.
    pub(crate) fn told(&self, error: ItemsError) -> ApiError {
        self.habits().reword(items_error(error))
    }
}

/// Returns what a client is told of a failed operation on items or tables.
pub(crate) fn items_error(error: ItemsError) -> ApiError {
    let code = match &error {
        ItemsError::Validation(_) => ErrorCode::ValidationException,
        ItemsError::ResourceNotFound(_) => ErrorCode::ResourceNotFoundException,
        ItemsError::ResourceInUse(_) => ErrorCode::ResourceInUseException,
        ItemsError::LimitExceeded(_) => ErrorCode::LimitExceededException,
        ItemsError::ConditionalCheckFailed { .. } => ErrorCode::ConditionalCheckFailedException,
        ItemsError::TransactionCanceled(_) => ErrorCode::TransactionCanceledException,
        ItemsError::IdempotentParameterMismatch => ErrorCode::IdempotentParameterMismatchException,
        ItemsError::DuplicateItem => ErrorCode::DuplicateItemException,
        ItemsError::TableNotFound(_) => ErrorCode::TableNotFoundException,
        ItemsError::TableAlreadyExists(_) => ErrorCode::TableAlreadyExistsException,
        ItemsError::BackupNotFound(_) => ErrorCode::BackupNotFoundException,
        ItemsError::PointInTimeRecoveryUnavailable(_) => ErrorCode::PointInTimeRecoveryUnavailableException,
        ItemsError::PolicyNotFound(_) => ErrorCode::PolicyNotFoundException,
        ItemsError::GlobalTableNotFound(_) => ErrorCode::GlobalTableNotFoundException,
        ItemsError::ExportNotFound(_) => ErrorCode::ExportNotFoundException,
        ItemsError::ImportNotFound(_) => ErrorCode::ImportNotFoundException,
        ItemsError::InvalidRestoreTime(_) => ErrorCode::InvalidRestoreTimeException,
        ItemsError::AccessDenied(_) => ErrorCode::AccessDeniedException,
        ItemsError::Store(store) => return store_error(store),
        ItemsError::Capture(capture) => return internal(capture),
    };
    let mut told = ApiError::new(code, error.to_string());
    match error {
        ItemsError::ConditionalCheckFailed { item } => told.item = item,
        ItemsError::TransactionCanceled(reasons) => told.cancellation_reasons = reasons,
        _ => {}
    }
    told
}

/// Returns what a client is told of a failed operation on streams.
pub(crate) fn streams_error(error: StreamsError) -> ApiError {
    let code = match &error {
        StreamsError::Validation(_) => ErrorCode::ValidationException,
        StreamsError::StreamNotFound(_)
        | StreamsError::ShardNotFound
        | StreamsError::IteratorShardNotFound => ErrorCode::ResourceNotFoundException,
        StreamsError::ExpiredIterator => ErrorCode::ExpiredIteratorException,
        StreamsError::Trimmed => ErrorCode::TrimmedDataAccessException,
        StreamsError::Throttled => ErrorCode::ThrottlingException,
        StreamsError::TooManyReaders => ErrorCode::LimitExceededException,
        StreamsError::Store(store) => return store_error(store),
    };
    ApiError::new(code, error.to_string())
}

/// Returns what a client is told of a store that failed.
///
/// What the operations expect of the store they turn into errors of their own before; what arrives here is a fault of the
/// storage or a bug. The client learns nothing of it, the log all.
pub(crate) fn store_error(error: &StoreError) -> ApiError {
    match error {
        StoreError::Closed => ApiError::new(ErrorCode::ServiceUnavailable, "The database is closed."),
        StoreError::TableNotFound(_)
        | StoreError::TableExists(_)
        | StoreError::TableChanged(_)
        | StoreError::IndexNotFound { .. }
        | StoreError::StreamNotFound(_)
        | StoreError::StreamExists(_)
        | StoreError::ShardNotFound(_)
        | StoreError::Exhausted(_)
        | StoreError::Corrupt { .. }
        | StoreError::Open(_)
        | StoreError::Database { .. }
        | StoreError::Unavailable { .. }
        | StoreError::FileGone(_)
        | StoreError::Conflict
        | StoreError::Unsupported(_)
        | StoreError::Panicked(_)
        | StoreError::BrokenOff
        | StoreError::Thread(_) => internal(error),
    }
}

fn internal(error: &(dyn std::error::Error + 'static)) -> ApiError {
    tracing::error!(error, "an operation failed for a reason that is not the caller's");
    ApiError::new(ErrorCode::InternalServerError, INTERNAL)
}
