//! UpdateTable's global indexes: `validation.md` 10.12, item 5; `dynamodb.md` 3.5.

use pdb_model::{BillingMode, OnDemandThroughput};

use super::*;

fn with(updates: Vec<GlobalIndexUpdate>) -> impl Fn(&mut UpdateTableInput) {
    move |t| {
        t.attribute_definitions = Some(vec![definition("c", ScalarType::S), definition("d", ScalarType::N)]);
        t.global_secondary_index_updates = Some(updates.clone());
    }
}

fn create(name: &str) -> GlobalIndexUpdate {
    GlobalIndexUpdate::create(global(name, &["c"], &[]))
}

fn delete(name: &str) -> GlobalIndexUpdate {
    GlobalIndexUpdate::delete(index_name(name))
}

fn throughput(name: &str, reads: i64, writes: i64) -> GlobalIndexUpdate {
    GlobalIndexUpdate::update(GlobalIndexThroughputUpdate {
        index_name: index_name(name),
        provisioned_throughput: Some(units(reads, writes)),
        on_demand_throughput: None,
        warm_throughput: None,
    })
}

#[test]
fn updates_are_well_formed() {
    let tables = Tables::with_table();
    let check = |updates, text: &str| check_refused(tables.update(with(updates)), text);
    check(
        vec![GlobalIndexUpdate::default()],
        "P: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
         GlobalSecondaryIndexUpdate.Delete must not be null",
    );
    check(
        vec![GlobalIndexUpdate { delete: Some(index_name("idx")), ..create("idx") }],
        "P: Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
    );
    check(
        vec![create("idx"), delete("idx")],
        "P: Only one global secondary index update per index is allowed simultaneously. Index: idx",
    );
    check_refused(
        tables.update(|t| t.global_secondary_index_updates = Some(vec![create("idx")])),
        "P: AttributeDefinitions is not specified for index: idx",
    );
    check(
        vec![GlobalIndexUpdate::create(global("idx", &["z"], &[]))],
        "P: Some index key attributes are not defined in AttributeDefinitions. Keys: [z], AttributeDefinitions: [a, b, \
         c, d]",
    );
    let mut bad = global("idx", &["c"], &[]);
    bad.projection = ProjectionInput::default();
    check(vec![GlobalIndexUpdate::create(bad)], "P: Unknown ProjectionType: null");
}

#[test]
fn updates_fit_the_table() {
    let tables = Tables::new();
    let mut input = simple();
    input.local_secondary_indexes = Some(vec![local("local", "a", "b")]);
    input.global_secondary_indexes = Some(vec![global("idx", &["b"], &[])]);
    tables.create_table(input).unwrap();
    let refused = |updates, text: &str| check_refused(tables.update(with(updates)), text);
    let limited = |updates, text: &str| check_error(tables.update(with(updates)), "LimitExceeded", text);
    let one =
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table";
    limited(vec![create("new1"), create("new2")], one);
    limited(vec![create("new1"), delete("idx")], one);
    // Before the indexes are looked up, and before the table is.
    for updates in [
        vec![create("idx"), create("new")],
        vec![create("new"), delete("none")],
        vec![delete("local"), delete("none")],
        vec![throughput("unknown", 1, 1), delete("idx"), delete("none")],
    ] {
        limited(updates.clone(), one);
        let mut input = UpdateTableInput::new(table("missing"));
        with(updates)(&mut input);
        check_error(tables.update_table(input), "LimitExceeded", one);
    }
    refused(vec![create("idx")], "Attempting to create an index which already exists");
    refused(vec![delete("local")], "Cannot delete an index that is not a GlobalSecondaryIndex: local");
    refused(
        vec![throughput("local", 1, 1)],
        "Cannot update an index that is not a GlobalSecondaryIndex: local",
    );
    for update in [delete("none"), throughput("none", 1, 1)] {
        check_error(
            tables.update(with(vec![update])),
            "ResourceNotFound",
            "Requested resource not found: Index none for table Tbl",
        );
    }
    refused(
        vec![throughput("idx", 1, 1)],
        "P: The only Updates for index: idx when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, \
         WarmThroughput",
    );
    let mut paid = global("new", &["c"], &[]);
    paid.provisioned_throughput = Some(units(1, 1));
    refused(
        vec![GlobalIndexUpdate::create(paid)],
        "P: ProvisionedThroughput should not be specified for index: new when BillingMode is PAY_PER_REQUEST",
    );
    for n in 1..20 {
        tables.update(with(vec![create(&format!("idx{n}"))])).unwrap();
    }
    limited(
        vec![create("one-more")],
        "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20",
    );
}

#[test]
fn provisioned_indexes_have_units() {
    let tables = Tables::provisioned();
    check_refused(
        tables.update(with(vec![create("new")])),
        "P: Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: new",
    );
    check_refused(
        tables.update(with(vec![throughput("idx", 5, 5)])),
        "The provisioned throughput for the index idx will not change. The requested value equals the current value. Current \
         ReadCapacityUnits provisioned for index idx: 5. Requested ReadCapacityUnits: 5. Current WriteCapacityUnits \
         provisioned for index idx: 5. Requested WriteCapacityUnits: 5. Refer to the Amazon DynamoDB Developer Guide for \
         current limits and how to request higher limits.",
    );
    let shown = tables.update(with(vec![throughput("idx", 6, 4)])).unwrap();
    let index = &shown.global_secondary_indexes[0];
    assert_eq!((shown.table_status, index.index_status), (TableStatus::Active, TableStatus::Updating));
    let throughput = index.provisioned_throughput;
    assert_eq!((throughput.read_capacity_units, throughput.write_capacity_units), (6, 4));
    assert_eq!(throughput.number_of_decreases_today, 1);
}

#[test]
fn a_new_index_takes_in_what_is_there() {
    let tables = Tables::with_table();
    let item = |n: &str| Item::new().with("a", n).with("b", "x");
    tables.put("Tbl", item("1").with("c", "red").with("d", 1));
    tables.put("Tbl", item("2").with("c", "green"));
    tables.put("Tbl", item("3"));
    tables.put("Tbl", item("4").with("c", 7));
    tables.put("Tbl", item("5").with("c", ""));
    tables.put("Tbl", item("6").with("c", "x".repeat(2049).as_str()));

    let mut index = global("idx", &["c"], &[]);
    index.projection = ProjectionInput::of(ProjectionType::KeysOnly);
    let shown = tables.update(with(vec![GlobalIndexUpdate::create(index)])).unwrap();
    assert_eq!(shown.table_status, TableStatus::Updating);
    let index = &shown.global_secondary_indexes[0];
    assert_eq!(
        (index.index_status, index.backfilling, index.item_count),
        (TableStatus::Creating, Some(false), 0)
    );

    let described = tables.describe("Tbl");
    let index = &described.global_secondary_indexes[0];
    assert_eq!((index.index_status, index.backfilling, index.item_count), (TableStatus::Active, None, 2));
    assert!(index.index_size_bytes > 0);
    let names: Vec<&str> = described.attribute_definitions.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"], "the unused definition of `d` is dropped");
    assert_eq!(
        tables.rows("Tbl", Some("idx")),
        [
            r#"{"a":{"S":"1"},"b":{"S":"x"},"c":{"S":"red"}}"#,
            r#"{"a":{"S":"2"},"b":{"S":"x"},"c":{"S":"green"}}"#
        ]
    );

    // Writes after it keep it up to date.
    tables.put("Tbl", item("3").with("c", "blue"));
    assert_eq!(tables.rows("Tbl", Some("idx")).len(), 3);

    let shown = tables.update(with(vec![delete("idx")])).unwrap();
    assert_eq!(shown.global_secondary_indexes[0].index_status, TableStatus::Deleting);
    let described = tables.describe("Tbl");
    assert_eq!(described.global_secondary_indexes, []);
    assert_eq!(described.attribute_definitions.len(), 2);
    // The same name may come back with another key.
    tables.update(with(vec![GlobalIndexUpdate::create(global("idx", &["d"], &[]))])).unwrap();
    assert_eq!(tables.rows("Tbl", Some("idx")).len(), 1);
}

#[test]
fn many_items_are_taken_in() {
    let tables = Tables::with_table();
    for n in 0..2500 {
        tables.put("Tbl", Item::new().with("a", n.to_string().as_str()).with("b", "x").with("c", "y"));
    }
    tables.update(with(vec![create("idx")])).unwrap();
    assert_eq!(tables.describe("Tbl").global_secondary_indexes[0].item_count, 2500);
}

#[test]
fn attributes_of_keys_are_not_redefined() {
    let tables = Tables::new();
    let mut input = simple();
    input.attribute_definitions.extend([definition("c", ScalarType::N), definition("e", ScalarType::B)]);
    input.local_secondary_indexes = Some(vec![local("local", "a", "c")]);
    input.global_secondary_indexes = Some(vec![global("idx", &["e"], &[])]);
    tables.create_table(input).unwrap();
    let create = |key: GlobalIndexInput, definitions: &[(&str, ScalarType)]| {
        tables.update(|t| {
            t.attribute_definitions =
                Some(definitions.iter().map(|(name, scalar_type)| definition(name, *scalar_type)).collect());
            t.global_secondary_index_updates = Some(vec![GlobalIndexUpdate::create(key)]);
        })
    };
    let check = |key, definitions: &[(&str, ScalarType)], existing: &str, new: &str| {
        check_refused(
            create(key, definitions),
            &format!(
                "P: Attributes cannot be redefined. Please check that your attribute has the same type as previously \
                 defined. Existing schema: Schema:[{existing}] New schema: Schema:[{new}]"
            ),
        );
    };
    let of_table = "SchemaElement: key{a:S:HASH}, SchemaElement: key{b:S:RANGE}";
    let (s, n, b) = (ScalarType::S, ScalarType::N, ScalarType::B);
    check(global("new", &["a"], &[]), &[("a", n)], of_table, "SchemaElement: key{a:N:HASH}");
    check(
        global("new", &["d"], &["b"]),
        &[("d", s), ("b", b)],
        of_table,
        "SchemaElement: key{d:S:HASH}, SchemaElement: key{b:B:RANGE}",
    );
    check(
        global("new", &["c"], &[]),
        &[("c", s)],
        "SchemaElement: key{a:S:HASH}, SchemaElement: key{c:N:RANGE}",
        "SchemaElement: key{c:S:HASH}",
    );
    // What is not defined again has its stored type.
    check(
        global("new", &["e", "b"], &[]),
        &[("e", s)],
        "SchemaElement: key{e:B:HASH}",
        "SchemaElement: key{e:S:HASH}, SchemaElement: key{b:S:HASH}",
    );
    let index = tables.describe("Tbl").global_secondary_indexes.len();
    assert_eq!(index, 1, "nothing of a refused request is done");

    // The same type again is accepted.
    create(global("new", &["e"], &["c"]), &[("e", b), ("c", n)]).unwrap();
}

#[test]
fn definitions_that_a_new_index_does_not_use_are_ignored() {
    let tables = Tables::with_table();
    tables.put("Tbl", Item::new().with("a", "1").with("b", "x").with("c", 1));
    let shown = tables.update(|t| {
        let types = [("b", ScalarType::N), ("c", ScalarType::N), ("stale", ScalarType::S)];
        t.attribute_definitions = Some(types.map(|(name, scalar_type)| definition(name, scalar_type)).into());
        t.global_secondary_index_updates =
            Some(vec![GlobalIndexUpdate::create(global("idx", &["c"], &["a"]))]);
    });
    let defined = shown.unwrap().attribute_definitions;
    assert_eq!(defined[1], definition("b", ScalarType::S), "the stored type of an attribute stays");
    assert_eq!(defined.len(), 3);
    assert_eq!(tables.rows("Tbl", Some("idx")).len(), 1);
    // Without a new index definitions are not read at all.
    tables
        .update(|t| {
            t.attribute_definitions = Some(vec![definition("a", ScalarType::B)]);
            t.deletion_protection_enabled = Some(false);
        })
        .unwrap();
}

#[test]
fn indexes_combine_with_billing() {
    let tables = Tables::provisioned();
    let shown = tables.update(|t| {
        with(vec![create("new")])(t);
        t.billing_mode = Some(BillingMode::PayPerRequest);
    });
    assert_eq!(shown.unwrap().global_secondary_indexes.len(), 2);
    let caps = OnDemandThroughput { max_read_units: Some(9), max_write_units: None };
    let update = GlobalIndexThroughputUpdate {
        index_name: index_name("new"),
        provisioned_throughput: None,
        on_demand_throughput: Some(caps),
        warm_throughput: Some(WarmThroughputInput {
            read_units_per_second: Some(13_000),
            write_units_per_second: None,
        }),
    };
    let capped = |read, write| GlobalIndexThroughputUpdate {
        on_demand_throughput: Some(OnDemandThroughput { max_read_units: read, max_write_units: write }),
        warm_throughput: None,
        ..update.clone()
    };
    tables.update(with(vec![GlobalIndexUpdate::update(update.clone())])).unwrap();
    let described = || tables.describe("Tbl").global_secondary_indexes[1].clone();
    assert_eq!(described().on_demand_throughput, Some(caps));
    assert_eq!(described().warm_throughput.unwrap().read_units_per_second, 13_000);

    let cleared = tables.update(with(vec![GlobalIndexUpdate::update(capped(Some(-1), None))])).unwrap();
    let shown = cleared.global_secondary_indexes[1].on_demand_throughput.unwrap();
    assert_eq!((shown.max_read_units, shown.max_write_units), (Some(-1), None));
    assert_eq!(described().on_demand_throughput, None);
    check_refused(
        tables.update(with(vec![GlobalIndexUpdate::update(capped(None, Some(0)))])),
        "P: Requested MaxWriteRequestUnits for OnDemandThroughput for index : new is outside of valid range",
    );
    let nothing = GlobalIndexThroughputUpdate { on_demand_throughput: None, ..capped(None, None) };
    check_refused(
        tables.update(with(vec![GlobalIndexUpdate::update(nothing)])),
        "P: The only Updates for index: new when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, \
         WarmThroughput",
    );
}

#[test]
fn caps_of_indexes_need_an_on_demand_table() {
    let tables = Tables::provisioned();
    for units in [5, -1] {
        let caps = OnDemandThroughput { max_read_units: Some(units), max_write_units: None };
        let update = GlobalIndexThroughputUpdate {
            index_name: index_name("idx"),
            provisioned_throughput: None,
            on_demand_throughput: Some(caps),
            warm_throughput: None,
        };
        check_refused(
            tables.update(with(vec![GlobalIndexUpdate::update(update)])),
            "P: MaxReadRequestUnits for OnDemandThroughput for index : idx cannot be specified when the table \
             BillingMode is PROVISIONED",
        );
    }
}
