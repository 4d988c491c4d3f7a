//! Reading rows of which some may be damaged.

use std::ops::ControlFlow;

use pdb_model::text_hash;

use crate::{
    checksum::{self, Checksum, Salt},
    driver::Row,
    error::StoreError,
    params::Param,
    read_tx::ReadTx,
    rows::columns::ColumnKind,
    sql::{documents, tokens},
    transfer::{
        layout::{Layout, Part},
        rows::{Parameters, Place, Value, read_row},
    },
};

/// A step holds rows of no more than this, and one row.
const STEP_BYTES: usize = 4 << 20;
/// And no more rows than this: a driver may fetch them all before it hands out the first.
const STEP_ROWS: i64 = 250;

/// Some rows of a part, in the order of their keys.
pub(crate) struct Page {
    /// Each with whether it has a checksum; the error of one that cannot be read, or is not what was written.
    pub(crate) rows: Vec<Result<(Vec<Value>, bool), StoreError>>,
    /// The place behind the last of them; none at the end of the part.
    pub(crate) end: Option<Place>,
}

impl ReadTx<'_> {
    /// Returns up to some megabytes of rows of a part, behind `after`.
    pub(crate) fn rows_or_damage(&mut self, part: &Part, after: &Place) -> Result<Page, StoreError> {
        let dialect = self.driver.dialect();
        let layout = part.layout(dialect);
        let salt = Salt::of(&layout.table);
        let key = after.0.as_ref().map(|key| Parameters::bound(dialect, &layout, key));
        let mut params = key.as_ref().map(|key| key.list()).unwrap_or_default();
        params.push(Param::Integer(STEP_ROWS));
        let sql = layout.select(after.0.is_some());
        let (mut rows, mut bytes, mut last) = (Vec::new(), 0, after.0.clone());
        let read = self.driver.query("read rows", &sql, &params, |row| {
            let key = read_key(row, &layout)?;
            // A page of a damaged index may lead back to where we were.
            if last.as_ref().is_some_and(|last| !is_behind(&key, last)) {
                return Err(StoreError::corrupt("key", "it is not in order"));
            }
            last = Some(key);
            let read = read_row(row, layout.columns).and_then(|values| {
                bytes += values.iter().map(|value| value.bytes().len() + 8).sum::<usize>();
                let has_checksum = verify(part, salt, &values)?;
                Ok((values, has_checksum))
            });
            rows.push(read.map_err(|error| of_part(part, error)));
            Ok(if bytes < STEP_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        read.map_err(|error| of_part(part, error))?;
        let end = (!rows.is_empty()).then_some(Place(last));
        Ok(Page { rows, end })
    }
}

fn of_part(part: &Part, error: StoreError) -> StoreError {
    match part {
        Part::Items(table)
        | Part::Index(table, _)
        | Part::Vectors(table, _)
        | Part::Records(table)
        | Part::History(table) => error.of_table(table),
        Part::Kept(_) | Part::Tokens | Part::Documents => error,
    }
}

fn read_key(row: &Row<'_>, layout: &Layout) -> Result<Vec<Value>, StoreError> {
    let column = |at: usize| {
        Ok(match layout.columns[at].1 {
            ColumnKind::Integer => Value::Integer(row.integer(at)?),
            ColumnKind::Text => Value::Text(row.text(at)?.to_owned()),
            ColumnKind::Blob => Value::Blob(row.blob(at)?.to_vec()),
            ColumnKind::Key => Value::Blob(row.key(at, layout.columns.len())?.into_owned()),
        })
    };
    (0..layout.keys).map(column).collect()
}

/// Whether a key comes after another. Texts are ordered as the database likes.
fn is_behind(key: &[Value], last: &[Value]) -> bool {
    match (&key[0], &last[0]) {
        (Value::Integer(key), Value::Integer(last)) => key > last,
        (Value::Blob(key), Value::Blob(last)) => key > last,
        _ => true,
    }
}

/// Checks a row against its checksum; returns whether it has one.
fn verify(part: &Part, salt: Salt, row: &[Value]) -> Result<bool, StoreError> {
    let stored = match row.last() {
        Some(Value::Integer(stored)) => Some(*stored),
        _ => None,
    };
    let wrong = |what| StoreError::corrupt(what, "a column is not of its type");
    match (part, row) {
        (Part::Items(_) | Part::Kept(_), [Value::Blob(key), Value::Text(json), Value::Integer(size), ..]) => {
            checksum::of_item(key, text_hash(json.as_bytes()), size.unsigned_abs())
                .verify(salt, stored, "item")?;
        }
        (Part::Items(_) | Part::Kept(_), _) => return Err(wrong("item")),
        (
            Part::Index(..) | Part::Vectors(..),
            [Value::Blob(entry), Value::Blob(content), Value::Text(json), Value::Integer(size), ..],
        ) => {
            let sum = checksum::of_entry(entry, content, json, size.unsigned_abs());
            sum.verify(salt, stored, "index entry")?;
        }
        (Part::Index(..) | Part::Vectors(..), _) => return Err(wrong("index entry")),
        (
            Part::History(_),
            [
                Value::Integer(number),
                Value::Integer(changed_at),
                Value::Blob(key),
                item,
                Value::Integer(size),
                _,
            ],
        ) => {
            let hash = optional_text(item).ok_or_else(|| wrong("change in a history"))?;
            let sum =
                checksum::of_past_item(key, hash.map(|text| text_hash(text.as_bytes())), size.unsigned_abs());
            sum.verify_change(salt, (*number, *changed_at), stored)?;
        }
        (Part::History(_), _) => return Err(wrong("change in a history")),
        (Part::Records(_), row) => match record(row) {
            Some((number, sum)) => sum.verify_record(salt, number, stored)?,
            None => return Err(wrong("stream record")),
        },
        (
            Part::Tokens,
            [
                Value::Text(token),
                Value::Blob(fingerprint),
                Value::Text(answer),
                Value::Integer(expires_at),
                _,
            ],
        ) => tokens::sum(token, fingerprint, answer, *expires_at).verify_fixed(stored, "token")?,
        (Part::Tokens, _) => return Err(wrong("token")),
        (Part::Documents, [Value::Text(kind), Value::Text(name), Value::Text(value), _]) => {
            documents::sum(kind, name, value).verify_fixed(stored, "document")?;
        }
        (Part::Documents, _) => return Err(wrong("document")),
    }
    Ok(stored.is_some())
}

/// A text that may be absent; none if it is no text.
fn optional_text(value: &Value) -> Option<Option<&str>> {
    match value {
        Value::Null => Some(None),
        Value::Text(text) => Some(Some(text)),
        Value::Integer(_) | Value::Blob(_) => None,
    }
}

/// The sequence number of a record, and its checksum.
fn record(row: &[Value]) -> Option<(i64, Checksum)> {
    let [
        Value::Integer(number),
        _,
        _,
        Value::Text(event_name),
        _,
        Value::Integer(created),
        _,
        _,
        Value::Text(keys),
        old_image,
        new_image,
        Value::Integer(keys_size),
        Value::Integer(old_size),
        Value::Integer(size),
        user_identity,
        ..,
    ] = row
    else {
        return None;
    };
    let sum = Checksum::new()
        .text(event_name)
        .number(created.unsigned_abs())
        .text(keys)
        .optional_text(optional_text(old_image)?)
        .optional_text(optional_text(new_image)?)
        .number(keys_size.unsigned_abs())
        .number(old_size.unsigned_abs())
        .number(size.unsigned_abs())
        .optional_text(optional_text(user_identity)?);
    Some((*number, sum))
}
