//! A backup of a database file, also of one that another process has open and writes.
//!
//! SQLite's log lets any process read a consistent state. The locks of our own that keep a second process from *opening* a database are
//! not asked for: the backup is one more reader. Pages are copied, not rows, because that is the quickest: the log of a database cannot begin
//! anew as long as somebody reads an older state of it, so it grows by what is written meanwhile.

use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use pdb_model::EpochMillis;
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};

use crate::{
    driver::Driver,
    error::{OpenError, StoreError},
    sqlite::{
        connection,
        copy::{self, CopyDescription, DatabaseCopy, EachStep, NewFile},
        files::{self, Access, Content, DatabaseFile},
        migrate, refusals, schema,
    },
};

/// Where a backup goes, and what it needs to get its name.
pub struct BackupPlan<'a, E> {
    /// Its file.
    pub target: &'a Path,
    /// Whether a database that is there already, and that nobody has open, is replaced.
    pub replaces: bool,
    /// Looks at the finished file, which has not got its name yet.
    pub accept: &'a mut dyn FnMut(&Path) -> Result<(), E>,
}

/// Copies a database file, which other processes may have open and write, into another file, and notes that this was at `taken`.
///
/// The copy is of one commit. Neither the file nor its log is changed, and no writer waits. Not for a file that this process has open: that
/// is what [`Store::copy_to_file`](crate::Store::copy_to_file) is for.
///
/// # Errors
///
/// [`StoreError::Open`] if the source is missing, not a database of ours, altered, damaged, or of a newer version; if the target is there
/// already, is in use or cannot be written. [`StoreError::BrokenOff`], [`StoreError::Database`]. Those of `accept`.
pub fn back_up<E: From<StoreError>>(
    source: &Path,
    taken: EpochMillis,
    each: EachStep<'_>,
    plan: BackupPlan<'_, E>,
) -> Result<CopyDescription, E> {
    let source = files::one_name(source);
    let reader = open_live(&source)?;
    let like = fs::metadata(&source).ok();
    make(plan.target, like.as_ref(), plan, |unfinished| {
        let copied = copy::write_copy(&reader.connection, unfinished, taken, true, each);
        copied.map_err(|error| of_source(&source, error).into())
    })
}

/// Makes a database file of bytes that come from elsewhere: a backup that another process has made.
///
/// # Errors
///
/// Those of `fill` and of [`BackupPlan::accept`]; [`StoreError::Open`] if what came is not a database of ours, or as with [`back_up`].
pub fn receive<E: From<StoreError>>(
    fill: impl FnOnce(&mut File) -> Result<(), E>,
    plan: BackupPlan<'_, E>,
) -> Result<CopyDescription, E> {
    let target = plan.target;
    make(target, None, plan, |unfinished| {
        let unwritable = |error| StoreError::from(unwritable(target, error));
        let mut file = files::create(unfinished).map_err(unwritable)?;
        fill(&mut file)?;
        file.sync_all().map_err(unwritable)?;
        drop(file);
        Ok(DatabaseCopy::describe_file(unfinished)?)
    })
}

/// Says whether a file is a copy of a database, also of one that others have open; `None` if it is not a database of ours. One that cannot be
/// read is taken for a database that is not a copy.
#[must_use]
pub fn is_copy(path: &Path) -> Option<bool> {
    match DatabaseFile::look(path) {
        Ok(Some(Content::Database)) => {}
        Ok(_) | Err(StoreError::Open(OpenError::NotADatabase(_) | OpenError::Foreign(_))) => return None,
        Err(_) => return Some(false),
    }
    let path = files::one_name(path);
    let taken = open_live(&path).and_then(|reader| copy::taken(Driver::new(&reader.connection)));
    Some(taken.is_ok_and(|taken| taken.is_some()))
}

fn make<E: From<StoreError>>(
    target: &Path,
    like: Option<&Metadata>,
    plan: BackupPlan<'_, E>,
    write: impl FnOnce(&Path) -> Result<CopyDescription, E>,
) -> Result<CopyDescription, E> {
    let path: PathBuf = files::one_name(target);
    let file = NewFile { path: &path, replaces: plan.replaces, is_durable: true, like };
    copy::make_file(file, |unfinished| {
        let description = write(unfinished)?;
        (plan.accept)(unfinished)?;
        Ok(description)
    })
}

/// Says which file is damaged. Other errors may be those of the target, or the caller's wish to break off.
fn of_source(source: &Path, error: StoreError) -> StoreError {
    match &error {
        StoreError::Database { source: cause, .. } if cause.is_corrupt() => {
            refusals::refused_store(source, error)
        }
        _ => error,
    }
}

/// A connection that reads beside others, and leaves nothing behind.
struct Reader<'a> {
    connection: Connection,
    path: &'a Path,
    /// Keeps writers away where SQLite does not. Closed after the connection.
    _lock: Option<DatabaseFile>,
}

/// The last connection to a database removes a log that is empty, which it may have made itself. One that is not empty it would copy into
/// the file: that is left to those who write to it.
impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if files::has_log(self.path) {
            // What is refused is refused to a file that cannot be written either.
            let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
    }
}

fn unwritable(path: &Path, source: io::Error) -> OpenError {
    OpenError::Unwritable { path: path.into(), source: Arc::new(source) }
}

/// Opens a database file beside those who have it open, to read from it, and looks whether it is ours.
fn open_live(path: &Path) -> Result<Reader<'_>, StoreError> {
    let unreadable = |source: io::Error| {
        StoreError::from(OpenError::Unreadable { path: path.into(), source: Arc::new(source) })
    };
    match DatabaseFile::look(path)? {
        None => return Err(unreadable(io::ErrorKind::NotFound.into())),
        Some(Content::Nothing) => return Err(unreadable(io::Error::other("it is empty"))),
        Some(Content::Database) => {}
    }
    let refused = |error: rusqlite::Error| {
        if is_denied(&error) {
            let text = format!("its log cannot be read without the right to write beside it ({error})");
            return unreadable(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        refusals::refused(path, error)
    };
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    // A connection that may only read could not remove an empty log that it has made. One that may write is only opened where SQLite will
    // not undo or redo anything; of a file that may only be read, SQLite makes the other kind.
    let flags = if files::has_log(path) { read_only } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    let (connection, version, lock) = match connect(path, flags) {
        Ok((connection, version)) => (connection, version, None),
        // On a medium that cannot be written there is no place for the index of a log, and without a log no need of one.
        Err(error) if is_denied(&error) && !files::has_log(path) => {
            // SQLite takes no lock on a file that it takes as it is.
            let lock = DatabaseFile::open(path, Access::Read)?;
            if files::has_log(path) {
                return Err(refused(error));
            }
            let address = files::immutable(path);
            let flags = read_only | OpenFlags::SQLITE_OPEN_URI;
            let (connection, version) = connect(Path::new(&address), flags).map_err(refused)?;
            (connection, version, lock)
        }
        Err(error) => return Err(refused(error)),
    };
    if version > migrate::NEWEST {
        return Err(refusals::newer(path, version));
    }
    schema::check_schema(path, &connection, version)?;
    Ok(Reader { connection, path, _lock: lock })
}

fn connect(path: &Path, flags: OpenFlags) -> Result<(Connection, u32), rusqlite::Error> {
    let connection = connection::connect(path, flags)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    let version = connection::schema_version(&connection)?;
    Ok((connection, version))
}

fn is_denied(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
    )
}
