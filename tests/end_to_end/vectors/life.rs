//! What becomes of vector indexes over the life of a database: restart, expiry, backups, copies, snapshots.

use std::ops::ControlFlow;
use std::time::Duration;

use pretender::Pretender;
use pretender::maintenance;
use pretender::model::Item;
use pretender::streams::StreamViewType;
use pretender::tables::{
    BillingMode, RestoreOverrides, StreamSpecification, ThroughputInput, TimeToLiveSpecification,
    VectorIndexInput,
};

use super::way::{TABLE, Way, item, plain, search, search_if, table, vector, with_schema};
use crate::driver::{START, World};
use crate::place::Place;

/// Checks that everything in a database fits together.
fn check(db: &Pretender) {
    let report = db.check(&mut |event| println!("{event:?}")).unwrap();
    assert_eq!(report.findings, 0);
}

fn fill(way: &Way) {
    way.create(table(&["tenant", "category"], vec![plain(), with_schema()])).unwrap();
    for n in 0..20 {
        let item = item(&format!("item {n:02}"), &["1", &n.to_string(), "0.5"]);
        way.put(item.with("tenant", ["a", "b"][n % 2]).with("category", ["x", "y"][n / 10])).unwrap();
    }
}

fn answers(way: &Way) -> [String; 2] {
    let condition = search_if("tenant = :t AND category = :c", &[(":t", "b"), (":c", "y")]);
    [way.show(search("plain", &["1", "7", "0.5"], 5)), way.show(condition)]
}

#[test]
fn indexes_are_there_after_a_restart() {
    let place = Place::lasting();
    let open = || place.builder().sweep_interval(None).open().unwrap();
    let db = open();
    let way = Way::Library(db.clone());
    fill(&way);
    let before = (answers(&way), way.describe(TABLE)["VectorIndexes"].clone());
    assert_eq!(before.0[0], "item 07 item 08 item 06 item 09 item 10");
    db.close();
    let db = open();
    let way = Way::Library(db.clone());
    assert_eq!((answers(&way), way.describe(TABLE)["VectorIndexes"].clone()), before);
    way.put(item("another", &["1", "7", "0.5"])).unwrap();
    assert!(answers(&way)[0].starts_with("another "));
    check(&db);
    db.close();
}

#[test]
fn expired_items_leave_the_index_and_streams_have_vectors_as_they_were_sent() {
    let world = World::new();
    let way = Way::Library(world.db.clone());
    let mut input = table(&[], vec![plain()]);
    input.stream_specification = Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages));
    way.create(input).unwrap();
    let expiry = TimeToLiveSpecification { attribute_name: "expires".to_owned(), enabled: true };
    world.db.update_time_to_live(&TABLE.parse().unwrap(), expiry).unwrap();
    way.put(item("x", &["16777217", "0", "0"]).with("expires", START.seconds() + 5)).unwrap();
    assert_eq!(way.show(search("plain", &["1", "0", "0"], 5)), "x");
    world.pass(Duration::from_secs(60));
    assert_eq!(way.show(search("plain", &["1", "0", "0"], 5)), "");
    let changes = world.db.changes(TABLE).unwrap();
    let images: Vec<_> = changes.iter().filter_map(|change| change.old_image.as_ref()).collect();
    assert_eq!(images.len(), 1);
    assert_eq!(images[0]["embedding"], vector(&["16777217", "0", "0"]));
}

#[test]
fn a_restored_table_has_the_indexes_of_its_source() {
    let world = World::new();
    let (db, way) = (&world.db, Way::Library(world.db.clone()));
    fill(&way);
    let backup = db.create_backup(&TABLE.parse().unwrap(), "first").unwrap();
    way.put(item("later", &["1", "7", "0.5"])).unwrap();
    let described = db.describe_backup(&backup.backup_arn).unwrap();
    assert_eq!(described.source.vector_indexes.len(), 2);
    let restore = |target: &str, overrides| {
        db.restore_table_from_backup(&target.parse().unwrap(), &backup.backup_arn, overrides)
    };
    restore("Restored", RestoreOverrides::default()).unwrap();
    let found = |table: &str, index: &str| {
        let mut input = search(index, &["1", "7", "0.5"], 2);
        input.table_name = table.parse().unwrap();
        way.show(input)
    };
    assert_eq!(found("Restored", "plain"), "item 07 item 08");
    let only = |index: VectorIndexInput| RestoreOverrides {
        vector_indexes: Some(vec![index]),
        ..Default::default()
    };
    restore("OnlyPlain", only(plain())).unwrap();
    assert_eq!(found("OnlyPlain", "plain"), "item 07 item 08");
    assert!(found("OnlyPlain", "schema").contains("does not have the specified index"));
    let definitions = db.describe_table(&"OnlyPlain".parse().unwrap()).unwrap().attribute_definitions;
    assert_eq!(definitions.len(), 1, "the search schema is gone");
    let text = restore("Refused", only(VectorIndexInput { dimensions: 4, ..plain() })).unwrap_err().message;
    assert!(text.starts_with("Invalid Request: Index plain does not match"), "{text}");
    let units = ThroughputInput { read_capacity_units: 1, write_capacity_units: 1 };
    let provisioned = |vector_indexes| RestoreOverrides {
        billing_mode: Some(BillingMode::Provisioned),
        provisioned_throughput: Some(units),
        vector_indexes,
        ..Default::default()
    };
    let text = restore("Refused", provisioned(None)).unwrap_err().message;
    assert!(text.ends_with("Vector indexes are only supported for PAY_PER_REQUEST tables"), "{text}");
    restore("Provisioned", provisioned(Some(Vec::new()))).unwrap();
}

#[test]
fn copies_and_snapshots_have_the_indexes() {
    let (from, to) = (Place::lasting(), Place::lasting());
    let memory = Pretender::builder().open().unwrap();
    let way = Way::Library(memory.clone());
    fill(&way);
    let expected = answers(&way);
    memory.save_snapshot("first").unwrap();
    way.put(item("later", &["1", "7", "0.5"])).unwrap();
    assert_ne!(answers(&way), expected);
    memory.restore_snapshot("first").unwrap();
    assert_eq!(answers(&way), expected);
    memory.close();

    let db = from.builder().sweep_interval(None).open().unwrap();
    fill(&Way::Library(db.clone()));
    db.close();
    let each = &mut |_: &maintenance::CopyProgress| ControlFlow::Continue(());
    maintenance::copy(&from.builder(), &to.builder(), each).unwrap();
    let copy = to.builder().sweep_interval(None).open().unwrap();
    let way = Way::Library(copy.clone());
    assert_eq!(answers(&way), expected);
    assert_eq!(way.describe(TABLE)["VectorIndexes"][0]["ItemCount"], 20);
    check(&copy);
    // An emptied table has empty indexes.
    copy.reset_table(&TABLE.parse().unwrap()).unwrap();
    assert_eq!(answers(&way), [String::new(), String::new()]);
    way.put(Item::new().with("pk", "x")).unwrap();
    copy.close();
}
