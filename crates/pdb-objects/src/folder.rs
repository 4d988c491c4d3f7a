//! Buckets that are folders.

mod block_on;
mod key;
mod place;
mod walk;
mod whole;
mod writer;

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use object_store::local::LocalFileSystem;
use object_store::{GetResultPayload, ObjectStoreExt};

use crate::{Object, ObjectError, ObjectStore, ObjectWriter, names};
use block_on::block_on;
use place::Place;
use whole::Whole;
use writer::Writer;

/// Objects in folders: each folder in a given one is a bucket, and each file in it is an object, whose key is its path with `/` between the
/// names.
///
/// An object is synced to the disk before it appears. While it is written, its file has `#` and a number at the end of its name; such files
/// are no objects, and remain when the process is killed. Symbolic links are not followed, and files that are no regular files are no
/// objects.
///
/// Not every key is a path. A key is refused if it is longer than 1,024 bytes, or if one of the names between the `/` is empty, `.` or `..`,
/// has control characters or more than 250 bytes, and if it ends in `#` and a number. There cannot be both an object `a` and an object
/// `a/b`.
///
/// ```
/// use pdb_objects::{FolderObjects, ObjectStore};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::create_dir(folder.path().join("exports"))?;
/// let objects = FolderObjects::open(folder.path())?;
/// objects.put("exports", "2026/a.json", b"{}")?;
/// assert_eq!(std::fs::read(folder.path().join("exports/2026/a.json"))?, b"{}");
/// assert!(objects.open("exports", "../secret").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FolderObjects {
    folder: PathBuf,
}

impl FolderObjects {
    /// Returns the store of the buckets in a folder, which must exist. Buckets may come and go later.
    ///
    /// # Errors
    ///
    /// If the folder does not exist, or is no folder.
    pub fn open(folder: impl AsRef<Path>) -> io::Result<Self> {
        let folder = folder.as_ref().canonicalize()?;
        if !fs::metadata(&folder)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { folder })
    }

    /// Returns the absolute path of the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the folder of a bucket.
    fn bucket(&self, bucket: &str, key: &str) -> Result<PathBuf, ObjectError> {
        let missing = || ObjectError::NoSuchBucket { bucket: bucket.to_owned() };
        if !names::is_bucket(bucket) {
            return Err(missing());
        }
        let path = self.folder.join(bucket);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => Ok(path),
            Ok(found) if found.is_symlink() => {
                let reason = "the bucket is a symbolic link, which is not followed".to_owned();
                Err(ObjectError::Denied { bucket: bucket.to_owned(), key: key.to_owned(), reason })
            }
            Ok(_) => Err(missing()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing()),
            Err(error) => Err(ObjectError::of_file(bucket, key, error)),
        }
    }

    /// Returns the bucket as object_store sees it.
    fn files(bucket: &str, key: &str, path: &Path) -> Result<LocalFileSystem, ObjectError> {
        let files = LocalFileSystem::new_with_prefix(path);
        let files = files.map_err(|error| failure(bucket, key, error))?;
        Ok(files.with_fsync(true).with_automatic_cleanup(true))
    }
}

impl fmt::Debug for FolderObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FolderObjects").field(&self.folder).finish()
    }
}

impl ObjectStore for FolderObjects {
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        each: &mut dyn FnMut(Object) -> ControlFlow<()>,
    ) -> Result<(), ObjectError> {
        let path = self.bucket(bucket, prefix)?;
        walk::walk(&path, prefix, each).map_err(|error| ObjectError::of_file(bucket, prefix, error))
    }

    fn open(&self, bucket: &str, key: &str) -> Result<Box<dyn Read + Send>, ObjectError> {
        let path = self.bucket(bucket, key)?;
        let missing = || ObjectError::NoSuchKey { bucket: bucket.to_owned(), key: key.to_owned() };
        // What cannot be written is not there.
        let location = key::location(key).map_err(|_| missing())?;
        match place::look(&path, key).map_err(|error| ObjectError::of_file(bucket, key, error))? {
            Place::File => {}
            Place::Free | Place::Folder => return Err(missing()),
        }
        let files = Self::files(bucket, key, &path)?;
        let found = match block_on(files.get(&location)) {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Err(missing()),
            Err(error) => return Err(failure(bucket, key, error)),
        };
        let size = found.meta.size;
        match found.payload {
            GetResultPayload::File(file, _) => Ok(Box::new(Whole::new(file, size))),
            GetResultPayload::Stream(_) => {
                let reason = io::Error::new(io::ErrorKind::Unsupported, "the file cannot be read as a file");
                Err(ObjectError::of_file(bucket, key, reason))
            }
        }
    }

    fn create(&self, bucket: &str, key: &str) -> Result<Box<dyn ObjectWriter>, ObjectError> {
        let path = self.bucket(bucket, key)?;
        let of_file = |error| ObjectError::of_file(bucket, key, error);
        let location = key::location(key)
            .map_err(|reason| of_file(io::Error::new(io::ErrorKind::InvalidFilename, reason)))?;
        if place::look(&path, key).map_err(of_file)? == Place::Folder {
            let reason = "there are objects whose keys begin with this key and `/`";
            return Err(of_file(io::Error::new(io::ErrorKind::IsADirectory, reason)));
        }
        let files = Self::files(bucket, key, &path)?;
        let upload = block_on(files.put_multipart(&location)).map_err(|error| failure(bucket, key, error))?;
        Ok(Box::new(Writer::new(bucket, key, path, upload)))
    }

    fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectError> {
        let path = self.bucket(bucket, key)?;
        let Ok(location) = key::location(key) else { return Ok(()) };
        match place::look(&path, key).map_err(|error| ObjectError::of_file(bucket, key, error))? {
            Place::File => {}
            Place::Free | Place::Folder => return Ok(()),
        }
        match block_on(Self::files(bucket, key, &path)?.delete(&location)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure(bucket, key, error)),
        }
    }
}

/// Returns the error of an operation on files.
fn failure(bucket: &str, key: &str, error: object_store::Error) -> ObjectError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(found) = cause {
        if let Some(io) = found.downcast_ref::<io::Error>() {
            return ObjectError::of_file(bucket, key, io::Error::new(io.kind(), io.to_string()));
        }
        cause = found.source();
    }
    ObjectError::of_file(bucket, key, io::Error::other(error))
}
