//! Making a database file: beside its name, complete, and then put in its place in one step. A process that dies meanwhile
//! leaves nothing there, or a whole database.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    path::Path,
};

use super::{DatabaseFile, beside, put_in_place, remove_unfinished};
use crate::{
    error::StoreError,
    sqlite::{connection, refusals::unwritable},
};

/// Makes a database file without any table, under its lock. An empty file that is there gives it its mode.
pub(crate) fn make(path: &Path, durable: bool) -> Result<DatabaseFile, StoreError> {
    let content = connection::new_content()?;
    let unfinished = beside(path, "-making");
    remove_unfinished(&unfinished).map_err(|e| unwritable(path, e))?;
    let made = fill(&unfinished, fs::metadata(path).ok().as_ref(), &content, durable).and_then(|file| {
        // Locked before anybody else can know of it.
        let made = DatabaseFile::made(file);
        put_in_place(&unfinished, path, durable)?;
        Ok(made)
    });
    made.map_err(|e| {
        // The next attempt begins with it gone as well.
        let _ = fs::remove_file(&unfinished);
        unwritable(path, explained(e))
    })
}

fn fill(path: &Path, like: Option<&Metadata>, content: &[u8], durable: bool) -> io::Result<File> {
    let mut file = create_like(path, like)?;
    file.write_all(content)?;
    if durable {
        file.sync_all()?;
    }
    Ok(file)
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
pub(super) fn create_like(path: &Path, like: Option<&Metadata>) -> io::Result<File> {
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

/// Says what to do where a container's mount is in the way.
fn explained(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::ResourceBusy {
        return io::Error::other(format!(
            "{error}: if the file is mounted by itself, mount its directory instead"
        ));
    }
    error
}
