//! Random writes, and functions that apply them.

use std::{collections::BTreeMap, sync::Arc};

use pdb_capture::{CaptureError, WriteReport, lock_item, write_item};
use pdb_model::{AttributeValue, EncodedItem, Env, Item, StreamRecord, StreamViewType, UserIdentity};
use pdb_store::{Store, Table, Tx};
use proptest::prelude::*;

/// One write of the item `pk`: a put, or a removal.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) pk: u8,
    pub(crate) attributes: Option<BTreeMap<String, AttributeValue>>,
    pub(crate) by_service: bool,
}

impl Write {
    pub(crate) fn key(&self) -> Item {
        Item::new().with("pk", self.pk.to_string())
    }

    pub(crate) fn item(&self) -> Option<Item> {
        let mut item = self.key();
        item.0.extend(self.attributes.clone()?);
        Some(item)
    }
}

/// Few keys and few values, so that writes often change nothing, or change it back.
pub(crate) fn any_write() -> impl Strategy<Value = Write> {
    let value = prop_oneof![
        Just(AttributeValue::from("x")),
        Just(AttributeValue::from("y")),
        Just(AttributeValue::from(1)),
        Just(AttributeValue::Null),
    ];
    let attributes = prop::collection::btree_map("[ab]", value, 0..3);
    (0u8..4, prop::option::weighted(0.7, attributes), any::<bool>())
        .prop_map(|(pk, attributes, by_service)| Write { pk, attributes, by_service })
}

pub(crate) fn any_view_type() -> impl Strategy<Value = StreamViewType> {
    prop_oneof![
        Just(StreamViewType::KeysOnly),
        Just(StreamViewType::NewImage),
        Just(StreamViewType::OldImage),
        Just(StreamViewType::NewAndOldImages),
    ]
}

pub(crate) fn apply(
    env: &Env,
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    write: &Write,
) -> Result<WriteReport, CaptureError> {
    let key = table.definition.key_schema.extract(&write.key()).unwrap();
    let locked = lock_item(tx, table, &key)?;
    let identity = write.by_service.then(UserIdentity::time_to_live);
    write_item(env, tx, table, locked, write.item().as_ref(), identity)
}

/// Applies writes to the table `orders`, one commit each.
pub(crate) fn write_all(store: &Store, env: &Env, writes: &[Write]) {
    for write in writes {
        let (env, write) = (env.clone(), write.clone());
        let work = move |tx: &mut Tx<'_>| {
            let table = tx.table(&"orders".parse().unwrap())?;
            apply(&env, tx, &table, &write)
        };
        store.write(work).unwrap();
    }
}

/// Applies records to an empty table, and checks what each may say of the item before it. Items are whole if the view type
/// has new images, else the keys alone.
pub(crate) fn replay(view_type: StreamViewType, records: &[StreamRecord]) -> BTreeMap<String, String> {
    let mut table = BTreeMap::new();
    let text = |item: &EncodedItem| item.json().to_owned();
    for record in records {
        let key = text(&record.keys);
        let image = record.new_image.as_ref().map_or_else(|| key.clone(), text);
        let removed = record.event_name == pdb_model::EventName::Remove;
        let old = if removed { table.remove(&key) } else { table.insert(key, image) };
        let expected = match record.event_name {
            pdb_model::EventName::Insert => (false, false, true),
            pdb_model::EventName::Modify => (true, true, true),
            pdb_model::EventName::Remove => (true, true, false),
        };
        let (was_there, has_old, has_new) = expected;
        assert_eq!(old.is_some(), was_there);
        assert_eq!(record.old_image.is_some(), has_old && view_type.includes_old());
        assert_eq!(record.new_image.is_some(), has_new && view_type.includes_new());
        if view_type == StreamViewType::NewAndOldImages {
            assert_eq!(record.old_image.as_ref().map(text), old);
        }
        let images = [&record.old_image, &record.new_image];
        let sizes = images.into_iter().flatten().map(|image| {
            assert_eq!(*image, EncodedItem::from(&image.decode().unwrap()));
            image.size_bytes()
        });
        assert_eq!(record.size_bytes, record.keys.size_bytes() + sizes.sum::<u64>());
    }
    table
}
