//! Writes to tables with vector indexes: cases 9 to 16, 29 to 31 and 33.

use pretender::items::{
    BatchWriteItemInput, ReturnConsumedCapacity, TransactAction, TransactWrite, TransactWriteItemsInput,
    UpdateItemInput, WriteRequest,
};
use pretender::model::{AttributeValue, Item};
use pretender::tables::{DistanceFunction, ProjectionInput, ProjectionType, VectorIndexInput};
use serde_json::json;

use super::way::{
    Consumed, TABLE, Way, index, item, plain, play, search, search_if, show, table, vector, with_schema,
};
use crate::driver::World;

const REFUSED: &str = "ValidationException: One or more parameter values were invalid.";

fn with_both(way: &Way) {
    way.create(table(&["tenant", "category"], vec![plain(), with_schema()])).unwrap();
}

fn all(way: &Way) -> String {
    way.show(search("plain", &["1", "0", "0"], 10))
}

#[test]
fn a_bad_vector_is_refused_and_nothing_is_written() {
    play(|way| {
        with_both(way);
        let mixed = AttributeValue::L(vec![1.into(), "x".into(), 3.into()]);
        for (value, text) in [
            (
                vector(&["1", "0"]),
                "Invalid size for parameter embedding, Expected: 3, Actual: 2 IndexName: plain",
            ),
            (
                mixed,
                "Invalid type for parameter embedding[1], Expected: 32-bit floating point number, Actual: S. IndexName: plain",
            ),
            (
                "text".into(),
                "Invalid type for parameter embedding, Expected: 32-bit floating point number list IndexName: plain",
            ),
            (
                vector(&["1E+39", "0", "0"]),
                "Invalid value for parameter embedding[0], Value: 1E+39 is outside valid range [-3.4028235E38, 3.4028235E38]. \
                 IndexName: plain",
            ),
        ] {
            let put = way.put(Item::new().with("pk", "bad").with("embedding", value.clone())).unwrap_err();
            assert_eq!(show(&put), format!("{REFUSED} {text}"));
            let updated = way.update_item("bad", "SET embedding = :v", value).unwrap_err();
            assert_eq!(show(&updated), format!("{REFUSED} {text}"));
        }
        assert_eq!(all(way), "");
        way.put(item("fine", &["3.4e38", "1e-100", "0"])).unwrap();
        let part = way.update_item("fine", "SET embedding[1] = :v", "text".into()).unwrap_err();
        assert!(part.message.contains("embedding[1]"), "{}", part.message);
        assert_eq!(all(way), "fine");
    });
}

#[test]
fn attributes_of_the_search_schema_have_their_types() {
    play(|way| {
        with_both(way);
        let with = |name: &str, value: AttributeValue| item("x", &["1", "0", "0"]).with(name, value);
        let empty = "ValidationException: One or more parameter values are not valid.";
        for (name, value, expected) in [
            (
                "tenant",
                AttributeValue::from(""),
                format!(
                    "{empty} A value specified for a secondary index key is not supported. The AttributeValue for a key attribute \
                     cannot contain an empty string value. IndexName: schema, IndexKey: tenant"
                ),
            ),
            (
                "tenant",
                1.into(),
                format!(
                    "{REFUSED} Attribute 'tenant' type mismatch. Expected: S, Actual: N. IndexName: schema"
                ),
            ),
            (
                "category",
                1.into(),
                format!(
                    "{REFUSED} Attribute 'category' type mismatch. Expected: S, Actual: N. IndexName: schema"
                ),
            ),
        ] {
            assert_eq!(show(&way.put(with(name, value)).unwrap_err()), expected);
        }
        way.put(item("x", &["1", "0", "0"])).unwrap();
        let update = way.update_item("x", "SET tenant = :v", "".into()).unwrap_err();
        assert_eq!(
            show(&update),
            format!(
                "{empty} The update expression attempted to update a secondary index key to a value that is not supported. The \
                 AttributeValue for a key attribute cannot contain an empty string value."
            )
        );
        // An empty text is no key here.
        way.update_item("x", "SET category = :v", "".into()).unwrap();
    });
}

#[test]
fn a_vector_and_an_assigned_attribute_are_checked_before_the_condition() {
    let world = World::new();
    let (db, way) = (&world.db, Way::Library(world.db.clone()));
    with_both(&way);
    for (attribute, value) in [("embedding", AttributeValue::from("bad")), ("tenant", 1.into())] {
        let update = db.update_item(UpdateItemInput {
            update_expression: Some(format!("SET {attribute} = :v")),
            condition_expression: Some("attribute_exists(pk)".to_owned()),
            expression_attribute_values: [(":v".to_owned(), value)].into(),
            ..UpdateItemInput::new(TABLE.parse().unwrap(), Item::new().with("pk", "absent"))
        });
        assert_eq!(update.unwrap_err().code.name(), "ValidationException", "{attribute}");
    }
}

#[test]
fn a_binary_attribute_that_partitions_an_index_is_not_empty() {
    play(|way| {
        let mut input = table(&["tenant", "category"], vec![with_schema()]);
        input.attribute_definitions.iter_mut().for_each(|of| {
            if of.name == "tenant" {
                of.scalar_type = pretender::model::ScalarType::B;
            }
        });
        way.create(input).unwrap();
        let empty = AttributeValue::B(Vec::new());
        let put = way.put(item("x", &["1", "0", "0"]).with("tenant", empty.clone())).unwrap_err();
        assert!(
            put.message.contains("cannot contain an empty binary value. IndexName: schema, IndexKey: tenant"),
            "{}",
            put.message
        );
        let update = way.update_item("x", "SET tenant = :v", empty.clone()).unwrap_err();
        assert!(update.message.ends_with("cannot contain an empty binary value."), "{}", update.message);
        let mut input = search_if("tenant = :t", &[]);
        input.expression_attribute_values = [(":t".to_owned(), empty)].into();
        assert!(way.show(input).ends_with("cannot contain an empty binary value. Key: tenant"));
    });
}

#[test]
fn an_item_is_in_the_indexes_whose_attributes_it_has() {
    play(|way| {
        with_both(way);
        let of_tenant = || way.show(search_if("tenant = :t", &[(":t", "a")]));
        way.put(Item::new().with("pk", "none").with("tenant", "a")).unwrap();
        assert_eq!((all(way), of_tenant()), (String::new(), String::new()));
        way.put(item("x", &["1", "0", "0"])).unwrap();
        assert_eq!((all(way), of_tenant()), ("x".to_owned(), String::new()));
        way.update_item("x", "SET tenant = :v", "a".into()).unwrap();
        assert_eq!(of_tenant(), "x");
        way.update_item("x", "SET tenant = :v", "b".into()).unwrap();
        assert_eq!((of_tenant(), all(way)), (String::new(), "x".to_owned()));
        way.update_item("x", "SET tenant = :v", "a".into()).unwrap();
        way.update_item("x", "SET embedding[0] = :v", 2.into()).unwrap();
        assert_eq!(of_tenant(), "x");
        way.update_item("x", "SET note = :v REMOVE embedding", "gone".into()).unwrap();
        assert_eq!((all(way), of_tenant()), (String::new(), String::new()));
        let counts = way.describe(TABLE);
        assert_eq!(
            (&counts["VectorIndexes"][0]["ItemCount"], &counts["VectorIndexes"][1]["ItemCount"]),
            (&json!(0), &json!(0))
        );
    });
}

#[test]
fn the_table_keeps_decimals_and_the_index_floats() {
    play(|way| {
        with_both(way);
        way.put(item("x", &["16777217", "0.1", "-0.30000000000000000001"])).unwrap();
        let mut input = search("plain", &["1", "0", "0"], 1);
        input.projection_expression = Some("embedding".to_owned());
        let found = way.search_items(input).unwrap();
        let vector = &found[0].0["embedding"]["L"];
        assert_eq!(vector, &json!([{ "N": "16777216" }, { "N": "0.1" }, { "N": "-0.3" }]));
    });
}

#[test]
fn writes_report_the_bytes_of_each_index_that_changed() {
    play(|way| {
        let keys_only = VectorIndexInput {
            projection: ProjectionInput::of(ProjectionType::KeysOnly),
            ..index("keys", DistanceFunction::Cosine)
        };
        way.create(table(&[], vec![plain(), keys_only])).unwrap();
        let put = |item: Item, detail| way.put_reporting(item, detail).unwrap().unwrap();
        let bytes = |report: Consumed| {
            report.1.into_iter().map(|(name, bytes)| format!("{name} {bytes}")).collect::<Vec<_>>().join(", ")
        };
        let small = || item("f0", &["1", "0", "0"]);
        assert_eq!(bytes(put(small(), ReturnConsumedCapacity::Indexes)), "keys 1024, plain 1024");
        assert_eq!(bytes(put(small(), ReturnConsumedCapacity::Indexes)), "");
        let noted = || small().with("note", "x".repeat(1500));
        assert_eq!(bytes(put(noted(), ReturnConsumedCapacity::Total)), "");
        let other = || small().with("note", "y".repeat(1500));
        // Key, note, name of the vector, three floats.
        let size = 2 + 2 + 4 + 1500 + 9 + 12;
        assert_eq!(bytes(put(other(), ReturnConsumedCapacity::Indexes)), format!("plain {size}"));
        assert_eq!(way.put_reporting(other(), ReturnConsumedCapacity::None), Ok(None));
    });
}

#[test]
fn a_write_counts_four_bytes_for_each_element() {
    play(|way| {
        way.create(table(&[], vec![plain()])).unwrap();
        let digits = "1.1111111111111111111111111111111111111";
        let units = |filler: usize| {
            let item = item("p", &[digits; 3]).with("f", "x".repeat(filler));
            way.put_reporting(item, ReturnConsumedCapacity::Total).unwrap().unwrap().0
        };
        // pk and its value, the name and twelve bytes of the vector, the filler's name.
        let rest = 3 + 9 + 12 + 1;
        assert_eq!(
            [units(1024 - rest), units(1024 - rest), units(1025 - rest), units(1024 - rest)],
            [1.0, 1.0, 2.0, 2.0]
        );
    });
}

/// Operations that write several items, in the library: over HTTP they have no checks of their own.
#[test]
fn batches_transactions_and_statements_keep_the_indexes() {
    use pretender::items::partiql::ExecuteStatementInput;
    let world = World::new();
    let (db, way) = (&world.db, Way::Library(world.db.clone()));
    with_both(&way);
    let batch = |items: Vec<Item>| {
        let requests = items.into_iter().map(WriteRequest::Put).collect();
        db.batch_write_item(BatchWriteItemInput {
            request_items: [(TABLE.parse().unwrap(), requests)].into(),
            ..Default::default()
        })
    };
    let refused = batch(vec![item("a", &["1", "0", "0"]), item("b", &["1"])]).unwrap_err();
    assert!(refused.message.ends_with("Expected: 3, Actual: 1 IndexName: plain"), "{}", refused.message);
    assert_eq!(all(&way), "");
    batch(vec![item("a", &["1", "0", "0"]), item("b", &["0", "1", "0"])]).unwrap();
    let transact = |item: Item| {
        let put = TransactWrite::new(TABLE.parse().unwrap(), TransactAction::Put { item });
        db.transact_write_items(TransactWriteItemsInput {
            transact_items: vec![put],
            return_consumed_capacity: ReturnConsumedCapacity::Indexes,
            ..Default::default()
        })
    };
    let cancelled = transact(item("c", &["1"])).unwrap_err();
    assert_eq!(cancelled.code.name(), "TransactionCanceledException");
    assert!(cancelled.cancellation_reasons[0].message.as_ref().unwrap().ends_with("IndexName: plain"));
    let output = transact(item("c", &["-1", "0", "0"])).unwrap();
    let capacity = &output.consumed_capacity[0];
    assert_eq!(capacity.vector_indexes["plain"].vector_write_request_bytes, Some(1024), "not doubled");
    assert_eq!(all(&way), "a b c");
    let execute = |statement: &str| {
        db.execute_statement(ExecuteStatementInput { statement: statement.to_owned(), ..Default::default() })
    };
    let insert = |vector: &str| {
        execute(&format!(r#"INSERT INTO "Articles" VALUE {{'pk': 'd', 'embedding': {vector}}}"#))
    };
    assert!(insert("[1, 2]").unwrap_err().message.contains("Actual: 2"));
    insert("[1, 1, 0]").unwrap();
    execute(r#"UPDATE "Articles" SET embedding = [-1, -1, 0] WHERE pk = 'd'"#).unwrap();
    execute(r#"DELETE FROM "Articles" WHERE pk = 'a'"#).unwrap();
    assert_eq!(all(&way), "b d c");
}
