//! Copies with the library: nothing is lost, consumers go on, and a copy that was broken off goes on.

use std::ops::ControlFlow;

use pretender::errors::{OpenError, StoreError};
use pretender::maintenance::{CopyError, CopyPhase, CopyReport, copy};
use serde_json::{Value, json};

use crate::home::Home;
use crate::world::{World, key, order};

/// Copies without a break.
fn copied(from: &Home, to: &Home) -> Result<CopyReport, CopyError> {
    copy(&from.builder(), &to.builder(), &mut |_| ControlFlow::Continue(()))
}

/// Copies until step `last`; returns whether it was finished by then.
fn copied_until(from: &Home, to: &Home, last: u32) -> bool {
    let mut step = 0;
    let outcome = copy(&from.builder(), &to.builder(), &mut |_| {
        step += 1;
        if step > last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match outcome {
        Ok(_) => true,
        Err(CopyError::Stopped) => false,
        Err(error) => panic!("{error:?}"),
    }
}

/// A copy shows what the original shows, and goes on as the original would have.
fn check(from: &Home, to: &Home) {
    let source = World::open(from.builder());
    source.fill();
    let facts = source.facts();
    let arn = source.stream_of("Orders");
    let shards = source.ok("DescribeStream", json!({"StreamArn": arn}));
    let shards = shards["StreamDescription"]["Shards"].as_array().unwrap().clone();
    let consumers: Vec<_> =
        shards.iter().map(|shard| source.iterator(&arn, &shard["ShardId"], "LATEST")).collect();
    source.close();

    let report = copied(from, to).unwrap();
    assert_eq!((report.tables, report.streams, report.rows_found), (4, 5, 0));
    assert!(report.records > 60 && report.rows > 3_000, "{report:?}");

    let target = source.beside(to.builder());
    for ((what, there), (_, here)) in facts.iter().zip(target.facts()) {
        assert_eq!(there, &here, "{what}");
    }
    assert_eq!(facts.len(), target.facts().len());

    // The token is known, so nothing happens; the put is seen by exactly one consumer, in the shard that owns its key.
    target.transact();
    target.ok("PutItem", json!({"TableName": "Orders", "Item": order(5_000)}));
    let records: Vec<_> = consumers.iter().flat_map(|iterator| target.records(iterator).0).collect();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["dynamodb"]["Keys"], key(&order(5_000)));
    let backups = target.ok("ListBackups", json!({}));
    target.ok(
        "RestoreTableFromBackup",
        json!({
        "TargetTableName": "Restored", "BackupArn": backups["BackupSummaries"][0]["BackupArn"]}),
    );
    let restored = target.ok("DescribeTable", json!({"TableName": "Restored"}));
    assert!(restored["Table"]["ItemCount"].as_u64().unwrap() > 900);
    // The original gives the same record, with a lower number: who has read it there finds what comes next here.
    target.close();
    let source = source.beside(from.builder());
    source.ok("PutItem", json!({"TableName": "Orders", "Item": order(5_000)}));
    let mut originals: Vec<_> = consumers.iter().flat_map(|iterator| source.records(iterator).0).collect();
    let number = |record: &Value| {
        record["dynamodb"]["SequenceNumber"].as_str().unwrap().parse::<u128>().unwrap() / 10_u128.pow(20)
    };
    assert!(number(&originals[0]) + 1_000_000 < number(&records[0]), "{originals:?}, {records:?}");
    assert_ne!(originals[0]["eventID"], records[0]["eventID"]);
    originals[0]["eventID"] = records[0]["eventID"].clone();
    originals[0]["dynamodb"]["SequenceNumber"] = records[0]["dynamodb"]["SequenceNumber"].clone();
    assert_eq!(originals, records);
    source.close();
}

#[test]
fn a_copy_shows_what_the_original_shows_and_goes_on() {
    check(&Home::file(), &Home::file());
}

#[test]
fn a_copy_moves_a_database_to_postgresql_and_back() {
    let Some(server) = Home::postgres() else { return };
    check(&Home::file(), &server);
    let Some(server) = Home::postgres() else { return };
    check(&server, &Home::file());
}

#[test]
fn a_copy_that_is_broken_off_again_and_again_is_whole_in_the_end() {
    break_off_again_and_again(&Home::file(), &Home::file(), 1);
    let (Some(one), Some(two)) = (Home::postgres(), Home::postgres()) else { return };
    // A step takes longer there.
    break_off_again_and_again(&one, &two, 7);
}

fn break_off_again_and_again(from: &Home, to: &Home, stride: usize) {
    let source = World::open(from.builder());
    source.fill();
    let facts = source.facts();
    source.close();
    // Each attempt gets a few steps further; the first ones leave nothing but the mark.
    let mut attempts = 0;
    for last in (0..).step_by(stride) {
        attempts += 1;
        if copied_until(from, to, last) {
            break;
        }
        let opened = to.builder().open();
        assert!(matches!(opened, Err(StoreError::Open(OpenError::Unfinished(_)))), "{opened:?}");
    }
    assert!(attempts > 3, "{attempts} attempts");
    assert_eq!(source.beside(to.builder()).facts(), facts);
}

#[test]
fn a_source_that_has_changed_is_copied_from_the_beginning() {
    let (from, to) = (Home::file(), Home::file());
    let source = World::open(from.builder());
    source.fill();
    source.close();
    assert!(!copied_until(&from, &to, 15));
    let source = source.beside(from.builder());
    source.ok("DeleteTable", json!({"TableName": "plain"}));
    source.ok("PutItem", json!({"TableName": "Orders", "Item": order(6_000)}));
    let facts = source.facts();
    source.close();
    let report = copied(&from, &to).unwrap();
    assert_eq!((report.tables, report.rows_found), (3, 0));
    assert_eq!(source.beside(to.builder()).facts(), facts);
}

#[test]
fn a_change_that_shows_in_no_count_is_found_by_the_checksums() {
    let (from, to) = (Home::file(), Home::file());
    let source = World::open(from.builder());
    source.fill();
    source.close();
    // Up to the end of the copying, then something as long as before is put in the place of what was copied.
    let outcome = copy(&from.builder(), &to.builder(), &mut |step| match step.phase {
        CopyPhase::Copying => ControlFlow::Continue(()),
        CopyPhase::Verifying => ControlFlow::Break(()),
    });
    assert!(matches!(outcome, Err(CopyError::Stopped)));
    let source = source.beside(from.builder());
    let mut changed = json!({"TableName": "plain", "Item": {"id": {"B": "AA=="}, "n": {"N": "1.6"}}});
    source.ok("PutItem", changed.clone());
    source.close();
    let failed = copied(&from, &to);
    assert!(
        matches!(&failed, Err(CopyError::Differs(what)) if what.contains("items of plain")),
        "{failed:?}"
    );
    assert!(matches!(to.builder().open(), Err(StoreError::Open(OpenError::Unfinished(_)))));
    // Put right again, the copy is good.
    changed["Item"]["n"] = json!({"N": "1.5"});
    let source = source.beside(from.builder());
    source.ok("PutItem", changed);
    source.close();
    copied(&from, &to).unwrap();
}

#[test]
fn a_database_with_data_of_its_own_is_no_target() {
    let (from, to) = (Home::file(), Home::file());
    let source = World::open(from.builder());
    source.fill();
    source.close();
    for (operation, body) in [
        (
            "CreateTable",
            json!({
            "TableName": "theirs", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}}),
        ),
        // Its stream stays.
        ("DeleteTable", json!({"TableName": "theirs"})),
    ] {
        let target = source.beside(to.builder());
        target.ok(operation, body);
        let facts = target.facts_of_streams();
        target.close();
        assert!(matches!(copied(&from, &to), Err(CopyError::Occupied)), "{operation}");
        assert_eq!(source.beside(to.builder()).facts_of_streams(), facts, "{operation}");
    }
    // Nor is the source itself, which it would have to be open twice.
    assert!(matches!(copied(&from, &from), Err(CopyError::SameDatabase)));
}
