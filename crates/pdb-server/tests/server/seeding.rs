//! `--schema` and `--seed`: what a server begins with.

mod schemas;
mod seeds;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::binary::{Process, pretender};
use crate::harness::{exchange, request};

/// A server that is starting, in memory unless `options` say something else.
fn serve(options: &[&str]) -> Process {
    Process::start(&mut command(options))
}

fn command(options: &[&str]) -> Command {
    let mut command = pretender();
    command.args(["serve", "--port", "0"]).args(options);
    if !options.iter().any(|option| ["--db", "--snapshot"].contains(option)) {
        command.args(["--db", ":memory:"]);
    }
    command
}

/// What a server says that does not start.
#[track_caller]
fn refusal(options: &[&str]) -> String {
    let output = command(options).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    error.trim_end().strip_prefix("pretender: ").unwrap().to_owned()
}

/// The answer to a call.
#[track_caller]
fn call(address: SocketAddr, operation: &str, body: &str) -> Value {
    let service =
        if operation.contains("Stream") || operation == "GetRecords" || operation == "GetShardIterator" {
            "DynamoDBStreams_20120810"
        } else {
            "DynamoDB_20120810"
        };
    let answer = exchange(address, request(&format!("{service}.{operation}"), body));
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
    serde_json::from_str(answer.text()).unwrap()
}

/// The items of a table, in the order of their texts.
fn items(address: SocketAddr, table: &str) -> Vec<String> {
    let page = call(address, "Scan", &format!(r#"{{"TableName":"{table}"}}"#));
    let mut items: Vec<String> = page["Items"].as_array().unwrap().iter().map(Value::to_string).collect();
    items.sort_unstable();
    items
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
