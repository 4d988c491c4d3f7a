//! The one door through which an item changes.

use std::{borrow::Cow, sync::Arc};

use pdb_model::{EncodedItem, Env, EventName, Item, KeyBytes, KeyValue, PrimaryKey, UserIdentity};
use pdb_store::{ItemRow, NewRecord, OpenStream, Table, Tx};

use crate::{
    error::CaptureError,
    expiry::expires_at,
    indexes::{BaseKey, Both, IndexChange, is_needed, write_entries},
};

/// An item, or the place where there is none, that this transaction alone may change.
#[derive(Debug)]
pub struct LockedItem {
    /// The key it is stored under.
    pub key: KeyBytes,
    /// The item as it is now.
    pub old: Option<EncodedItem>,
    primary_key: PrimaryKey,
    row: Option<ItemRow>,
}

/// What a write did.
#[derive(Clone, Debug)]
pub struct WriteReport {
    /// The item before.
    pub old: Option<EncodedItem>,
    /// The item afterwards.
    pub new: Option<EncodedItem>,
    /// Whether the item is another one now. If not, nothing was written, and no record made.
    pub changed: bool,
    /// What changed in the indexes; an index in which nothing changed is not named.
    pub index_changes: Vec<IndexChange>,
}

/// Locks the item of a key, and returns it as it is.
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

/// Puts `new` in the place of a locked item, or removes it, with its index entries and its stream record, all in `tx`.
///
/// `new` has the key that was locked. A write that leaves the item as it is writes nothing and makes no record, whatever
/// the stream's view type (streams.md section 8). All changes of one transaction have one moment.
///
/// # Errors
///
/// [`CaptureError::IndexKey`] if `new` has an attribute that cannot be the key of an index it belongs to; the transaction
/// must then be undone. [`CaptureError::Corrupt`], [`CaptureError::Store`].
pub fn write_item(
    env: &Env,
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    locked: LockedItem,
    new: Option<&Item>,
    user_identity: Option<UserIdentity>,
) -> Result<WriteReport, CaptureError> {
    let LockedItem { key, old, primary_key, row } = locked;
    let encoded = new.map(EncodedItem::from);
    let event_name = match (&old, &encoded) {
        (None, None) => None,
        (Some(old), Some(new)) if old.json() == new.json() => None,
        (None, Some(_)) => Some(EventName::Insert),
        (Some(_), Some(_)) => Some(EventName::Modify),
        (Some(_), None) => Some(EventName::Remove),
    };
    let Some(event_name) = event_name else {
        return Ok(WriteReport { old, new: encoded, changed: false, index_changes: Vec::new() });
    };
    match (row, new, &encoded) {
        (_, Some(item), Some(encoded)) => {
            tx.put_item(table, &key, row, encoded, expires_at(&table.definition, item))?;
        }
        (Some(row), _, _) => tx.delete_item(table, &key, row)?,
        (None, _, _) => {}
    }
    let index_changes = if table.definition.indexes.is_empty() {
        Vec::new()
    } else {
        let needed = |attribute: &str| is_needed(&table.definition, attribute);
        let old_item = old
            .as_ref()
            .map(|old| old.decode_attributes(needed))
            .transpose()
            .map_err(CaptureError::Corrupt)?;
        let both = |item, encoded| Some(Both { item, encoded });
        write_entries(
            tx,
            table,
            BaseKey::new(&table.definition, &primary_key, &key),
            old_item.as_ref().zip(old.as_ref()).and_then(|(item, encoded)| both(item, encoded)),
            new.zip(encoded.as_ref()).and_then(|(item, encoded)| both(item, encoded)),
        )?
    };
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
    Ok(WriteReport { old, new: encoded, changed: true, index_changes })
}

struct Change<'a> {
    event_name: EventName,
    primary_key: &'a PrimaryKey,
    old: Option<&'a EncodedItem>,
    new: Option<&'a EncodedItem>,
    user_identity: Option<&'a UserIdentity>,
}

/// Appends the record of a change, with the images the stream's view type asks for.
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

/// A key's value as people read it: text, digits, or base64.
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
    fn people_can_read_keys() {
        assert_eq!(plain_text(&KeyValue::S("a\"b".to_owned())), "a\"b");
        assert_eq!(plain_text(&KeyValue::N(7.into())), "7");
        assert_eq!(plain_text(&KeyValue::B(vec![0, 255])), "AP8=");
    }
}
