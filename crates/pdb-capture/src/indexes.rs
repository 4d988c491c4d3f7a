//! Index entries: their keys and attributes, and their changes when an item changes.

use std::borrow::Cow;

use pdb_model::{
    EncodedItem, IndexKind, IndexName, Item, KeyBytes, KeyError, KeySchema, KeyValue, PrimaryKey, Projection,
    SecondaryIndex, TableDefinition,
};
use pdb_store::{Table, Tx};

use crate::error::CaptureError;

/// The change of one index by a write. There is none for an index that did not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexChange {
    /// The index.
    pub index: IndexName,
    /// What happened to the entry.
    pub kind: IndexChangeKind,
    /// The size of the entry before the write, if there was one.
    pub old_size_bytes: Option<u64>,
    /// The size of the entry after the write, if there is one.
    pub new_size_bytes: Option<u64>,
}

/// What happened to an index entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexChangeKind {
    /// The item was not in the index before.
    Entered,
    /// The item is no longer in the index.
    Left,
    /// The index key of the item changed: one entry was deleted, another was created.
    Moved,
    /// The index key is the same, and other projected attributes changed.
    Updated,
}

/// An item, decoded and encoded. Index keys are taken from the one, and projections of all attributes from the other.
#[derive(Clone, Copy)]
pub(crate) struct ItemForms<'a> {
    pub(crate) item: &'a Item,
    pub(crate) encoded: &'a EncodedItem,
}

/// The key of a table's item, as its index entries contain it.
#[derive(Clone, Copy, Debug)]
pub struct BaseKey<'a> {
    bytes: &'a KeyBytes,
    /// Present if the table has a global index. Computing it takes a hash.
    tie_break: Option<u64>,
}

impl<'a> BaseKey<'a> {
    /// Returns the base key for an item. `bytes` is the encoded `key`.
    #[must_use]
    pub fn new(table: &TableDefinition, key: &PrimaryKey, bytes: &'a KeyBytes) -> Self {
        let is_needed = table.indexes.iter().any(|index| index.kind == IndexKind::Global);
        Self { bytes, tie_break: is_needed.then(|| key.tie_break(bytes)) }
    }

    /// Returns the bytes under which the entry with this index key is stored.
    fn entry(self, index: &SecondaryIndex, index_key: &PrimaryKey) -> KeyBytes {
        let tie_break = self.tie_break.filter(|_| index.kind == IndexKind::Global);
        KeyBytes::index_entry(index_key, tie_break, self.bytes)
    }
}

/// Returns whether the attribute of an old item has to be decoded for an index. That is so if the attribute is in the index key, or if
/// entries contain some attributes only. Entries that contain all attributes are copied from the encoded item.
pub(crate) fn is_needed(table: &TableDefinition, attribute: &str) -> bool {
    table.indexes.iter().any(|index| match &index.projection {
        Projection::All => index.key_schema.contains(attribute),
        Projection::KeysOnly | Projection::Include(_) => index.projects(&table.key_schema, attribute),
    })
}

/// Updates the entries of one item in all indexes from `old` to `new`. Returns the indexes that changed.
pub(crate) fn write_entries(
    tx: &mut Tx<'_>,
    table: &Table,
    base: BaseKey<'_>,
    old: Option<ItemForms<'_>>,
    new: Option<ItemForms<'_>>,
) -> Result<Vec<IndexChange>, CaptureError> {
    let mut changes = Vec::new();
    for index in &table.definition.indexes {
        // An old item that does not fit the index was stored before the index was created, and has no entry.
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

/// Returns the entry of an item in an index, with its key, or `None` if the item is not in the index.
#[must_use]
pub fn index_entry(
    index: &SecondaryIndex,
    table: &Table,
    base: BaseKey<'_>,
    item: &Item,
    encoded: &EncodedItem,
) -> Option<(KeyBytes, EncodedItem)> {
    let entry = Entry::of(index, table, base, ItemForms { item, encoded }).unwrap_or(None)?;
    Some((entry.key, entry.projected.into_owned()))
}

/// The entry of an item in an index.
pub(crate) struct Entry<'a> {
    pub(crate) key: KeyBytes,
    pub(crate) projected: Cow<'a, EncodedItem>,
}

impl<'a> Entry<'a> {
    /// Returns the entry of an item, or `None` if the item lacks an attribute of the index key.
    pub(crate) fn of(
        index: &SecondaryIndex,
        table: &Table,
        base: BaseKey<'_>,
        ItemForms { item, encoded }: ItemForms<'a>,
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

/// Returns whether the item has all attributes of the key.
///
/// It is an error if an attribute does not fit the key, even if others are missing: such an item is refused, not left out.
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
