//! Items in all forms.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{call, items, refusal, serve, text};
use crate::binary::{Process, pretender};

const TABLES: &str = r#"[
  {"TableName": "orders", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
   "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
   "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}},
  {"TableName": "carts", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
   "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
]"#;

/// A folder with a definition of the tables `orders` and `carts`.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("tables.json", TABLES);
        folder
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn serve(&self, options: &[&str]) -> Process {
        serve(&[&["--schema", text(&self.path("tables.json"))], options].concat())
    }

    fn refusal(&self, options: &[&str]) -> String {
        refusal(&[&["--schema", text(&self.path("tables.json"))], options].concat())
    }
}

fn packed(content: &str) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(content.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn items_in_all_forms() {
    let folder = Folder::new();
    let one = r#"{"id":{"S":"1"},"n":{"N":"5"}}"#;
    let two = r#"{"id":{"S":"2"},"tags":{"L":[{"S":"a"},{"BOOL":true},{"NULL":true}]}}"#;
    for (name, content) in [
        ("orders.json", format!("[{one}, {two}]")),
        ("orders.json", r#"[{"id": "1", "n": 5}, {"id": "2", "tags": ["a", true, null]}]"#.to_owned()),
        (
            "orders.jsonl",
            "{\"id\": \"1\", \"n\": 5.0}\n\n{\"id\": \"2\", \"tags\": [\"a\", true, null]}\n".to_owned(),
        ),
        ("orders.ndjson", format!("{{\"Item\":{one}}}\r\n{{\"Item\":{two}}}\r\n")),
        (
            "orders.json",
            format!("[{{\"Item\": {one}, \"ConsumedCapacity\": {{\"TableName\": \"x\"}}}}, {two}]"),
        ),
        ("orders.json", format!("{{\"Count\": 2, \"Items\": [{one}, {two}], \"ScannedCount\": 2}}")),
        (
            "batch.json",
            format!(
                r#"{{"RequestItems": {{"orders": [{{"PutRequest": {{"Item": {one}}}}}, {{"PutRequest": {{"Item": {two}}}}}]}}}}"#
            ),
        ),
        (
            "batch.json",
            format!(
                r#"{{"orders": [{{"PutRequest": {{"Item": {one}}}}}], "carts": [{{"id": "x"}}]}} {{"orders": [{two}]}}"#
            ),
        ),
    ] {
        for (name, content) in
            [(name.to_owned(), content.as_bytes().to_vec()), (format!("{name}.gz"), packed(&content))]
        {
            let file = folder.write(&name, content);
            let mut server = folder.serve(&["--seed", text(&file)]);
            assert_eq!(items(server.address(), "orders"), [one, two], "{name}");
            server.stop("-TERM");
        }
    }
}

#[test]
fn files_are_for_the_tables_that_they_are_named_after_or_given_for() {
    let folder = Folder::new();
    folder.write("data/orders.json", r#"{"id": "1"}"#);
    folder.write("data/carts.jsonl.gz", packed("{\"id\": \"c1\"}\n{\"id\": \"c2\"}\n"));
    folder.write("data/README.md", "not an item");
    let export = folder
        .write("export/AWSDynamoDB/0123/data/abcdefg.json.gz", packed("{\"Item\":{\"id\":{\"S\":\"2\"}}}\n"));
    let given = format!("orders={}", export.parent().unwrap().display());
    let mut server = folder.serve(&["--seed", text(&folder.path("data")), "--seed", &given]);
    let address = server.address();
    assert_eq!(items(address, "orders"), [r#"{"id":{"S":"1"}}"#, r#"{"id":{"S":"2"}}"#]);
    assert_eq!(items(address, "carts").len(), 2);
    // A seed is written as a client writes.
    let arn = call(address, "ListStreams", r#"{"TableName":"orders"}"#)["Streams"][0]["StreamArn"].clone();
    let stream = call(address, "DescribeStream", &serde_json::json!({ "StreamArn": arn }).to_string());
    let shard = &stream["StreamDescription"]["Shards"][0]["ShardId"];
    let iterator =
        serde_json::json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = call(address, "GetShardIterator", &iterator.to_string())["ShardIterator"].clone();
    let records = call(address, "GetRecords", &serde_json::json!({ "ShardIterator": iterator }).to_string());
    assert_eq!(records["Records"].as_array().unwrap().len(), 2);
    server.stop("-TERM");
}

#[test]
fn faults_name_file_and_line() {
    let folder = Folder::new();
    for (name, content, error) in [
        ("orders.jsonl", "{\"id\": \"1\"}\n{\"id\": 2}\n", ":2: the item cannot be put into `orders`: "),
        ("orders.jsonl", "{\"id\": \"1\"}\n\n{\"id\": \"2\", }\n", ":3: this is not JSON"),
        ("orders.jsonl", "{\"id\": \"1\"}\n{\"id\": \"2\"\n", ":2: the JSON value is not complete"),
        (
            "orders.json",
            "[\n{\"id\": {\"S\": \"1\"}},\n{\"id\": {\"S\": 2}}]",
            ":3: attribute `id`: `S` takes a text, not a number",
        ),
        ("orders.json", "[\n{\"id\": {\"S\": \"1\"}, \"n\": 5}]", "some attributes have a type"),
        ("orders.json", "[1]", ":1: an item must be an object"),
        ("orders.json", "{\"carts\": [{}]}", ":1: an item is empty"),
        ("wishes.json", "\n{\"id\": \"1\"}", ":2: there is no table `wishes`"),
        (
            "batch.json",
            "{\"orders\": [{\"DeleteRequest\": {\"Key\": {}}}]}",
            ":1: a DeleteRequest is not an item",
        ),
    ] {
        let file = folder.write(name, content);
        let said = folder.refusal(&["--seed", text(&file)]);
        assert!(said.starts_with(text(&file)) && said.contains(error), "{content}: {said}");
    }
    // What stands within itself, longer than an item may be.
    for (content, error) in [
        (
            "{\"RequestItems\":".repeat(600_000),
            ":1: the object is longer than an item may be, and `RequestItems`",
        ),
        ("{\"orders\":[".repeat(900_000), ":1: an item is too long"),
        ("{\"Items\":[".repeat(900_000), ":1: an item is too long"),
    ] {
        let file = folder.write("orders.json", &content);
        let said = folder.refusal(&["--seed", text(&file)]);
        assert!(said.contains(error), "{said}");
    }
    let wide = folder.write("orders.json", [0xff, 0xfe, b'[', 0, b']', 0]);
    assert!(folder.refusal(&["--seed", text(&wide)]).ends_with("the file is in UTF-16: save it in UTF-8"));
    let home = folder.refusal(&["--schema", "~/tables.json"]);
    assert!(home.starts_with("~/tables.json: there is no such file; only a shell replaces `~`"), "{home}");
    let file = folder.write("part-1.json", "{\"carts\": [{\"id\": \"1\"}]}");
    let said = folder.refusal(&["--seed", &format!("orders={}", file.display())]);
    assert!(said.ends_with(":1: these are items of `carts`, and the file was given for `orders`"), "{said}");
    let cut = folder.write("orders.json.gz", &packed("{\"id\": \"1\"}")[..15]);
    assert!(folder.refusal(&["--seed", text(&cut)]).contains("the file cannot be read: "));
    assert!(
        folder
            .refusal(&["--seed", "nowhere/orders.json"])
            .contains("nowhere/orders.json: there is no such file")
    );
}

#[test]
fn a_restart_writes_nothing_again() {
    let folder = Folder::new();
    let (db, file) = (folder.path("shop.db"), folder.write("orders.json", r#"[{"id": "1"}, {"id": "2"}]"#));
    let options = ["--db", text(&db), "--seed", text(&file)];
    let mut server = folder.serve(&options);
    let address = server.address();
    call(address, "DeleteItem", r#"{"TableName":"orders","Key":{"id":{"S":"1"}}}"#);
    server.stop("-TERM");
    let mut server = folder.serve(&options);
    let address = server.address();
    assert_eq!(items(address, "orders"), [r#"{"id":{"S":"2"}}"#]);
    server.line();
    assert_eq!(server.line(), "Already defined: orders, carts");
    assert_eq!(server.line(), format!("Skipped 2 items of {}: orders is not empty", file.display()));
    server.stop("-TERM");
}

#[test]
fn a_key_may_come_twice_and_many_items_take_many_batches() {
    let folder = Folder::new();
    let mut lines: String =
        (0..2_000).map(|n| format!("{{\"id\": \"{}\", \"n\": {n}}}\n", n % 500)).collect();
    lines.push_str(&format!("{{\"id\": \"long\", \"text\": \"{}\"}}\n", "x".repeat(390_000)));
    let file = folder.write("orders.jsonl", &lines);
    let mut server = folder.serve(&["--seed", text(&file)]);
    let address = server.address();
    let page = call(address, "Scan", r#"{"TableName":"orders","Select":"COUNT"}"#);
    assert_eq!(page["Count"], 501);
    let last = call(address, "GetItem", r#"{"TableName":"orders","Key":{"id":{"S":"499"}}}"#);
    assert_eq!(last["Item"]["n"]["N"], "1999");
    server.stop("-TERM");
}

/// What is longer than an item may be is read piece by piece.
#[test]
fn long_lists_by_table_keep_their_lines() {
    let folder = Folder::new();
    let items: Vec<String> =
        (0..60).map(|n| format!("{{\"id\": \"{n}\", \"text\": \"{}\"}}", "y".repeat(100_000))).collect();
    let file = folder.write(
        "all.json",
        format!("{{\"orders\": [\n{}\n], \"carts\": [{{\"id\": 1}}]}}", items.join(",\n")),
    );
    let said = folder.refusal(&["--seed", text(&file)]);
    assert!(said.contains("all.json:62: the item cannot be put into `carts`"), "{said}");
    let file = folder.write("page.json", format!("{{\"Items\": [{}], \"Count\": 60}}", items.join(",")));
    let mut server = folder.serve(&["--seed", &format!("orders={}", file.display())]);
    let page = call(server.address(), "DescribeTable", r#"{"TableName":"orders"}"#);
    assert_eq!(page["Table"]["ItemCount"], 60);
    server.stop("-TERM");
}

#[test]
fn a_command_begins_with_tables_and_items() {
    let folder = Folder::new();
    let file = folder.write("orders.json", r#"[{"id": "1"}]"#);
    let output = pretender()
        .args(["run", "--schema", text(&folder.path("tables.json")), "--seed", text(&file), "--"])
        .args([env!("CARGO_BIN_EXE_pretender"), "tail", "orders", "--from", "trim-horizon"])
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && shown.contains("INSERT"), "{shown} {:?}", output.stderr);
}

/// A copy of a database goes with the server, and leaves the file and its folder as they were.
#[test]
fn a_snapshot_is_not_changed() {
    let folder = Folder::new();
    let file = folder.write("orders.json", r#"[{"id": "1"}]"#);
    let db = folder.path("kept/shop.db");
    std::fs::create_dir_all(db.parent().unwrap()).unwrap();
    let server_of_original = |end: &str| {
        let mut server = folder.serve(&["--db", text(&db), "--seed", text(&file)]);
        server.address();
        server.stop(end);
    };
    for end in ["-TERM", "-KILL"] {
        server_of_original(end);
        let before = contents(db.parent().unwrap());
        for mode in ["u+w", "a-w"] {
            change_mode(mode, &db);
            change_mode(mode, db.parent().unwrap());
            let mut server = serve(&["--snapshot", text(&db)]);
            let address = server.address();
            assert_eq!(
                server.line(),
                format!("Data in memory: a copy of {}, gone when the server stops", db.display())
            );
            assert_eq!(items(address, "orders"), [r#"{"id":{"S":"1"}}"#], "{end} {mode}");
            call(address, "PutItem", r#"{"TableName":"orders","Item":{"id":{"S":"2"}}}"#);
            server.stop("-TERM");
            assert_eq!(contents(db.parent().unwrap()), before, "{end} {mode}");
        }
        change_mode("u+w", db.parent().unwrap());
        change_mode("u+w", &db);
    }
    let said = refusal(&["--snapshot", text(&folder.path("tables.json"))]);
    assert!(said.contains("tables.json"), "{said}");
    let output = pretender().args(["serve", "--snapshot", text(&db), "--db", "x.db"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

fn change_mode(mode: &str, path: &Path) {
    assert!(Command::new("chmod").arg(mode).arg(path).status().unwrap().success());
}

/// The files of a folder, with their lengths and a sum over their bytes. That of a log's index, which says where in the log what is, does
/// not matter.
fn contents(folder: &Path) -> Vec<(String, usize, u32)> {
    let mut files: Vec<_> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let (name, bytes) =
                (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap());
            let sum = if name.ends_with("-shm") { 0 } else { crc32fast::hash(&bytes) };
            (name, bytes.len(), sum)
        })
        .collect();
    files.sort_unstable();
    files
}
