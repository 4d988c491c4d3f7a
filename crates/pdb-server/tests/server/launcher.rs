//! `pretender-dynamodb-local`: the arguments of DynamoDB Local, and those of `java` before them.
#![cfg(unix)]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::binary::Process;
use crate::harness::{SIGNED, exchange, request, request_with};

const LIST: &str = "DynamoDB_20120810.ListTables";
const CREATE: &str = "DynamoDB_20120810.CreateTable";
const ORDERS: &str = concat!(
    r#"{"TableName":"Orders","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST","#,
    r#""AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"unused","AttributeType":"S"}]}"#
);

fn launcher(arguments: &[&str]) -> Command {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../packages/dynamodb-local/pretender-dynamodb-local");
    let mut command = Command::new(path);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("PRETENDER_BIN", env!("CARGO_BIN_EXE_pretender"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    launcher(arguments).output().unwrap()
}

/// What the program is called with.
fn called(arguments: &[&str]) -> String {
    let output = launcher(arguments).env("PRETENDER_BIN", "/bin/echo").output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
}

#[test]
fn arguments_have_their_meaning_in_dynamodb_local() {
    let like = "serve --like dynamodb-local --port";
    for (arguments, expected) in [
        (&["-inMemory", "-sharedDb"][..], "8000 --db :memory:"),
        (&["-sharedDb", "-port", "4567"], "4567 --db ./pretender-shared.db"),
        (&["--port", "4567", "--inMemory", "--sharedDb"], "4567 --db :memory:"),
        (&[], "8000 --db ./pretender-local.db --separate-regions"),
        (&["-inMemory"], "8000 --db :memory: --separate-regions --databases --database-idle off"),
        (
            &["-dbPath", "/data", "-optimizeDbBeforeStartup"],
            "8000 --db /data/pretender-local.db --separate-regions",
        ),
        (&["-sharedDb", "-dbPath", "/data", "-disableTelemetry"], "8000 --db /data/pretender-shared.db"),
        (
            &["-sharedDb", "-inMemory", "-delayTransientStatuses", "-cors", "https://a.example,b.example,*"],
            "8000 --db :memory: --transition-delay 1s --cors https://a.example --cors http://b.example --cors \
             https://b.example --cors *",
        ),
        (
            &[
                "-Djava.library.path=./DynamoDBLocal_lib",
                "-Xmx1g",
                "-jar",
                "lib/DynamoDBLocal.jar",
                "-sharedDb",
            ],
            "8000 --db ./pretender-shared.db",
        ),
    ] {
        assert_eq!(called(arguments), format!("{like} {expected}"), "{arguments:?}");
    }
}

#[test]
fn unknown_arguments_are_refused() {
    for (arguments, text) in [
        (&["-nonsense"][..], "`-nonsense` is not an argument of DynamoDB Local"),
        (&["orders.db"], "`orders.db` is not an argument"),
        (&["-port"], "-port needs a value"),
        (&["-jar", "other.jar"], "replaces DynamoDBLocal.jar, and cannot run `other.jar`"),
        (&["-inMemory", "-dbPath", "."], "-dbPath and -inMemory cannot be combined"),
        (&["-port", "x", "-inMemory"], "invalid value 'x' for '--port <PORT>'"),
    ] {
        let output = run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(text), "{arguments:?}: {stderr}");
    }
    let help = run(&["-help"]);
    assert!(
        help.status.success() && String::from_utf8_lossy(&help.stdout).contains("-delayTransientStatuses")
    );
    let version = run(&["-version"]);
    assert!(version.status.success() && String::from_utf8_lossy(&version.stdout).starts_with("pretender "));
}

/// Starts the launcher, and passes over what it prints in the manner of DynamoDB Local.
fn started(arguments: &[&str]) -> (Process, std::net::SocketAddr) {
    let mut process = Process::start(&mut launcher(arguments));
    assert_eq!(process.line(), "Initializing DynamoDB Local with the following configuration:");
    while !process.line().is_empty() {}
    let address = process.address();
    (process, address)
}

#[test]
fn in_memory_nothing_lies_beside() {
    let (mut process, _) = started(&["-inMemory", "-port", "0"]);
    assert_eq!(process.line(), "Data in memory: it is gone when the server stops");
    assert_eq!(process.line(), "Each region has a separate database there");
    assert_eq!(process.stop("-TERM").code(), Some(0));
}

#[test]
fn the_server_is_started_and_stopped_as_itself() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().to_str().unwrap();
    let (process, address) = started(&["-jar", "DynamoDBLocal.jar", "-port", "0", "-dbPath", folder]);
    assert_eq!(exchange(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 400);
    assert_eq!(exchange(address, request(CREATE, ORDERS)).status, 200);
    assert_eq!(exchange(address, request(LIST, "{}")).text(), r#"{"TableNames":["Orders"]}"#);
    // The other region, as it is there.
    let elsewhere = SIGNED.replace("us-east-1", "eu-west-1");
    let listed = exchange(address, request_with(&elsewhere, "application/x-amz-json-1.0", LIST, "{}"));
    assert_eq!(listed.text(), r#"{"TableNames":[]}"#);
    // Suites call a region what they like there.
    for (region, operation, body) in [("local-env", CREATE, ORDERS), ("LOCAL-env", LIST, "{}")] {
        let signed = SIGNED.replace("us-east-1", region);
        let answer = exchange(address, request_with(&signed, "application/x-amz-json-1.0", operation, body));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().contains("Orders"), "{}", answer.text());
    }
    let missing = exchange(address, request("DynamoDB_20120810.DescribeTable", r#"{"TableName":"Nothing"}"#));
    assert!(
        missing.text().contains(r#""message":"Cannot do operations on a non-existent table""#),
        "{}",
        missing.text()
    );
    // The script has become the server, so that a signal reaches it.
    assert_eq!(process.stop("-TERM").code(), Some(0));
    let mut files: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".db"))
        .collect();
    files.sort();
    assert_eq!(files, ["pretender-local.db", "pretender-local.eu-west-1.db", "pretender-local.local-env.db"]);
}
