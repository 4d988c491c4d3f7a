//! What a store of objects can do.

use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;

use crate::ObjectError;

/// A store of objects in buckets. All calls block: do not make them on a thread that runs async tasks.
pub trait ObjectStore: Debug + Send + Sync {
    /// Passes on the objects of a bucket whose keys begin with `prefix`, in the byte order of their keys, until the function breaks off.
    /// An empty prefix means all objects.
    ///
    /// # Errors
    ///
    /// [`ObjectError::NoSuchBucket`], [`ObjectError::Denied`], [`ObjectError::Failed`].
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        each: &mut dyn FnMut(Object) -> ControlFlow<()>,
    ) -> Result<(), ObjectError>;

    /// Returns a reader of an object, which holds some megabytes at most in memory. An error while reading is an [`ObjectError`] within the
    /// [`io::Error`].
    ///
    /// # Errors
    ///
    /// [`ObjectError::NoSuchKey`], and those of [`list`](Self::list).
    fn open(&self, bucket: &str, key: &str) -> Result<Box<dyn Read + Send>, ObjectError>;

    /// Begins to write an object, or to replace one. The object appears as a whole when the writer is finished, and not at all if it never is.
    /// The writer holds some megabytes at most in memory.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list). What depends on the service may only come to light when the writer is used.
    fn create(&self, bucket: &str, key: &str) -> Result<Box<dyn ObjectWriter>, ObjectError>;

    /// Removes an object, if it is there.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectError>;

    /// Writes a whole object.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    fn put(&self, bucket: &str, key: &str, content: &[u8]) -> Result<(), ObjectError> {
        let mut writer = self.create(bucket, key)?;
        writer.write_all(content).map_err(|error| ObjectError::from_io(bucket, key, error))?;
        writer.finish().map(drop)
    }

    /// Reads a whole object that has at most `most` bytes. `None` if it is not there.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list); [`ObjectError::Failed`] if the object is longer.
    fn get(&self, bucket: &str, key: &str, most: u64) -> Result<Option<Vec<u8>>, ObjectError> {
        let reader = match self.open(bucket, key) {
            Ok(reader) => reader,
            Err(ObjectError::NoSuchKey { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut content = Vec::new();
        reader
            .take(most.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|error| ObjectError::from_io(bucket, key, error))?;
        if content.len() as u64 > most {
            let reason = io::Error::other(format!("the object is longer than {most} bytes"));
            return Err(ObjectError::from_io(bucket, key, reason));
        }
        Ok(Some(content))
    }
}

/// An object that is being written. Dropping the writer gives the object up.
pub trait ObjectWriter: Write + Send {
    /// Completes the object, which can be read from then on. Returns S3's tag of it, without quotes, if the store has one.
    ///
    /// # Errors
    ///
    /// As [`ObjectStore::create`]. The object is not there then, or is the one that was there before.
    fn finish(self: Box<Self>) -> Result<Option<String>, ObjectError>;
}

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes, as it is stored.
    pub size: u64,
}
