//! Parameters of the API before it had expressions.

use std::collections::BTreeMap;

use pdb_items::legacy::{
    AttributeAction, AttributeValueUpdate, ComparisonOperator, Condition, ConditionalOperator,
    ExpectedAttributeValue,
};
use pdb_items::{
    GetItemInput, ItemsError, PutItemInput, QueryInput, ReturnValues, ScanInput, Select, UpdateItemInput,
};
use pdb_model::{AttributeValue, Item};

use crate::harness::{Db, key, list, numbers, put, query, refused, scan, ss, table};

fn condition(operator: ComparisonOperator, values: &[AttributeValue]) -> Condition {
    Condition { comparison_operator: operator, attribute_value_list: values.to_vec() }
}

fn conditions<const COUNT: usize>(conditions: [(&str, Condition); COUNT]) -> BTreeMap<String, Condition> {
    conditions.into_iter().map(|(attribute, condition)| (attribute.to_owned(), condition)).collect()
}

#[test]
fn expected_is_a_condition() {
    let db = Db::new();
    db.put(key("a", 1).with("x", 1));
    let expecting = |expected: ExpectedAttributeValue| PutItemInput {
        expected: BTreeMap::from([("x".to_owned(), expected)]),
        ..put(key("a", 1).with("x", 2))
    };
    let absent = ExpectedAttributeValue { exists: Some(false), ..ExpectedAttributeValue::default() };
    let result = db.items.put_item(expecting(absent));
    assert!(matches!(result, Err(ItemsError::ConditionalCheckFailed { item: None })));
    let one = ExpectedAttributeValue { value: Some(1.into()), ..ExpectedAttributeValue::default() };
    db.items.put_item(expecting(one)).unwrap();
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1).with("x", 2)));
    refused(
        db.items.put_item(expecting(ExpectedAttributeValue::default())),
        "One or more parameter values were invalid: Value must be provided when Exists is null for Attribute: x",
    );
}

#[test]
fn key_conditions_and_filters_select() {
    let db = Db::new();
    db.fill("a", 6);
    let input = QueryInput {
        key_condition_expression: None,
        key_conditions: Some(conditions([
            ("p", condition(ComparisonOperator::Eq, &["a".into()])),
            ("s", condition(ComparisonOperator::Between, &[2.into(), 5.into()])),
        ])),
        query_filter: conditions([
            ("x", condition(ComparisonOperator::Lt, &[3.into()])),
            ("y", condition(ComparisonOperator::NotNull, &[])),
        ]),
        conditional_operator: ConditionalOperator::Or,
        attributes_to_get: vec!["s".to_owned()],
        ..query("", &[])
    };
    let output = db.items.query(input.clone()).unwrap();
    assert_eq!(output.items.unwrap().json(), r#"{"s":{"N":"2"}}"#);
    assert_eq!(output.scanned_count, 4);

    refused(
        db.items.query(QueryInput {
            key_conditions: Some(conditions([
                ("p", condition(ComparisonOperator::Eq, &["a".into()])),
                ("s", condition(ComparisonOperator::Contains, &[1.into()])),
            ])),
            ..input.clone()
        }),
        "Attempted conditional constraint is not an indexable operation",
    );
    refused(
        db.items.query(QueryInput {
            query_filter: conditions([("s", condition(ComparisonOperator::Lt, &[3.into()]))]),
            ..input.clone()
        }),
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: s",
    );
    refused(
        db.items
            .query(QueryInput { attributes_to_get: vec!["x".to_owned(), "x".to_owned()], ..input.clone() }),
        "One or more parameter values were invalid: Duplicate value in attribute name: x",
    );
    refused(
        db.items.query(QueryInput { select: Some(Select::AllAttributes), ..input }),
        "1 validation error detected: Cannot specify the AttributesToGet when choosing to get ALL_ATTRIBUTES",
    );
}

#[test]
fn scan_filters_select() {
    let db = Db::new();
    db.fill("a", 6);
    let input = ScanInput {
        scan_filter: conditions([("x", condition(ComparisonOperator::In, &[2.into(), 4.into()]))]),
        ..scan()
    };
    assert_eq!(numbers(db.items.scan(input).unwrap().items.unwrap().iter(), "x"), ["2", "4"]);
}

#[test]
fn attributes_to_get_take_names_as_they_are() {
    let db = Db::new();
    db.put(key("a", 1).with("x.y", 1));
    let input = GetItemInput {
        attributes_to_get: vec!["x.y".to_owned(), "q".to_owned()],
        ..GetItemInput::new(table("orders"), key("a", 1))
    };
    assert_eq!(db.items.get_item(input).unwrap().item.unwrap().json(), r#"{"x.y":{"N":"1"}}"#);
}

fn updates<const COUNT: usize>(
    updates: [(&str, AttributeAction, Option<AttributeValue>); COUNT],
) -> UpdateItemInput {
    UpdateItemInput {
        attribute_updates: updates
            .into_iter()
            .map(|(attribute, action, value)| (attribute.to_owned(), AttributeValueUpdate { action, value }))
            .collect(),
        return_values: ReturnValues::UpdatedNew,
        ..UpdateItemInput::new(table("orders"), key("a", 1))
    }
}

#[test]
fn attribute_updates_change_whole_attributes() {
    let db = Db::new();
    db.put(key("a", 1).with("n", 1).with("t", ss(&["a", "b"])).with("q", 1).with("w", list([1.into()])));
    let output = db
        .items
        .update_item(updates([
            ("n", AttributeAction::Add, Some(2.into())),
            ("t", AttributeAction::Delete, Some(ss(&["a"]))),
            ("q", AttributeAction::Delete, None),
            ("w", AttributeAction::Add, Some(list([2.into()]))),
            ("z.z", AttributeAction::Put, Some("v".into())),
        ]))
        .unwrap();
    let expected =
        Item::new().with("n", 3).with("t", ss(&["b"])).with("w", list([1.into(), 2.into()])).with("z.z", "v");
    assert_eq!(output.attributes.unwrap().decode().unwrap(), expected);

    refused(
        db.items.update_item(updates([("n", AttributeAction::Add, Some(ss(&["a"])))])),
        "Type mismatch for attribute to update",
    );
    refused(
        db.items.update_item(updates([("s", AttributeAction::Put, Some(1.into()))])),
        "One or more parameter values were invalid: Cannot update attribute s. This attribute is part of the key",
    );
    refused(
        db.items.update_item(updates([("n", AttributeAction::Put, None)])),
        "One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified",
    );
}

#[test]
fn attribute_updates_that_only_delete_create_nothing() {
    let db = Db::new();
    db.items.update_item(updates([("n", AttributeAction::Delete, None)])).unwrap();
    assert_eq!(db.get(key("a", 1)), None);
    db.items.update_item(updates([])).unwrap();
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1)));
}

#[test]
fn not_contains_is_true_of_values_of_other_types() {
    let db = Db::new();
    let values: [AttributeValue; 4] = ["hello".into(), 5.into(), ss(&["5"]), list([5.into()])];
    for (s, value) in values.into_iter().enumerate() {
        db.put(key("a", s as i64).with("x", value));
    }
    db.put(key("a", 9));
    let filter = conditions([("x", condition(ComparisonOperator::NotContains, &[5.into()]))]);
    let scanned = db.items.scan(ScanInput { scan_filter: filter.clone(), ..scan() }).unwrap();
    let mut found = numbers(scanned.items.unwrap().iter(), "s");
    found.sort();
    assert_eq!(found, ["0", "1", "2"]);
    let queried = db
        .items
        .query(QueryInput { query_filter: filter, ..query("p = :p", &[(":p", "a".into())]) })
        .unwrap();
    assert_eq!(numbers(queried.items.unwrap().iter(), "s"), ["0", "1", "2"]);
    let expecting = |s: i64| PutItemInput {
        expected: BTreeMap::from([(
            "x".to_owned(),
            ExpectedAttributeValue {
                comparison_operator: Some(ComparisonOperator::NotContains),
                attribute_value_list: Some(vec![5.into()]),
                ..ExpectedAttributeValue::default()
            },
        )]),
        ..put(key("a", s))
    };
    db.items.put_item(expecting(0)).unwrap();
    for s in [3, 9, 77] {
        let result = db.items.put_item(expecting(s));
        assert!(matches!(result, Err(ItemsError::ConditionalCheckFailed { .. })), "{s}");
    }
}
