//! `pretender tail`, as a process, against a server in this one.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::faults::{Fault, FaultKind};
use pretender::items::PutItemInput;
use pretender::model::{AttributeValue, Item, Operation, ScalarType, TableName};
use pretender::streams::{StreamArn, StreamViewType};
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::time::ManualClock;
use std::sync::Arc;

struct Streamed {
    server: RunningServer,
    pretender: Pretender,
    clock: Arc<ManualClock>,
    arn: StreamArn,
}

impl Streamed {
    /// A server with a clock that stands at 2026-03-01T09:15:42.017Z and the streamed table `Orders`.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::held_at(pretender::time::EpochMillis(1_772_356_542_017)));
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
        Self { server, pretender, clock, arn }
    }

    fn put(&self, key: &str, total: u32) {
        let item = Item::new().with("pk", key).with("total", i64::from(total));
        self.pretender.put_item(PutItemInput::new(orders(), item)).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
        command.env_clear().arg("tail").args(arguments).args(["--endpoint", &self.server.url()]);
        command
    }

    fn tail(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn orders() -> TableName {
    "Orders".parse().unwrap()
}

fn check_refused(output: &Output, text: &str) {
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr.trim_end(), text);
}

#[test]
fn changes_are_printed_for_people_until_caught_up() {
    let streamed = Streamed::new();
    streamed.put("o1", 42);
    streamed.pretender.split_shards(&streamed.arn, None).unwrap();
    streamed.put("o1", 43);
    let expected = "2026-03-01T09:15:42Z INSERT pk=\"o1\" total=42\n2026-03-01T09:15:42Z MODIFY pk=\"o1\" total=42->43\n";
    assert_eq!(streamed.tail(&["Orders"]), expected);
    assert_eq!(streamed.tail(&[&streamed.arn.to_string()]), expected);
    assert_eq!(streamed.tail(&[&streamed.arn.table.to_string()]), expected);
    let both = expected.replace("pk=", "Orders pk=");
    assert_eq!(streamed.tail(&["Orders", &streamed.arn.to_string()]), both);
    assert_eq!(streamed.tail(&["Orders", "--from", "latest"]), "");
}

#[test]
fn a_stream_is_read_from_a_time_in_all_its_shards() {
    let streamed = Streamed::new();
    streamed.put("o1", 1);
    for total in [2, 3, 4] {
        streamed.clock.advance(Duration::from_secs(60));
        streamed.pretender.rotate_shards(&streamed.arn, None).unwrap();
        streamed.put("o1", total);
    }
    let totals = |from: &str| {
        let lines = streamed.tail(&["Orders", "--json", "--from", from]);
        let record = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let total = |line| record(line)["dynamodb"]["NewImage"]["total"]["N"].as_str().unwrap().to_owned();
        lines.lines().map(total).collect::<Vec<_>>().join(" ")
    };
    // The first record is of 09:15:42.017, and the server's time is three minutes later.
    for (from, expected) in [
        ("2026-03-01T09:15Z", "1 2 3 4"),
        ("2026-03-01T09:15:42.017Z", "1 2 3 4"),
        ("1772356542.018", "2 3 4"),
        ("2026-03-01T09:17:42.017Z", "3 4"),
        ("2026-03-01T09:18:42.018Z", ""),
        ("0", "1 2 3 4"),
        ("3m", "1 2 3 4"),
        ("-2m", "2 3 4"),
        ("-61s", "3 4"),
        ("59s", "4"),
        ("0s", "4"),
        ("TRIM_HORIZON", "1 2 3 4"),
    ] {
        assert_eq!(totals(from), expected, "{from}");
    }
    let refused = streamed.command(&["Orders", "--from", "2026-03-02T09:15Z"]).output().unwrap();
    let text = "One or more parameter values were invalid: Timestamp must not be in the future";
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains(text), "{refused:?}");
    let refused = streamed.command(&["Orders", "--from", "yesterday"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let text = "expected trim-horizon, latest, a time such as 2026-03-01T09:15Z, or an age such as 15m";
    assert!(String::from_utf8_lossy(&refused.stderr).contains(text), "{refused:?}");
}

#[test]
fn records_are_printed_as_the_api_has_them_and_by_pattern() {
    let streamed = Streamed::new();
    streamed.put("o1", 42);
    streamed.put("o2", 1);
    streamed.put("o1", 43);
    let lines = streamed.tail(&["Orders", "--json"]);
    assert_eq!(lines.lines().count(), 3);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["eventName"], "INSERT");
    assert_eq!(first["dynamodb"]["NewImage"]["total"]["N"], "42");
    assert_eq!(first["awsRegion"], "us-east-1");
    let modified = streamed.tail(&["Orders", "--filter", r#"{"eventName":["MODIFY"]}"#]);
    assert_eq!(modified.lines().count(), 1);
    let either = [
        "Orders",
        "--filter",
        r#"{"eventName":["MODIFY"]}"#,
        "--filter",
        r#"{"dynamodb":{"Keys":{"pk":{"S":["o2"]}}}}"#,
    ];
    assert_eq!(streamed.tail(&either).lines().count(), 2);
}

/// Names of attributes and of members of maps, and values, can be made to command a terminal.
#[test]
fn no_control_character_reaches_the_terminal() {
    let streamed = Streamed::new();
    let hostile = "\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\r\n";
    let put = |value: AttributeValue| {
        let item = Item::new().with("pk", format!("k{hostile}")).with(format!("a{hostile}"), value);
        streamed.pretender.put_item(PutItemInput::new(orders(), item)).unwrap();
    };
    put(AttributeValue::M([(hostile, hostile.into())].into()));
    put(AttributeValue::Ss([hostile.to_owned()].into()));
    let update = Item::new().with("pk", format!("k{hostile}"));
    streamed.pretender.put_item(PutItemInput::new(orders(), update)).unwrap();
    for arguments in [&["Orders"][..], &["Orders", "--json"]] {
        let printed = streamed.tail(arguments);
        assert_eq!(printed.lines().count(), 3, "{printed:?}");
        let is_control = |character: char| character.is_control() || character == '\u{202e}';
        assert!(!printed.lines().any(|line| line.contains(is_control)), "{printed:?}");
        assert!(printed.contains(r"\u001b[2J\u009b31m\u007f\u202e\r\n"), "{printed:?}");
    }
    let first = streamed.tail(&["Orders", "--json"]);
    let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
    assert_eq!(first["dynamodb"]["Keys"]["pk"]["S"], format!("k{hostile}"));
}

#[test]
fn lines_look_as_they_are_asked_to() {
    let streamed = Streamed::new();
    let put = |items: AttributeValue| {
        let item = Item::new().with("pk", "o1").with("items", items).with("note", "x".repeat(200));
        streamed.pretender.put_item(PutItemInput::new(orders(), item)).unwrap();
    };
    let item =
        |n: i64| AttributeValue::M([("qty".to_owned(), n.into()), ("sku".to_owned(), "a".into())].into());
    put(AttributeValue::L(vec![item(1), item(1)]));
    put(AttributeValue::L(vec![item(1), item(2), item(3)]));
    let second = "2026-03-01T09:15:42Z MODIFY pk=\"o1\" items[1].qty=1->2 +items[2]={qty: 3, sku: \"a\"}\n";
    let printed = streamed.tail(&["Orders"]);
    // Nothing is cut where no terminal is.
    assert!(printed.lines().next().unwrap().ends_with(&format!("note=\"{}\"", "x".repeat(200))), "{printed}");
    assert!(printed.ends_with(second), "{printed}");
    assert_eq!(streamed.tail(&["Orders", "--color", "never"]), printed);
    let colored = streamed.tail(&["Orders", "--color", "always"]);
    assert!(
        colored.contains("\u{1b}[32mINSERT\u{1b}[0m") && colored.contains("\u{1b}[33mMODIFY"),
        "{colored:?}"
    );
    let table = streamed.tail(&["Orders", "--format", "table"]);
    assert!(
        table.starts_with("TIME                  EVENT   KEY                       CHANGES\n"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 3);
    let json = streamed.tail(&["Orders", "--format", "json"]);
    assert_eq!(json, streamed.tail(&["Orders", "--json"]));
    for arguments in [["--format", "xml"], ["--color", "sometimes"]] {
        let output = streamed.command(&[&["Orders"][..], &arguments].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_record_may_come_twice_and_a_call_fail() {
    let streamed = Streamed::new();
    streamed.put("o1", 1);
    streamed.put("o1", 2);
    let faults = streamed.pretender.faults();
    for kind in
        [FaultKind::Throttling, FaultKind::EmptyPage, FaultKind::ExpiredIterator, FaultKind::Duplicate]
    {
        faults.add(Fault::new(kind).on(Operation::GetRecords).times(1)).unwrap();
    }
    let first = "2026-03-01T09:15:42Z INSERT pk=\"o1\" total=1\n";
    let second = "2026-03-01T09:15:42Z MODIFY pk=\"o1\" total=1->2\n";
    assert_eq!(streamed.tail(&["Orders"]), format!("{first}{second}{second}"));
    assert_eq!(faults.report().injected.len(), 4);
}

#[test]
fn a_long_lineage_is_followed_as_it_grows() {
    let streamed = Streamed::new();
    let mut child: Child = streamed
        .command(&["Orders", "--follow", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for total in 0..5 {
        streamed.put("o1", total);
        let record: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(record["dynamodb"]["NewImage"]["total"]["N"], total.to_string());
        streamed.pretender.rotate_shards(&streamed.arn, None).unwrap();
        // Iterators die meanwhile, and shards become due.
        streamed.clock.advance(Duration::from_secs(5 * 60 * 60));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn no_name_of_an_attribute_is_special() {
    let streamed = Streamed::new();
    let item = Item::new().with("$serde_json::private::RawValue", "x").with("pk", "o1");
    streamed.pretender.put_item(PutItemInput::new("Orders".parse().unwrap(), item)).unwrap();
    let output = streamed.command(&["Orders", "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains(r#""$serde_json::private::RawValue":{"S":"x"}"#)
    );
}

#[test]
#[cfg(unix)]
fn an_export_that_follows_loses_nothing() {
    let streamed = Streamed::new();
    streamed.put("o1", 42);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.ndjson");
    let file = path.to_str().unwrap();
    let lines = || std::fs::read_to_string(&path).unwrap_or_default().lines().count();
    for signal in ["-INT", "-KILL"] {
        let _ = std::fs::remove_file(&path);
        let arguments = ["Orders", "--follow", "--export", file];
        let mut child = streamed.command(&arguments).stderr(Stdio::piped()).spawn().unwrap();
        // It is there while the command still waits for more.
        while lines() == 0 {
            assert!(child.try_wait().unwrap().is_none(), "it ended");
            std::thread::yield_now();
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), (signal == "-INT").then_some(0));
        assert_eq!(lines(), 1, "{signal}");
    }
    // A table that is not there empties no file.
    let refused = streamed.command(&["Missing", "--export", file]).output().unwrap();
    assert_eq!((refused.status.code(), lines()), (Some(1), 1));
    let missing = folder.path().join("no/orders.ndjson");
    let refused = streamed.command(&["Orders", "--export", missing.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("no/orders.ndjson` cannot be written: the folder `"), "{said}");
}

#[test]
#[cfg(unix)]
fn following_ends_well_when_asked_to() {
    for signal in ["-INT", "-TERM"] {
        let streamed = Streamed::new();
        streamed.put("o1", 42);
        let mut child = streamed
            .command(&["Orders", "--follow"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("o1"));
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{signal}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn more_shards_and_streams_than_fit_a_page() {
    let streamed = Streamed::new();
    for total in 0..110 {
        if total % 10 == 0 {
            streamed.put("o1", total);
        }
        streamed.pretender.rotate_shards(&streamed.arn, None).unwrap();
    }
    assert_eq!(streamed.tail(&["Orders"]).lines().count(), 11);
}

#[test]
fn tail_explains_failures_in_one_line() {
    let streamed = Streamed::new();
    let quiet = CreateTableInput::new("Quiet".parse().unwrap(), ("pk", ScalarType::S), None);
    streamed.pretender.create_table(quiet).unwrap();
    let url = streamed.server.url();
    for (target, text) in [
        ("Nothing", format!("no such table: `Nothing` is not at {url} in us-east-1")),
        ("orders", format!("no such table: `orders` is not at {url} in us-east-1; did you mean `Orders`?")),
        (
            "Quiet",
            format!(
                "table `Quiet` has no stream; enable one with `aws dynamodb update-table --table-name Quiet \
                 --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES --endpoint-url {url}`"
            ),
        ),
        (
            "arn:nonsense",
            "ValidationException: 1 validation error detected: Value 'arn:nonsense' at 'streamArn' failed to satisfy \
             constraint: Member must have length greater than or equal to 37"
                .to_owned(),
        ),
    ] {
        let output = streamed.command(&[target]).output().unwrap();
        check_refused(&output, &format!("pretender: {text}"));
    }
    let gone = streamed.arn.to_string().replace("2026", "2025");
    let output = streamed.command(&[&gone]).output().unwrap();
    check_refused(&output, &format!("pretender: no such stream: `{gone}` is not at {url} in us-east-1"));
    let output = streamed.command(&["Orders", "--filter", "nonsense"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Invalid filter pattern definition."));
    let long = format!(r#"{{"eventName":["{}"]}}"#, "x".repeat(4096));
    let output = streamed.command(&["Orders", "--filter", &long]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("Member must have length less than or equal to 4096"), "{stderr}");
    for arguments in [&["Orders", "--wait", "5"][..], &["--wait", "5", "Orders"]] {
        let output = streamed.command(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains("not a duration"), "{stderr}");
    }
    let output = streamed.command(&["--wait", "1s"]).output().unwrap();
    check_refused(
        &output,
        "pretender: no table: expected the name or ARN of a table, or the ARN of a stream",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    let output =
        command.env_clear().args(["tail", "Orders", "--endpoint", "http://127.0.0.1:1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("http://127.0.0.1:1 cannot be reached"));
}
