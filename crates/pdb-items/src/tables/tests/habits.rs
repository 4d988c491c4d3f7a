//! Habits of DynamoDB Local: each by itself, and none of them without being asked.

use pdb_model::{BillingMode, OnDemandThroughput};

use super::*;
use crate::Habits;

fn with(habits: Habits) -> Tables {
    let Tables { db, manager } = Tables::new();
    Tables { db, manager: manager.with_habits(habits) }
}

fn names(description: &TableDescription) -> Vec<&str> {
    description.attribute_definitions.iter().map(|definition| definition.name.as_str()).collect()
}

/// A table on demand with keys and definitions that are not in the order of their names, and one that is unused.
fn unusual() -> CreateTableInput {
    CreateTableInput {
        attribute_definitions: ["z", "unused", "b", "a"].map(|name| definition(name, ScalarType::S)).to_vec(),
        global_secondary_indexes: Some(vec![GlobalIndexInput {
            provisioned_throughput: Some(units(5, 5)),
            ..global("idx", &["z"], &[])
        }]),
        billing_mode: Some(BillingMode::PayPerRequest),
        ..streaming()
    }
}

#[test]
fn what_aws_refuses_is_taken_by_habit_alone() {
    const UNUSED: &str = "P: Some AttributeDefinitions are not used. AttributeDefinitions: [a, b, unused, z], keys used: [a, b, z]";
    const THROUGHPUT: &str =
        "P: ProvisionedThroughput should not be specified for index: idx when BillingMode is PAY_PER_REQUEST";
    check_refused(with(Habits::default()).create_table(unusual()), UNUSED);
    let definitions = Habits { unused_definitions: true, ..Habits::default() };
    check_refused(with(definitions).create_table(unusual()), THROUGHPUT);
    let throughput = Habits { index_throughput: true, ..Habits::default() };
    check_refused(with(throughput).create_table(unusual()), UNUSED);

    let both = Habits { unused_definitions: true, index_throughput: true, ..Habits::default() };
    let tables = with(both);
    tables.create_table(unusual()).unwrap();
    let described = tables.describe("Tbl");
    assert_eq!(names(&described), ["a", "b", "z"]);
    let index = &described.global_secondary_indexes[0];
    assert_eq!(index.provisioned_throughput.read_capacity_units, 0);

    // What no key can be is refused all the same.
    let mut missing = unusual();
    missing.attribute_definitions.retain(|definition| definition.name != "z");
    assert!(tables.create_table(missing).is_err());
}

#[test]
fn a_table_with_provisioned_throughput_keeps_that_of_its_indexes() {
    let tables = with(Habits::dynamodb_local());
    let input = CreateTableInput {
        billing_mode: Some(BillingMode::Provisioned),
        provisioned_throughput: Some(units(1, 2)),
        ..unusual()
    };
    tables.create_table(input).unwrap();
    let index = &tables.describe("Tbl").global_secondary_indexes[0];
    assert_eq!(index.provisioned_throughput.read_capacity_units, 5);
}

#[test]
fn definitions_stay_in_the_order_of_the_request() {
    let tables = with(Habits::dynamodb_local());
    let created = tables.create_table(unusual()).unwrap();
    assert_eq!(names(&created), ["z", "b", "a"]);
    assert_eq!(names(&tables.describe("Tbl")), ["z", "b", "a"]);
    // Indexes come and go with their attributes, behind those that were there.
    let create = |t: &mut UpdateTableInput| {
        t.attribute_definitions = Some(vec![definition("c", ScalarType::N)]);
        let index =
            GlobalIndexInput { provisioned_throughput: Some(units(9, 9)), ..global("new", &["c"], &[]) };
        t.global_secondary_index_updates = Some(vec![GlobalIndexUpdate::create(index)]);
    };
    tables.update(create).unwrap();
    assert_eq!(names(&tables.describe("Tbl")), ["z", "b", "a", "c"]);
    let delete = |t: &mut UpdateTableInput| {
        t.global_secondary_index_updates = Some(vec![GlobalIndexUpdate::delete(index_name("idx"))]);
    };
    tables.update(delete).unwrap();
    assert_eq!(names(&tables.describe("Tbl")), ["b", "a", "c"]);

    let tables = Tables::new();
    let mut input = unusual();
    input.attribute_definitions.retain(|definition| definition.name != "unused");
    input.global_secondary_indexes.as_mut().unwrap()[0].provisioned_throughput = None;
    assert_eq!(names(&tables.create_table(input).unwrap()), ["a", "b", "z"]);
    check_refused(
        tables.update(create),
        "P: ProvisionedThroughput should not be specified for index: new when BillingMode is PAY_PER_REQUEST",
    );
}

#[test]
fn a_deleted_table_is_described_in_full() {
    let tables = with(Habits { long_delete_answer: true, ..Habits::dynamodb_local() });
    tables.create_table(unusual()).unwrap();
    let described = tables.describe("Tbl");
    let deleted = tables.delete_table(&table("Tbl")).unwrap();
    assert_eq!(deleted, TableDescription { table_status: TableStatus::Deleting, ..described });
    assert_eq!((deleted.key_schema.len(), deleted.global_secondary_indexes.len()), (2, 1));
}

#[test]
fn units_of_an_index_on_a_table_on_demand_have_no_effect() {
    let tables = with(Habits::dynamodb_local());
    tables.create_table(unusual()).unwrap();
    let change = |name: &str, caps: Option<i64>| GlobalIndexThroughputUpdate {
        index_name: index_name(name),
        provisioned_throughput: Some(units(7, 8)),
        on_demand_throughput: caps
            .map(|reads| OnDemandThroughput { max_read_units: Some(reads), max_write_units: None }),
        warm_throughput: None,
    };
    let update = |change| {
        tables.update(|t| t.global_secondary_index_updates = Some(vec![GlobalIndexUpdate::update(change)]))
    };
    update(change("idx", None)).unwrap();
    let index = || tables.describe("Tbl").global_secondary_indexes[0].clone();
    assert_eq!(index().provisioned_throughput.read_capacity_units, 0);
    update(change("idx", Some(40))).unwrap();
    assert_eq!(index().on_demand_throughput.unwrap().max_read_units, Some(40));
    // What is not there is refused all the same, and so is a change of nothing.
    update(change("none", None)).unwrap_err();
    update(GlobalIndexThroughputUpdate { provisioned_throughput: None, ..change("idx", None) }).unwrap_err();
}
