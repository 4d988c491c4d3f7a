//! A database file as SQLite has not seen it yet: held, locked, and judged by its first bytes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use rusqlite::OpenFlags;

use crate::{
    error::{OpenError, StoreError},
    sqlite::{
        connection::{self, APPLICATION_ID},
        files::{
            lock,
            names::{FileId, beside},
        },
        migrate, refusals,
    },
};

/// What every journal begins with (<https://www.sqlite.org/fileformat.html#the_rollback_journal>).
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nobody else may have it open.
    Write,
    /// Others may read it, too.
    Read,
    /// As `Read`, and another file will be put in its place.
    Replace,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing yet: it is empty.
    Nothing,
    /// A database of ours. It may turn out to be nothing yet, when SQLite has undone what was begun in it.
    Database,
}

/// An open database file, locked as long as it is open.
///
/// Closing any handle on a file gives up the locks that SQLite has on it in this process; so this one is opened before SQLite's
/// and closed after them.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    file: File,
}

impl DatabaseFile {
    /// Opens and locks the file; none if there is none.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Option<Self>, StoreError> {
        let refused = |e| inaccessible(path, access, e);
        loop {
            let Some(file) = open_regular(path, access)? else { return Ok(None) };
            if !lock::lock_itself(&file, access == Access::Write) {
                // Perhaps it is this process that has it open, and SQLite needs its locks.
                std::mem::forget(file);
                // The system does not tell who holds locks of this kind.
                return Err(OpenError::Locked { path: path.into(), holder: None }.into());
            }
            // The process that had the lock before may have put another file in its place.
            if FileId::is_still(&file, path).map_err(refused)? {
                return Ok(Some(Self { file }));
            }
        }
    }

    /// Judges a file that others may have open and write, and takes no lock; none if there is none.
    pub(crate) fn look(path: &Path) -> Result<Option<Content>, StoreError> {
        let Some(file) = open_regular(path, Access::Read)? else { return Ok(None) };
        let found = Self { file };
        let judged = found.judge(path, Access::Read);
        if lock::is_locked(&found.file) {
            // Perhaps it is this process that has it open, and SQLite needs its locks.
            std::mem::forget(found);
        }
        judged.map(Some)
    }

    /// Holds a file that nobody else knows of yet.
    pub(super) fn made(file: File) -> Self {
        lock::lock_itself(&file, true);
        Self { file }
    }

    /// A second handle; as of any, closing it gives up SQLite's locks.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    pub(crate) fn id(&self) -> Option<FileId> {
        self.file.metadata().ok().as_ref().and_then(FileId::of)
    }

    /// Waits until what was written to the file is on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// How many names the file has.
    #[cfg(unix)]
    pub(crate) fn names(&self) -> u64 {
        use std::os::unix::fs::MetadataExt;
        self.file.metadata().map_or(1, |metadata| metadata.nlink())
    }

    #[cfg(not(unix))]
    pub(crate) fn names(&self) -> u64 {
        1
    }

    /// Looks at the first bytes of the file, and refuses what is not ours, or of a newer version. Alters nothing.
    pub(crate) fn judge(&self, path: &Path, access: Access) -> Result<Content, StoreError> {
        let mut header = Vec::with_capacity(100);
        (&self.file).take(100).read_to_end(&mut header).map_err(|e| inaccessible(path, access, e))?;
        if header.is_empty() {
            return Ok(Content::Nothing);
        }
        if begins_with_nothing(path) {
            return Ok(Content::Database);
        }
        // https://www.sqlite.org/fileformat.html: user version at 60, application id at 68.
        let (Some(version), Some(application)) = (number_at(&header, 60), number_at(&header, 68)) else {
            return Err(OpenError::NotADatabase(path.into()).into());
        };
        if !header.starts_with(b"SQLite format 3\0") {
            return Err(OpenError::NotADatabase(path.into()).into());
        }
        match application {
            APPLICATION_ID if version > migrate::NEWEST => Err(refusals::newer(path, version)),
            APPLICATION_ID => Ok(Content::Database),
            0 => has_our_tables(path).map(|()| Content::Database),
            _ => Err(OpenError::Foreign(path.into()).into()),
        }
    }
}

/// Opens a regular file; none if there is none.
fn open_regular(path: &Path, access: Access) -> Result<Option<File>, StoreError> {
    let refused = |e| inaccessible(path, access, e);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        // A pipe, for one, would keep us waiting for its other end.
        Ok(_) => return Err(refused(io::Error::other("it is not a regular file"))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(refused(e)),
    }
    match OpenOptions::new().read(true).write(access == Access::Write).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(refused(e)),
    }
}

fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// Whether a journal beside the file says that the database had no page when its transaction began: then SQLite will undo
/// all of it, even if the first page looks sound. That is what versions left that made a new file in its place, and were killed.
fn begins_with_nothing(path: &Path) -> bool {
    let mut header = Vec::with_capacity(28);
    let journal = beside(path, "-journal");
    // A pipe of this name is none.
    if !fs::metadata(&journal).is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let read = File::open(journal).and_then(|file| file.take(28).read_to_end(&mut header));
    // Pages at the beginning at 16, their size at 24.
    read.is_ok_and(|length| length == 28)
        && header.starts_with(&JOURNAL_MAGIC)
        && number_at(&header, 16) == Some(0)
}

/// Accepts a file without our mark that has our tables: a version that was killed while it made a file lost the mark, and went on
/// to use it. Its tables may be in the log, so SQLite has to look; it alters nothing.
fn has_our_tables(path: &Path) -> Result<(), StoreError> {
    let foreign = || StoreError::from(OpenError::Foreign(path.into()));
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = if beside(path, "-wal").exists() {
        connection::connect(path, read_only)
    } else {
        // So that SQLite makes no log beside another program's file.
        connection::connect(Path::new(&immutable(path)), read_only | OpenFlags::SQLITE_OPEN_URI)
    };
    let connection = connection.map_err(|_| foreign())?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' \
                  AND name IN ('pdb_setting', 'pdb_metadata', 'pdb_stream', 'pdb_shard')";
    let found = connection.query_row(tables, [], |row| row.get::<_, i64>(0)).map_err(|_| foreign())?;
    let version = connection::schema_version(&connection).map_err(|_| foreign())?;
    if found < 4 || version == 0 {
        return Err(foreign());
    }
    if version > migrate::NEWEST { Err(refusals::newer(path, version)) } else { Ok(()) }
}

/// The address of a file that SQLite is to take as it is (<https://www.sqlite.org/uri.html>).
pub(crate) fn immutable(path: &Path) -> String {
    let mut address = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => address.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(*byte)),
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address + "?immutable=1"
}

fn inaccessible(path: &Path, access: Access, source: io::Error) -> StoreError {
    let (path, source) = (path.into(), Arc::new(source));
    match access {
        Access::Write | Access::Replace => OpenError::Unwritable { path, source }.into(),
        Access::Read => OpenError::Unreadable { path, source }.into(),
    }
}
