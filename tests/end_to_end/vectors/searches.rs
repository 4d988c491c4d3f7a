//! Searches: cases 17 to 28, 32, and 37 to 39.

use pretender::items::{QueryInput, ReturnConsumedCapacity, ScanInput, SearchVectorsInput};
use pretender::model::{AttributeValue, Item};
use pretender::tables::{DistanceFunction, ProjectionInput, ProjectionType, VectorIndexInput};
use serde_json::json;

use super::way::{TABLE, Way, index, item, plain, play, search, search_if, table, with_schema};
use crate::driver::World;
use crate::http::Http;

const INVALID: &str = "ValidationException: Invalid SearchConditionExpression:";

/// The four items of the specification's worked values, in the indexes `plain`, `straight` and `product`.
fn four(way: &Way) {
    let (straight, product) =
        (index("straight", DistanceFunction::Euclidean), index("product", DistanceFunction::DotProduct));
    way.create(table(&[], vec![plain(), straight, product])).unwrap();
    for (pk, vector) in
        [("a", ["1", "0", "0"]), ("b", ["0", "1", "0"]), ("c", ["-1", "0", "0"]), ("d", ["0.6", "0.8", "0"])]
    {
        way.put(item(pk, &vector).with("label", pk)).unwrap();
    }
}

#[test]
fn scores_and_order_are_those_of_the_distance_function() {
    play(|way| {
        four(way);
        for (index, scores) in [
            ("plain", [0.0, 0.4, 1.0, 2.0]),
            ("straight", [0.0, 0.8_f64.sqrt(), 2_f64.sqrt(), 2.0]),
            ("product", [1.0, 0.6, 0.0, -1.0]),
        ] {
            let found = way.search(search(index, &["1", "0", "0"], 10)).unwrap();
            let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!(keys, ["a", "d", "b", "c"], "{index}");
            for ((_, score), expected) in found.iter().zip(scores) {
                assert!((score - expected).abs() < 1e-7, "{index}: {score} for {expected}");
            }
        }
        let zero = way.search(search("plain", &["0", "0", "0"], 10)).unwrap();
        let all = ["a", "b", "c", "d"].map(|key| (key.to_owned(), 1.0));
        assert_eq!(zero, all, "equal scores are in the order of the keys");
    });
}

#[test]
fn a_search_returns_as_many_as_asked_for() {
    play(|way| {
        four(way);
        let found = |top_k| way.show(search("plain", &["1", "0", "0"], top_k));
        assert_eq!((found(1).as_str(), found(3).as_str(), found(100).as_str()), ("a", "a d b", "a d b c"));
        assert_eq!(
            found(101),
            "ValidationException: Provided TopK value '101' is out of valid range. The value must be between 1 and 100 inclusive"
        );
    });
}

#[test]
fn the_vector_that_is_searched_for_fits_the_index() {
    play(|way| {
        four(way);
        let with = |vector: Vec<AttributeValue>| SearchVectorsInput {
            search_vector: vector,
            ..search("plain", &["1", "0", "0"], 1)
        };
        let bad = "ValidationException: Search vector contains invalid values. All values in the search vector must be a 32-bit \
                   floating-point number attribute";
        for (vector, expected) in [
            (
                vec![1.into(), 2.into()],
                "ValidationException: Input search vector dimension 2 does not match vector index dimension 3",
            ),
            (vec![AttributeValue::L(vec![1.into()])], bad),
            (vec!["1".into(), 2.into(), 3.into()], bad),
            (vec![AttributeValue::N("1e39".parse().unwrap())], bad),
        ] {
            assert_eq!(way.show(with(vector)), expected);
        }
        let on = |table: &str, index: &str| SearchVectorsInput {
            table_name: table.parse().unwrap(),
            ..search(index, &["1"], 1)
        };
        assert_eq!(
            way.show(on(TABLE, "absent")),
            "ValidationException: The table does not have the specified index: absent"
        );
        assert_eq!(
            way.show(on("Absent", "plain")),
            "ResourceNotFoundException: Requested resource not found"
        );
    });
}

fn tenants(way: &Way) {
    way.create(table(&["tenant", "category"], vec![plain(), with_schema()])).unwrap();
    for (pk, tenant, category) in
        [("s1", "t", Some("c")), ("s2", "t", None), ("s3", "u", Some("c")), ("s4", "t", Some("d"))]
    {
        let item = item(pk, &["1", "0", "0"]).with("tenant", tenant);
        way.put(category.into_iter().fold(item, |item, category| item.with("category", category))).unwrap();
    }
}

#[test]
fn conditions_select_by_the_search_schema() {
    play(|way| {
        tenants(way);
        for (condition, values, expected) in [
            ("tenant = :t", &[(":t", "t")][..], "s1 s2 s4"),
            (":t = tenant", &[(":t", "u")], "s3"),
            ("tenant = :t AND category = :c", &[(":t", "t"), (":c", "c")], "s1"),
            ("(category = :c) AND (tenant = :t)", &[(":t", "t"), (":c", "d")], "s4"),
            ("tenant = :t", &[(":t", "absent")], ""),
        ] {
            assert_eq!(way.show(search_if(condition, values)), expected, "{condition}");
        }
        let mut aliased = search_if("#t = :t", &[(":t", "t")]);
        aliased.expression_attribute_names = [("#t".to_owned(), "tenant".to_owned())].into();
        assert_eq!(way.show(aliased), "s1 s2 s4");
        assert_eq!(way.show(search("plain", &["1", "0", "0"], 10)), "s1 s2 s3 s4");
    });
}

#[test]
fn other_conditions_are_refused() {
    play(|way| {
        tenants(way);
        let comparator = format!("{INVALID} Invalid comparator used in SearchConditionExpression");
        let mismatch = "ValidationException: Type of 'tenant' attribute in SearchConditionExpression (N) does not match type in search \
                        schema (S)";
        let needed = "ValidationException: SearchConditionExpression must be provided when SearchSchema has a HASH key";
        let both = [(":t", "t"), (":c", "c")];
        for (condition, values, expected) in [
            ("tenant < :t", &both[..1], comparator.clone()),
            ("tenant = :t AND category < :c", &both[..], comparator.clone()),
            ("tenant = :t OR category = :c", &both[..], comparator.clone()),
            ("tenant IN (:t, :c)", &both[..], comparator.clone()),
            ("begins_with(tenant, :t)", &both[..1], comparator),
            (
                "tenant = :t AND tenant = :c",
                &both[..],
                format!("{INVALID} SearchConditionExpression must only contain one condition per attribute"),
            ),
            (
                "tenant = :t AND category.x = :c",
                &both[..],
                format!("{INVALID} SearchConditionExpression cannot have conditions on nested attributes"),
            ),
            ("category = :c", &both[1..], needed.to_owned()),
            (
                "tenant = :t AND label = :c",
                &both[..],
                "ValidationException: SearchConditionExpression must not contain any attributes that is not in SearchSchema. Invalid \
                 attribute: label"
                    .to_owned(),
            ),
            (
                "tenant = :t",
                &[(":t", "")][..],
                "ValidationException: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain \
                 an empty string value. Key: tenant"
                    .to_owned(),
            ),
            (
                "bucket = :t",
                &both[..1],
                format!("{INVALID} Attribute name is a reserved keyword; reserved keyword: bucket"),
            ),
            (
                "tenant = :x",
                &both[..1],
                format!("{INVALID} An expression attribute value used in expression is not defined; attribute value: :x"),
            ),
            (
                "tenant = :t",
                &both[..],
                "ValidationException: Value provided in ExpressionAttributeValues unused in expressions: keys: {:c}".to_owned(),
            ),
        ] {
            assert_eq!(way.show(search_if(condition, values)), expected, "{condition}");
        }
        assert_eq!(way.show(search("schema", &["1", "0", "0"], 1)), needed);
        let mut number = search_if("tenant = :t", &[]);
        number.expression_attribute_values = [(":t".to_owned(), 1.into())].into();
        assert_eq!(way.show(number), mismatch);
        let plain = SearchVectorsInput {
            index_name: "plain".parse().unwrap(),
            ..search_if("tenant = :t", &both[..1])
        };
        assert!(way.show(plain).ends_with("Invalid attribute: tenant"));
    });
}

#[test]
fn numbers_are_compared_as_numbers() {
    use pretender::model::ScalarType;
    play(|way| {
        let mut input = table(&["tenant", "category"], vec![with_schema()]);
        input.attribute_definitions.iter_mut().skip(1).for_each(|of| of.scalar_type = ScalarType::N);
        way.create(input).unwrap();
        let put = |pk: &str, tenant: &str, category: &str| {
            let number = |text: &str| AttributeValue::N(text.parse().unwrap());
            way.put(
                item(pk, &["1", "0", "0"]).with("tenant", number(tenant)).with("category", number(category)),
            )
        };
        put("a", "1", "20").unwrap();
        put("b", "10", "20").unwrap();
        let mut input = search_if("tenant = :t AND category = :c", &[]);
        let number = |text: &str| AttributeValue::N(text.parse().unwrap());
        input.expression_attribute_values =
            [(":t".to_owned(), number("1.0")), (":c".to_owned(), number("2E1"))].into();
        assert_eq!(way.show(input), "a");
    });
}

#[test]
fn results_have_what_the_index_projects() {
    play(|way| {
        let projecting = |name: &str, projection| VectorIndexInput {
            projection,
            search_schema: with_schema().search_schema,
            ..index(name, DistanceFunction::Cosine)
        };
        way.create(table(
            &["tenant", "category"],
            vec![
                plain(),
                projecting("keys", ProjectionInput::of(ProjectionType::KeysOnly)),
                projecting("some", ProjectionInput::include(["title", "embedding"])),
            ],
        ))
        .unwrap();
        let item = item("a", &["1", "0", "0"]).with("tenant", "t").with("category", "c");
        way.put(item.with("title", "x").with("note", Item::new().with("deep", 7))).unwrap();
        let found = |index: &str, projection: Option<&str>| {
            let mut input = SearchVectorsInput {
                projection_expression: projection.map(str::to_owned),
                index_name: index.parse().unwrap(),
                ..search_if("tenant = :t", &[(":t", "t")])
            };
            if index == "plain" {
                (input.search_condition_expression, input.expression_attribute_values) = (None, [].into());
            }
            way.search_items(input).unwrap().remove(0).0
        };
        let s = |text: &str| json!({ "S": text });
        let vector = json!({ "L": [{ "N": "1.0" }, { "N": "0.0" }, { "N": "0.0" }] });
        let keys = json!({ "pk": s("a"), "tenant": s("t"), "category": s("c") });
        for (index, projection, expected) in [
            (
                "plain",
                None,
                json!({
                    "pk": s("a"), "tenant": s("t"), "category": s("c"), "title": s("x"),
                    "note": { "M": { "deep": { "N": "7" } } },
                }),
            ),
            ("plain", Some("pk, embedding"), json!({ "pk": s("a"), "embedding": vector })),
            (
                "plain",
                Some("embedding[1], note.deep, absent"),
                json!({ "embedding": { "L": [{ "N": "0.0" }] }, "note": { "M": { "deep": { "N": "7" } } } }),
            ),
            ("keys", None, keys),
            ("keys", Some("pk, embedding, title"), json!({ "pk": s("a") })),
            ("some", None, json!({ "pk": s("a"), "tenant": s("t"), "category": s("c"), "title": s("x") })),
            ("some", Some("embedding, note"), json!({ "embedding": vector })),
        ] {
            assert_eq!(found(index, projection), expected, "{index} {projection:?}");
        }
    });
}

#[test]
fn results_of_more_than_sixteen_megabytes_are_refused() {
    let world = World::new();
    let way = Way::Library(world.db.clone());
    way.create(table(&[], vec![plain()])).unwrap();
    for n in 0..45 {
        way.put(item(&format!("{n:02}"), &["1", "0", "0"]).with("text", "x".repeat(400_000))).unwrap();
    }
    let found = |top_k| way.search_items(search("plain", &["1", "0", "0"], top_k)).map(|found| found.len());
    assert_eq!(found(41).unwrap(), 41);
    let text = "The results of the search exceed the maximum size of 16 MB. Specify a lower TopK or a ProjectionExpression";
    assert_eq!(found(42).unwrap_err().message, text);
    let mut keys = search("plain", &["1", "0", "0"], 100);
    keys.projection_expression = Some("pk".to_owned());
    assert_eq!(way.search(keys).unwrap().len(), 45);
}

#[test]
fn a_search_reports_what_it_looked_at() {
    play(|way| {
        way.create(table(&[], vec![plain()])).unwrap();
        let asking = |detail| SearchVectorsInput {
            return_consumed_capacity: detail,
            ..search("plain", &["1", "0", "0"], 1)
        };
        assert_eq!(way.search_capacity(asking(ReturnConsumedCapacity::Total)), Some(1024.0));
        for pk in ["a", "b"] {
            way.put(item(pk, &["1", "0", "0"]).with("f", "x".repeat(1000))).unwrap();
        }
        let size = f64::from(2 * (3 + 1001 + 9 + 12));
        assert_eq!(way.search_capacity(asking(ReturnConsumedCapacity::Total)), Some(size));
        assert_eq!(way.search_capacity(asking(ReturnConsumedCapacity::Indexes)), Some(size));
        assert_eq!(way.search_capacity(asking(ReturnConsumedCapacity::None)), None);
    });
}

#[test]
fn nothing_else_reads_a_vector_index() {
    use pretender::items::partiql::ExecuteStatementInput;
    let world = World::new();
    four(&Way::Library(world.db.clone()));
    let name = Some("plain".parse().unwrap());
    let query = |consistent_read| QueryInput {
        index_name: name.clone(),
        key_condition_expression: Some("pk = :p".to_owned()),
        expression_attribute_values: [(":p".to_owned(), "a".into())].into(),
        consistent_read,
        ..QueryInput::new(TABLE.parse().unwrap())
    };
    let scan = |consistent_read| ScanInput {
        index_name: name.clone(),
        consistent_read,
        ..ScanInput::new(TABLE.parse().unwrap())
    };
    let text = |result: Result<_, pretender::errors::ApiError>| result.map(drop).unwrap_err().message;
    assert_eq!(text(world.db.query(query(false))), "Query operation not supported on this index type.");
    assert_eq!(text(world.db.scan(scan(false))), "Scan operation not supported on this index type");
    let consistent = "Consistent reads are not supported on global secondary indexes";
    assert_eq!(text(world.db.query(query(true))), consistent);
    assert_eq!(text(world.db.scan(scan(true))), consistent);
    let statement = r#"SELECT * FROM "Articles"."plain""#.to_owned();
    let selected = world.db.execute_statement(ExecuteStatementInput { statement, ..Default::default() });
    assert_eq!(selected.unwrap_err().message, "Scan operation not supported on this index type");
}

/// The search service decodes requests with other texts than the rest of DynamoDB.
#[test]
fn malformed_searches_have_the_texts_of_the_search_service() {
    let world = World::new();
    four(&Way::Library(world.db.clone()));
    let http = Http::new(world.db.clone());
    let refused = |member: &str, value: serde_json::Value| {
        let mut body = json!({
            "TableName": TABLE, "IndexName": "plain", "TopK": 1,
            "SearchVector": [{ "N": "1" }, { "N": "0" }, { "N": "0" }],
        });
        if value == json!("-") {
            body.as_object_mut().unwrap().remove(member);
        } else {
            body[member] = value;
        }
        let failure = http.table("SearchVectors", &body).unwrap_err();
        let text = failure.message.split(" at line 1 column ").next().unwrap();
        format!("{}: {text}", failure.code)
    };
    let serialization = "SerializationException: invalid type:";
    let detected = "ValidationException: 1 validation error detected:";
    for (member, value, expected) in [
        ("TableName", json!(null), format!("{serialization} null, expected a string")),
        ("IndexName", json!(null), format!("{serialization} null, expected a string")),
        ("SearchVector", json!(null), format!("{serialization} null, expected a sequence")),
        ("TopK", json!(null), format!("{serialization} null, expected i32")),
        ("TopK", json!(3.5), format!("{serialization} floating point `3.5`, expected i32")),
        ("TableName", json!("-"), "ValidationException: missing field `TableName`".to_owned()),
        (
            "TopK",
            json!(0),
            format!("{detected} Value '0' at 'topK' failed to satisfy constraint: Member must have value greater than or equal to 1"),
        ),
        (
            "IndexName",
            json!("vx"),
            format!("{detected} Value at 'IndexName' failed to satisfy constraint: Member must have length greater than or equal to 3"),
        ),
        (
            "SearchVector",
            json!([]),
            format!("{detected} Value at 'SearchVector' failed to satisfy constraint: Member must have length greater than or equal to 1"),
        ),
        (
            "ExpressionAttributeValues",
            json!({ ":v": { "S": "x" } }),
            "ValidationException: ExpressionAttributeValues can only be specified when using expressions: SearchConditionExpression is \
             null"
                .to_owned(),
        ),
        ("SearchConditionExpression", json!(""), format!("{INVALID} The expression can not be empty;")),
    ] {
        assert_eq!(refused(member, value), expected, "{member}");
    }
}
