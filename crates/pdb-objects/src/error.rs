//! Why an object cannot be read or written.

use std::io;

/// Why an object cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such bucket.
    #[error("the bucket `{bucket}` does not exist")]
    NoSuchBucket {
        /// The bucket.
        bucket: String,
    },
    /// The bucket has no such object.
    #[error("the bucket `{bucket}` has no object `{key}`")]
    NoSuchKey {
        /// The bucket.
        bucket: String,
        /// The key of the object.
        key: String,
    },
    /// The store refuses the access.
    #[error("access to `{key}` in the bucket `{bucket}` is denied: {reason}")]
    Denied {
        /// The bucket.
        bucket: String,
        /// The key of the object, or the prefix of a list.
        key: String,
        /// What the store says.
        reason: String,
    },
    /// Anything else: a network that does not answer, a full disk. Another attempt may succeed.
    #[error("`{key}` in the bucket `{bucket}`: {source}")]
    Failed {
        /// The bucket.
        bucket: String,
        /// The key of the object, or the prefix of a list.
        key: String,
        /// The reason.
        source: io::Error,
    },
}

impl ObjectError {
    /// Returns the error that an [`io::Error`] of a reader or writer has inside, or else a failure with this reason.
    #[must_use]
    pub fn from_io(bucket: &str, key: &str, error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(source) => Self::Failed { bucket: bucket.to_owned(), key: key.to_owned(), source },
        }
    }

    /// Returns the error for a file: a permission that is missing is not just any failure.
    #[cfg(feature = "folder")]
    pub(crate) fn of_file(bucket: &str, key: &str, error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::PermissionDenied {
            let (bucket, key) = (bucket.to_owned(), key.to_owned());
            return Self::Denied { bucket, key, reason: error.to_string() };
        }
        Self::from_io(bucket, key, error)
    }
}

impl From<ObjectError> for io::Error {
    fn from(error: ObjectError) -> Self {
        Self::other(error)
    }
}
