//! What is at the path of a key.

use std::path::Path;
use std::{fs, io};

/// What is at the path of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Free,
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// Looks at the path of a key within the folder of its bucket. The key must be one that [`location`](super::key::location) accepts.
///
/// # Errors
///
/// If a symbolic link is on the way, which could lead out of the bucket, or if the file is none that can be read to its end, such as a pipe.
pub(super) fn look(bucket: &Path, key: &str) -> io::Result<Place> {
    let denied = |reason| Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    let mut path = bucket.to_owned();
    let mut place = Place::Folder;
    for name in key.split('/') {
        path.push(name);
        let found = match fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Place::Free);
            }
            Err(error) => return Err(error),
        };
        place = match found.file_type() {
            kind if kind.is_symlink() => {
                return denied("a symbolic link is on the way, which is not followed");
            }
            kind if kind.is_dir() => Place::Folder,
            kind if kind.is_file() => Place::File,
            _ => return denied("the file is not a regular file"),
        };
    }
    Ok(place)
}
