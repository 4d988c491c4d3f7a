//! What a database does for us: runs a statement with bound values, and hands out rows one by one.
//!
//! Everything above speaks in [`Param`] and [`Row`], and in one SQL text with parameters written `?1`, `?2`, ... in
//! the order of the values. Today there is one database, so there is no trait object on the way of a row; a second one makes
//! `Driver` an enum of both, and a dialect says where their texts differ.
//!
//! Each statement is a `tracing` event of level `TRACE` and target `pdb_store::statement`, with its text and its rows.

use std::ops::ControlFlow;

use rusqlite::{
    Connection,
    types::{ToSqlOutput, ValueRef},
};

use crate::error::{DbError, StoreError};

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
pub(crate) struct Row<'r>(&'r rusqlite::Row<'r>);

impl<'r> Row<'r> {
    pub(crate) fn integer(&self, column: usize) -> Result<i64, StoreError> {
        self.get(column)?.as_i64().map_err(|e| StoreError::corrupt("number", e))
    }

    /// A count or a size: never negative.
    pub(crate) fn count(&self, column: usize) -> Result<u64, StoreError> {
        u64::try_from(self.integer(column)?).map_err(|e| StoreError::corrupt("count", e))
    }

    pub(crate) fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.get(column)?.as_i64_or_null().map_err(|e| StoreError::corrupt("number", e))
    }

    pub(crate) fn text(&self, column: usize) -> Result<&'r str, StoreError> {
        self.get(column)?.as_str().map_err(|e| StoreError::corrupt("text", e))
    }

    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<&'r str>, StoreError> {
        self.get(column)?.as_str_or_null().map_err(|e| StoreError::corrupt("text", e))
    }

    pub(crate) fn blob(&self, column: usize) -> Result<&'r [u8], StoreError> {
        self.get(column)?.as_blob().map_err(|e| StoreError::corrupt("bytes", e))
    }

    fn get(&self, column: usize) -> Result<ValueRef<'r>, StoreError> {
        self.0.get_ref(column).map_err(|e| StoreError::corrupt("column", e))
    }
}

/// A connection with an open transaction, or a snapshot.
#[derive(Clone, Copy)]
pub(crate) struct Driver<'c> {
    connection: &'c Connection,
}

impl<'c> Driver<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }

    /// Runs a statement that returns no rows; returns how many rows it changed.
    pub(crate) fn execute(self, sql: &str, params: &[Param<'_>]) -> Result<usize, DbError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        for (i, param) in params.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, param)?;
        }
        let rows = statement.raw_execute()?;
        tracing::trace!(target: "pdb_store::statement", sql, rows);
        Ok(rows)
    }

    /// Runs statements that are not worth keeping prepared, one after the other.
    pub(crate) fn batch(self, sql: &str) -> Result<(), DbError> {
        Ok(self.connection.execute_batch(sql)?)
    }

    /// Runs a query and hands each row to `each`, until that breaks off.
    pub(crate) fn query(
        self,
        during: &'static str,
        sql: &str,
        params: &[Param<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let failed = |e: rusqlite::Error| StoreError::Database { during, source: e.into() };
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        for (i, param) in params.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, param).map_err(failed)?;
        }
        let mut rows = statement.raw_query();
        let mut read = 0_usize;
        while let Some(row) = rows.next().map_err(failed)? {
            read += 1;
            if each(&Row(row))?.is_break() {
                break;
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
        let failed = |e: rusqlite::Error| StoreError::Database { during, source: e.into() };
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        for (i, param) in params.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, param).map_err(failed)?;
        }
        let mut rows = statement.raw_query();
        let row = rows.next().map_err(failed)?;
        tracing::trace!(target: "pdb_store::statement", sql, rows = usize::from(row.is_some()));
        row.map(|row| read(&Row(row))).transpose()
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

    /// True if a transaction is open.
    pub(crate) fn in_transaction(self) -> bool {
        !self.connection.is_autocommit()
    }
}
