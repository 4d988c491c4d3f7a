//! Rows as they are stored.

use pdb_model::{EpochMillis, EventId, EventName, SequenceNumber};

use super::EachRow;
use crate::{
    checksum::Checksum,
    error::StoreError,
    read_tx::ReadTx,
    sequence,
    transfer::{
        Part,
        rows::{Place, Value},
    },
};

/// A row as it is stored. Which of its methods has an answer depends on the part it is of.
#[derive(Clone, Debug)]
pub struct StoredRow {
    values: Vec<Value>,
    has_checksum: bool,
}

/// An item, in its table or kept by a backup.
#[derive(Clone, Copy, Debug)]
pub struct StoredItem<'r> {
    /// The key it is stored under.
    pub key: &'r [u8],
    /// The item, as canonical JSON.
    pub json: &'r str,
    /// Its size.
    pub size_bytes: u64,
    /// When it expires, in epoch seconds; a backup does not say.
    pub expires_at: Option<i64>,
}

/// An index entry.
#[derive(Clone, Copy, Debug)]
pub struct StoredEntry<'r> {
    /// The key it is stored under.
    pub entry: &'r [u8],
    /// The key of its item, or in a vector index the vector.
    pub content: &'r [u8],
    /// What the index has of the item, as canonical JSON.
    pub json: &'r str,
    /// Its size.
    pub size_bytes: u64,
}

/// A change in the history of a table.
#[derive(Clone, Copy, Debug)]
pub struct StoredChange<'r> {
    /// When it was made.
    pub changed: EpochMillis,
    /// The key of the item.
    pub key: &'r [u8],
    /// The item before the change as canonical JSON, if there was one, and its size.
    pub old: Option<(&'r str, u64)>,
}

/// A stream record.
#[derive(Clone, Copy, Debug)]
pub struct StoredRecord<'r> {
    /// Its position.
    pub sequence_number: SequenceNumber,
    /// The id it is stored with.
    pub event_id: EventId,
    /// What happened.
    pub event_name: EventName,
    /// When.
    pub created: EpochMillis,
    /// The key of the item.
    pub keys: &'r str,
    /// The item before.
    pub old_image: Option<&'r str>,
    /// The item after.
    pub new_image: Option<&'r str>,
    /// The size of keys.
    pub keys_size_bytes: u64,
    /// The size of the old image; 0 if there is none.
    pub old_image_size_bytes: u64,
    /// The size of all.
    pub size_bytes: u64,
}

impl StoredRow {
    /// Returns whether the row has a checksum. Rows that databases of schema 1 brought with them have none.
    #[must_use]
    pub fn has_checksum(&self) -> bool {
        self.has_checksum
    }

    /// Returns whether the text of a token or a document is JSON, or empty.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        let text = self.values.iter().rev().find_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        });
        text.is_some_and(|text| {
            text.is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        })
    }

    /// Returns the row as an item.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`].
    pub fn item(&self) -> Result<StoredItem<'_>, StoreError> {
        let [Value::Blob(key), Value::Text(json), Value::Integer(size), rest @ ..] = &self.values[..] else {
            return Err(StoreError::corrupt("item", "a column is not of its type"));
        };
        let expires_at = match rest {
            [Value::Integer(expires_at), _] => Some(*expires_at),
            _ => None,
        };
        Ok(StoredItem { key, json, size_bytes: unsigned(*size)?, expires_at })
    }

    /// Returns the row as an index entry.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`].
    pub fn entry(&self) -> Result<StoredEntry<'_>, StoreError> {
        match &self.values[..] {
            [Value::Blob(entry), Value::Blob(content), Value::Text(json), Value::Integer(size), ..] => {
                Ok(StoredEntry { entry, content, json, size_bytes: unsigned(*size)? })
            }
            _ => Err(StoreError::corrupt("index entry", "a column is not of its type")),
        }
    }

    /// Returns the row as a change in a history.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`].
    pub fn change(&self) -> Result<StoredChange<'_>, StoreError> {
        match &self.values[..] {
            [Value::Integer(_), Value::Integer(changed), Value::Blob(key), item, Value::Integer(size), _] => {
                let size = unsigned(*size)?;
                let old = optional(item)?.map(|json| (json, size));
                Ok(StoredChange { changed: EpochMillis(*changed), key, old })
            }
            _ => Err(StoreError::corrupt("change in a history", "a column is not of its type")),
        }
    }

    /// Returns the row as a record. What SQL columns say twice must agree.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`].
    pub fn record(&self) -> Result<StoredRecord<'_>, StoreError> {
        let bad = |why: &str| StoreError::corrupt("stream record", why);
        let [
            Value::Integer(number),
            Value::Integer(shard),
            Value::Text(event_id),
            Value::Text(event_name),
            Value::Integer(seconds),
            Value::Integer(created),
            _,
            _,
            Value::Text(keys),
            old_image,
            new_image,
            Value::Integer(keys_size),
            Value::Integer(old_size),
            Value::Integer(size),
            ..,
        ] = &self.values[..]
        else {
            return Err(bad("a column is not of its type"));
        };
        let sequence_number = sequence::unpack(*number)?;
        if unsigned(*shard)? != sequence_number.shard {
            return Err(bad("its shard is not that of its sequence number"));
        }
        let created = EpochMillis(*created);
        if *seconds != created.seconds() {
            return Err(bad("its two times differ"));
        }
        let parsed = |e: pdb_model::ParseError| StoreError::corrupt("stream record", e);
        Ok(StoredRecord {
            sequence_number,
            event_id: event_id.parse().map_err(parsed)?,
            event_name: event_name.parse().map_err(parsed)?,
            created,
            keys,
            old_image: optional(old_image)?,
            new_image: optional(new_image)?,
            keys_size_bytes: unsigned(*keys_size)?,
            old_image_size_bytes: unsigned(*old_size)?,
            size_bytes: unsigned(*size)?,
        })
    }
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|e| StoreError::corrupt("count", e))
}

fn optional(value: &Value) -> Result<Option<&str>, StoreError> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(text)),
        Value::Integer(_) | Value::Blob(_) => Err(StoreError::corrupt("text", "a column is not of its type")),
    }
}

/// A sum over rows that does not depend on their order: two sets of rows with the same sum are the same, but for a chance of
/// one in 2^64. It compares in one pass what would have to be sorted otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowSum {
    rows: i64,
    sum: u64,
}

impl RowSum {
    /// Adds a row that consists of these values.
    pub fn add(&mut self, values: &[&[u8]]) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(Self::hash(values));
    }

    /// Takes a row out.
    pub fn remove(&mut self, values: &[&[u8]]) {
        self.rows -= 1;
        self.sum = self.sum.wrapping_sub(Self::hash(values));
    }

    /// Returns how many rows there are; below zero if more were taken out than added.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.rows
    }

    fn hash(values: &[&[u8]]) -> u64 {
        values.iter().fold(Checksum::new(), |sum, value| sum.bytes(value)).whole()
    }
}

/// See [`ReadTx::walk`].
pub(super) fn walk<'a>(
    tx: &mut ReadTx<'a>,
    part: &Part,
    each: &mut EachRow<'_, 'a>,
) -> Result<(), StoreError> {
    let mut after = Place::default();
    loop {
        let page = tx.rows_or_damage(part, &after)?;
        let Some(end) = page.end else { return Ok(()) };
        for row in page.rows {
            let row = row.map(|(values, has_checksum)| StoredRow { values, has_checksum });
            if each(tx, row).is_break() {
                return Ok(());
            }
        }
        after = end;
    }
}
