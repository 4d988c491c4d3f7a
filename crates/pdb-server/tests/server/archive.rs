//! `serve --archive`, and the commands that read archives.

use std::process::{Command, Output};

use serde_json::json;

use crate::binary::{Process, pretender};
use crate::harness::{exchange, request};

fn output(url: &str, arguments: &[&str]) -> Output {
    let mut command = pretender();
    command.args(arguments).args(["--endpoint", url]).output().unwrap()
}

#[track_caller]
fn run(url: &str, arguments: &[&str]) -> String {
    let output = output(url, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn serve(objects: &str, more: &[&str]) -> Command {
    let mut command = pretender();
    command.args([
        "serve",
        "--db",
        ":memory:",
        "--port",
        "0",
        "--control",
        "--sweep-interval",
        "off",
        "--objects",
        objects,
    ]);
    command.args(more);
    command
}

#[test]
fn an_archive_is_written_and_read_with_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("bucket")).unwrap();
    let objects = folder.path().to_str().unwrap();
    let mut process = Process::start(&mut serve(objects, &["--archive", "bucket/streams"]));
    let address = process.address();
    let url = format!("http://{address}");
    let call = |operation: &str, body: &serde_json::Value| {
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = exchange(address, request(&target, &body.to_string()));
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    for table in ["Orders", "Copies"] {
        let body = json!({
            "TableName": table, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        });
        call("CreateTable", &body);
    }
    let put = |id: &str| call("PutItem", &json!({"TableName": "Orders", "Item": {"id": {"S": id}}}));
    put("o1");
    put("o2");
    let middle = run(&url, &["ctl", "clock", "show", "--json"]);
    let middle: serde_json::Value = serde_json::from_str(&middle).unwrap();
    run(&url, &["ctl", "clock", "advance", "48h"]);
    put("o3");

    let archive = ["--archive", "bucket/streams", "--objects", objects];
    let tail = |more: &[&str]| {
        let text = run(&url, &[&["tail", "Orders", "--format", "json"], more].concat());
        let ids = text.lines().map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(record.get("approximateCreationMillis").is_none());
            record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap().to_owned()
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!(tail(&[]), ["o3"]);
    assert_eq!(tail(&archive), ["o1", "o2", "o3"]);
    let refused = output(&url, &["tail", "Orders", "--archive", "bucket"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--archive needs --objects"));

    let replay = |more: &[&str]| {
        let replay = ["ctl", "stream", "replay", "--table", "Copies", "--stream", "Orders"];
        run(&url, &[&replay[..], &archive, more].concat())
    };
    assert_eq!(replay(&[]), "replayed into Copies: 2 puts, 0 deletes\n");
    let middle = middle["epoch_millis"].as_i64().unwrap() + 3_600_000;
    assert_eq!(replay(&["--from", &middle.to_string()]), "replayed into Copies: 0 puts, 0 deletes\n");
    assert_eq!(replay(&["--until", &middle.to_string()]), "replayed into Copies: 2 puts, 0 deletes\n");

    let metrics = exchange(address, format!("GET /_pretender/metrics HTTP/1.1\r\nhost: {address}\r\n\r\n"));
    assert!(metrics.text().contains("pretender_archive_records_total 2\n"), "{}", metrics.text());
    assert!(metrics.text().contains("pretender_archive_delay_seconds 0\n"));
    assert!(process.stop("-TERM").success());
}

#[test]
fn an_archive_that_cannot_be_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let objects = folder.path().to_str().unwrap();
    for (arguments, expected) in [
        (&["--archive", "missing"][..], "the bucket `missing` does not exist"),
        (&["--archive", ".."], "expected the name of a bucket, or BUCKET/PREFIX"),
    ] {
        let output = serve(objects, arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(expected), "{error}");
    }
    let output = pretender()
        .args(["serve", "--db", ":memory:", "--port", "0", "--archive", "bucket"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("--archive needs --objects"));
}
