//! What can go wrong when cleaning up.

use pdb_capture::CaptureError;
use pdb_model::{ShardId, StreamArn};
use pdb_store::StoreError;

/// Why cleaning up failed.
#[derive(Debug, thiserror::Error)]
pub enum CleanupError {
    /// There is no such stream.
    #[error("stream `{0}` does not exist")]
    StreamNotFound(StreamArn),
    /// The stream is disabled, so that no shard of it may be opened.
    #[error("stream `{0}` is not enabled")]
    StreamNotEnabled(StreamArn),
    /// The stream has no open shard of this id.
    #[error("stream has no open shard `{0}`")]
    ShardNotOpen(ShardId),
    /// An expired item could not be removed.
    #[error("expired item could not be removed")]
    Capture(#[from] CaptureError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
