//! What survives `kill -9`: every acknowledged write with its record, and no record without its write.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{exchange, request};

/// How often the server is killed.
const KILLS: u32 = 12;
const WRITERS: u64 = 4;
/// Each writer has items of its own.
const KEYS_A_WRITER: u64 = 3;

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    pub(crate) fn start(file: &Path) -> Self {
        Self::start_with(file, &[])
    }

    pub(crate) fn start_with(file: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pretender"))
            .env_clear()
            .args(["serve", "--port", "0", "--db"])
            .arg(file)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
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

#[test]
fn what_was_acknowledged_survives_a_kill_with_its_record() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("crash.db");
    let process = Process::start(&file);
    create_table(&process);
    process.kill();

    // The number each key had when its last write was acknowledged.
    let acknowledged = Mutex::new(BTreeMap::<String, u64>::new());
    for round in 0..u64::from(pdb_testkit::rounds(KILLS)) {
        let process = Process::start(&file);
        let address = process.address;
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let acknowledged = &acknowledged;
                scope.spawn(move || write_until_it_dies(address, writer, round, acknowledged));
            }
            // Long enough for some groups of commits, and different each time.
            let (_never, wait) = std::sync::mpsc::channel::<()>();
            let _ = wait.recv_timeout(Duration::from_millis(30 + 17 * (round % 7)));
            process.kill();
        });
        check(&Process::start(&file), &acknowledged.lock().unwrap());
    }
    let total: u64 = acknowledged.lock().unwrap().values().sum();
    assert!(total > 100, "the writers got {total} writes through: too few to prove anything");
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

/// Puts ever larger numbers until the server is gone.
fn write_until_it_dies(
    address: SocketAddr,
    writer: u64,
    round: u64,
    acknowledged: &Mutex<BTreeMap<String, u64>>,
) {
    let Ok(mut connection) = TcpStream::connect(address) else { return };
    for n in 1.. {
        let key = format!("writer-{writer}-key-{}", n % KEYS_A_WRITER);
        let number = round * 1_000_000 + n;
        let body = json!({"TableName": "Crash", "Item": {"pk": {"S": key}, "n": {"N": number.to_string()}}});
        if connection.write_all(request("DynamoDB_20120810.PutItem", &body.to_string()).as_bytes()).is_err() {
            return;
        }
        let mut answer = [0; 1024];
        match connection.read(&mut answer) {
            Ok(length) if answer[..length].starts_with(b"HTTP/1.1 200") => {
                acknowledged.lock().unwrap().insert(key, number);
            }
            _ => return,
        }
    }
}

/// The table has what was acknowledged, or what came after it; and replaying the stream gives the table.
fn check(process: &Process, acknowledged: &BTreeMap<String, u64>) {
    let scan = process.call("DynamoDB_20120810.Scan", &json!({"TableName": "Crash"}));
    let number = |item: &Value| item["n"]["N"].as_str().unwrap().parse::<u64>().unwrap();
    let table: BTreeMap<String, u64> = scan["Items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["pk"]["S"].as_str().unwrap().to_owned(), number(item)))
        .collect();
    for (key, least) in acknowledged {
        let found = table.get(key).copied();
        assert!(found >= Some(*least), "{key}: {least} was acknowledged, {found:?} is there");
    }

    let mut replayed = BTreeMap::new();
    for record in records(process) {
        let change = &record["dynamodb"];
        let key = change["Keys"]["pk"]["S"].as_str().unwrap().to_owned();
        let before = change.get("OldImage").map(number);
        assert_eq!(replayed.get(&key).copied(), before, "the old image of {record}");
        replayed.insert(key, number(&change["NewImage"]));
    }
    assert_eq!(replayed, table, "the stream replayed, and the table");
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
