//! Streams as files, and replaying them.

use std::collections::BTreeMap;

use expect_test::expect;
use pdb_assert::import;
use pdb_model::StreamViewType;
use pretender::items::{PutItemInput, ScanInput};
use pretender::model::Item;
use pretender::testing::{Change, ReplayReport, StreamDiff};
use proptest::prelude::*;

use crate::harness::{Orders, item, key, orders};

fn exported(orders: &Orders) -> String {
    let mut file = Vec::new();
    orders.db.export_changes("Orders", &mut file).unwrap();
    String::from_utf8(file).unwrap()
}

fn items(orders: &Orders) -> BTreeMap<String, Item> {
    let items = orders.db.scan(ScanInput::new(crate::harness::orders())).unwrap().items.unwrap();
    let items = items.iter().map(|item| item.decode().unwrap());
    items.map(|item| (item["pk"].as_s().unwrap().to_owned(), item)).collect()
}

fn imported(file: &str) -> Vec<Change> {
    import(file.as_bytes()).map(|change| change.unwrap().1).collect()
}

#[test]
fn a_record_is_a_line() {
    let orders = Orders::new();
    orders.put("o1", item("new", 10));
    expect![[r#"
        {"awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1772356542,"Keys":{"pk":{"S":"o1"}},"NewImage":{"pk":{"S":"o1"},"status":{"S":"new"},"total":{"N":"10"}},"SequenceNumber":"200000000000000000001","SizeBytes":24,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventID":"7e6b224f30d1c98b0000010000000002","eventName":"INSERT","eventSource":"aws:dynamodb","eventSourceARN":"arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017","eventVersion":"1.1"}
    "#]].assert_eq(&exported(&orders));
    assert_eq!(exported(&Orders::new()), "");
}

#[test]
fn a_replay_rebuilds_the_table() {
    let source = Orders::with_history();
    let file = exported(&source);
    assert_eq!(imported(&file), source.db.changes("Orders").unwrap());
    let target = Orders::new();
    let report = target.db.replay(&orders(), file.as_bytes()).unwrap();
    assert_eq!(report, ReplayReport { puts: 4, deletes: 1 });
    assert_eq!(items(&target), items(&source));
    StreamDiff::between(&source.db.changes("Orders").unwrap(), &target.db.changes("Orders").unwrap())
        .assert_empty();
}

#[test]
fn lines_that_cannot_be_replayed_are_named() {
    let target = Orders::new();
    let mut texts = String::new();
    let keys_only = Orders::with(StreamViewType::KeysOnly);
    keys_only.delete("o0");
    keys_only.put("o1", item("new", 10));
    let good = exported(&Orders::with_history());
    for bad in [
        "{",
        "[]",
        r#"{"eventName": "INSERT"}"#,
        r#"{"eventName": "UPSERT", "dynamodb": {"Keys": {"pk": {"S": "a"}}}}"#,
        r#"{"eventName": "INSERT", "dynamodb": {"Keys": {"pk": "a"}}}"#,
        r#"{"eventName": "INSERT", "dynamodb": {"Keys": {"id": {"S": "a"}}, "NewImage": {"id": {"S": "a"}}}}"#,
        &exported(&keys_only),
    ] {
        let file = format!("\n{good}\n{bad}\n");
        texts.push_str(&target.db.replay(&orders(), file.as_bytes()).unwrap_err().to_string());
        texts.push('\n');
        // What came before is there.
        assert_eq!(items(&target).keys().collect::<Vec<_>>(), ["o2"]);
    }
    let missing = target.db.replay(&"Missing".parse().unwrap(), good.as_bytes()).unwrap_err();
    texts.push_str(&missing.to_string());
    expect![[r#"
        line 8 is not a stream record: not JSON: EOF while parsing an object at line 1 column 1
        line 8 is not a stream record: `eventName` is missing
        line 8 is not a stream record: `dynamodb.Keys` is missing
        line 8 is not a stream record: `UPSERT` is not INSERT, MODIFY or REMOVE
        line 8 is not a stream record: `dynamodb.Keys` is not an item
        line 8 cannot be replayed: One or more parameter values were invalid: Missing the key pk in the item
        line 8 has no new image: the stream must be NEW_IMAGE or NEW_AND_OLD_IMAGES to be replayed
        line 1 cannot be replayed: Requested resource not found"#]]
    .assert_eq(&texts);
}

/// Values of all types, with what JSON must escape.
fn any_item() -> impl Strategy<Value = Item> {
    let value = prop_oneof![
        "\\PC{0,6}".prop_map(pdb_model::AttributeValue::S),
        any::<i32>().prop_map(Into::into),
        any::<bool>().prop_map(Into::into),
        prop::collection::vec(any::<u8>(), 0..4).prop_map(pdb_model::AttributeValue::B),
        prop::collection::btree_set("[a-c]{1,2}", 1..3)
            .prop_map(|set| pdb_model::AttributeValue::Ss(set.into())),
    ];
    prop::collection::btree_map("[a-e\"\\\\]{1,2}", value, 0..4)
        .prop_map(|attributes| attributes.into_iter().collect::<Item>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(64)))]

    /// Export, replay, compare: items and streams, whatever was written, and however often shards split.
    #[test]
    fn a_stream_goes_through_a_file(
        writes in prop::collection::vec((0..4_u8, prop::option::of(any_item()), any::<bool>()), 0..25),
    ) {
        let source = Orders::new();
        for (n, (pk, item, split)) in writes.into_iter().enumerate() {
            let pk = pk.to_string();
            match item {
                Some(item) => {
                    source.db.put_item(PutItemInput::new(orders(), item.with("pk", pk.as_str()))).unwrap();
                }
                None => source.delete(&pk),
            }
            if split && n % 8 == 0 {
                source.db.split_shards(&source.arn, None).unwrap();
            }
        }
        let file = exported(&source);
        prop_assert_eq!(imported(&file), source.db.changes("Orders").unwrap());
        let target = Orders::new();
        target.db.replay(&orders(), file.as_bytes()).unwrap();
        prop_assert_eq!(items(&target), items(&source));
        let (first, second) = (source.db.changes("Orders").unwrap(), target.db.changes("Orders").unwrap());
        prop_assert!(StreamDiff::between(&first, &second).is_empty());
        // And once more gives the same file, but for numbers and ids.
        prop_assert_eq!(exported(&target).lines().count(), file.lines().count());
        prop_assert!(items(&target).contains_key("0") == source.db.get_item(
            pretender::items::GetItemInput::new(orders(), key("0"))).unwrap().item.is_some());
    }
}
