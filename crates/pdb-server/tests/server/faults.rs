//! Faults on demand, over HTTP: commanded by the control interface, met by a client.

use std::time::{Duration, Instant};

use pdb_server::{Server, ServerOptions};
use pretender::faults::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::control::{ControlledServer, post};
use crate::harness::{Answer, Connection, SIGNED, exchange, request, request_with, server};

/// Sends a call; `None` if the connection ends without an answer.
fn call(server: &ControlledServer, operation: &str, body: &Value) -> Option<(u16, Value)> {
    let mut connection = send(server, operation, body);
    connection.answer_unless_closed().map(|answer| {
        let text = answer.text().to_owned();
        (answer.status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    })
}

fn send(server: &ControlledServer, operation: &str, body: &Value) -> Connection {
    let service = match operation {
        "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords" => "DynamoDBStreams_20120810",
        _ => "DynamoDB_20120810",
    };
    let mut connection = Connection::to(server.server.address());
    connection.send(request(&format!("{service}.{operation}"), &body.to_string()));
    connection
}

#[track_caller]
fn ok(server: &ControlledServer, operation: &str, body: &Value) -> Value {
    let (status, answer) = call(server, operation, body).unwrap();
    assert_eq!(status, 200, "{operation} {body}: {answer}");
    answer
}

fn put(key: &str) -> Value {
    json!({"TableName": "Orders", "Item": {"pk": {"S": key}}})
}

/// The keys in the table, in order of their names, whatever faults there are.
fn keys(server: &ControlledServer) -> Vec<String> {
    let scanned =
        server.pretender.without_faults().scan(pretender::items::ScanInput::new("Orders".parse().unwrap()));
    let items: Value =
        serde_json::from_str(&format!("[{}]", scanned.unwrap().items.unwrap().json())).unwrap();
    let items = items.as_array().unwrap().iter();
    let mut keys: Vec<String> = items.map(|item| item["pk"]["S"].as_str().unwrap().to_owned()).collect();
    keys.sort();
    keys
}

/// The keys in the stream, in its order, whatever faults there are.
fn streamed(server: &ControlledServer) -> Vec<String> {
    let subscription = server.pretender.without_faults().subscribe().table("Orders").start().unwrap();
    subscription
        .map(|event| {
            let keys: Value = serde_json::from_str(event.unwrap().record.keys.json()).unwrap();
            keys["pk"]["S"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn iterator(server: &ControlledServer) -> Value {
    let shard = server.pretender.shards(&server.arn).unwrap().remove(0).shard_id;
    let body = json!({
        "StreamArn": server.arn.to_string(), "ShardId": shard.as_str(), "ShardIteratorType": "TRIM_HORIZON",
    });
    ok(server, "GetShardIterator", &body)["ShardIterator"].take()
}

#[test]
fn errors_are_injected_with_their_texts() {
    let server = ControlledServer::new();
    let none = "";
    let arn = server.arn.to_string();
    let shard = server.pretender.shards(&server.arn).unwrap().remove(0).shard_id;
    let place = json!({"StreamArn": arn, "ShardId": shard.as_str(), "ShardIteratorType": "TRIM_HORIZON"});
    let records = json!({"ShardIterator": iterator(&server)});
    let get = json!({"TableName": "Orders", "Key": {"pk": {"S": "a"}}});
    let key = &get["Key"];
    let actions = json!({"TransactItems": [
        {"Put": {"TableName": "Orders", "Item": {"pk": {"S": "b"}}}},
        {"Delete": {"TableName": "Orders", "Key": {"pk": {"S": "c"}}}},
    ]});
    let insert = json!({"Statement": "INSERT INTO \"Orders\" VALUE {'pk': 'x'}"});
    let update = json!({"TableName": "Orders", "Key": key, "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {":a": {"S": "x"}}});
    let search = json!({"TableName": "Orders", "IndexName": "by_meaning", "TopK": 1,
        "SearchVector": [{"N": "1"}]});
    let capacity = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
                    provisioning level with the UpdateTable API.";
    let throughput = "Throughput exceeds the current capacity of your table or index.";
    let internal = "The request processing has failed because of an unknown error, exception or failure.";
    let conflict = "Transaction is ongoing for the item";
    for (kind, operation, body, status, code, text) in [
        (
            "throughput-exceeded",
            "PutItem",
            &put("a"),
            400,
            "ProvisionedThroughputExceededException",
            capacity,
        ),
        ("throughput-exceeded", "Query", &get, 400, "ProvisionedThroughputExceededException", capacity),
        ("throttling", "PutItem", &put("a"), 400, "ThrottlingException", throughput),
        ("throttling", "SearchVectors", &search, 400, "ThrottlingException", throughput),
        ("throttling", "GetRecords", &records, 400, "ThrottlingException", "Rate exceeded"),
        (
            "throttling",
            "DescribeTable",
            &json!({"TableName": "Orders"}),
            400,
            "ThrottlingException",
            "control plane",
        ),
        ("request-limit", "GetItem", &get, 400, "RequestLimitExceeded", "throughput quota for your account"),
        ("limit-exceeded", "GetRecords", &records, 400, "LimitExceededException", "Rate exceeded"),
        ("internal-error", "PutItem", &put("a"), 500, "InternalServerError", internal),
        ("internal-error", "DescribeEndpoints", &json!({}), 500, "InternalServerError", internal),
        (
            "unavailable",
            "BatchGetItem",
            &json!({}),
            503,
            "ServiceUnavailable",
            "DynamoDB is currently unavailable",
        ),
        (
            "expired-iterator",
            "GetRecords",
            &records,
            400,
            "ExpiredIteratorException",
            "The provided iterator exceeds the maximum age allowed.",
        ),
        (
            "trimmed-data",
            "GetRecords",
            &records,
            400,
            "TrimmedDataAccessException",
            "The data you are trying to access has been trimmed",
        ),
        ("trimmed-data", "GetShardIterator", &place, 400, "TrimmedDataAccessException", "trimmed"),
        ("conflict", "PutItem", &put("a"), 400, "TransactionConflictException", conflict),
        ("conflict", "UpdateItem", &update, 400, "TransactionConflictException", conflict),
        ("conflict", "DeleteItem", &get, 400, "TransactionConflictException", conflict),
        ("conflict", "ExecuteStatement", &insert, 400, "TransactionConflictException", conflict),
        (
            "conflict",
            "TransactWriteItems",
            &actions,
            400,
            "TransactionCanceledException",
            "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, None]",
        ),
    ] {
        let fault = json!({"kind": kind, "operations": [operation], "times": 1});
        let id = server.executes("faults/add", &fault)["id"].clone();
        let (given, answer) = call(&server, operation, body).unwrap();
        let type_name = answer["__type"].as_str().unwrap_or(none).rsplit('#').next().unwrap();
        let message = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or(none);
        assert_eq!((given, type_name), (status, code), "{kind} {operation}: {answer}");
        assert!(message.contains(text), "{kind} {operation}: {answer}");
        if code == "TransactionCanceledException" {
            assert_eq!(
                answer["CancellationReasons"],
                json!([{"Code": "TransactionConflict", "Message": conflict}, {"Code": "None"}])
            );
        }
        let log = server.shows("faults")["injected"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&log["fault"], &log["operation"], &log["detail"]),
            (&id, &json!(operation), &json!(code))
        );
        assert_eq!(log["request_id"].as_str().unwrap().len(), 52);
        server.executes("faults/remove", &json!({"id": id}));
    }
    // Nothing of all this was done.
    assert_eq!((keys(&server).len(), streamed(&server).len()), (0, 0));
    ok(&server, "PutItem", &put("a"));
}

#[test]
fn connections_are_dropped_before_and_after_the_commit() {
    let server = ControlledServer::new();
    for (kind, operation, body, done) in [
        ("drop-before", "PutItem", put("before"), false),
        ("drop-after", "PutItem", put("after"), true),
        (
            "drop-before",
            "BatchWriteItem",
            json!({"RequestItems": {"Orders": [{"PutRequest": {"Item": {"pk": {"S": "b"}}}}]}}),
            false,
        ),
        (
            "drop-after",
            "BatchWriteItem",
            json!({"RequestItems": {"Orders": [{"PutRequest": {"Item": {"pk": {"S": "c"}}}}]}}),
            true,
        ),
        (
            "drop-after",
            "ExecuteStatement",
            json!({"Statement": "INSERT INTO \"Orders\" VALUE {'pk': 'd'}"}),
            true,
        ),
    ] {
        let before = keys(&server).len();
        let id = server.executes("faults/add", &json!({"kind": kind, "operations": [operation], "times": 1}))
            ["id"]
            .clone();
        assert_eq!(call(&server, operation, &body), None, "{kind} {operation}");
        let written = keys(&server).len() - before;
        assert_eq!(written, usize::from(done), "{kind} {operation}");
        server.executes("faults/remove", &json!({"id": id}));
        // The client's second attempt: a put is as good twice as once.
        if operation != "ExecuteStatement" {
            ok(&server, operation, &body);
        }
    }
    assert_eq!(keys(&server), ["after", "b", "before", "c", "d"]);
    let mut seen = streamed(&server);
    seen.sort();
    assert_eq!(seen, keys(&server), "each item has one record");
    // Other connections live, also one that was open before.
    let mut connection = Connection::to(server.server.address());
    connection.send(request("DynamoDB_20120810.PutItem", &put("e").to_string()));
    assert_eq!(connection.answer().status, 200);
    server.executes("faults/add", &json!({"kind": "drop-before", "operations": ["DeleteItem"]}));
    let delete = json!({"TableName": "Orders", "Key": {"pk": {"S": "e"}}});
    assert_eq!(call(&server, "DeleteItem", &delete), None);
    connection.send(request("DynamoDB_20120810.PutItem", &put("f").to_string()));
    assert_eq!(connection.answer().status, 200);
}

#[test]
fn a_call_can_pass_the_faults_of_a_test() {
    let server = ControlledServer::new();
    server.executes("faults/add", &json!({"kind": "throttling", "operations": ["PutItem"], "times": 1}));
    let put_with = |header: &str| {
        let body = put("a").to_string();
        let headers = format!("{SIGNED}{header}");
        let request =
            request_with(&headers, "application/x-amz-json-1.0", "DynamoDB_20120810.PutItem", &body);
        exchange(server.server.address(), request).status
    };
    assert_eq!(put_with("X-Pretender-Faults: off\r\n"), 200);
    let fault = server.shows("faults")["faults"][0].clone();
    assert_eq!((&fault["matched"], &fault["injected"]), (&json!(0), &json!(0)), "{fault}");
    // Anything else is no wish.
    assert_eq!(put_with("X-Pretender-Faults: on\r\n"), 400);
    assert_eq!(put_with(""), 200);
    // Without the control API, there is no such header.
    let pretender = pretender::Pretender::in_memory().unwrap();
    pretender.faults().add(Fault::new(FaultKind::Throttling)).unwrap();
    let server = Server::start(pretender, ServerOptions::default()).unwrap();
    let headers = format!("{SIGNED}X-Pretender-Faults: off\r\n");
    let list = request_with(&headers, "application/x-amz-json-1.0", "DynamoDB_20120810.ListTables", "{}");
    assert_eq!(exchange(server.address(), list).status, 400);
}

#[test]
fn a_delayed_call_does_not_block_others() {
    let server = ControlledServer::new();
    server.executes(
        "faults/add",
        &json!({"kind": "latency", "operations": ["reads"], "table": "Orders", "delay": "1h"}),
    );
    // More than there are threads that may block.
    let query = json!({"TableName": "Orders", "KeyConditionExpression": "pk = :k",
        "ExpressionAttributeValues": {":k": {"S": "a"}}});
    let get = json!({"TableName": "Orders", "Key": {"pk": {"S": "a"}}});
    let waiting: Vec<Connection> =
        (0..40)
            .map(|number| {
                if number % 2 == 0 { send(&server, "Query", &query) } else { send(&server, "GetItem", &get) }
            })
            .collect();
    let deadline = Instant::now() + Duration::from_secs(60);
    while server.shows("faults")["faults"][0]["injected"] != 40 {
        assert!(Instant::now() < deadline);
    }
    ok(&server, "PutItem", &put("a"));
    ok(&server, "DescribeTable", &json!({"TableName": "Orders"}));
    server.executes("faults/clear", &json!({}));
    assert_eq!(ok(&server, "Query", &query)["Count"], 1);
    drop(waiting);

    server.executes("faults/add", &json!({"kind": "latency", "delay": "30ms..40ms", "seed": 3, "times": 2}));
    for operation in ["GetItem", "ListStreams"] {
        let began = Instant::now();
        let body = if operation == "GetItem" { get.clone() } else { json!({}) };
        ok(&server, operation, &body);
        assert!(began.elapsed() >= Duration::from_millis(30));
    }
    for one in server.shows("faults")["injected"].as_array().unwrap() {
        let millis: u64 = one["detail"].as_str().unwrap().strip_suffix(" ms").unwrap().parse().unwrap();
        assert!((30..=40).contains(&millis), "{one}");
    }
}

/// Reads a shard as a careful consumer does, page by page; gives up on nothing, counts what it meets.
fn read_all(server: &ControlledServer, limit: u32) -> (Vec<String>, Vec<String>) {
    let (mut iterator, mut seen, mut met) = (iterator(server), Vec::new(), Vec::new());
    let mut empty = 0;
    while empty < 3 {
        let body = json!({"ShardIterator": iterator, "Limit": limit});
        let (status, mut page) = call(server, "GetRecords", &body).unwrap();
        if status != 200 {
            met.push(page["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned());
            continue;
        }
        let records = page["Records"].as_array().unwrap();
        empty = if records.is_empty() { empty + 1 } else { 0 };
        seen.extend(
            records.iter().map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned()),
        );
        iterator = page["NextShardIterator"].take();
    }
    (seen, met)
}

#[test]
fn readers_lose_nothing() {
    let all = ["a", "b", "c", "d", "e"];
    for (fault, limit, expected, errors) in [
        (json!({"kind": "empty-page", "times": 2}), 10, "abcde", 0),
        (json!({"kind": "empty-page", "skip": 1, "times": 2}), 2, "abcde", 0),
        (json!({"kind": "duplicate", "times": 1}), 10, "abcdee", 0),
        (json!({"kind": "duplicate", "times": 1}), 2, "abbcde", 0),
        (json!({"kind": "duplicate", "skip": 1, "times": 1}), 2, "abcdde", 0),
        // Each record comes twice, and then the next one's turn has come.
        (json!({"kind": "duplicate"}), 1, "aabbccddee", 0),
        (json!({"kind": "expired-iterator", "skip": 1, "times": 2}), 2, "abcde", 2),
        (json!({"kind": "throttling", "operations": ["GetRecords"], "times": 3}), 2, "abcde", 3),
        (json!({"kind": "trimmed-data", "operations": ["GetRecords"], "times": 1, "skip": 2}), 2, "abcde", 1),
        (json!({"kind": "empty-page", "table": "Others"}), 2, "abcde", 0),
    ] {
        let server = ControlledServer::new();
        all.iter().for_each(|key| server.put(key));
        server.executes("faults/add", &fault);
        let (seen, met) = read_all(&server, limit);
        assert_eq!((seen.concat().as_str(), met.len()), (expected, errors), "{fault} {met:?}");
        assert_eq!(streamed(&server), all);
    }
}

#[test]
fn a_closed_shard_ends_also_with_faults() {
    for kind in ["empty-page", "duplicate"] {
        let server = ControlledServer::new();
        ["a", "b"].iter().for_each(|key| server.put(key));
        let mut place = iterator(&server);
        server.pretender.rotate_shards(&server.arn, None).unwrap();
        server.executes("faults/add", &json!({"kind": kind, "times": 1}));
        let mut seen = String::new();
        while place.is_string() {
            let mut page = ok(&server, "GetRecords", &json!({"ShardIterator": place}));
            for record in page["Records"].as_array().unwrap() {
                seen.push_str(record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap());
            }
            place = page["NextShardIterator"].take();
        }
        assert_eq!(seen, if kind == "duplicate" { "abb" } else { "ab" });
    }
}

#[test]
fn a_part_of_a_batch_is_left_unprocessed() {
    let server = ControlledServer::new();
    let writes: Vec<Value> =
        (0..9).map(|key| json!({"PutRequest": {"Item": {"pk": {"S": format!("{key}")}}}})).collect();
    let mut left = json!({"Orders": writes});
    server.executes("faults/add", &json!({"kind": "unprocessed", "seed": 5}));
    let mut rounds = Vec::new();
    // Half of them, rounded up, but for one at the end: who tries again gets on.
    while left["Orders"].is_array() {
        let answer = ok(&server, "BatchWriteItem", &json!({"RequestItems": left}));
        left = answer["UnprocessedItems"].clone();
        let open = left["Orders"].as_array().map_or(0, Vec::len);
        assert_eq!(keys(&server).len(), 9 - open, "what is left was not written");
        rounds.push(open);
    }
    assert_eq!(rounds, [5, 3, 2, 1, 0]);
    assert_eq!(streamed(&server).len(), 9);

    server.executes("faults/clear", &json!({}));
    server.executes(
        "faults/add",
        &json!({"kind": "unprocessed", "operations": ["BatchGetItem"], "items": 2, "times": 1}),
    );
    let wanted: Vec<Value> = (0..5).map(|key| json!({"pk": {"S": format!("{key}")}})).collect();
    let asked = json!({"RequestItems": {"Orders": {"Keys": wanted, "ConsistentRead": true}}});
    let answer = ok(&server, "BatchGetItem", &asked);
    let unprocessed = &answer["UnprocessedKeys"]["Orders"];
    assert_eq!(answer["Responses"]["Orders"].as_array().unwrap().len(), 3);
    assert_eq!(
        (unprocessed["Keys"].as_array().unwrap().len(), &unprocessed["ConsistentRead"]),
        (2, &json!(true))
    );
    let again = ok(&server, "BatchGetItem", &json!({"RequestItems": answer["UnprocessedKeys"]}));
    assert_eq!(again["Responses"]["Orders"].as_array().unwrap().len(), 2);
    assert_eq!(again["UnprocessedKeys"], json!({}));
}

#[test]
fn the_same_seed_brings_the_same_faults() {
    let pattern = |seed: u64| {
        let server = ControlledServer::new();
        server.executes(
            "faults/add",
            &json!({"kind": "unavailable", "operations": ["writes"], "probability": 0.4, "seed": seed}),
        );
        let outcome = |key: usize| call(&server, "PutItem", &put(&key.to_string())).unwrap().0;
        let pattern: Vec<u16> = (0..40).map(outcome).collect();
        let written = pattern.iter().filter(|status| **status == 200).count();
        assert_eq!((keys(&server).len(), streamed(&server).len()), (written, written));
        pattern
    };
    let first = pattern(11);
    assert!(first.contains(&200) && first.contains(&503));
    assert_eq!(first, pattern(11));
    assert_ne!(first, pattern(12));
}

#[test]
fn faults_are_listed_and_removed() {
    let server = ControlledServer::new();
    let first =
        server.executes("faults/add", &json!({"kind": "latency", "delay": "100ms..2s", "table": "Orders"}));
    let expected = json!({
        "id": 1, "kind": "latency", "operations": [], "table": "Orders", "probability": 1.0, "skip": 0, "seed": 0,
        "delay_millis": [100, 2000], "matched": 0, "injected": 0, "over": false,
    });
    assert_eq!(first, expected);
    let second = json!({"kind": "unprocessed", "operations": ["batches", "BatchGetItem"], "items": 3, "times": 2, "skip": 1});
    assert_eq!(server.executes("faults/add", &second)["id"], 2);
    assert_eq!(server.shows("faults")["faults"].as_array().unwrap().len(), 2);
    assert_eq!(server.executes("faults/remove", &json!({"id": 1})), json!({"removed": 1}));
    server.refuses("faults/remove", r#"{"id":1}"#, 404, "there is no fault 1");
    assert_eq!(server.executes("faults/clear", &json!({})), json!({"removed": 1}));
    assert_eq!(server.shows("faults"), json!({"faults": [], "injected": [], "forgotten": 0}));
}

#[test]
fn impossible_faults_are_refused_with_a_reason() {
    let server = ControlledServer::new();
    for (body, text) in [
        (json!({}), "missing field `kind`"),
        (
            json!({"kind": "fire"}),
            "`fire` is not a kind of fault; the kinds are throughput-exceeded, throttling,",
        ),
        (json!({"kind": "conflict", "operations": ["Putitem"]}), "`Putitem` is not an operation"),
        (
            json!({"kind": "expired-iterator", "operations": ["PutItem"]}),
            "`expired-iterator` does not apply to PutItem, only to GetRecords",
        ),
        (json!({"kind": "unprocessed", "operations": ["streams"]}), "does not apply to streams"),
        (json!({"kind": "conflict", "table": "a b"}), "`a b` is not a valid table name"),
        (json!({"kind": "conflict", "probability": 2}), "greater than 0 and at most 1, not 2"),
        (json!({"kind": "conflict", "times": 0}), "at least once"),
        (json!({"kind": "conflict", "times": -1}), "invalid value"),
        (json!({"kind": "conflict", "delay": "1s"}), "`conflict` has no delay"),
        (json!({"kind": "latency"}), "`latency` needs a delay"),
        (json!({"kind": "latency", "delay": "soon"}), "`soon` is not a duration"),
        (json!({"kind": "latency", "delay": "2s..1s"}), "its minimum must not exceed its maximum"),
        (json!({"kind": "latency", "delay": "1d"}), "at most one hour"),
        (json!({"kind": "latency", "until": 1}), "unknown field `until`"),
    ] {
        server.refuses("faults/add", &body.to_string(), 400, text);
    }
    assert_eq!(server.shows("faults")["faults"], json!([]));
}

#[test]
fn faults_need_the_control_interface() {
    let server = server();
    let not_there: Answer = exchange(server.address(), "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for command in ["faults", "faults/add", "faults/clear"] {
        let answer = post(&server, command, r#"{"kind":"internal-error"}"#);
        assert_eq!((answer.status, &answer.body), (404, &not_there.body), "{command}");
    }
}
