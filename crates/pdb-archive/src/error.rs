//! What can go wrong with an archive.

use pdb_objects::ObjectError;
use pdb_store::StoreError;

/// What can go wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store of objects fails.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An object is not what the archive has written.
    #[error("the object `{key}` of the archive in bucket `{bucket}` is damaged: {reason}")]
    Damaged {
        /// The bucket.
        bucket: String,
        /// The key of the object.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The archive has other records under the numbers of this database.
    #[error(
        "the archive in `{location}` has other records of the stream {stream} than this database, from {number} on: it belongs to another \
         database. Use another bucket or prefix"
    )]
    Foreign {
        /// Where the archive is.
        location: String,
        /// The ARN of the stream.
        stream: String,
        /// The sequence number of the first record that differs.
        number: String,
    },
    /// Records went while they were written: a command has trimmed them, or another database has taken the place of this one.
    #[error("records of shard `{shard}` of the stream {stream} went while they were archived")]
    Changed {
        /// The ARN of the stream.
        stream: String,
        /// The id of the shard.
        shard: String,
    },
    /// The database was opened without an archive.
    #[error("the database was opened without an archive")]
    NoArchive,
}

impl ArchiveError {
    /// Whether every other access to the store of objects will probably fail, too.
    pub(crate) fn is_of_objects(&self) -> bool {
        matches!(self, Self::Objects(_))
    }
}
