//! Query on a table.

use std::collections::BTreeMap;

use pdb_items::{QueryInput, Select};
use pdb_model::{AttributeValue, Item};

use crate::harness::{Db, key, map, names, numbers, query, refused, table, units};

/// The sort keys that a query finds among 1 to 9.
#[track_caller]
fn check(condition: &str, with: &[(&str, AttributeValue)], expected: &[&str]) {
    let db = Db::new();
    db.fill("a", 9);
    db.fill("b", 2);
    let output = db.items.query(query(condition, with)).expect("the query succeeds");
    assert_eq!(numbers(output.items.expect("items").iter(), "s"), expected);
    assert_eq!((output.count, output.scanned_count), (expected.len() as u64, expected.len() as u64));
    assert_eq!(output.last_evaluated_key, None);
}

#[test]
fn conditions_select_a_range_of_the_partition() {
    let p = || (":p", "a".into());
    check("p = :p", &[p()], &["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    check("p = :p AND s = :s", &[p(), (":s", 4.into())], &["4"]);
    check("p = :p AND s < :s", &[p(), (":s", 4.into())], &["1", "2", "3"]);
    check("s <= :s AND p = :p", &[p(), (":s", 4.into())], &["1", "2", "3", "4"]);
    check("p = :p AND :s < s", &[p(), (":s", 7.into())], &["8", "9"]);
    check("p = :p AND s >= :s", &[p(), (":s", 7.into())], &["7", "8", "9"]);
    check("p = :p AND s BETWEEN :s AND :t", &[p(), (":s", 2.into()), (":t", 4.into())], &["2", "3", "4"]);
    check("p = :p", &[(":p", "c".into())], &[]);
}

#[test]
fn pages_end_at_the_limit_and_go_on_behind_it() {
    let db = Db::new();
    db.fill("a", 5);
    for forward in [true, false] {
        let mut found = Vec::new();
        let mut start = None;
        let mut pages = 0;
        loop {
            let output = db
                .items
                .query(QueryInput {
                    limit: Some(2),
                    scan_index_forward: forward,
                    exclusive_start_key: start,
                    ..query("p = :p", &[(":p", "a".into())])
                })
                .unwrap();
            assert!(output.scanned_count <= 2);
            found.extend(numbers(output.items.unwrap().iter(), "s"));
            pages += 1;
            start = output.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        let mut expected = ["1", "2", "3", "4", "5"];
        if !forward {
            expected.reverse();
        }
        assert_eq!(found, expected);
        assert_eq!(pages, 3);
    }
}

#[test]
fn a_limit_that_is_reached_exactly_still_gives_a_key() {
    let db = Db::new();
    db.fill("a", 2);
    let input = QueryInput { limit: Some(2), ..query("p = :p", &[(":p", "a".into())]) };
    let output = db.items.query(input.clone()).unwrap();
    assert_eq!(output.last_evaluated_key, Some(key("a", 2)));
    let output = db.items.query(QueryInput { exclusive_start_key: Some(key("a", 2)), ..input }).unwrap();
    assert_eq!((output.count, output.last_evaluated_key), (0, None));
}

#[test]
fn a_page_ends_at_one_mebibyte() {
    let db = Db::new();
    for s in 1..=5 {
        db.put(key("a", s).with("b", AttributeValue::B(vec![0; 300_000])));
    }
    let output = db.items.query(query("p = :p", &[(":p", "a".into())])).unwrap();
    // The item that reaches the limit is on the page: 4 x 300,000 bytes.
    assert_eq!((output.count, output.last_evaluated_key), (4, Some(key("a", 4))));
    assert_eq!(units(output.consumed_capacity), "146.5 table 146.5");
}

#[test]
fn filters_and_projections_come_after_the_reading() {
    let db = Db::new();
    db.fill("a", 6);
    let output = db
        .items
        .query(QueryInput {
            filter_expression: Some("x > :x".to_owned()),
            projection_expression: Some("#x".to_owned()),
            expression_attribute_names: names(&[("#x", "x")]),
            limit: Some(4),
            ..query("p = :p", &[(":p", "a".into()), (":x", 2.into())])
        })
        .unwrap();
    assert_eq!((output.count, output.scanned_count), (2, 4));
    assert_eq!(output.items.unwrap().json(), r#"{"x":{"N":"3"}},{"x":{"N":"4"}}"#);
    assert_eq!(output.last_evaluated_key, Some(key("a", 4)));
}

#[test]
fn count_has_no_items() {
    let db = Db::new();
    db.fill("a", 3);
    let output = db
        .items
        .query(QueryInput { select: Some(Select::Count), ..query("p = :p", &[(":p", "a".into())]) })
        .unwrap();
    assert_eq!((output.items, output.count, output.scanned_count), (None, 3, 3));
}

#[test]
fn a_query_of_a_hash_table_reads_one_item() {
    let db = Db::new();
    let item = Item::new().with("p", "a");
    db.items.put_item(pdb_items::PutItemInput::new(table("plain"), item.clone())).unwrap();
    let input =
        QueryInput { table_name: table("plain"), limit: Some(1), ..query("p = :p", &[(":p", "a".into())]) };
    let output = db.items.query(input.clone()).unwrap();
    assert_eq!((output.count, output.last_evaluated_key), (1, None));
    refused(
        db.items.query(QueryInput { exclusive_start_key: Some(item), ..input }),
        "The provided exclusive start key is invalid: ExclusiveStartKey: {p=AttributeValue: {S:a}}",
    );
}

#[track_caller]
fn check_refused(input: QueryInput, text: &str) {
    let db = Db::new();
    refused(db.items.query(input), text);
}

#[test]
fn key_conditions_must_fit_the_key() {
    let p = || (":p", "a".into());
    check_refused(query("q = :p", &[p()]), "Query condition missed key schema element: p");
    check_refused(query("p = :p AND q = :p", &[p()]), "Query condition missed key schema element: s");
    check_refused(query("p < :p", &[p()]), "Query key condition not supported");
    check_refused(
        query("p = :p AND s = :s AND x = :s", &[p(), (":s", 1.into())]),
        "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
    );
    check_refused(
        query("p = :p", &[(":p", 1.into())]),
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    );
    check_refused(
        query("p = :p", &[(":p", "".into())]),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
         string value. Key: p",
    );
    check_refused(query("p = :p OR s = :p", &[p()]), "Invalid operator used in KeyConditionExpression: OR");
    check_refused(
        QueryInput { key_condition_expression: None, ..query("", &[]) },
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
    );
    check_refused(
        QueryInput {
            key_conditions: Some(BTreeMap::new()),
            key_condition_expression: None,
            ..query("", &[])
        },
        "Conditions can be of length 1 or 2 only",
    );
}

#[test]
fn start_keys_must_fit_the_query() {
    let p = || (":p", "a".into());
    let with = |condition: &str, values: &[(&str, AttributeValue)], start: Item| QueryInput {
        exclusive_start_key: Some(start),
        ..query(condition, values)
    };
    check_refused(with("p = :p", &[p()], Item::new().with("p", "a")), "The provided starting key is invalid");
    check_refused(
        with("p = :p", &[p()], Item::new().with("p", "a").with("t", 1)),
        "The provided starting key is invalid",
    );
    check_refused(
        with("p = :p", &[p()], Item::new().with("p", "a").with("s", "x")),
        "The provided key element does not match the schema",
    );
    check_refused(
        with("p = :p", &[p()], key("b", 1)),
        "The provided starting key is outside query boundaries based on provided conditions",
    );
    check_refused(
        with("p = :p AND s > :s", &[p(), (":s", 5.into())], key("a", 1)),
        "The provided starting key does not match the range key predicate",
    );
    check_refused(
        with("p = :p AND s > :s", &[p(), (":s", 5.into())], key("b", 6)),
        "The query can return at most one row and cannot be restarted",
    );
}

#[test]
fn filters_leave_keys_alone() {
    let with = |filter: &str| QueryInput {
        filter_expression: Some(filter.to_owned()),
        ..query("p = :p", &[(":p", "a".into()), (":v", 1.into())])
    };
    check_refused(
        with("s = :v"),
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: s",
    );
    check_refused(
        QueryInput {
            projection_expression: Some("s.x".to_owned()),
            ..query("p = :p", &[(":p", "a".into())])
        },
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: s",
    );
    check_refused(
        with("g[0] = :v"),
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g",
    );
}

#[test]
fn select_must_fit_the_other_parameters() {
    let with = |select| QueryInput {
        select: Some(select),
        projection_expression: Some("x".to_owned()),
        ..query("p = :p", &[(":p", "a".into())])
    };
    check_refused(
        with(Select::Count),
        "1 validation error detected: Cannot specify the ProjectionExpression when choosing to get only the Count",
    );
    check_refused(
        QueryInput { projection_expression: None, ..with(Select::SpecificAttributes) },
        "1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get \
         SPECIFIC_ATTRIBUTES",
    );
}

#[test]
fn stored_text_is_spliced_into_the_answer() {
    let db = Db::new();
    let item =
        key("a", 1).with("m", map(&[("k", "é\"\n".into())])).with("t", crate::harness::ss(&["b", "a"]));
    db.put(item.clone());
    let output = db.items.query(query("p = :p", &[(":p", "a".into())])).unwrap();
    assert_eq!(output.items.unwrap().json(), item.to_string());
}

/// All expressions are parsed before the key condition is interpreted, also as to what they use.
#[test]
fn expressions_are_parsed_before_the_key_condition_is_interpreted() {
    let empty = "The expression can not be empty;";
    let check = |key_condition: &str, filter: Option<&str>, projection: Option<&str>, text: &str| {
        let input = QueryInput {
            filter_expression: filter.map(str::to_owned),
            projection_expression: projection.map(str::to_owned),
            ..query(key_condition, &[(":v", 1.into())])
        };
        refused(Db::new().items.query(input), text);
    };
    for uninterpretable in
        ["p <> :v", "NOT p = :v", "p = :v OR s = :v", "p.q = :v", "p = :v AND p = :v", "s BETWEEN :v AND s2"]
    {
        check(uninterpretable, Some(" "), None, &format!("Invalid FilterExpression: {empty}"));
        check(uninterpretable, Some("x = :v"), Some(""), &format!("Invalid ProjectionExpression: {empty}"));
        check(
            uninterpretable,
            Some("x ="),
            Some(""),
            "Invalid FilterExpression: Syntax error; token: \"<EOF>\", near: \"=\"",
        );
    }
    check("p <> :v", Some("x = :v"), Some("y"), "Invalid operator used in KeyConditionExpression: <>");
    // What is wrong with it as a condition still comes first.
    check(
        "p =",
        Some(""),
        None,
        "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\"",
    );
    check(
        "p = :w",
        Some(""),
        None,
        "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :w",
    );
    let unused = QueryInput {
        expression_attribute_names: names(&[("#x", "x")]),
        ..query("p <> :v", &[(":v", 1.into())])
    };
    refused(
        Db::new().items.query(unused),
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
    );
}
