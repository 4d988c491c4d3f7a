//! Opens SQLite connections, and says how one is set up.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::{
    error::{During, StoreError},
    options::Durability,
    sqlite::{migrate, refusals::refused},
};

/// Marks an SQLite file as ours ("PDB1"), in the header field SQLite keeps for that.
pub(crate) const APPLICATION_ID: u32 = 0x5044_4231;
/// 8 KB: a 1 KB item with its two images costs half of what it does with pages of 4 KB.
const PAGE_BYTES: u32 = 8192;
/// Statements kept prepared on each connection: some dozen for each table in use.
const STATEMENTS: usize = 512;

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
    keep_plans(&connection).during("open a database in memory")?;
    Ok(connection)
}

/// Opens a connection to a file.
pub(crate) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = Connection::open_with_flags(path, flags)?;
    distrust(&connection)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Opens a database file that has no log beside it and that nobody changes meanwhile. Unlike [`connect`], that makes no files beside it,
/// so it also works in a folder that cannot be written.
#[cfg(unix)]
pub(crate) fn connect_unchanged(path: &Path) -> Result<Connection, rusqlite::Error> {
    use std::os::unix::ffi::OsStrExt;

    let mut uri = "file:".to_owned();
    if path.is_absolute() {
        // Without it, what follows two slashes would be the name of a host.
        uri.push_str("//");
    }
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    connect(Path::new(&uri), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

/// As [`connect`], to read: paths of this system have no safe form as an address.
#[cfg(not(unix))]
pub(crate) fn connect_unchanged(path: &Path) -> Result<Connection, rusqlite::Error> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
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

/// Keeps the plan of a prepared statement when other values are bound to it. Otherwise SQLite plans a statement with `LIMIT ?` anew for
/// each use, which takes longer than the statement itself: that of the trim horizon, in `DescribeStream`, a read from there and the sweep.
///
/// <https://www.sqlite.org/queryplanner-ng.html#qpstab>
fn keep_plans(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Returns the bytes of a database file without any table. Nothing is in a log, and one begins with the first write.
pub(crate) fn new_content() -> Result<Vec<u8>, StoreError> {
    let mut connection = open_memory()?;
    let mut content = connection.serialize("main").during("make a new database")?.to_vec();
    // https://www.sqlite.org/fileformat.html: the versions that say whether there is a log, 2 if there is.
    content[18..20].fill(2);
    Ok(content)
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(Duration::from_secs(10))?;
    // As much is mapped as SQLite allows: what is mapped is not copied. Searches of vectors read much, and take half the time.
    connection.execute_batch(
        "PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;
         PRAGMA mmap_size = 2147418112;",
    )?;
    Ok(connection)
}

/// Opens a connection that copies the write-ahead log back.
pub(crate) fn open_checkpointer(path: &Path, durability: Durability) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|e| refused(path, e))?;
    let synchronous = synchronous(durability);
    // The writer stands still while the log is emptied. Another process that reads an older state, for a backup, is not waited for: the
    // log is emptied another time.
    connection.busy_timeout(Duration::ZERO).during("set up the database")?;
    connection.execute_batch(&format!("PRAGMA synchronous = {synchronous}")).during("set up the database")?;
    Ok(connection)
}

/// Has a connection leave the log as it is when it is closed, even if it is the last one.
pub(crate) fn leave_log(connection: &Connection) {
    let left = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    if let Err(error) = left {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the log could not be kept from being copied back"
        );
    }
}

/// What must be set before the first page is written.
fn set_up_new(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute_batch(&format!("PRAGMA page_size = {PAGE_BYTES}; PRAGMA application_id = {APPLICATION_ID};"))
        .during("mark a new database")
}

pub(crate) fn set_up(connection: &Connection, durability: Durability) -> Result<(), StoreError> {
    let synchronous = synchronous(durability);
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(Duration::from_secs(10)).during("set up the database")?;
    // The log is copied back beside the writer (checkpoint.rs), and not by SQLite in a commit, which would not tell of a failure. After an
    // outsized transaction the log's file is cut to 64 MB.
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -65536;
             PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 67108864; PRAGMA foreign_keys = OFF;"
        ))
        .during("set up the database")
}

/// Runs `work`, and makes sure that what it commits is in the database file and on the disk, with every durability. For the time before
/// there are readers.
pub(crate) fn durably(
    connection: &Connection,
    durability: Durability,
    work: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let during = "write to the disk";
    let set = |how: &str| connection.execute_batch(&format!("PRAGMA synchronous = {how}")).during(during);
    set("FULL")?;
    let done = work();
    // Also in the file, from which a log that is synced no more could take it again.
    let copied = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).during(during);
    set(synchronous(durability))?;
    done.and(copied)
}

fn synchronous(durability: Durability) -> &'static str {
    match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
        Durability::Off => "OFF",
    }
}

/// Which migration made the tables of a database.
pub(crate) fn schema_version(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests;
