//! Rows as they are copied: values by the columns of their part.

use crate::{
    dialect::Dialect,
    driver::Row,
    error::StoreError,
    key_columns::KeyColumns,
    params::Param,
    rows::columns::ColumnKind,
    transfer::layout::{Layout, Part},
};

/// A value as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    pub(crate) fn param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Integer(value) => Param::Integer(*value),
            Self::Text(text) => Param::Text(text),
            Self::Blob(bytes) => Param::Blob(bytes),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Null | Self::Integer(_) => &[],
            Self::Text(text) => text.as_bytes(),
            Self::Blob(bytes) => bytes,
        }
    }
}

/// Reads columns; the rest of a divided key is in the column behind them.
pub(crate) fn read_row(row: &Row<'_>, columns: &[(&str, ColumnKind)]) -> Result<Vec<Value>, StoreError> {
    let value = |(at, (_, kind)): (usize, &(&str, ColumnKind))| {
        Ok(match kind {
            ColumnKind::Integer => row.optional_integer(at)?.map_or(Value::Null, Value::Integer),
            ColumnKind::Text => {
                row.optional_text(at)?.map_or(Value::Null, |text| Value::Text(text.to_owned()))
            }
            ColumnKind::Blob => Value::Blob(row.blob(at)?.to_vec()),
            ColumnKind::Key => Value::Blob(row.key(at, columns.len())?.into_owned()),
        })
    };
    columns.iter().enumerate().map(value).collect()
}

/// Some rows of a part, in the order of their keys.
#[derive(Clone, Debug, Default)]
pub struct Rows(pub(crate) Vec<Vec<Value>>);

impl Rows {
    /// Returns how many there are; none at the end of the part.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the place behind the last of them.
    #[must_use]
    pub fn end(&self, part: &Part) -> Place {
        Place(self.0.last().map(|row| row[..part.keys()].to_vec()))
    }
}

/// A place between two rows of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(pub(crate) Option<Vec<Value>>);

/// Values as a statement takes them: a key may be divided.
pub(crate) struct Parameters<'v> {
    /// A key of an item or an index entry, and its place among the values.
    key: Option<(usize, KeyColumns<'v>)>,
    values: &'v [Value],
    /// The values are a bound of a range, not a row.
    is_bound: bool,
}

impl<'v> Parameters<'v> {
    pub(crate) fn row(dialect: Dialect, layout: &Layout, row: &'v [Value]) -> Self {
        Self::new(dialect, layout, row, false)
    }

    pub(crate) fn bound(dialect: Dialect, layout: &Layout, key: &'v [Value]) -> Self {
        Self::new(dialect, layout, key, true)
    }

    pub(crate) fn new(dialect: Dialect, layout: &Layout, values: &'v [Value], is_bound: bool) -> Self {
        let key = layout.key_column().and_then(|at| match values.get(at) {
            Some(Value::Blob(key)) => Some((at, dialect.key_columns(key))),
            Some(_) | None => None,
        });
        Self { key, values, is_bound }
    }

    pub(crate) fn list(&self) -> Vec<Param<'_>> {
        let mut params = Vec::with_capacity(self.values.len() + 2);
        for (at, value) in self.values.iter().enumerate() {
            match (&self.key, self.is_bound) {
                (Some((place, key)), true) if *place == at => params.extend_from_slice(&key.bound([])),
                (Some((place, key)), false) if *place == at => params.extend_from_slice(&key.all([])),
                _ => params.push(value.param()),
            }
        }
        params
    }
}
