//! Creating files, and putting a finished one in its place.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    path::Path,
};

use crate::sqlite::files::names::beside;

/// What SQLite keeps beside a database file, and reads as part of it.
const COMPANIONS: [&str; 3] = ["-journal", "-wal", "-shm"];

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

/// Creates a file that must not be there yet. Only its owner may read and write it.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The same, with the mode of another file if there is one.
pub(crate) fn create_like(path: &Path, like: Option<&Metadata>) -> io::Result<File> {
    let file = create(path)?;
    like.map_or(Ok(()), |like| give_mode_of(like, &file)).map(|()| file)
}

/// Lets those read and write a file who may read and write another one.
pub(crate) fn give_mode_of(like: &Metadata, file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let mode = like.mode() & 0o666;
        // A file system without modes needs none.
        if file.metadata()?.mode() & 0o666 != mode {
            let _ = file.set_permissions(fs::Permissions::from_mode(mode));
        }
    }
    #[cfg(not(unix))]
    let _ = (like, file);
    Ok(())
}
