//! What can go wrong in the store.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use pdb_model::{IndexName, TableName};

use crate::db_error::DbError;

/// Why the store could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No table has this name.
    #[error("table `{0}` does not exist")]
    TableNotFound(TableName),
    /// A table of this name exists already.
    #[error("table `{0}` exists already")]
    TableExists(TableName),
    /// The table was defined anew, or dropped, since the caller looked it up.
    #[error("table `{0}` has changed since it was looked up")]
    TableChanged(TableName),
    /// The table has no index of this name.
    #[error("table `{table}` has no index `{index}`")]
    IndexNotFound {
        /// The table.
        table: TableName,
        /// The index it lacks.
        index: IndexName,
    },
    /// The history of a table does not lead back any more to a state of the past: it was trimmed or ended meanwhile.
    #[error("the history of table `{0}` no longer leads back to that moment")]
    PastLost(TableName),
    /// No stream, or no open one, is there to act upon.
    #[error("stream `{0}` does not exist or is closed")]
    StreamNotFound(String),
    /// The table has an enabled stream already, or a stream of this ARN exists.
    #[error("stream `{0}` exists already")]
    StreamExists(String),
    /// No shard, or no open one, is there to act upon.
    #[error("shard `{0}` does not exist or is closed")]
    ShardNotFound(String),
    /// A shard has used up its sequence numbers (2^40), or a table name its shards (2^23).
    #[error("{0} has no numbers left")]
    Exhausted(String),
    /// A row is not what was written, or holds what no released version writes: the database is damaged.
    #[error("stored {what}{} cannot be read: {detail}", place(table.as_ref(), file.as_deref()))]
    Corrupt {
        /// What was to be read.
        what: &'static str,
        /// Why it could not be.
        detail: String,
        /// The table it belongs to, if that is known.
        table: Option<TableName>,
        /// The database file it is in.
        file: Option<PathBuf>,
    },
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database refused, or could not be reached.
    #[error("database failed to {during}")]
    Database {
        /// What it was to do.
        during: &'static str,
        /// What it said.
        source: DbError,
    },
    /// The database cannot be reached, or the connection was lost before the server said whether the job was committed. The
    /// same job may be submitted again.
    #[error("database cannot be reached to {during}")]
    Unavailable {
        /// What it was to do.
        during: &'static str,
        /// What happened.
        source: DbError,
    },
    /// The database file, or one that belongs to it, was deleted or replaced while it was open. Writes are refused from then
    /// on, because they would be lost. Reads still see the old file.
    #[error("`{}` was deleted or replaced while it was open", .0.display())]
    FileGone(PathBuf),
    /// The disk failed to take what was written to the database file or its log. Nobody knows what of it is there, and a later success
    /// would prove nothing: an operating system drops what it could not write. So writes are refused until the database is opened again,
    /// which writes the log anew. Reads go on.
    #[error("the disk failed to keep what was written to `{}`: no more writes until the database is opened again", .0.display())]
    SyncFailed(PathBuf),
    /// Other transactions changed the same data in every attempt. The same job may be submitted again.
    #[error("other transactions keep changing the same data")]
    Conflict,
    /// This kind of database cannot do that.
    #[error("this database does not support {0}")]
    Unsupported(&'static str),
    /// The job panicked. Nothing that it did is kept; other jobs are not affected.
    #[error("the work on the store panicked: {0}")]
    Panicked(String),
    /// The operating system refused to start a thread.
    #[error("a background thread could not be started")]
    Thread(#[source] Arc<std::io::Error>),
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// The caller cancelled the operation.
    #[error("the operation was cancelled")]
    BrokenOff,
}

impl StoreError {
    /// Makes the error of a row that is not what was written.
    pub fn corrupt(what: &'static str, detail: impl fmt::Display) -> Self {
        Self::Corrupt { what, detail: detail.to_string(), table: None, file: None }
    }

    /// Says of which table a damaged row is, unless that is known.
    #[must_use]
    pub fn of_table(mut self, name: &TableName) -> Self {
        if let Self::Corrupt { table: table @ None, .. } = &mut self {
            *table = Some(name.clone());
        }
        self
    }

    /// Says in which file the database is, where that matters: of damage, and of what SQLite says.
    #[cfg(feature = "sqlite")]
    #[cold]
    pub(crate) fn in_file(mut self, path: Option<&str>) -> Self {
        let path = path.filter(|path| !path.is_empty());
        match (&mut self, path) {
            (Self::Corrupt { file: file @ None, .. }, Some(path)) => *file = Some(path.into()),
            (Self::Database { source, .. }, path) => *source = source.clone().in_file(path),
            _ => {}
        }
        self
    }
}

/// Why a database could not be opened. The database has not been changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not a SQLite database, or its header is damaged.
    #[error("`{}` is not a database, or it is damaged", .0.display())]
    NotADatabase(PathBuf),
    /// The schema has triggers, views, tables or other objects that this crate does not create, or lacks some that it does.
    /// Such objects could run inside the statements of this crate, so the file is not used.
    #[error("the schema of `{}` is not the one that pretender creates: {what}. If you added something, remove it with `sqlite3`", .path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The database is damaged.
    #[error("`{}` is damaged: {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file is an SQLite database of some other program.
    #[error("`{}` is a database of another program", .0.display())]
    Foreign(PathBuf),
    /// A newer version made the database.
    #[error("`{}` has schema {found}, made by a newer version; this one knows schemas up to {known}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest schema version this program knows.
        known: u32,
    },
    /// An older version made the database, and only a program that opens it to write brings it up to date.
    #[error(
        "`{}` has schema {found}, made by an older version; open it once with `pretender serve`, which makes it schema {known}",
        .path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The schema version this program works with.
        known: u32,
    },
    /// A copy into the database was started and not finished. Names the file, or the server without the password.
    #[error("a copy into `{0}` was not finished: run the same `pretender copy` again")]
    Unfinished(String),
    /// Another process has the database open, or this one has.
    #[error("`{}` is in use by {}", .path.display(), .holder.as_deref().unwrap_or("another process"))]
    Locked {
        /// The file.
        path: PathBuf,
        /// The process, for people, where the system tells: `process 4242 (pretender serve --port 8001)`.
        holder: Option<String>,
    },
    /// The folder of the file does not exist.
    #[error("`{}` cannot be opened: the folder `{}` does not exist{}", .path.display(), .folder.display(), tilde(.folder))]
    MissingFolder {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The file is a database of this crate, but opening it failed for another reason.
    #[error("`{}` cannot be opened", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What does.
        source: Arc<StoreError>,
    },
    /// A newer version made the database on this server.
    #[error("`{address}` has schema {found}, made by a newer version; this one knows schemas up to {known}")]
    NewerServed {
        /// The server and the database, without the password.
        address: String,
        /// Its schema version.
        found: u32,
        /// The newest schema version this program knows.
        known: u32,
    },
    /// The address of a database server is malformed, or asks for something that is not supported.
    #[error("the address of the database is not usable: {0}")]
    Address(String),
    /// No database server answers at this address, or none that accepts the login and writes.
    #[error("cannot connect to the database at {address}")]
    Unreachable {
        /// Where it was looked for, without the password.
        address: String,
        /// Why not.
        source: DbError,
    },
    /// The file, or its directory, cannot be opened for writing.
    #[error("`{}` cannot be opened for writing", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Arc<std::io::Error>,
    },
    /// A file of this name exists already and must not be replaced.
    #[error("`{}` exists already", .0.display())]
    Exists(PathBuf),
    /// The file does not exist or cannot be read.
    #[error("`{}` cannot be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Arc<std::io::Error>,
    },
}

/// What to add about a folder whose name a shell was meant to replace.
fn tilde(folder: &Path) -> &'static str {
    let first = folder.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
    // `--db=~/orders.db` and quotes keep shells from it.
    match first {
        Some(first) if first.starts_with('~') => {
            "; only a shell replaces `~`, where a word begins with it: write the whole path, or `$HOME`"
        }
        _ => "",
    }
}

/// Where a damaged row is.
fn place(table: Option<&TableName>, file: Option<&Path>) -> String {
    let table = table.map(|table| format!(" of table `{table}`")).unwrap_or_default();
    let file = file.map(|file| format!(" in `{}`", file.display())).unwrap_or_default();
    table + &file
}

/// Says what the database was doing when it failed.
pub(crate) trait During<T> {
    fn during(self, during: &'static str) -> Result<T, StoreError>;
}

impl<T, E: Into<DbError>> During<T> for Result<T, E> {
    fn during(self, during: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Database { during, source: source.into() })
    }
}
