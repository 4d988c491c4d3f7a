//! Answers whose items are short to count and long to write.

use std::collections::BTreeMap;

use pdb_items::partiql::{
    BatchExecuteStatementInput, BatchStatement, ExecuteTransactionInput, ParameterizedStatement,
};
use pdb_items::{
    BatchGetItemInput, GetItemInput, ItemsError, KeysAndAttributes, PutItemInput, TransactGet,
    TransactGetItemsInput,
};
use pdb_model::{AttributeValue, EncodedItem, Item};

use crate::harness::{Db, table};

/// An item of 400 KB that has 2.7 MB of JSON.
fn nulls(p: usize) -> Item {
    Item::new().with("p", key_text(p)).with("n", AttributeValue::L(vec![AttributeValue::Null; 200_000]))
}

fn key_text(p: usize) -> String {
    format!("{p:03}")
}

/// A database with so many of these items in `plain`.
fn filled(count: usize) -> (Db, usize) {
    let db = Db::new();
    for p in 0..count {
        db.items.put_item(PutItemInput::new(table("plain"), nulls(p))).expect("the item is put");
    }
    let item_bytes = EncodedItem::from(&nulls(0)).json().len();
    assert!(item_bytes > 2_700_000);
    (db, item_bytes)
}

fn key(p: usize) -> Item {
    Item::new().with("p", key_text(p))
}

const MOST: usize = 20 * 1024 * 1024;

#[test]
fn a_batch_of_reads_ends_where_its_json_is_too_long() {
    let (db, item_bytes) = filled(12);
    let mut keys: Vec<Item> = (0..12).map(key).collect();
    let mut pages = Vec::new();
    while !keys.is_empty() {
        let request = KeysAndAttributes { keys, ..KeysAndAttributes::default() };
        let request_items = BTreeMap::from([(table("plain"), request)]);
        let mut output = db
            .items
            .batch_get_item(BatchGetItemInput { request_items, ..BatchGetItemInput::default() })
            .unwrap();
        let items = &output.responses[&table("plain")];
        assert!(items.json().len() <= MOST);
        pages.push(items.len());
        keys = output.unprocessed_keys.remove(&table("plain")).map_or(Vec::new(), |rest| rest.keys);
    }
    assert_eq!(pages, [MOST / item_bytes, 12 - MOST / item_bytes]);
}

fn get(p: usize) -> TransactGet {
    TransactGet {
        table_name: table("plain"),
        key: key(p),
        projection_expression: None,
        expression_attribute_names: BTreeMap::new(),
    }
}

#[test]
fn a_transaction_of_reads_is_refused_where_its_json_is_too_long() {
    let (db, item_bytes) = filled(8);
    let read = |count: usize| {
        let transact_items = (0..count).map(get).collect();
        db.items.transact_get_items(TransactGetItemsInput { transact_items, ..Default::default() })
    };
    assert_eq!(read(MOST / item_bytes).unwrap().responses.len(), MOST / item_bytes);
    check_too_large(read(MOST / item_bytes + 1).unwrap_err());

    let read = |count: usize| {
        let transact_statements = (0..count)
            .map(|p| ParameterizedStatement {
                statement: format!("SELECT * FROM plain WHERE p = '{}'", key_text(p)),
                ..ParameterizedStatement::default()
            })
            .collect();
        db.items.execute_transaction(ExecuteTransactionInput {
            transact_statements,
            ..ExecuteTransactionInput::default()
        })
    };
    assert_eq!(read(MOST / item_bytes).unwrap().responses.len(), MOST / item_bytes);
    check_too_large(read(MOST / item_bytes + 1).unwrap_err());
}

#[track_caller]
fn check_too_large(error: ItemsError) {
    let text = "Transaction response size cannot exceed 4194304 bytes";
    assert_eq!(error.to_string(), text);
    assert!(matches!(error, ItemsError::Validation(_)));
}

/// AWS allows a transaction 4 MB of items, also one of statements.
#[test]
fn a_transaction_of_statements_reads_4_mb_at_most() {
    let db = Db::new();
    let item = |p| key(p).with("x", "x".repeat(400_000));
    for p in 0..11 {
        db.items.put_item(PutItemInput::new(table("plain"), item(p))).unwrap();
    }
    let statement = |p| ParameterizedStatement {
        statement: format!("SELECT * FROM plain WHERE p = '{}'", key_text(p)),
        ..ParameterizedStatement::default()
    };
    let transact_statements = (0..11).map(statement).collect();
    let input = ExecuteTransactionInput { transact_statements, ..ExecuteTransactionInput::default() };
    check_too_large(db.items.execute_transaction(input).unwrap_err());
}

#[test]
fn statements_of_a_batch_are_left_over_where_its_json_is_too_long() {
    let (db, item_bytes) = filled(10);
    let run = |statement: &dyn Fn(usize) -> String| {
        let statements = (0..10)
            .map(|p| BatchStatement { statement: statement(p), ..BatchStatement::default() })
            .collect();
        let input = BatchExecuteStatementInput { statements, ..BatchExecuteStatementInput::default() };
        let responses = db.items.batch_execute_statement(input).unwrap().responses;
        let done = responses.iter().filter(|response| response.item.is_some()).count();
        assert_eq!(done, MOST / item_bytes + 1);
        // Which ones are left over depends on the database: on PostgreSQL writes go in the order of their keys.
        for response in responses.iter().filter(|response| response.item.is_none()) {
            let error = response.error.as_ref().expect("no room for this one");
            assert_eq!(error.code, "RequestLimitExceeded");
            assert!(error.message.contains("exceed 20 MiB of JSON"), "{}", error.message);
        }
        done
    };
    run(&|p| format!("SELECT * FROM plain WHERE p = '{}'", key_text(p)));
    // What is not told is not done.
    let done = run(&|p| format!("DELETE FROM plain WHERE p = '{}' RETURNING ALL OLD *", key_text(p)));
    let left = (0..10).filter(|&p| exists(&db, p)).count();
    assert_eq!(left, 10 - done);
}

fn exists(db: &Db, p: usize) -> bool {
    db.items.get_item(GetItemInput::new(table("plain"), key(p))).expect("the item is read").item.is_some()
}
