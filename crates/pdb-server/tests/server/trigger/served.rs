//! `pretender serve --trigger`: a mapping in the server's own process.

use std::net::SocketAddr;

use super::function::{Answer, FunctionServer, batch};
use super::{batches, wait_until};
use crate::binary::{Process, pretender};
use crate::harness::{exchange, request};

fn call(address: SocketAddr, operation: &str, body: &str) {
    let answer = exchange(address, request(&format!("DynamoDB_20120810.{operation}"), body));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn create_orders(address: SocketAddr) {
    let table = concat!(
        r#"{"TableName":"Orders","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST","#,
        r#""AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],"#,
        r#""StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#
    );
    call(address, "CreateTable", table);
}

fn put(address: SocketAddr, key: &str, n: u32) {
    let item = format!(r#"{{"TableName":"Orders","Item":{{"pk":{{"S":"{key}"}},"n":{{"N":"{n}"}}}}}}"#);
    call(address, "PutItem", &item);
}

/// What the console's page of triggers says.
fn page(address: SocketAddr) -> String {
    let get = "GET /_pretender/console/triggers?part=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    exchange(address, get).text().to_owned()
}

/// Starts a server with triggers.
fn serve(arguments: &[&str]) -> (Process, SocketAddr) {
    let mut process =
        Process::start(pretender().args(["serve", "-p", "0", "-d", ":memory:", "-c"]).args(arguments));
    let address = process.address();
    (process, address)
}

#[test]
#[cfg(unix)]
fn a_put_invokes_the_function_and_the_console_shows_it() {
    let function = FunctionServer::start(|event| match batch(event).as_str() {
        "b2" => Answer::error(),
        _ => Answer::json("null"),
    });
    let trigger = format!("Orders={},batch-size=1,maximum-retry-attempts=0", function.address());
    let (process, address) = serve(&["--trigger", &trigger]);
    assert!(page(address).contains("there is no table `Orders` with a stream yet"));
    create_orders(address);
    put(address, "a", 1);
    put(address, "b", 2);
    put(address, "c", 3);
    let events = function.wait_for(|events| events.len() == 3);
    assert_eq!(batches(&events), "a1 b2 c3");
    wait_until(|| page(address).contains("<dt>Records processed</dt><dd>2</dd>"));
    // The server samples the iterator age.
    wait_until(|| page(address).contains("<polyline"));
    let shown = page(address);
    for text in [
        "<strong>running</strong>",
        "batches of at most 1 record",
        "<code>maximum-retry-attempts=0</code>",
        "<dt>Invocations</dt><dd>3</dd>",
        "<dt>Discarded</dt><dd>1</dd>",
        "Last error: <span class=\"text\">ValueError: boom</span>",
        "Iterator age",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let scraped = exchange(address, "GET /_pretender/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let url = format!("http://{}/2015-03-31/functions/function/invocations", function.address());
    let labels = format!(r#"trigger="1",target="Orders",function="{url}""#);
    for line in [
        format!("pretender_trigger_running{{{labels}}} 1"),
        format!("pretender_trigger_records_total{{{labels},result=\"discarded\"}} 1"),
        format!("pretender_trigger_invocations_total{{{labels},result=\"failed\"}} 1"),
    ] {
        assert!(scraped.text().lines().any(|known| known == line), "no {line} in {}", scraped.text());
    }
    // It goes on in the table that takes the place of one that a reset has removed.
    let reset = "POST /_pretender/reset HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(exchange(address, reset).status, 200);
    create_orders(address);
    put(address, "d", 4);
    let events = function.wait_for(|events| events.len() == 4);
    assert_eq!(batch(&events[3]), "d4");
    let (status, log) = process.stop_and_read("-TERM");
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("WARN pretender::trigger: ") && log.contains("ValueError: boom"), "{log}");
}

#[test]
#[cfg(unix)]
fn the_variable_has_a_trigger_on_each_line() {
    let functions = [(); 2].map(|()| FunctionServer::start(|_| Answer::json("null")));
    let [one, other] = functions.each_ref().map(FunctionServer::address);
    let filter = r#"filter={"dynamodb":{"Keys":{"pk":{"S":["b", "c"]}}}}"#;
    let triggers = format!("Orders={one}\nOrders={other},batch-size=1,{filter}\n");
    let mut command = pretender();
    command.args(["serve", "-p", "0", "-d", ":memory:"]).env("PRETENDER_TRIGGER", triggers);
    let mut process = Process::start(&mut command);
    let address = process.address();
    create_orders(address);
    put(address, "a", 1);
    put(address, "b", 2);
    functions[0].wait_for(|events| batches(events) == "a1 b2");
    functions[1].wait_for(|events| batches(events) == "b2");
    assert_eq!(process.stop("-TERM").code(), Some(0));
}

#[test]
fn what_cannot_work_is_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("notes");
    std::fs::write(&file, "my notes").unwrap();
    let notes = format!("Orders=localhost:1,checkpoint={}", file.display());
    for (triggers, code, text) in [
        (vec!["Orders"], 2, "expected a table and the address of a function"),
        (vec!["Orders=localhost:1,batch-size=0"], 2, "BatchSize is 0; it may be 1 to 10000"),
        (
            vec!["Orders=localhost:1,checkpoint=x", "b=localhost:1,checkpoint=x"],
            1,
            "cannot share the checkpoint `x`",
        ),
        (vec![&*notes], 1, "cannot start the trigger on `Orders`: file `"),
        (vec!["Orders=localhost:1,on-failure=/no/such/folder/file"], 1, "/no/such/folder/file: "),
    ] {
        let mut command = pretender();
        command.args(["serve", "-p", "0", "-d", ":memory:"]);
        for trigger in &triggers {
            command.args(["--trigger", trigger]);
        }
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{triggers:?}: {stderr}");
        assert!(stderr.contains(text) && output.stdout.is_empty(), "{triggers:?}: {stderr}");
    }
}
