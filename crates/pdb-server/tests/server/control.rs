//! The control interface over HTTP.

use std::sync::Arc;

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::items::PutItemInput;
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::{StreamArn, StreamViewType};
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::time::{EpochMillis, ManualClock};
use serde_json::{Value, json};

use crate::harness::{Answer, exchange, server};

const START: i64 = 1_772_356_542_017;

/// A server that may be commanded, with the streamed table `Orders`.
pub(crate) struct ControlledServer {
    pub(crate) server: RunningServer,
    pub(crate) pretender: Pretender,
    pub(crate) arn: StreamArn,
}

impl ControlledServer {
    /// Its clock stands at 2026-03-01T09:15:42.017Z; nothing happens in the background.
    pub(crate) fn new() -> Self {
        Self::with(ServerOptions::default())
    }

    /// With these options besides.
    pub(crate) fn with(options: ServerOptions) -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(START)));
        let pretender = Pretender::builder().clock(clock.clone()).sweep_interval(None).open().unwrap();
        let options = ServerOptions { control: Some(clock), ..options };
        let server = Server::start(pretender.clone(), options).unwrap();
        let stream = StreamSpecification::enabled(StreamViewType::NewAndOldImages);
        let created = CreateTableInput {
            stream_specification: Some(stream),
            ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
        };
        pretender.create_table(created).unwrap();
        let listed = pretender.list_streams(&Default::default()).unwrap();
        let arn = listed.streams[0].stream_arn.clone();
        Self { server, pretender, arn }
    }

    pub(crate) fn put(&self, key: &str) {
        let item = Item::new().with("pk", key);
        self.pretender.put_item(PutItemInput::new(orders(), item)).unwrap();
    }

    /// Executes a command and returns its answer.
    #[track_caller]
    pub(crate) fn executes(&self, command: &str, body: &Value) -> Value {
        let answer = post(&self.server, command, &body.to_string());
        assert_eq!(answer.status, 200, "{command} {body}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        serde_json::from_slice(&answer.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn refuses(&self, command: &str, body: &str, status: u16, text: &str) {
        let answer = post(&self.server, command, body);
        let parsed: Value = serde_json::from_slice(&answer.body).unwrap();
        let error = parsed["error"].as_str().unwrap();
        assert!(
            answer.status == status && error.contains(text),
            "{command} {body}: {} {error}",
            answer.status
        );
    }

    /// What a command that only shows answers.
    pub(crate) fn shows(&self, command: &str) -> Value {
        serde_json::from_str(get(&self.server, command).text()).unwrap()
    }

    fn clock(&self) -> Value {
        self.shows("clock")
    }
}

fn orders() -> TableName {
    "Orders".parse().unwrap()
}

pub(crate) fn get(server: &RunningServer, command: &str) -> Answer {
    exchange(server.address(), format!("GET /_pretender/{command} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
}

pub(crate) fn post(server: &RunningServer, command: &str, body: &str) -> Answer {
    exchange(
        server.address(),
        format!(
            "POST /_pretender/{command} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
}

#[test]
fn nothing_answers_unless_asked_for() {
    let server = server();
    let not_there = exchange(server.address(), "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for command in ["", "clock", "snapshots", "nothing"] {
        let answer = get(&server, command);
        assert_eq!((answer.status, &answer.body), (404, &not_there.body), "{command}");
    }
    for command in ["clock", "clock/hold", "clock/advance", "shards/list", "shards/split", "trim", "reset"] {
        let answer = post(&server, command, "{}");
        assert_eq!((answer.status, &answer.body), (404, &not_there.body), "{command}");
    }
}

#[test]
fn commands_move_the_clock() {
    let server = ControlledServer::new();
    let show = |answer: Value| (answer["epoch_millis"].as_i64().unwrap(), answer["held"].as_bool().unwrap());
    let shown = json!({"epoch_millis": START, "held": true, "time": "2026-03-01T09:15:42.017Z"});
    assert_eq!(server.clock(), shown);
    for (command, body, after) in [
        ("clock/hold", json!({}), START),
        ("clock/advance", json!({"millis": 1}), START + 1),
        ("clock/advance", json!({"duration": "16m"}), START + 1 + 16 * 60_000),
        ("clock/advance", json!({"millis": 0}), START + 1 + 16 * 60_000),
        ("clock/set", json!({"epoch_millis": 1_800_000_000_000_i64}), 1_800_000_000_000),
        ("clock/set", json!({"time": "2026-03-01T09:15:42.017Z"}), START),
        ("clock/set", json!({"time": "1800000000"}), 1_800_000_000_000),
    ] {
        assert_eq!(show(server.executes(command, &body)), (after, true), "{command} {body}");
        assert_eq!(show(server.clock()), (after, true));
    }
    let (now, held) = show(server.executes("clock/run", &json!({})));
    assert!(!held && (1_800_000_000_000..1_800_000_060_000).contains(&now), "{now}");
    let (now, held) = show(server.executes("clock/advance", &json!({"duration": "1d"})));
    assert!(!held && now >= 1_800_086_400_000, "{now}");
    let (held_at, held) = show(server.executes("clock/hold", &json!({})));
    assert!(held && held_at >= now);
    assert_eq!(show(server.clock()), (held_at, true));
}

#[test]
fn a_body_may_be_absent() {
    let server = ControlledServer::new();
    assert_eq!(post(&server.server, "clock/hold", "").status, 200);
    assert_eq!(post(&server.server, "clock/hold", " \n").status, 200);
}

#[test]
fn due_work_is_done_when_the_clock_answers() {
    let server = ControlledServer::new();
    for key in ["a", "b", "c"] {
        server.put(key);
    }
    let advanced = server.executes("clock/advance", &json!({"duration": "5h"}));
    assert_eq!(advanced["done"]["rotated_shards"], 1, "{advanced}");
    let shards = server.pretender.shards(&server.arn).unwrap();
    assert_eq!(shards.len(), 2);
    assert_eq!(shards[1].parent_shard_id.as_ref(), Some(&shards[0].shard_id));
    let advanced = server.executes("clock/advance", &json!({"duration": "24h"}));
    assert_eq!(advanced["done"]["trimmed_records"], 3, "{advanced}");
    let shards = server.pretender.shards(&server.arn).unwrap();
    assert!(shards.iter().filter(|shard| shard.closed.is_none()).count() == 1);
}

#[test]
fn shards_are_listed_rotated_and_split() {
    let server = ControlledServer::new();
    let arn = json!({"stream_arn": server.arn.to_string()});
    let listed = server.executes("shards/list", &arn);
    let first = listed["shards"][0].clone();
    let of = |shard: &Value| json!({"stream_arn": server.arn.to_string(), "shard_id": shard["shard_id"]});
    assert_eq!(first["open"], true);
    assert_eq!(first["opened_epoch_millis"], START);
    assert_eq!((&first["hash_from"], &first["hash_to"]), (&json!("0".repeat(16)), &json!("f".repeat(16))));
    assert!(first.get("parent_shard_id").is_none() && first.get("ending_sequence_number").is_none());

    let rotated = server.executes("shards/rotate", &arn);
    assert_eq!(rotated["shards"].as_array().unwrap().len(), 1);
    assert_eq!(rotated["shards"][0]["parent_shard_id"], first["shard_id"]);
    let split = server.executes("shards/split", &of(&rotated["shards"][0]));
    let children = split["shards"].as_array().unwrap();
    assert_eq!(children.len(), 2);
    assert!(children.iter().all(|child| child["parent_shard_id"] == rotated["shards"][0]["shard_id"]));

    let listed = server.executes("shards/list", &arn);
    assert_eq!(listed["shards"].as_array().unwrap().len(), 4);
    assert_eq!(listed["shards"][0]["open"], false);
    assert!(listed["shards"][0]["ending_sequence_number"].is_string());
    assert_eq!(server.executes("shards/list", &of(&first))["shards"], json!([listed["shards"][0]]));
    server.refuses("shards/split", &of(&first).to_string(), 400, "stream has no open shard");
}

#[test]
fn records_are_trimmed_early() {
    let server = ControlledServer::new();
    for key in ["a", "b", "c"] {
        server.put(key);
    }
    let arn = server.arn.to_string();
    let shard = server.pretender.shards(&server.arn).unwrap().remove(0);
    let before = pretender::streams::SequenceNumber { counter: shard.starting.counter + 2, ..shard.starting };
    let trimmed = server.executes("trim", &json!({"stream_arn": arn, "before": before.to_string()}));
    let some = trimmed["records"].as_u64().unwrap();
    assert!((1..3).contains(&some), "{trimmed}");
    let trimmed = server.executes("trim", &json!({"stream_arn": arn}));
    assert_eq!(trimmed, json!({"records": 3 - some, "shards": 0, "streams": 0}));
}

#[test]
fn refused_commands_say_why() {
    let server = ControlledServer::new();
    let arn = server.arn.to_string();
    let other = arn.replace("Orders", "Others");
    let of = |arn: &str| json!({"stream_arn": arn}).to_string();
    for (command, body, status, text) in [
        ("", "{}".to_owned(), 404, "the commands are GET clock"),
        ("nothing", "{}".to_owned(), 404, "there is no command POST /_pretender/nothing"),
        ("clock", "{}".to_owned(), 404, "there is no command POST /_pretender/clock"),
        ("clock/hold", "{".to_owned(), 400, "the body is not JSON"),
        ("clock/hold", "[]".to_owned(), 400, "the body is not a JSON object"),
        ("clock/hold", r#"{"for":"ever"}"#.to_owned(), 400, "unknown field `for`"),
        (
            "clock/advance",
            r#"{"duration":"=","duration":"25h"}"#.to_owned(),
            400,
            "the member `duration` is given twice",
        ),
        ("reset", r#"{"table":"=","table":"Orders"}"#.to_owned(), 400, "the member `table` is given twice"),
        (
            "replay",
            r#"{"table":"Orders","records":[{"dynamodb":{"Keys":{"pk":{"S":"a"},"pk":{"S":"b"}}}}]}"#
                .to_owned(),
            400,
            "the member `pk` is given twice",
        ),
        ("clock/set", "{}".to_owned(), 400, "expected either `epoch_millis` or `time`"),
        ("clock/set", r#"{"epoch_millis":1,"time":"2026-01-01"}"#.to_owned(), 400, "expected either"),
        ("clock/set", r#"{"epoch_millis":"x"}"#.to_owned(), 400, "invalid type"),
        ("clock/set", r#"{"epoch_millis":1.5}"#.to_owned(), 400, "invalid type"),
        ("clock/set", r#"{"epoch_millis":-1}"#.to_owned(), 400, "from 1970 to 9999"),
        ("clock/set", r#"{"epoch_millis":9223372036854775807}"#.to_owned(), 400, "from 1970 to 9999"),
        ("clock/set", r#"{"time":"soon"}"#.to_owned(), 400, "`soon` is not a time"),
        ("clock/advance", "{}".to_owned(), 400, "expected either `millis` or `duration`"),
        ("clock/advance", r#"{"millis":-1}"#.to_owned(), 400, "invalid value"),
        ("clock/advance", r#"{"millis":18446744073709551615}"#.to_owned(), 400, "from 1970 to 9999"),
        ("clock/advance", r#"{"duration":"16 minutes"}"#.to_owned(), 400, "is not a duration"),
        ("clock/advance", r#"{"duration":"off"}"#.to_owned(), 400, "is not a duration"),
        ("shards/list", "{}".to_owned(), 400, "expected one of `stream_arn`, `table` and `all`"),
        ("shards/list", r#"{"table":"x","all":true}"#.to_owned(), 400, "expected one of"),
        ("shards/list", r#"{"table":"a b"}"#.to_owned(), 400, "`a b` is not a valid table name"),
        ("shards/list", r#"{"table":"arn:aws:x"}"#.to_owned(), 400, "`arn:aws:x` is not a valid table ARN"),
        ("shards/list", r#"{"table":"Nothing"}"#.to_owned(), 404, "there is no table `Nothing`"),
        ("shards/split", r#"{"all":true,"shard_id":"x"}"#.to_owned(), 400, "`x` is not a valid shard id"),
        (
            "trim",
            r#"{"all":true,"before":"100000000000000000001"}"#.to_owned(),
            400,
            "`before` needs a single stream, not `all`",
        ),
        ("shards/list", of("Orders"), 400, "`Orders` is not a valid stream ARN"),
        ("shards/list", of(&other), 404, "does not exist"),
        ("shards/rotate", of(&other), 404, "does not exist"),
        (
            "shards/split",
            json!({"stream_arn": arn, "shard_id": "x"}).to_string(),
            400,
            "`x` is not a valid shard id",
        ),
        (
            "shards/list",
            json!({"stream_arn": arn, "shard_id": "shardId-00000001772356542017-00000000"}).to_string(),
            404,
            "stream has no shard",
        ),
        ("trim", of(&other), 404, "does not exist"),
        (
            "trim",
            json!({"stream_arn": arn, "before": "soon"}).to_string(),
            400,
            "`soon` is not a valid sequence number",
        ),
    ] {
        server.refuses(command, &body, status, text);
    }
    assert_eq!(server.clock()["epoch_millis"], START);
}
