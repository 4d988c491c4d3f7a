//! `pretender ls`, `show`, `get`, `query`, `scan`, `put`, `delete` and `sql`, as processes.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{exchange, request, server};

/// Runs a command against a server, with something on its standard input.
fn pretender(url: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    command.env_clear().env("AWS_ENDPOINT_URL", url).args(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that fails before it reads closes its end.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What a command prints that succeeds.
#[track_caller]
fn printed(url: &str, arguments: &[&str]) -> String {
    let output = pretender(url, arguments, "");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The error of a command that fails.
#[track_caller]
fn refused(url: &str, arguments: &[&str]) -> String {
    let output = pretender(url, arguments, "");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

fn events() -> (pdb_server::RunningServer, String) {
    let server = server();
    let body = json!({
        "TableName": "events",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "sensor", "KeyType": "HASH" }, { "AttributeName": "at", "KeyType": "RANGE" }],
        "AttributeDefinitions": [
            { "AttributeName": "sensor", "AttributeType": "S" },
            { "AttributeName": "at", "AttributeType": "N" },
            { "AttributeName": "state", "AttributeType": "S" },
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-state",
            "KeySchema": [{ "AttributeName": "state", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "ALL" },
        }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    });
    let answer = exchange(server.address(), request("DynamoDB_20120810.CreateTable", &body.to_string()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let url = server.url();
    (server, url)
}

#[test]
fn an_item_is_put_read_and_deleted() {
    let (_server, url) = events();
    let item = r#"{"sensor": "s1", "at": 7, "exact": 12345678901234567890.25, "tags": ["a"]}"#;
    assert_eq!(printed(&url, &["put", "events", item]), "Put 1 item.\n");
    let plain = "{\"at\":7,\"exact\":12345678901234567890.25,\"sensor\":\"s1\",\"tags\":[\"a\"]}\n";
    assert_eq!(printed(&url, &["get", "events", "s1", "7"]), plain);
    assert_eq!(printed(&url, &["get", "events", r#"{"sensor": "s1", "at": 7}"#]), plain);
    assert_eq!(
        printed(&url, &["get", "events", "s1", "7", "--projection", "tags[0]"]),
        "{\"tags\":[\"a\"]}\n"
    );
    let typed = printed(&url, &["get", "events", "s1", "7", "--format", "dynamodb"]);
    assert!(typed.contains(r#""tags":{"L":[{"S":"a"}]}"#), "{typed}");
    let table = printed(&url, &["get", "events", "s1", "7", "--format", "table"]);
    assert!(table.starts_with("{\n  \"at\": 7,\n"), "{table}");

    let again = refused(&url, &["put", "events", item, "--new"]);
    assert!(again.contains("an item with this key already exists"), "{again}");
    assert_eq!(printed(&url, &["delete", "events", "s1", "7"]), "Deleted 1 item.\n");
    assert_eq!(printed(&url, &["delete", "events", "s1", "7"]), "There was no such item.\n");
    assert!(refused(&url, &["get", "events", "s1", "7"]).contains("`events` has no item with the key s1 7"));
}

#[test]
fn many_items_come_from_standard_input() {
    let (_server, url) = events();
    let input = "{\"sensor\": \"s1\", \"at\": 1}\n{\"sensor\": {\"S\": \"s1\"}, \"at\": {\"N\": \"2\"}}\n[{\"sensor\": \"s2\", \"at\": -3}]";
    let output = pretender(&url, &["put", "events", "-"], input);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Put 3 items.\n");
    assert_eq!(printed(&url, &["scan", "events"]).lines().count(), 3);
    assert_eq!(printed(&url, &["get", "events", "s2", "-3"]), "{\"at\":-3,\"sensor\":\"s2\"}\n");

    let output =
        pretender(&url, &["put", "events", "-"], "{\"sensor\": \"s3\", \"at\": 1} {\"sensor\": \"s3\"} ");
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("item 2: ValidationException") && error.contains("(1 put before it)"), "{error}");
}

#[test]
fn queries_and_scans_find_filter_and_end() {
    let (_server, url) = events();
    let items: String = (0..250)
        .map(|at| {
            format!(
                r#"{{"sensor":"s{}","at":{at},"twice":{},"state":"{}"}}"#,
                at % 2,
                at * 2,
                ["new", "old"][usize::from(at > 200)]
            )
        })
        .collect();
    pretender(&url, &["put", "events", "-"], &items);

    let ats = |arguments: &[&str]| -> Vec<i64> {
        let lines = printed(&url, arguments);
        lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["at"].as_i64().unwrap())
            .collect()
    };
    for (arguments, expected) in [
        (&["query", "events", "s0", "4"][..], &[4][..]),
        (&["query", "events", "s0", "--lt", "6"], &[0, 2, 4]),
        (&["query", "events", "s1", "--between", "3", "7", "--reverse"], &[7, 5, 3]),
        (&["query", "events", "s0", "--ge", "100", "-n", "2"], &[100, 102]),
        (
            &["query", "events", "s0", "--filter", "#n > :x", "--name", "#n=twice", "--value", ":x=492"],
            &[248],
        ),
    ] {
        assert_eq!(ats(arguments), expected, "{arguments:?}");
    }
    assert_eq!(ats(&["query", "events", "old", "--index", "by-state"]).len(), 49);
    assert_eq!(ats(&["scan", "events"]).len(), 100);
    assert_eq!(ats(&["scan", "events", "--all"]).len(), 250);
    assert_eq!(
        ats(&["scan", "events", "--filter", "#s = :s", "--name", "#s=state", "--value", ":s=none", "--all"])
            .len(),
        0
    );
    let more = pretender(&url, &["scan", "events", "-n", "3"], "");
    assert_eq!(String::from_utf8_lossy(&more.stderr), "Only the first 3 items are shown; --all shows all.\n");
}

#[test]
fn sql_selects_and_changes() {
    let (_server, url) = events();
    assert_eq!(printed(&url, &["sql", "INSERT INTO events VALUE {'sensor': 's1', 'at': 1, 'n': 5}"]), "");
    let select = "SELECT \"at\", n FROM events WHERE sensor = ?";
    assert_eq!(printed(&url, &["sql", select, "-p", "s1"]), "{\"at\":1,\"n\":5}\n");
    assert_eq!(printed(&url, &["sql", select, "-p", "s1", "--format", "table"]), "at  n\n 1  5\n");
    assert_eq!(printed(&url, &["sql", select, "-p", "s2"]), "");
    assert!(refused(&url, &["sql", "SELECT FROM"]).contains("ValidationException"));
}

#[test]
fn tables_are_listed_and_shown() {
    let (server, url) = events();
    printed(&url, &["put", "events", r#"{"sensor": "s1", "at": 7}"#]);
    let listed = printed(&url, &["ls", "--format", "table"]);
    assert_eq!(
        listed,
        "TABLE   STATUS  ITEMS  SIZE  INDEXES  STREAM\nevents  ACTIVE      1  12 B        1  NEW_AND_OLD_IMAGES\n"
    );
    let described: Value = serde_json::from_str(&printed(&url, &["ls", "--json"])).unwrap();
    assert_eq!(described["TableName"], "events");

    let arn = described["LatestStreamArn"].as_str().unwrap();
    let db = server; // Keeps the server until the end.
    let shown = printed(&url, &["show", "events", "--format", "table"]);
    for expected in [
        "table     events\n",
        "status    ACTIVE, 1 item, 12 B, on demand\n",
        "key       sensor (S), at (N)\n",
        "indexes   by-state: global, key state (S), ALL, 0 items\n",
        "streams   NEW_AND_OLD_IMAGES ENABLED\n",
        arn,
        "  open\n",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let json: Value = serde_json::from_str(&printed(&url, &["show", "events"])).unwrap();
    assert_eq!(json["Streams"][0]["Shards"].as_array().unwrap().len(), 1);
    assert_eq!(json["TimeToLive"]["TimeToLiveStatus"], "DISABLED");
    drop(db);
}

#[test]
fn errors_say_what_to_do() {
    let (_server, url) = events();
    assert!(refused(&url, &["show", "evnts"]).contains("did you mean `events`?"));
    assert!(refused(&url, &["get", "events", "s1"]).contains("the key of `events` is sensor (S), at (N)"));
    assert!(
        refused(&url, &["query", "events", "x", "--index", "by-at"])
            .contains("has no index `by-at`; it has by-state")
    );
    assert!(
        refused(&url, &["query", "events", "x", "5", "--index", "by-state"])
            .contains("`by-state` has no sort key")
    );
    assert!(refused(&url, &["put", "events", "{"]).contains("not JSON"));
    // It says that it tries again, and then what to do.
    let nobody = pretender("http://127.0.0.1:9", &["ls"], "");
    assert_eq!(nobody.status.code(), Some(1));
    let error = String::from_utf8(nobody.stderr).unwrap();
    assert!(error.lines().last().unwrap().ends_with("is `pretender serve` running?"), "{error}");
}

/// A change whose answer was lost is neither made twice nor called done.
#[test]
fn a_lost_answer_is_reported() {
    let server = crate::control::ControlledServer::new();
    let url = server.server.url();
    let name = "Orders";
    for (command, fault) in [
        (&["sql", "INSERT INTO Orders VALUE {'pk': 'o1', 'n': 1}"][..], "ExecuteStatement"),
        (&["put", name, r#"{"pk": "o2"}"#, "--new"], "PutItem"),
        (&["delete", name, "o2"], "DeleteItem"),
    ] {
        crate::ctl::ctl_output(&url, &["fault", "add", "drop-after", "-o", fault, "--times", "1"]);
        assert!(refused(&url, command).contains("the change may or may not have been made"), "{command:?}");
    }
    assert_eq!(printed(&url, &["get", name, "o1"]), "{\"n\":1,\"pk\":\"o1\"}\n");
    assert!(refused(&url, &["get", name, "o2"]).contains("has no item"));
}

#[test]
fn an_item_with_many_attributes_is_shown() {
    let (_server, url) = events();
    let many: String = (0..4000).map(|n| format!(r#","a{n}":{n}"#)).collect();
    let output = pretender(&url, &["put", "events", "-"], &format!(r#"{{"sensor":"s1","at":1{many}}}"#));
    assert!(output.status.success());
    assert!(printed(&url, &["scan", "events", "--format", "table"]).starts_with("sensor  at  a0"));
}

#[test]
fn names_of_the_key_condition_are_not_replaced() {
    let (_server, url) = events();
    let value =
        ["query", "events", "s1", "--filter", "a > :z", "--value", ":z=0", "--value", ":partition=s2"];
    assert!(refused(&url, &value).contains("`:partition` is given twice"));
}

#[test]
fn control_characters_of_items_do_not_reach_the_terminal() {
    let (_server, url) = events();
    printed(&url, &["put", "events", r#"{"sensor": "\u001b[2J", "at": 1}"#]);
    for format in ["table", "json", "dynamodb"] {
        let shown = printed(&url, &["scan", "events", "--format", format]);
        assert!(!shown.contains('\u{1b}') && shown.contains("\\u001b[2J"), "{format}: {shown}");
    }
}
