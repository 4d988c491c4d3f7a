//! Streams in files: `pretender tail --export` and `pretender ctl stream replay`.

use std::process::Command;

use pretender::items::{DeleteItemInput, PutItemInput, ScanInput};
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::StreamViewType;
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::testing::{Change, StreamDiff};
use serde_json::json;

use crate::control::ControlledServer;
use crate::ctl::{check_refused, ctl_output};

fn name(table: &str) -> TableName {
    table.parse().unwrap()
}

/// Makes another table like `Orders`.
fn create(server: &ControlledServer, table: &str) {
    let stream = StreamSpecification::enabled(StreamViewType::NewAndOldImages);
    let input = CreateTableInput {
        stream_specification: Some(stream),
        ..CreateTableInput::new(name(table), ("pk", ScalarType::S), None)
    };
    server.pretender.create_table(input).unwrap();
}

fn items(server: &ControlledServer, table: &str) -> Option<pretender::items::EncodedItems> {
    server.pretender.scan(ScanInput::new(name(table))).unwrap().items
}

fn export(server: &ControlledServer, file: &str, told: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    let command = command
        .env_clear()
        .args(["tail", "Orders", "--export", file])
        .args(["--endpoint", &server.server.url()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    // A slow machine sees progress before it.
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().last(), Some(&*format!("pretender: exported {told} to `{file}`")));
}

#[test]
fn a_stream_goes_through_a_file_into_another_table() {
    let server = ControlledServer::new();
    let url = server.server.url();
    // More than are sent at once.
    for n in 0..1_200_i64 {
        let item = Item::new().with("pk", format!("o{}", n % 400)).with("n", n).with("text", "ü\n\"\\");
        server.pretender.put_item(PutItemInput::new(name("Orders"), item)).unwrap();
    }
    let gone = Item::new().with("pk", "o7");
    server.pretender.delete_item(DeleteItemInput::new(name("Orders"), gone)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.ndjson");
    let file = path.to_str().unwrap();
    export(&server, file, "1201 records");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1_201);
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["eventSourceARN"], server.arn.to_string());
    // What is read from an endpoint is what the library reads.
    let read: Vec<Change> = text.lines().map(|line| Change::parse(line).unwrap()).collect();
    let changes = server.pretender.changes("Orders").unwrap();
    assert_eq!(read, changes);

    create(&server, "Copies");
    let line = ctl_output(&url, &["stream", "replay", file, "--table", "Copies"]);
    assert_eq!(line, "replayed into Copies: 1200 puts, 1 delete\n");
    assert_eq!(items(&server, "Copies"), items(&server, "Orders"));
    StreamDiff::between(&changes, &server.pretender.changes("Copies").unwrap()).assert_empty();

    // Lines are counted through the whole file, empty ones too.
    let refused = |text: &str, expected: &str| {
        std::fs::write(&path, text).unwrap();
        check_refused(&url, &["stream", "replay", file, "--table", "Copies"], expected);
    };
    refused(&format!("\n{text}{{}}\n"), "line 1203 is not a stream record: `eventName` is missing");
    refused(&format!("{text}{{\n"), "line 1202 is not a stream record: it is not JSON");
    refused(&text.replace("NewImage", "Other"), "line 1 has no new image");
    std::fs::write(&path, &text).unwrap();
    check_refused(&url, &["stream", "replay", file, "--table", "Missing"], "line 1 cannot be replayed");
    check_refused(&url, &["stream", "replay", "/no/such/file", "--table", "Copies"], "cannot be read");
    server.refuses(
        "replay",
        &json!({"table": "!", "records": []}).to_string(),
        400,
        "is not a valid table name",
    );
}
