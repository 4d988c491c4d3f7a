//! What a database does for us: runs a statement with bound values, and hands out rows one by one.
//!
//! Everything above speaks in [`Param`] and [`Row`], and in SQL with parameters written `?1`, `?2`, ... in the order of the
//! values. Where the databases' texts differ, [`Dialect`] says how.
//!
//! Each statement is a `tracing` event of level `TRACE` and target `pdb_store::statement`, with its text and its rows.

use std::{borrow::Cow, ops::ControlFlow};

use rusqlite::{
    Connection,
    types::{ToSqlOutput, ValueRef},
};

#[cfg(feature = "postgres")]
use crate::postgres::{PgRow, Session};
use crate::{
    dialect::Dialect,
    error::{DbError, During, StoreError},
};

/// A value bound to a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Param<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl<'a> Param<'a> {
    pub(crate) fn optional_text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }

    pub(crate) fn optional_integer(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Integer)
    }
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// One row of an answer, valid until the next one is fetched. Columns are counted from 0.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    #[cfg(feature = "postgres")]
    Postgres(&'r PgRow),
}

impl<'r> Row<'r> {
    #[inline]
    pub(crate) fn integer(&self, column: usize) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(row) => value(row, column)?.as_i64().map_err(|e| StoreError::corrupt("number", e)),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => served(row, column, "number"),
        }
    }

    /// A count or a size: never negative.
    #[inline]
    pub(crate) fn count(&self, column: usize) -> Result<u64, StoreError> {
        u64::try_from(self.integer(column)?).map_err(|e| StoreError::corrupt("count", e))
    }

    #[inline]
    pub(crate) fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self {
            Self::Sqlite(row) => {
                value(row, column)?.as_i64_or_null().map_err(|e| StoreError::corrupt("number", e))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => served(row, column, "number"),
        }
    }

    #[inline]
    pub(crate) fn text(&self, column: usize) -> Result<&'r str, StoreError> {
        match self {
            Self::Sqlite(row) => utf8(value(row, column)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => served(row, column, "text"),
        }
    }

    #[inline]
    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        match self {
            Self::Sqlite(row) => match value(row, column)? {
                ValueRef::Null => Ok(None),
                text => utf8(text).map(Some),
            },
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => served(row, column, "text"),
        }
    }

    #[inline]
    pub(crate) fn blob(&self, column: usize) -> Result<&'r [u8], StoreError> {
        match self {
            Self::Sqlite(row) => value(row, column)?.as_blob().map_err(|e| StoreError::corrupt("bytes", e)),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => served(row, column, "bytes"),
        }
    }

    /// A key, whose columns in dialects that divide keys are `head` and `rest`; in one that does not, it is in `head`.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "SQLite's keys are in one piece")
    )]
    pub(crate) fn key(&self, head: usize, rest: usize) -> Result<Cow<'r, [u8]>, StoreError> {
        let head = self.blob(head)?;
        let rest = match self {
            Self::Sqlite(_) => &[],
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => self.blob(rest)?,
        };
        Ok(if rest.is_empty() { Cow::Borrowed(head) } else { Cow::Owned([head, rest].concat()) })
    }
}

#[inline]
fn value<'r>(row: &'r rusqlite::Row<'r>, column: usize) -> Result<ValueRef<'r>, StoreError> {
    row.get_ref(column).map_err(|e| StoreError::corrupt("column", e))
}

/// The standard library's check takes a tenth of the time that a page of records does.
#[inline]
fn utf8(value: ValueRef<'_>) -> Result<&str, StoreError> {
    match value {
        ValueRef::Text(bytes) => {
            simdutf8::basic::from_utf8(bytes).map_err(|e| StoreError::corrupt("text", e))
        }
        other => Err(StoreError::corrupt("text", other.data_type())),
    }
}

/// Apart, so that what reads SQLite's rows stays small enough to be inlined: a page of records reads thousands of values.
#[cfg(feature = "postgres")]
#[inline(never)]
fn served<'r, T: postgres::types::FromSql<'r>>(
    row: &'r PgRow,
    column: usize,
    what: &'static str,
) -> Result<T, StoreError> {
    row.try_get(column).map_err(|e| StoreError::corrupt(what, e))
}

/// A connection with an open transaction, or a snapshot.
#[derive(Clone, Copy)]
pub(crate) enum Driver<'c> {
    Sqlite(&'c Connection),
    #[cfg(feature = "postgres")]
    Postgres(&'c Session),
}

impl<'c> Driver<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self::Sqlite(connection)
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The error of work that found the database changed under it; on PostgreSQL it is run again.
    pub(crate) fn stale(self) -> StoreError {
        #[cfg(feature = "postgres")]
        if let Self::Postgres(session) = self {
            session.note_stale();
        }
        StoreError::Conflict
    }

    /// Runs a statement that returns no rows; returns how many rows it changed.
    pub(crate) fn execute(self, sql: &str, params: &[Param<'_>]) -> Result<usize, DbError> {
        let rows = match self {
            Self::Sqlite(connection) => {
                let run = || {
                    let mut statement = connection.prepare_cached(sql)?;
                    for (i, param) in params.iter().enumerate() {
                        statement.raw_bind_parameter(i + 1, param)?;
                    }
                    statement.raw_execute()
                };
                run().map_err(|error| DbError::from(error).in_file(connection.path()))?
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.execute(sql, params)?,
        };
        tracing::trace!(target: "pdb_store::statement", sql, rows);
        Ok(rows)
    }

    /// Runs statements that are not worth keeping prepared, one after the other.
    pub(crate) fn batch(self, sql: &str) -> Result<(), DbError> {
        match self {
            Self::Sqlite(connection) => {
                connection.execute_batch(sql).map_err(|error| DbError::from(error).in_file(connection.path()))
            }
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
            Self::Sqlite(connection) => {
                let mut run = || {
                    let mut statement = connection.prepare_cached(sql).during(during)?;
                    for (i, param) in params.iter().enumerate() {
                        statement.raw_bind_parameter(i + 1, param).during(during)?;
                    }
                    let mut rows = statement.raw_query();
                    while let Some(row) = rows.next().during(during)? {
                        read += 1;
                        if each(&Row::Sqlite(row))?.is_break() {
                            break;
                        }
                    }
                    Ok(())
                };
                run().map_err(|error: StoreError| error.in_file(connection.path()))?;
            }
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
        match self {
            Self::Sqlite(connection) => {
                let run = || {
                    let mut statement = connection.prepare_cached(sql).during(during)?;
                    for (i, param) in params.iter().enumerate() {
                        statement.raw_bind_parameter(i + 1, param).during(during)?;
                    }
                    let mut rows = statement.raw_query();
                    let row = rows.next().during(during)?;
                    tracing::trace!(target: "pdb_store::statement", sql, rows = usize::from(row.is_some()));
                    row.map(|row| read(&Row::Sqlite(row))).transpose()
                };
                run().map_err(|error: StoreError| error.in_file(connection.path()))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => {
                let rows = session.query(sql, params).during(during)?;
                tracing::trace!(target: "pdb_store::statement", sql, rows = rows.len());
                rows.first().map(|row| read(&Row::Postgres(row))).transpose()
            }
        }
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
}
