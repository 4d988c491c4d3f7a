//! StartBulkPutItems.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pretender::Pretender;
use pretender::errors::ErrorCode;
use pretender::items::PutItemInput;
use pretender::model::Item;
use pretender::streams::StreamViewType;
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::transfers::{
    BulkOperationDescription, BulkOperationStatus, InputFormat, ListBulkOperationsInput, OutputType,
    S3Output, S3Source, StartBulkPutItemsInput,
};
use serde_json::Value;

use super::{LONG, Objects, items, lines, open, orders, table};
use crate::place::Place;

fn put_of(prefix: &str) -> StartBulkPutItemsInput {
    StartBulkPutItemsInput {
        table_name: table("Orders"),
        client_token: None,
        source: S3Source::new("in").with_prefix(prefix),
        input_format: InputFormat::DynamoDbJson,
        input_compression_type: None,
        output: S3Output {
            bucket: "out".to_owned(),
            bucket_owner: None,
            key_prefix: Some("reports/".to_owned()),
            sse_algorithm: None,
            sse_kms_key_id: None,
            output_types: vec![OutputType::Error, OutputType::ConditionCheckFailure],
        },
        max_write_request_units: None,
        performance_tier: None,
    }
}

fn done(db: &Pretender, input: StartBulkPutItemsInput) -> BulkOperationDescription {
    let started = db.start_bulk_put_items(input).unwrap();
    assert_eq!(started.bulk_operation_status, BulkOperationStatus::InProgress);
    assert!(db.wait_for_transfers(LONG));
    db.describe_bulk_operation(&started.bulk_operation_arn).unwrap()
}

fn order(id: &str, n: u32) -> Item {
    Item::new().with("id", id).with("n", n)
}

fn streamed(db: &Pretender) {
    let stream_specification = Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages));
    db.create_table(CreateTableInput { stream_specification, ..orders() }).unwrap();
}

#[test]
fn puts_are_as_real_as_others() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("a", &lines([order("a", 1), order("b", 1)]));
    let db = open(&place, &objects);
    streamed(&db);
    db.put_item(PutItemInput::new(table("Orders"), order("a", 0))).unwrap();
    let operation = done(&db, put_of("a"));
    assert_eq!(operation.bulk_operation_status, BulkOperationStatus::Completed);
    assert_eq!((operation.processed_item_count, operation.failed_item_count), (2, 0));
    assert_eq!(operation.total_input_bytes, Some(operation.processed_input_bytes));
    assert_eq!(operation.usage.table, order("a", 1).size_bytes() * 2);
    let events: Vec<_> =
        db.subscribe().table("Orders").start().unwrap().map(|event| event.unwrap()).collect();
    let shown: Vec<String> = events.iter().map(|event| format!("{:?}", event.record.event_name)).collect();
    assert_eq!(shown, ["Insert", "Modify", "Insert"]);
}

#[test]
fn what_is_not_written_is_reported() {
    let (place, objects) = (Place::new(), Objects::new());
    let text = "{\"Item\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"5\"}},\"ConditionExpression\":\"attribute_not_exists(id)\"}\n\
                {\"Item\":{\"no\":{\"S\":\"b\"}}}\n\
                {\"Item\":{\"id\":{\"S\":\"c\"}},\"ConditionExpression\":\"attribute_not_exists(id)\"}\n\
                {\"Item\":{\"id\":{\"S\":\"d\"}},\"ConditionExpression\":\"no condition\"}\n\
                {\"Item\":{\"id\":{\"S\":\"e\"}},\"ConditionExpression\":\"n > :n\",\"ExpressionAttributeValues\":{\":n\":{\"N\":\"1\"}}}\n";
    objects.put_text("mixed.json", text);
    let db = open(&place, &objects);
    streamed(&db);
    db.put_item(PutItemInput::new(table("Orders"), order("a", 0))).unwrap();
    let operation = done(&db, put_of("mixed"));
    assert_eq!(operation.bulk_operation_status, BulkOperationStatus::CompletedWithErrors);
    assert_eq!((operation.processed_item_count, operation.failed_item_count), (5, 2));
    assert_eq!(items(&db, "Orders"), [r#"{"id":{"S":"a"},"n":{"N":"0"}}"#, r#"{"id":{"S":"c"}}"#]);

    let report = objects.report();
    let id = operation.bulk_operation_arn.rsplit('/').next().unwrap();
    let folder = format!("reports/AWSDynamoDB/{id}");
    let names: Vec<&str> = report.keys().map(|key| key.strip_prefix(&folder).unwrap()).collect();
    assert_eq!(
        names,
        [
            "/_started",
            "/condition-check-failures/000001.json.gz",
            "/errors/000000.json.gz",
            "/manifest-files.json",
            "/manifest-summary.json"
        ]
    );
    let lines_of = |name: &str| -> Vec<Value> {
        report[&format!("{folder}{name}")].lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let errors = lines_of("/errors/000000.json.gz");
    assert_eq!(errors.len(), 2);
    assert_eq!(
        errors[0]["itemS3Pointer"],
        serde_json::json!({"bucket":"in","key":"mixed.json","itemIndex":1})
    );
    assert_eq!(
        errors[0]["errorMessages"][0],
        "One or more parameter values were invalid: Missing the key id in the item"
    );
    let failed = lines_of("/condition-check-failures/000001.json.gz");
    assert_eq!(failed.len(), 2);
    assert_eq!(failed[0]["Item"]["n"]["N"], "5");
    assert_eq!(failed[0]["ExistingItem"]["n"]["N"], "0");
    assert_eq!(failed[1]["Item"]["id"]["S"], "e");
    assert!(failed[1].get("ExistingItem").is_none());
    let files = lines_of("/manifest-files.json");
    assert_eq!(files[0]["itemCount"], 2);
    let summary = &lines_of("/manifest-summary.json")[0];
    assert_eq!((&summary["failedItemCount"], &summary["conditionCheckFailureCount"]), (&2.into(), &2.into()));
}

#[test]
fn an_operation_is_refused_where_it_cannot_begin() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("a", &lines((0..2000).map(|n| order(&format!("o{n}"), n))));
    objects.pause_every.store(1024, Ordering::Relaxed);
    let db = open(&place, &objects);
    assert_eq!(db.start_bulk_put_items(put_of("a")).unwrap_err().code, ErrorCode::ResourceNotFoundException);
    streamed(&db);
    let with_token = StartBulkPutItemsInput { client_token: Some("once".to_owned()), ..put_of("a") };
    let started = db.start_bulk_put_items(with_token.clone()).unwrap();
    assert_eq!(
        db.start_bulk_put_items(with_token.clone()).unwrap().bulk_operation_arn,
        started.bulk_operation_arn
    );
    let other = StartBulkPutItemsInput { source: S3Source::new("in"), ..with_token };
    assert_eq!(
        db.start_bulk_put_items(other).unwrap_err().code,
        ErrorCode::IdempotentParameterMismatchException
    );
    assert_eq!(db.start_bulk_put_items(put_of("a")).unwrap_err().code, ErrorCode::ResourceInUseException);
    assert!(db.wait_for_transfers(LONG));
    let operation = db.describe_bulk_operation(&started.bulk_operation_arn).unwrap();
    assert_eq!(operation.processed_item_count, 2000);
    objects.pause_every.store(0, Ordering::Relaxed);
    let no_output = StartBulkPutItemsInput {
        output: S3Output { bucket: "nowhere".to_owned(), ..put_of("a").output },
        ..put_of("a")
    };
    let failed = done(&db, no_output);
    assert_eq!(failed.bulk_operation_status, BulkOperationStatus::Failed);
    assert_eq!(failed.failure.unwrap().code, "S3NoSuchBucket");
    let listed =
        db.list_bulk_operations(&ListBulkOperationsInput { max_results: Some(1), next_token: None }).unwrap();
    assert_eq!(listed.bulk_operations[0].bulk_operation_arn, failed.bulk_operation_arn);
    let rest = db
        .list_bulk_operations(&ListBulkOperationsInput { max_results: None, next_token: listed.next_token })
        .unwrap();
    assert_eq!(rest.bulk_operations.len(), 1);
}

#[test]
fn a_cancelled_operation_ends_and_keeps_what_it_wrote() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("a", &lines((0..200_000).map(|n| order(&format!("o{n}"), n))));
    objects.pause_every.store(2048, Ordering::Relaxed);
    let db = open(&place, &objects);
    streamed(&db);
    let started = db.start_bulk_put_items(put_of("a")).unwrap();
    let end = Instant::now() + LONG;
    while db.describe_bulk_operation(&started.bulk_operation_arn).unwrap().processed_item_count == 0 {
        assert!(Instant::now() < end);
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let status = db.cancel_bulk_operation(&started.bulk_operation_arn).unwrap();
    assert_eq!(status, BulkOperationStatus::Cancelling);
    assert!(db.wait_for_transfers(LONG));
    let operation = db.describe_bulk_operation(&started.bulk_operation_arn).unwrap();
    assert_eq!(operation.bulk_operation_status, BulkOperationStatus::Cancelled);
    assert!(operation.processed_item_count > 0 && operation.processed_item_count < 200_000);
    assert_eq!(items(&db, "Orders").len() as u64, operation.processed_item_count);
    assert!(operation.end_time.is_some());
    let again = db.cancel_bulk_operation(&started.bulk_operation_arn).unwrap_err();
    assert_eq!(again.code, ErrorCode::ValidationException);
}

#[test]
fn a_table_that_is_deleted_or_created_again_ends_the_operation() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("a", &lines((0..100_000).map(|n| order(&format!("o{n}"), n))));
    objects.pause_every.store(2048, Ordering::Relaxed);
    let db = open(&place, &objects);
    streamed(&db);
    let started = db.start_bulk_put_items(put_of("a")).unwrap();
    db.delete_table(&table("Orders")).unwrap();
    db.create_table(orders()).unwrap();
    assert!(db.wait_for_transfers(LONG));
    let operation = db.describe_bulk_operation(&started.bulk_operation_arn).unwrap();
    assert_eq!(operation.bulk_operation_status, BulkOperationStatus::Failed);
    assert!(items(&db, "Orders").is_empty());
}

/// All that was read before the failure is in the report.
#[test]
fn the_report_of_a_failed_operation_has_all_that_was_read() {
    for _ in 0..8 {
        let (place, objects) = (Place::new(), Objects::new());
        let bad: String =
            (0..2_000).map(|n| format!("{{\"Item\":{{\"no\":{{\"S\":\"{n}\"}}}}}}\n")).collect();
        objects.put_text("a", &bad);
        objects.put_text("b", &lines([order("b", 1)]));
        objects.fail_after.store(bad.len() as i64, Ordering::Relaxed);
        let db = open(&place, &objects);
        streamed(&db);
        let operation = done(&db, put_of(""));
        assert_eq!(operation.bulk_operation_status, BulkOperationStatus::Failed);
        assert_eq!((operation.processed_item_count, operation.failed_item_count), (2_000, 2_000));
        let report = objects.report();
        let errors = report.iter().filter(|(key, _)| key.contains("/errors/"));
        assert_eq!(errors.map(|(_, text)| text.lines().count()).sum::<usize>(), 2_000);
    }
}

/// Where there is no record for a long time, an operation can be cancelled all the same.
#[test]
fn an_operation_that_reads_blank_lines_can_be_cancelled() {
    let (place, objects) = (Place::new(), Objects::new());
    objects.put_text("a", &"\n".repeat(64 << 20));
    objects.pause_every.store(1024, Ordering::Relaxed);
    // What is left of this says how much has been read.
    let most = 1 << 40;
    objects.fail_after.store(most, Ordering::Relaxed);
    let db = open(&place, &objects);
    streamed(&db);
    let started = db.start_bulk_put_items(put_of("a")).unwrap();
    while objects.fail_after.load(Ordering::Relaxed) > most - 100_000 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    db.cancel_bulk_operation(&started.bulk_operation_arn).unwrap();
    // It would read for a minute.
    assert!(db.wait_for_transfers(Duration::from_secs(20)));
    let operation = db.describe_bulk_operation(&started.bulk_operation_arn).unwrap();
    assert_eq!(operation.bulk_operation_status, BulkOperationStatus::Cancelled);
}

/// Lines that cannot be written anywhere do not stay in the database.
#[test]
fn an_operation_whose_report_cannot_be_written_leaves_nothing_behind() {
    // A file of SQLite can be looked into.
    let place = Place::lasting();
    let Place::File(folder) = &place else { return };
    let objects = Objects::new();
    objects.put_text("a", "{\"Item\":{\"no\":{\"S\":\"key\"}}}\n");
    let db = open(&place, &objects);
    streamed(&db);
    // The first object, which shows whether the bucket is there, is empty.
    objects.fail_writes_after.store(0, Ordering::Relaxed);
    let operation = done(&db, put_of(""));
    assert_eq!(operation.bulk_operation_status, BulkOperationStatus::Failed);
    assert_eq!((operation.processed_item_count, operation.failed_item_count), (1, 1));
    db.close();
    let file = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
    let kinds = "SELECT group_concat(DISTINCT kind) FROM pdb_document WHERE kind LIKE 'bulk operation%'";
    let kinds: String = file.query_row(kinds, [], |row| row.get(0)).unwrap();
    assert_eq!(kinds, "bulk operation");
}
