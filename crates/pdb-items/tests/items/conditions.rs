//! Conditional writes.

use pdb_items::{
    DeleteItemInput, ItemsError, PutItemInput, ReturnValuesOnConditionCheckFailure, ScanInput,
    UpdateItemInput,
};
use pdb_model::Item;

use crate::harness::{Db, delete, key, numbers, put, refused, scan, table, update, values};

fn failed(error: ItemsError) -> Option<Item> {
    assert_eq!(error.to_string(), "The conditional request failed");
    match error {
        ItemsError::ConditionalCheckFailed { item } => {
            item.map(|item| item.decode().expect("a readable item"))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_false_condition_changes_nothing() {
    let db = Db::new();
    db.put(key("a", 1).with("x", 1));
    let once = PutItemInput {
        condition_expression: Some("attribute_not_exists(p)".to_owned()),
        ..put(key("a", 1).with("x", 2))
    };
    assert_eq!(failed(db.items.put_item(once.clone()).unwrap_err()), None);
    let showing = PutItemInput {
        return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld,
        ..once.clone()
    };
    assert_eq!(failed(db.items.put_item(showing).unwrap_err()), Some(key("a", 1).with("x", 1)));
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1).with("x", 1)));
    assert_eq!(db.db.records().len(), 1);

    let other = PutItemInput { item: key("a", 2), ..once };
    db.items.put_item(other).unwrap();
}

#[test]
fn a_missing_item_is_empty_to_a_condition() {
    let db = Db::new();
    let with = |condition: &str| DeleteItemInput {
        condition_expression: Some(condition.to_owned()),
        return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld,
        ..delete(key("a", 1))
    };
    assert_eq!(failed(db.items.delete_item(with("attribute_exists(p)")).unwrap_err()), None);
    db.items.delete_item(with("attribute_not_exists(p)")).unwrap();
}

#[test]
fn no_size_is_unequal_to_every_value() {
    let db = Db::new();
    db.put(key("a", 1).with("n", 7));
    db.put(key("a", 2).with("n", "seven"));
    db.put(key("a", 3));
    let filter = ScanInput {
        filter_expression: Some("size(n) <> :z".to_owned()),
        expression_attribute_values: values(&[(":z", 5.into())]),
        ..scan()
    };
    let mut found = numbers(db.items.scan(filter).unwrap().items.unwrap().iter(), "s");
    found.sort();
    assert_eq!(found, ["1", "3"]);
    let delete = DeleteItemInput {
        condition_expression: Some("size(n) <> :z".to_owned()),
        expression_attribute_values: values(&[(":z", 1.into())]),
        ..delete(key("a", 1))
    };
    db.items.delete_item(delete).unwrap();
    assert_eq!(db.get(key("a", 1)), None);
}

#[test]
fn the_condition_goes_before_the_update() {
    let db = Db::new();
    db.put(key("a", 1).with("x", 1));
    let input = UpdateItemInput {
        condition_expression: Some("x = :v".to_owned()),
        ..update(key("a", 1), "SET y = nope", &[(":v", 2.into())])
    };
    failed(db.items.update_item(input).unwrap_err());
}

#[test]
fn what_is_wrong_with_a_request_goes_before_its_table() {
    let db = Db::new();
    let nowhere = |condition: &str, with: &[(&str, pdb_model::AttributeValue)]| {
        let input = PutItemInput {
            condition_expression: Some(condition.to_owned()),
            expression_attribute_values: values(with),
            ..PutItemInput::new(table("nowhere"), Item::new())
        };
        db.items.put_item(input)
    };
    refused(nowhere("", &[]), "Invalid ConditionExpression: The expression can not be empty;");
    refused(
        nowhere("a = :a", &[(":a", 1.into()), (":b", 1.into())]),
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}",
    );
    // The key is not looked at before the table.
    assert!(matches!(nowhere("a = :a", &[(":a", 1.into())]), Err(ItemsError::ResourceNotFound(_))));
}
