//! Waiting for tables: `dynamodb.md` 3.4, `streams.md` 2.6.

use pdb_model::{BillingMode, Item};

use super::*;
use crate::{GetItemInput, ItemManager, ItemsConfig};

const IN_USE: &str = "Attempt to change a resource which is still in use: ";

/// Tables whose changes are shown for ten seconds.
fn slow() -> Tables {
    let mut tables = Tables::new();
    tables.manager = tables.manager.with_transition_delay(Duration::from_secs(10));
    tables
}

fn ready() -> Tables {
    let tables = slow();
    let mut input = simple();
    input.attribute_definitions.push(definition("c", ScalarType::S));
    input.global_secondary_indexes = Some(vec![global("idx", &["c"], &[])]);
    tables.create_table(input).unwrap();
    tables.advance(10);
    tables
}

#[track_caller]
fn check<T: std::fmt::Debug>(result: Result<T, ItemsError>, tail: &str) {
    check_error(result, "ResourceInUse", &format!("{IN_USE}{tail}"));
}

fn enable(t: &mut UpdateTableInput) {
    t.stream_specification = Some(StreamSpecification::enabled(StreamViewType::NewImage));
}

fn disable(t: &mut UpdateTableInput) {
    t.stream_specification = Some(StreamSpecification::disabled());
}

fn protect(t: &mut UpdateTableInput) {
    t.deletion_protection_enabled = Some(true);
}

fn provision(reads: i64) -> impl Fn(&mut UpdateTableInput) {
    move |t| {
        t.billing_mode = Some(BillingMode::Provisioned);
        t.provisioned_throughput = Some(units(reads, 1));
        t.global_secondary_index_updates = Some(vec![throughput("idx", reads)]);
    }
}

fn throughput(name: &str, reads: i64) -> GlobalIndexUpdate {
    GlobalIndexUpdate::update(GlobalIndexThroughputUpdate {
        index_name: index_name(name),
        provisioned_throughput: Some(units(reads, 1)),
        on_demand_throughput: None,
        warm_throughput: None,
    })
}

fn index(update: GlobalIndexUpdate) -> impl Fn(&mut UpdateTableInput) {
    move |t| {
        t.attribute_definitions = Some(vec![definition("d", ScalarType::S)]);
        t.global_secondary_index_updates = Some(vec![update.clone()]);
    }
}

#[test]
fn a_table_comes_to_be() {
    let tables = slow();
    tables.create_table(simple()).unwrap();
    assert_eq!(tables.describe("Tbl").table_status, TableStatus::Creating);
    assert_eq!(tables.list_tables(&ListTablesInput::default()).unwrap().table_names.len(), 1);
    let name = table("Tbl");
    let created = "Table is being created: Tbl";
    check(tables.create_table(simple()), created);
    check(tables.update(protect), created);
    check(tables.delete_table(&name), created);
    let arn = tables.describe("Tbl").table_arn;
    check(tables.tag_resource(&arn, vec![Tag::new("a", "b")]), created);
    let ttl = TimeToLiveSpecification { enabled: true, attribute_name: "ttl".to_owned() };
    check(tables.update_time_to_live(&name, ttl), "Table Tbl is being created");
    check_refused(
        tables.describe_time_to_live(&name),
        "Cannot describe time to live while table is in CREATING state: Current table state is CREATING",
    );
    let items = ItemManager::new(tables.db.store.clone(), tables.db.env.clone(), ItemsConfig::default());
    let get = || items.get_item(GetItemInput::new(name.clone(), Item::new().with("a", "1").with("b", "2")));
    check_error(get(), "ResourceNotFound", "Requested resource not found");
    tables.advance(10);
    assert_eq!(tables.describe("Tbl").table_status, TableStatus::Active);
    get().unwrap();
    tables.delete_table(&name).unwrap();
}

#[test]
fn a_stream_is_toggled() {
    let tables = ready();
    tables.update(enable).unwrap();
    let described = tables.describe("Tbl");
    assert_eq!(described.table_status, TableStatus::Updating);
    let label = described.latest_stream_arn.unwrap().label;
    let details = |operation: &str| format!("Table: Tbl Stream: {label} Operation: {operation}");
    let progress =
        |operation| format!("A stream status change is currently in progress. {}", details(operation));
    check(tables.update(disable), &progress("ENABLE"));
    check(tables.update(enable), &progress("ENABLE"));
    check(
        tables.update(provision(1)),
        &format!("Can't change table IOPS when stream status is being updated. {}", details("ENABLE")),
    );
    check(tables.delete_table(&table("Tbl")), "Cannot delete table while stream is being enabled/disabled.");
    let class = tables.update(|t| t.table_class = Some(TableClassInput::Standard)).unwrap_err().to_string();
    let start = "Can't update table class when stream status is being updated. Table:";
    assert!(class.starts_with(&format!("{IN_USE}{start}")), "{class}");
    tables.update(protect).unwrap();
    assert_eq!(tables.describe("Tbl").table_status, TableStatus::Updating, "still");
    tables.advance(10);
    tables.update(disable).unwrap();
    check(tables.update(enable), &progress("DISABLE"));
}

#[test]
fn throughput_changes() {
    let tables = ready();
    tables.update(provision(1)).unwrap();
    assert_eq!(tables.describe("Tbl").table_status, TableStatus::Updating);
    check(tables.update(provision(2)), "Table IOPS are currently being updated. Table: Tbl");
    check(
        tables.update(enable),
        "Can't enable or disable stream while table IOPS are being updated. Table: Tbl",
    );
    check(tables.delete_table(&table("Tbl")), "Table: Tbl is in the process of being updated.");
    tables.advance(10);
    let described = tables.describe("Tbl");
    assert_eq!(described.table_status, TableStatus::Active);
    tables.update(index(throughput("idx", 7))).unwrap();
    let described = tables.describe("Tbl");
    assert_eq!(described.table_status, TableStatus::Active, "only the index changes");
    assert_eq!(described.global_secondary_indexes[0].index_status, TableStatus::Updating);
    check(tables.update(index(throughput("idx", 8))), "Index is being updated. Table: Tbl Index: idx");
}

#[test]
fn indexes_come_and_go() {
    let tables = ready();
    let create = |name: &str| index(GlobalIndexUpdate::create(global(name, &["d"], &[])));
    let delete = |name: &str| index(GlobalIndexUpdate::delete(index_name(name)));
    tables.update(create("new")).unwrap();
    let described = tables.describe("Tbl");
    assert_eq!(described.table_status, TableStatus::Updating);
    let new = &described.global_secondary_indexes[1];
    assert_eq!((new.index_status, new.backfilling), (TableStatus::Creating, Some(false)));
    check(
        tables.update(delete("new")),
        "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the index is \
         active. Table: Tbl Index: new",
    );
    check(
        tables.update(provision(1)),
        "Can't change table IOPS when an index is being created. Table: Tbl Indexes: [new]",
    );
    check(tables.update(enable), "Can't change stream status when an index is being created");
    let busy = "Cannot delete table while indexes are being created, updated, or deleted.";
    check(tables.delete_table(&table("Tbl")), busy);
    check_error(
        tables.update(create("newer")),
        "LimitExceeded",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    );
    tables.advance(10);
    assert_eq!(tables.describe("Tbl").global_secondary_indexes[1].index_status, TableStatus::Active);
    tables.update(delete("new")).unwrap();
    check(tables.update(delete("new")), "Index is being deleted. Table: Tbl Index: new");
    check(tables.delete_table(&table("Tbl")), busy);
}

#[test]
fn a_change_of_throughput_does_not_end_the_creation_of_an_index() {
    let caps = || {
        GlobalIndexUpdate::update(GlobalIndexThroughputUpdate {
            index_name: index_name("idx"),
            provisioned_throughput: None,
            on_demand_throughput: Some(pdb_model::OnDemandThroughput {
                max_read_units: Some(7),
                max_write_units: None,
            }),
            warm_throughput: None,
        })
    };
    let tables = ready();
    let near = VectorIndexInput::new(index_name("near"), "v", 1, pdb_model::DistanceFunction::Cosine);
    tables.update(|t| t.vector_index_updates = Some(vec![VectorIndexUpdate::create(near)])).unwrap();
    for backfilling in [false, true] {
        tables.update(|t| t.global_secondary_index_updates = Some(vec![caps()])).unwrap();
        let described = tables.describe("Tbl");
        assert_eq!(described.vector_indexes[0].index_status, TableStatus::Creating);
        assert_eq!(described.vector_indexes[0].backfilling, Some(backfilling));
        tables.advance(10);
    }
    assert_eq!(tables.describe("Tbl").vector_indexes[0].index_status, TableStatus::Active);

    tables.update(index(GlobalIndexUpdate::create(global("late", &["d"], &[])))).unwrap();
    tables.update(|t| t.global_secondary_index_updates = Some(vec![caps()])).unwrap();
    assert_eq!(tables.describe("Tbl").global_secondary_indexes[1].index_status, TableStatus::Creating);
}
