//! What the log tells of calls, commands and faults, through the program.

use std::net::SocketAddr;

use serde_json::Value;

use crate::binary::{Process, pretender};
use crate::harness::{Answer, exchange, request, request_with};

const JSON: &str = "application/x-amz-json-1.0";
const BOTO: &str = "User-Agent: Boto3/1.40.12 md/Botocore#1.40.12 ua/2.1\r\n";
const SECRETS: &str = "Authorization: AWS4-HMAC-SHA256 Credential=key/20260301/us-east-1/dynamodb/aws4_request, SignedHeaders=host, \
     Signature=5ecre7\r\nX-Amz-Date: 20260301T000000Z\r\nX-Amz-Security-Token: s3ss10n\r\n";
const ORDERS: &str = concat!(
    r#"{"TableName":"Orders","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST","#,
    r#""AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#
);

fn served(arguments: &[&str]) -> (Process, SocketAddr) {
    let mut process =
        Process::start(pretender().args(["serve", "--port", "0", "--db", ":memory:"]).args(arguments));
    let address = process.address();
    (process, address)
}

fn call(address: SocketAddr, operation: &str, body: &str) -> Answer {
    let headers = format!("{SECRETS}{BOTO}");
    exchange(address, request_with(&headers, JSON, &format!("DynamoDB_20120810.{operation}"), body))
}

fn command(address: SocketAddr, method: &str, path: &str, body: &str) -> u16 {
    let head = format!(
        "Host: localhost\r\nAuthorization: Bearer c0ntr01\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    exchange(address, format!("{method} /_pretender/{path} HTTP/1.1\r\n{head}\r\n{body}")).status
}

/// Ends a server and returns the lines it has logged.
fn logged(process: Process) -> Vec<String> {
    let (status, stderr) = process.stop_and_read("-TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");
    stderr.lines().map(str::to_owned).collect()
}

/// Returns the one line with all these parts.
#[track_caller]
fn only<'a>(lines: &'a [String], parts: &[&str]) -> &'a str {
    let found: Vec<_> = lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).collect();
    assert_eq!(found.len(), 1, "{parts:?}: {lines:#?}");
    found[0]
}

#[test]
fn a_call_has_the_name_of_its_database() {
    let (process, address) = served(&["--log-level", "info", "--databases", "--control"]);
    call(address, "ListTables", "{}");
    let in_path = request("DynamoDB_20120810.ListTables", "{}").replace("POST /", "POST /db/test-1");
    exchange(address, in_path);
    let head = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    exchange(address, format!("POST /db/test-1/_pretender/clock/hold HTTP/1.1\r\n{head}"));
    command(address, "POST", "clock/advance", r#"{"millis":1}"#);
    let lines = logged(process);
    only(&lines, &["answered operation=ListTables database=key status=200"]);
    only(&lines, &["answered operation=ListTables database=test-1 status=200"]);
    only(&lines, &[r#"executed a command database=test-1 command="clock/hold""#]);
    assert!(!only(&lines, &[r#"command="clock/advance""#]).contains("database="));
}

#[test]
fn each_call_is_one_line() {
    let (process, address) = served(&["--log-level", "info"]);
    let created = call(address, "CreateTable", ORDERS);
    let refused = call(address, "GetItem", r#"{"TableName":"Nothing","Key":{"id":{"S":"1"}}}"#);
    call(
        address,
        "BatchGetItem",
        r#"{"RequestItems":{"Orders":{"Keys":[{"id":{"S":"1"}},{"id":{"S":"2"}}]}}}"#,
    );
    call(address, "Nothing", "{}");
    exchange(address, request("DynamoDB_20120810.ListTables", "{}").replace(SIGNATURE, ""));
    let lines = logged(process);

    let line =
        only(&lines, &["INFO pretender::calls: answered operation=CreateTable table=Orders status=200 ms="]);
    let bytes = format!(" request_bytes={} answer_bytes={} ", ORDERS.len(), created.body.len());
    let id = created.header("x-amzn-requestid").unwrap();
    assert!(
        line.contains(&bytes) && line.ends_with(&format!(" client=Boto3/1.40 request_id={id}")),
        "{line}"
    );
    let line = only(&lines, &["operation=GetItem"]);
    let text = r#" table=Nothing status=400 error=ResourceNotFoundException text="Requested resource not found" ms="#;
    assert!(line.contains(text) && line.contains(refused.header("x-amzn-requestid").unwrap()), "{line}");
    only(&lines, &["operation=BatchGetItem table=Orders status=200"]);
    only(&lines, &["operation=DynamoDB_20120810.Nothing status=400 error=UnknownOperationException ms="]);
    only(&lines, &["operation=ListTables status=400 error=MissingAuthenticationTokenException"]);
    only(
        &lines,
        &[
            "INFO",
            "INFO pretender::server: started version=",
            "url=\"http://127.0.0.1:",
            "region=\"us-east-1\"",
            "control=false",
        ],
    );
    only(&lines, &["INFO", "stopping"]);
    only(&lines, &["INFO", ": stopped"]);
    assert_eq!(lines.len(), 8, "{lines:#?}");
}

const SIGNATURE: &str = "Authorization: AWS4-HMAC-SHA256 Credential=key/20260301/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host, Signature=00\r\nX-Amz-Date: 20260301T000000Z\r\n";

#[test]
fn requests_are_shown_on_demand_and_secrets_never() {
    let (process, address) = served(&["--log-level", "debug", "--control", "--control-token", "c0ntr01"]);
    call(address, "CreateTable", ORDERS);
    let long = "x".repeat(10_000);
    call(
        address,
        "PutItem",
        &format!(r#"{{"TableName":"Orders","Item":{{"id":{{"S":"1"}},"text":{{"S":"{long}"}}}}}}"#),
    );
    assert_eq!(command(address, "POST", "clock/hold", "{}"), 200);
    assert_eq!(command(address, "GET", "clock", ""), 200);
    let lines = logged(process);

    let parts =
        ["DEBUG pretender::calls: in full request_id=", r#"request={"TableName":"Orders","KeySchema""#];
    let line = only(&lines, &parts);
    assert!(line.contains(r#" answer={"TableDescription":{"#), "{line}");
    let line = only(&lines, &["in full", r#"request={"TableName":"Orders","Item""#]);
    assert!(line.contains("x... (10062 bytes) answer={}") && line.len() < 5000, "{line}");
    only(
        &lines,
        &["INFO pretender::commands: executed a command", r#"command="clock/hold" body="{}" status=200"#],
    );
    only(&lines, &["DEBUG pretender::commands: executed a command", r#"command="clock" status=200"#]);
    for secret in ["5ecre7", "s3ss10n", "c0ntr01", "AWS4-HMAC", "Bearer"] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{secret}: {lines:#?}");
    }
}

#[test]
fn commands_and_faults_are_logged() {
    let (process, address) = served(&["--log-level", "info", "--control"]);
    call(address, "CreateTable", ORDERS);
    let fault = r#"{"kind":"throttling","operations":["ListTables"],"times":1}"#;
    assert_eq!(command(address, "POST", "faults/add", fault), 200);
    let throttled = call(address, "ListTables", "{}");
    assert_eq!(command(address, "POST", "faults/add", r#"{"kind":"nothing"}"#), 400);
    let fault = r#"{"kind":"drop-before","operations":["GetItem"]}"#;
    assert_eq!(command(address, "POST", "faults/add", fault), 200);
    let mut connection = crate::harness::Connection::to(address);
    connection.send(request("DynamoDB_20120810.GetItem", r#"{"TableName":"Orders","Key":{"id":{"S":"1"}}}"#));
    assert!(connection.answer_unless_closed().is_none());
    assert_eq!(command(address, "POST", "clock/advance", r#"{"duration":"30h"}"#), 200);
    let lines = logged(process);

    let id = throttled.header("x-amzn-requestid").unwrap();
    let parts = ["INFO pretender::faults: injected a fault fault=1 kind=throttling operation=ListTables", id];
    only(&lines, &parts);
    only(&lines, &["operation=ListTables status=400 error=ThrottlingException", id]);
    only(&lines, &["injected a fault fault=2 kind=drop-before operation=GetItem table=Orders request_id="]);
    only(&lines, &["INFO pretender::calls: dropped by a fault operation=GetItem table=Orders ms="]);
    let parts = [
        r#"command="faults/add" body="{\"kind\":\"nothing\"}" status=400 error="`nothing` is not a kind of fault"#,
    ];
    assert!(only(&lines, &parts).contains(" peer=127.0.0.1:"));
    only(&lines, &[r#"command="clock/advance" body="{\"duration\":\"30h\"}" status=200"#]);
}

#[test]
fn effective_background_work_is_logged() {
    let (process, address) = served(&["--log-level", "info", "--control"]);
    call(
        address,
        "CreateTable",
        &ORDERS.replace(
            r#""BillingMode""#,
            r#""StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"},"BillingMode""#,
        ),
    );
    call(address, "PutItem", r#"{"TableName":"Orders","Item":{"id":{"S":"1"},"kind":{"S":"a"}}}"#);
    let index = concat!(
        r#"{"TableName":"Orders","AttributeDefinitions":[{"AttributeName":"kind","AttributeType":"S"}],"#,
        r#""GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"ByKind","Projection":{"ProjectionType":"ALL"},"#,
        r#""KeySchema":[{"AttributeName":"kind","KeyType":"HASH"}]}}]}"#
    );
    assert_eq!(call(address, "UpdateTable", index).status, 200);
    assert_eq!(command(address, "POST", "clock/advance", r#"{"duration":"30h"}"#), 200);
    let lines = logged(process);
    only(&lines, &["INFO pdb_items::", r#"filled an index table=Orders index="ByKind""#]);
    only(&lines, &["INFO pdb_cleanup::", "swept rotated_shards=1 expired_items=0 trimmed_records=1"]);
    assert!(
        lines.iter().any(|line| line.contains("closed shards, and continued them in others table=Orders"))
    );
}

#[test]
fn texts_of_requests_make_no_lines_and_no_fields() {
    let (process, address) = served(&["--log-level", "debug"]);
    let before = "\n2026-01-01T00:00:00Z INFO forged status=200\u{1b}[2J\u{9b}1m";
    let body = serde_json::json!({"TableName": before, "Key": {"id": {"S": before}}}).to_string();
    call(address, "GetItem", &body);
    call(address, "GetItem", &body.replace(',', ",\n"));
    let target = "Nothing status=200\tx";
    exchange(address, request_with(&format!("{SECRETS}User-Agent: a\"b=c x\r\n"), JSON, target, "{}"));
    let lines = logged(process);
    assert!(
        !lines.iter().any(|line| line.starts_with("2026-01-01") || line.contains('\u{1b}')),
        "{lines:#?}"
    );
    let calls = lines.iter().filter(|line| line.contains("INFO pretender::calls: "));
    assert_eq!(calls.count(), 3, "{lines:#?}");
    only(&lines, &["answered operation=Nothing?status?200?x status=400", " client=a?b?c "]);
}

#[test]
fn a_file_of_calls_is_independent_of_the_level() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("calls.log");
    let path = file.to_str().unwrap();
    for round in 1..=2 {
        let (process, address) = served(&["--access-log", path, "--log-format", "json"]);
        let listed = call(address, "ListTables", "{}");
        let refused = call(address, "PutItem", r#"{"TableName":"Orders","Item":{}}"#);
        assert_eq!(logged(process), Vec::<String>::new());
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Appended.
        assert_eq!(lines.len(), 2 * round, "{text}");
        let [.., first, second] = &lines[..] else { panic!("{text}") };
        assert_eq!((&first["level"], &first["target"]), (&"INFO".into(), &"pretender::calls".into()));
        let fields = &first["fields"];
        assert_eq!((&fields["operation"], &fields["status"]), (&"ListTables".into(), &200.into()));
        assert_eq!(fields["request_id"], listed.header("x-amzn-requestid").unwrap());
        assert_eq!(fields["client"], "Boto3/1.40");
        assert!(fields["ms"].is_number() && fields.get("table").is_none(), "{fields}");
        let fields = &second["fields"];
        assert_eq!(
            (&fields["table"], &fields["error"]),
            (&"Orders".into(), &"ResourceNotFoundException".into())
        );
        assert_eq!(fields["answer_bytes"], refused.body.len());
    }
}

#[test]
fn a_file_of_calls_has_them_all_whatever_else_is_logged() {
    for level in ["debug", "trace", "info,pretender::calls=debug", "info", "off,pretender::commands=debug"] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("calls.log");
        let (process, address) =
            served(&["--control", "--log-level", level, "--access-log", file.to_str().unwrap()]);
        let mut connection = crate::harness::Connection::to(address);
        for _ in 0..10 {
            connection.send(request("DynamoDB_20120810.ListTables", "{}"));
            assert_eq!(connection.answer().status, 200);
            assert_eq!(command(address, "GET", "clock", ""), 200);
            assert_eq!(command(address, "POST", "clock/hold", "{}"), 200);
        }
        let stderr = logged(process);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 10, "{level}: {text}");
        assert!(text.lines().all(|line| line.contains("INFO pretender::calls: answered")), "{level}: {text}");
        let in_full = stderr.iter().filter(|line| line.contains("DEBUG pretender::calls: in full")).count();
        let is_full = level == "trace" || level == "debug" || level.contains("calls=debug");
        assert_eq!(in_full, if is_full { 10 } else { 0 }, "{level}");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("missing");
    let file = folder.join("calls.log");
    let output =
        pretender().args(["serve", "--port", "0", "--db", ":memory:", "--access-log"]).arg(&file).output();
    let output = output.unwrap();
    let expected = format!(
        "pretender: cannot write the access log `{}`: the folder `{}` does not exist\n",
        file.display(),
        folder.display()
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn levels_that_are_none_are_refused() {
    for (level, text) in [
        ("inof", "`inof` is not a level: there are error, warn, info, debug, trace and off"),
        ("info,hyper=loud", "`loud` is not a level"),
        ("pdb_store", "`pdb_store` is not a level"),
        ("info,=warn", "`` is not a part of the program"),
    ] {
        let output = pretender().args(["serve", "--db", ":memory:", "--log-level", level]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(text), "{stderr}");
    }
}
