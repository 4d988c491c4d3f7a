//! Copies of a whole database, page by page: into memory, into a file, and back.
//!
//! A copy in a file is a database file like any other, complete without a log beside it.

use std::{
    fmt,
    fs::{self, Metadata},
    io,
    ops::ControlFlow,
    path::Path,
    str::FromStr,
    sync::Arc,
};

use pdb_model::EpochMillis;
use rusqlite::{
    Connection, OpenFlags, Transaction,
    backup::{Backup, StepResult},
    ffi,
};

use crate::{
    catalog::Catalog,
    driver::Driver,
    error::{During, OpenError, StoreError},
    options::Durability,
    sequence::memory,
    sql::settings,
    sqlite::{
        connection, copy_check,
        files::{self, Access, Content, DatabaseFile, FileLock, LockFile, LogIndex, MakeLock},
        floor, migrate, refusals, schema,
    },
};

/// The setting that says when a copy was made.
const TAKEN: &str = "copied_at";
/// How many pages are copied before a copy tells how far it is: 4 MB.
const PAGES_A_STEP: i32 = 512;

/// A copy of a whole database, in memory.
///
/// Made by [`Store::copy`](crate::Store::copy), put in the place of a database by [`Store::replace`](crate::Store::replace).
pub struct DatabaseCopy {
    pub(crate) connection: Connection,
}

/// What a copy of a database says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyDescription {
    /// When it was made, by the clock of its database; `None` for a database that is not a copy.
    pub taken: Option<EpochMillis>,
    /// Its tables.
    pub tables: u64,
    /// The items of all its tables.
    pub items: u64,
    /// Its size, in bytes.
    pub size_bytes: u64,
}

/// How far a copy of a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopiedBytes {
    /// Bytes that are copied.
    pub done: u64,
    /// Bytes of the whole database.
    pub total: u64,
}

/// How far the reading of a copy from a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadStep {
    /// Its bytes are being read.
    Reading(CopiedBytes),
    /// SQLite checks its pages, and does not tell how far it is.
    CheckingPages,
    /// The checksums of its rows are being checked.
    CheckingRows {
        /// Rows that are done.
        rows: u64,
        /// About how many there are.
        rows_at_most: u64,
    },
}

/// Is told after every step of a copy how far it is, and may break it off.
pub type EachStep<'a> = &'a mut dyn FnMut(CopiedBytes) -> ControlFlow<()>;

/// Lets a copy go on without watching it.
pub(crate) fn unwatched(_: CopiedBytes) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

impl DatabaseCopy {
    /// Returns a database without any table.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn empty() -> Result<Self, StoreError> {
        Ok(Self { connection: connection::open_memory()? })
    }

    /// Reads a database file that no process has open into memory. A database of an older version is migrated there; the file
    /// is not changed.
    ///
    /// The file is not believed: that its schema is ours is checked, all its pages, indexes and constraints, and the checksums of its
    /// items, index entries and records.
    ///
    /// # Errors
    ///
    /// [`StoreError::Open`] if there is no such file, or it is in use, of another program, altered, damaged, or of a newer version.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        Self::read_watched(path, &mut |_| {})
    }

    /// As [`read`](Self::read), and tells how far it is.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_watched(path: &Path, each: &mut dyn FnMut(ReadStep)) -> Result<Self, StoreError> {
        let (_lock, source, version) = open_file(path)?;
        let copy = Self::take(&source, &mut |bytes| {
            each(ReadStep::Reading(bytes));
            ControlFlow::Continue(())
        });
        let copy = copy.map_err(|e| refusals::refused_store(path, e))?;
        drop(source);
        each(ReadStep::CheckingPages);
        copy_check::pages(path, &copy.connection, version)?;
        let copy = copy.bring_up_to_date()?;
        copy_check::rows(path, &copy.connection, &mut |rows, rows_at_most| {
            each(ReadStep::CheckingRows { rows, rows_at_most });
        })?;
        Ok(copy)
    }

    /// Returns a second copy.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn duplicate(&self) -> Result<Self, StoreError> {
        Self::of(&self.connection)
    }

    /// Says what is in it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub fn describe(&self) -> Result<CopyDescription, StoreError> {
        describe(Driver::new(&self.connection))
    }

    /// Describes a database file that no process has open, without reading all of it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn describe_file(path: &Path) -> Result<CopyDescription, StoreError> {
        let (_lock, source, version) = open_file(path)?;
        schema::check_schema(path, &source, version)?;
        describe(Driver::new(&source)).map_err(|e| refusals::refused_store(path, e))
    }

    pub(crate) fn of(source: &Connection) -> Result<Self, StoreError> {
        Self::take(source, &mut unwatched)?.bring_up_to_date()
    }

    fn take(source: &Connection, each: EachStep<'_>) -> Result<Self, StoreError> {
        let mut connection = connection::open_empty()?;
        copy_pages(source, &mut connection, each)?;
        Ok(Self { connection })
    }

    fn bring_up_to_date(self) -> Result<Self, StoreError> {
        connection::set_up(&self.connection, Durability::Off)?;
        let version = connection::schema_version(&self.connection).during("read the version of a copy")?;
        migrate::migrate(&self.connection, version)?;
        Ok(self)
    }

    /// Notes when the copy was made.
    pub(crate) fn sign(&self, taken: EpochMillis) -> Result<(), StoreError> {
        sign(Driver::new(&self.connection), taken)
    }

    /// Makes the copy fit to take the place of a database: its iterators stay good, and its open shards go on above every
    /// counter that a shard of that database, or of one it replaced, has drawn.
    pub(crate) fn succeed(&self, driver: Driver<'_>, catalog: &Catalog) -> Result<(), StoreError> {
        let copy = Driver::new(&self.connection);
        let key = settings::get(driver, "iterator_key", |value| Ok(value.to_vec()))?;
        settings::set(
            copy,
            "iterator_key",
            &key.ok_or_else(|| StoreError::corrupt("iterator key", "it is missing"))?,
        )?;
        let drawn = memory::highest(driver, catalog)?;
        let floor = drawn.max(floor::floor(driver)?).max(floor::floor(copy)?);
        floor::set_floor(copy, floor)?;
        memory::raise_stored(copy, floor)
    }
}

impl fmt::Debug for DatabaseCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseCopy")
    }
}

/// Copies all pages of a database over those of another, which has seen either nothing of it afterwards, or all.
///
/// All pages are of one commit. Between two steps nothing is locked but what a reader of the source locks: where there is a log, its
/// writers go on, and the log grows by what they write.
pub(crate) fn copy_pages(
    source: &Connection,
    target: &mut Connection,
    each: EachStep<'_>,
) -> Result<(), StoreError> {
    const DURING: &str = "copy the database";
    let snapshot = hold_snapshot(source).during(DURING)?;
    let page_bytes = source.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0)).during(DURING)?;
    let bytes = |pages: i64| u64::try_from(pages.saturating_mul(page_bytes)).unwrap_or(0);
    let backup = Backup::new(source, target).during(DURING)?;
    loop {
        let step = backup.step(PAGES_A_STEP).during(DURING)?;
        let (all, rest) = (backup.progress().pagecount, backup.progress().remaining);
        let goes_on = each(CopiedBytes { done: bytes(i64::from(all - rest)), total: bytes(all.into()) });
        match step {
            StepResult::Done => break,
            StepResult::More if goes_on.is_break() => return Err(StoreError::BrokenOff),
            StepResult::More => {}
            // Those who hold a lock were waited for already.
            _ => {
                let busy = ffi::Error::new(ffi::SQLITE_BUSY);
                return Err(rusqlite::Error::SqliteFailure(busy, None)).during(DURING);
            }
        }
    }
    drop(backup);
    snapshot.map_or(Ok(()), |snapshot| snapshot.commit().during(DURING))
}

/// Keeps what a source has now in sight over all steps: without it, SQLite would begin anew whenever a writer commits between two of them,
/// and never end. A transaction alone sees nothing yet; its first read does.
fn hold_snapshot(source: &Connection) -> Result<Option<Transaction<'_>>, rusqlite::Error> {
    let snapshot = source.is_autocommit().then(|| source.unchecked_transaction()).transpose()?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(snapshot)
}

/// What a file with a copy is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewFile<'a> {
    pub(crate) path: &'a Path,
    /// Whether a database that is there already, and that nobody has open, is replaced.
    pub(crate) replaces: bool,
    /// Whether it survives a power failure.
    pub(crate) is_durable: bool,
    /// The file whose mode it is to have, unless it takes the place of one.
    pub(crate) like: Option<&'a Metadata>,
}

/// Copies a database into a file, which it replaces if it is a database of ours that nobody has open. A process that dies
/// meanwhile leaves the old one, or the new one.
pub(crate) fn copy_to_file(
    source: &Connection,
    file: NewFile<'_>,
    taken: EpochMillis,
    each: EachStep<'_>,
) -> Result<CopyDescription, StoreError> {
    make_file(file, |unfinished| write_copy(source, unfinished, taken, file.is_durable, each))
}

/// Has `fill` make a database file under another name beside its own, and gives it its name, and the mode that it is to have, when that has
/// succeeded.
pub(crate) fn make_file<T, E: From<StoreError>>(
    file: NewFile<'_>,
    fill: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let NewFile { path, replaces, is_durable, like } = file;
    // Two processes that save into one file would meet in what they have not finished.
    let _beside = LockFile::take(path, MakeLock::ForNow)?;
    let found = fs::metadata(path).ok();
    if !replaces && found.is_some() {
        return Err(StoreError::from(OpenError::Exists(path.into())).into());
    }
    let replaced = DatabaseFile::open(path, Access::Replace)?;
    if let Some(replaced) = &replaced
        && replaced.judge(path, Access::Replace)? == Content::Database
    {
        settle(path);
    }
    let unfinished = files::beside(path, "-saving");
    let remove = || files::remove_unfinished(&unfinished);
    // What a process left that died while it saved.
    remove().map_err(|e| refusals::unwritable(path, e))?;
    let finished = fill(&unfinished).and_then(|made| {
        // Not before: with it we might not be allowed to write the file.
        let mode = found.as_ref().or(like).map_or(Ok(()), |like| {
            fs::File::open(&unfinished).and_then(|file| files::give_mode_of(like, &file))
        });
        let placed = mode.and_then(|()| files::put_in_place(&unfinished, path, is_durable));
        placed.map_err(|e| refusals::unwritable(path, e))?;
        Ok(made)
    });
    if finished.is_err() {
        // The next attempt begins with it gone as well.
        let _ = remove();
    }
    finished
}

/// Has SQLite take what is in the log of a database into its file, so that nothing of it is missing while it is still there. A
/// damaged one is not worth keeping.
fn settle(path: &Path) {
    if !files::has_log(path) {
        return;
    }
    let settled = connection::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|old| {
        old.execute_batch("SELECT count(*) FROM sqlite_schema; PRAGMA wal_checkpoint(TRUNCATE)")
    });
    if let Err(error) = settled {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "the log of a file that goes is not usable"
        );
    }
}

/// Writes a copy of a database into a file that is not there yet.
pub(crate) fn write_copy(
    source: &Connection,
    path: &Path,
    taken: EpochMillis,
    is_durable: bool,
    each: EachStep<'_>,
) -> Result<CopyDescription, StoreError> {
    // Nobody can have put something else there.
    let file = files::create(path).map_err(|e| refusals::unwritable(path, e))?;
    let mut target = connection::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|e| refusals::refused(path, e))?;
    // No other process knows the file yet, and half of a copy is worth nothing: it needs no safe journal.
    let alone = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;";
    target.execute_batch(alone).during("set up a copy")?;
    copy_pages(source, &mut target, each)?;
    // The pages of a database with a log say that there is one; SQLite learns it when it reads them.
    target
        .execute_batch("SELECT count(*) FROM sqlite_schema; PRAGMA journal_mode = MEMORY;")
        .during("set up a copy")?;
    let driver = Driver::new(&target);
    if has_signature(driver)? {
        sign(driver, taken)?;
    }
    let description = describe(driver)?;
    drop(target);
    if is_durable {
        file.sync_all().map_err(|e| refusals::unwritable(path, e))?;
    }
    Ok(description)
}

/// Opens a database file to read from it; returns which migration made its tables. [`Store::open`](crate::Store::open) says
/// meanwhile that it is in use.
pub(crate) fn open_file(path: &Path) -> Result<(FileLock, Connection, u32), StoreError> {
    let beside = LockFile::take(path, MakeLock::No).map_err(|e| unreadable_of(path, e))?;
    let Some(database) = DatabaseFile::open(path, Access::Read)? else {
        return Err(unreadable(path, io::ErrorKind::NotFound.into()));
    };
    if database.judge(path, Access::Read)? == Content::Nothing {
        return Err(unreadable(path, io::ErrorKind::UnexpectedEof.into()));
    }
    // SQLite looks for a log beside the file itself, not beside a link to it.
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let has_log = files::has_log(&real);
    let index = if has_log { LogIndex::to_come(&real) } else { None };
    let lock = FileLock { _index: index, seal: None, database, beside };
    let source = if has_log {
        connection::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    } else {
        connection::connect_unchanged(&real)
    };
    let source = source.map_err(|e| refusals::refused(path, e))?;
    let version =
        connection::schema_version(&source).map_err(|e| unreadable_of(path, refusals::refused(path, e)))?;
    if version > migrate::NEWEST {
        return Err(refusals::newer(path, version));
    }
    Ok((lock, source, version))
}

fn unreadable(path: &Path, source: io::Error) -> StoreError {
    OpenError::Unreadable { path: path.into(), source: Arc::new(source) }.into()
}

/// The same error, said of a file that was only to be read.
fn unreadable_of(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Open(OpenError::Unwritable { source, .. }) => {
            OpenError::Unreadable { path: path.into(), source }.into()
        }
        other => other,
    }
}

fn sign(driver: Driver<'_>, taken: EpochMillis) -> Result<(), StoreError> {
    settings::set(driver, TAKEN, taken.0.to_string().as_bytes())
}

/// Whether a database can say when it was copied. The settings of the first version have other columns.
fn has_signature(driver: Driver<'_>) -> Result<bool, StoreError> {
    let version =
        driver.first("read the version of a copy", "PRAGMA user_version", &[], |row| row.count(0))?;
    Ok(version.is_some_and(|version| version > 1))
}

/// When a database was copied, if it is a copy.
pub(crate) fn taken(driver: Driver<'_>) -> Result<Option<EpochMillis>, StoreError> {
    Ok(if has_signature(driver)? { settings::get(driver, TAKEN, number)?.map(EpochMillis) } else { None })
}

fn number<T: FromStr>(value: &[u8]) -> Result<T, StoreError> {
    let parsed = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    parsed.ok_or_else(|| StoreError::corrupt("setting", "it is not a number"))
}

fn describe(driver: Driver<'_>) -> Result<CopyDescription, StoreError> {
    let taken = taken(driver)?;
    let count = |sql| {
        Ok::<_, StoreError>(driver.first("describe a copy", sql, &[], |row| row.count(0))?.unwrap_or(0))
    };
    Ok(CopyDescription {
        taken,
        tables: count("SELECT count(*) FROM pdb_metadata")?,
        items: count("SELECT coalesce(sum(item_count), 0) FROM pdb_statistic WHERE index_name = ''")?,
        size_bytes: count("PRAGMA page_count")? * count("PRAGMA page_size")?,
    })
}
