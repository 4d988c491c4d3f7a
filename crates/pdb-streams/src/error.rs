//! What can go wrong when streams are read, in AWS's words.

use pdb_model::StreamArn;
use pdb_store::StoreError;

/// Why a Streams operation failed. The message is the text AWS gives its client.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// The request breaks a rule; a `ValidationException`.
    #[error("{0}")]
    Validation(String),
    /// No such stream, or it was purged 24 hours after it was disabled.
    #[error("Requested resource not found: Stream: {0} not found")]
    StreamNotFound(StreamArn),
    /// No such shard, or it was dropped once its records had been trimmed.
    #[error("Requested resource not found: Shard does not exist")]
    ShardNotFound,
    /// The shard of an iterator is gone.
    #[error("Invalid ShardId in ShardIterator")]
    IteratorShardNotFound,
    /// The iterator was issued more than 15 minutes ago.
    #[error("The provided iterator exceeds the maximum age allowed.")]
    ExpiredIterator,
    /// The position lies before the oldest record.
    #[error("The data you are trying to access has been trimmed")]
    Trimmed,
    /// Too many calls a second, if limits are enforced.
    #[error("Rate exceeded")]
    Throttled,
    /// Too many readers of one shard, if limits are enforced.
    #[error("Rate exceeded")]
    TooManyReaders,
    /// The store failed.
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    Store(#[from] StoreError),
}

impl StreamsError {
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::Validation(message.into())
    }

    pub(crate) fn invalid_parameter(message: impl std::fmt::Display) -> Self {
        Self::Validation(format!("One or more parameter values were invalid: {message}"))
    }
}
