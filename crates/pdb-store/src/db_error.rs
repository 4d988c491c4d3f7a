//! What a database said when it failed.

use std::{fmt, path::Path, sync::Arc};

#[cfg(feature = "postgres")]
use crate::postgres::failures as postgres;
#[cfg(feature = "sqlite")]
use crate::sqlite::failures as sqlite;

/// What the database said, and in which file it is. Opaque: no driver's type is part of this crate's API.
#[derive(Clone)]
pub struct DbError {
    pub(crate) cause: Arc<Cause>,
    pub(crate) file: Option<Arc<Path>>,
}

pub(crate) enum Cause {
    #[cfg(feature = "sqlite")]
    Sqlite(rusqlite::Error),
    Pool(r2d2::Error),
    #[cfg(feature = "postgres")]
    Postgres(::postgres::Error),
    /// An error that no driver makes.
    #[cfg(feature = "postgres")]
    Said(String),
}

impl DbError {
    pub(crate) fn new(cause: Cause) -> Self {
        Self { cause: Arc::new(cause), file: None }
    }

    /// True if the disk, or a limit set upon the database, is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match &*self.cause {
            #[cfg(feature = "sqlite")]
            Cause::Sqlite(error) => sqlite::is_full(error),
            #[cfg(feature = "postgres")]
            Cause::Postgres(error) => postgres::is_full(error),
            _ => false,
        }
    }

    /// True if the database file is damaged.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        match &*self.cause {
            #[cfg(feature = "sqlite")]
            Cause::Sqlite(error) => sqlite::is_corrupt(error),
            _ => false,
        }
    }
}

impl From<r2d2::Error> for DbError {
    fn from(error: r2d2::Error) -> Self {
        Self::new(Cause::Pool(error))
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.cause {
            #[cfg(feature = "sqlite")]
            Cause::Sqlite(error) => error.fmt(f),
            Cause::Pool(error) => error.fmt(f),
            #[cfg(feature = "postgres")]
            Cause::Postgres(error) => postgres::show(error, f),
            #[cfg(feature = "postgres")]
            Cause::Said(text) => f.write_str(text),
        }?;
        match &self.file {
            Some(file) => write!(f, ", in `{}`", file.display()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DbError({self})")
    }
}

impl std::error::Error for DbError {}
