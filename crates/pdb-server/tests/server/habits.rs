//! `--like dynamodb-local`: its habits through the program, and none of them without it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::binary::{Process, pretender};
use crate::harness::{Answer, exchange, request};

fn call(address: SocketAddr, operation: &str, body: &Value) -> Answer {
    exchange(address, request(&format!("DynamoDB_20120810.{operation}"), &body.to_string()))
}

/// The text of a refusal.
#[track_caller]
fn refusal(address: SocketAddr, operation: &str, body: &Value) -> String {
    let answer = call(address, operation, body);
    assert_eq!(answer.status, 400, "{}", answer.text());
    let answer: Value = serde_json::from_str(answer.text()).unwrap();
    let text = answer.get("message").or(answer.get("Message")).unwrap();
    text.as_str().unwrap().to_owned()
}

fn orders(definitions: &[&str]) -> Value {
    let definitions: Vec<Value> =
        definitions.iter().map(|name| json!({ "AttributeName": name, "AttributeType": "S" })).collect();
    json!({
        "TableName": "Orders",
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": definitions,
        "BillingMode": "PAY_PER_REQUEST",
    })
}

/// What is asked of each server, and what its answers say: of one that is as AWS, and of one that is as DynamoDB Local.
fn check(arguments: &[&str], root: u16, is_local: bool) {
    let arguments = [&["serve", "--port", "0", "--db", ":memory:"], arguments].concat();
    let mut process = Process::start(pretender().args(arguments));
    let address = process.address();
    let either = |local: &str, aws: &str| if is_local { local.to_owned() } else { aws.to_owned() };

    let answer = exchange(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(answer.status, root);
    let crc = crc32fast::hash(&answer.body).to_string();
    assert_eq!(answer.header("x-amz-crc32"), Some(crc.as_str()));
    assert_eq!(answer.text().contains("healthy"), root < 400);

    let no_table = "Cannot do operations on a non-existent table";
    let key = json!({ "id": { "S": "1" } });
    for (operation, body, aws) in [
        (
            "DescribeTable",
            json!({ "TableName": "Nothing" }),
            "Requested resource not found: Table: Nothing not found",
        ),
        (
            "DeleteTable",
            json!({ "TableName": "Nothing" }),
            "Requested resource not found: Table: Nothing not found",
        ),
        ("GetItem", json!({ "TableName": "Nothing", "Key": key }), "Requested resource not found"),
        ("PutItem", json!({ "TableName": "Nothing", "Item": key }), "Requested resource not found"),
        ("Scan", json!({ "TableName": "Nothing" }), "Requested resource not found"),
        (
            "BatchGetItem",
            json!({ "RequestItems": { "Nothing": { "Keys": [key] } } }),
            "Requested resource not found",
        ),
        ("ExecuteStatement", json!({ "Statement": "SELECT * FROM Nothing" }), "Requested resource not found"),
    ] {
        assert_eq!(refusal(address, operation, &body), either(no_table, aws), "{operation}");
    }
    let batch = json!({ "Statements": [{ "Statement": "SELECT * FROM Nothing WHERE id = '1'" }] });
    let answer: Value = serde_json::from_str(call(address, "BatchExecuteStatement", &batch).text()).unwrap();
    assert_eq!(answer["Responses"][0]["Error"]["Message"], either(no_table, "Requested resource not found"));

    let unused = call(address, "CreateTable", &orders(&["z", "id"]));
    assert_eq!(unused.status, if is_local { 200 } else { 400 }, "{}", unused.text());
    if !is_local {
        assert_eq!(call(address, "CreateTable", &orders(&["id"])).status, 200);
    }
    assert_eq!(
        refusal(address, "CreateTable", &orders(&["id"])),
        either("Cannot create preexisting table", "Table already exists: Orders")
    );

    let condition = |operation: &str| json!({ "TableName": "Orders", operation: key, "ConditionExpression": "attribute_exists(id)" });
    let failed = either("The conditional request failed.", "The conditional request failed");
    assert_eq!(refusal(address, "PutItem", &condition("Item")), failed);
    assert_eq!(refusal(address, "DeleteItem", &condition("Key")), failed);
    let transaction = json!({ "TransactItems": [{ "Put": condition("Item") }] });
    let answer: Value =
        serde_json::from_str(call(address, "TransactWriteItems", &transaction).text()).unwrap();
    assert_eq!(answer["CancellationReasons"][0]["Message"], failed);
    let update = "UPDATE Orders SET a = 1 WHERE id = '1'";
    assert_eq!(refusal(address, "ExecuteStatement", &json!({ "Statement": update })), failed);

    let deleted = call(address, "DeleteTable", &json!({ "TableName": "Orders" }));
    let deleted: Value = serde_json::from_str(deleted.text()).unwrap();
    assert_eq!(deleted["TableDescription"]["TableStatus"], "DELETING");
    assert_eq!(deleted["TableDescription"].get("KeySchema").is_some(), is_local);
    assert_eq!(deleted["TableDescription"].get("AttributeDefinitions").is_some(), is_local);
    #[cfg(unix)]
    assert_eq!(process.stop("-TERM").code(), Some(0));
}

#[test]
fn a_server_behaves_as_aws_by_default() {
    check(&[], 200, false);
    check(&["--root-status", "400"], 400, false);
    check(&["--root-status", "202"], 202, false);
    check(&["--like", "dynamodb-local"], 400, true);
    check(&["--like", "dynamodb-local", "--root-status", "200"], 200, true);
}

#[test]
fn items_expire_quickly() {
    // By the server's own clock, which is moved by hand.
    let mut process = Process::start(pretender().args([
        "serve",
        "--port",
        "0",
        "--db",
        ":memory:",
        "--like",
        "dynamodb-local",
        "--control",
    ]));
    let address = process.address();
    assert_eq!(call(address, "CreateTable", &orders(&["id"])).status, 200);
    let ttl = json!({ "TableName": "Orders", "TimeToLiveSpecification": { "Enabled": true, "AttributeName": "until" } });
    assert_eq!(call(address, "UpdateTimeToLive", &ttl).status, 200);
    let item = json!({ "id": { "S": "1" }, "until": { "N": "1700000000" } });
    assert_eq!(call(address, "PutItem", &json!({ "TableName": "Orders", "Item": item })).status, 200);
    let scan = json!({ "TableName": "Orders", "Select": "COUNT" });
    let start = std::time::Instant::now();
    while call(address, "Scan", &scan).text() != r#"{"Count":0,"ScannedCount":0}"# {
        assert!(start.elapsed().as_secs() < 30, "the item is still there");
        std::thread::yield_now();
    }
    #[cfg(unix)]
    assert_eq!(process.stop("-TERM").code(), Some(0));
}

#[test]
fn a_status_is_one_that_has_a_body() {
    for (variables, arguments) in [
        (None, &["serve", "--root-status", "199"][..]),
        (None, &["serve", "--root-status", "204"]),
        (None, &["serve", "--root-status", "abc"]),
        (None, &["serve", "--like", "nothing"]),
        (Some(("PRETENDER_LIKE", "nothing")), &["serve"]),
        (Some(("PRETENDER_ROOT_STATUS", "0")), &["serve"]),
    ] {
        let output = pretender().envs(variables).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
