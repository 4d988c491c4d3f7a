//! `--warm-shards`, through the program.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::binary::{Process, pretender};
use crate::harness::{exchange, request};

#[track_caller]
fn call(address: SocketAddr, target: &str, body: &Value) -> Value {
    let answer = exchange(address, request(target, &body.to_string()));
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    serde_json::from_str(answer.text()).unwrap()
}

/// How many shards of a stream are open.
fn open_shards(address: SocketAddr, stream_arn: &Value) -> usize {
    let target = "DynamoDBStreams_20120810.DescribeStream";
    let described = call(address, target, &json!({ "StreamArn": stream_arn }));
    let shards = described["StreamDescription"]["Shards"].as_array().unwrap();
    shards.iter().filter(|shard| shard["SequenceNumberRange"].get("EndingSequenceNumber").is_none()).count()
}

fn check(arguments: &[&str], created: usize, updated: usize) {
    let arguments = [&["serve", "--port", "0", "--db", ":memory:"], arguments].concat();
    let mut process = Process::start(pretender().args(arguments));
    let address = process.address();
    let table = call(
        address,
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "Orders",
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
            "WarmThroughput": { "ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 5_000 },
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" },
        }),
    );
    let stream_arn = &table["TableDescription"]["LatestStreamArn"];
    assert_eq!(open_shards(address, stream_arn), created);
    let raised = json!({ "TableName": "Orders", "WarmThroughput": { "ReadUnitsPerSecond": 20_000 } });
    call(address, "DynamoDB_20120810.UpdateTable", &raised);
    assert_eq!(open_shards(address, stream_arn), updated);
    #[cfg(unix)]
    assert_eq!(process.stop("-TERM").code(), Some(0));
}

#[test]
fn warm_throughput_opens_shards_if_it_is_to() {
    check(&[], 1, 1);
    check(&["--warm-shards"], 5, 7);
    check(&["--warm-shards", "--shards", "6"], 6, 7);
}
