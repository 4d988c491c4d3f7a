//! `pretender tail` and `pretender trigger` survive what AWS's SDKs survive, and wait for what is not there yet.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::items::PutItemInput;
use pretender::model::{AttributeValue, Item, ScalarType, TableName};
use pretender::streams::StreamViewType;
use pretender::tables::{CreateTableInput, StreamSpecification, UpdateTableInput};
use pretender::time::ManualClock;

use crate::control::ControlledServer;
use crate::ctl::ctl_output;
use crate::trigger::function::{Answer, FunctionServer, batch};

const LINE: &str = "2026-03-01T09:15:42Z INSERT pk=\"a\"";

fn orders() -> TableName {
    "Orders".parse().unwrap()
}

fn streamed() -> StreamSpecification {
    StreamSpecification::enabled(StreamViewType::NewAndOldImages)
}

fn create(pretender: &Pretender, stream_specification: Option<StreamSpecification>) {
    let created = CreateTableInput {
        stream_specification,
        ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
    };
    pretender.create_table(created).unwrap();
}

fn put(pretender: &Pretender, key: &str, n: i64) {
    let item = Item::new().with("pk", key).with("n", AttributeValue::from(n));
    pretender.put_item(PutItemInput::new(orders(), item)).unwrap();
}

fn database() -> Pretender {
    let clock = std::sync::Arc::new(ManualClock::held_at(pretender::time::EpochMillis(1_772_356_542_017)));
    Pretender::builder().clock(clock).sweep_interval(None).open().unwrap()
}

/// An address at which nobody listens, and no other test will.
fn free_address() -> SocketAddr {
    // All of 127/8 is this machine on Linux; other tests listen on 127.0.0.1.
    let host = if cfg!(target_os = "linux") { "127.80.71.62" } else { "127.0.0.1" };
    TcpListener::bind((host, 0)).unwrap().local_addr().unwrap()
}

fn serve_at(address: SocketAddr, pretender: &Pretender) -> RunningServer {
    let options = ServerOptions { host: address.ip(), port: address.port(), ..ServerOptions::default() };
    Server::start(pretender.clone(), options).unwrap()
}

/// The program, killed at the end.
struct Running {
    child: Child,
    stdout: std::io::Lines<BufReader<ChildStdout>>,
    stderr: std::io::Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pretender"))
            .env_clear()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stdout, stderr }
    }

    fn out(&mut self) -> String {
        self.stdout.next().unwrap().unwrap()
    }

    fn err(&mut self) -> String {
        self.stderr.next().unwrap().unwrap()
    }

    /// Ends it as Ctrl-C does; returns what it had not printed yet.
    #[cfg(unix)]
    fn interrupt(mut self) -> (Option<i32>, Vec<String>) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let rest = self.stderr.by_ref().map(Result::unwrap).collect();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One line about it on standard error; what is asked for comes all the same.
#[track_caller]
fn check_survives(fault: &[&str], told: &str) {
    let server = ControlledServer::new();
    let url = server.server.url();
    server.put("a");
    ctl_output(&url, &[&["fault", "add"], fault].concat());
    let output = Command::new(env!("CARGO_BIN_EXE_pretender"))
        .env_clear()
        .args(["tail", "Orders", "--endpoint", &url])
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!((stdout.trim_end(), output.status.code()), (LINE, Some(0)), "{fault:?}: {stderr}");
    match told {
        "" => assert_eq!(stderr, "", "{fault:?}"),
        told => {
            let told = format!("pretender: {}", told.replace("URL", &url));
            let is_told = stderr.starts_with(&told) && stderr.ends_with("; retrying\n");
            assert!(is_told && stderr.lines().count() == 1, "{fault:?}: {stderr}");
        }
    }
}

#[test]
fn tail_retries_the_errors_that_sdks_retry() {
    let closed = "URL cannot be reached: the connection was closed before the answer";
    for (fault, told) in [
        ("throttling -o DescribeStream --times 1", "DescribeStream failed: ThrottlingException: "),
        ("throttling -o ListStreams --times 3", "ListStreams failed: ThrottlingException: "),
        ("limit-exceeded -o GetRecords --times 1", "GetRecords failed: LimitExceededException: "),
        ("internal-error -o GetShardIterator --times 1", "GetShardIterator failed: InternalServerError: "),
        ("unavailable -o DescribeStream --times 2", "DescribeStream failed: ServiceUnavailable"),
        ("drop-before -o DescribeStream --times 1", closed),
        ("drop-after -o GetRecords --times 2", closed),
        ("expired-iterator -o GetRecords --times 1", ""),
    ] {
        check_survives(&fault.split(' ').collect::<Vec<_>>(), told);
    }
}

#[test]
fn without_an_option_it_ends_sometime() {
    let server = ControlledServer::new();
    let url = server.server.url();
    ctl_output(&url, &["fault", "add", "throttling", "-o", "DescribeStream"]);
    let mut tail = Running::start(&["tail", "Orders", "--endpoint", &url]);
    assert!(tail.err().ends_with("; retrying"));
    let last = tail.err();
    assert!(last.starts_with("pretender: ThrottlingException: ") && !last.contains("again"), "{last}");
    assert_eq!(tail.child.wait().unwrap().code(), Some(1));
    // Eight tries.
    assert_eq!(server.pretender.faults().report().injected.len(), 8);
}

#[test]
fn a_tail_that_follows_outlives_faults_and_the_server() {
    let (address, pretender) = (free_address(), database());
    create(&pretender, Some(streamed()));
    let server = serve_at(address, &pretender);
    let url = server.url();
    let mut tail = Running::start(&["tail", "Orders", "-f", "--endpoint", &address.to_string()]);
    put(&pretender, "a", 1);
    assert_eq!(tail.out(), format!("{LINE} n=1"));
    let fault = pretender::faults::Fault::new(pretender::faults::FaultKind::Throttling)
        .on(pretender::faults::OperationGroup::Streams);
    pretender.faults().add(fault.times(20)).unwrap();
    assert!(tail.err().contains(" failed: ThrottlingException: "));
    put(&pretender, "b", 2);
    assert!(tail.out().contains("pk=\"b\""));
    let mut server = server;
    for n in 3..6 {
        assert!(server.stop());
        // Each time that it is gone is told, once.
        assert!(tail.err().starts_with(&format!("pretender: {url} cannot be reached: ")));
        server = serve_at(address, &pretender);
        put(&pretender, "c", n);
        assert!(tail.out().contains(&format!("n={n}").replace("n=4", "n=3->4").replace("n=5", "n=4->5")));
    }
}

#[test]
fn a_tail_waits_for_server_table_and_stream() {
    for wait in [&["--follow"][..], &["--wait"], &["--wait", "10m"]] {
        let (address, pretender) = (free_address(), database());
        let url = format!("http://{address}");
        let mut tail = Running::start(&[&["tail", "--endpoint", &url], wait, &["Orders"]].concat());
        let refused = format!("pretender: {url} cannot be reached: connection refused; retrying");
        assert_eq!(tail.err(), refused, "{wait:?}");
        let _server = serve_at(address, &pretender);
        let missing = format!("pretender: waiting: no such table: `Orders` is not at {url} in us-east-1");
        assert_eq!(tail.err(), missing);
        create(&pretender, None);
        let text =
            "pretender: waiting: table `Orders` has no stream; enable one with `aws dynamodb update-table ";
        assert!(tail.err().starts_with(text));
        let enable =
            UpdateTableInput { stream_specification: Some(streamed()), ..UpdateTableInput::new(orders()) };
        pretender.update_table(enable).unwrap();
        put(&pretender, "a", 1);
        if wait == ["--follow"] {
            assert_eq!(tail.out(), format!("{LINE} n=1"));
        } else {
            // It may have read everything before the item was there.
            assert_eq!(tail.child.wait().unwrap().code(), Some(0));
        }
    }
}

#[test]
fn waiting_ends_in_time() {
    let server = ControlledServer::new();
    let url = server.server.url();
    let missing = format!("no such table: `Nothing` is not at {url} in us-east-1");
    for arguments in
        [&["tail", "Nothing"][..], &["trigger", "--table", "Nothing", "--function", "127.0.0.1:1"]]
    {
        let mut running = Running::start(&[arguments, &["--wait", "1s", "--endpoint", &url]].concat());
        let told: Vec<String> = running.stderr.by_ref().map(Result::unwrap).collect();
        // On a busy machine the first look may come when the time is over.
        let all = [format!("pretender: waiting: {missing}"), format!("pretender: {missing}")];
        assert!(told.ends_with(&all[1..]) && all.ends_with(&told), "{told:?}");
        assert_eq!(running.child.wait().unwrap().code(), Some(1));
    }
}

#[test]
#[cfg(unix)]
fn a_signal_ends_all_waits() {
    let server = ControlledServer::new();
    let (url, nowhere) = (server.server.url(), free_address().to_string());
    for arguments in [
        &["tail", "Orders", "-f", "--endpoint", &nowhere][..],
        &["tail", "Nothing", "--wait", "1d", "--endpoint", &url],
        &["trigger", "--table", "Orders", "--function", "127.0.0.1:1", "--wait", "--endpoint", &nowhere],
        &["trigger", "--table", "Nothing", "--function", "127.0.0.1:1", "--wait", "--endpoint", &url],
    ] {
        let mut running = Running::start(arguments);
        assert!(!running.err().is_empty());
        assert_eq!(running.interrupt(), (Some(0), Vec::new()), "{arguments:?}");
    }
}

#[test]
fn a_trigger_tries_again_and_waits() {
    let (address, pretender) = (free_address(), database());
    let function = FunctionServer::start(|_| Answer::json("null"));
    let url = format!("http://{address}");
    let function_address = function.address();
    let mut trigger = Running::start(&[
        "trigger",
        "--table",
        "Orders",
        "--function",
        &function_address,
        "--endpoint",
        &url,
        "--wait",
    ]);
    let here = "connection refused; is `pretender serve` running?";
    assert_eq!(trigger.err(), format!("pretender: waiting: {url} cannot be reached: {here}"));
    let server = serve_at(address, &pretender);
    assert!(trigger.err().contains(" waiting: no such table: `Orders`"));
    let faults = pretender.faults();
    for (kind, operation) in [
        (pretender::faults::FaultKind::Throttling, pretender::model::Operation::DescribeStream),
        (pretender::faults::FaultKind::DropBefore, pretender::model::Operation::GetShardIterator),
        (pretender::faults::FaultKind::InternalError, pretender::model::Operation::GetRecords),
    ] {
        faults.add(pretender::faults::Fault::new(kind).on(operation).times(1)).unwrap();
    }
    create(&pretender, Some(streamed()));
    put(&pretender, "a", 1);
    function.wait_for(|events| events.len() == 1);
    assert!(trigger.err().starts_with("pretender: DescribeStream failed: ThrottlingException: "));
    assert!(trigger.err().ends_with("the connection was closed before the answer; retrying"));
    assert!(trigger.err().starts_with("pretender: GetRecords failed: InternalServerError: "));
    assert!(server.stop());
    assert!(trigger.err().starts_with(&format!("pretender: {url} cannot be reached: ")));
    let _server = serve_at(address, &pretender);
    put(&pretender, "b", 2);
    let events = function.wait_for(|events| events.len() == 2);
    assert_eq!((batch(&events[0]), batch(&events[1])), ("a1".to_owned(), "b2".to_owned()));
}
