//! TransactGetItems and TransactWriteItems.

use std::time::Duration;

use pdb_items::{
    ItemsError, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactAction, TransactGet,
    TransactGetItemsInput, TransactWrite, TransactWriteItemsInput, TransactWriteItemsOutput,
};
use pdb_model::{AttributeValue, EventName, Item};

use crate::harness::{Db, key, refused, table, units, values};

fn action(action: TransactAction) -> TransactWrite {
    TransactWrite::new(table("orders"), action)
}

fn put(item: Item) -> TransactWrite {
    action(TransactAction::Put { item })
}

fn delete(key: Item) -> TransactWrite {
    action(TransactAction::Delete { key })
}

fn update(key: Item, expression: &str, with: &[(&str, AttributeValue)]) -> TransactWrite {
    TransactWrite {
        expression_attribute_values: values(with),
        ..action(TransactAction::Update { key, update_expression: expression.to_owned() })
    }
}

fn check_that(key: Item, condition: &str) -> TransactWrite {
    on(action(TransactAction::ConditionCheck { key }), condition)
}

fn on(write: TransactWrite, condition: &str) -> TransactWrite {
    TransactWrite {
        condition_expression: Some(condition.to_owned()),
        return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld,
        ..write
    }
}

fn input(actions: impl IntoIterator<Item = TransactWrite>) -> TransactWriteItemsInput {
    TransactWriteItemsInput {
        transact_items: actions.into_iter().collect(),
        return_consumed_capacity: ReturnConsumedCapacity::Total,
        ..TransactWriteItemsInput::default()
    }
}

/// The reasons of a cancellation, one line each.
#[track_caller]
fn reasons<T: std::fmt::Debug>(result: Result<T, ItemsError>) -> Vec<String> {
    match result.expect_err("the transaction is cancelled") {
        ItemsError::TransactionCanceled(reasons) => reasons
            .into_iter()
            .map(|reason| {
                let item = reason.item.map(|item| format!(" {}", item.json())).unwrap_or_default();
                let message = reason.message.map(|message| format!(": {message}")).unwrap_or_default();
                format!("{}{message}{item}", reason.code)
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_actions_happen_in_their_order() {
    let db = Db::new();
    db.put(key("b", 1).with("x", 1));
    db.put(key("c", 1).with("x", 1));
    let output = db
        .items
        .transact_write_items(input([
            delete(key("c", 1)),
            put(key("a", 1)),
            update(key("b", 1), "ADD x :v", &[(":v", 1.into())]),
            update(key("b", 2), "REMOVE x", &[]),
            check_that(key("z", 1), "attribute_not_exists(p)"),
        ]))
        .unwrap();
    assert_eq!(units(output.consumed_capacity.into_iter().next()), "10.0");
    assert_eq!(db.get(key("b", 1)), Some(key("b", 1).with("x", 2)));
    let events: Vec<_> = db.db.records()[2..].iter().map(|record| record.event_name).collect();
    assert_eq!(events, [EventName::Remove, EventName::Insert, EventName::Modify]);
}

#[test]
fn an_update_that_creates_sees_the_key() {
    let db = Db::new();
    db.items
        .transact_write_items(input([
            update(key("a", 7), "SET x = if_not_exists(s, :v), y = p", &[(":v", 0.into())]),
            on(update(key("b", 8), "SET x = s - :v", &[(":v", 1.into())]), "attribute_not_exists(p)"),
        ]))
        .unwrap();
    assert_eq!(db.get(key("a", 7)), Some(key("a", 7).with("x", 7).with("y", "a")));
    assert_eq!(db.get(key("b", 8)), Some(key("b", 8).with("x", 7)));
    let result = db.items.transact_write_items(input([
        on(update(key("c", 1), "SET x = p", &[]), "attribute_exists(s)"),
        update(key("d", 1), "SET x = p", &[]),
    ]));
    assert_eq!(reasons(result), ["ConditionalCheckFailed: The conditional request failed", "None"]);
    assert_eq!((db.get(key("c", 1)), db.get(key("d", 1))), (None, None));
}

#[test]
fn a_cancelled_transaction_changes_nothing() {
    let db = Db::new();
    db.put(key("b", 1).with("x", 1));
    let (items, records) = (db.db.items(), db.db.records());
    let result = db.items.transact_write_items(input([
        put(key("a", 1)),
        on(delete(key("b", 1)), "x = y"),
        check_that(key("z", 1), "attribute_exists(p)"),
    ]));
    assert_eq!(
        result.as_ref().unwrap_err().to_string(),
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, \
         ConditionalCheckFailed]"
    );
    assert_eq!(
        reasons(result),
        [
            "None",
            r#"ConditionalCheckFailed: The conditional request failed {"p":{"S":"b"},"s":{"N":"1"},"x":{"N":"1"}}"#,
            "ConditionalCheckFailed: The conditional request failed",
        ]
    );
    assert_eq!((db.db.items(), db.db.records()), (items, records));
}

#[test]
fn of_faults_only_the_first_is_told() {
    let db = Db::new();
    db.put(key("b", 1).with("x", "text").with("n", 1).with("big", AttributeValue::B(vec![0; 400_000])));
    let check = |write: TransactWrite, text: &str| {
        let second = update(key("c", 1), "SET y = nope", &[]);
        let result = db.items.transact_write_items(input([put(key("a", 1)), write, second]));
        assert_eq!(
            reasons(result),
            ["None".to_owned(), format!("ValidationError: {text}"), "None".to_owned()]
        );
    };
    check(
        put(Item::new().with("p", 1).with("s", 1)),
        "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N",
    );
    check(delete(Item::new().with("p", "a")), "The provided key element does not match the schema");
    check(
        put(key("d", 1).with("g", 1)),
        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all",
    );
    check(
        update(key("b", 1), "ADD x :v", &[(":v", 1.into())]),
        "An operand in the update expression has an incorrect data type",
    );
    check(
        update(key("b", 1), "SET y = nope", &[]),
        "The provided expression refers to an attribute that does not exist in the item",
    );
    check(
        update(key("b", 1), "SET q.r = :v", &[(":v", 1.into())]),
        "The document path provided in the update expression is invalid for update",
    );
    check(
        update(key("b", 1), "SET q = :v", &[(":v", AttributeValue::B(vec![0; 20_000]))]),
        "Item size to update has exceeded the maximum allowed size",
    );
    check(
        update(key("b", 1), "ADD n :v", &[(":v", AttributeValue::N("1e125".parse().unwrap()))]),
        "Number overflow. Attempting to store a number with magnitude larger than supported range",
    );
}

#[test]
fn some_faults_refuse_the_whole_request() {
    let db = Db::new();
    let check = |actions: Vec<TransactWrite>, text: &str| {
        refused(db.items.transact_write_items(input(actions)), text);
    };
    let empty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
                 empty string value. Key: p";
    check(vec![put(Item::new().with("p", "").with("s", 1))], empty);
    // Also beside an action that would cancel.
    check(vec![delete(Item::new().with("p", "a")), delete(key("", 1))], empty);
    check(
        vec![put(key("a", 1).with("b", AttributeValue::B(vec![0; 409_600])))],
        "Item size has exceeded the maximum allowed size",
    );
    check(
        vec![put(key("a", 1)), check_that(key("a", 1), "attribute_exists(p)")],
        "Transaction request cannot include multiple operations on one item",
    );
    check(vec![on(put(key("a", 1)), "")], "Invalid ConditionExpression: The expression can not be empty;");
    check(
        vec![update(key("a", 1), "SET x = :v", &[(":v", 1.into()), (":w", 1.into())])],
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
    );
    let large: Vec<_> =
        (0..11).map(|s| put(key("a", s).with("b", AttributeValue::B(vec![0; 400_000])))).collect();
    let error = db.items.transact_write_items(input(large)).unwrap_err().to_string();
    assert!(error.contains("size cannot exceed"), "{error}");
    let missing = TransactWrite { table_name: table("nowhere"), ..put(key("a", 1)) };
    let result = db.items.transact_write_items(input([put(key("a", 1)), missing]));
    assert!(matches!(result, Err(ItemsError::ResourceNotFound(_))));
    assert!(db.db.items().is_empty());
}

#[test]
fn a_token_makes_a_repetition_harmless() {
    let db = Db::new();
    let request = |value: i64| TransactWriteItemsInput {
        client_request_token: Some("token".to_owned()),
        ..input([update(key("a", 1), "ADD n :v", &[(":v", value.into())])])
    };
    let send = |value| db.items.transact_write_items(request(value));
    let side = |output: TransactWriteItemsOutput| {
        let total = output.consumed_capacity[0].total;
        (total.read_capacity_units, total.write_capacity_units).map_to_text()
    };
    assert_eq!(side(send(1).unwrap()), "write 2.0");
    assert_eq!(side(send(1).unwrap()), "read 2.0");
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1).with("n", 1)));
    let other = send(2).unwrap_err();
    assert!(matches!(other, ItemsError::IdempotentParameterMismatch));
    assert_eq!(other.to_string(), "The client request token was reused with different parameters");
    assert_eq!(db.db.records().len(), 1);

    db.db.clock.advance(Duration::from_secs(601));
    assert_eq!(side(send(1).unwrap()), "write 2.0");
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1).with("n", 2)));
}

#[test]
fn a_cancelled_transaction_does_not_use_its_token_up() {
    let db = Db::new();
    let request = || TransactWriteItemsInput {
        client_request_token: Some("token".to_owned()),
        ..input([put(key("a", 1)), check_that(key("b", 1), "attribute_exists(p)")])
    };
    reasons(db.items.transact_write_items(request()));
    db.put(key("b", 1));
    db.items.transact_write_items(request()).unwrap();
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1)));
}

fn get(key: Item) -> TransactGet {
    TransactGet {
        table_name: table("orders"),
        key,
        projection_expression: None,
        expression_attribute_names: Default::default(),
    }
}

fn gets(gets: impl IntoIterator<Item = TransactGet>) -> TransactGetItemsInput {
    TransactGetItemsInput {
        transact_items: gets.into_iter().collect(),
        return_consumed_capacity: ReturnConsumedCapacity::Total,
    }
}

#[test]
fn reads_answer_in_the_order_of_the_request() {
    let db = Db::new();
    db.fill("a", 2);
    let projected = TransactGet { projection_expression: Some("x".to_owned()), ..get(key("a", 2)) };
    let output = db.items.transact_get_items(gets([projected, get(key("a", 9)), get(key("a", 1))])).unwrap();
    let found: Vec<_> =
        output.responses.iter().map(|item| item.as_ref().map_or("-", |item| item.json())).collect();
    assert_eq!(found, [r#"{"x":{"N":"2"}}"#, "-", r#"{"p":{"S":"a"},"s":{"N":"1"},"x":{"N":"1"}}"#]);
    assert_eq!(units(output.consumed_capacity.into_iter().next()), "6.0");
}

#[test]
fn reads_are_cancelled_by_keys_and_refused_for_the_rest() {
    let db = Db::new();
    let result = db.items.transact_get_items(gets([get(key("a", 1)), get(Item::new().with("p", "a"))]));
    assert_eq!(
        reasons(result),
        ["None", "ValidationError: The provided key element does not match the schema"]
    );
    refused(
        db.items.transact_get_items(gets([get(Item::new().with("p", "a")), get(key("", 1))])),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
         string value. Key: p",
    );
    refused(
        db.items.transact_get_items(gets([get(key("a", 1)), get(key("a", 1))])),
        "Transaction request cannot include multiple operations on one item",
    );
    let bad = TransactGet { projection_expression: Some("a, a".to_owned()), ..get(key("a", 1)) };
    refused(
        db.items.transact_get_items(gets([bad])),
        "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these \
         paths; path one: [a], path two: [a]",
    );
}

/// Read and write units as text.
trait SideText {
    fn map_to_text(self) -> String;
}

impl SideText for (Option<pdb_items::CapacityUnits>, Option<pdb_items::CapacityUnits>) {
    fn map_to_text(self) -> String {
        match self {
            (Some(read), None) => format!("read {read}"),
            (None, Some(write)) => format!("write {write}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Large items are not all kept in memory between the conditions and the writes; nothing else may differ.
#[test]
fn many_large_items_change_together() {
    let db = Db::new();
    let large = || AttributeValue::from("x".repeat(300_000));
    for s in 1..=20 {
        db.put(key("large", s).with("x", s).with("text", large()));
    }
    let updates = |failing: i64| {
        (1..=20).map(move |s| {
            let write = update(key("large", s), "ADD x :one", &[(":one", 1.into())]);
            let condition = if s == failing { "attribute_not_exists(x)" } else { "attribute_exists(x)" };
            TransactWrite { condition_expression: Some(condition.to_owned()), ..write }
        })
    };
    let refusal = db.items.transact_write_items(input(updates(19)));
    assert_eq!(reasons(refusal)[18], "ConditionalCheckFailed: The conditional request failed");
    assert_eq!(db.get(key("large", 1)).unwrap()["x"], 1.into());
    db.items.transact_write_items(input(updates(0))).unwrap();
    for s in 1..=20 {
        let expected = key("large", s).with("x", s + 1).with("text", large());
        assert_eq!(db.get(key("large", s)), Some(expected));
    }
}
