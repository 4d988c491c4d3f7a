//! A server that is killed; and what a consumer gets that goes on after a power failure. Kills under load are the matter of `cargo xtask torture`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{exchange, request};

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    pub(crate) fn start(file: &Path) -> Self {
        Self::start_with(file, &[])
    }

    pub(crate) fn start_with(file: &Path, arguments: &[&str]) -> Self {
        Self::start_as(file, arguments, |_| ())
    }

    /// With a command that is changed before it runs.
    pub(crate) fn start_as(file: &Path, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
        command.env_clear().args(["serve", "--port", "0", "--db"]).arg(file).args(arguments);
        change(&mut command);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Listening on http://").unwrap().parse().unwrap();
        Self { child, address }
    }

    /// With the signal that cannot be caught.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn call(&self, target: &str, body: &Value) -> Value {
        let answer = exchange(self.address, request(target, &body.to_string()));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        serde_json::from_str(answer.text()).unwrap()
    }
}

/// The power fails: of what was written last, nothing has reached the disk. A consumer that has read it goes on, with the number and with
/// the iterator that it kept, and misses nothing of what is written from then on.
#[test]
fn a_consumer_misses_nothing_after_a_power_failure() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("power.db");
    let put = |process: &Process, pk: &str| {
        let body = json!({"TableName": "Crash", "Item": {"pk": {"S": pk}, "n": {"N": "1"}}});
        process.call("DynamoDB_20120810.PutItem", &body);
    };
    let process = Process::start(&file);
    create_table(&process);
    put(&process, "early");
    process.kill();
    // It was killed: opened again, all of it is in the file.
    let process = Process::start(&file);
    let on_disk = std::fs::read(&file).unwrap();
    (0..5).for_each(|n| put(&process, &format!("lost {n}")));
    let seen = records(&process);
    let (shard, last) = (only_shard(&process), seen.last().unwrap()["dynamodb"]["SequenceNumber"].clone());
    let after = |process: &Process| {
        let mut request = shard.clone();
        request["ShardIteratorType"] = "AFTER_SEQUENCE_NUMBER".into();
        request["SequenceNumber"] = last.clone();
        process.call("DynamoDBStreams_20120810.GetShardIterator", &request)["ShardIterator"].clone()
    };
    let kept = after(&process);
    process.kill();
    std::fs::write(&file, on_disk).unwrap();
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(format!("{}{suffix}", file.display())).unwrap();
    }

    let process = Process::start(&file);
    let resumed = after(&process);
    let new: Vec<String> = (0..8).map(|n| format!("new {n}")).collect();
    new.iter().for_each(|pk| put(&process, pk));
    for iterator in [kept, resumed] {
        let page = process.call("DynamoDBStreams_20120810.GetRecords", &json!({"ShardIterator": iterator}));
        let page = page["Records"].as_array().unwrap();
        let keys: Vec<_> =
            page.iter().map(|it| it["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap()).collect();
        assert_eq!(keys, new);
        assert!(page.iter().all(|record| seen.iter().all(|old| old["eventID"] != record["eventID"])));
    }
}

fn create_table(process: &Process) {
    process.call(
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "Crash", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }),
    );
}

/// The members of requests that name the only shard.
fn only_shard(process: &Process) -> Value {
    let listed = process.call("DynamoDBStreams_20120810.ListStreams", &json!({"TableName": "Crash"}));
    let arn = &listed["Streams"][0]["StreamArn"];
    let described = process.call("DynamoDBStreams_20120810.DescribeStream", &json!({"StreamArn": arn}));
    json!({"StreamArn": arn, "ShardId": described["StreamDescription"]["Shards"][0]["ShardId"]})
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All records of the table's stream, shard after shard.
fn records(process: &Process) -> Vec<Value> {
    let streams =
        |operation: &str, body: Value| process.call(&format!("DynamoDBStreams_20120810.{operation}"), &body);
    let listed = streams("ListStreams", json!({"TableName": "Crash"}));
    let arn = &listed["Streams"][0]["StreamArn"];
    let description = streams("DescribeStream", json!({"StreamArn": arn}));
    let mut records = Vec::new();
    for shard in description["StreamDescription"]["Shards"].as_array().unwrap() {
        let answer = streams(
            "GetShardIterator",
            json!({"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}),
        );
        let mut iterator = answer["ShardIterator"].clone();
        loop {
            let mut page = streams("GetRecords", json!({"ShardIterator": iterator}));
            let found = page["Records"].as_array_mut().unwrap();
            let is_last = found.is_empty();
            records.append(found);
            match page.get("NextShardIterator") {
                Some(next) if !is_last => iterator = next.clone(),
                _ => break,
            }
        }
    }
    records
}
