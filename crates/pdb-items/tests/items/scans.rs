//! Scan.

use std::collections::BTreeSet;

use pdb_items::{ItemsConfig, MessageLayer, ScanInput, Select};
use pdb_model::Item;

use crate::harness::{Db, key, refused, scan, units, values};

fn keys_of(db: &Db, input: ScanInput) -> Vec<String> {
    let mut keys = Vec::new();
    let mut start = None;
    loop {
        let output =
            db.items.scan(ScanInput { exclusive_start_key: start, ..input.clone() }).expect("a page");
        keys.extend(output.items.expect("items").iter().map(|item| item.json().to_owned()));
        start = output.last_evaluated_key;
        if start.is_none() {
            return keys;
        }
    }
}

#[test]
fn segments_cover_everything_once() {
    let db = Db::new();
    for p in 0..50 {
        db.fill(&format!("p{p}"), 2);
    }
    let whole = keys_of(&db, scan());
    assert_eq!(whole.len(), 100);
    let mut joined = Vec::new();
    for segment in 0..4 {
        let part = keys_of(
            &db,
            ScanInput { segment: Some(segment), total_segments: Some(4), limit: Some(3), ..scan() },
        );
        assert!(part.len() > 10, "50 partitions fall into 4 segments");
        joined.extend(part);
    }
    assert_eq!(joined, whole, "segments are slices of one order");
    assert_eq!(joined.iter().collect::<BTreeSet<_>>().len(), 100);
}

#[test]
fn a_start_key_belongs_to_its_segment() {
    let db = Db::new();
    let other = |segment| ScanInput {
        segment: Some(segment),
        total_segments: Some(2),
        exclusive_start_key: Some(key("a", 1)),
        ..scan()
    };
    let results = [0, 1].map(|segment| db.items.scan(other(segment)).map_err(|error| error.to_string()));
    let refusals: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(refusals.len(), 1);
    assert!(
        refusals[0].starts_with(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct \
             Segment. TotalSegments: 2 Segment: "
        ),
        "{}",
        refusals[0]
    );
}

#[test]
fn filters_may_use_keys() {
    let db = Db::new();
    db.fill("a", 5);
    let output = db
        .items
        .scan(ScanInput {
            filter_expression: Some("s > :s".to_owned()),
            expression_attribute_values: values(&[(":s", 3.into())]),
            select: Some(Select::Count),
            ..scan()
        })
        .unwrap();
    assert_eq!((output.items, output.count, output.scanned_count), (None, 2, 5));
    assert_eq!(units(output.consumed_capacity), "0.5 table 0.5");
}

#[test]
fn parameters_must_fit() {
    let db = Db::new();
    let check = |input: ScanInput, text: &str| refused(db.items.scan(input), text);
    check(
        ScanInput { segment: Some(1), ..scan() },
        "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
    );
    check(
        ScanInput { total_segments: Some(1), ..scan() },
        "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
    );
    check(
        ScanInput { segment: Some(5), total_segments: Some(5), ..scan() },
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 5 is not less than \
         TotalSegments: 5",
    );
    check(
        ScanInput { select: Some(Select::SpecificAttributes), ..scan() },
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    );
    check(
        ScanInput { exclusive_start_key: Some(Item::new().with("p", "a")), ..scan() },
        "The provided starting key is invalid: The provided key element does not match the schema",
    );
    let modern =
        Db::with_config(ItemsConfig { message_layer: MessageLayer::Modern2026, ..ItemsConfig::default() });
    refused(
        modern.items.scan(ScanInput { exclusive_start_key: Some(Item::new().with("p", "a")), ..scan() }),
        "The provided starting key is invalid",
    );
    refused(
        modern.items.scan(ScanInput { segment: Some(5), total_segments: Some(5), ..scan() }),
        "The Segment parameter is zero-based and must be less than parameter TotalSegments",
    );
}
