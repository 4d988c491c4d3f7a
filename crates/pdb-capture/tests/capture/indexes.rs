//! Index entries: their content, the report of a write, and filling a new index.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use pdb_capture::{
    CaptureError, IndexChangeKind, WriteReport, backfill_expiry, backfill_index, lock_item, write_item,
};
use pdb_model::{
    AttributeValue, EncodedItem, IndexKind, Item, KeyAttribute, KeyBytes, KeyError, KeySchema, Projection,
    ProvisionedThroughput, ScalarType, SecondaryIndex, TableDefinition,
};
use pdb_store::{Direction, KeyRange, Table};
use pdb_testkit::{TestDb, definition, key_schema, string_key};
use proptest::prelude::*;

pub(crate) fn index(name: &str, key_schema: KeySchema, projection: Projection) -> SecondaryIndex {
    SecondaryIndex {
        name: name.parse().unwrap(),
        kind: IndexKind::Global,
        key_schema,
        projection,
        provisioned_throughput: ProvisionedThroughput::default(),
        on_demand_throughput: None,
        warm_throughput: None,
    }
}

fn by(name: &str) -> KeyAttribute {
    KeyAttribute { name: name.to_owned(), scalar_type: ScalarType::S }
}

/// A table with an index of each projection, and one whose key has two hash and two range attributes.
fn indexed() -> TableDefinition {
    let mut table = definition("orders", string_key("pk"));
    let several = KeySchema { hash: vec![by("a"), by("b")], range: vec![by("c"), by("pk")] };
    table.indexes = vec![
        index("all_by_a", key_schema(("a", ScalarType::S), None), Projection::All),
        index(
            "keys_by_a",
            key_schema(("a", ScalarType::S), Some(("b", ScalarType::S))),
            Projection::KeysOnly,
        ),
        index("some_by_b", key_schema(("b", ScalarType::S), None), Projection::Include(vec!["n".to_owned()])),
        index("several", several, Projection::KeysOnly),
    ];
    table
}

fn write(db: &TestDb, pk: &str, new: Option<Item>) -> Result<WriteReport, CaptureError> {
    let (env, pk) = (db.env.clone(), pk.to_owned());
    db.store.write(move |tx| {
        let table = tx.table(&"orders".parse().unwrap())?;
        let key = table.definition.key_schema.extract(&Item::new().with("pk", pk.as_str())).unwrap();
        let locked = lock_item(tx, &table, &key)?;
        write_item(&env, tx, &table, locked, new.as_ref(), None)
    })
}

fn changes(report: &WriteReport) -> Vec<(String, IndexChangeKind, Option<u64>, Option<u64>)> {
    let mut changes: Vec<_> = report
        .index_changes
        .iter()
        .map(|c| (c.index.to_string(), c.kind, c.old_size_bytes, c.new_size_bytes))
        .collect();
    changes.sort_by(|a, b| a.0.cmp(&b.0));
    changes
}

#[test]
fn a_write_reports_its_changes_of_each_index() {
    use IndexChangeKind::{Entered, Left, Moved, Updated};
    let db = TestDb::new();
    db.create_table(&indexed());
    let item = |a: &str, n: i64, other: i64| {
        Item::new().with("pk", "1").with("a", a).with("b", "b").with("n", n).with("other", other)
    };
    let report = |new| changes(&write(&db, "1", new).unwrap());
    // pk 2+1, a 1+1, b 1+1, n 1+2, other 5+2.
    let (all, keys, some) = (Some(17), Some(7), Some(8));
    assert_eq!(
        report(Some(item("x", 1, 1))),
        [
            ("all_by_a".to_owned(), Entered, None, all),
            ("keys_by_a".to_owned(), Entered, None, keys),
            ("some_by_b".to_owned(), Entered, None, some),
        ]
    );
    assert_eq!(report(Some(item("x", 1, 1))), []);
    assert_eq!(report(Some(item("x", 1, 2))), [("all_by_a".to_owned(), Updated, all, all)]);
    assert_eq!(
        report(Some(item("x", 2, 2))),
        [("all_by_a".to_owned(), Updated, all, all), ("some_by_b".to_owned(), Updated, some, some),]
    );
    assert_eq!(
        report(Some(item("y", 2, 2))),
        [("all_by_a".to_owned(), Moved, all, all), ("keys_by_a".to_owned(), Moved, keys, keys),]
    );
    assert_eq!(
        report(Some(item("y", 2, 2).with("c", "c"))),
        [("all_by_a".to_owned(), Updated, all, Some(19)), ("several".to_owned(), Entered, None, Some(9)),]
    );
    assert_eq!(
        report(Some(Item::new().with("pk", "1").with("a", "y"))),
        [
            ("all_by_a".to_owned(), Updated, Some(19), Some(5)),
            ("keys_by_a".to_owned(), Left, keys, None),
            ("several".to_owned(), Left, Some(9), None),
            ("some_by_b".to_owned(), Left, some, None),
        ]
    );
    assert_eq!(report(None), [("all_by_a".to_owned(), Left, Some(5), None)]);
}

#[test]
fn an_invalid_index_key_is_refused_and_writes_nothing() {
    let db = TestDb::new();
    db.create_table(&indexed());
    let refused = |attribute: &str, value: AttributeValue| {
        let item = Item::new().with("pk", "1").with(attribute, value);
        match write(&db, "1", Some(item)).unwrap_err() {
            CaptureError::IndexKey { index, source } => (index.to_string(), source),
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(refused("a", 1.into()).1, KeyError::WrongType { .. }));
    assert!(matches!(refused("b", "".into()).1, KeyError::Empty { .. }));
    // Also where other attributes of the key are missing.
    assert_eq!(refused("c", 1.into()).0, "several");
    assert_eq!(refused("a", "x".repeat(3000).into()), ("all_by_a".to_owned(), KeyError::HashTooLong));
    assert!(db.items().is_empty());
}

/// What an index should have, computed from the items.
fn expected(table: &Table, index: &SecondaryIndex, items: &[Item]) -> BTreeMap<Vec<u8>, String> {
    let key_schema = &table.definition.key_schema;
    let mut entries = BTreeMap::new();
    for item in items {
        let Ok(key) = index.key_schema.extract(item) else { continue };
        let base = key_schema.extract(item).unwrap();
        let bytes = base.encode();
        let tie_break = (index.kind == IndexKind::Global).then(|| base.tie_break(&bytes));
        let part: Item = item
            .iter()
            .filter(|(name, _)| index.projects(key_schema, name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let entry = KeyBytes::index_entry(&key, tie_break, &bytes);
        entries.insert(entry.into_bytes(), EncodedItem::from(&part).into_json());
    }
    entries
}

fn check(db: &TestDb) {
    let table = db.table();
    let items: Vec<_> = db.items().into_values().map(|item| item.decode().unwrap()).collect();
    for index in &table.definition.indexes {
        let mut entries = BTreeMap::new();
        let mut size_bytes = 0;
        db.read(|tx| {
            tx.scan(&table, Some(&index.name), &KeyRange::all(), Direction::Forward, &mut |row| {
                assert!(row.key.ends_with(row.base));
                size_bytes += row.size_bytes;
                entries.insert(row.key.to_vec(), row.json.to_owned());
                ControlFlow::Continue(())
            })?;
            let statistics = tx.index_statistics(&table, &index.name)?;
            assert_eq!((statistics.item_count, statistics.size_bytes), (entries.len() as u64, size_bytes));
            Ok(())
        });
        assert_eq!(entries, expected(&table, index, &items), "{}", index.name);
    }
}

fn any_item() -> impl Strategy<Value = (String, Option<Item>)> {
    let names = prop_oneof![Just("a"), Just("b"), Just("c"), Just("n"), Just("other")];
    let attributes = prop::collection::btree_map(names, "[xy]", 0..5);
    ("[1-4]", prop::option::weighted(0.8, attributes)).prop_map(|(pk, attributes)| {
        let item = attributes.map(|attributes| {
            let item = Item::new().with("pk", pk.clone());
            attributes.into_iter().fold(item, |item, (name, value)| item.with(name, value))
        });
        (pk, item)
    })
}

/// Fills what is new in steps of two, with writes in between.
fn fill(db: &TestDb, between: &[(String, Option<Item>)]) {
    let mut between = between.iter();
    for index in db.table().definition.indexes.clone() {
        let mut after = None;
        loop {
            let (name, from) = (index.name.clone(), after.clone());
            after = db
                .store
                .write(move |tx| {
                    let table: Arc<Table> = tx.table(&"orders".parse().unwrap())?;
                    backfill_index(tx, &table, &name, from.as_ref(), 2)
                })
                .unwrap();
            if let Some((pk, item)) = between.next() {
                write(db, pk, item.clone()).unwrap();
            }
            if after.is_none() {
                break;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: pdb_testkit::rounds(64), ..ProptestConfig::default() })]

    #[test]
    fn indexes_follow_their_table(writes in prop::collection::vec(any_item(), 0..30)) {
        let db = TestDb::new();
        db.create_table(&indexed());
        for (pk, item) in writes {
            write(&db, &pk, item).unwrap();
            check(&db);
        }
    }

    #[test]
    fn a_new_index_is_filled_while_others_write(
        before in prop::collection::vec(any_item(), 0..12),
        between in prop::collection::vec(any_item(), 0..12),
    ) {
        let db = TestDb::new();
        db.create_table(&definition("orders", string_key("pk")));
        for (pk, item) in before {
            write(&db, &pk, item).unwrap();
        }
        db.write(|tx| tx.replace_definition(&indexed()));
        fill(&db, &between);
        check(&db);
    }
}

#[test]
fn items_that_do_not_fit_a_new_index_are_left_out() {
    let db = TestDb::new();
    db.create_table(&definition("orders", string_key("pk")));
    write(&db, "1", Some(Item::new().with("pk", "1").with("a", 1))).unwrap();
    write(&db, "2", Some(Item::new().with("pk", "2").with("a", "x"))).unwrap();
    db.write(|tx| tx.replace_definition(&indexed()));
    fill(&db, &[]);
    check(&db);
    // And can still be replaced and removed.
    write(&db, "1", Some(Item::new().with("pk", "1").with("a", "y"))).unwrap();
    write(&db, "1", None).unwrap();
    check(&db);
}

#[test]
fn expiry_times_are_stored_when_time_to_live_is_enabled() {
    let db = TestDb::new();
    let mut table = definition("orders", string_key("pk"));
    db.create_table(&table);
    for (pk, ttl) in [("1", 10), ("2", 20), ("3", 30)] {
        write(&db, pk, Some(Item::new().with("pk", pk).with("ttl", ttl))).unwrap();
    }
    let fill = || {
        let mut after = None;
        loop {
            let from = after.take();
            after = db
                .store
                .write(move |tx| {
                    let table = tx.table(&"orders".parse().unwrap())?;
                    backfill_expiry(tx, &table, from.as_ref(), 2)
                })
                .unwrap();
            if after.is_none() {
                break;
            }
        }
    };
    let expired = || {
        let table = db.table();
        db.read(|tx| tx.expired_items(&table, 0, 20, 10)).len()
    };
    assert_eq!(expired(), 0);
    table.time_to_live_attribute = Some("ttl".to_owned());
    let on = table.clone();
    db.write(move |tx| tx.replace_definition(&on));
    fill();
    assert_eq!(expired(), 2);
    write(&db, "4", Some(Item::new().with("pk", "4").with("ttl", 15))).unwrap();
    assert_eq!(expired(), 3);
    table.time_to_live_attribute = None;
    db.write(move |tx| tx.replace_definition(&table));
    fill();
    assert_eq!(expired(), 0);
}
