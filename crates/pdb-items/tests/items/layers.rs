//! The two generations of AWS's texts.

use std::collections::BTreeMap;

use pdb_items::legacy::ExpectedAttributeValue;
use pdb_items::{
    DeleteItemInput, ItemsConfig, ItemsError, MessageLayer, PutItemInput, ReturnValues, ScanInput, Select,
    UpdateItemInput,
};
use pdb_model::{AttributeValue, Item};

use crate::harness::{Db, delete, key, put, refused, scan, table, update, values};

/// Checks that a refusal has the envelope in the newer layer only.
#[track_caller]
fn check<T: std::fmt::Debug>(request: impl Fn(&Db) -> Result<T, ItemsError>, text: &str) {
    refused(request(&Db::new()), text);
    let modern =
        Db::with_config(ItemsConfig { message_layer: MessageLayer::Modern2026, ..ItemsConfig::default() });
    refused(request(&modern), &format!("1 validation error detected: {text}"));
}

/// Checks that a refusal reads the same in both layers.
#[track_caller]
fn check_bare<T: std::fmt::Debug>(request: impl Fn(&Db) -> Result<T, ItemsError>, text: &str) {
    for message_layer in [MessageLayer::Classic, MessageLayer::Modern2026] {
        refused(request(&Db::with_config(ItemsConfig { message_layer, ..ItemsConfig::default() })), text);
    }
}

/// A value that lies in this many lists.
fn nested(levels: usize) -> AttributeValue {
    (0..levels).fold("x".into(), |value, _| AttributeValue::L(vec![value]))
}

#[test]
fn stateless_refusals_of_single_writes_have_an_envelope() {
    check(
        |db| db.items.put_item(PutItemInput { return_values: ReturnValues::UpdatedNew, ..put(key("a", 1)) }),
        "ReturnValues can only be ALL_OLD or NONE",
    );
    check(
        |db| {
            let input = DeleteItemInput { return_values: ReturnValues::AllNew, ..delete(key("a", 1)) };
            db.items.delete_item(input)
        },
        "ReturnValues can only be ALL_OLD or NONE",
    );
    check(
        |db| {
            let expected = BTreeMap::from([("x".to_owned(), ExpectedAttributeValue::default())]);
            db.items.put_item(PutItemInput { expected, ..put(key("a", 1)) })
        },
        "One or more parameter values were invalid: Value must be provided when Exists is null for Attribute: x",
    );
    check(
        |db| {
            let input =
                DeleteItemInput { condition_expression: Some("a = :a".to_owned()), ..delete(key("a", 1)) };
            db.items.delete_item(input)
        },
        "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :a",
    );
    check(
        |db| db.items.update_item(update(key("a", 1), "SET x = :v", &[(":v", 1.into()), (":w", 1.into())])),
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
    );
    check(
        |db| db.items.update_item(update(key("a", 1), "SET x = :v", &[(":v", nested(32))])),
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
    );
}

#[test]
fn stateful_refusals_are_bare() {
    check_bare(
        |db| db.items.delete_item(delete(Item::new().with("p", "a"))),
        "The provided key element does not match the schema",
    );
    check_bare(
        |db| db.items.put_item(put(key("a", 1).with("b", AttributeValue::B(vec![0; 409_600])))),
        "Item size has exceeded the maximum allowed size",
    );
    check_bare(
        |db| db.items.update_item(update(key("a", 1), "REMOVE s", &[])),
        "One or more parameter values were invalid: Cannot update attribute s. This attribute is part of the key",
    );
    check_bare(
        |db| {
            db.items.scan(ScanInput {
                filter_expression: Some("a = :a AND".to_owned()),
                expression_attribute_values: values(&[(":a", 1.into())]),
                ..scan()
            })
        },
        "Invalid FilterExpression: Syntax error; token: \"<EOF>\", near: \"AND\"",
    );
}

#[test]
fn a_scan_without_the_projection_it_selects_is_told_so() {
    check(
        |db| db.items.scan(ScanInput { select: Some(Select::SpecificAttributes), ..scan() }),
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    );
}

#[test]
fn items_nest_32_levels() {
    let db = Db::new();
    db.put(key("a", 1).with("x", nested(31)));
    let deep = key("a", 1).with("x", nested(32));
    refused(
        db.items.put_item(put(deep)),
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
    );
    // An update that makes the item too deep is refused when its result is known.
    let input = UpdateItemInput {
        update_expression: Some("SET x[0] = :v".to_owned()),
        expression_attribute_values: values(&[(":v", nested(31))]),
        ..UpdateItemInput::new(table("orders"), key("a", 1))
    };
    refused(
        db.items.update_item(input),
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
    );
}
