//! ExecuteStatement, BatchExecuteStatement and ExecuteTransaction.

use pdb_items::partiql::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput, BatchStatement, ExecuteStatementInput,
    ExecuteStatementOutput, ExecuteTransactionInput, ExecuteTransactionOutput, ParameterizedStatement,
};
use pdb_items::{ItemsError, PutItemInput, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use pdb_model::{AttributeValue, EventName, Item};

use crate::harness::{Db, key, map, refused, ss, table, units};

fn statement(text: &str, parameters: &[AttributeValue]) -> ExecuteStatementInput {
    ExecuteStatementInput {
        statement: text.to_owned(),
        parameters: parameters.to_vec(),
        return_consumed_capacity: ReturnConsumedCapacity::Indexes,
        ..ExecuteStatementInput::default()
    }
}

impl Db {
    fn execute(&self, text: &str) -> Result<ExecuteStatementOutput, ItemsError> {
        self.items.execute_statement(statement(text, &[]))
    }

    fn batch(&self, statements: &[&str]) -> Result<BatchExecuteStatementOutput, ItemsError> {
        self.items.batch_execute_statement(BatchExecuteStatementInput {
            statements: statements
                .iter()
                .map(|text| BatchStatement { statement: (*text).to_owned(), ..BatchStatement::default() })
                .collect(),
            return_consumed_capacity: ReturnConsumedCapacity::Total,
        })
    }

    fn transaction(&self, statements: &[&str]) -> Result<ExecuteTransactionOutput, ItemsError> {
        self.items.execute_transaction(transaction(statements))
    }
}

fn transaction(statements: &[&str]) -> ExecuteTransactionInput {
    ExecuteTransactionInput {
        transact_statements: statements
            .iter()
            .map(|text| ParameterizedStatement {
                statement: (*text).to_owned(),
                ..ParameterizedStatement::default()
            })
            .collect(),
        return_consumed_capacity: ReturnConsumedCapacity::Total,
        ..ExecuteTransactionInput::default()
    }
}

/// Three items of `a` in `by-l`, `by-g` and `all`, and one of `b`.
fn filled() -> Db {
    let db = Db::new();
    for s in 1..=3 {
        let item =
            key("a", s).with("l", format!("l{s}")).with("g", "g").with("h", 10 - s).with("x", s).with("y", s);
        db.put(item.with("m", map(&[("k", s.into())])));
    }
    db.put(key("b", 1).with("x", 9));
    db
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let output = filled().execute(text).expect("the statement succeeds");
    assert_eq!(output.items.json(), expected);
    assert_eq!(output.next_token, None);
}

#[test]
fn select_reads_ranges_of_partitions() {
    check(r#"SELECT s FROM "orders" WHERE p = 'a'"#, r#"{"s":{"N":"1"}},{"s":{"N":"2"}},{"s":{"N":"3"}}"#);
    check("SELECT s FROM orders WHERE p = 'a' AND s > 1", r#"{"s":{"N":"2"}},{"s":{"N":"3"}}"#);
    check("SELECT s FROM orders WHERE p = 'a' AND s = 2 AND x = 3", "");
    check(
        "SELECT s, p FROM orders WHERE p IN ['b', 'a'] AND s = 1",
        concat!(r#"{"p":{"S":"b"},"s":{"N":"1"}},"#, r#"{"p":{"S":"a"},"s":{"N":"1"}}"#),
    );
    check("SELECT m.k FROM orders WHERE p = 'a' AND s = 3", r#"{"k":{"N":"3"}}"#);
    check(
        "SELECT s FROM orders WHERE p = 'a' ORDER BY s DESC",
        r#"{"s":{"N":"3"}},{"s":{"N":"2"}},{"s":{"N":"1"}}"#,
    );
    check("SELECT s FROM orders WHERE p = 'a' AND p = 'b'", "");
    check("SELECT x FROM orders WHERE x = 9", r#"{"x":{"N":"9"}}"#);
    check(
        "SELECT x FROM orders WHERE (p = 'a' AND s = 1) OR (p = 'a' AND s = 3)",
        r#"{"x":{"N":"1"}},{"x":{"N":"3"}}"#,
    );
    check("SELECT * FROM orders WHERE p = 'b'", r#"{"p":{"S":"b"},"s":{"N":"1"},"x":{"N":"9"}}"#);
    check("SELECT * FROM orders WHERE p = 'nobody'", "");
}

#[test]
fn select_reads_indexes() {
    check(
        r#"SELECT * FROM "orders"."by-l" WHERE p = 'a' AND l >= 'l3'"#,
        r#"{"l":{"S":"l3"},"p":{"S":"a"},"s":{"N":"3"}}"#,
    );
    check(
        r#"SELECT s FROM "orders"."by-g" WHERE g = 'g'"#,
        r#"{"s":{"N":"3"}},{"s":{"N":"2"}},{"s":{"N":"1"}}"#,
    );
    // A local index is completed from the table.
    check(r#"SELECT y FROM "orders"."by-l" WHERE p = 'a' AND l = 'l2'"#, r#"{"y":{"N":"2"}}"#);
    // Without a key condition what an index lacks is missing in every row.
    check(r#"SELECT s FROM "orders"."by-g" WHERE y = 1"#, "");
    check(r#"SELECT s FROM "orders"."by-g" WHERE y IS MISSING AND x = 1"#, r#"{"s":{"N":"1"}}"#);
    let db = filled();
    let check = |text: &str, expected: &str| refused(db.execute(text), expected);
    check(r#"SELECT * FROM "orders"."nope""#, "The table does not have the specified index");
    check(r#"SELECT * FROM "orders"."orders""#, "The table does not have the specified index");
    check(
        r#"SELECT y FROM "orders"."by-g" WHERE g = 'g'"#,
        "One or more parameter values were invalid: Global secondary index by-g does not project [y]",
    );
    check(
        r#"SELECT s FROM "orders"."by-g" WHERE g = 'g' AND y = 1"#,
        "One or more parameter values were invalid: Secondary index by-g does not project one or more filter attributes: [y]",
    );
    check(
        r#"SELECT s FROM "orders"."by-l" WHERE p IN ['a'] AND y = 1"#,
        "One or more parameter values were invalid: Secondary index by-l does not project one or more filter attributes: [y]",
    );
    for text in [
        r#"SELECT * FROM "orders"."many" WHERE g = 'g'"#,
        r#"SELECT COUNT(*) FROM "orders"."many""#,
        r#"SELECT s, count(*) FROM "orders"."many" WHERE g = 'g' AND g2 = 'k'"#,
    ] {
        check(
            text,
            "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys.",
        );
    }
    check(r#"SELECT COUNT(*) FROM "orders"."nope""#, "The table does not have the specified index");
    for source in [r#""orders"."by-g""#, r#""orders""#, r#""none""#] {
        check(&format!("SELECT COUNT(*) FROM {source}"), "Unexpected path component at 1:8:5");
    }
    let consistent = ExecuteStatementInput {
        consistent_read: true,
        ..statement(r#"SELECT * FROM "orders"."by-g" WHERE g = 'g'"#, &[])
    };
    refused(
        db.items.execute_statement(consistent),
        "Strongly consistent read is not supported on Global Secondary Indexes",
    );
}

#[test]
fn pages_go_on_where_they_stopped() {
    let db = Db::new();
    for p in ["a", "b", "c"] {
        db.fill(p, 4);
    }
    for text in [
        "SELECT * FROM orders",
        "SELECT * FROM orders WHERE p = 'a'",
        "SELECT * FROM orders WHERE p IN ['c', 'a'] AND x <> 2",
        "SELECT * FROM orders WHERE p IN ['c', 'a'] AND s = 2",
        "SELECT * FROM orders WHERE p = 'a' ORDER BY s DESC",
        "SELECT * FROM orders WHERE (p = 'a' AND s < 2) OR (p = 'a' AND s > 3)",
    ] {
        let whole = db.execute(text).unwrap().items;
        for limit in 1..6 {
            let mut found = Vec::new();
            let mut next_token = None;
            loop {
                let page = ExecuteStatementInput { limit: Some(limit), next_token, ..statement(text, &[]) };
                let page = db.items.execute_statement(page).unwrap();
                assert!(page.items.len() <= limit as usize);
                found.extend(page.items.iter());
                assert_eq!(page.next_token.is_some(), page.last_evaluated_key.is_some());
                next_token = page.next_token;
                if next_token.is_none() {
                    break;
                }
            }
            assert_eq!(found, whole.iter().collect::<Vec<_>>(), "{text} by {limit}");
        }
    }
    let token = db
        .items
        .execute_statement(ExecuteStatementInput { limit: Some(1), ..statement("SELECT * FROM orders", &[]) })
        .unwrap()
        .next_token;
    refused(
        db.items.execute_statement(ExecuteStatementInput {
            next_token: token,
            ..statement(r#"SELECT * FROM "orders"."by-l""#, &[])
        }),
        "The provided NextToken is invalid for this statement",
    );
}

#[test]
fn order_by_needs_a_partition() {
    let db = filled();
    let check = |text: &str, expected: &str| refused(db.execute(text), expected);
    check(
        "SELECT * FROM orders ORDER BY s",
        "Must have WHERE clause in the statement when using ORDER BY clause.",
    );
    check(
        "SELECT * FROM orders WHERE x = 1 ORDER BY s",
        "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
    );
    check(
        "SELECT * FROM orders WHERE p = 'a' ORDER BY x",
        "Variable reference x in ORDER BY clause must be part of the primary key",
    );
}

#[test]
fn statements_write_and_are_captured() {
    let db = Db::new();
    let run = |text: &str| db.execute(text).unwrap();
    let inserted = run("INSERT INTO orders VALUE {'p': 'a', 's': 1, 'x': 1, 't': <<'b', 'a'>>}");
    assert_eq!(inserted.items.len(), 0);
    assert_eq!(units(inserted.consumed_capacity), "1.0 table 1.0");
    assert_eq!(db.get(key("a", 1)), Some(key("a", 1).with("x", 1).with("t", ss(&["a", "b"]))));
    let all_new =
        run("UPDATE orders SET x = x + 1 SET y = 'n' REMOVE t WHERE p = 'a' AND s = 1 RETURNING ALL NEW *");
    assert_eq!(all_new.items.json(), key("a", 1).with("x", 2).with("y", "n").to_string());
    let modified =
        run("UPDATE orders SET x = 5 WHERE p = 'a' AND s = 1 AND y = 'n' RETURNING MODIFIED OLD *");
    assert_eq!(modified.items.json(), r#"{"x":{"N":"2"}}"#);
    let nothing = run("UPDATE orders REMOVE y WHERE p = 'a' AND s = 1 RETURNING MODIFIED NEW *");
    assert_eq!(nothing.items.len(), 0);
    let deleted = run("DELETE FROM orders WHERE p = 'a' AND s = 1 RETURNING ALL OLD *");
    assert_eq!(deleted.items.json(), key("a", 1).with("x", 5).to_string());
    // Nothing to delete: no error and no event, whatever the condition.
    run("DELETE FROM orders WHERE p = 'a' AND s = 1 AND x = 7");
    let events: Vec<_> = db.db.records().iter().map(|record| record.event_name).collect();
    use EventName::{Insert, Modify, Remove};
    assert_eq!(events, [Insert, Modify, Modify, Modify, Remove]);
}

#[test]
fn parameters_stand_for_question_marks() {
    let db = filled();
    let run = |text: &str, parameters: &[AttributeValue]| {
        db.items.execute_statement(statement(text, parameters)).unwrap()
    };
    run("INSERT INTO orders VALUE {'p': ?, 's': ?}", &["z".into(), 7.into()]);
    let found = run("SELECT * FROM orders WHERE p = ? AND s = ?", &["z".into(), 7.into()]);
    assert_eq!(found.items.json(), key("z", 7).to_string());
}

#[test]
fn writes_fail_as_dynamodb_says() {
    let db = filled();
    let duplicate = db.execute("INSERT INTO orders VALUE {'p': 'a', 's': 1}").unwrap_err();
    assert!(matches!(duplicate, ItemsError::DuplicateItem));
    assert_eq!(duplicate.to_string(), "Duplicate primary key exists in table");
    for text in [
        // An item that is not there is not created.
        "UPDATE orders SET x = 1 WHERE p = 'nobody' AND s = 1",
        "UPDATE orders SET x = 1 WHERE p = 'a' AND s = 1 AND x = 7",
        "DELETE FROM orders WHERE p = 'a' AND s = 1 AND x = 7",
    ] {
        assert!(matches!(db.execute(text), Err(ItemsError::ConditionalCheckFailed { item: None })), "{text}");
    }
    let showing = ExecuteStatementInput {
        return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::AllOld,
        ..statement("UPDATE orders SET x = 1 WHERE p = 'b' AND s = 1 AND x = 7", &[])
    };
    match db.items.execute_statement(showing) {
        Err(ItemsError::ConditionalCheckFailed { item: Some(item) }) => {
            assert_eq!(item.decode().unwrap(), key("b", 1).with("x", 9));
        }
        other => panic!("{other:?}"),
    }
    let check = |text: &str, expected: &str| refused(db.execute(text), expected);
    check(
        "UPDATE orders SET x = 1 WHERE p = 'a'",
        "Where clause does not contain a mandatory equality on all key attributes",
    );
    check(
        "DELETE FROM orders WHERE p = 'a' AND s > 1",
        "Where clause does not contain a mandatory equality on all key attributes",
    );
    check(
        "UPDATE orders SET s = 1 WHERE p = 'a' AND s = 1",
        "One or more parameter values were invalid: Cannot update attribute s. This attribute is part of the key",
    );
    check(
        "UPDATE orders SET nolist[0] = 'x' WHERE p = 'a' AND s = 1",
        "The document path provided in the update expression is invalid for update",
    );
    check(
        "INSERT INTO orders VALUE {'p': 'a'}",
        "One or more parameter values were invalid: Missing the key s in the item",
    );
    check(r#"UPDATE "orders"."by-l" SET x = 1 WHERE p = 'a'"#, "This operation is not supported on an index");
    check(
        r#"INSERT INTO "orders"."by-l" VALUE {'p': 'a'}"#,
        "FROM clause may only contain a single table name",
    );
    check(
        "SELECT * FROM orders WHERE p = 'a' AND x = '1' OR p = 'a' AND s = 2",
        "Overlapping conditions with range keys are not supported in where clause",
    );
    let missing = db.execute("SELECT * FROM nowhere").unwrap_err();
    assert!(matches!(missing, ItemsError::ResourceNotFound(_)));
    assert_eq!(missing.to_string(), "Requested resource not found");
    assert_eq!(db.db.records().len(), 4);
}

/// What each statement of a batch did, one line each.
fn lines(output: &BatchExecuteStatementOutput) -> Vec<String> {
    output
        .responses
        .iter()
        .map(|response| {
            let table = response.table_name.as_ref().map_or("-", |name| name.as_str());
            match (&response.item, &response.error) {
                (Some(item), None) => format!("{table} {}", item.json()),
                (None, Some(error)) => format!("{table} {}: {}", error.code, error.message),
                (None, None) => table.to_owned(),
                both => panic!("{both:?}"),
            }
        })
        .collect()
}

#[test]
fn statements_of_a_batch_stand_alone() {
    let db = filled();
    let written = db
        .batch(&[
            "INSERT INTO orders VALUE {'p': 'n', 's': 1}",
            "INSERT INTO orders VALUE {'p': 'a', 's': 1}",
            "UPDATE orders SET x = 8 WHERE p = 'b' AND s = 1 RETURNING MODIFIED NEW *",
            "UPDATE orders SET x = 8 WHERE p = 'b'",
            "DELETE FROM orders WHERE p = 'b' AND s = 1 AND x = 0",
            "INSERT INTO nowhere VALUE {'p': 'a'}",
            "INSERT",
        ])
        .unwrap();
    assert_eq!(
        lines(&written),
        [
            "orders",
            "orders DuplicateItem: Duplicate primary key exists in table",
            r#"orders {"x":{"N":"8"}}"#,
            "orders ValidationError: Where clause does not contain a mandatory equality on all key attributes",
            "orders ConditionalCheckFailed: The conditional request failed",
            "- ResourceNotFound: Requested resource not found",
            &lines(&written)[6],
        ]
    );
    assert!(
        lines(&written)[6]
            .starts_with("- ValidationError: Statement wasn't well formed, can't be processed: ")
    );
    assert_eq!(units(written.consumed_capacity.into_iter().next()), "2.0");
    assert_eq!(db.db.records().len(), 6);

    let read = db
        .batch(&[
            "SELECT x FROM orders WHERE p = 'b' AND s = 1",
            "SELECT x FROM orders WHERE p = 'nobody' AND s = 1",
        ])
        .unwrap();
    assert_eq!(lines(&read), [r#"orders {"x":{"N":"8"}}"#, "orders"]);
    assert_eq!(units(read.consumed_capacity.into_iter().next()), "1.0");
    assert!(db.batch(&["SELECT x FROM orders", "INSERT INTO orders VALUE {'p': 'a', 's': 1}"]).is_err());
}

#[test]
fn a_select_of_a_batch_names_the_key_and_nothing_else() {
    let db = filled();
    let refused = [
        "SELECT x FROM orders WHERE p = 'a'",
        "SELECT x FROM orders WHERE p = 'a' AND s > 0",
        "SELECT x FROM orders WHERE p = 'a' AND s IN [1]",
        "SELECT x FROM orders WHERE p = 'a' AND s = 1 AND x = 1",
        "SELECT x FROM orders WHERE x = 0 AND s = 1 AND p = 'a'",
        "SELECT x FROM orders WHERE p = 'a' AND s = 1 AND attribute_exists(x)",
        "SELECT x FROM orders WHERE p = 'a' AND s = 1 AND NOT size(x) = 1",
        "SELECT x FROM orders WHERE p = 'a' AND s = 1 OR p = 'b' AND s = 1",
        r#"SELECT x FROM "orders"."by-l" WHERE p = 'a' AND l = 'l1'"#,
    ];
    let fine = "SELECT x FROM orders WHERE s = 1 AND p = 'b'";
    let statements: Vec<&str> = refused.into_iter().chain([fine]).collect();
    let read = db.batch(&statements).unwrap();
    let no_key = "orders ValidationError: Select statements within BatchExecuteStatement must specify the primary key in the where clause.";
    let mut expected = vec![no_key; refused.len()];
    expected.push(r#"orders {"x":{"N":"9"}}"#);
    assert_eq!(lines(&read), expected);
    assert_eq!(units(read.consumed_capacity.into_iter().next()), "0.5");
}

#[test]
fn a_transaction_writes_all_or_nothing() {
    let db = filled();
    let output = db
        .transaction(&[
            "INSERT INTO orders VALUE {'p': 'n', 's': 1}",
            "UPDATE orders SET x = x + 1 WHERE p = 'b' AND s = 1",
            "DELETE FROM orders WHERE p = 'nobody' AND s = 1",
            "EXISTS(SELECT * FROM orders WHERE p = 'a' AND s = 1 AND x = 1)",
        ])
        .unwrap();
    assert!(output.responses.is_empty());
    assert_eq!(units(output.consumed_capacity.into_iter().next()), "8.0");
    assert_eq!(db.get(key("b", 1)), Some(key("b", 1).with("x", 10)));

    let records = db.db.records().len();
    let error = db
        .transaction(&[
            "INSERT INTO orders VALUE {'p': 'o', 's': 1}",
            "INSERT INTO orders VALUE {'p': 'a', 's': 1}",
            "UPDATE orders SET x = 1 WHERE p = 'nobody' AND s = 1",
            "EXISTS(SELECT * FROM orders WHERE p = 'a' AND s = 2 AND x = 1)",
        ])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, DuplicateItem, \
         ConditionalCheckFailed, ConditionalCheckFailed]"
    );
    assert_eq!((db.db.records().len(), db.get(key("o", 1))), (records, None));
}

#[test]
fn a_transaction_reads_by_key() {
    let db = filled();
    let output = db
        .transaction(&[
            "SELECT x FROM orders WHERE p = 'b' AND s = 1",
            "SELECT * FROM orders WHERE p = 'nobody' AND s = 1",
        ])
        .unwrap();
    let found: Vec<_> = output.responses.iter().map(|item| item.as_ref().map(|item| item.json())).collect();
    assert_eq!(found, [Some(r#"{"x":{"N":"9"}}"#), None]);
    assert_eq!(units(output.consumed_capacity.into_iter().next()), "4.0");
}

#[test]
fn what_a_transaction_does_not_take_is_told_with_its_place() {
    let db = filled();
    let check = |text: &str, expected: &str| {
        let expected = format!("Validation failed in TransactStatements[1]: {expected}");
        let first = if text.starts_with("SELECT") {
            "SELECT * FROM orders WHERE p = 'c' AND s = 1"
        } else {
            "DELETE FROM orders WHERE p = 'c' AND s = 1"
        };
        refused(db.transaction(&[first, text]), &expected);
    };
    check(
        "DELETE FROM orders WHERE p = 'a' AND s = 1 RETURNING ALL OLD *",
        "RETURNING clause is not supported in ExecuteTransaction.",
    );
    check(
        r#"SELECT * FROM "orders"."by-l" WHERE p = 'a' AND l = 'l1'"#,
        "Reads on indices are not supported within transactions.",
    );
    let by_key =
        "Select statements within ExecuteTransaction must specify the primary key in the where clause.";
    check("SELECT * FROM orders WHERE p = 'a'", by_key);
    check("SELECT * FROM orders WHERE p = 'a' AND s = 1 AND attribute_exists(x)", by_key);
    check(
        "EXISTS(SELECT * FROM orders WHERE p = 'a' AND s = 1)",
        "EXISTS() must contain a single item read with additional condition",
    );
    check("DELETE FROM orders WHERE", "Statement wasn't well formed, can't be processed: Unexpected term");
}

#[test]
fn a_token_makes_a_transaction_harmless_to_repeat() {
    let db = filled();
    let send = |text: &str| {
        let input = ExecuteTransactionInput {
            client_request_token: Some("token".to_owned()),
            ..transaction(&[text])
        };
        db.items.execute_transaction(input)
    };
    let add = "UPDATE orders SET x = x + 1 WHERE p = 'b' AND s = 1";
    assert!(send(add).unwrap().consumed_capacity[0].total.write_capacity_units.is_some());
    assert!(send(add).unwrap().consumed_capacity[0].total.read_capacity_units.is_some());
    assert_eq!(db.get(key("b", 1)), Some(key("b", 1).with("x", 10)));
    let other = send("UPDATE orders SET x = x + 2 WHERE p = 'b' AND s = 1");
    assert!(matches!(other, Err(ItemsError::IdempotentParameterMismatch)));
}

#[test]
fn a_table_may_be_named_by_its_arn() {
    let db = Db::new();
    db.items.put_item(PutItemInput::new(table("plain"), Item::new().with("p", "a"))).unwrap();
    let text = r#"SELECT * FROM "arn:aws:dynamodb:us-east-1:000000000000:table/plain""#;
    assert_eq!(db.execute(text).unwrap().items.len(), 1);
}
