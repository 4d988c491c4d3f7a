//! What must hold whatever is written and read.

use std::collections::BTreeMap;

use pdb_items::{
    PutItemInput, QueryInput, ScanInput, TransactAction, TransactWrite, TransactWriteItemsInput,
    UpdateItemInput,
};
use pdb_model::{AttributeValue, Item, TableDefinition};
use proptest::prelude::*;

use crate::harness::{Db, delete, key, put, query, scan, table, update};

/// One write to one of a few items.
#[derive(Clone, Debug)]
enum Write {
    Put(Item),
    Delete(Item),
    Update(Item, &'static str, AttributeValue),
}

fn any_key() -> impl Strategy<Value = Item> {
    (prop::sample::select(vec!["a", "b", "c"]), 1..4_i64).prop_map(|(p, s)| key(p, s))
}

fn any_item() -> impl Strategy<Value = Item> {
    let text = || prop::option::of(prop::sample::select(vec!["1", "2", "3"]));
    let number = || prop::option::of(0..3_i64);
    (any_key(), text(), text(), text(), number(), number(), number()).prop_map(|(key, l, g, g2, h, h2, x)| {
        let mut item = key;
        for (name, value) in [("l", l), ("g", g), ("g2", g2)] {
            item.0.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        for (name, value) in [("h", h), ("h2", h2), ("x", x)] {
            item.0.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        item
    })
}

fn any_write() -> impl Strategy<Value = Write> {
    let text = prop::sample::select(vec!["SET g = :v", "SET l = :v", "SET y = :v REMOVE g2"]);
    let number =
        prop::sample::select(vec!["SET h = :v", "ADD x :v", "ADD y :v REMOVE l", "SET h2 = :v REMOVE g"]);
    prop_oneof![
        3 => any_item().prop_map(Write::Put),
        1 => any_key().prop_map(Write::Delete),
        1 => (any_key(), text, prop::sample::select(vec!["1", "2"]))
            .prop_map(|(key, update, value)| Write::Update(key, update, value.into())),
        1 => (any_key(), number, 0..3_i64).prop_map(|(key, update, value)| Write::Update(key, update, value.into())),
    ]
}

/// Writes; an update may be refused because of what is stored, which is as good as no write.
fn apply(db: &Db, write: &Write) {
    match write.clone() {
        Write::Put(item) => drop(db.items.put_item(put(item)).expect("a put")),
        Write::Delete(key) => drop(db.items.delete_item(delete(key)).expect("a delete")),
        Write::Update(key, expression, value) => {
            drop(db.items.update_item(update(key, expression, &[(":v", value)])));
        }
    }
}

/// All items of a table or an index, read in pages of some size.
fn scanned(db: &Db, index: Option<&str>, limit: Option<u32>) -> Vec<Item> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let page = db
            .items
            .scan(ScanInput {
                index_name: index.map(|index| index.parse().expect("the name of an index")),
                limit,
                exclusive_start_key: start,
                ..scan()
            })
            .expect("a page");
        items.extend(page.items.expect("items").iter().map(|item| item.decode().expect("a readable item")));
        start = page.last_evaluated_key;
        if start.is_none() {
            return items;
        }
    }
}

/// What an index must have, by the table's items.
fn projected(definition: &TableDefinition, index: &str, items: &[Item]) -> Vec<String> {
    let index = definition.index(index).expect("the index");
    let mut entries: Vec<String> = items
        .iter()
        .filter(|item| index.key_schema.attributes().all(|attribute| item.contains_key(&attribute.name)))
        .map(|item| {
            let entry: Item = item
                .iter()
                .filter(|(name, _)| index.projects(&definition.key_schema, name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            entry.to_string()
        })
        .collect();
    entries.sort();
    entries
}

proptest! {
    #![proptest_config(ProptestConfig { cases: pdb_testkit::rounds(48), failure_persistence: None, ..ProptestConfig::default() })]

    /// An index always equals what a scan and a projection of its table give.
    #[test]
    fn an_index_is_a_view_of_its_table(writes in prop::collection::vec(any_write(), 0..40), limit in 1..5_u32) {
        let db = Db::new();
        writes.iter().for_each(|write| apply(&db, write));
        let definition = db.db.table().definition.clone();
        let items = scanned(&db, None, Some(limit));
        for index in ["by-l", "by-g", "all", "many"] {
            let mut entries: Vec<String> =
                scanned(&db, Some(index), Some(limit)).iter().map(Item::to_string).collect();
            entries.sort();
            prop_assert_eq!(entries, projected(&definition, index, &items), "{}", index);
        }
    }

    /// Pages of any size give the same items once, in the same order.
    #[test]
    fn pages_do_not_matter(items in prop::collection::vec(any_item(), 0..30), limit in 1..7_u32, forward: bool) {
        let db = Db::new();
        items.iter().for_each(|item| db.put(item.clone()));
        for index in [None, Some("by-l"), Some("by-g"), Some("many")] {
            prop_assert_eq!(scanned(&db, index, Some(limit)), scanned(&db, index, None));
        }
        let pages = |limit| {
            let mut items = Vec::new();
            let mut input = QueryInput {
                limit,
                scan_index_forward: forward,
                index_name: Some("by-l".parse().expect("the name of an index")),
                ..query("p = :p", &[(":p", "a".into())])
            };
            loop {
                let page = db.items.query(input.clone()).expect("a page");
                items.extend(page.items.expect("items").iter());
                input.exclusive_start_key = page.last_evaluated_key;
                if input.exclusive_start_key.is_none() {
                    return items;
                }
            }
        };
        prop_assert_eq!(pages(Some(limit)), pages(None));
    }

    /// A transaction that fails leaves table, indexes and stream untouched; one that succeeds is its writes.
    #[test]
    fn a_failing_transaction_leaves_no_trace(
        before in prop::collection::vec(any_write(), 0..10),
        writes in prop::collection::vec(any_write(), 1..6),
        fails: bool,
    ) {
        let db = Db::new();
        before.iter().for_each(|write| apply(&db, write));
        let (items, records) = (db.db.items(), db.db.records());
        let entries = || ["by-l", "by-g", "all", "many"].map(|index| scanned(&db, Some(index), None));
        let entries_before = entries();
        let mut actions: Vec<TransactWrite> = writes.iter().map(action).collect();
        if fails {
            actions.push(TransactWrite {
                condition_expression: Some("attribute_exists(p)".to_owned()),
                ..TransactWrite::new(
                    table("orders"),
                    TransactAction::ConditionCheck { key: key("nobody", 1) },
                )
            });
        }
        let input = TransactWriteItemsInput { transact_items: actions, ..TransactWriteItemsInput::default() };
        let result = db.items.transact_write_items(input);
        if result.is_err() {
            prop_assert_eq!(db.db.items(), items);
            prop_assert_eq!(db.db.records(), records);
            prop_assert_eq!(entries(), entries_before);
        } else {
            prop_assert!(!fails);
            let other = Db::new();
            before.iter().chain(&writes).for_each(|write| apply(&other, write));
            prop_assert_eq!(db.db.items(), other.db.items());
        }
    }

    /// Replaying the stream gives the table.
    #[test]
    fn a_stream_replays_to_its_table(writes in prop::collection::vec(any_write(), 0..40)) {
        let db = Db::new();
        writes.iter().for_each(|write| apply(&db, write));
        let mut replayed = BTreeMap::new();
        for record in db.db.records() {
            let key = record.keys.json().to_owned();
            prop_assert_eq!(replayed.get(&key), record.old_image.as_ref(), "a record continues where the last one stopped");
            match record.new_image {
                Some(image) => drop(replayed.insert(key, image)),
                None => drop(replayed.remove(&key)),
            }
        }
        let mut images: Vec<_> = replayed.into_values().map(|image| image.json().to_owned()).collect();
        let mut stored: Vec<_> = db.db.items().into_values().map(|item| item.json().to_owned()).collect();
        images.sort();
        stored.sort();
        prop_assert_eq!(images, stored);
    }
}

fn action(write: &Write) -> TransactWrite {
    match write.clone() {
        Write::Put(item) => TransactWrite::new(table("orders"), TransactAction::Put { item }),
        Write::Delete(key) => TransactWrite::new(table("orders"), TransactAction::Delete { key }),
        Write::Update(key, expression, value) => TransactWrite {
            expression_attribute_values: BTreeMap::from([(":v".to_owned(), value)]),
            ..TransactWrite::new(
                table("orders"),
                TransactAction::Update { key, update_expression: expression.to_owned() },
            )
        },
    }
}

#[test]
fn a_put_and_an_update_may_say_the_same() {
    let (one, two) = (Db::new(), Db::new());
    one.items.put_item(PutItemInput::new(table("orders"), key("a", 1))).unwrap();
    two.items.update_item(UpdateItemInput::new(table("orders"), key("a", 1))).unwrap();
    assert_eq!(one.db.items(), two.db.items());
}
