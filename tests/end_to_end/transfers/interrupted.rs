//! Jobs that are interrupted: they go on where they were, and count nothing twice.

use std::sync::atomic::Ordering;
use std::time::Duration;

use pretender::model::Item;
use pretender::transfers::{
    BulkOperationStatus, ImportStatus, InputFormat, OutputType, S3Output, S3Source, StartBulkPutItemsInput,
};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{LONG, Objects, import_of, items, open, orders, table};
use crate::place::Place;

/// A line of an object: an item, or nonsense.
fn any_line() -> impl Strategy<Value = Option<(u16, u32)>> {
    prop_oneof![12 => (0u16..800, any::<u32>()).prop_map(Some), 1 => Just(None)]
}

fn text(lines: &[Option<(u16, u32)>]) -> String {
    let line = |line: &Option<(u16, u32)>| match line {
        Some((id, n)) => format!("{{\"Item\":{}}}\n", Item::new().with("id", format!("o{id}")).with("n", *n)),
        None => "nonsense\n".to_owned(),
    };
    lines.iter().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(8)))]

    /// However often a database is closed in the middle, the end is the same: later lines win, and every line is counted once.
    #[test]
    fn interrupted_jobs_end_as_others_do(
        contents in vec(vec(any_line(), 0..1500), 1..4),
        pauses in vec(0u64..60, 0..4),
        is_import in any::<bool>(),
    ) {
        let (place, objects) = (Place::lasting(), Objects::new());
        for (n, lines) in contents.iter().enumerate() {
            objects.put_text(&format!("data/{n}.json"), &text(lines));
        }
        objects.put_text("data/end.json", &text(&[Some((0, 0))]));
        objects.pause_every.store(1024, Ordering::Relaxed);
        let mut db = open(&place, &objects);
        let arn = if is_import {
            db.import_table(import_of("data/", InputFormat::DynamoDbJson, orders())).unwrap().import_arn
        } else {
            db.create_table(orders()).unwrap();
            let output = S3Output {
                bucket: "out".to_owned(),
                bucket_owner: None,
                key_prefix: None,
                sse_algorithm: None,
                sse_kms_key_id: None,
                output_types: vec![OutputType::Error],
            };
            db.start_bulk_put_items(StartBulkPutItemsInput {
                table_name: table("Orders"),
                client_token: None,
                source: S3Source::new("in").with_prefix("data/"),
                input_format: InputFormat::DynamoDbJson,
                input_compression_type: None,
                output,
                max_write_request_units: None,
                performance_tier: None,
            }).unwrap().bulk_operation_arn
        };
        for pause in pauses {
            std::thread::park_timeout(Duration::from_millis(pause));
            db.close();
            drop(db);
            db = open(&place, &objects);
        }
        objects.pause_every.store(0, Ordering::Relaxed);
        prop_assert!(db.wait_for_transfers(LONG));
        let all: Vec<_> = contents.iter().flatten().chain([&Some((0, 0))]).collect();
        let bad = all.iter().filter(|line| line.is_none()).count() as u64;
        let (read, errors) = if is_import {
            let import = db.describe_import(&arn).unwrap();
            let expected = if bad > 0 { ImportStatus::Failed } else { ImportStatus::Completed };
            prop_assert_eq!(import.import_status, expected);
            prop_assert_eq!(import.imported_item_count, all.len() as u64 - bad);
            (import.processed_item_count, import.error_count)
        } else {
            let operation = db.describe_bulk_operation(&arn).unwrap();
            let expected =
                if bad > 0 { BulkOperationStatus::CompletedWithErrors } else { BulkOperationStatus::Completed };
            prop_assert_eq!(operation.bulk_operation_status, expected);
            prop_assert_eq!(Some(operation.processed_input_bytes), operation.total_input_bytes);
            let report: String =
                objects.report().into_iter().filter(|(key, _)| key.contains("/errors/")).map(|(_, text)| text).collect();
            prop_assert_eq!(report.lines().count() as u64, bad);
            (operation.processed_item_count, operation.failed_item_count)
        };
        prop_assert_eq!((read, errors), (all.len() as u64, bad));
        let mut expected = std::collections::BTreeMap::new();
        for (id, n) in all.into_iter().flatten() {
            expected.insert(id, *n);
        }
        let mut expected: Vec<String> = expected
            .into_iter()
            .map(|(id, n)| Item::new().with("id", format!("o{id}")).with("n", n).to_string())
            .collect();
        expected.sort();
        prop_assert_eq!(items(&db, "Orders"), expected);
    }
}

/// An import writes many items at a time in the order of their keys, in several transactions. It may be interrupted between any of them.
#[test]
fn an_import_that_is_interrupted_while_it_writes_begins_its_batch_again() {
    let (place, objects) = (Place::lasting(), Objects::new());
    let mut lines: Vec<_> = (0..6_000).map(|n| Some((n % 3_000, u32::from(n)))).collect();
    lines.extend([None; 30]);
    let text = text(&lines);
    objects.put_text("data/1.json", &text);
    let mut db = open(&place, &objects);
    let import = db.import_table(import_of("data/", InputFormat::DynamoDbJson, orders())).unwrap();
    // Each time a little later: while it reads at first, then at each of its transactions.
    for pause in (0..800).step_by(8) {
        std::thread::park_timeout(Duration::from_millis(pause));
        db.close();
        drop(db);
        db = open(&place, &objects);
        if db.describe_import(&import.import_arn).unwrap().import_status != ImportStatus::InProgress {
            break;
        }
    }
    assert!(db.wait_for_transfers(LONG));
    let import = db.describe_import(&import.import_arn).unwrap();
    let counts = (import.processed_item_count, import.imported_item_count, import.error_count);
    assert_eq!(counts, (6_030, 6_000, 30));
    assert_eq!(import.first_errors.len(), 20);
    let mut expected: Vec<String> = (3_000..6_000)
        .map(|n| Item::new().with("id", format!("o{}", n - 3_000)).with("n", n).to_string())
        .collect();
    expected.sort();
    assert_eq!(items(&db, "Orders"), expected);
}

/// An import of a snapshot goes on after the restore, without being asked about.
#[test]
fn an_import_of_a_restored_snapshot_goes_on() {
    // Snapshots are not possible on PostgreSQL.
    if pdb_testkit::on_postgres() {
        return;
    }
    let (place, objects) = (Place::new(), Objects::new());
    let lines: Vec<_> = (0..4_000).map(|n| Some((n, 1))).collect();
    objects.put_text("data/1.json", &text(&lines));
    objects.pause_every.store(1024, Ordering::Relaxed);
    let db = open(&place, &objects);
    let import = db.import_table(import_of("data/", InputFormat::DynamoDbJson, orders())).unwrap();
    while db.describe_import(&import.import_arn).unwrap().processed_item_count == 0 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    db.save_snapshot("half").unwrap();
    objects.pause_every.store(0, Ordering::Relaxed);
    // Once while it goes on, and once when it has ended.
    for _ in 0..2 {
        db.restore_snapshot("half").unwrap();
        let end = std::time::Instant::now() + LONG;
        while db.scan(pretender::items::ScanInput::new(table("Orders"))).is_err() {
            assert!(std::time::Instant::now() < end, "the table is still being created");
            std::thread::park_timeout(Duration::from_millis(5));
        }
        assert_eq!(items(&db, "Orders").len(), 4_000);
    }
}
