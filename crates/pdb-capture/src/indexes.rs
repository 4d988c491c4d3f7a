//! Index entries: their keys and attributes, and their changes when an item changes.

use std::borrow::Cow;

use pdb_model::{
    AnyIndex, EncodedItem, IndexKind, IndexName, Item, KeyBytes, KeyError, KeySchema, KeyValue, PrimaryKey,
    Projection, SecondaryIndex, TableDefinition, VectorIndex,
};
use pdb_store::{NewEntry, Table, Tx};

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
/// entries contain some attributes only. Entries that contain all attributes are copied from the encoded item; those of a vector index
/// contain the vector in another form.
pub(crate) fn is_needed(table: &TableDefinition, attribute: &str) -> bool {
    table.indexes.iter().any(|index| match &index.projection {
        Projection::All => index.key_schema.contains(attribute),
        Projection::KeysOnly | Projection::Include(_) => index.projects(&table.key_schema, attribute),
    }) || table.vector_indexes.iter().any(|index| {
        let is_copied = || match &index.projection {
            Projection::All => false,
            Projection::KeysOnly | Projection::Include(_) => index.projects(&table.key_schema, attribute),
        };
        index.vector_attribute == attribute || index.search_attribute(attribute).is_some() || is_copied()
    })
}

/// Returns whether [`write_encoded_item`](crate::write_encoded_item) needs the attribute of an item besides the encoded form. It must find the key
/// of the item, and that of its index entries, when it expires, and what entries contain if they do not contain all of it.
#[must_use]
pub fn needs_attribute(table: &TableDefinition, attribute: &str) -> bool {
    table.key_schema.contains(attribute)
        || table.time_to_live_attribute.as_deref() == Some(attribute)
        || is_needed(table, attribute)
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
    for index in table.definition.all_indexes() {
        let name = index.name();
        // An old item that does not fit the index was stored before the index was created, and has no entry.
        let old = old.and_then(|old| Entry::of(index, table, base, old).unwrap_or(None));
        let new = match new {
            None => None,
            Some(new) => Entry::of(index, table, base, new)
                .map_err(|source| CaptureError::IndexKey { index: name.clone(), source })?,
        };
        let size = |entry: &Option<Entry<'_>>| entry.as_ref().map(|entry| entry.projected.size_bytes());
        let (old_size_bytes, new_size_bytes) = (size(&old), size(&new));
        let kind = match (old, new) {
            (None, None) => continue,
            (None, Some(new)) => {
                tx.put_index_entry(table, name, new.stored(), None)?;
                IndexChangeKind::Entered
            }
            (Some(old), None) => {
                let size = old.projected.size_bytes();
                tx.delete_index_entry(table, name, &old.key, size)?;
                IndexChangeKind::Left
            }
            (Some(old), Some(new)) if old.key != new.key => {
                let size = old.projected.size_bytes();
                tx.delete_index_entry(table, name, &old.key, size)?;
                tx.put_index_entry(table, name, new.stored(), None)?;
                IndexChangeKind::Moved
            }
            (Some(old), Some(new))
                if old.projected.json() != new.projected.json() || old.content != new.content =>
            {
                tx.put_index_entry(table, name, new.stored(), old_size_bytes)?;
                IndexChangeKind::Updated
            }
            (Some(_), Some(_)) => continue,
        };
        changes.push(IndexChange { index: name.clone(), kind, old_size_bytes, new_size_bytes });
    }
    Ok(changes)
}

/// Returns the entry of an item in an index, or `None` if the item is not in the index.
#[must_use]
pub fn index_entry<'a>(
    index: AnyIndex<'_>,
    table: &Table,
    base: BaseKey<'a>,
    item: &'a Item,
    encoded: &'a EncodedItem,
) -> Option<Entry<'a>> {
    Entry::of(index, table, base, ItemForms { item, encoded }).unwrap_or(None)
}

/// The entry of an item in an index.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    key: KeyBytes,
    content: Cow<'a, [u8]>,
    projected: Cow<'a, EncodedItem>,
}

impl<'a> Entry<'a> {
    /// Returns the entry as it is written.
    #[must_use]
    pub fn stored(&self) -> NewEntry<'_> {
        NewEntry { key: &self.key, content: &self.content, projected: &self.projected }
    }

    /// Returns the entry of an item, or `None` if the item lacks an attribute of the index key, or its vector.
    pub(crate) fn of(
        index: AnyIndex<'_>,
        table: &Table,
        base: BaseKey<'a>,
        forms: ItemForms<'a>,
    ) -> Result<Option<Self>, KeyError> {
        match index {
            AnyIndex::Secondary(index) => Self::of_secondary(index, table, base, forms),
            AnyIndex::Vector(index) => Ok(Self::of_vector(index, table, base, forms)),
        }
    }

    fn of_vector(
        index: &VectorIndex,
        table: &Table,
        base: BaseKey<'a>,
        ItemForms { item, encoded }: ItemForms<'a>,
    ) -> Option<Self> {
        // An item with a bad vector was stored before the index was created, and is not in the index, as on AWS. Later ones are refused
        // before they come here.
        let vector = index.vector(item).unwrap_or(None)?;
        let partition = PrimaryKey { hash: index.partition(item).unwrap_or(None)?, range: Vec::new() };
        let name = &index.vector_attribute;
        let (json, size_bytes) = match &index.projection {
            Projection::All => {
                let value = item.get(name)?;
                // A text that cannot be copied is damaged, and was refused where it was read.
                let json = encoded.json_without(name).ok()?;
                (json, encoded.size_bytes() - name.len() as u64 - value.size_bytes())
            }
            Projection::KeysOnly | Projection::Include(_) => {
                let table_key = &table.definition.key_schema;
                let is_projected = |other: &str| other != name && index.projects(table_key, other);
                let attributes = item.iter().filter(|(name, _)| is_projected(name));
                let part: Item = attributes.map(|(name, value)| (name.clone(), value.clone())).collect();
                let size_bytes = part.size_bytes();
                (EncodedItem::from(&part).into_json(), size_bytes)
            }
        };
        let size_bytes = size_bytes + name.len() as u64 + vector.as_bytes().len() as u64;
        Some(Self {
            key: KeyBytes::index_entry(&partition, None, base.bytes),
            content: Cow::Owned(vector.into_bytes()),
            projected: Cow::Owned(EncodedItem::from_stored(json, size_bytes)),
        })
    }

    fn of_secondary(
        index: &SecondaryIndex,
        table: &Table,
        base: BaseKey<'a>,
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
        Ok(Some(Self { key, content: Cow::Borrowed(base.bytes.as_bytes()), projected }))
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
