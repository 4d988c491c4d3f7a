//! PutItem, GetItem and DeleteItem.

use pdb_items::{
    GetItemInput, ItemsError, PutItemInput, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues,
};
use pdb_model::{AttributeValue, EventName, Item};

use crate::harness::{Db, delete, key, list, map, names, now_or_never, put, refused, table, units};

#[test]
fn put_replaces_the_whole_item() {
    let db = Db::new();
    db.put(key("a", 1).with("x", 1).with("y", 2));
    let output = db
        .items
        .put_item(PutItemInput { return_values: ReturnValues::AllOld, ..put(key("a", 1).with("x", 3)) })
        .unwrap();
    let old = output.attributes.unwrap().decode().unwrap();
    assert_eq!(old, key("a", 1).with("x", 1).with("y", 2));
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1).with("x", 3)));

    let first = PutItemInput { return_values: ReturnValues::AllOld, ..put(key("a", 2)) };
    assert_eq!(db.items.put_item(first).unwrap().attributes, None);
}

#[test]
fn a_write_is_a_future_too() {
    let db = Db::new();
    let pending = db.items.put_item_async(put(key("a", 1)));
    pending.wait().unwrap();
    // What is refused before its transaction is answered at once.
    let bad = PutItemInput { return_values: ReturnValues::AllNew, ..put(key("a", 1)) };
    refused(
        now_or_never(db.items.put_item_async(bad)).expect("answered at once"),
        "ReturnValues can only be ALL_OLD or NONE",
    );
}

#[test]
fn delete_is_idempotent() {
    let db = Db::new();
    db.put(key("a", 1).with("x", 1));
    let input = || pdb_items::DeleteItemInput { return_values: ReturnValues::AllOld, ..delete(key("a", 1)) };
    let deleted = db.items.delete_item(input()).unwrap().attributes.unwrap();
    assert_eq!(deleted.decode().unwrap(), key("a", 1).with("x", 1));
    assert_eq!(db.items.delete_item(input()).unwrap().attributes, None);
    assert_eq!(db.get(key("a", 1)), None);
}

#[test]
fn changes_are_captured_and_no_changes_are_not() {
    let db = Db::new();
    db.put(key("a", 1).with("x", 1));
    db.put(key("a", 1).with("x", 1));
    db.put(key("a", 1).with("x", 2));
    db.items.delete_item(delete(key("a", 1))).unwrap();
    db.items.delete_item(delete(key("a", 1))).unwrap();
    let events: Vec<_> = db.db.records().iter().map(|record| record.event_name).collect();
    assert_eq!(events, [EventName::Insert, EventName::Modify, EventName::Remove]);
}

#[test]
fn get_projects_what_there_is() {
    let db = Db::new();
    db.put(
        key("a", 1)
            .with("m", map(&[("k", 1.into()), ("j", 2.into())]))
            .with("t", list([1.into(), 2.into(), 3.into()])),
    );
    let get = |projection: &str| {
        let input = GetItemInput {
            projection_expression: Some(projection.to_owned()),
            ..GetItemInput::new(table("orders"), key("a", 1))
        };
        db.items.get_item(input).unwrap().item.unwrap().json().to_owned()
    };
    assert_eq!(get("m.k, t[2], t[0]"), r#"{"m":{"M":{"k":{"N":"1"}}},"t":{"L":[{"N":"1"},{"N":"3"}]}}"#);
    // An item that has nothing of the projection is there all the same.
    assert_eq!(get("nope"), "{}");
    let output = db.items.get_item(GetItemInput::new(table("orders"), key("a", 2))).unwrap();
    assert_eq!(output.item, None);

    let with_names = GetItemInput {
        projection_expression: Some("#s".to_owned()),
        expression_attribute_names: names(&[("#s", "s")]),
        ..GetItemInput::new(table("orders"), key("a", 1))
    };
    assert_eq!(db.items.get_item(with_names).unwrap().item.unwrap().json(), r#"{"s":{"N":"1"}}"#);
}

#[test]
fn reads_and_writes_cost_by_size() {
    let db = Db::new();
    let get = |consistent_read| {
        let input = GetItemInput {
            consistent_read,
            return_consumed_capacity: ReturnConsumedCapacity::Total,
            ..GetItemInput::new(table("plain"), Item::new().with("p", "a"))
        };
        units(db.items.get_item(input).unwrap().consumed_capacity)
    };
    let put = |bytes: usize| {
        let input = PutItemInput {
            return_consumed_capacity: ReturnConsumedCapacity::Indexes,
            ..PutItemInput::new(
                table("plain"),
                Item::new().with("p", "a").with("b", AttributeValue::B(vec![0; bytes])),
            )
        };
        units(db.items.put_item(input).unwrap().consumed_capacity)
    };
    assert_eq!((get(false), get(true)), ("0.5".to_owned(), "1.0".to_owned()));
    assert_eq!(put(1000), "1.0 table 1.0");
    assert_eq!(put(5000), "5.0 table 5.0");
    assert_eq!((get(false), get(true)), ("1.0".to_owned(), "2.0".to_owned()));
    // The larger of old and new counts.
    assert_eq!(put(1), "5.0 table 5.0");
    assert_eq!(put(1), "1.0 table 1.0");
}

#[test]
fn index_writes_cost_by_what_changes() {
    let db = Db::new();
    let put = |item: Item| {
        let input = PutItemInput { return_consumed_capacity: ReturnConsumedCapacity::Indexes, ..put(item) };
        units(db.items.put_item(input).unwrap().consumed_capacity)
    };
    let base = || key("a", 1);
    assert_eq!(put(base()), "1.0 table 1.0");
    assert_eq!(put(base().with("l", "1")), "2.0 table 1.0 by-l 1.0");
    assert_eq!(put(base().with("l", "2")), "3.0 table 1.0 by-l 2.0");
    // `by-l` does not project `x`: nothing to write there.
    assert_eq!(put(base().with("l", "2").with("x", 1)), "1.0 table 1.0");
    assert_eq!(
        put(base().with("g", "g").with("h", 1).with("x", 1)),
        "4.0 table 1.0 by-l 1.0 all 1.0 by-g 1.0"
    );
    assert_eq!(put(base().with("g", "g").with("h", 1).with("x", 2)), "3.0 table 1.0 all 1.0 by-g 1.0");
    assert_eq!(put(base().with("g", "g").with("h", 1).with("x", 2)), "1.0 table 1.0");
    assert_eq!(put(base().with("g", "g").with("h", 2).with("x", 2)), "4.0 table 1.0 all 1.0 by-g 2.0");
    assert_eq!(put(base()), "3.0 table 1.0 all 1.0 by-g 1.0");
}

#[test]
fn item_collections_are_those_of_tables_with_local_indexes() {
    let db = Db::new();
    let metrics = |name: &str, item: Item| {
        let input = PutItemInput {
            return_item_collection_metrics: ReturnItemCollectionMetrics::Size,
            ..PutItemInput::new(table(name), item)
        };
        db.items.put_item(input).unwrap().item_collection_metrics
    };
    let found = metrics("orders", key("a", 1)).unwrap();
    assert_eq!(found.item_collection_key, Item::new().with("p", "a"));
    assert_eq!(found.size_estimate_range_gb, [0.0, 1.0]);
    assert_eq!(metrics("plain", Item::new().with("p", "a")), None);
}

#[test]
fn a_missing_table_is_not_found() {
    let db = Db::new();
    let error = db.items.get_item(GetItemInput::new(table("nowhere"), key("a", 1))).unwrap_err();
    assert!(matches!(error, ItemsError::ResourceNotFound(_)));
    assert_eq!(error.to_string(), "Requested resource not found");
}
