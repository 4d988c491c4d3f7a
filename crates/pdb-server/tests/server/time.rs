//! What takes minutes to hours at AWS passes in one call, whichever way the clock is moved; and in seconds beside a clock that
//! runs fast.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::items::PutItemInput;
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::StreamViewType;
use pretender::tables::{CreateTableInput, StreamSpecification, TimeToLiveSpecification};
use pretender::time::{EpochMillis, ManualClock};
use serde_json::{Value, json};

use crate::control::post;
use crate::harness::{exchange, request};

const START: i64 = 1_772_356_542_017;
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

/// A way to move the clock by some milliseconds; returns what is said to be done.
type Way = fn(&Timed, u64) -> Value;

struct Timed {
    server: RunningServer,
    pretender: Pretender,
    arn: String,
    shard: String,
}

impl Timed {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(START)));
        Self::with(clock, |builder| builder.sweep_interval(None))
    }

    fn with(clock: Arc<ManualClock>, choose: impl FnOnce(pretender::Builder) -> pretender::Builder) -> Self {
        let pretender = choose(Pretender::builder().clock(clock.clone())).open().unwrap();
        let options = ServerOptions { control: Some(clock), ..ServerOptions::default() };
        let server = Server::start(pretender.clone(), options).unwrap();
        let stream = StreamSpecification::enabled(StreamViewType::NewAndOldImages);
        let created = CreateTableInput {
            stream_specification: Some(stream),
            ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
        };
        pretender.create_table(created).unwrap();
        let arn = pretender.list_streams(&Default::default()).unwrap().streams[0].stream_arn.clone();
        let shard = pretender.shards(&arn).unwrap().first().map(|shard| shard.shard_id.to_string());
        Self { server, pretender, arn: arn.to_string(), shard: shard.unwrap_or_default() }
    }

    fn call(&self, operation: &str, body: &Value) -> (u16, Value) {
        let service = match operation {
            "DescribeStream" | "GetShardIterator" | "GetRecords" => "DynamoDBStreams_20120810",
            _ => "DynamoDB_20120810",
        };
        let answer =
            exchange(self.server.address(), request(&format!("{service}.{operation}"), &body.to_string()));
        (answer.status, serde_json::from_slice(&answer.body).unwrap())
    }

    #[track_caller]
    fn ok(&self, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.call(operation, body);
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    fn put(&self, item: Item) {
        self.pretender.put_item(PutItemInput::new(orders(), item)).unwrap();
    }

    fn iterator(&self) -> Value {
        let body = json!({"StreamArn": self.arn, "ShardId": self.shard, "ShardIteratorType": "TRIM_HORIZON"});
        self.ok("GetShardIterator", &body)["ShardIterator"].take()
    }

    fn command(&self, command: &str, body: &Value) -> Value {
        let answer = post(&self.server, command, &body.to_string());
        assert_eq!(answer.status, 200, "{command} {body}: {}", answer.text());
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn ctl(&self, arguments: &[&str]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
        command.env_clear().args(["ctl", "--json", "--endpoint", &self.server.url()]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The server's time.
    fn now(&self) -> i64 {
        use pretender::time::Clock;
        self.pretender.manual_clock().unwrap().now().0
    }

    fn count(&self) -> Value {
        self.ok("Scan", &json!({"TableName": "Orders"}))["Count"].take()
    }
}

fn orders() -> TableName {
    "Orders".parse().unwrap()
}

/// What the report of a sweep in Rust is over HTTP.
fn shown(report: pretender::testing::SweepReport) -> Value {
    json!({
        "rotated_shards": report.rotated,
        "expired_items": report.expired,
        "trimmed_records": report.trimmed.records,
        "dropped_shards": report.trimmed.shards,
        "dropped_streams": report.trimmed.streams,
        "trimmed_changes": report.trimmed_changes,
    })
}

const WAYS: [(&str, Way); 6] = [
    ("advance over HTTP", |on, millis| {
        on.command("clock/advance", &json!({"millis": millis}))["done"].take()
    }),
    ("set over HTTP", |on, millis| {
        on.command("clock/set", &json!({"epoch_millis": on.now() + millis as i64}))["done"].take()
    }),
    ("advance with ctl", |on, millis| on.ctl(&["clock", "advance", &format!("{millis}ms")])["done"].take()),
    ("set with ctl", |on, millis| {
        on.ctl(&["clock", "set", &(on.now() + millis as i64).to_string()])["done"].take()
    }),
    ("advance in Rust", |on, millis| shown(on.pretender.advance(Duration::from_millis(millis)).unwrap())),
    ("set in Rust", |on, millis| {
        shown(on.pretender.set_time(EpochMillis(on.now() + millis as i64)).unwrap())
    }),
];

/// Something that passes: how long it takes, what is done before, what is so before and after, and what work is due then.
struct Case {
    what: &'static str,
    millis: u64,
    begin: fn(&Timed) -> Value,
    has_passed: fn(&Timed, &Value) -> bool,
    due: &'static str,
}

fn transaction() -> Value {
    json!({"ClientRequestToken": "once", "TransactItems": [{"Update": {
        "TableName": "Orders", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }}]})
}

const CASES: [Case; 5] = [
    Case {
        what: "retention",
        millis: 24 * HOUR,
        begin: |on| {
            on.put(Item::new().with("pk", "a"));
            Value::Null
        },
        has_passed: |on, _| {
            let page = on.ok("GetRecords", &json!({"ShardIterator": on.iterator()}));
            page["Records"].as_array().unwrap().is_empty()
        },
        due: "trimmed_records",
    },
    Case {
        what: "an iterator",
        millis: 15 * MINUTE,
        begin: Timed::iterator,
        has_passed: |on, iterator| {
            let (status, answer) = on.call("GetRecords", &json!({"ShardIterator": iterator}));
            let is_expired =
                answer["__type"].as_str().is_some_and(|name| name.ends_with("#ExpiredIteratorException"));
            assert!(is_expired || status == 200, "{answer}");
            is_expired
        },
        due: "",
    },
    Case {
        what: "a shard",
        millis: 4 * HOUR,
        begin: |_| Value::Null,
        // Not by DescribeStream, which would rotate by itself what is due.
        has_passed: |on, _| on.pretender.shards(&on.arn.parse().unwrap()).unwrap().len() > 1,
        due: "rotated_shards",
    },
    Case {
        what: "a TTL",
        millis: 90_000,
        begin: |on| {
            let specification =
                TimeToLiveSpecification { attribute_name: "expires".to_owned(), enabled: true };
            on.pretender.update_time_to_live(&orders(), specification).unwrap();
            // The clock stands 17 ms behind a full second, and an item goes once its second has begun.
            on.put(Item::new().with("pk", "a").with("expires", START / 1000 + 90));
            Value::Null
        },
        has_passed: |on, _| on.count() == 0,
        due: "expired_items",
    },
    Case {
        what: "a request token",
        millis: 10 * MINUTE,
        begin: |on| {
            on.ok("TransactWriteItems", &transaction());
            Value::Null
        },
        has_passed: |on, _| {
            let get = json!({"TableName": "Orders", "Key": {"pk": {"S": "a"}}});
            let before = on.ok("GetItem", &get);
            on.ok("TransactWriteItems", &transaction());
            on.ok("GetItem", &get) != before
        },
        due: "",
    },
];

#[test]
fn each_duration_passes_in_one_call() {
    for (way, advance) in WAYS {
        for Case { what, millis, begin, has_passed, due } in CASES {
            let timed = Timed::new();
            let begun = begin(&timed);
            // A second less is too little.
            let done = advance(&timed, millis - 1_000);
            assert!(due.is_empty() || done[due] == 0, "{what}, {way}: {done}");
            assert!(!has_passed(&timed, &begun), "{what}, {way}");
            let done = advance(&timed, 1_001);
            assert!(due.is_empty() || done[due] == 1, "{what}, {way}: {done}");
            assert!(has_passed(&timed, &begun), "{what}, {way}");
        }
    }
}

#[test]
fn the_background_keeps_up_with_a_fast_clock() {
    // As `serve --control` does it: a sweep an hour, a look at expired items a minute, both by the clock that runs fast.
    let timed = Timed::with(Arc::new(ManualClock::running()), |builder| builder);
    let specification = TimeToLiveSpecification { attribute_name: "expires".to_owned(), enabled: true };
    timed.pretender.update_time_to_live(&orders(), specification).unwrap();
    timed.put(Item::new().with("pk", "a").with("expires", timed.now() / 1000 + 3600));
    assert_eq!(timed.count(), 1);
    let shown = timed.command("clock/run", &json!({"speed": 50_000}));
    assert_eq!((&shown["held"], &shown["speed"]), (&json!(false), &json!(50_000.0)));
    // Nothing but time does it: the item goes, its record comes, the shard rotates, and in the end all are trimmed.
    let arn = timed.arn.parse().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    let until = |has_come: &dyn Fn() -> bool| {
        while !has_come() {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
    };
    until(&|| timed.count() == 0);
    until(&|| {
        timed.pretender.shards(&arn).unwrap().iter().all(|shard| shard.shard_id.as_str() != timed.shard)
    });
    let shown = timed.command("clock/run", &json!({}));
    assert_eq!(shown["speed"], 1.0);
    assert!(timed.pretender.shards(&arn).unwrap().iter().any(|shard| shard.closed.is_none()));
}

#[test]
fn waiting_clients_see_a_transition_pass_beside_a_fast_clock() {
    let clock = Arc::new(ManualClock::running());
    let timed = Timed::with(clock, |builder| builder.transition_delay(Duration::from_secs(3600)));
    let status = || timed.ok("DescribeTable", &json!({"TableName": "Orders"}))["Table"]["TableStatus"].take();
    assert_eq!(status(), "CREATING");
    timed.ctl(&["clock", "run", "--speed", "36000"]);
    let deadline = Instant::now() + Duration::from_secs(120);
    while status() != "ACTIVE" {
        assert!(Instant::now() < deadline);
    }
    let answer = timed.ok("PutItem", &json!({"TableName": "Orders", "Item": {"pk": {"S": "a"}}}));
    assert_eq!(answer, json!({}));
}

#[test]
fn speeds_are_checked() {
    let timed = Timed::new();
    for (body, text) in [
        (r#"{"speed":0}"#, "the speed of a clock must be from 0.001 to 100000, not 0"),
        (r#"{"speed":-1}"#, "not -1"),
        (r#"{"speed":100001}"#, "not 100001"),
        (r#"{"speed":"fast"}"#, "invalid type"),
        (r#"{"pace":2}"#, "unknown field `pace`"),
    ] {
        let answer = post(&timed.server, "clock/run", body);
        assert!(answer.status == 400 && answer.text().contains(text), "{body}: {}", answer.text());
    }
    assert!(timed.pretender.manual_clock().unwrap().is_held());
}

#[test]
fn a_clock_that_goes_back_takes_nothing_with_it() {
    let timed = Timed::new();
    timed.put(Item::new().with("pk", "a"));
    let iterator = timed.iterator();
    for (way, advance) in [WAYS[1], WAYS[3], WAYS[5]] {
        let from = timed.now();
        // The sum wraps: this is a day back.
        advance(&timed, (-(24 * HOUR as i64)) as u64);
        assert_eq!(timed.now(), from - 24 * HOUR as i64, "{way}");
        timed.put(Item::new().with("pk", way));
    }
    // An iterator of the future is young, and all records are there, in the order of their writes.
    let page = timed.ok("GetRecords", &json!({"ShardIterator": iterator}));
    let keys: Vec<&str> = page["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap())
        .collect();
    assert_eq!(keys, ["a", "set over HTTP", "set with ctl", "set in Rust"]);
    // Retention counts from the creation by the clock, and no record goes before an older one.
    timed.command("clock/set", &json!({"epoch_millis": START + 1}));
    assert_eq!(
        timed.ok("GetRecords", &json!({"ShardIterator": timed.iterator()}))["Records"]
            .as_array()
            .unwrap()
            .len(),
        4
    );
    timed.command("clock/advance", &json!({"duration": "24h"}));
    assert!(
        timed.ok("GetRecords", &json!({"ShardIterator": timed.iterator()}))["Records"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_clock_without_control_is_reported() {
    let db = Pretender::in_memory().unwrap();
    let refused = db.advance(Duration::from_secs(1)).unwrap_err();
    assert_eq!(refused.to_string(), "the database was not opened with a `ManualClock`");
}
