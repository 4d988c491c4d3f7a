//! Index entries: what of an item an index has, and how that changes with the item.

use std::borrow::Cow;

use pdb_model::{
    EncodedItem, IndexKind, IndexName, Item, KeyBytes, KeyError, KeySchema, KeyValue, PrimaryKey, Projection,
    SecondaryIndex, TableDefinition,
};
use pdb_store::{Table, Tx};

use crate::error::CaptureError;

/// What a write changed in one index. An index in which nothing changed has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexChange {
    /// The index.
    pub index: IndexName,
    /// What happened to the entry.
    pub kind: IndexChangeKind,
    /// The size of the entry before, if there was one.
    pub old_size_bytes: Option<u64>,
    /// The size of the entry afterwards, if there is one.
    pub new_size_bytes: Option<u64>,
}

/// What happened to an index entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexChangeKind {
    /// The item was not in the index before.
    Entered,
    /// The item is no longer in the index.
    Left,
    /// The item has another index key: one entry went, one came.
    Moved,
    /// The entry stays where it is and other projected attributes changed.
    Updated,
}

/// An item in both its forms.
#[derive(Clone, Copy)]
pub(crate) struct Both<'a> {
    pub(crate) item: &'a Item,
    pub(crate) encoded: &'a EncodedItem,
}

/// The key of a table's item, as its index entries carry it.
#[derive(Clone, Copy, Debug)]
pub struct BaseKey<'a> {
    bytes: &'a KeyBytes,
    /// Known if the table has a global index.
    tie_break: Option<u64>,
}

impl<'a> BaseKey<'a> {
    /// Takes an item's key, of which `bytes` are those it is stored under.
    #[must_use]
    pub fn new(table: &TableDefinition, key: &PrimaryKey, bytes: &'a KeyBytes) -> Self {
        let is_needed = table.indexes.iter().any(|index| index.kind == IndexKind::Global);
        Self { bytes, tie_break: is_needed.then(|| key.tie_break(bytes)) }
    }

    /// The bytes under which the entry of the item with this index key is stored.
    fn entry(self, index: &SecondaryIndex, index_key: &PrimaryKey) -> KeyBytes {
        let tie_break = self.tie_break.filter(|_| index.kind == IndexKind::Global);
        KeyBytes::index_entry(index_key, tie_break, self.bytes)
    }
}

/// Returns whether an index has to know the attribute of an old item: for its key, or because entries have some attributes and not
/// all, whose text is at hand.
pub(crate) fn is_needed(table: &TableDefinition, attribute: &str) -> bool {
    table.indexes.iter().any(|index| match &index.projection {
        Projection::All => index.key_schema.contains(attribute),
        Projection::KeysOnly | Projection::Include(_) => index.projects(&table.key_schema, attribute),
    })
}

/// Brings the entries of one item in all indexes from `old` to `new`.
pub(crate) fn write_entries(
    tx: &mut Tx<'_>,
    table: &Table,
    base: BaseKey<'_>,
    old: Option<Both<'_>>,
    new: Option<Both<'_>>,
) -> Result<Vec<IndexChange>, CaptureError> {
    let mut changes = Vec::new();
    for index in &table.definition.indexes {
        // What is stored was accepted, or was there before the index: then it may not fit, and is not in it.
        let old = old.and_then(|old| Entry::of(index, table, base, old).unwrap_or(None));
        let new = match new {
            None => None,
            Some(new) => Entry::of(index, table, base, new)
                .map_err(|source| CaptureError::IndexKey { index: index.name.clone(), source })?,
        };
        let size = |entry: &Option<Entry<'_>>| entry.as_ref().map(|entry| entry.projected.size_bytes());
        let (old_size_bytes, new_size_bytes) = (size(&old), size(&new));
        let kind = match (old, new) {
            (None, None) => continue,
            (None, Some(new)) => {
                tx.put_index_entry(table, &index.name, &new.key, base.bytes, &new.projected, None)?;
                IndexChangeKind::Entered
            }
            (Some(old), None) => {
                let size = old.projected.size_bytes();
                tx.delete_index_entry(table, &index.name, &old.key, size)?;
                IndexChangeKind::Left
            }
            (Some(old), Some(new)) if old.key != new.key => {
                let size = old.projected.size_bytes();
                tx.delete_index_entry(table, &index.name, &old.key, size)?;
                tx.put_index_entry(table, &index.name, &new.key, base.bytes, &new.projected, None)?;
                IndexChangeKind::Moved
            }
            (Some(old), Some(new)) if old.projected.json() != new.projected.json() => {
                tx.put_index_entry(table, &index.name, &new.key, base.bytes, &new.projected, old_size_bytes)?;
                IndexChangeKind::Updated
            }
            (Some(_), Some(_)) => continue,
        };
        changes.push(IndexChange { index: index.name.clone(), kind, old_size_bytes, new_size_bytes });
    }
    Ok(changes)
}

/// Returns what an index has of an item, and under which key; none if the item is not in it.
#[must_use]
pub fn index_entry(
    index: &SecondaryIndex,
    table: &Table,
    base: BaseKey<'_>,
    item: &Item,
    encoded: &EncodedItem,
) -> Option<(KeyBytes, EncodedItem)> {
    let entry = Entry::of(index, table, base, Both { item, encoded }).unwrap_or(None)?;
    Some((entry.key, entry.projected.into_owned()))
}

/// What an index has of an item.
pub(crate) struct Entry<'a> {
    pub(crate) key: KeyBytes,
    pub(crate) projected: Cow<'a, EncodedItem>,
}

impl<'a> Entry<'a> {
    /// Returns the entry of an item; none if it lacks an attribute of the index key.
    pub(crate) fn of(
        index: &SecondaryIndex,
        table: &Table,
        base: BaseKey<'_>,
        Both { item, encoded }: Both<'a>,
    ) -> Result<Option<Self>, KeyError> {
        if !has_key(&index.key_schema, item)? {
            return Ok(None);
        }
        let key = base.entry(index, &index.key_schema.extract(item)?);
        let projected = match &index.projection {
            Projection::All => Cow::Borrowed(encoded),
            Projection::KeysOnly | Projection::Include(_) => {
                let table_key = &table.definition.key_schema;
                let attributes = item.iter().filter(|(name, _)| index.projects(table_key, name));
                let part: Item = attributes.map(|(name, value)| (name.clone(), value.clone())).collect();
                Cow::Owned(EncodedItem::from(&part))
            }
        };
        Ok(Some(Self { key, projected }))
    }
}

/// Returns whether the item has all attributes of the key; an error if one it has does not fit, whether or not others are
/// missing: such an item is refused, not left out.
fn has_key(schema: &KeySchema, item: &Item) -> Result<bool, KeyError> {
    if schema.attributes().all(|attribute| item.contains_key(&attribute.name)) {
        return Ok(true);
    }
    for attribute in schema.attributes() {
        if let Some(value) = item.get(&attribute.name) {
            KeyValue::new(value, attribute)?;
        }
    }
    Ok(false)
}
