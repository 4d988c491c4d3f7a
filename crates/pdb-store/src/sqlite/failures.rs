//! What SQLite says when it fails.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::db_error::{Cause, DbError};

pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

pub(crate) fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
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
