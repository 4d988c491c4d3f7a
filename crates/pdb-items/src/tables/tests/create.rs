//! CreateTable: `validation.md` 10.11.

use pdb_model::{BillingMode, OnDemandThroughput};

use super::*;

#[track_caller]
fn check(change: impl FnOnce(&mut CreateTableInput), text: &str) {
    let mut input = simple();
    change(&mut input);
    check_refused(Tables::new().create_table(input), text);
}

#[track_caller]
fn check_accepted(change: impl FnOnce(&mut CreateTableInput)) -> TableDescription {
    let mut input = simple();
    change(&mut input);
    let tables = Tables::new();
    tables.create_table(input).unwrap();
    tables.describe("Tbl")
}

fn caps(reads: Option<i64>, writes: Option<i64>) -> Option<OnDemandThroughput> {
    Some(OnDemandThroughput { max_read_units: reads, max_write_units: writes })
}

fn warm(reads: Option<i64>, writes: Option<i64>) -> Option<WarmThroughputInput> {
    Some(WarmThroughputInput { read_units_per_second: reads, write_units_per_second: writes })
}

#[test]
fn throughput_fits_the_billing_mode() {
    let both =
        "P: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED";
    check(|t| t.billing_mode = None, both);
    check(|t| t.billing_mode = Some(BillingMode::Provisioned), both);
    check(
        |t| t.provisioned_throughput = Some(units(1, 1)),
        "P: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
    );
    let provision = |t: &mut CreateTableInput, reads, writes| {
        t.billing_mode = Some(BillingMode::Provisioned);
        t.provisioned_throughput = Some(units(reads, writes));
    };
    check(
        |t| provision(t, 1_000_000_000_001, 1),
        "Given value 1000000000001 for ReadCapacityUnits is out of bounds",
    );
    check(
        |t| provision(t, 1, 1_000_000_000_001),
        "Given value 1000000000001 for WriteCapacityUnits is out of bounds",
    );
    check(
        |t| {
            provision(t, 1, 1);
            let mut index = global("idx", &["b"], &[]);
            index.provisioned_throughput = Some(units(1_000_000_000_001, 1));
            t.global_secondary_indexes = Some(vec![index]);
        },
        "Given value 1000000000001 for ReadCapacityUnits is out of bounds for index idx",
    );
}

#[test]
fn on_demand_caps_are_for_on_demand_tables() {
    let provision = |t: &mut CreateTableInput| {
        t.billing_mode = None;
        t.provisioned_throughput = Some(units(1, 1));
    };
    check(
        |t| {
            provision(t);
            t.on_demand_throughput = caps(Some(5), None);
        },
        "P: MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.",
    );
    check(
        |t| {
            provision(t);
            t.on_demand_throughput = caps(None, Some(5));
        },
        "P: MaxWriteRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.",
    );
    check(
        |t| {
            provision(t);
            let mut index = global("idx", &["b"], &[]);
            index.provisioned_throughput = Some(units(1, 1));
            index.on_demand_throughput = caps(Some(5), None);
            t.global_secondary_indexes = Some(vec![index]);
        },
        "P: MaxReadRequestUnits for OnDemandThroughput for index: idx cannot be specified when table BillingMode is \
         PROVISIONED.",
    );
    for bad in [0, -1, -2] {
        check(
            |t| t.on_demand_throughput = caps(Some(bad), None),
            "P: Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range",
        );
        check(
            |t| {
                let mut index = global("idx", &["b"], &[]);
                index.on_demand_throughput = caps(None, Some(bad));
                t.global_secondary_indexes = Some(vec![index]);
            },
            "P: Requested MaxWriteRequestUnits for OnDemandThroughput for index : idx is outside of valid range",
        );
    }
    let table = check_accepted(|t| t.on_demand_throughput = caps(Some(5), None));
    assert_eq!(table.on_demand_throughput, caps(Some(5), None));
}

#[test]
fn warm_throughput_is_at_least_what_there_is_anyway() {
    check(
        |t| t.warm_throughput = warm(Some(11_999), None),
        "P: Requested ReadUnitsPerSecond for WarmThroughput for table is lower than initial throughput for OnDemand. See: \
         https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html\
         #on-demand-capacity-mode-initial",
    );
    check(
        |t| {
            t.billing_mode = None;
            t.provisioned_throughput = Some(units(10, 10));
            t.warm_throughput = warm(None, Some(9));
        },
        "P: Requested WriteUnitsPerSecond for WarmThroughput for table is lower than WriteCapacityUnits of \
         ProvisionedThroughput",
    );
    let tables = Tables::new();
    let input = CreateTableInput { warm_throughput: warm(Some(13_000), None), ..simple() };
    let shown = tables.create_table(input).unwrap().warm_throughput.unwrap();
    assert_eq!(
        (shown.read_units_per_second, shown.write_units_per_second, shown.status),
        (13_000, 4_000, TableStatus::Updating)
    );
    assert_eq!(tables.describe("Tbl").warm_throughput.unwrap().status, TableStatus::Active);
}

#[test]
fn keys_are_defined_once_and_in_order() {
    check(
        |t| t.attribute_definitions.push(definition("a", ScalarType::N)),
        "Attribute Name is duplicated: a",
    );
    check(
        |t| t.attribute_definitions.truncate(1),
        "Invalid KeySchema: Some index key attribute have no definition",
    );
    check(
        |t| {
            t.key_schema = key(&["a"], &[]);
            t.attribute_definitions = vec![definition("b", ScalarType::S)];
        },
        "P: Some index key attributes are not defined in AttributeDefinitions. Keys: [a], AttributeDefinitions: [b]",
    );
    check(
        |t| t.key_schema = key(&["a"], &["a"]),
        "Both the Hash Key and the Range Key element in the KeySchema have the same name",
    );
    check(
        |t| t.key_schema = key(&[], &["a", "b"]),
        "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
    );
    check(
        |t| t.key_schema = key(&["a", "b"], &[]),
        "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
    );
}

#[test]
fn definitions_are_used() {
    check(
        |t| t.attribute_definitions.push(definition("c", ScalarType::S)),
        "P: Number of attributes in KeySchema does not exactly match number of attributes defined in \
         AttributeDefinitions",
    );
    check(
        |t| {
            t.attribute_definitions.push(definition("c", ScalarType::S));
            t.local_secondary_indexes = Some(vec![local("idx", "a", "b")]);
        },
        "P: Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, c], keys used: [a, b]",
    );
}

#[test]
fn attributes_named_twice_come_before_unused_definitions() {
    let pair = "Both the Hash Key and the Range Key element in the KeySchema have the same name";
    let several = "The KeySchema contains multiple key attributes with the same name";
    type Change<'a> = &'a dyn Fn(&mut CreateTableInput);
    let cases: &[(Change<'_>, &str)] = &[
        (&|t| t.key_schema = key(&["b"], &["b"]), pair),
        (&|t| t.local_secondary_indexes = Some(vec![local("idx", "a", "a")]), pair),
        (&|t| t.global_secondary_indexes = Some(vec![global("idx", &["b"], &["b"])]), pair),
        (&|t| t.global_secondary_indexes = Some(vec![global("idx", &["b", "b"], &[])]), several),
        (&|t| t.global_secondary_indexes = Some(vec![global("idx", &["b"], &["a", "b"])]), several),
    ];
    for (change, text) in cases {
        check(
            |t| {
                change(t);
                t.attribute_definitions.push(definition("unused", ScalarType::N));
            },
            text,
        );
    }
    // Everything else of an index comes after them.
    check(
        |t| {
            t.global_secondary_indexes = Some(vec![global("idx", &[], &["b"])]);
            t.attribute_definitions.push(definition("c", ScalarType::S));
        },
        "P: Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, c], keys used: [a, b]",
    );
}

#[test]
fn local_indexes_share_the_partition_key() {
    check(|t| t.local_secondary_indexes = Some(vec![]), "P: List of LocalSecondaryIndexes is empty");
    check(
        |t| {
            t.key_schema = key(&["a"], &[]);
            t.local_secondary_indexes = Some(vec![local("idx", "a", "b")]);
        },
        "P: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
    );
    check(
        |t| t.local_secondary_indexes = Some(vec![local("idx", "a", "z")]),
        "P: Some index key attributes are not defined in AttributeDefinitions. Keys: [a, z], AttributeDefinitions: \
         [a, b]",
    );
    check(
        |t| {
            let mut index = local("idx", "a", "b");
            index.key_schema = key(&["a"], &[]);
            t.local_secondary_indexes = Some(vec![index]);
        },
        "P: Index KeySchema does not have a range key for index: idx",
    );
    check(
        |t| t.local_secondary_indexes = Some(vec![local("idx", "b", "a")]),
        "P: Index KeySchema does not have the same leading hash key as table KeySchema for index: idx. index hash key: \
         b, table hash key: a",
    );
    check(
        |t| t.local_secondary_indexes = Some(vec![local("idx", "a", "b"), local("idx", "a", "b")]),
        "P: Duplicate index name: idx",
    );
    check(
        |t| {
            let names = ["idx1", "idx2", "idx3", "idx4", "idx5", "idx6"];
            t.local_secondary_indexes = Some(names.map(|name| local(name, "a", "b")).into());
        },
        "P: Number of LocalSecondaryIndexes exceeds per-table limit of 5",
    );
}

#[test]
fn projections_name_attributes_only_to_include_them() {
    let with = |projection_type, names: Option<&'static [&'static str]>| {
        move |t: &mut CreateTableInput| {
            let mut index = local("idx", "a", "b");
            index.projection = ProjectionInput {
                projection_type,
                non_key_attributes: names.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            };
            t.local_secondary_indexes = Some(vec![index]);
        }
    };
    use ProjectionType::{All, Include, KeysOnly};
    check(with(None, None), "P: Unknown ProjectionType: null");
    check(with(Some(All), Some(&["x"])), "P: ProjectionType is ALL, but NonKeyAttributes is specified");
    check(
        with(Some(KeysOnly), Some(&["x"])),
        "P: ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified",
    );
    check(with(Some(Include), None), "P: ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
    check(with(Some(Include), Some(&["x", "x"])), "P: Duplicate element in NonKeyAttributes: x");
    let table = check_accepted(with(Some(Include), Some(&["z", "a", "y"])));
    let sorted = ["a", "y", "z"].map(str::to_owned).to_vec();
    assert_eq!(table.local_secondary_indexes[0].projection, pdb_model::Projection::Include(sorted));
}

#[test]
fn global_indexes_have_keys_of_their_own() {
    let with = |indexes: Vec<GlobalIndexInput>| {
        move |t: &mut CreateTableInput| t.global_secondary_indexes = Some(indexes)
    };
    check(with(vec![]), "P: List of GlobalSecondaryIndexes is empty");
    let mut paid = global("idx", &["b"], &[]);
    paid.provisioned_throughput = Some(units(1, 1));
    check(
        with(vec![paid]),
        "P: ProvisionedThroughput should not be specified for index: idx when BillingMode is PAY_PER_REQUEST",
    );
    check(
        |t| {
            t.billing_mode = None;
            t.provisioned_throughput = Some(units(1, 1));
            t.global_secondary_indexes = Some(vec![global("idx", &["b"], &[])]);
        },
        "P: ProvisionedThroughput is not specified for index: idx",
    );
    check(
        with(vec![global("idx", &["z"], &[])]),
        "P: Some index key attributes are not defined in AttributeDefinitions. Keys: [z], AttributeDefinitions: [a, b]",
    );
    check(with(vec![global("idx", &["b"], &[]), global("idx", &["a"], &[])]), "P: Duplicate index name: idx");
    check(
        |t| {
            t.local_secondary_indexes = Some(vec![local("idx", "a", "b")]);
            t.global_secondary_indexes = Some(vec![global("idx", &["b"], &[])]);
        },
        "P: Duplicate index name: idx",
    );
    let many = (0..21).map(|n| global(&format!("idx{n}"), &["b"], &[])).collect();
    check(with(many), "P: GlobalSecondaryIndex count exceeds the per-table limit of 20");
    check(
        with(vec![global("idx", &[], &["b"])]),
        "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
    );
    check(
        with(vec![global("idx", &["b"], &["b"])]),
        "Both the Hash Key and the Range Key element in the KeySchema have the same name",
    );
}

#[test]
fn global_keys_have_up_to_four_attributes_of_each_part() {
    let names = ["a", "b", "c", "d", "e"];
    let with = |key_schema: Vec<KeySchemaElement>| {
        move |t: &mut CreateTableInput| {
            t.attribute_definitions = names.map(|name| definition(name, ScalarType::S)).into();
            let mut all = global("all", &["a", "b", "c", "d"], &["e"]);
            all.projection = ProjectionInput::of(ProjectionType::KeysOnly);
            t.global_secondary_indexes =
                Some(vec![all, GlobalIndexInput::new(index_name("idx"), key_schema)]);
        }
    };
    let mut mixed = key(&["a"], &["b"]);
    mixed.push(KeySchemaElement::hash("c"));
    check(with(mixed), "P: All HASH key attributes must precede RANGE key attributes in the KeySchema");
    check(
        with(key(&names, &[])),
        "P: The KeySchema exceeds the maximum allowed number of HASH key attributes",
    );
    check(
        with(key(&["a"], &["b", "c", "d", "e", "a"])),
        "P: The KeySchema exceeds the maximum allowed number of RANGE key attributes",
    );
    check(
        with(key(&["a", "b", "a"], &[])),
        "The KeySchema contains multiple key attributes with the same name",
    );
    let table = check_accepted(with(key(&["e", "d", "c"], &["b", "a"])));
    assert_eq!(table.global_secondary_indexes[1].key_schema, key(&["e", "d", "c"], &["b", "a"]));
}

#[test]
fn odd_but_legal_indexes_are_accepted() {
    // An index named like the table, with the table's keys; a local index over the table's sort key.
    let table = check_accepted(|t| {
        t.global_secondary_indexes = Some(vec![global("Tbl", &["a"], &["b"])]);
        t.local_secondary_indexes = Some(vec![local("idx", "a", "b")]);
    });
    assert_eq!(table.global_secondary_indexes[0].index_name.as_str(), "Tbl");
    assert_eq!(table.local_secondary_indexes.len(), 1);
}

#[test]
fn streams_need_a_view_type_to_be_enabled() {
    let with = |stream_enabled, stream_view_type| {
        move |t: &mut CreateTableInput| {
            t.stream_specification = Some(StreamSpecification { stream_enabled, stream_view_type });
        }
    };
    check(with(true, None), "P: Table is being created with a stream enabled, UpdateViewType is required");
    check(
        with(false, Some(StreamViewType::KeysOnly)),
        "P: Table is being created with a stream disabled, UpdateViewType should not be specified",
    );
    let table = check_accepted(with(false, None));
    assert_eq!((table.stream_view_type, table.latest_stream_arn), (None, None));
}

#[test]
fn encryption_is_with_kms_or_by_default() {
    let with = |enabled, sse_type, key: Option<&str>| {
        let kms_master_key_id = key.map(str::to_owned);
        move |t: &mut CreateTableInput| {
            t.sse_specification = Some(SseSpecification { enabled, sse_type, kms_master_key_id });
        }
    };
    check(with(Some(false), Some(SseType::Kms), None), "P: SSEType can not be specified if Enabled is false");
    check(with(Some(false), None, Some("key")), "P: KMSMasterKeyId can not be specified if Enabled is false");
    check(with(Some(true), None, Some("key")), "P: SSEType KMS is required if KMSMasterKeyId is specified");
    check(with(Some(true), Some(SseType::Aes256), None), "P: SSEType AES256 is not supported");
    assert_eq!(check_accepted(with(None, None, None)).sse_description, None);
    assert_eq!(check_accepted(with(Some(false), None, None)).sse_description, None);
    let arn = |table: TableDescription| table.sse_description.unwrap().kms_master_key_arn;
    let own = check_accepted(with(None, Some(SseType::Kms), Some("my-key")));
    assert_eq!(arn(own), "arn:aws:kms:us-east-1:000000000000:key/my-key");
    let managed = check_accepted(with(Some(true), None, None));
    assert_eq!(arn(managed), "arn:aws:kms:us-east-1:000000000000:alias/aws/dynamodb");
}

#[test]
fn tables_have_one_name_each() {
    let tables = Tables::with_table();
    check_error(tables.create_table(simple()), "ResourceInUse", "Table already exists: Tbl");
    // What is wrong with the request comes first.
    let input = CreateTableInput { billing_mode: None, ..simple() };
    check_refused(
        tables.create_table(input),
        "P: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
    );
    check(
        |t| t.global_table_source_arn = Some("arn:aws:dynamodb:eu-west-1:000000000000:table/Tbl".to_owned()),
        "P: GlobalTableSourceArn is not supported: there are no global tables here",
    );
}
