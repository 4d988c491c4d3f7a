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

/// AWS's text for a failure that is not the caller's.
const INTERNAL: &str = "The request processing has failed because of an unknown error, exception or failure.";

/// Returns AWS's error for a failed operation on items or tables.
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
        ItemsError::TableInUse(_) => ErrorCode::TableInUseException,
        ItemsError::ContinuousBackupsUnavailable(_) => ErrorCode::ContinuousBackupsUnavailableException,
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
    let mut api_error = ApiError::new(code, error.to_string());
    match error {
        ItemsError::ConditionalCheckFailed { item } => api_error.item = item,
        ItemsError::TransactionCanceled(reasons) => api_error.cancellation_reasons = reasons,
        _ => {}
    }
    api_error
}

/// Returns AWS's error for a failed operation on streams.
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

/// Returns AWS's error for a failure of the store.
///
/// Operations turn the errors that they expect of the store into their own. What arrives here is a failure of the storage or a bug: the
/// client gets an internal error, and the log gets the cause.
pub(crate) fn store_error(error: &StoreError) -> ApiError {
    match error {
        StoreError::Closed => ApiError::new(ErrorCode::ServiceUnavailable, "The database is closed."),
        StoreError::TableNotFound(_)
        | StoreError::TableExists(_)
        | StoreError::TableChanged(_)
        | StoreError::PastLost(_)
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
        | StoreError::SyncFailed(_)
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
