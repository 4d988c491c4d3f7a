//! BatchGetItem and BatchWriteItem.

use std::collections::BTreeMap;

use pdb_items::{
    BatchGetItemInput, BatchWriteItemInput, ItemsError, KeysAndAttributes, PutItemInput,
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, WriteRequest,
};
use pdb_model::{AttributeValue, EventName, Item};

use crate::harness::{Db, key, refused, table, units};

fn get(keys: impl IntoIterator<Item = Item>) -> KeysAndAttributes {
    KeysAndAttributes { keys: keys.into_iter().collect(), ..KeysAndAttributes::default() }
}

fn gets(requests: impl IntoIterator<Item = (&'static str, KeysAndAttributes)>) -> BatchGetItemInput {
    BatchGetItemInput {
        request_items: requests.into_iter().map(|(name, request)| (table(name), request)).collect(),
        return_consumed_capacity: ReturnConsumedCapacity::Total,
    }
}

fn writes(requests: impl IntoIterator<Item = (&'static str, Vec<WriteRequest>)>) -> BatchWriteItemInput {
    BatchWriteItemInput {
        request_items: requests.into_iter().map(|(name, requests)| (table(name), requests)).collect(),
        return_consumed_capacity: ReturnConsumedCapacity::Indexes,
        return_item_collection_metrics: ReturnItemCollectionMetrics::Size,
    }
}

fn plain(p: &str) -> Item {
    Item::new().with("p", p)
}

#[test]
fn a_batch_reads_several_tables() {
    let db = Db::new();
    db.fill("a", 2);
    db.items.put_item(PutItemInput::new(table("plain"), plain("x").with("y", 1))).unwrap();
    let with_projection = KeysAndAttributes {
        projection_expression: Some("y".to_owned()),
        ..get([plain("x"), plain("nobody")])
    };
    let output = db
        .items
        .batch_get_item(gets([("orders", get([key("a", 1), key("a", 9)])), ("plain", with_projection)]))
        .unwrap();
    assert_eq!(output.responses[&table("orders")].json(), key("a", 1).with("x", 1).to_string());
    assert_eq!(output.responses[&table("plain")].json(), r#"{"y":{"N":"1"}}"#);
    assert!(output.unprocessed_keys.is_empty());
    let capacity: Vec<_> =
        output.consumed_capacity.into_iter().map(|capacity| units(Some(capacity))).collect();
    assert_eq!(capacity, ["1.0", "1.0"]);

    let nothing = db.items.batch_get_item(gets([("plain", get([plain("nobody")]))])).unwrap();
    assert_eq!(nothing.responses[&table("plain")].len(), 0);
}

#[test]
fn what_does_not_fit_into_the_response_is_left_over() {
    let db = Db::new();
    for p in 0..45 {
        let item = plain(&format!("p{p}")).with("b", AttributeValue::B(vec![0; 400_000]));
        db.items.put_item(PutItemInput::new(table("plain"), item)).unwrap();
    }
    let mut request = get((0..45).map(|p| plain(&format!("p{p}"))));
    request.consistent_read = true;
    request.projection_expression = Some("p".to_owned());
    let output = db.items.batch_get_item(gets([("plain", request)])).unwrap();
    let found = output.responses[&table("plain")].len();
    let left = &output.unprocessed_keys[&table("plain")];
    assert_eq!((found, found + left.keys.len()), (41, 45));
    assert!(left.consistent_read && left.projection_expression.is_some(), "left over with its options");
    let rest = db.items.batch_get_item(gets([("plain", left.clone())])).unwrap();
    assert_eq!(rest.responses[&table("plain")].len(), 4);
}

#[test]
fn a_batch_of_reads_is_refused_as_a_whole() {
    let db = Db::new();
    let check = |input: BatchGetItemInput, text: &str| refused(db.items.batch_get_item(input), text);
    check(
        gets([("orders", get([key("a", 1), key("a", 1)]))]),
        "Provided list of item keys contains duplicates",
    );
    check(
        gets([("orders", get([key("a", 1), plain("a")]))]),
        "The provided key element does not match the schema",
    );
    check(
        gets([
            ("orders", get((0..60).map(|s| key("a", s)))),
            ("plain", get((0..60).map(|p| plain(&p.to_string())))),
        ]),
        "Too many items requested for the BatchGetItem call",
    );
    let missing = gets([("nowhere", get([plain("a")])), ("plain", get([plain("a")]))]);
    assert!(matches!(db.items.batch_get_item(missing), Err(ItemsError::ResourceNotFound(_))));
}

#[test]
fn a_batch_writes_several_tables() {
    let db = Db::new();
    db.fill("a", 1);
    let output = db
        .items
        .batch_write_item(writes([
            (
                "orders",
                vec![
                    WriteRequest::Put(key("a", 2)),
                    WriteRequest::Delete(key("a", 9)),
                    WriteRequest::Put(key("b", 1).with("l", "l")),
                    WriteRequest::Delete(key("a", 1)),
                ],
            ),
            ("plain", vec![WriteRequest::Put(plain("x"))]),
        ]))
        .unwrap();
    assert!(output.unprocessed_items.is_empty());
    let capacity: Vec<_> =
        output.consumed_capacity.into_iter().map(|capacity| units(Some(capacity))).collect();
    assert_eq!(capacity, ["5.0 table 4.0 by-l 1.0", "1.0 table 1.0"]);
    let collections: Vec<_> = output.item_collection_metrics[&table("orders")]
        .iter()
        .map(|metrics| metrics.item_collection_key.to_string())
        .collect();
    assert_eq!(collections, [r#"{"p":{"S":"a"}}"#, r#"{"p":{"S":"b"}}"#]);
    let events: Vec<_> = db.db.records().iter().map(|record| record.event_name).collect();
    assert_eq!(events, [EventName::Insert, EventName::Insert, EventName::Insert, EventName::Remove]);
}

#[test]
fn a_batch_of_writes_is_refused_as_a_whole() {
    let db = Db::new();
    let check = |requests: Vec<WriteRequest>, text: &str| {
        let requests = [vec![WriteRequest::Put(key("z", 1))], requests].concat();
        refused(db.items.batch_write_item(writes([("orders", requests)])), text);
        assert!(db.db.items().is_empty() && db.db.records().is_empty());
    };
    check(
        vec![WriteRequest::Put(key("a", 1)), WriteRequest::Delete(key("a", 1))],
        "Provided list of item keys contains duplicates",
    );
    check(vec![WriteRequest::Put(plain("a"))], "The provided key element does not match the schema");
    check(
        vec![WriteRequest::Put(Item::new().with("p", "").with("s", 1))],
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
         string value. Key: p",
    );
    check(
        vec![WriteRequest::Put(Item::new().with("p", "x".repeat(2049)).with("s", 1))],
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
    );
    check(
        vec![WriteRequest::Put(key("a", 1).with("g", 1))],
        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all",
    );
    check(
        vec![WriteRequest::Put(key("a", 1).with("b", AttributeValue::B(vec![0; 409_600])))],
        "Item size has exceeded the maximum allowed size",
    );
    check(
        (0..25).map(|s| WriteRequest::Put(key("a", s))).collect(),
        "Too many items requested for the BatchWriteItem call",
    );
    let missing = BTreeMap::from([(
        table("nowhere"),
        vec![WriteRequest::Put(plain("a")), WriteRequest::Put(plain("a"))],
    )]);
    let missing = BatchWriteItemInput { request_items: missing, ..BatchWriteItemInput::default() };
    assert!(matches!(db.items.batch_write_item(missing), Err(ItemsError::ResourceNotFound(_))));
}
