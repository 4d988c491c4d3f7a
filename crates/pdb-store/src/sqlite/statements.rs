//! Running statements on a connection to SQLite, and reading its rows.

use std::ops::ControlFlow;

use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::{
    db_error::DbError,
    error::{During, StoreError},
    params::Param,
};

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

pub(crate) type SqliteRow<'r> = rusqlite::Row<'r>;

#[inline]
pub(crate) fn integer(row: &SqliteRow<'_>, column: usize) -> Result<i64, StoreError> {
    value(row, column)?.as_i64().map_err(|e| StoreError::corrupt("number", e))
}

#[inline]
pub(crate) fn optional_integer(row: &SqliteRow<'_>, column: usize) -> Result<Option<i64>, StoreError> {
    value(row, column)?.as_i64_or_null().map_err(|e| StoreError::corrupt("number", e))
}

#[inline]
pub(crate) fn text<'r>(row: &'r SqliteRow<'r>, column: usize) -> Result<&'r str, StoreError> {
    utf8(value(row, column)?)
}

#[inline]
pub(crate) fn optional_text<'r>(
    row: &'r SqliteRow<'r>,
    column: usize,
) -> Result<Option<&'r str>, StoreError> {
    match value(row, column)? {
        ValueRef::Null => Ok(None),
        text => utf8(text).map(Some),
    }
}

#[inline]
pub(crate) fn blob<'r>(row: &'r SqliteRow<'r>, column: usize) -> Result<&'r [u8], StoreError> {
    value(row, column)?.as_blob().map_err(|e| StoreError::corrupt("bytes", e))
}

/// Keys are in one piece.
#[inline]
pub(crate) fn rest_of_key<'r>(_: &'r SqliteRow<'r>, _: usize) -> Result<&'r [u8], StoreError> {
    Ok(&[])
}

#[inline]
fn value<'r>(row: &'r SqliteRow<'r>, column: usize) -> Result<ValueRef<'r>, StoreError> {
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

pub(crate) fn execute(connection: &Connection, sql: &str, params: &[Param<'_>]) -> Result<usize, DbError> {
    let run = || {
        let mut statement = connection.prepare_cached(sql)?;
        for (i, param) in params.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, param)?;
        }
        statement.raw_execute()
    };
    run().map_err(|error| DbError::from(error).in_file(connection.path()))
}

pub(crate) fn batch(connection: &Connection, sql: &str) -> Result<(), DbError> {
    connection.execute_batch(sql).map_err(|error| DbError::from(error).in_file(connection.path()))
}

/// Hands each row to `each` as SQLite finds it, until `each` breaks off.
pub(crate) fn query(
    connection: &Connection,
    during: &'static str,
    sql: &str,
    params: &[Param<'_>],
    mut each: impl FnMut(&SqliteRow<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut run = || {
        let mut statement = connection.prepare_cached(sql).during(during)?;
        for (i, param) in params.iter().enumerate() {
            statement.raw_bind_parameter(i + 1, param).during(during)?;
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().during(during)? {
            if each(row)?.is_break() {
                break;
            }
        }
        Ok(())
    };
    run().map_err(|error: StoreError| error.in_file(connection.path()))
}
