//! The files of an SQLite database, as the system sees them: which one is which, how one takes the place of another, who has
//! one open. SQLite itself is told of a file when all of this is settled (`sqlite.rs`).

mod database;
mod holder;
mod lock;
mod new;
mod underneath;

pub(crate) use database::{Access, Content, DatabaseFile, immutable};
pub(crate) use lock::{LockFile, MakeLock};
pub(crate) use new::{create, give_mode_of, make};
pub(crate) use underneath::Underneath;

use std::{
    ffi::OsString,
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
};

use crate::{
    error::StoreError,
    sqlite::{refusals, seal::Seal},
};

/// What SQLite keeps beside a database file, and reads as part of it.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];
/// As many links in a row as Linux follows.
const LINKS: usize = 40;

/// The two locks that keep a second process from a database: one on a file beside it, which also guards a database that is being
/// made, and one on the file itself, which holds whatever the file is called. Released when dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    /// Of a database that is only read.
    pub(crate) _index: Option<LogIndex>,
    /// Of a database that may be written. Closed first.
    pub(crate) seal: Option<Seal>,
    pub(crate) database: DatabaseFile,
    // Released last.
    pub(crate) beside: Option<LockFile>,
}

/// The index that SQLite makes beside a log when it reads it, and leaves there if it may not write. Removed when dropped.
#[derive(Debug)]
pub(crate) struct LogIndex(PathBuf);

impl LogIndex {
    /// Returns that of a database, unless it is there already.
    pub(crate) fn to_come(path: &Path) -> Option<Self> {
        let index = beside(path, "-shm");
        (!index.exists()).then_some(Self(index))
    }
}

impl Drop for LogIndex {
    fn drop(&mut self) {
        // Nobody needs it, and the next to open the log makes it anew.
        let _ = fs::remove_file(&self.0);
    }
}

impl FileLock {
    /// Looks whether the database is sealed. To be called before it is written to; if not `durable` it will not be sealed again.
    pub(crate) fn look_at_seal(&mut self, path: &Path, durable: bool) -> Result<(), StoreError> {
        let Some(beside) = &self.beside else { return Ok(()) };
        let files = self.database.handle().and_then(|database| Ok((beside.handle()?, database)));
        let seal = files.and_then(|(lock, database)| Seal::of(lock, database, path, durable));
        self.seal = Some(seal.map_err(|e| refusals::unwritable(path, e))?);
        Ok(())
    }
}

/// Which file something is, whatever it is called.
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
    fn is_still(file: &File, path: &Path) -> io::Result<bool> {
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

/// Removes what a process left that died while it made this file.
pub(crate) fn remove_unfinished(path: &Path) -> io::Result<()> {
    remove_if_there(path)?;
    COMPANIONS.iter().try_for_each(|suffix| remove_if_there(&beside(path, suffix)).map(drop))
}

/// Puts a finished database in its place, under its lock. There is the old one or the new one at every moment, also after a power
/// failure if `durable`.
pub(crate) fn put_in_place(unfinished: &Path, path: &Path, durable: bool) -> io::Result<()> {
    // What belongs to the file that goes would be taken for a part of the one that comes.
    let mut removed = false;
    for suffix in COMPANIONS {
        removed |= remove_if_there(&beside(path, suffix))?;
    }
    if durable && removed {
        sync_directory(path);
    }
    fs::rename(unfinished, path)?;
    if durable {
        sync_directory(path);
    }
    Ok(())
}

/// Makes names in the directory of a file survive a power failure. Not every system lets a directory be opened; where it does not, a
/// rename is all there is.
fn sync_directory(path: &Path) {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

/// Returns whether it was there.
fn remove_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}
