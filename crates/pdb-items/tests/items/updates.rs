//! UpdateItem.

use pdb_items::{ReturnValues, UpdateItemInput};
use pdb_model::{AttributeValue, EventName, Item};

use crate::harness::{Db, key, list, map, refused, ss, table, update};

/// What each `ReturnValues` answers for one update of one item, as JSON: old whole, new whole, old parts, new parts.
#[track_caller]
fn check_returned(
    item: Option<Item>,
    expression: &str,
    with: &[(&str, AttributeValue)],
    expected: [&str; 4],
) {
    let kinds =
        [ReturnValues::AllOld, ReturnValues::AllNew, ReturnValues::UpdatedOld, ReturnValues::UpdatedNew];
    for (return_values, expected) in kinds.into_iter().zip(expected) {
        let db = Db::new();
        if let Some(item) = &item {
            db.put(item.clone());
        }
        let input = UpdateItemInput { return_values, ..update(key("a", 1), expression, with) };
        let attributes = db.items.update_item(input).expect("the item is updated").attributes;
        let json = attributes.map_or_else(|| "-".to_owned(), |item| item.json().to_owned());
        assert_eq!(json, expected, "{return_values:?}");
    }
}

#[test]
fn return_values_show_what_was_touched() {
    check_returned(
        Some(key("a", 1).with("x", 1)),
        "SET x = x + :v, y = :v",
        &[(":v", 1.into())],
        [
            r#"{"p":{"S":"a"},"s":{"N":"1"},"x":{"N":"1"}}"#,
            r#"{"p":{"S":"a"},"s":{"N":"1"},"x":{"N":"2"},"y":{"N":"1"}}"#,
            r#"{"x":{"N":"1"}}"#,
            r#"{"x":{"N":"2"},"y":{"N":"1"}}"#,
        ],
    );
    check_returned(
        None,
        "SET x = :v",
        &[(":v", 1.into())],
        ["-", r#"{"p":{"S":"a"},"s":{"N":"1"},"x":{"N":"1"}}"#, "-", r#"{"x":{"N":"1"}}"#],
    );
    check_returned(
        Some(key("a", 1).with("x", 1)),
        "REMOVE x",
        &[],
        [
            r#"{"p":{"S":"a"},"s":{"N":"1"},"x":{"N":"1"}}"#,
            r#"{"p":{"S":"a"},"s":{"N":"1"}}"#,
            r#"{"x":{"N":"1"}}"#,
            "-",
        ],
    );
    check_returned(
        Some(
            key("a", 1)
                .with("m", map(&[("k", 1.into()), ("j", 1.into())]))
                .with("t", list([1.into(), 2.into()])),
        ),
        "SET m.k = :v REMOVE t[0]",
        &[(":v", 5.into())],
        [
            r#"{"m":{"M":{"j":{"N":"1"},"k":{"N":"1"}}},"p":{"S":"a"},"s":{"N":"1"},"t":{"L":[{"N":"1"},{"N":"2"}]}}"#,
            r#"{"m":{"M":{"j":{"N":"1"},"k":{"N":"5"}}},"p":{"S":"a"},"s":{"N":"1"},"t":{"L":[{"N":"2"}]}}"#,
            r#"{"m":{"M":{"k":{"N":"1"}}},"t":{"L":[{"N":"1"}]}}"#,
            r#"{"m":{"M":{"k":{"N":"5"}}},"t":{"L":[{"N":"2"}]}}"#,
        ],
    );
}

#[test]
fn an_update_creates_if_it_adds() {
    let db = Db::new();
    db.update(key("a", 1), "ADD n :v", &[(":v", 5.into())]);
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1).with("n", 5)));
    // Without an expression the item has its key alone.
    db.items.update_item(UpdateItemInput::new(table("orders"), key("a", 2))).unwrap();
    assert_eq!(db.get(key("a", 2)), Some(key("a", 2)));
    // What only removes creates nothing.
    db.update(key("a", 3), "REMOVE x DELETE t :t", &[(":t", ss(&["a"]))]);
    assert_eq!(db.get(key("a", 3)), None);
    let events: Vec<_> = db.db.records().iter().map(|record| record.event_name).collect();
    assert_eq!(events, [EventName::Insert, EventName::Insert]);
}

#[test]
fn an_update_that_creates_sees_the_key() {
    for (expression, with, expected) in [
        ("SET x = p", vec![], key("a", 41).with("x", "a")),
        ("SET x = s, y = p", vec![], key("a", 41).with("x", 41).with("y", "a")),
        ("SET x = if_not_exists(s, :v)", vec![(":v", "other".into())], key("a", 41).with("x", 41)),
        ("SET x = s + :v ADD n :v", vec![(":v", 1.into())], key("a", 41).with("x", 42).with("n", 1)),
        // A key of an index, too.
        ("SET g = p, h = s", vec![], key("a", 41).with("g", "a").with("h", 41)),
    ] {
        let db = Db::new();
        db.update(key("a", 41), expression, &with);
        assert_eq!(db.get(key("a", 41)), Some(expected), "{expression}");
        // Once the item is there nothing changes.
        db.update(key("a", 41), expression, &with);
    }
    let db = Db::new();
    refused(
        db.items.update_item(update(key("a", 1), "SET g = s", &[])),
        "The update expression attempted to update the secondary index key to unsupported type",
    );
    refused(
        db.items.update_item(update(key("a", 1), "SET x = y", &[])),
        "The provided expression refers to an attribute that does not exist in the item",
    );
    // A condition sees no item, and neither do the old values that are returned.
    for condition in ["attribute_exists(p)", "s = s2 OR p = x", "NOT attribute_not_exists(s)"] {
        let input = UpdateItemInput {
            condition_expression: Some(condition.to_owned()),
            ..update(key("a", 1), "SET x = p", &[])
        };
        let error = db.items.update_item(input).unwrap_err();
        assert_eq!(error.to_string(), "The conditional request failed", "{condition}");
    }
    assert_eq!(db.get(key("a", 1)), None);
    check_returned(
        None,
        "SET x = p",
        &[],
        ["-", r#"{"p":{"S":"a"},"s":{"N":"1"},"x":{"S":"a"}}"#, "-", r#"{"x":{"S":"a"}}"#],
    );
}

#[test]
fn an_update_that_changes_nothing_is_no_event() {
    let db = Db::new();
    db.put(key("a", 1).with("x", 1));
    db.update(key("a", 1), "SET x = :v", &[(":v", 1.into())]);
    db.update(key("a", 1), "REMOVE y", &[]);
    db.items.update_item(UpdateItemInput::new(table("orders"), key("a", 1))).unwrap();
    assert_eq!(db.db.records().len(), 1);
}

/// An update of `{p: a, s: 1, e: 1, x: 1, big: <399,000 bytes>}`.
#[track_caller]
fn check_refused(expression: &str, with: &[(&str, AttributeValue)], text: &str) {
    let db = Db::new();
    let stored =
        key("a", 1).with("e", 1).with("x", 1).with("z", "").with("big", AttributeValue::B(vec![0; 399_000]));
    db.put(stored.clone());
    refused(db.items.update_item(update(key("a", 1), expression, with)), text);
    assert_eq!(db.get(key("a", 1)), Some(stored));
    assert_eq!(db.db.records().len(), 1);
}

#[test]
fn keys_cannot_be_updated() {
    check_refused(
        "SET s = :v",
        &[(":v", 1.into())],
        "One or more parameter values were invalid: Cannot update attribute s. This attribute is part of the key",
    );
    check_refused(
        "REMOVE p.q",
        &[],
        "One or more parameter values were invalid: Cannot update attribute p. This attribute is part of the key",
    );
    check_refused(
        "SET g.q = :v",
        &[(":v", 1.into())],
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g",
    );
}

#[test]
fn index_keys_keep_their_type() {
    check_refused(
        "SET g = :v",
        &[(":v", 1.into())],
        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all",
    );
    check_refused(
        "SET g = :v",
        &[(":v", "".into())],
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a \
         value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value.",
    );
    check_refused(
        "SET g = e",
        &[],
        "The update expression attempted to update the secondary index key to unsupported type",
    );
    check_refused(
        "SET l = if_not_exists(l, :v)",
        &[(":v", "x".repeat(1025).into())],
        "The update expression attempted to update the secondary index key beyond allowed size limits",
    );
}

#[test]
fn execution_refuses_what_does_not_fit_the_stored_item() {
    check_refused(
        "SET y = nope",
        &[],
        "The provided expression refers to an attribute that does not exist in the item",
    );
    check_refused(
        "SET y.z = x",
        &[],
        "The document path provided in the update expression is invalid for update",
    );
    check_refused(
        "ADD x :v",
        &[(":v", ss(&["a"]))],
        "An operand in the update expression has an incorrect data type",
    );
    check_refused(
        "SET y = :v",
        &[(":v", AttributeValue::B(vec![0; 20_000]))],
        "Item size to update has exceeded the maximum allowed size",
    );
}
