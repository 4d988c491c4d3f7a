//! Opens SQLite connections: what is checked before a file is touched, and how a connection is set up.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{
    error::{DbError, During, OpenError, StoreError},
    migrate,
    options::Durability,
    schema::{self, Found, Refusal},
};

/// Marks an SQLite file as ours ("PDB1"), in the header field SQLite keeps for that.
const APPLICATION_ID: u32 = 0x5044_4231;
/// 8 KB: a 1 KB item with its two images costs half of what it does with pages of 4 KB.
const PAGE_BYTES: u32 = 8192;
/// Statements kept prepared on each connection: some dozen for each table in use.
const STATEMENTS: usize = 512;

/// How long a lock is waited for: a process that is being started holds, for a moment, the locks of the one that starts it, also
/// those that are given up just then.
const LOCK_PATIENCE: Duration = Duration::from_millis(250);

/// The lock that keeps a second process from a database file; released when dropped.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

/// Opens the writing connection of a database in memory.
pub(crate) fn open_memory() -> Result<Connection, StoreError> {
    let connection = open_empty()?;
    set_up_new(&connection)?;
    set_up(&connection, Durability::Off)?;
    migrate::migrate(&connection, 0)?;
    Ok(connection)
}

/// Opens a database in memory that has nothing in it yet, not even a page.
pub(crate) fn open_empty() -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory().during("open a database in memory")?;
    distrust(&connection).during("open a database in memory")?;
    Ok(connection)
}

/// Opens a connection to a file.
pub(crate) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    distrust(&connection)?;
    Ok(connection)
}

/// Keeps what a file holds from running: our schema has no triggers and no views, and no statement of ours changes SQLite's own
/// tables. Before the first statement, so that it holds already when the schema is read. None of it costs a statement anything.
///
/// <https://www.sqlite.org/security.html>. Limits of SQLite are left as they are: no text of a statement is anybody's but ours.
fn distrust(connection: &Connection) -> Result<(), rusqlite::Error> {
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    Ok(())
}

/// Opens the writing connection of a database file, makes the file if need be, and locks out other processes.
///
/// A file that is not ours, or made by a newer version, is not altered.
pub(crate) fn open_file(path: &Path, durability: Durability) -> Result<(Connection, FileLock), StoreError> {
    // A database that is in use is not even looked at: closing a file gives up the locks that SQLite has on it in this
    // process. Beside a file that turns out not to be ours no lock is left.
    let held = lock(path, OpenOptions::new().write(true))?;
    let new = check_header(path)?;
    let held = match held {
        Some(held) => held,
        None => lock(path, OpenOptions::new().write(true).create(true).truncate(false))?
            .ok_or_else(|| unwritable(path, io::Error::from(io::ErrorKind::NotFound)))?,
    };
    // Between the look at the header and the lock another process may have made the database.
    let new = new && check_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = connect(path, flags).map_err(|e| refused(path, e))?;
    if connection.is_readonly("main").unwrap_or(false) {
        return Err(unwritable(path, io::Error::from(io::ErrorKind::ReadOnlyFilesystem)));
    }
    // Until we know that the schema is one of ours, closing must not write to the file.
    let quiet = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(quiet, true).map_err(|e| refused(path, e))?;
    if new {
        set_up_new(&connection).map_err(|e| refused_store(path, e))?;
    }
    let version = schema_version(&connection).map_err(|e| refused(path, e))?;
    if version > migrate::NEWEST {
        return Err(newer(path, version));
    }
    if !new {
        check_schema(path, &connection, version)?;
    }
    connection.set_db_config(quiet, false).map_err(|e| refused(path, e))?;
    set_up(&connection, durability).map_err(|e| refused_store(path, e))?;
    migrate::migrate(&connection, version).map_err(|e| refused_store(path, e))?;
    Ok((connection, held))
}

/// Refuses a database whose schema is not one that we make.
pub(crate) fn check_schema(path: &Path, connection: &Connection, version: u32) -> Result<Found, StoreError> {
    schema::check(connection, version).map_err(|refusal| schema_refused(path, refusal))
}

pub(crate) fn schema_refused(path: &Path, refusal: Refusal) -> StoreError {
    match refusal {
        Refusal::Flaw(flaw) => OpenError::Altered { path: path.into(), what: flaw.to_string() }.into(),
        Refusal::Failed(error) => refused_store(path, error),
    }
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 268435456;",
    )?;
    Ok(connection)
}

/// Opens a connection that copies the write-ahead log back.
pub(crate) fn open_checkpointer(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|e| refused(path, e))?;
    let synchronous = synchronous(durability);
    connection.execute_batch(&format!("PRAGMA synchronous = {synchronous}")).during("set up the database")?;
    Ok(connection)
}

/// What must be set before the first page is written. Not in WAL mode yet, so the mark is in the file itself at once.
fn set_up_new(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES}; PRAGMA application_id = {APPLICATION_ID};"))
        .during("mark a new database")
}

pub(crate) fn set_up(connection: &Connection, durability: Durability) -> Result<(), StoreError> {
    let synchronous = synchronous(durability);
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(Duration::from_secs(10)).during("set up the database")?;
    // The log is copied back beside the writer (checkpoint.rs). Should that fall behind, the writer does it itself, at 128
    // MB (16000 pages). After an outsized transaction the log's file is cut to 64 MB.
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -65536;
             PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 16000;
             PRAGMA journal_size_limit = 67108864; PRAGMA foreign_keys = OFF;"
        ))
        .during("set up the database")
}

fn synchronous(durability: Durability) -> &'static str {
    match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
        Durability::Off => "OFF",
    }
}

/// Looks at the first bytes of the file, without SQLite; returns true if there is no database yet.
pub(crate) fn check_header(path: &Path) -> Result<bool, StoreError> {
    let mut header = Vec::with_capacity(100);
    match File::open(path) {
        Ok(file) => {
            file.take(100).read_to_end(&mut header).map_err(|e| unwritable(path, e))?;
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(e) => return Err(unwritable(path, e)),
    }
    if header.is_empty() {
        return Ok(true);
    }
    let field =
        |at: usize| -> Option<u32> { header.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes) };
    // https://www.sqlite.org/fileformat.html: user version at 60, application id at 68.
    let (Some(version), Some(application)) = (field(60), field(68)) else {
        return Err(OpenError::NotADatabase(path.into()).into());
    };
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase(path.into()).into());
    }
    if application != APPLICATION_ID {
        return Err(OpenError::Foreign(path.into()).into());
    }
    if version > migrate::NEWEST {
        return Err(newer(path, version));
    }
    Ok(false)
}

/// Takes the lock; none if there is no file for it, and `options` make none.
pub(crate) fn lock(path: &Path, options: &OpenOptions) -> Result<Option<FileLock>, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let file = match options.open(PathBuf::from(name)) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(unwritable(path, e)),
    };
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(FileLock { _file: file })),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                // Nothing but time comes from it.
                let _ = crossbeam_channel::after(Duration::from_millis(10)).recv();
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(path.into()).into()),
            Err(TryLockError::Error(e)) => return Err(unwritable(path, e)),
        }
    }
}

/// Which migration made the tables of a database.
pub(crate) fn schema_version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

pub(crate) fn newer(path: &Path, found: u32) -> StoreError {
    OpenError::Newer { path: path.into(), found, known: migrate::NEWEST }.into()
}

pub(crate) fn unwritable(path: &Path, source: io::Error) -> StoreError {
    OpenError::Unwritable { path: path.into(), source: Arc::new(source) }.into()
}

/// Says which of the ways to fail at opening this one is.
pub(crate) fn refused(path: &Path, error: impl Into<DbError>) -> StoreError {
    let error = error.into();
    if error.is_corrupt() {
        OpenError::NotADatabase(path.into()).into()
    } else if error.is_unwritable() {
        unwritable(path, io::Error::other(error))
    } else {
        StoreError::Database { during: "open the database", source: error }
    }
}

pub(crate) fn refused_store(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Database { source, .. } => refused(path, source),
        other => other,
    }
}
