//! Regions kept apart: a table exists where its requests are signed for.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use pdb_server::{Regions, RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::time::ManualClock;
use serde_json::{Value, json};

use crate::binary::{Process, pretender};
use crate::control::{get, post};
use crate::ctl::{check_refused, ctl_output, ctl_with};
use crate::harness::{SIGNED, exchange, request_with};

const HOME: &str = "us-east-1";
const WEST: &str = "us-west-2";

/// What a call answers that is signed for a region.
fn call_in(address: SocketAddr, region: &str, target: &str, body: &Value) -> (u16, Value) {
    let signed = SIGNED.replace(HOME, region);
    let answer =
        exchange(address, request_with(&signed, "application/x-amz-json-1.0", target, &body.to_string()));
    (answer.status, serde_json::from_str(answer.text()).unwrap())
}

/// The same, of a call of DynamoDB that succeeds.
#[track_caller]
fn answer_in(address: SocketAddr, region: &str, operation: &str, body: &Value) -> Value {
    let (status, answer) = call_in(address, region, &format!("DynamoDB_20120810.{operation}"), body);
    assert_eq!(status, 200, "{region} {operation}: {answer}");
    answer
}

fn streams_in(address: SocketAddr, region: &str) -> Value {
    call_in(address, region, "DynamoDBStreams_20120810.ListStreams", &json!({})).1["Streams"].clone()
}

/// Creates the streamed table `Orders` in a region, with one item whose key names the region; returns the stream's ARN.
fn create_in(address: SocketAddr, region: &str) -> String {
    let created = answer_in(
        address,
        region,
        "CreateTable",
        &json!({
            "TableName": "Orders",
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        }),
    );
    put_in(address, region, region);
    created["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned()
}

fn put_in(address: SocketAddr, region: &str, key: &str) {
    answer_in(address, region, "PutItem", &json!({ "TableName": "Orders", "Item": { "pk": { "S": key } } }));
}

fn items_in(address: SocketAddr, region: &str) -> Value {
    answer_in(address, region, "Scan", &json!({ "TableName": "Orders" }))["Items"].clone()
}

fn tables_in(address: SocketAddr, region: &str) -> Value {
    answer_in(address, region, "ListTables", &json!({}))["TableNames"].clone()
}

/// A server in memory that may be commanded; its clock stands.
fn commanded() -> (RunningServer, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::held_at(pretender::time::EpochMillis(1_772_356_542_017)));
    let builder = Pretender::builder().in_memory().clock(clock.clone()).sweep_interval(None);
    let home = builder.clone().open().unwrap();
    let regions = Regions::separate(home, move |region| builder.clone().in_region(region).open());
    let options = ServerOptions { control: Some(clock.clone()), ..ServerOptions::default() };
    (Server::start(regions, options).unwrap(), clock)
}

#[test]
fn each_region_has_its_tables_streams_and_arns() {
    let (server, _clock) = commanded();
    let address = server.address();
    let (home, west) = (create_in(address, HOME), create_in(address, WEST));
    assert!(home.starts_with("arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/"), "{home}");
    assert!(west.starts_with("arn:aws:dynamodb:us-west-2:000000000000:table/Orders/stream/"), "{west}");
    for (region, arn) in [(HOME, &home), (WEST, &west)] {
        assert_eq!(items_in(address, region), json!([{ "pk": { "S": region } }]));
        let streams = streams_in(address, region);
        assert_eq!((streams.as_array().unwrap().len(), &streams[0]["StreamArn"]), (1, &json!(arn)));
        let target = "DynamoDBStreams_20120810.DescribeStream";
        let (status, described) = call_in(address, region, target, &json!({ "StreamArn": arn }));
        assert_eq!(status, 200);
        let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
        let iterator = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let iterator = call_in(address, region, "DynamoDBStreams_20120810.GetShardIterator", &iterator).1;
        let body = json!({ "ShardIterator": iterator["ShardIterator"] });
        let (_, records) = call_in(address, region, "DynamoDBStreams_20120810.GetRecords", &body);
        assert_eq!(records["Records"][0]["awsRegion"], region);
        assert_eq!(records["Records"][0]["dynamodb"]["Keys"]["pk"]["S"], region);
        // Nothing of it is found from the other region.
        let other = if region == HOME { WEST } else { HOME };
        assert_eq!(call_in(address, other, target, &json!({ "StreamArn": arn })).0, 400);
        assert_eq!(call_in(address, other, "DynamoDBStreams_20120810.GetRecords", &body).0, 400);
    }
    let backup = json!({ "TableName": "Orders", "BackupName": "nightly" });
    let backup = answer_in(address, WEST, "CreateBackup", &backup);
    let arn = backup["BackupDetails"]["BackupArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:dynamodb:us-west-2:"), "{arn}");
    assert_eq!(answer_in(address, HOME, "ListBackups", &json!({}))["BackupSummaries"], json!([]));
    // A table of one region goes without that of the other.
    answer_in(address, WEST, "DeleteTable", &json!({ "TableName": "Orders" }));
    assert_eq!((tables_in(address, HOME), tables_in(address, WEST)), (json!(["Orders"]), json!([])));
    assert_eq!(tables_in(address, "eu-central-1"), json!([]));
}

#[test]
fn invalid_regions_are_refused_as_on_aws() {
    let (server, _clock) = commanded();
    let address = server.address();
    for region in ["nowhere", "..us-west-2", "us-west-22", "US-EAST-1", "x"] {
        let (status, answer) = call_in(address, region, "DynamoDB_20120810.ListTables", &json!({}));
        assert_eq!(
            (status, &answer["__type"]),
            (400, &json!("com.amazon.coral.service#InvalidSignatureException"))
        );
        let text = format!("Credential should be scoped to a valid region, not '{region}'. ");
        assert_eq!(answer["message"], text);
    }
    assert_eq!(tables_in(address, "local"), json!([]));
    // A credential without a scope means the server's own region.
    create_in(address, HOME);
    let plain = SIGNED.replace("Credential=key/20260301/us-east-1/dynamodb/aws4_request", "Credential=key");
    let target = "DynamoDB_20120810.ListTables";
    let answer = exchange(address, request_with(&plain, "application/x-amz-json-1.0", target, "{}"));
    assert_eq!(answer.text(), r#"{"TableNames":["Orders"]}"#);
}

#[test]
fn without_the_setting_all_regions_are_one() {
    let clock = Arc::new(ManualClock::running());
    let pretender = Pretender::builder().clock(clock.clone()).open().unwrap();
    let options = ServerOptions { control: Some(clock), ..ServerOptions::default() };
    let server = Server::start(pretender, options).unwrap();
    let arn = create_in(server.address(), WEST);
    assert!(arn.starts_with("arn:aws:dynamodb:us-east-1:"), "{arn}");
    assert_eq!(tables_in(server.address(), "nowhere"), json!(["Orders"]));
    assert_eq!(get(&server, "clock?region=us-east-1").status, 200);
    let refused = post(&server, "reset?region=us-west-2", "{}");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("start it with `--separate-regions`"), "{}", refused.text());
    check_refused(&server.url(), &["reset", "--region", "us-west-2"], "has only one region");
}

#[test]
fn commands_are_for_one_region_or_for_all() {
    let (server, _clock) = commanded();
    let (address, url) = (server.address(), server.url());
    let (home, west) = (create_in(address, HOME), create_in(address, WEST));
    // An ARN names its region.
    for arn in [&home, &west] {
        assert_eq!(ctl_output(&url, &["shards", "split", arn]).lines().count(), 2, "{arn}");
        assert_eq!(ctl_output(&url, &["shards", "list", arn]).lines().count(), 3, "{arn}");
        assert_eq!(ctl_output(&url, &["trim", arn]), "trimmed 1 record\n", "{arn}");
    }
    // The clock is everybody's: the records of both are trimmed, and both had a closed shard.
    put_in(address, HOME, "second");
    put_in(address, WEST, "second");
    let moved = post(&server, "clock/advance", r#"{"duration":"25h"}"#);
    let moved: Value = serde_json::from_str(moved.text()).unwrap();
    assert_eq!(moved["done"]["trimmed_records"], 2, "{moved}");
    // A fault is for one region, the server's own unless another is named.
    let fault = json!({ "kind": "throttling" }).to_string();
    assert_eq!(post(&server, "faults/add?region=us-west-2", &fault).status, 200);
    let scan = json!({ "TableName": "Orders" });
    assert_eq!(call_in(address, WEST, "DynamoDB_20120810.Scan", &scan).0, 400);
    assert_eq!(items_in(address, HOME).as_array().unwrap().len(), 2);
    ctl_output(&url, &["fault", "clear", "--region", WEST]);
    assert_eq!(items_in(address, WEST).as_array().unwrap().len(), 2);
    // So is a snapshot.
    ctl_output(&url, &["snapshot", "save", "two", "--region", WEST]);
    put_in(address, WEST, "third");
    put_in(address, HOME, "third");
    check_refused(&url, &["snapshot", "restore", "two"], "two");
    ctl_output(&url, &["snapshot", "restore", "two", "--region", WEST]);
    let counts = || [HOME, WEST].map(|region| items_in(address, region).as_array().unwrap().len());
    assert_eq!(counts(), [3, 2]);
    // One table is reset in one region, everything in all, unless one is named.
    ctl_output(&url, &["reset", "--table", "Orders"]);
    assert_eq!(counts(), [0, 2]);
    ctl_output(&url, &["reset", "--region", WEST]);
    assert_eq!((tables_in(address, HOME), tables_in(address, WEST)), (json!(["Orders"]), json!([])));
    create_in(address, WEST);
    ctl_output(&url, &["reset"]);
    assert_eq!((tables_in(address, HOME), tables_in(address, WEST)), (json!([]), json!([])));
    // What AWS's variables say counts for commands that are for one region.
    create_in(address, HOME);
    create_in(address, WEST);
    let in_west = |arguments: &[&str]| {
        let variables = [("AWS_REGION", WEST), ("PRETENDER_ENDPOINT", &*url)];
        let output = ctl_with(&variables, arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let west = in_west(&["shards", "split", "Orders"]);
    assert_eq!(ctl_output(&url, &["shards", "list", "Orders"]).lines().count(), 1);
    assert_eq!(
        ctl_output(&url, &["shards", "list", "Orders", "--region", WEST]).lines().count(),
        3,
        "{west}"
    );
    in_west(&["reset", "--table", "Orders"]);
    assert_eq!(counts(), [1, 0]);
    in_west(&["reset"]);
    assert_eq!((tables_in(address, HOME), tables_in(address, WEST)), (json!([]), json!([])));
    for region in ["nowhere", "x"] {
        check_refused(&url, &["reset", "--region", region], &format!("`{region}` is not a region"));
    }
    let output = pretender().args(["ctl", "reset", "--endpoint", &url, "--region", "a&b"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("not a region: expected a name such as us-east-1")
    );
}

#[test]
fn an_arn_of_another_region_finds_no_table() {
    let (server, _clock) = commanded();
    let address = server.address();
    create_in(address, HOME);
    create_in(address, WEST);
    let [home, west] =
        [HOME, WEST].map(|region| format!("arn:aws:dynamodb:{region}:000000000000:table/Orders"));
    let key = json!({ "pk": { "S": HOME } });
    let bodies = |arn: &str| {
        let statement = format!("SELECT * FROM \"{arn}\" WHERE pk = '{HOME}'");
        let member = |name: &str, value: &Value| {
            let mut body = json!({ "TableName": arn });
            body[name] = value.clone();
            body
        };
        let on_table = json!({ "TableName": arn });
        let not_found = "Requested resource not found";
        let of_table = "Requested resource not found: Table: Orders not found";
        let of_backups = "Table not found: Orders";
        [
            ("GetItem", member("Key", &key), not_found),
            ("PutItem", member("Item", &key), not_found),
            ("UpdateItem", member("Key", &key), not_found),
            ("DeleteItem", member("Key", &key), not_found),
            ("Scan", on_table.clone(), not_found),
            (
                "Query",
                json!({
                    "TableName": arn,
                    "KeyConditionExpression": "pk = :p",
                    "ExpressionAttributeValues": { ":p": { "S": HOME } },
                }),
                not_found,
            ),
            ("BatchGetItem", json!({ "RequestItems": { arn: { "Keys": [key] } } }), not_found),
            (
                "BatchWriteItem",
                json!({ "RequestItems": { arn: [{ "PutRequest": { "Item": key } }] } }),
                not_found,
            ),
            ("TransactGetItems", json!({ "TransactItems": [{ "Get": member("Key", &key) }] }), not_found),
            ("TransactWriteItems", json!({ "TransactItems": [{ "Put": member("Item", &key) }] }), not_found),
            ("ExecuteStatement", json!({ "Statement": statement }), not_found),
            ("ExecuteTransaction", json!({ "TransactStatements": [{ "Statement": statement }] }), not_found),
            ("DescribeTable", on_table.clone(), of_table),
            ("DescribeTimeToLive", on_table.clone(), of_table),
            ("UpdateTable", member("DeletionProtectionEnabled", &json!(false)), of_table),
            ("DescribeContinuousBackups", on_table.clone(), of_backups),
            ("CreateBackup", member("BackupName", &json!("nightly")), of_backups),
            ("DeleteTable", on_table, of_table),
        ]
    };
    let call = |operation: &str, body: &Value| {
        call_in(address, HOME, &format!("DynamoDB_20120810.{operation}"), body)
    };
    for (operation, body, text) in bodies(&west) {
        let (status, answer) = call(operation, &body);
        assert_eq!((status, &answer["message"]), (400, &json!(text)), "{operation}: {answer}");
    }
    let restored = json!({
        "SourceTableArn": west, "TargetTableName": "Copies", "UseLatestRestorableTime": true,
    });
    let (_, answer) = call("RestoreTableToPointInTime", &restored);
    assert_eq!(answer["message"], "Table not found: Orders", "{answer}");
    // In a batch of statements the others are executed.
    let statement =
        |arn: &str, key: &str| json!({ "Statement": format!("SELECT * FROM \"{arn}\" WHERE pk = '{key}'") });
    let statements = [statement(&west, HOME), statement(&home, HOME), statement(&west, WEST)];
    let (_, answer) = call("BatchExecuteStatement", &json!({ "Statements": statements }));
    let refused =
        json!({ "Error": { "Code": "ResourceNotFound", "Message": "Requested resource not found" } });
    let found = json!({ "TableName": "Orders", "Item": key });
    assert_eq!(answer["Responses"], json!([refused, found, refused]), "{answer}");
    for region in [HOME, WEST] {
        assert_eq!(items_in(address, region), json!([{ "pk": { "S": region } }]));
    }
    // The ARN of the region itself is found, last to be deleted.
    for (operation, body, _) in bodies(&home) {
        let (status, answer) = call(operation, &body);
        assert_eq!(status, 200, "{operation}: {answer}");
    }
}

#[test]
fn a_region_that_was_not_used_cannot_be_commanded() {
    let (server, _clock) = commanded();
    let (address, url) = (server.address(), server.url());
    let text = "the region `eu-west-1` was not used since the server was started";
    let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";
    for arguments in [
        &["shards", "list", arn][..],
        &["trim", arn],
        &["reset", "--region", "eu-west-1"],
        &["snapshot", "list", "--region", "eu-west-1"],
        &["snapshot", "save", "one", "--region", "eu-west-1"],
        &["fault", "list", "--region", "eu-west-1"],
    ] {
        check_refused(&url, arguments, text);
    }
    assert_eq!(post(&server, "reset?region=eu-west-1", "{}").status, 404);
    // What is restored may be the first there.
    check_refused(&url, &["snapshot", "restore", "one", "--region", "eu-west-1"], "one");
    assert_eq!(tables_in(address, "eu-west-1"), json!([]));
    ctl_output(&url, &["reset", "--region", "eu-west-1"]);
}

#[test]
fn a_schema_whose_name_leaves_no_room_for_a_region_is_refused_at_the_start() {
    let url = format!("postgres://me@127.0.0.1:1/orders?schema={}", "x".repeat(40));
    let output =
        pretender().args(["serve", "--port", "0", "--separate-regions", "--db", &url]).output().unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the schema's name is longer than 63 bytes"), "{stderr}");
}

fn serve(file: &Path) -> Process {
    let mut command = pretender();
    command.args(["serve", "--port", "0", "--separate-regions", "--region", HOME, "--db"]);
    Process::start(command.arg(file))
}

#[test]
#[cfg(unix)]
fn the_program_keeps_a_file_for_each_region() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.db");
    let tail = |address: SocketAddr, region: &str| -> Output {
        let endpoint = format!("http://{address}");
        let arguments = ["tail", "Orders", "--json", "--region", region, "--endpoint", &endpoint];
        pretender().args(arguments).output().unwrap()
    };
    for is_first in [true, false] {
        let mut process = serve(&file);
        let address = process.address();
        assert_eq!(process.line(), format!("Data in {}", file.display()));
        assert_eq!(process.line(), "Data of regions other than us-east-1 is in files beside it");
        if is_first {
            create_in(address, HOME);
            create_in(address, WEST);
        }
        for region in [HOME, WEST] {
            assert_eq!(items_in(address, region), json!([{ "pk": { "S": region } }]));
            let output = tail(address, region);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let record: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(record["awsRegion"], region);
        }
        assert!(!tail(address, "eu-north-1").status.success());
        // All databases are closed, so that they can be opened again.
        assert_eq!(process.stop("-TERM").code(), Some(0));
    }
    assert!(directory.path().join("orders.us-west-2.db").exists());
    // Each is a database by itself.
    let west = Pretender::builder().file(directory.path().join("orders.us-west-2.db")).region(WEST);
    let listed = west.open().unwrap().list_tables(&Default::default()).unwrap();
    assert_eq!(listed.table_names.len(), 1);
}

#[test]
#[cfg(unix)]
fn a_region_that_cannot_be_opened_costs_its_requests_and_no_others() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.db");
    std::fs::write(directory.path().join("orders.us-west-2.db"), "no database").unwrap();
    let mut process = serve(&file);
    let address = process.address();
    let target = "DynamoDB_20120810.ListTables";
    let (status, answer) = call_in(address, WEST, target, &json!({}));
    assert_eq!(
        (status, &answer["__type"]),
        (500, &json!("com.amazonaws.dynamodb.v20120810#InternalServerError"))
    );
    assert_eq!(tables_in(address, HOME), json!([]));
    // Once it can be opened, it is.
    std::fs::remove_file(directory.path().join("orders.us-west-2.db")).unwrap();
    assert_eq!(tables_in(address, WEST), json!([]));
    let (status, logged) = process.stop_and_read("-TERM");
    assert_eq!(status.code(), Some(0));
    assert!(logged.contains("cannot open the database of a region"), "{logged}");
}
