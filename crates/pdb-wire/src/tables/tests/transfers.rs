//! Imports and bulk operations: constraint texts and answers (`bulk-import-export.md` parts 1 and 2).

use std::sync::Arc;
use std::time::Duration;

use pretender::Pretender;
use pretender::model::CountingIds;
use pretender::objects::{MemoryObjects, ObjectStore};
use pretender::time::{EpochMillis, ManualClock};
use serde_json::{Value, json};

use super::{SIMPLE, call, check_accepted, check_error, check_refused};
use crate::Wire;

/// An engine with a bucket, whose clock stands still.
fn wire() -> Wire {
    let objects = MemoryObjects::new();
    objects.create_bucket("bucket");
    objects.put("bucket", "data/1.json", br#"{"Item":{"a":{"S":"1"}}}"#).unwrap();
    let engine = Pretender::builder()
        .clock(Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017))))
        .ids(Arc::new(CountingIds::starting_at(1)))
        .objects(Arc::new(objects))
        .sweep_interval(None);
    Wire::new(engine.open().unwrap())
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

const IMPORT: &str = r#"{"S3BucketSource":{"S3Bucket":"bucket","S3KeyPrefix":"data/"},"InputFormat":"DYNAMODB_JSON",
    "TableCreationParameters":{"TableName":"Tbl","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"a","KeyType":"HASH"}]}}"#;

const BULK: &str = r#"{"TableName":"Tbl","InputS3Configuration":{"S3Bucket":"bucket","InputFormat":"DYNAMODB_JSON"},
    "OutputS3Configuration":{"S3Bucket":"bucket","OutputType":["ERROR"]}}"#;

#[test]
fn an_import_is_described_from_its_start_to_its_end() {
    let wire = wire();
    let started = parsed(&check_accepted(&wire, "ImportTable", IMPORT));
    let import = &started["ImportTableDescription"];
    let arn = import["ImportArn"].as_str().unwrap();
    let id = "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl/import/01772356542017-";
    assert!(arn.starts_with(id), "{arn}");
    assert_eq!(import["ImportStatus"], "IN_PROGRESS");
    assert_eq!(import["StartTime"], 1_772_356_542.017);
    assert!(wire.pretender.wait_for_transfers(Duration::from_secs(60)));
    let ended = parsed(&check_accepted(&wire, "DescribeImport", &json!({ "ImportArn": arn }).to_string()));
    let described = &ended["ImportTableDescription"];
    assert_eq!(
        *described,
        json!({
            "ImportArn": arn,
            "ImportStatus": "COMPLETED",
            "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl",
            "TableId": described["TableId"],
            "S3BucketSource": { "S3Bucket": "bucket", "S3KeyPrefix": "data/" },
            "ErrorCount": 0,
            "CloudWatchLogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:/aws-dynamodb/imports:*",
            "InputFormat": "DYNAMODB_JSON",
            "InputCompressionType": "NONE",
            "TableCreationParameters": parsed(IMPORT)["TableCreationParameters"],
            "StartTime": 1_772_356_542.017,
            "EndTime": 1_772_356_542.017,
            "ProcessedSizeBytes": 24,
            "ProcessedItemCount": 1,
            "ImportedItemCount": 1,
        })
    );
    let listed = parsed(&check_accepted(&wire, "ListImports", "{}"));
    assert_eq!(listed["ImportSummaryList"][0]["ImportArn"], arn);
    assert_eq!(listed["ImportSummaryList"][0]["ImportStatus"], "COMPLETED");
    assert!(listed.get("NextToken").is_none());
    check_error(&wire, "ImportTable", IMPORT, "ResourceInUseException", "Table already exists: Tbl");
    let unknown = format!("{id}00000000");
    check_error(
        &wire,
        "DescribeImport",
        &json!({ "ImportArn": unknown }).to_string(),
        "ImportNotFoundException",
        &format!("Import not found: {unknown}"),
    );
}

#[test]
fn a_token_of_an_import_belongs_to_its_parameters() {
    let wire = wire();
    let with = |change: fn(&mut Value)| {
        let mut body = parsed(IMPORT);
        body["ClientToken"] = "token".into();
        change(&mut body);
        body.to_string()
    };
    let first = parsed(&check_accepted(&wire, "ImportTable", &with(|_| ())));
    let again = parsed(&check_accepted(&wire, "ImportTable", &with(|_| ())));
    assert_eq!(first["ImportTableDescription"]["ImportArn"], again["ImportTableDescription"]["ImportArn"]);
    let (status, answer) = call(&wire, "ImportTable", &with(|body| body["InputFormat"] = "ION".into()));
    assert_eq!(status, 400);
    assert!(answer.contains("ImportConflictException"), "{answer}");
}

#[test]
fn what_an_import_needs_is_checked_in_the_form_of_the_model() {
    check_refused(
        "ImportTable",
        "{}",
        "4 validation errors detected: Value null at 's3BucketSource' failed to satisfy constraint: Member must not be null; \
         Value null at 's3BucketSource.s3Bucket' failed to satisfy constraint: Member must not be null; \
         Value null at 'inputFormat' failed to satisfy constraint: Member must not be null; \
         Value null at 'tableCreationParameters' failed to satisfy constraint: Member must not be null",
    );
    for (change, text) in [
        (
            json!({ "InputFormat": "XML" }),
            "1 validation error detected: Value 'XML' at 'inputFormat' failed to satisfy constraint: Member must satisfy enum \
             value set: [DYNAMODB_JSON, ION, CSV]",
        ),
        (
            json!({ "InputCompressionType": "LZ4" }),
            "1 validation error detected: Value 'LZ4' at 'inputCompressionType' failed to satisfy constraint: Member must \
             satisfy enum value set: [GZIP, ZSTD, NONE]",
        ),
        (
            json!({ "S3BucketSource": { "S3Bucket": "-b" } }),
            "1 validation error detected: Value '-b' at 's3BucketSource.s3Bucket' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: ^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$",
        ),
        (
            json!({ "S3BucketSource": { "S3Bucket": "bucket", "S3BucketOwner": "me" } }),
            "1 validation error detected: Value 'me' at 's3BucketSource.s3BucketOwner' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [0-9]{12}",
        ),
        (
            json!({ "InputFormatOptions": { "Csv": { "Delimiter": "#" } } }),
            "1 validation error detected: Value '#' at 'inputFormatOptions.csv.delimiter' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [,;:|\\t ]",
        ),
    ] {
        let mut body = parsed(IMPORT);
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        check_refused("ImportTable", &body.to_string(), text);
    }
    check_refused(
        "ListImports",
        r#"{"PageSize":26}"#,
        "1 validation error detected: Value '26' at 'pageSize' failed to satisfy constraint: Member must have value less than \
         or equal to 25",
    );
}

#[test]
fn a_bulk_operation_is_described_from_its_start_to_its_end() {
    let wire = wire();
    check_error(
        &wire,
        "StartBulkPutItems",
        BULK,
        "ResourceNotFoundException",
        "Requested resource not found",
    );
    check_accepted(&wire, "CreateTable", SIMPLE);
    let started = parsed(&check_accepted(&wire, "StartBulkPutItems", BULK));
    let arn = started["BulkOperationDescription"]["BulkOperationArn"].as_str().unwrap();
    assert_eq!(started["BulkOperationDescription"]["BulkOperationStatus"], "IN_PROGRESS");
    assert!(wire.pretender.wait_for_transfers(Duration::from_secs(60)));
    let body = json!({ "BulkOperationArn": arn }).to_string();
    let ended = parsed(&check_accepted(&wire, "DescribeBulkOperation", &body));
    let described = &ended["BulkOperationDescription"];
    assert_eq!(
        *described,
        json!({
            "BulkOperationArn": arn,
            "BulkOperationStatus": "COMPLETED",
            "TableDetails": [{ "TableName": "Tbl", "TableId": described["TableDetails"][0]["TableId"] }],
            "InputS3Configuration":
                { "S3Bucket": "bucket", "InputFormat": "DYNAMODB_JSON", "InputCompressionType": "NONE" },
            "OutputS3Configuration": { "S3Bucket": "bucket", "OutputType": ["ERROR"] },
            "StartTime": 1_772_356_542.017,
            "EndTime": 1_772_356_542.017,
            "ProcessedItemCount": 1,
            "ProcessedInputBytes": 24,
            "TotalInputBytes": 24,
            "BulkOperationUsage": [{ "TableName": "Tbl", "BulkPutBytes": 2, "Table": { "BulkPutBytes": 2 } }],
            "FailedItemCount": 0,
            "PerformanceTier": "STANDARD",
        })
    );
    let listed = parsed(&check_accepted(&wire, "ListBulkOperations", "{}"));
    assert_eq!(listed["BulkOperationsSummaryList"][0]["BulkOperationStatus"], "COMPLETED");
    check_error(
        &wire,
        "CancelBulkOperation",
        &body,
        "ValidationException",
        "Bulk operation cannot be cancelled: its status is COMPLETED",
    );
}

#[test]
fn what_a_bulk_operation_needs_is_checked_in_the_form_of_the_model() {
    for (change, text) in [
        (
            json!({ "MaxWriteRequestUnits": 1023 }),
            "1 validation error detected: Value '1023' at 'maxWriteRequestUnits' failed to satisfy constraint: Member must have \
             value greater than or equal to 1024",
        ),
        (
            json!({ "InputS3Configuration": { "S3Bucket": "bucket", "InputFormat": "CSV" } }),
            "1 validation error detected: Value 'CSV' at 'inputS3Configuration.inputFormat' failed to satisfy constraint: Member \
             must satisfy enum value set: [DYNAMODB_JSON, ION]",
        ),
        (
            json!({ "OutputS3Configuration": { "OutputType": [] } }),
            "2 validation errors detected: Value null at 'outputS3Configuration.s3Bucket' failed to satisfy constraint: Member \
             must not be null; Value '[]' at 'outputS3Configuration.outputType' failed to satisfy constraint: Member must have \
             length greater than or equal to 1",
        ),
        (
            json!({ "InputS3Configuration": { "InputFormat": "ION" } }),
            "1 validation error detected: Value null at 'inputS3Configuration.s3Bucket' failed to satisfy constraint: Member must \
             not be null",
        ),
        (
            json!({ "TableName": null }),
            "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null",
        ),
    ] {
        let mut body = parsed(BULK);
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        check_refused("StartBulkPutItems", &body.to_string(), text);
    }
    check_refused(
        "ListBulkOperations",
        r#"{"MaxResults":0}"#,
        "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater \
         than or equal to 1",
    );
}
