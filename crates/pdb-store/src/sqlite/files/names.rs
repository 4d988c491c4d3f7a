//! Which file a name means, and the names of what lies beside it.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
};

/// As many links in a row as Linux follows.
const LINKS: usize = 40;

/// Identifies a file under all of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    /// None where the system does not tell.
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: metadata.dev(), number: metadata.ino() })
    }

    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Option<Self> {
        None
    }

    /// Whether an open file is still the one of this name.
    pub(crate) fn is_still(file: &File, path: &Path) -> io::Result<bool> {
        match fs::metadata(path) {
            Ok(named) => Ok(Self::of(&named) == Self::of(&file.metadata()?)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }
}

/// Whether two names are those of one file, also of one that is not there yet.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).ok().as_ref().and_then(FileId::of);
    match (id(one), id(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one_name(one) == one_name(other),
    }
}

/// The one name of a database file, whichever way it was reached, so that it has one lock; also of one that is still to be made.
pub(crate) fn one_name(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if let Ok(name) = fs::canonicalize(&path) {
            return name;
        }
        // A link to a file that is not there yet is not replaced by that file.
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (fs::canonicalize(directory), path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path,
    }
}

pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Whether a database has a log beside it with something in it.
pub(crate) fn has_log(path: &Path) -> bool {
    ["-wal", "-journal"].iter().any(|suffix| fs::metadata(beside(path, suffix)).is_ok_and(|it| it.len() > 0))
}
