//! Errors of opening a file: which of the ways to fail this one is.

use rusqlite::ErrorCode;
use std::{io, path::Path, sync::Arc};

use crate::{
    db_error::{Cause, DbError},
    error::{OpenError, StoreError},
    sqlite::migrate,
};

pub(crate) fn newer(path: &Path, found: u32) -> StoreError {
    OpenError::Newer { path: path.into(), found, known: migrate::NEWEST }.into()
}

pub(crate) fn unwritable(path: &Path, source: io::Error) -> StoreError {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
    if let (io::ErrorKind::NotFound, Some(folder)) = (source.kind(), folder) {
        return OpenError::MissingFolder { path: path.into(), folder: folder.into() }.into();
    }
    OpenError::Unwritable { path: path.into(), source: Arc::new(source) }.into()
}

/// Says which of the ways to fail at opening this one is.
pub(crate) fn refused(path: &Path, error: impl Into<DbError>) -> StoreError {
    refused_store(path, StoreError::Database { during: "open the database", source: error.into() })
}

/// The same, of an error that does not name the file.
pub(crate) fn refused_store(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Open(_) => error,
        StoreError::Database { source, .. } if source.is_corrupt() => {
            OpenError::NotADatabase(path.into()).into()
        }
        StoreError::Database { source, .. } if is_unwritable(&source) => {
            unwritable(path, io::Error::other(source))
        }
        other => OpenError::Failed { path: path.into(), source: Arc::new(other) }.into(),
    }
}

/// Whether the reason is that the file cannot be written.
pub(crate) fn is_unwritable(error: &DbError) -> bool {
    let Cause::Sqlite(error) = &*error.cause else { return false };
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied)
    )
}

impl DbError {
    /// Says in which file the database is, unless that is known.
    #[cold]
    pub(crate) fn in_file(mut self, path: Option<&str>) -> Self {
        if self.file.is_none() {
            self.file = path.filter(|path| !path.is_empty()).map(|path| Path::new(path).into());
        }
        self
    }
}

impl From<rusqlite::Error> for DbError {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(Cause::Sqlite(error))
    }
}
