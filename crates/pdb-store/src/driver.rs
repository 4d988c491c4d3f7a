//! A connection of either engine: runs statements with bound values, and hands out rows one by one.
//!
//! Everything above speaks in [`Param`] and [`Row`], and in SQL with parameters written `?1`, `?2`, ... in the order of the
//! values. Where the engines' texts differ, [`Dialect`] says how. No statement has to know which engine
//! runs it.
//!
//! Each statement is a `tracing` event of level `TRACE` and target `pdb_store::statement`, with its text and its rows.

use std::{borrow::Cow, ops::ControlFlow};

#[cfg(feature = "sqlite")]
use crate::sqlite::statements::{self as sqlite, SqliteRow};
use crate::{
    db_error::DbError, dialect::Dialect, error::StoreError, params::Param, rows::items::Direction,
    sql::texts::ScanSql,
};
#[cfg(feature = "postgres")]
use crate::{
    error::During,
    postgres::{
        paging, session,
        session::{PgRow, Session},
    },
};

/// One row of an answer, valid until the next one is fetched. Columns are counted from 0.
pub(crate) enum Row<'r> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'r SqliteRow<'r>),
    #[cfg(feature = "postgres")]
    Postgres(&'r PgRow),
}

/// Reads a column with the function of this name of the engine whose row it is.
macro_rules! read_column {
    ($row:expr, $read:ident, $column:expr) => {
        match $row {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => sqlite::$read(row, $column),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => session::$read(row, $column),
        }
    };
}

impl<'r> Row<'r> {
    #[inline]
    pub(crate) fn integer(&self, column: usize) -> Result<i64, StoreError> {
        read_column!(self, integer, column)
    }

    /// A count or a size: never negative.
    #[inline]
    pub(crate) fn count(&self, column: usize) -> Result<u64, StoreError> {
        u64::try_from(self.integer(column)?).map_err(|e| StoreError::corrupt("count", e))
    }

    #[inline]
    pub(crate) fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        read_column!(self, optional_integer, column)
    }

    #[inline]
    pub(crate) fn text(&self, column: usize) -> Result<&'r str, StoreError> {
        read_column!(self, text, column)
    }

    #[inline]
    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        read_column!(self, optional_text, column)
    }

    #[inline]
    pub(crate) fn blob(&self, column: usize) -> Result<&'r [u8], StoreError> {
        read_column!(self, blob, column)
    }

    /// A key, whose columns where keys are divided are `head` and `rest`; where they are not, it is in `head`.
    pub(crate) fn key(&self, head: usize, rest: usize) -> Result<Cow<'r, [u8]>, StoreError> {
        let head = self.blob(head)?;
        let rest: &[u8] = read_column!(self, rest_of_key, rest)?;
        Ok(if rest.is_empty() { Cow::Borrowed(head) } else { Cow::Owned([head, rest].concat()) })
    }
}

/// A row that was read of a range: whether to go on, and about how many bytes it has.
pub(crate) struct RangeStep {
    pub(crate) flow: ControlFlow<()>,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite needs no pages"))]
    pub(crate) bytes: usize,
}

/// A connection with an open transaction, or a snapshot.
#[derive(Clone, Copy)]
pub(crate) enum Driver<'c> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'c rusqlite::Connection),
    #[cfg(feature = "postgres")]
    Postgres(&'c Session),
}

impl<'c> Driver<'c> {
    #[cfg(feature = "sqlite")]
    pub(crate) fn new(connection: &'c rusqlite::Connection) -> Self {
        Self::Sqlite(connection)
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Returns the error of a job that found the database changed under it. Where others write at the same time, the job runs again.
    pub(crate) fn stale(self) -> StoreError {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.note_stale(),
        }
        StoreError::Conflict
    }

    /// Runs a statement that returns no rows; returns how many rows it changed.
    pub(crate) fn execute(self, sql: &str, params: &[Param<'_>]) -> Result<usize, DbError> {
        let rows = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::execute(connection, sql, params)?,
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.execute(sql, params)?,
        };
        tracing::trace!(target: "pdb_store::statement", sql, rows);
        Ok(rows)
    }

    /// Runs statements that are not worth keeping prepared, one after the other.
    pub(crate) fn batch(self, sql: &str) -> Result<(), DbError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::batch(connection, sql),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.batch(sql),
        }
    }

    /// Runs a query and hands each row to `each`, until that breaks off. PostgreSQL makes all rows before the first is handed
    /// out: there the query has a limit.
    pub(crate) fn query(
        self,
        during: &'static str,
        sql: &str,
        params: &[Param<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut read = 0_usize;
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(connection) => sqlite::query(connection, during, sql, params, |row| {
                read += 1;
                each(&Row::Sqlite(row))
            })?,
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => {
                for row in &session.query(sql, params).during(during)? {
                    read += 1;
                    if each(&Row::Postgres(row))?.is_break() {
                        break;
                    }
                }
            }
        }
        tracing::trace!(target: "pdb_store::statement", sql, rows = read);
        Ok(())
    }

    /// Runs a query and returns what `read` makes of its first row, if there is one.
    pub(crate) fn first<T>(
        self,
        during: &'static str,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let (mut read, mut found) = (Some(read), None);
        self.query(during, sql, params, |row| {
            if let Some(read) = read.take() {
                found = Some(read(row)?);
            }
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// Runs a query and returns what `read` makes of each of its rows.
    pub(crate) fn all<T>(
        self,
        during: &'static str,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.query(during, sql, params, |row| {
            found.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Reads a range of keys, from `lower` on and below `upper`, and hands each row with its key to `each`, until that breaks off.
    ///
    /// The key is in the first column of a row; the rest of a divided one is in column 5.
    pub(crate) fn read_keys(
        self,
        during: &'static str,
        sql: &ScanSql,
        direction: Direction,
        (lower, upper): (Cow<'_, [u8]>, Option<Cow<'_, [u8]>>),
        mut each: impl FnMut(&Row<'_>, &[u8]) -> Result<RangeStep, StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => {
                let params = [Param::Blob(&lower), Param::Blob(upper.as_deref().unwrap_or_default())];
                let params = if upper.is_some() { &params[..] } else { &params[..1] };
                self.query(during, sql.text(direction, upper.is_some()), params, |row| {
                    Ok(each(row, row.blob(0)?)?.flow)
                })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => {
                let bounds = (lower.into_owned(), upper.map(Cow::into_owned));
                paging::read_keys(session, during, sql, direction, bounds, |row| {
                    let row = Row::Postgres(row);
                    let key = row.key(0, 5)?;
                    let step = each(&row, &key)?;
                    Ok((step.flow, step.bytes, key.into_owned()))
                })
            }
        }
    }

    /// Reads the records from `first` to `last` and hands each row to `each`, until that breaks off. The first column is the number.
    pub(crate) fn read_records(
        self,
        during: &'static str,
        sql: &str,
        (first, last): (i64, i64),
        mut each: impl FnMut(&Row<'_>) -> Result<RangeStep, StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => {
                let params = [Param::Integer(first), Param::Integer(last)];
                self.query(during, sql, &params, |row| Ok(each(row)?.flow))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => paging::read_records(session, during, sql, (first, last), |row| {
                let row = Row::Postgres(row);
                let number = row.integer(0)?;
                let step = each(&row)?;
                Ok((step.flow, step.bytes, number))
            }),
        }
    }
}
