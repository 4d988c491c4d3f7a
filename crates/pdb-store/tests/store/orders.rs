//! A table `orders` with a stream: what tests of whole databases write to it.

use pdb_model::{EncodedItem, EpochMillis, EventName, Item, KeyBytes, TableName};
use pdb_store::{NewRecord, StoreError, Tx};
use pdb_testkit::string_key;

pub(crate) const NOW: EpochMillis = EpochMillis(1_772_356_542_017);

pub(crate) fn orders() -> TableName {
    "orders".parse().unwrap()
}

pub(crate) fn key(pk: &str) -> KeyBytes {
    string_key("pk").extract(&Item::new().with("pk", pk)).unwrap().encode()
}

/// Puts an item and its record, as a captured write does.
pub(crate) fn put(tx: &mut Tx<'_>, pk: &str, value: &str) -> Result<(), StoreError> {
    let table = tx.table(&orders())?;
    let item = EncodedItem::from(&Item::new().with("pk", pk).with("value", value));
    let old = tx.lock_item(&table, &key(pk))?.map(|(row, _)| row);
    tx.put_item(&table, &key(pk), old, &item, None)?;
    let record = NewRecord {
        event_name: EventName::Insert,
        keys: &EncodedItem::from(&Item::new().with("pk", pk)),
        old_image: None,
        new_image: Some(&item),
        created: NOW,
        user_identity: None,
        hash_key_value: pk,
        sort_key_value: None,
    };
    tx.append_record(&table, || 7, &record)
}
