//! Query and Scan on secondary indexes.

use pdb_items::legacy::{ComparisonOperator, Condition};
use pdb_items::{ItemsError, PageOutput, PutItemInput, QueryInput, ScanInput, Select};
use pdb_model::{AttributeValue, Item};

use crate::harness::{Db, key, numbers, put, query, refused, scan, units, values};

fn on(index: &str, condition: &str, with: &[(&str, AttributeValue)]) -> QueryInput {
    QueryInput { index_name: Some(index.parse().expect("the name of an index")), ..query(condition, with) }
}

fn json(output: PageOutput) -> String {
    output.items.expect("items").json().to_owned()
}

/// Three items in `by-l`, two of them in `by-g`, and one that is in no index.
fn filled() -> Db {
    let db = Db::new();
    db.put(key("a", 1).with("l", "3").with("g", "g").with("h", 2).with("x", 1).with("y", 1));
    db.put(key("a", 2).with("l", "2").with("g", "g").with("h", 1).with("x", 2).with("y", 2));
    db.put(key("a", 3).with("l", "1").with("x", 3).with("y", 3));
    db.put(key("a", 4).with("x", 4));
    db
}

#[test]
fn an_index_has_its_own_order_and_projection() {
    let db = filled();
    let local = db.items.query(on("by-l", "p = :p", &[(":p", "a".into())])).unwrap();
    assert_eq!(local.count, 3);
    assert_eq!(units(local.consumed_capacity.clone()), "0.5 table 0.0 by-l 0.5");
    assert_eq!(numbers(local.items.clone().unwrap().iter(), "s"), ["3", "2", "1"]);
    assert!(json(local).starts_with(r#"{"l":{"S":"1"},"p":{"S":"a"},"s":{"N":"3"}},"#));

    let global =
        db.items.query(on("by-g", "g = :g AND h >= :h", &[(":g", "g".into()), (":h", 2.into())])).unwrap();
    assert_eq!(units(global.consumed_capacity.clone()), "0.5 table 0.0 by-g 0.5");
    assert_eq!(json(global), r#"{"g":{"S":"g"},"h":{"N":"2"},"p":{"S":"a"},"s":{"N":"1"},"x":{"N":"1"}}"#);
    let backward = QueryInput { scan_index_forward: false, ..on("by-g", "g = :g", &[(":g", "g".into())]) };
    assert_eq!(numbers(db.items.query(backward).unwrap().items.unwrap().iter(), "h"), ["2", "1"]);
}

#[test]
fn a_local_index_fetches_what_it_lacks() {
    let db = filled();
    let p = [(":p", "a".into())];
    let whole = QueryInput { select: Some(Select::AllAttributes), ..on("by-l", "p = :p", &p) };
    let output = db.items.query(whole).unwrap();
    assert_eq!(numbers(output.items.clone().unwrap().iter(), "y"), ["3", "2", "1"]);
    // Half a unit for the entries, and half a unit for each item.
    assert_eq!(units(output.consumed_capacity), "2.0 table 1.5 by-l 0.5");

    let part = QueryInput { projection_expression: Some("y".to_owned()), ..on("by-l", "p = :p", &p) };
    let output = db.items.query(part).unwrap();
    assert_eq!(json(output), r#"{"y":{"N":"3"}},{"y":{"N":"2"}},{"y":{"N":"1"}}"#);

    let own = QueryInput { projection_expression: Some("l".to_owned()), ..on("by-l", "p = :p", &p) };
    assert_eq!(units(db.items.query(own).unwrap().consumed_capacity), "0.5 table 0.0 by-l 0.5");

    let filtered = QueryInput {
        filter_expression: Some("y = :y".to_owned()),
        limit: Some(2),
        ..on("by-l", "p = :p", &[(":p", "a".into()), (":y", 2.into())])
    };
    let output = db.items.query(filtered).unwrap();
    assert_eq!((output.count, output.scanned_count), (1, 2));
    assert_eq!(output.last_evaluated_key, Some(key("a", 2).with("l", "2")));
    // What was fetched for the filter is not shown.
    assert_eq!(json(output), r#"{"l":{"S":"2"},"p":{"S":"a"},"s":{"N":"2"}}"#);
    let scanned = ScanInput {
        index_name: Some("by-l".parse().unwrap()),
        filter_expression: Some("y = :y".to_owned()),
        expression_attribute_values: values(&[(":y", 2.into())]),
        ..scan()
    };
    assert_eq!(json(db.items.scan(scanned).unwrap()), r#"{"l":{"S":"2"},"p":{"S":"a"},"s":{"N":"2"}}"#);
}

#[test]
fn a_fetching_page_is_bounded_too() {
    let db = Db::new();
    for s in 1..=200 {
        db.put(key("a", s).with("l", format!("{s:03}")).with("b", AttributeValue::B(vec![0; 20_000])));
    }
    let mut input =
        QueryInput { select: Some(Select::AllAttributes), ..on("by-l", "p = :p", &[(":p", "a".into())]) };
    let mut found = Vec::new();
    loop {
        let output = db.items.query(input.clone()).unwrap();
        assert!(output.count <= 53, "a mebibyte of items of 20 kB");
        found.extend(numbers(output.items.unwrap().iter(), "s"));
        input.exclusive_start_key = output.last_evaluated_key;
        if input.exclusive_start_key.is_none() {
            break;
        }
    }
    assert_eq!(found, (1..=200).map(|s| s.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_filter_sees_what_a_global_index_has() {
    let db = filled();
    let input = |filter: &str| QueryInput {
        filter_expression: Some(filter.to_owned()),
        ..on("by-g", "g = :g", &[(":g", "g".into())])
    };
    assert_eq!(db.items.query(input("attribute_exists(x)")).unwrap().count, 2);
    assert_eq!(db.items.query(input("attribute_exists(y)")).unwrap().count, 0);
    // The table's key may be filtered by, the index's may not.
    assert_eq!(db.items.query(input("attribute_exists(p)")).unwrap().count, 2);
    refused(
        db.items.query(input("attribute_exists(h)")),
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: h",
    );
}

#[test]
fn a_scan_of_an_index_leaves_out_who_is_not_in_it() {
    let db = filled();
    let on = |index: &str| ScanInput { index_name: Some(index.parse().unwrap()), ..scan() };
    assert_eq!(db.items.scan(on("by-l")).unwrap().count, 3);
    assert_eq!(db.items.scan(on("by-g")).unwrap().count, 2);
    let mut found = Vec::new();
    let mut start = None;
    loop {
        let page =
            db.items.scan(ScanInput { limit: Some(1), exclusive_start_key: start, ..on("by-g") }).unwrap();
        found.extend(numbers(page.items.unwrap().iter(), "h"));
        start = page.last_evaluated_key;
        let Some(start) = &start else { break };
        assert_eq!(start.keys().collect::<Vec<_>>(), ["g", "h", "p", "s"]);
    }
    assert_eq!(found, ["1", "2"]);
    refused(
        db.items.scan(ScanInput { exclusive_start_key: Some(key("a", 1)), ..on("by-g") }),
        "The provided starting key is invalid",
    );
    refused(
        db.items.scan(ScanInput {
            exclusive_start_key: Some(key("a", 1).with("g", 1).with("h", 1)),
            ..on("by-g")
        }),
        "The provided key element does not match the schema",
    );
    refused(
        db.items.scan(ScanInput {
            exclusive_start_key: Some(Item::new().with("p", 1).with("s", 1).with("g", "g").with("h", 1)),
            ..on("by-g")
        }),
        "The provided starting key is invalid: The provided key element does not match the schema",
    );
}

#[test]
fn several_key_attributes_are_grouped_and_ordered() {
    let db = Db::new();
    for s in 1..=6 {
        db.put(key("a", s).with("g", "g").with("g2", "k").with("h", s % 3).with("h2", s));
    }
    db.put(key("a", 7).with("g", "g").with("g2", "other").with("h", 1).with("h2", 7));
    db.put(key("a", 8).with("g", "g").with("g2", "k").with("h", 1));
    let hash = || [(":g", "g".into()), (":k", "k".into())];
    let found = |condition: &str, more: &[(&str, AttributeValue)]| {
        let with = [&hash()[..], more].concat();
        db.items.query(on("many", condition, &with)).map(|output| numbers(output.items.unwrap().iter(), "s"))
    };
    assert_eq!(found("g = :g AND g2 = :k", &[]).unwrap(), ["3", "6", "1", "4", "2", "5"]);
    assert_eq!(found("g = :g AND g2 = :k AND h = :h", &[(":h", 1.into())]).unwrap(), ["1", "4"]);
    assert_eq!(
        found("h2 > :i AND h = :h AND g = :g AND g2 = :k", &[(":h", 1.into()), (":i", 1.into())]).unwrap(),
        ["4"]
    );
    assert_eq!(
        found("g = :g AND g2 = :k AND h2 = :h", &[(":h", 1.into())]).unwrap_err().to_string(),
        "RANGE key attributes h must have equality conditions specified in the query because a condition is present on key \
         attribute h2"
    );
    refused(
        db.items.query(on("many", "g = :g", &[(":g", "g".into())])),
        "HASH key attributes g2 must have equality conditions specified in the query",
    );
    let page = QueryInput { limit: Some(1), ..on("many", "g = :g AND g2 = :k", &hash()) };
    let start = db.items.query(page.clone()).unwrap().last_evaluated_key;
    assert_eq!(start.as_ref().unwrap().keys().collect::<Vec<_>>(), ["g", "g2", "h", "h2", "p", "s"]);
    let next = db.items.query(QueryInput { exclusive_start_key: start, ..page }).unwrap();
    assert_eq!(numbers(next.items.unwrap().iter(), "s"), ["6"]);
}

#[test]
fn legacy_conditions_reach_several_key_attributes() {
    let db = Db::new();
    for s in 1..=6 {
        db.put(key("a", s).with("g", "g").with("g2", "k").with("h", s % 3).with("h2", s));
    }
    let found = |index: Option<&str>, conditions: &[(&str, ComparisonOperator, AttributeValue)]| {
        let condition = |operator: ComparisonOperator, value: &AttributeValue| Condition {
            comparison_operator: operator,
            attribute_value_list: vec![value.clone()],
        };
        let conditions = conditions
            .iter()
            .map(|(name, operator, value)| ((*name).to_owned(), condition(*operator, value)))
            .collect();
        db.items
            .query(QueryInput {
                index_name: index.map(|index| index.parse().unwrap()),
                key_conditions: Some(conditions),
                key_condition_expression: None,
                ..query("", &[])
            })
            .map(|output| numbers(output.items.unwrap().iter(), "s"))
    };
    use ComparisonOperator::{Eq, Gt};
    let (g, g2) = (("g", Eq, "g".into()), ("g2", Eq, "k".into()));
    let h = |operator| ("h", operator, 1.into());
    let h2 = |operator, value: i64| ("h2", operator, value.into());
    assert_eq!(found(Some("many"), &[g.clone(), g2.clone(), h(Eq)]).unwrap(), ["1", "4"]);
    assert_eq!(found(Some("many"), &[g.clone(), g2.clone(), h(Gt)]).unwrap(), ["2", "5"]);
    assert_eq!(found(Some("many"), &[g.clone(), g2.clone(), h(Eq), h2(Gt, 1)]).unwrap(), ["4"]);
    refused(
        found(Some("many"), &[g.clone(), g2.clone(), h(Gt), h2(Eq, 1)]),
        "RANGE key attributes h must have equality conditions specified in the query because a condition is present on key \
         attribute h2",
    );
    refused(
        found(Some("many"), &[g.clone(), g2.clone(), h(Eq), h2(Eq, 1), ("x", Eq, 1.into())]),
        "The number of query conditions (5) exceeds the number of key attributes defined in the schema (4)",
    );
    // An index with two key attributes, and a table, which never has more.
    refused(
        found(Some("by-g"), &[g.clone(), h(Eq), h2(Eq, 1)]),
        "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
    );
    refused(found(None, &[g, g2, h(Eq)]), "Conditions can be of length 1 or 2 only");
}

#[test]
fn what_an_index_cannot_do_is_refused() {
    let db = filled();
    let g = || [(":g", "g".into())];
    refused(db.items.query(on("nope", "g = :g", &g())), "The table does not have the specified index: nope");
    refused(
        db.items.query(QueryInput { consistent_read: true, ..on("by-g", "g = :g", &g()) }),
        "Consistent reads are not supported on global secondary indexes",
    );
    refused(
        db.items.query(QueryInput { select: Some(Select::AllAttributes), ..on("by-g", "g = :g", &g()) }),
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary \
         index by-g because its projection type is not ALL",
    );
    refused(
        db.items.query(QueryInput {
            projection_expression: Some("x, y, z".to_owned()),
            ..on("by-g", "g = :g", &g())
        }),
        "One or more parameter values were invalid: Global secondary index by-g does not project [y, z]",
    );
    let whole = QueryInput { select: Some(Select::AllAttributes), ..on("all", "g = :g", &g()) };
    assert_eq!(db.items.query(whole).unwrap().count, 2);
}

#[test]
fn index_keys_must_fit_their_schemas() {
    let db = Db::new();
    let check = |item: Item, text: &str| refused(db.items.put_item(put(item)), text);
    check(
        key("a", 1).with("g", 1),
        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: all",
    );
    check(
        key("a", 1).with("l", ""),
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The \
         AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-l, IndexKey: l",
    );
    check(
        key("a", 1).with("l", "x".repeat(1025)),
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of \
         1024 bytes",
    );
    check(
        Item::new().with("p", "a"),
        "One or more parameter values were invalid: Missing the key s in the item",
    );
    assert_eq!(db.db.items_of("orders").len(), 0);
}

#[test]
fn conditions_see_the_whole_item() {
    let db = filled();
    let input = PutItemInput {
        condition_expression: Some("y = :y AND g.x = :y".to_owned()),
        expression_attribute_values: values(&[(":y", 1.into())]),
        ..put(key("a", 1))
    };
    let error = db.items.put_item(input).unwrap_err();
    assert!(matches!(error, ItemsError::Validation(_)));
    assert_eq!(
        error.to_string(),
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g"
    );
}
