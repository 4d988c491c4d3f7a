//! Opens a database file to write to it.

use std::{io, path::Path};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{
    error::{During, StoreError},
    options::Durability,
    sqlite::{
        connection::{APPLICATION_ID, connect, schema_version, set_up},
        files::{self, Access, Content, DatabaseFile, FileLock, LockFile, MakeLock},
        migrate,
        refusals::{newer, refused, unwritable},
        schema::check_schema,
    },
};

/// Opens the writing connection of a database file, makes the file if need be, and locks out other processes.
///
/// A file that is not ours, or made by a newer version, is not altered.
pub(crate) fn open_file(path: &Path, durability: Durability) -> Result<(Connection, FileLock), StoreError> {
    let durable = durability != Durability::Off;
    let mut lock = lock_file(path, durable)?;
    if durable {
        files::rewrite_log(path)?;
    }
    let mut connection = open_writer(path)?;
    let mut version = schema_version(&connection).map_err(|e| refused(path, e))?;
    if is_empty(&connection).map_err(|e| refused(path, e))? {
        // SQLite has undone all that was ever begun in it.
        drop(connection);
        lock.database = files::make(path, durable)?;
        connection = open_writer(path)?;
        version = schema_version(&connection).map_err(|e| refused(path, e))?;
    }
    if version > migrate::NEWEST {
        return Err(newer(path, version));
    }
    check_schema(path, &connection, version)?;
    let quiet = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(quiet, false).map_err(|e| refused(path, e))?;
    lock.look_at_seal(path, durable)?;
    set_up(&connection, durability)?;
    mark(&connection)?;
    migrate::migrate(&connection, version)?;
    Ok((connection, lock))
}

/// Finds a database file, or makes it, and locks it.
fn lock_file(path: &Path, durable: bool) -> Result<FileLock, StoreError> {
    let find = || -> Result<Option<DatabaseFile>, StoreError> {
        let Some(file) = DatabaseFile::open(path, Access::Write)? else { return Ok(None) };
        Ok((file.judge(path, Access::Write)? == Content::Database).then_some(file))
    };
    let beside = LockFile::take(path, MakeLock::No)?;
    let mut database = find()?;
    // Beside a file that turns out not to be ours no lock is left.
    let beside = match beside {
        Some(beside) => Some(beside),
        None => LockFile::take(path, MakeLock::Yes)?,
    };
    if database.is_none() {
        // Before we had the lock another process may have made it.
        database = find()?;
    }
    let database = match database {
        Some(database) => database,
        None => files::make(path, durable)?,
    };
    if database.names() > 1 {
        tracing::warn!(
            file = %path.display(),
            names = database.names(),
            "the database file has more names than one (hard links): its log is found under the one it was opened by, so use no other"
        );
    }
    Ok(FileLock { _index: None, seal: None, database, beside })
}

fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|e| refused(path, e))?;
    if connection.is_readonly("main").unwrap_or(false) {
        return Err(unwritable(path, io::Error::from(io::ErrorKind::ReadOnlyFilesystem)));
    }
    // Until we know that the schema is one of ours, closing must not write to the file.
    let quiet = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(quiet, true).map_err(|e| refused(path, e))?;
    Ok(connection)
}

/// Marks a database of ours that lost its mark, or never had one.
fn mark(connection: &Connection) -> Result<(), StoreError> {
    let found = connection.query_row("PRAGMA application_id", [], |row| row.get::<_, u32>(0));
    if found.during("read the mark of a database")? == APPLICATION_ID {
        return Ok(());
    }
    connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}")).during("mark a database")
}

fn is_empty(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)).map(|pages| pages == 0)
}
