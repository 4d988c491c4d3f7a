//! Where an archive is, and how long the trim waits for it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use pdb_objects::ObjectStore;

use crate::ArchiveError;

/// Settings of an archive: its place, and how long the trim waits for it.
///
/// The text form is `BUCKET` or `BUCKET/PREFIX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveOptions {
    /// The bucket, which must exist.
    pub bucket: String,
    /// What all keys begin with, followed by a slash; empty for none.
    pub prefix: String,
    /// How long records that have outlived the retention wait for a broken archive. Then they are trimmed without it. The default is 7 days.
    pub max_delay: Duration,
}

impl ArchiveOptions {
    /// The default of [`max_delay`](Self::max_delay).
    pub const MAX_DELAY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Returns the settings of an archive in a bucket.
    #[must_use]
    pub fn new(bucket: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), prefix: String::new(), max_delay: Self::MAX_DELAY }
    }

    /// Sets what all keys begin with.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into().trim_matches('/').to_owned();
        self
    }

    /// Sets how long records wait for a broken archive after the retention.
    #[must_use]
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }
}

/// The error of a text that names no place for an archive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the name of a bucket, or BUCKET/PREFIX")]
pub struct LocationError;

impl FromStr for ArchiveOptions {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let text = text.strip_prefix("s3://").unwrap_or(text);
        let (bucket, prefix) = text.split_once('/').unwrap_or((text, ""));
        let is_dots = |part: &str| part == "." || part == "..";
        if bucket.is_empty() || is_dots(bucket) || prefix.split('/').any(is_dots) || text.contains("//") {
            return Err(LocationError);
        }
        Ok(Self::new(bucket).prefix(prefix))
    }
}

impl fmt::Display for ArchiveOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// The place of an archive in a store of objects.
#[derive(Clone, Debug)]
pub struct ArchiveLocation {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
}

impl ArchiveLocation {
    /// Returns the place that the options name.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>, options: &ArchiveOptions) -> Self {
        Self { objects, bucket: options.bucket.clone(), prefix: options.prefix.clone() }
    }

    /// Returns the error of an object that is damaged.
    pub(crate) fn damaged(&self, key: &str, reason: impl ToString) -> ArchiveError {
        ArchiveError::Damaged { bucket: self.bucket.clone(), key: key.to_owned(), reason: reason.to_string() }
    }
}

impl fmt::Display for ArchiveLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_bucket_with_or_without_a_prefix() {
        for (text, bucket, prefix) in [
            ("archive", "archive", ""),
            ("archive/", "archive", ""),
            ("archive/prod/eu", "archive", "prod/eu"),
            ("s3://archive/prod/", "archive", "prod"),
        ] {
            let options: ArchiveOptions = text.parse().unwrap();
            assert_eq!((options.bucket.as_str(), options.prefix.as_str()), (bucket, prefix), "{text}");
            assert_eq!(options.to_string().parse(), Ok(options));
        }
        for bad in ["", "/x", "..", "archive/../x", "archive//x", "archive/."] {
            assert_eq!(bad.parse::<ArchiveOptions>(), Err(LocationError), "{bad}");
        }
    }
}
