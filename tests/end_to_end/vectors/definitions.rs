//! Vector indexes in definitions of tables: cases 1 to 8, 34 to 36 and 40.

use std::time::Duration;

use pretender::model::{Item, ScalarType};
use pretender::tables::{
    AttributeDefinition, BillingMode, CreateTableInput, DistanceFunction, GlobalIndexInput,
    GlobalIndexUpdate, KeySchemaElement, ProjectionInput, SearchSchemaElement, ThroughputInput,
    UpdateTableInput, VectorIndexInput, VectorIndexUpdate,
};
use serde_json::{Value, json};

use super::INVALID;
use super::way::{
    TABLE, Way, change, index, item, plain, play, play_in, search, show, table, vector, with_schema,
};
use crate::driver::World;
use crate::http::Http;

const UNITS: ThroughputInput = ThroughputInput { read_capacity_units: 1, write_capacity_units: 1 };

fn refusal(way: &Way, input: CreateTableInput) -> String {
    show(&way.create(input).unwrap_err())
}

fn change_refusal(way: &Way, input: UpdateTableInput) -> String {
    show(&way.update(input).unwrap_err())
}

fn changes(updates: Vec<VectorIndexUpdate>) -> UpdateTableInput {
    UpdateTableInput { vector_index_updates: Some(updates), ..change() }
}

fn of_dimensions(name: &str, dimensions: u64) -> VectorIndexInput {
    VectorIndexInput { dimensions, ..index(name, DistanceFunction::Cosine) }
}

fn searching(elements: Vec<SearchSchemaElement>) -> VectorIndexInput {
    VectorIndexInput { search_schema: Some(elements), ..plain() }
}

fn global(name: &str, attribute: &str) -> GlobalIndexInput {
    GlobalIndexInput::new(name.parse().unwrap(), vec![KeySchemaElement::hash(attribute)])
}

#[test]
fn indexes_are_created_with_the_table_and_described() {
    play(|way| {
        way.create(table(&["tenant", "category"], vec![plain(), with_schema()])).unwrap();
        let arn = |name: &str| format!("arn:aws:dynamodb:us-east-1:000000000000:table/Articles/index/{name}");
        let mut described = json!({
            "IndexName": "plain",
            "VectorAttribute": { "AttributeName": "embedding" },
            "Dimensions": 3,
            "DistanceFunction": "COSINE",
            "Projection": { "ProjectionType": "ALL" },
            "IndexStatus": "ACTIVE",
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "IndexArn": arn("plain"),
        });
        let plain = described.clone();
        described["IndexName"] = "schema".into();
        described["IndexArn"] = arn("schema").into();
        described["SearchSchema"] = json!([
            { "AttributeName": "tenant", "SearchSchemaElementType": "HASH" },
            { "AttributeName": "category", "SearchSchemaElementType": "INLINE_FILTER" },
        ]);
        let expected = json!({ "TableStatus": "ACTIVE", "VectorIndexes": [plain, described] });
        assert_eq!(way.describe(TABLE), expected);
        way.put(item("a", &["1", "2", "3"]).with("tenant", "t")).unwrap();
        let counts = way.describe(TABLE);
        for (at, size) in [(0, 2 + 1 + 6 + 1 + 9 + 12), (1, 2 + 1 + 6 + 1 + 9 + 12)] {
            assert_eq!(counts["VectorIndexes"][at]["ItemCount"], 1);
            assert_eq!(counts["VectorIndexes"][at]["IndexSizeBytes"], size);
        }
    });
}

#[test]
fn a_table_is_not_created_with_an_index_that_breaks_a_rule() {
    play(|way| {
        let provisioned = CreateTableInput {
            billing_mode: Some(BillingMode::Provisioned),
            provisioned_throughput: Some(UNITS),
            ..table(&[], vec![plain()])
        };
        let six = (0..6).map(|n| index(&format!("index{n}"), DistanceFunction::Cosine)).collect();
        let twin = CreateTableInput {
            global_secondary_indexes: Some(vec![global("plain", "pk")]),
            ..table(&[], vec![plain()])
        };
        let hash = SearchSchemaElement::hash;
        let filter = |name: &str| SearchSchemaElement::inline_filter(name);
        let many: Vec<String> = (0..19).map(|n| format!("f{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let filters = |count: usize| many[..count].iter().map(|name| filter(name)).collect();
        let both =
            VectorIndexInput { projection: ProjectionInput::include(["a", "b"]), ..searching(filters(18)) };
        for (input, text) in [
            (provisioned, "Vector indexes are only supported for PAY_PER_REQUEST tables"),
            (
                table(&[], vec![of_dimensions("plain", 4097)]),
                "Number of dimensions must be between 1 and 4096 inclusive.",
            ),
            (table(&[], six), "VectorIndex count exceeds the per-table limit of 5"),
            (table(&[], Vec::new()), "List of VectorIndexes is empty"),
            (
                table(&[], vec![plain(), of_dimensions("other", 4)]),
                "Conflicting attribute definition for 'embedding'. All VectorIndexes on the same vector attribute must use the \
                 same dimensions.",
            ),
            (twin, "Duplicate index name: plain"),
            (table(&[], vec![plain(), plain()]), "Duplicate index name: plain"),
            (
                table(&["embedding"], vec![plain()]),
                "Conflicting attribute definition for 'embedding'. An attribute cannot be defined in AttributeDefinitions when \
                 used as a VectorAttribute.",
            ),
            (
                table(&[], vec![searching(vec![hash("tenant")])]),
                "One element in SearchSchema is not defined in attribute definitions",
            ),
            (
                table(&["a", "b"], vec![searching(vec![hash("a"), hash("b")])]),
                "Value '2' at 'SearchSchema' failed to satisfy constraint: Member must have HASH count less than or equal to 1",
            ),
            (
                table(&["a"], vec![searching(vec![hash("a"), filter("a")])]),
                "SearchSchema contains a duplicate AttributeName",
            ),
            (
                table(&many, vec![searching(filters(19))]),
                "INLINE_FILTER count of SearchSchema exceeds the per-index limit of 18",
            ),
            (
                table(&many[..18], vec![both]),
                "Number of projected attributes exceeds the per-index limit of 20",
            ),
            (
                table(&[], vec![VectorIndexInput { projection: ProjectionInput::default(), ..plain() }]),
                "Unknown ProjectionType: null",
            ),
        ] {
            if text.starts_with("Unknown") && matches!(way, Way::Http(_)) {
                continue;
            }
            assert_eq!(refusal(way, input), format!("{INVALID} {text}"));
        }
        way.create(table(&[], vec![of_dimensions("plain", 4096)])).unwrap();
        assert_eq!(way.describe(TABLE)["VectorIndexes"][0]["Dimensions"], 4096);
    });
}

#[test]
fn constraints_of_the_model_have_the_classic_texts() {
    let world = World::new();
    let http = Http::new(world.db.clone());
    let create = |index: Value| {
        let body = json!({
            "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "VectorIndexes": [index],
        });
        http.table("CreateTable", &body)
    };
    let with = |member: &str, value: Value| {
        let mut index = super::way::index_json(&plain());
        index[member] = value;
        index
    };
    for (member, value, text) in [
        (
            "Dimensions",
            json!(0),
            "Value '0' at 'vectorIndexes.1.member.dimensions' failed to satisfy constraint: Member must have value greater than \
             or equal to 1",
        ),
        (
            "IndexName",
            json!("vx"),
            "Value 'vx' at 'vectorIndexes.1.member.indexName' failed to satisfy constraint: Member must have length greater than \
             or equal to 3",
        ),
        (
            "DistanceFunction",
            json!("MANHATTAN"),
            "Value 'MANHATTAN' at 'vectorIndexes.1.member.distanceFunction' failed to satisfy constraint: Member must satisfy enum \
             value set: [COSINE, DOT_PRODUCT, EUCLIDEAN]",
        ),
        (
            "SearchSchema",
            json!([{ "AttributeName": "pk", "SearchSchemaElementType": "RANGE" }]),
            "Value 'RANGE' at 'vectorIndexes.1.member.searchSchema.1.member.searchSchemaElementType' failed to satisfy constraint: \
             Member must satisfy enum value set: [HASH, INLINE_FILTER]",
        ),
        (
            "VectorAttribute",
            json!(null),
            "Value null at 'vectorIndexes.1.member.vectorAttribute' failed to satisfy constraint: Member must not be null",
        ),
    ] {
        let failure = create(with(member, value)).unwrap_err();
        assert_eq!(failure.message, format!("1 validation error detected: {text}"));
    }
    let missing = create(json!({})).unwrap_err().message;
    let names = ["indexName", "vectorAttribute", "projection", "dimensions", "distanceFunction"];
    let places: Vec<usize> =
        names.iter().map(|name| missing.find(&format!("member.{name}'")).unwrap()).collect();
    assert!(places.is_sorted() && missing.starts_with("5 validation errors detected: "), "{missing}");
    let missing = http.table(
        "UpdateTable",
        &json!({ "TableName": TABLE, "VectorIndexUpdates": [{ "Create": with("Dimensions", json!(null)) }] }),
    );
    assert_eq!(
        missing.unwrap_err().message,
        "1 validation error detected: Value null at 'vectorIndexUpdates.1.member.create.dimensions' failed to satisfy constraint: \
         Member must not be null"
    );
    create(with("Dimensions", json!(3.5))).unwrap();
    let described = http.table("DescribeTable", &json!({ "TableName": TABLE })).unwrap();
    assert_eq!(described["Table"]["VectorIndexes"][0]["Dimensions"], 3);
}

#[test]
fn indexes_are_created_and_deleted_one_by_one() {
    play(|way| {
        way.create(CreateTableInput { vector_indexes: None, ..table(&[], Vec::new()) }).unwrap();
        let bad = [vector(&["1"]), "text".into(), vector(&["1e39", "0", "0"]), vector(&["1", "2", "3", "4"])];
        for (n, value) in bad.into_iter().enumerate() {
            way.put(Item::new().with("pk", format!("bad {n}")).with("embedding", value)).unwrap();
        }
        way.put(item("good", &["1", "0", "0"])).unwrap();
        let created = way.update(changes(vec![VectorIndexUpdate::create(plain())])).unwrap();
        let index = &created["VectorIndexes"][0];
        assert_eq!(created["TableStatus"], "UPDATING");
        assert_eq!((&index["IndexStatus"], &index["Backfilling"]), (&json!("CREATING"), &json!(false)));
        let described = way.describe(TABLE);
        let index = &described["VectorIndexes"][0];
        assert_eq!((&index["IndexStatus"], &index["ItemCount"]), (&json!("ACTIVE"), &json!(1)));
        assert!(index.get("Backfilling").is_none());
        assert_eq!(way.show(search("plain", &["1", "0", "0"], 10)), "good");
        // What the index left out is refused when it is written again, and left alone by an update of something else.
        let refused = way.put(Item::new().with("pk", "bad 0").with("embedding", vector(&["1"]))).unwrap_err();
        assert!(refused.message.ends_with("Expected: 3, Actual: 1 IndexName: plain"), "{}", refused.message);
        way.update_item("bad 0", "SET note = :v", "fine".into()).unwrap();
        let same =
            way.update_item("bad 0", "SET note = :v, embedding = embedding", "fine".into()).unwrap_err();
        assert!(same.message.ends_with("Expected: 3, Actual: 1 IndexName: plain"), "{}", same.message);
        way.update_item("bad 0", "SET embedding = :v", vector(&["0", "1", "0"])).unwrap();
        assert_eq!(way.show(search("plain", &["1", "0", "0"], 10)), "good bad 0");

        let delete = |name: &str| VectorIndexUpdate::delete(name.parse().unwrap());
        let create =
            |name: &str| VectorIndexUpdate::create(super::way::index(name, DistanceFunction::Cosine));
        let one_at_a_time = "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted \
                             simultaneously per table";
        let both = VectorIndexUpdate { delete: Some("plain".parse().unwrap()), ..create("other") };
        for (updates, expected) in [
            (vec![create("one"), create("two")], one_at_a_time.to_owned()),
            (
                vec![both],
                format!("{INVALID} Only one vector index action is allowed per VectorIndexUpdate object"),
            ),
            (
                vec![VectorIndexUpdate::default()],
                format!(
                    "{INVALID} One of VectorIndexUpdate.Create, VectorIndexUpdate.Delete must not be null"
                ),
            ),
            (
                vec![delete("absent")],
                "ResourceNotFoundException: Requested resource not found: Index absent for table Articles"
                    .to_owned(),
            ),
            (
                vec![create("plain")],
                "ValidationException: Attempting to create an index which already exists".to_owned(),
            ),
        ] {
            assert_eq!(change_refusal(way, changes(updates)), expected);
        }
        let deleted = way.update(changes(vec![delete("plain")])).unwrap();
        assert_eq!(deleted["VectorIndexes"][0]["IndexStatus"], "DELETING");
        assert_eq!(way.describe(TABLE)["VectorIndexes"], json!([]));
        assert_eq!(
            way.show(search("plain", &["1", "0", "0"], 10)),
            "ValidationException: The table does not have the specified index: plain"
        );
        way.put(Item::new().with("pk", "free").with("embedding", "anything")).unwrap();
    });
}

#[test]
fn billing_and_definitions_go_with_the_indexes() {
    play(|way| {
        way.create(table(&["tenant", "category"], vec![plain(), with_schema()])).unwrap();
        let provisioned = || UpdateTableInput {
            billing_mode: Some(BillingMode::Provisioned),
            provisioned_throughput: Some(UNITS),
            ..change()
        };
        let delete = |name: &str| VectorIndexUpdate::delete(name.parse().unwrap());
        let on_demand = format!("{INVALID} Tables with vector indexes must be in PAY_PER_REQUEST mode");
        assert_eq!(change_refusal(way, provisioned()), on_demand);
        way.update(changes(vec![delete("schema")])).unwrap();
        let with_last =
            UpdateTableInput { vector_index_updates: Some(vec![delete("plain")]), ..provisioned() };
        assert_eq!(change_refusal(way, with_last), on_demand);

        let defined =
            |name: &str, scalar_type| Some(vec![AttributeDefinition { name: name.to_owned(), scalar_type }]);
        let by_vector = UpdateTableInput {
            attribute_definitions: defined("embedding", ScalarType::S),
            global_secondary_index_updates: Some(vec![GlobalIndexUpdate::create(global(
                "by_vector",
                "embedding",
            ))]),
            ..change()
        };
        assert_eq!(
            change_refusal(way, by_vector),
            format!(
                "{INVALID} Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. \
                 Existing schema: VectorIndexSchema:[VectorAttribute: key{{embedding:L:3}}] New schema: Schema:[SchemaElement: \
                 key{{embedding:S:HASH}}]"
            )
        );
        // The definitions of a deleted index are gone, and those of a new one come with it.
        let by_tenant = || VectorIndexInput {
            search_schema: Some(vec![SearchSchemaElement::hash("tenant")]),
            ..index("by_tenant", DistanceFunction::Euclidean)
        };
        let undefined = changes(vec![VectorIndexUpdate::create(by_tenant())]);
        assert_eq!(
            change_refusal(way, undefined),
            format!("{INVALID} One element in SearchSchema is not defined in attribute definitions")
        );
        way.update(UpdateTableInput {
            attribute_definitions: defined("tenant", ScalarType::N),
            ..changes(vec![VectorIndexUpdate::create(by_tenant())])
        })
        .unwrap();
        let twin = GlobalIndexUpdate::create(global("by_tenant", "tenant"));
        let twin = UpdateTableInput {
            attribute_definitions: defined("tenant", ScalarType::N),
            global_secondary_index_updates: Some(vec![twin]),
            ..change()
        };
        assert_eq!(
            change_refusal(way, twin),
            "ValidationException: Attempting to create an index which already exists"
        );
        way.put(item("a", &["1", "2", "3"]).with("tenant", 7)).unwrap();
        // A type that is known cannot change, and the vector of one index is not searched by another.
        let redefined = |existing: &str, new: &str| {
            format!(
                "{INVALID} Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. \
                 Existing schema: {existing} New schema: {new}"
            )
        };
        let searched =
            |scalar_type| format!("SearchSchema:[SearchSchemaElement: key{{tenant:{scalar_type}:HASH}}]");
        let again = VectorIndexInput { index_name: "again".parse().unwrap(), ..by_tenant() };
        assert_eq!(
            change_refusal(
                way,
                UpdateTableInput {
                    attribute_definitions: defined("tenant", ScalarType::S),
                    ..changes(vec![VectorIndexUpdate::create(again)])
                }
            ),
            redefined(&searched("N"), &searched("S"))
        );
        assert_eq!(
            change_refusal(
                way,
                UpdateTableInput {
                    attribute_definitions: defined("tenant", ScalarType::S),
                    global_secondary_index_updates: Some(vec![GlobalIndexUpdate::create(global(
                        "gsi", "tenant"
                    ))]),
                    ..change()
                }
            ),
            redefined(&searched("N"), "Schema:[SchemaElement: key{tenant:S:HASH}]")
        );
        let by_vector = VectorIndexInput {
            search_schema: Some(vec![SearchSchemaElement::inline_filter("embedding")]),
            vector_attribute: "other".to_owned(),
            ..index("by_vector", DistanceFunction::Cosine)
        };
        assert_eq!(
            change_refusal(
                way,
                UpdateTableInput {
                    attribute_definitions: defined("embedding", ScalarType::S),
                    ..changes(vec![VectorIndexUpdate::create(by_vector)])
                }
            ),
            format!(
                "{INVALID} Conflicting attribute definition for 'embedding'. An attribute cannot be defined in AttributeDefinitions \
                 when used as a VectorAttribute."
            )
        );
        // The fifth is the last.
        for n in 0..3 {
            let more = index(&format!("more{n}"), DistanceFunction::DotProduct);
            way.update(changes(vec![VectorIndexUpdate::create(more)])).unwrap();
        }
        let sixth = changes(vec![VectorIndexUpdate::create(index("sixth", DistanceFunction::Cosine))]);
        assert_eq!(
            change_refusal(way, sixth),
            format!("{INVALID} VectorIndex count exceeds the per-table limit of 5")
        );
    });
}

#[test]
fn phases_of_a_creation_are_shown_for_a_while() {
    let delay = Duration::from_secs(10);
    let make = || World::with(|builder| builder.transition_delay(delay));
    play_in(make, |world, way| {
        way.create(table(&[], vec![plain()])).unwrap();
        let states = |way: &Way| {
            let described = way.describe(TABLE);
            let indexes = described["VectorIndexes"].as_array().unwrap().iter();
            let each = indexes.map(|index| (index["IndexStatus"].clone(), index.get("Backfilling").cloned()));
            (described["TableStatus"].clone(), each.collect::<Vec<_>>())
        };
        let creating = (json!("CREATING"), None);
        let active = (json!("ACTIVE"), None);
        assert_eq!(states(way), (json!("CREATING"), vec![creating]));
        world.pass(delay);
        assert_eq!(states(way), (json!("ACTIVE"), vec![active.clone()]));
        way.put(item("a", &["1", "0", "0"])).unwrap();

        let late = || VectorIndexUpdate::create(index("late", DistanceFunction::Cosine));
        let delete = || changes(vec![VectorIndexUpdate::delete("late".parse().unwrap())]);
        way.update(changes(vec![late()])).unwrap();
        let units = UpdateTableInput {
            billing_mode: Some(BillingMode::Provisioned),
            provisioned_throughput: Some(UNITS),
            ..change()
        };
        assert!(
            change_refusal(way, units)
                .ends_with("when an index is being created. Table: Articles Indexes: [late]")
        );
        let allocating = (json!("CREATING"), Some(json!(false)));
        assert_eq!(states(way), (json!("UPDATING"), vec![active.clone(), allocating]));
        assert_eq!(
            way.show(search("late", &["1", "0", "0"], 1)),
            "ValidationException: The table does not have the specified index: late"
        );
        let in_use = "ResourceInUseException: Attempt to change a resource which is still in use:";
        assert_eq!(
            change_refusal(way, delete()),
            format!(
                "{in_use} Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index \
                 is active. Table: Articles Index: late"
            )
        );
        let busy =
            format!("{in_use} Cannot delete table while indexes are being created, updated, or deleted.");
        assert_eq!(show(&way.delete_table().unwrap_err()), busy);
        let other = || changes(vec![VectorIndexUpdate::create(index("other", DistanceFunction::Cosine))]);
        let one_at_a_time = "LimitExceededException: Subscriber limit exceeded: Only 1 online index can be created or deleted \
                             simultaneously per table";
        assert_eq!(change_refusal(way, other()), one_at_a_time);

        world.pass(delay);
        let backfilling = (json!("CREATING"), Some(json!(true)));
        assert_eq!(states(way), (json!("ACTIVE"), vec![active.clone(), backfilling]));
        assert_eq!(
            way.show(search("late", &["1", "0", "0"], 1)),
            "ValidationException: Cannot search backfilling vector index: late"
        );
        assert_eq!(way.show(search("plain", &["1", "0", "0"], 1)), "a");
        assert_eq!(change_refusal(way, other()), one_at_a_time);
        assert_eq!(show(&way.delete_table().unwrap_err()), busy);
        world.pass(delay);
        assert_eq!(states(way), (json!("ACTIVE"), vec![active.clone(), active.clone()]));
        assert_eq!(way.show(search("late", &["1", "0", "0"], 1)), "a");

        // An index that is being filled can be deleted.
        way.update(other()).unwrap();
        world.pass(delay);
        way.update(changes(vec![VectorIndexUpdate::delete("other".parse().unwrap())])).unwrap();
        assert_eq!(states(way).1.len(), 2);
    });
}
