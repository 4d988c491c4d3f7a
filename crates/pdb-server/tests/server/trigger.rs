//! `pretender trigger`, as a process, between a server in this one and a small HTTP function.

mod failures;
pub(crate) mod function;
mod served;
mod settings;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::faults::{Fault, FaultKind, OperationGroup};
use pretender::items::PutItemInput;
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::{StreamArn, StreamViewType};
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::time::ManualClock;
use serde_json::Value;

use function::{Answer, FunctionServer, Gate, batch};

/// The moment at which the clock stands: 2026-03-01T09:15:42.017Z.
const START: i64 = 1_772_356_542_017;

struct Streamed {
    server: RunningServer,
    pretender: Pretender,
    clock: Arc<ManualClock>,
    arn: StreamArn,
    directory: tempfile::TempDir,
}

impl Streamed {
    /// A server that takes commands, with a clock that stands still and the streamed table `Orders`.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::held_at(pretender::time::EpochMillis(START)));
        let pretender = Pretender::builder().clock(clock.clone()).sweep_interval(None).open().unwrap();
        let options = ServerOptions { control: Some(clock.clone()), ..ServerOptions::default() };
        let server = Server::start(pretender.clone(), options).unwrap();
        let stream = StreamSpecification::enabled(StreamViewType::NewAndOldImages);
        let created = CreateTableInput {
            stream_specification: Some(stream),
            ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
        };
        pretender.create_table(created).unwrap();
        let listed = pretender.list_streams(&Default::default()).unwrap();
        let arn = listed.streams[0].stream_arn.clone();
        Self { server, pretender, clock, arn, directory: tempfile::tempdir().unwrap() }
    }

    fn put(&self, key: &str, n: i64) {
        let item = Item::new().with("pk", key).with("n", n);
        self.pretender.put_item(PutItemInput::new(orders(), item)).unwrap();
    }

    fn command(&self, endpoint: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
        command
            .env_clear()
            .current_dir(self.directory.path())
            .args(["trigger", "--table", "Orders", "--function", endpoint, "--endpoint", &self.server.url()])
            .args(arguments);
        command
    }

    /// Starts a trigger that calls this function.
    fn trigger(&self, function: &FunctionServer, arguments: &[&str]) -> Running {
        let mut command = self.command(&function.address(), arguments);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }
}

fn orders() -> TableName {
    "Orders".parse().unwrap()
}

/// A trigger, which is killed at the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn changes_are_delivered_as_they_come() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|_| Answer::json("null"));
    streamed.put("a", 1);
    let _running = streamed.trigger(&function, &[]);
    function.wait_for(|events| events.len() == 1);
    streamed.put("a", 2);
    streamed.put("b", 3);
    let events = function.wait_for(|events| batches(events).ends_with("b3"));
    assert_eq!(batches(&events), "a1 a2 b3");
    let record = &events[0]["Records"][0];
    assert_eq!(record["eventSourceARN"], streamed.arn.to_string());
    assert_eq!(record["dynamodb"]["ApproximateCreationDateTime"], START / 1000);
}

#[test]
fn a_checkpoint_outlasts_a_restart() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|_| Answer::json("null"));
    let file = streamed.path("orders.checkpoint");
    let arguments = ["--checkpoint", &file];
    for (n, key) in ["a", "b", "c"].into_iter().enumerate() {
        let running = streamed.trigger(&function, &arguments);
        streamed.put(key, n as i64);
        function.wait_for(|events| events.len() == n + 1);
        // The last record is checkpointed a moment after the function has answered.
        let number = function.events()[n]["Records"][0]["dynamodb"]["SequenceNumber"].to_string();
        wait_until(|| std::fs::read_to_string(&file).is_ok_and(|text| text.contains(&number)));
        drop(running);
        streamed.pretender.rotate_shards(&streamed.arn, None).unwrap();
    }
    assert_eq!(batches(&function.events()), "a0 b1 c2");
}

#[test]
#[cfg(unix)]
fn batches_in_progress_are_finished_at_a_stop_or_come_again() {
    let streamed = Streamed::new();
    let gate = Gate::default();
    let behind = gate.clone();
    let function = FunctionServer::start(move |event| {
        if batch(event) == "a1" {
            behind.pass();
        }
        Answer::json("null")
    });
    let file = streamed.path("orders.checkpoint");
    streamed.put("a", 1);
    // Killed in the middle of an invocation: it comes again.
    let running = streamed.trigger(&function, &["--checkpoint", &file]);
    function.wait_for(|events| events.len() == 1);
    drop(running);
    let mut running = streamed.trigger(&function, &["--checkpoint", &file]);
    function.wait_for(|events| events.len() == 2);
    // Asked to stop in the middle: what ends in time counts.
    let id = running.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    gate.open();
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    streamed.put("b", 2);
    let _running = streamed.trigger(&function, &["--checkpoint", &file]);
    let events = function.wait_for(|events| batches(events).ends_with("b2"));
    assert_eq!(batches(&events), "a1 a1 b2");
}

#[test]
fn processing_results_are_printed() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|event| match batch(event).as_str() {
        "b2" => Answer::error(),
        _ => Answer::json("null"),
    });
    let address = function.address();
    let mut command = streamed.command(&address, &["--maximum-retry-attempts", "0", "--batch-size", "1"]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut out = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut err = BufReader::new(running.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let arn = &streamed.arn;
    assert_eq!(
        out.next().unwrap(),
        format!("{arn} -> http://{address}/2015-03-31/functions/function/invocations")
    );
    streamed.put("a", 1);
    streamed.put("b", 2);
    let shard = streamed.pretender.shards(arn).unwrap()[0].shard_id.clone();
    assert_eq!(out.next().unwrap(), format!("{shard}: 1 record processed"));
    assert_eq!(err.next().unwrap(), format!("pretender: {shard}: ValueError: boom"));
    assert_eq!(
        err.next().unwrap(),
        format!("pretender: {shard}: 1 record discarded: RetryAttemptsExhausted")
    );
}

#[test]
fn a_server_that_fails_now_and_then_is_read_all_the_same() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|_| Answer::json("null"));
    let _running = streamed.trigger(&function, &[]);
    streamed.put("k", 1);
    function.wait_for(|events| events.len() == 1);
    let faults = streamed.pretender.faults();
    for (seed, kind) in
        [FaultKind::InternalError, FaultKind::DropBefore, FaultKind::DropAfter].iter().enumerate()
    {
        let fault = Fault::new(*kind).on(OperationGroup::Streams).probability(0.3).seed(seed as u64);
        faults.add(fault).unwrap();
    }
    for n in 2..=8 {
        streamed.put("k", n);
        function.wait_for(|events| batches(events).ends_with(&format!("k{n}")));
    }
    assert_eq!(batches(&function.events()), "k1 k2 k3 k4 k5 k6 k7 k8");
}

/// Waits for something that no event tells.
fn wait_until(is_so: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(Instant::now() < until, "it does not come");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// All records in the order of delivery.
fn batches(events: &[Value]) -> String {
    events.iter().map(batch).collect::<Vec<_>>().join(" ")
}
