//! Writing an item: the one function through which items change.

use std::{borrow::Cow, sync::Arc};

use pdb_model::{
    EncodedItem, Env, EventName, Item, KeyBytes, KeyValue, PrimaryKey, TableDefinition, UserIdentity,
};
use pdb_store::{ItemRow, NewRecord, OpenStream, Table, Tx};

use crate::{
    error::CaptureError,
    expiry::expires_at,
    indexes::{BaseKey, IndexChange, ItemForms, is_needed, write_entries},
};

/// A key that this transaction has locked, with the item that is stored under it, if any.
#[derive(Debug)]
pub struct LockedItem {
    /// The encoded key.
    pub key: KeyBytes,
    /// The current item.
    pub old: Option<EncodedItem>,
    primary_key: PrimaryKey,
    row: Option<ItemRow>,
}

/// The outcome of a write.
#[derive(Clone, Debug)]
pub struct WriteReport {
    /// The item before the write.
    pub old: Option<EncodedItem>,
    /// The item after the write.
    pub new: Option<EncodedItem>,
    /// Whether the item changed. If not, nothing was written, and there is no stream record.
    pub changed: bool,
    /// The changes of indexes. An index that did not change is not listed.
    pub index_changes: Vec<IndexChange>,
    /// How many bytes the write counts as: those of the larger of both items, see [`TableDefinition::write_bytes`].
    pub write_bytes: u64,
}

/// Locks the item with this key and returns its current value.
///
/// # Errors
///
/// [`CaptureError::Store`].
pub fn lock_item(
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    primary_key: &PrimaryKey,
) -> Result<LockedItem, CaptureError> {
    let key = primary_key.encode();
    let (row, old) = tx.lock_item(table, &key)?.unzip();
    Ok(LockedItem { key, old, primary_key: primary_key.clone(), row })
}

/// Replaces a locked item with `new`, or deletes it, and writes its index entries, appends what it was to the table's history if it has one, and
/// writes its stream record, all in `tx`.
///
/// `new` must have the key that was locked. If the item does not change, nothing is written and there is no stream record, with every view
/// type (streams.md section 8). All changes of one transaction have the same creation time, but for those in shards whose newest record is
/// up to a second younger: their times do not decrease.
///
/// # Errors
///
/// [`CaptureError::IndexKey`] if an attribute of `new` cannot be the key of an index. The caller must then roll back the transaction, because
/// the item has been written already. [`CaptureError::Corrupt`], [`CaptureError::Store`].
pub fn write_item(
    env: &Env,
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    locked: LockedItem,
    new: Option<&Item>,
    user_identity: Option<UserIdentity>,
) -> Result<WriteReport, CaptureError> {
    write(env, tx, table, locked, new.map(|item| (item, EncodedItem::from(item))), user_identity)
}

/// Replaces a locked item with one that was encoded before its transaction, as [`write_item`] does.
///
/// `encoded` must be what [`EncodedItem::from`] makes of the item. `new` is the item, but may lack the attributes that are not
/// [needed](crate::needs_attribute).
///
/// # Errors
///
/// Those of [`write_item`].
pub fn write_encoded_item(
    env: &Env,
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    locked: LockedItem,
    new: &Item,
    encoded: EncodedItem,
) -> Result<WriteReport, CaptureError> {
    write(env, tx, table, locked, Some((new, encoded)), None)
}

fn write(
    env: &Env,
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    locked: LockedItem,
    new: Option<(&Item, EncodedItem)>,
    user_identity: Option<UserIdentity>,
) -> Result<WriteReport, CaptureError> {
    let LockedItem { key, old, primary_key, row } = locked;
    let (new, encoded) = new.unzip();
    let event_name = match (&old, &encoded) {
        (None, None) => None,
        (Some(old), Some(new)) if old.json() == new.json() => None,
        (None, Some(_)) => Some(EventName::Insert),
        (Some(_), Some(_)) => Some(EventName::Modify),
        (Some(_), None) => Some(EventName::Remove),
    };
    let Some(event_name) = event_name else {
        let write_bytes = write_bytes(&table.definition, [(new, encoded.as_ref())]);
        return Ok(WriteReport { old, new: encoded, changed: false, index_changes: Vec::new(), write_bytes });
    };
    match (row, new, &encoded) {
        (_, Some(item), Some(encoded)) => {
            tx.put_item(table, &key, row, encoded, expires_at(&table.definition, item))?;
        }
        (Some(row), _, _) => tx.delete_item(table, &key, row)?,
        (None, _, _) => {}
    }
    let (index_changes, write_bytes) = if table.definition.all_indexes().next().is_none() {
        (Vec::new(), write_bytes(&table.definition, [(None, old.as_ref()), (new, encoded.as_ref())]))
    } else {
        let needed = |attribute: &str| is_needed(&table.definition, attribute);
        let old_item = old
            .as_ref()
            .map(|old| old.decode_attributes(needed))
            .transpose()
            .map_err(CaptureError::Corrupt)?;
        let forms = |item, encoded| Some(ItemForms { item, encoded });
        let changes = write_entries(
            tx,
            table,
            BaseKey::new(&table.definition, &primary_key, &key),
            old_item.as_ref().zip(old.as_ref()).and_then(|(item, encoded)| forms(item, encoded)),
            new.zip(encoded.as_ref()).and_then(|(item, encoded)| forms(item, encoded)),
        )?;
        let both = [(old_item.as_ref(), old.as_ref()), (new, encoded.as_ref())];
        (changes, write_bytes(&table.definition, both))
    };
    if table.definition.point_in_time_recovery.is_some() {
        let now = tx.moment(|| env.clock.now());
        tx.append_change(table, &key, old.as_ref(), now)?;
    }
    if let Some(stream) = &table.stream {
        let now = tx.moment(|| env.clock.now());
        if tx.is_rotation_due(table, now) {
            tx.rotate_before_record(table, &*env.ids, now)?;
        }
        let change = Change {
            event_name,
            primary_key: &primary_key,
            old: old.as_ref(),
            new: encoded.as_ref(),
            user_identity: user_identity.as_ref(),
        };
        record(env, tx, table, stream, &change)?;
    }
    Ok(WriteReport { old, new: encoded, changed: true, index_changes, write_bytes })
}

/// Returns what the largest of these items counts as in a write. Of an item that is not decoded, no attribute is a vector.
fn write_bytes<const N: usize>(
    table: &TableDefinition,
    items: [(Option<&Item>, Option<&EncodedItem>); N],
) -> u64 {
    let bytes = |(item, encoded): (Option<&Item>, Option<&EncodedItem>)| {
        let size = encoded.map_or(0, EncodedItem::size_bytes);
        item.map_or(size, |item| table.write_bytes(item, size))
    };
    items.into_iter().map(bytes).max().unwrap_or(0)
}

struct Change<'a> {
    event_name: EventName,
    primary_key: &'a PrimaryKey,
    old: Option<&'a EncodedItem>,
    new: Option<&'a EncodedItem>,
    user_identity: Option<&'a UserIdentity>,
}

/// Appends the stream record of a change, with the images of the stream's view type.
fn record(
    env: &Env,
    tx: &mut Tx<'_>,
    table: &Table,
    stream: &OpenStream,
    change: &Change<'_>,
) -> Result<(), CaptureError> {
    let keys = EncodedItem::from(&table.definition.key_schema.key_item(change.primary_key));
    let hash = change.primary_key.hash.first().map(plain_text).unwrap_or_default();
    let range = change.primary_key.range.first().map(plain_text);
    let record = NewRecord {
        event_name: change.event_name,
        keys: &keys,
        old_image: change.old.filter(|_| stream.view_type.includes_old()),
        new_image: change.new.filter(|_| stream.view_type.includes_new()),
        created: tx.moment(|| env.clock.now()),
        user_identity: change.user_identity,
        hash_key_value: &hash,
        sort_key_value: range.as_deref(),
    };
    Ok(tx.append_record(table, || change.primary_key.shard_token(), &record)?)
}

/// Returns a key's value as text for people: the text itself, digits, or Base64.
fn plain_text(value: &KeyValue) -> Cow<'_, str> {
    match value {
        KeyValue::S(text) => Cow::Borrowed(text),
        KeyValue::N(number) => Cow::Owned(number.to_string()),
        KeyValue::B(_) => {
            let json = pdb_model::AttributeValue::from(value.clone()).to_string();
            let base64 = json.strip_prefix("{\"B\":\"").and_then(|rest| rest.strip_suffix("\"}"));
            Cow::Owned(base64.unwrap_or_default().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_readable_texts() {
        assert_eq!(plain_text(&KeyValue::S("a\"b".to_owned())), "a\"b");
        assert_eq!(plain_text(&KeyValue::N(7.into())), "7");
        assert_eq!(plain_text(&KeyValue::B(vec![0, 255])), "AP8=");
    }
}
