//! The errors of this crate.

use pdb_capture::CaptureError;
use pdb_model::{ShardId, StreamArn};
use pdb_store::StoreError;

/// Why a sweep, or one of its parts, failed.
#[derive(Debug, thiserror::Error)]
pub enum CleanupError {
    /// No stream has this ARN.
    #[error("stream `{0}` does not exist")]
    StreamNotFound(StreamArn),
    /// The stream is disabled, so no shard of it can be opened.
    #[error("stream `{0}` is not enabled")]
    StreamNotEnabled(StreamArn),
    /// The stream has no open shard with this id.
    #[error("stream has no open shard `{0}`")]
    ShardNotOpen(ShardId),
    /// An expired item could not be removed.
    #[error("an expired item could not be deleted")]
    Capture(#[from] CaptureError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
