//! Exports and imports of a server with buckets in S3: over kills of the server, and without the service.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pdb_testkit::MotoServer;
use serde_json::{Value, json};

use crate::crash::Process;

const ITEMS: usize = 6_000;

fn serve(file: &Path, moto: &MotoServer) -> Process {
    serve_with(file, &moto.url())
}

fn serve_with(file: &Path, endpoint: &str) -> Process {
    let options = ["--objects", "s3", "--s3-endpoint", endpoint];
    Process::start_as(file, &options, |command: &mut Command| {
        command.envs([
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
            ("AWS_REGION", "us-east-1"),
        ]);
    })
}

fn call(process: &Process, operation: &str, body: &Value) -> Value {
    process.call(&format!("DynamoDB_20120810.{operation}"), body)
}

/// Waits for the end of a job. Kills the server once in the middle, if it gets there in time, and starts it again.
fn ended(
    mut process: Process,
    file: &Path,
    moto: &MotoServer,
    describe: &str,
    body: &Value,
) -> (Process, Value) {
    let (mut is_killed, end) = (false, Instant::now() + Duration::from_secs(120));
    loop {
        let answer = call(&process, describe, body);
        let job = answer.as_object().unwrap().values().next().unwrap().clone();
        let status = job["ExportStatus"].as_str().or(job["ImportStatus"].as_str()).unwrap();
        if status != "IN_PROGRESS" {
            return (process, job);
        }
        assert!(Instant::now() < end, "{job}");
        if !is_killed {
            process.kill();
            process = serve(file, moto);
            is_killed = true;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// All items of a table, sorted.
fn items(process: &Process, table: &str) -> Vec<String> {
    let (mut found, mut body) = (Vec::new(), json!({ "TableName": table }));
    loop {
        let page = call(process, "Scan", &body);
        found.extend(page["Items"].as_array().unwrap().iter().map(ToString::to_string));
        let Some(last) = page.get("LastEvaluatedKey") else { break };
        body["ExclusiveStartKey"] = last.clone();
    }
    found.sort();
    found
}

fn definition(table: &str) -> Value {
    json!({
        "TableName": table, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
    })
}

#[test]
fn what_is_exported_to_s3_is_imported_from_it_over_kills() {
    let Some(moto) = MotoServer::start() else { return };
    moto.create_bucket("exports");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s3.db");
    let mut process = serve(&file, &moto);
    call(&process, "CreateTable", &definition("Orders"));
    call(
        &process,
        "UpdateContinuousBackups",
        &json!({ "TableName": "Orders", "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true } }),
    );
    for first in (0..ITEMS).step_by(25) {
        let put = |n: usize| {
            let item = json!({ "pk": { "S": format!("o{n}") }, "n": { "N": n.to_string() }, "text": { "S": "x".repeat(300) } });
            json!({ "PutRequest": { "Item": item } })
        };
        let puts: Vec<Value> = (first..first + 25).map(put).collect();
        call(&process, "BatchWriteItem", &json!({ "RequestItems": { "Orders": puts } }));
    }
    let table_arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders";
    for (format, table) in [("DYNAMODB_JSON", "FromJson"), ("ION", "FromIon")] {
        let export = call(
            &process,
            "ExportTableToPointInTime",
            &json!({ "TableArn": table_arn, "S3Bucket": "exports", "S3Prefix": format, "ExportFormat": format }),
        );
        let arn = &export["ExportDescription"]["ExportArn"];
        let described = ended(process, &file, &moto, "DescribeExport", &json!({ "ExportArn": arn }));
        process = described.0;
        assert_eq!(described.1["ExportStatus"], "COMPLETED", "{}", described.1);
        assert_eq!(described.1["ItemCount"], ITEMS);

        let id = arn.as_str().unwrap().rsplit('/').next().unwrap();
        let import = call(
            &process,
            "ImportTable",
            &json!({
                "S3BucketSource":
                    { "S3Bucket": "exports", "S3KeyPrefix": format!("{format}/AWSDynamoDB/{id}/data/") },
                "InputFormat": format,
                "InputCompressionType": "GZIP",
                "TableCreationParameters": definition(table),
            }),
        );
        let arn = &import["ImportTableDescription"]["ImportArn"];
        let described = ended(process, &file, &moto, "DescribeImport", &json!({ "ImportArn": arn }));
        process = described.0;
        assert_eq!(described.1["ImportStatus"], "COMPLETED", "{}", described.1);
        assert_eq!(described.1["ImportedItemCount"], ITEMS);
        assert_eq!(items(&process, table), items(&process, "Orders"));
    }
}

/// Begins the import of a bucket, and returns its ARN.
fn import_orders(process: &Process) -> Value {
    let input = json!({
        "S3BucketSource": { "S3Bucket": "exports" },
        "InputFormat": "ION",
        "TableCreationParameters": definition("Orders"),
    });
    call(process, "ImportTable", &input)["ImportTableDescription"]["ImportArn"].clone()
}

/// The service forgets everything when it is killed, as moto does: what fails says so, and the server goes on.
#[test]
fn a_service_that_has_lost_its_buckets_fails_jobs_and_nothing_else() {
    let Some(mut moto) = MotoServer::start() else { return };
    moto.create_bucket("exports");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s3.db");
    let process = serve(&file, &moto);
    moto.kill();
    moto.restart();
    let arn = import_orders(&process);
    let (process, import) = ended(process, &file, &moto, "DescribeImport", &json!({ "ImportArn": arn }));
    assert_eq!(
        (&import["ImportStatus"], &import["FailureCode"]),
        (&json!("FAILED"), &json!("S3NoSuchBucket"))
    );
    assert_eq!(call(&process, "ListTables", &json!({}))["TableNames"], json!([]));
}

/// A service of objects that lists one, and never sends it. Tells when it is asked for it.
fn service_of_an_endless_object() -> (String, mpsc::Receiver<()>) {
    const LIST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>exports</Name><Prefix></Prefix>\
        <KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>a.ion</Key>\
        <LastModified>2026-03-01T09:15:42.000Z</LastModified><ETag>&quot;1&quot;</ETag><Size>100</Size></Contents></ListBucketResult>";
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", service.local_addr().unwrap());
    let (begins, read_begins) = mpsc::channel();
    std::thread::spawn(move || {
        let mut waiting = Vec::new();
        for connection in service.incoming() {
            let mut connection = connection.unwrap();
            let mut line = String::new();
            let mut head = BufReader::new(connection.try_clone().unwrap()).lines();
            while let Some(Ok(next)) =
                head.next().filter(|next| next.as_ref().is_ok_and(|next| !next.is_empty()))
            {
                if line.is_empty() {
                    line = next;
                }
            }
            if line.contains("list-type=2") {
                let length = LIST.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{LIST}");
                connection.write_all(answer.as_bytes()).unwrap();
            } else {
                // The test may have ended.
                let _: Result<(), _> = begins.send(());
                waiting.push(connection);
            }
        }
    });
    (endpoint, read_begins)
}

/// A job may be what ends the process. The database can be used all the same, after some attempts.
#[test]
fn a_job_whose_process_ends_again_and_again_fails() {
    let (endpoint, read_begins) = service_of_an_endless_object();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stuck.db");
    let mut process = serve_with(&file, &endpoint);
    let arn = import_orders(&process);
    let described = |process: &Process| {
        call(process, "DescribeImport", &json!({ "ImportArn": arn }))["ImportTableDescription"].clone()
    };
    for _ in 0..6 {
        read_begins.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(described(&process)["ImportStatus"], "IN_PROGRESS");
        process.kill();
        process = serve_with(&file, &endpoint);
    }
    let end = Instant::now() + Duration::from_secs(20);
    while described(&process)["ImportStatus"] == "IN_PROGRESS" {
        assert!(Instant::now() < end, "it begins again");
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let import = described(&process);
    assert_eq!(
        (&import["ImportStatus"], &import["FailureCode"]),
        (&json!("FAILED"), &json!("InternalError"))
    );
    assert_eq!(call(&process, "ListTables", &json!({}))["TableNames"], json!([]));
    call(&process, "CreateTable", &definition("Orders"));
}
