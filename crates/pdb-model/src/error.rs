//! Errors that all layers share: texts that cannot be parsed, and the API's errors.

use std::fmt;

use crate::EncodedItem;

/// A text that cannot be parsed as a certain type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {given}")]
pub struct ParseError {
    what: &'static str,
    given: String,
}

impl ParseError {
    /// Returns the error for `given`, which is not a valid `what`.
    pub fn new(what: &'static str, given: impl Into<String>) -> Self {
        Self { what, given: given.into() }
    }
}

/// An error of the API, as a client receives it: AWS's code, a message, and the members that some codes add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// AWS's name of the exception.
    pub code: ErrorCode,
    /// The message. Empty for the few exceptions that have none.
    pub message: String,
    /// The stored item, if a condition failed and the request asked for the item.
    pub item: Option<EncodedItem>,
    /// One reason for each action of a cancelled transaction, in order. Empty for other errors.
    pub cancellation_reasons: Vec<CancellationReason>,
}

impl ApiError {
    /// Returns an error with a code and a message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), item: None, cancellation_reasons: Vec::new() }
    }

    /// Returns a `ValidationException`.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ValidationException, message)
    }

    /// Returns a `TransactionCanceledException` with one reason for each action, in order. The text lists the codes of the reasons.
    #[must_use]
    pub fn transaction_canceled(reasons: Vec<CancellationReason>) -> Self {
        let text = CancellationReason::summary(&reasons);
        Self { cancellation_reasons: reasons, ..Self::new(ErrorCode::TransactionCanceledException, text) }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

/// Why one action of a cancelled transaction failed, or [`none`](Self::none) if it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancellationReason {
    /// `None`, `ConditionalCheckFailed`, `ValidationError`, `DuplicateItem`, ….
    pub code: &'static str,
    /// The message. Absent for the code `None`.
    pub message: Option<String>,
    /// The stored item, if the action asked for it.
    pub item: Option<EncodedItem>,
}

impl CancellationReason {
    /// Returns the reason of an action that did not fail.
    #[must_use]
    pub fn none() -> Self {
        Self { code: "None", message: None, item: None }
    }

    /// Returns the text of a cancelled transaction, which lists the codes of the reasons of all actions.
    #[must_use]
    pub fn summary(reasons: &[Self]) -> String {
        let codes: Vec<&str> = reasons.iter().map(|reason| reason.code).collect();
        format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        )
    }
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $code:ident),+ $(,)?) => {
        /// The exceptions of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $code),+
        }

        impl ErrorCode {
            /// Returns AWS's name of the exception.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => stringify!($code)),+
                }
            }
        }
    };
}

error_codes! {
    /// The caller lacks the permission.
    AccessDeniedException,
    /// The backup is being created or deleted.
    BackupInUseException,
    /// No backup has this ARN.
    BackupNotFoundException,
    /// The condition of a write does not hold.
    ConditionalCheckFailedException,
    /// Backups cannot be created yet.
    ContinuousBackupsUnavailableException,
    /// A PartiQL `INSERT` of a key that exists.
    DuplicateItemException,
    /// The iterator is older than 15 minutes.
    ExpiredIteratorException,
    /// The session token of temporary credentials has expired.
    ExpiredTokenException,
    /// A token was used for an export with other parameters.
    ExportConflictException,
    /// No export has this ARN.
    ExportNotFoundException,
    /// No global table has this name.
    GlobalTableNotFoundException,
    /// A request token was reused with other parameters.
    IdempotentParameterMismatchException,
    /// A token was used for an import with other parameters.
    ImportConflictException,
    /// No import has this ARN.
    ImportNotFoundException,
    /// A signature lacks a part.
    IncompleteSignatureException,
    /// No index has this name.
    IndexNotFoundException,
    /// A bug, or a failure of the storage.
    InternalServerError,
    /// The time of an export is outside of what can be restored.
    InvalidExportTimeException,
    /// The restore time is out of range.
    InvalidRestoreTimeException,
    /// The signature is wrong.
    InvalidSignatureException,
    /// The items of one partition key exceed 10 GB.
    ItemCollectionSizeLimitExceededException,
    /// Too many resources of one kind, or too many operations at once.
    LimitExceededException,
    /// The request is not signed.
    MissingAuthenticationTokenException,
    /// Point-in-time recovery is off.
    PointInTimeRecoveryUnavailableException,
    /// The resource has no policy.
    PolicyNotFoundException,
    /// The table's capacity is used up.
    ProvisionedThroughputExceededException,
    /// The account's request rate is used up.
    RequestLimitExceeded,
    /// The table, or another resource of the request, is in a state that does not allow the operation.
    ResourceInUseException,
    /// A resource that the request names does not exist.
    ResourceNotFoundException,
    /// The request does not have the expected structure.
    SerializationException,
    /// The service cannot answer now.
    ServiceUnavailable,
    /// A table with this name exists.
    TableAlreadyExistsException,
    /// The table is being changed.
    TableInUseException,
    /// No table has this name.
    TableNotFoundException,
    /// Too many requests.
    ThrottlingException,
    /// A transaction failed. The cancellation reasons say why.
    TransactionCanceledException,
    /// Another transaction works on the item.
    TransactionConflictException,
    /// A transaction with this token is still in progress.
    TransactionInProgressException,
    /// The records were trimmed.
    TrimmedDataAccessException,
    /// No operation has this name.
    UnknownOperationException,
    /// The access key is unknown.
    UnrecognizedClientException,
    /// A parameter of the request is invalid.
    ValidationException,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
