//! Making a database file: beside its name, complete, and then put in its place in one step. A process that dies meanwhile
//! leaves nothing there, or a whole database.

use std::{
    fs::{self, File, Metadata},
    io::{self, Write},
    path::Path,
};

use crate::{
    error::StoreError,
    sqlite::{
        connection,
        files::{
            database::DatabaseFile,
            names::beside,
            place::{create_like, put_in_place, remove_unfinished},
        },
        refusals::unwritable,
    },
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

/// Says what to do where a container's mount is in the way.
fn explained(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::ResourceBusy {
        return io::Error::other(format!(
            "{error}: if the file is mounted by itself, mount its directory instead"
        ));
    }
    error
}
