//! Exports: constraint texts, refusals and answers (`bulk-import-export.md` part 3, cases 18 to 28 and 36).

use std::sync::Arc;
use std::time::Duration;

use pretender::Pretender;
use pretender::model::CountingIds;
use pretender::objects::{MemoryObjects, ObjectStore};
use pretender::time::{EpochMillis, ManualClock};
use serde_json::{Value, json};

use super::{SIMPLE, check_accepted, check_error, check_refused};
use crate::Wire;

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Tbl";
const START: f64 = 1_772_356_542.017;

/// An engine with a bucket and a table, whose clock stands still.
struct Db {
    wire: Wire,
    clock: Arc<ManualClock>,
    objects: MemoryObjects,
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

impl Db {
    fn new() -> Self {
        let objects = MemoryObjects::new();
        objects.create_bucket("bucket");
        let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
        let engine = Pretender::builder()
            .clock(clock.clone())
            .ids(Arc::new(CountingIds::starting_at(1)))
            .objects(Arc::new(objects.clone()))
            .sweep_interval(None);
        let wire = Wire::new(engine.open().unwrap());
        check_accepted(&wire, "CreateTable", SIMPLE);
        Self { wire, clock, objects }
    }

    /// With recovery since the start.
    fn recovering() -> Self {
        let db = Self::new();
        let body =
            r#"{"TableName":"Tbl","PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true}}"#;
        check_accepted(&db.wire, "UpdateContinuousBackups", body);
        db
    }

    fn put(&self, key: &str, n: u32) {
        let body = json!({ "TableName": "Tbl", "Item": { "a": { "S": key }, "n": { "N": n.to_string() } } });
        check_accepted(&self.wire, "PutItem", &body.to_string());
    }

    fn delete(&self, key: &str) {
        let body = json!({ "TableName": "Tbl", "Key": { "a": { "S": key } } });
        check_accepted(&self.wire, "DeleteItem", &body.to_string());
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn now(&self) -> f64 {
        use pretender::time::Clock;
        self.clock.now().0 as f64 / 1000.0
    }

    /// Exports with these members, and waits for the end; returns the description.
    fn export(&self, members: Value) -> Value {
        let started = parsed(&check_accepted(&self.wire, "ExportTableToPointInTime", &request(members)));
        let arn = started["ExportDescription"]["ExportArn"].as_str().unwrap();
        assert_eq!(started["ExportDescription"]["ExportStatus"], "IN_PROGRESS");
        self.ended(arn)
    }

    fn ended(&self, arn: &str) -> Value {
        assert!(self.wire.pretender.wait_for_transfers(Duration::from_secs(60)));
        let body = json!({ "ExportArn": arn }).to_string();
        parsed(&check_accepted(&self.wire, "DescribeExport", &body))["ExportDescription"].clone()
    }

    fn text(&self, key: &str) -> String {
        let content = self.objects.get("bucket", key, 1 << 20).unwrap();
        String::from_utf8(content.unwrap()).unwrap()
    }

    /// The lines of the data files that an export's manifest lists, in order.
    fn lines(&self, export: &Value) -> Vec<String> {
        let summary = parsed(&self.text(export["ExportManifest"].as_str().unwrap()));
        let files = self.text(summary["manifestFilesS3Key"].as_str().unwrap());
        let mut lines = Vec::new();
        for file in files.lines().map(parsed) {
            let key = file["dataFileS3Key"].as_str().unwrap();
            let packed = self.objects.get("bucket", key, 1 << 20).unwrap().unwrap();
            let text = std::io::read_to_string(flate2::read::GzDecoder::new(&*packed)).unwrap();
            assert_eq!(file["itemCount"], text.lines().count());
            lines.extend(text.lines().map(str::to_owned));
        }
        assert_eq!(summary["itemCount"], lines.len());
        lines.sort();
        lines
    }

    #[track_caller]
    fn refused(&self, members: Value, kind: &str, text: &str) {
        check_error(&self.wire, "ExportTableToPointInTime", &request(members), kind, text);
    }
}

fn request(members: Value) -> String {
    let mut body = json!({ "TableArn": ARN, "S3Bucket": "bucket" });
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.to_string()
}

#[test]
fn an_export_is_described_from_its_start_to_its_end() {
    let db = Db::recovering();
    db.put("one", 1);
    let export = db.export(json!({ "S3Prefix": "p", "ClientToken": "token", "S3SseAlgorithm": "AES256" }));
    let arn = export["ExportArn"].as_str().unwrap();
    let id = arn.strip_prefix(&format!("{ARN}/export/")).unwrap();
    assert!(id.starts_with("01772356542017-") && id.len() == 23, "{id}");
    assert_eq!(
        export,
        json!({
            "ExportArn": arn,
            "ExportStatus": "COMPLETED",
            "StartTime": START,
            "EndTime": START,
            "ExportManifest": format!("p/AWSDynamoDB/{id}/manifest-summary.json"),
            "TableArn": ARN,
            "TableId": export["TableId"],
            "ExportTime": START,
            "ClientToken": "token",
            "S3Bucket": "bucket",
            "S3Prefix": "p",
            "S3SseAlgorithm": "AES256",
            "ExportFormat": "DYNAMODB_JSON",
            "BilledSizeBytes": 7,
            "ItemCount": 1,
            "ExportType": "FULL_EXPORT",
        })
    );
    assert_eq!(db.lines(&export), [r#"{"Item":{"a":{"S":"one"},"n":{"N":"1"}}}"#]);
    let summary = db.text(export["ExportManifest"].as_str().unwrap());
    assert_eq!(
        parsed(&summary),
        json!({
            "version": "2020-06-30",
            "exportArn": arn,
            "startTime": "2026-03-01T09:15:42.017Z",
            "endTime": "2026-03-01T09:15:42.017Z",
            "tableArn": ARN,
            "tableId": export["TableId"],
            "exportTime": "2026-03-01T09:15:42.017Z",
            "s3Bucket": "bucket",
            "s3Prefix": "p",
            "s3SseAlgorithm": "AES256",
            "s3SseKmsKeyId": null,
            "manifestFilesS3Key": format!("p/AWSDynamoDB/{id}/manifest-files.json"),
            "billedSizeBytes": 7,
            "itemCount": 1,
            "outputFormat": "DYNAMODB_JSON",
        })
    );
    assert_eq!(db.text(&format!("p/AWSDynamoDB/{id}/_started")), "");
}

#[test]
fn an_incremental_export_has_net_changes() {
    let db = Db::recovering();
    for key in ["changed", "deleted", "untouched", "restored"] {
        db.put(key, 1);
    }
    db.pass(60);
    let from = db.now();
    db.put("created", 1);
    db.put("changed", 2);
    db.put("restored", 2);
    db.put("gone", 1);
    db.pass(60);
    db.put("changed", 3);
    db.put("restored", 1);
    db.delete("deleted");
    db.delete("gone");
    db.pass(1200);
    let to = db.now();
    // The end is not part of the window.
    db.put("changed", 4);
    db.put("late", 1);
    let export = |view: Option<&str>, format: &str| {
        let mut specification = json!({ "ExportFromTime": from, "ExportToTime": to });
        if let Some(view) = view {
            specification["ExportViewType"] = view.into();
        }
        db.export(json!({
            "ExportType": "INCREMENTAL_EXPORT",
            "ExportFormat": format,
            "IncrementalExportSpecification": specification,
        }))
    };
    let both = export(None, "DYNAMODB_JSON");
    assert_eq!(
        both["IncrementalExportSpecification"],
        json!({ "ExportFromTime": from, "ExportToTime": to, "ExportViewType": "NEW_AND_OLD_IMAGES" })
    );
    assert_eq!((&both["ExportType"], both.get("ExportTime")), (&json!("INCREMENTAL_EXPORT"), None));
    let line = |micros: u64, key: &str, images: &str| {
        format!(
            r#"{{"Metadata":{{"WriteTimestampMicros":{{"N":"{micros}"}}}},"Keys":{{"a":{{"S":"{key}"}}}}{images}}}"#
        )
    };
    let (first, last) = (1_772_356_602_017_000, 1_772_356_662_017_000);
    let image =
        |member: &str, key: &str, n: u32| format!(r#","{member}":{{"a":{{"S":"{key}"}},"n":{{"N":"{n}"}}}}"#);
    let [old, new] = ["OldImage", "NewImage"];
    let changed = format!("{}{}", image(old, "changed", 1), image(new, "changed", 3));
    assert_eq!(
        db.lines(&both),
        [
            line(first, "created", &image(new, "created", 1)),
            line(last, "changed", &changed),
            line(last, "deleted", &image(old, "deleted", 1)),
        ]
    );
    let summary = parsed(&db.text(both["ExportManifest"].as_str().unwrap()));
    for (member, value) in [
        ("version", "2023-08-01"),
        ("exportType", "INCREMENTAL_EXPORT"),
        ("outputView", "NEW_AND_OLD_IMAGES"),
        ("exportFromTime", "2026-03-01T09:16:42.017Z"),
        ("exportToTime", "2026-03-01T09:37:42.017Z"),
    ] {
        assert_eq!(summary[member], value);
    }
    assert!(summary.get("exportTime").is_none());
    let new_only = export(Some("NEW_IMAGE"), "DYNAMODB_JSON");
    assert_eq!(
        db.lines(&new_only),
        [
            line(first, "created", &image(new, "created", 1)),
            line(last, "changed", &image(new, "changed", 3)),
            line(last, "deleted", ""),
        ]
    );
    let ion = db.lines(&export(Some("NEW_IMAGE"), "ION"));
    assert_eq!(
        ion[2],
        r#"$ion_1_0 {Record:{Keys:{a:"deleted"},Metadata:{WriteTimestampMicros:1772356662017000.}}}"#
    );
}

#[test]
fn a_filter_selects_items_and_attributes() {
    let db = Db::recovering();
    for (key, n) in [("one", 1), ("two", 2), ("three", 3)] {
        db.put(key, n);
    }
    let key = json!({
        "KeyConditionExpression": "#a = :a",
        "ProjectionExpression": "n",
        "ExpressionAttributeNames": { "#a": "a" },
        "ExpressionAttributeValues": { ":a": { "S": "two" } },
    });
    let export = db.export(json!({ "FilterSpecification": key }));
    assert_eq!(export["FilterSpecification"], key);
    assert_eq!(db.lines(&export), [r#"{"Item":{"n":{"N":"2"}}}"#]);
    let filter = json!({
        "FilterExpression": "n > :n and a <> :a",
        "ExpressionAttributeValues": { ":n": { "N": "1" }, ":a": { "S": "two" } },
    });
    let export = db.export(json!({ "FilterSpecification": filter }));
    assert_eq!(db.lines(&export), [r#"{"Item":{"a":{"S":"three"},"n":{"N":"3"}}}"#]);
    let values = json!({ ":a": { "S": "two" } });
    for (filter, text) in [
        (
            json!({ "KeyConditionExpression": "a > :a", "ExpressionAttributeValues": values }),
            "Query key condition not supported",
        ),
        (
            json!({ "KeyConditionExpression": "a = :a", "FilterExpression": "a = :a",
                "ExpressionAttributeValues": values }),
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: a",
        ),
        (
            json!({ "FilterExpression": "n = ", "ExpressionAttributeValues": values }),
            "Invalid FilterExpression: Syntax error; token: \"<EOF>\", near: \"=\"",
        ),
        (
            json!({ "FilterExpression": "n = :a", "ExpressionAttributeNames": { "#x": "x" },
                "ExpressionAttributeValues": values }),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}",
        ),
        (
            json!({ "ExpressionAttributeValues": values }),
            "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and \
             KeyConditionExpression are null",
        ),
    ] {
        db.refused(json!({ "FilterSpecification": filter }), "ValidationException", text);
    }
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let db = Db::new();
    let unavailable = "PointInTimeRecoveryUnavailableException";
    db.refused(json!({}), unavailable, "Point in time recovery is not enabled for table 'Tbl'");
    let missing = ARN.replace("Tbl", "Nope");
    let text = format!("Table not found: {missing}");
    db.refused(json!({ "TableArn": missing }), "TableNotFoundException", &text);
    let db = Db::recovering();
    db.pass(100_000);
    let now = db.now();
    let outside =
        |member: &str| format!("The specified {member} is not within the point in time recovery window");
    for time in [START - 1.0, START - 0.002, now + 1.0] {
        db.refused(json!({ "ExportTime": time }), "InvalidExportTimeException", &outside("ExportTime"));
    }
    let incremental = |specification: Value| json!({ "ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": specification });
    for (from, to, member) in
        [(START - 1.0, START + 3000.0, "ExportFromTime"), (now - 3000.0, now + 1.0, "ExportToTime")]
    {
        let members = incremental(json!({ "ExportFromTime": from, "ExportToTime": to }));
        db.refused(members, "InvalidExportTimeException", &outside(member));
    }
    for (members, text) in [
        (
            incremental(json!({ "ExportFromTime": now - 600.0 })),
            "The period between ExportFromTime and ExportToTime must be at least 15 minutes",
        ),
        (
            incremental(json!({ "ExportFromTime": now - 90_000.0 })),
            "The period between ExportFromTime and ExportToTime must be at most 24 hours",
        ),
        (
            incremental(json!({ "ExportFromTime": now, "ExportToTime": now - 1.0 })),
            "ExportFromTime must be before ExportToTime",
        ),
        (incremental(json!({})), "ExportFromTime must be specified when ExportType is INCREMENTAL_EXPORT"),
        (
            json!({ "ExportType": "INCREMENTAL_EXPORT" }),
            "IncrementalExportSpecification must be specified when ExportType is INCREMENTAL_EXPORT",
        ),
        (
            json!({ "IncrementalExportSpecification": { "ExportFromTime": now } }),
            "IncrementalExportSpecification can only be specified when ExportType is INCREMENTAL_EXPORT",
        ),
        (json!({ "S3SseKmsKeyId": "key" }), "S3SseKmsKeyId can only be specified when S3SseAlgorithm is KMS"),
        (json!({ "TableArn": "Tbl" }), "Invalid table ARN"),
    ] {
        db.refused(members, "ValidationException", &format!("Invalid Request: {text}"));
    }
    let nonsense = format!("{ARN}/export/01489173575360-b308cd7d");
    let body = json!({ "ExportArn": nonsense }).to_string();
    let text = format!("Export not found: {nonsense}");
    check_error(&db.wire, "DescribeExport", &body, "ExportNotFoundException", &text);
    check_error(&db.wire, "ListExports", r#"{"NextToken":"x"}"#, "ValidationException", "Invalid NextToken");
}

#[test]
fn what_an_export_needs_is_checked_in_the_form_of_the_model() {
    check_refused(
        "ExportTableToPointInTime",
        "{}",
        "2 validation errors detected: Value null at 'tableArn' failed to satisfy constraint: Member must not be null; Value \
         null at 's3Bucket' failed to satisfy constraint: Member must not be null",
    );
    for (members, text) in [
        (
            json!({ "ExportFormat": "CSV" }),
            "'CSV' at 'exportFormat' failed to satisfy constraint: Member must satisfy enum value set: [DYNAMODB_JSON, ION]",
        ),
        (
            json!({ "ExportType": "HALF" }),
            "'HALF' at 'exportType' failed to satisfy constraint: Member must satisfy enum value set: [FULL_EXPORT, \
             INCREMENTAL_EXPORT]",
        ),
        (
            json!({ "IncrementalExportSpecification": { "ExportViewType": "NEW_IMAGES" } }),
            "'NEW_IMAGES' at 'incrementalExportSpecification.exportViewType' failed to satisfy constraint: Member must satisfy \
             enum value set: [NEW_IMAGE, NEW_AND_OLD_IMAGES]",
        ),
        (
            json!({ "S3SseAlgorithm": "DES" }),
            "'DES' at 's3SseAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [AES256, KMS]",
        ),
        (
            json!({ "S3Bucket": "b" }),
            "'b' at 's3Bucket' failed to satisfy constraint: Member must satisfy regular expression pattern: \
             ^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$",
        ),
    ] {
        let text = format!("1 validation error detected: Value {text}");
        check_refused("ExportTableToPointInTime", &request(members), &text);
    }
    check_refused(
        "ListExports",
        r#"{"MaxResults":26}"#,
        "1 validation error detected: Value '26' at 'maxResults' failed to satisfy constraint: Member must have value less than \
         or equal to 25",
    );
}

#[test]
fn a_token_of_an_export_belongs_to_its_parameters() {
    let db = Db::recovering();
    db.objects.create_bucket("other");
    let first = db.export(json!({ "ClientToken": "token" }));
    let again = db.export_again(json!({ "ClientToken": "token" }));
    assert_eq!(first["ExportArn"], again["ExportArn"]);
    db.refused(
        json!({ "ClientToken": "token", "S3Bucket": "other" }),
        "ExportConflictException",
        "An export with the same client token and other parameters exists",
    );
    db.pass(8 * 60 * 60);
    let later = db.export(json!({ "ClientToken": "token", "S3Bucket": "other" }));
    assert_ne!(first["ExportArn"], later["ExportArn"]);
}

impl Db {
    fn export_again(&self, members: Value) -> Value {
        let answer = check_accepted(&self.wire, "ExportTableToPointInTime", &request(members));
        parsed(&answer)["ExportDescription"].clone()
    }
}

#[test]
fn exports_are_listed_in_the_reverse_order_of_their_arns() {
    let db = Db::recovering();
    let mut arns = Vec::new();
    for _ in 0..3 {
        arns.push(db.export(json!({}))["ExportArn"].clone());
        db.pass(1);
    }
    arns.reverse();
    let list = |body: Value| parsed(&check_accepted(&db.wire, "ListExports", &body.to_string()));
    let listed = |answer: &Value| -> Vec<Value> {
        let summaries = answer["ExportSummaries"].as_array().unwrap();
        assert!(summaries.iter().all(|one| one["ExportStatus"] == "COMPLETED"));
        assert!(summaries.iter().all(|one| one["ExportType"] == "FULL_EXPORT"));
        summaries.iter().map(|one| one["ExportArn"].clone()).collect()
    };
    assert_eq!(listed(&list(json!({}))), arns);
    assert_eq!(listed(&list(json!({ "TableArn": ARN }))), arns);
    assert!(listed(&list(json!({ "TableArn": ARN.replace("Tbl", "Other") }))).is_empty());
    let first = list(json!({ "MaxResults": 2 }));
    assert_eq!(listed(&first), arns[..2]);
    let second = list(json!({ "MaxResults": 2, "NextToken": first["NextToken"] }));
    assert_eq!(listed(&second), arns[2..]);
    assert!(second.get("NextToken").is_none());
    db.pass(91 * 24 * 60 * 60);
    assert!(listed(&list(json!({}))).is_empty());
}

#[test]
fn a_failed_export_says_why() {
    let db = Db::recovering();
    let export = db.export(json!({ "S3Bucket": "nowhere" }));
    assert_eq!(export["ExportStatus"], "FAILED");
    assert_eq!(export["FailureCode"], "S3NoSuchBucket");
    let message = export["FailureMessage"].as_str().unwrap();
    assert!(message.starts_with("The specified bucket does not exist (Service: Amazon S3; Status Code: 404"));
    assert!(export.get("ExportManifest").is_none());
}
