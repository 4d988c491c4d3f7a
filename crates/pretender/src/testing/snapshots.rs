//! Snapshots of the whole database, and resets.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use pdb_model::{EpochMillis, TableName};
use pdb_store::{
    Activity, ActivityReport, ClearReport, CopiedBytes, CopyDescription, DatabaseCopy, OpenError, ReadStep,
    StoreError,
};

use super::ControlError;
use crate::Pretender;

/// A snapshot, as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// The name, or the path of the file.
    pub name: String,
    /// When it was saved, by the clock of its database; `None` for a database file that was never saved as a snapshot.
    pub taken: Option<EpochMillis>,
    /// Number of tables.
    pub tables: u64,
    /// Number of items in all tables.
    pub items: u64,
    /// Size in bytes.
    pub size_bytes: u64,
}

impl SnapshotSummary {
    fn new(name: impl Into<String>, description: CopyDescription) -> Self {
        let CopyDescription { taken, tables, items, size_bytes } = description;
        Self { name: name.into(), taken, tables, items, size_bytes }
    }
}

/// The maximum length of a name. File systems allow 255 bytes, and SQLite appends suffixes to the name of the file.
const MAX_NAME: usize = 200;
/// The suffix of the files of named snapshots.
const SUFFIX: &str = ".db";

/// # Snapshots
///
/// A snapshot is the whole database at one moment: tables, items, streams with their records, backups, tags. The clock is not part of
/// it. Named snapshots of a database in memory are kept in memory; those of a database file are kept in the folder `<file>-snapshots`
/// beside it, and are still there after a restart. A database on a PostgreSQL server has no snapshots.
impl Pretender {
    /// Saves the database under a name, and replaces the snapshot that had this name. Writers go on during this time, unless the
    /// database is in memory.
    ///
    /// A name has 1 to 200 characters of `a-z A-Z 0-9 _ . -`. On a file system that ignores case, names that differ only in case are the
    /// same.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotPossible`] if the name is invalid or the file cannot be written; [`ControlError::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// use pretender::prelude::*;
    ///
    /// let db = Pretender::in_memory()?;
    /// db.save_snapshot("empty")?;
    /// db.create_table(CreateTableInput::new("Orders".parse()?, ("id", ScalarType::S), None))?;
    /// db.restore_snapshot("empty")?;
    /// assert_eq!(db.list_tables(&ListTablesInput::default())?.table_names, []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_snapshot(&self, name: &str) -> Result<SnapshotSummary, ControlError> {
        check_name(name)?;
        let taken = self.inner.env.clock.now();
        if let Some(path) = self.snapshot_file(name) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|error| {
                    ControlError::NotPossible(format!("`{}` cannot be made: {error}", folder.display()))
                })?;
            }
            let description = self.save_to(&path, taken, name)?;
            return Ok(SnapshotSummary::new(name, description));
        }
        let copy = self.inner.store.copy(taken).map_err(file_error)?;
        let description = copy.describe().map_err(ControlError::Store)?;
        self.inner.snapshots.lock().insert(name.to_owned(), (copy, description));
        Ok(SnapshotSummary::new(name, description))
    }

    /// Replaces the whole database with the snapshot, in one step: every other call sees the state before or the snapshot. This also
    /// holds for the file if the process dies. The snapshot stays and can be restored any number of times.
    ///
    /// Readers of streams can continue. They get no record twice, and miss none that is written after the restore, if they read once before
    /// a shard is rotated that they had read to its end. Shard iterators
    /// remain valid: they lead to the records of the snapshot, then to those written after the restore. Records that were written after
    /// the save are gone. Sequence numbers are not reused: restored shards continue above all numbers that this database ever assigned.
    /// Shards and streams that are not in the snapshot no longer exist.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] if there is no such snapshot, [`ControlError::NotPossible`] if its file is in use or damaged,
    /// [`ControlError::Store`]. Nothing is changed then.
    pub fn restore_snapshot(&self, name: &str) -> Result<SnapshotSummary, ControlError> {
        let activity = self.inner.activities.begin(format!("restoring the snapshot {name}"));
        let (copy, description) = match self.snapshot_file(name) {
            Some(path) => {
                check_name(name).map_err(|_| no_snapshot(name))?;
                let copy = read(&path, &activity).map_err(|error| named_error(name, error))?;
                let description = copy.describe().map_err(ControlError::Store)?;
                (copy, description)
            }
            None => {
                let snapshots = self.inner.snapshots.lock();
                let (copy, description) = snapshots.get(name).ok_or_else(|| no_snapshot(name))?;
                (copy.duplicate().map_err(ControlError::Store)?, *description)
            }
        };
        self.replace(copy, &activity)?;
        Ok(SnapshotSummary::new(name, description))
    }

    /// Lists the named snapshots, ordered by name. A file that cannot be read, or that another process uses, is skipped with a warning in
    /// the log.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotPossible`] if their folder cannot be read.
    pub fn snapshots(&self) -> Result<Vec<SnapshotSummary>, ControlError> {
        let Some(folder) = self.snapshot_folder() else {
            let snapshots = self.inner.snapshots.lock();
            let summary = |(name, (_, description)): (&String, &(_, CopyDescription))| {
                SnapshotSummary::new(name.as_str(), *description)
            };
            return Ok(snapshots.iter().map(summary).collect());
        };
        let mut found = Vec::new();
        for name in names_in(&folder).map_err(|error| {
            ControlError::NotPossible(format!("`{}` cannot be read: {error}", folder.display()))
        })? {
            match DatabaseCopy::describe_file(&file_in(&folder, &name)) {
                Ok(description) => found.push(SnapshotSummary::new(name, description)),
                Err(error) => {
                    tracing::warn!(name, error = &error as &dyn std::error::Error, "a snapshot is left out");
                }
            }
        }
        Ok(found)
    }

    /// Describes a named snapshot.
    ///
    /// # Errors
    ///
    /// As [`Pretender::restore_snapshot`].
    pub fn describe_snapshot(&self, name: &str) -> Result<SnapshotSummary, ControlError> {
        let description = match self.snapshot_file(name) {
            Some(path) => {
                check_name(name).map_err(|_| no_snapshot(name))?;
                DatabaseCopy::describe_file(&path).map_err(|error| named_error(name, error))?
            }
            None => self.inner.snapshots.lock().get(name).ok_or_else(|| no_snapshot(name))?.1,
        };
        Ok(SnapshotSummary::new(name, description))
    }

    /// Deletes a named snapshot.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] if there is no such snapshot, [`ControlError::NotPossible`] if its file is in use, is not a
    /// snapshot, or cannot be deleted.
    pub fn delete_snapshot(&self, name: &str) -> Result<(), ControlError> {
        let Some(path) = self.snapshot_file(name) else {
            let gone = self.inner.snapshots.lock().remove(name);
            return gone.map(drop).ok_or_else(|| no_snapshot(name));
        };
        self.describe_snapshot(name)?;
        let refused =
            |error| ControlError::NotPossible(format!("`{}` cannot be deleted: {error}", path.display()));
        fs::remove_file(&path).map_err(refused)?;
        // What is left beside a database that was served.
        for suffix in ["-wal", "-shm", "-lock"] {
            let mut beside = OsString::from(&path);
            beside.push(suffix);
            match fs::remove_file(&beside) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Saves the database to a file, which is then a complete database of its own. If there is a database with this name already, and it
    /// is not open, it is replaced.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotPossible`] if the file is in use, is not a database of pretender, or cannot be written;
    /// [`ControlError::Store`].
    pub fn save_snapshot_file(&self, path: impl AsRef<Path>) -> Result<SnapshotSummary, ControlError> {
        let path = path.as_ref();
        self.check_other_file(path)?;
        let taken = self.inner.env.clock.now();
        let description = self.save_to(path, taken, &path.display().to_string())?;
        Ok(SnapshotSummary::new(path.display().to_string(), description))
    }

    /// Variant of [`Pretender::save_snapshot_file`] for a file that is read soon: it does not wait until the file is on the disk. `each` is
    /// called with the progress and can stop the copy.
    ///
    /// # Errors
    ///
    /// As [`Pretender::save_snapshot_file`].
    pub fn copy_to_file(
        &self,
        path: impl AsRef<Path>,
        each: &mut dyn FnMut(CopiedBytes) -> ControlFlow<()>,
    ) -> Result<SnapshotSummary, ControlError> {
        let path = path.as_ref();
        self.check_other_file(path)?;
        let taken = self.inner.env.clock.now();
        let copied = self.inner.store.copy_to_file_watched(path, taken, false, each);
        Ok(SnapshotSummary::new(path.display().to_string(), copied.map_err(file_error)?))
    }

    /// Returns the file of the database; `None` for a database in memory or on a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.inner.store.file()
    }

    /// Replaces the whole database with the content of a database file that is not open, as [`Pretender::restore_snapshot`] does. The
    /// file may be one of an older version; it is not changed.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] if there is no such file, [`ControlError::NotPossible`] if it is in use, is not a database of
    /// pretender, or is damaged; [`ControlError::Store`]. Nothing is changed then.
    pub fn restore_snapshot_file(&self, path: impl AsRef<Path>) -> Result<SnapshotSummary, ControlError> {
        let path = path.as_ref();
        self.check_other_file(path)?;
        let activity = self.inner.activities.begin(format!("restoring the snapshot {}", path.display()));
        let copy = read(path, &activity).map_err(file_error)?;
        let description = copy.describe().map_err(ControlError::Store)?;
        self.replace(copy, &activity)?;
        Ok(SnapshotSummary::new(path.display().to_string(), description))
    }

    /// Describes the content of a database file that is not open.
    ///
    /// # Errors
    ///
    /// As [`Pretender::restore_snapshot_file`].
    pub fn describe_snapshot_file(&self, path: impl AsRef<Path>) -> Result<SnapshotSummary, ControlError> {
        let path = path.as_ref();
        self.check_other_file(path)?;
        let description = DatabaseCopy::describe_file(path).map_err(file_error)?;
        Ok(SnapshotSummary::new(path.display().to_string(), description))
    }

    /// Removes everything: tables, items, streams, records, backups, tags, tokens. Clock and snapshots stay. Afterwards the database is
    /// like a new one, except that shards which a restore brings back still continue above the sequence numbers assigned before.
    ///
    /// # Errors
    ///
    /// [`ControlError::Store`]. Nothing is changed then.
    pub fn reset(&self) -> Result<(), ControlError> {
        self.inner.store.reset().map_err(ControlError::Store)
    }

    /// Removes all items of a table without stream records, its history for point-in-time recovery, and that of its streams. The table keeps its settings, and an enabled
    /// stream stays enabled: it has the same ARN, its open shards, and no records. Its sequence numbers continue, so a reader that had read
    /// all records gets those that are written next; for another reader the unread records count as trimmed.
    ///
    /// Closed shards and disabled streams are removed, and so are the tokens of all transactions, which would prevent a repeated
    /// transaction from being applied. The backups of the table stay.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] if there is no such table, [`ControlError::Store`]. Nothing is changed then.
    pub fn reset_table(&self, table_name: &TableName) -> Result<ClearReport, ControlError> {
        let name = table_name.clone();
        let cleared = self.inner.store.write(move |tx| {
            let table = tx.table(&name)?;
            tx.clear_table(&table)
        });
        cleared.map_err(|error| match error {
            StoreError::TableNotFound(_) => ControlError::NotFound(error.to_string()),
            other => ControlError::Store(other),
        })
    }

    /// Returns the long operations that are running on this database: snapshots being saved or restored, indexes being filled.
    #[must_use]
    pub fn activities(&self) -> Vec<ActivityReport> {
        self.inner.activities.list()
    }

    fn save_to(&self, path: &Path, taken: EpochMillis, name: &str) -> Result<CopyDescription, ControlError> {
        let activity = self.inner.activities.begin(format!("saving the snapshot {name}"));
        activity.begin_part("writing", "bytes", (0.0, FINISHING.0));
        let saved =
            self.inner.store.copy_to_file_watched(path, taken, true, &mut |bytes| written(&activity, bytes));
        saved.map_err(file_error)
    }

    /// The last part of a restore.
    fn replace(&self, copy: DatabaseCopy, activity: &Activity) -> Result<(), ControlError> {
        activity.begin_part("writing", "bytes", WRITING);
        let replaced = self.inner.store.replace_watched(copy, &mut |bytes| written(activity, bytes));
        replaced.map_err(file_error)?;
        // An import that went on when the snapshot was taken goes on.
        self.inner.transfers.resume().map_err(ControlError::Store)
    }

    fn snapshot_folder(&self) -> Option<PathBuf> {
        let mut folder = OsString::from(self.inner.store.file()?);
        folder.push("-snapshots");
        Some(folder.into())
    }

    /// The file of a named snapshot; `None` if they are in memory.
    fn snapshot_file(&self, name: &str) -> Option<PathBuf> {
        self.snapshot_folder().map(|folder| file_in(&folder, name))
    }

    /// Refuses this database's own file. Not by opening it: closing it again would give up SQLite's locks on it.
    fn check_other_file(&self, path: &Path) -> Result<(), ControlError> {
        let same = |own: &Path| fs::canonicalize(path).is_ok_and(|path| path == own);
        if self.inner.store.file().is_some_and(same) {
            return Err(ControlError::NotPossible(format!("`{}` is the database itself", path.display())));
        }
        Ok(())
    }
}

/// The parts of a restore from a file, by the time they take.
const READING: (f64, f64) = (0.0, 0.2);
const CHECKING_PAGES: (f64, f64) = (0.2, 0.25);
const CHECKING_ROWS: (f64, f64) = (0.25, 0.5);
const WRITING: (f64, f64) = (0.5, 0.75);
/// The commit, or waiting for the disk.
const FINISHING: (f64, f64) = (0.75, 1.0);

/// Notes how much is written; what then follows does not tell how far it is.
fn written(activity: &Activity, bytes: CopiedBytes) -> ControlFlow<()> {
    if bytes.done == bytes.total {
        activity.begin_part("finishing", "bytes", FINISHING);
    } else {
        activity.step(bytes.done, bytes.total);
    }
    ControlFlow::Continue(())
}

/// Reads a snapshot from its file.
fn read(path: &Path, activity: &Activity) -> Result<DatabaseCopy, StoreError> {
    activity.begin_part("reading", "bytes", READING);
    let mut is_at_rows = false;
    DatabaseCopy::read_watched(path, &mut |step| match step {
        ReadStep::Reading(bytes) => activity.step(bytes.done, bytes.total),
        ReadStep::CheckingPages => activity.begin_part("checking pages", "bytes", CHECKING_PAGES),
        ReadStep::CheckingRows { rows, rows_at_most } => {
            if !std::mem::replace(&mut is_at_rows, true) {
                activity.begin_part("checking rows", "rows", CHECKING_ROWS);
            }
            activity.step(rows, rows_at_most);
        }
    })
}

fn file_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{SUFFIX}"))
}

/// Returns the names of the snapshots in a folder, in order; none if there is no such folder.
fn names_in(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(SUFFIX));
        names.extend(name.filter(|name| check_name(name).is_ok()).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

fn check_name(name: &str) -> Result<(), ControlError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let text = format!(
        "`{name}` is not a valid name of a snapshot: 1 to {MAX_NAME} characters of a-z A-Z 0-9 _ . -"
    );
    Err(ControlError::NotPossible(text))
}

fn no_snapshot(name: &str) -> ControlError {
    ControlError::NotFound(format!("there is no snapshot `{name}`"))
}

fn named_error(name: &str, error: StoreError) -> ControlError {
    match file_error(error) {
        ControlError::NotFound(_) => no_snapshot(name),
        other => other,
    }
}

/// Sorts what can be wrong with a file that a command names.
fn file_error(error: StoreError) -> ControlError {
    match error {
        StoreError::Open(OpenError::Unreadable { path, source }) if source.kind() == ErrorKind::NotFound => {
            ControlError::NotFound(format!("there is no file `{}`", path.display()))
        }
        StoreError::Open(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            ControlError::NotPossible(format!("{error}{}", cause.unwrap_or_default()))
        }
        StoreError::Unsupported(_) => {
            let text = "snapshots are not possible on a PostgreSQL server: its own tools copy a database";
            ControlError::NotPossible(text.to_owned())
        }
        other => ControlError::Store(other),
    }
}
