//! Errors every layer shares: a text that cannot be read, and what a client is told.

use std::fmt;

use crate::EncodedItem;

/// A text that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {given}")]
pub struct ParseError {
    what: &'static str,
    given: String,
}

impl ParseError {
    /// Returns the error that `given` is no `what`.
    pub fn new(what: &'static str, given: impl Into<String>) -> Self {
        Self { what, given: given.into() }
    }
}

/// What a client is told when an operation fails: AWS's code, the text, and what some codes carry besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// AWS's name of the exception.
    pub code: ErrorCode,
    /// The text. Empty for the few exceptions that have none.
    pub message: String,
    /// The stored item, for a failed condition if the request asked for it.
    pub item: Option<EncodedItem>,
    /// One reason for each action of a cancelled transaction, in order; empty for other errors.
    pub cancellation_reasons: Vec<CancellationReason>,
}

impl ApiError {
    /// Returns an error with a code and a text.
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

/// Why one action of a transaction failed, or that it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancellationReason {
    /// `None`, `ConditionalCheckFailed`, `ValidationError`, `DuplicateItem`, ….
    pub code: &'static str,
    /// The text; absent for `None`.
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
        /// AWS's names of exceptions.
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
    /// The caller may not do this.
    AccessDeniedException,
    /// The backup is being made or removed.
    BackupInUseException,
    /// No backup has this ARN.
    BackupNotFoundException,
    /// The condition of a write does not hold.
    ConditionalCheckFailedException,
    /// Backups cannot be made yet.
    ContinuousBackupsUnavailableException,
    /// A PartiQL INSERT of a key that exists.
    DuplicateItemException,
    /// The iterator is older than 15 minutes.
    ExpiredIteratorException,
    /// No export has this ARN.
    ExportNotFoundException,
    /// No global table has this name.
    GlobalTableNotFoundException,
    /// A request token was used again with other parameters.
    IdempotentParameterMismatchException,
    /// No import has this ARN.
    ImportNotFoundException,
    /// A signature lacks a part.
    IncompleteSignatureException,
    /// No index has this name.
    IndexNotFoundException,
    /// A bug or a storage failure, in the service's words.
    InternalServerError,
    /// The restore time is out of range.
    InvalidRestoreTimeException,
    /// The signature is wrong.
    InvalidSignatureException,
    /// The items of one partition key exceed 10 GB.
    ItemCollectionSizeLimitExceededException,
    /// Too many of something at once.
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
    /// The table, or what else the request works on, is in a state that forbids the operation.
    ResourceInUseException,
    /// What the request names does not exist.
    ResourceNotFoundException,
    /// The request has not the shape it should have.
    SerializationException,
    /// The service cannot answer now.
    ServiceUnavailable,
    /// A table of this name exists.
    TableAlreadyExistsException,
    /// The table is being changed.
    TableInUseException,
    /// No table has this name.
    TableNotFoundException,
    /// Too many requests.
    ThrottlingException,
    /// A transaction failed; the reasons say why.
    TransactionCanceledException,
    /// Another transaction works on the item.
    TransactionConflictException,
    /// A transaction with this token has not ended yet.
    TransactionInProgressException,
    /// The records were trimmed.
    TrimmedDataAccessException,
    /// No operation has this name.
    UnknownOperationException,
    /// The access key is unknown.
    UnrecognizedClientException,
    /// The request breaks a rule.
    ValidationException,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
