//! `pretender import` and `pretender export`, as processes, on files and against a server.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use pretender::Pretender;
use pretender::items::{DeleteItemInput, PutItemInput, ScanInput};
use pretender::model::{Item, ScalarType, TableName};
use pretender::objects::{MemoryObjects, Object, ObjectStore};
use pretender::streams::{ListStreamsInput, StreamViewType};
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::time::{Clock, EpochMillis, ManualClock};
use pretender::transfers::{ExportStatus, ExportTableInput, ExportType, IncrementalExportSpecification};

use crate::binary::pretender;

fn run(folder: &Path, arguments: &str) -> Output {
    pretender().current_dir(folder).args(arguments.split_whitespace()).output().unwrap()
}

/// What a command prints that must succeed.
#[track_caller]
fn done(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command reports that must fail.
#[track_caller]
fn refused(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments}: {error}");
    error
}

fn table(name: &str) -> TableName {
    TableName::new(name).unwrap()
}

fn items(file: &Path, name: &str) -> Vec<String> {
    let db = Pretender::open(file).unwrap();
    let page = db.scan(ScanInput::new(table(name))).unwrap();
    let items: Vec<String> = page.items.unwrap().iter().map(|item| item.json().to_owned()).collect();
    db.close();
    items
}

/// A database with a few items of all types.
fn sample(file: &Path) {
    let db = Pretender::open(file).unwrap();
    let key = ("id", ScalarType::S);
    db.create_table(CreateTableInput::new(table("orders"), key, Some(("at", ScalarType::N)))).unwrap();
    for n in 0..30 {
        let json = format!(
            r#"{{"id":{{"S":"o{n}"}},"at":{{"N":"{n}"}},"email":{{"S":"ann{n}@example.com"}},"b":{{"B":"AQI="}},"tags":{{"SS":["a","b"]}},"m":{{"M":{{"l":{{"L":[{{"NULL":true}},{{"N":"1.5"}}]}}}}}}}}"#
        );
        db.put_item(PutItemInput::new(table("orders"), Item::from_json(&json).unwrap())).unwrap();
    }
    db.close();
}

#[test]
fn what_is_exported_can_be_imported() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    sample(&here.join("a.db"));
    let expected = items(&here.join("a.db"), "orders");
    assert_eq!(expected.len(), 30);
    for (n, file) in ["o.jsonl", "o.jsonl.gz", "o.ion.zst"].into_iter().enumerate() {
        let said = done(here, &format!("export {file} --table orders --db a.db"));
        assert_eq!(said, format!("Wrote 30 items of orders to {file}.\n"));
        let copy = format!("copy{n}.db");
        let said = done(here, &format!("import {file} -t orders -d {copy} --create --key id:S,at:N"));
        assert!(said.starts_with("Created orders. Put 30 items of 1 file,"), "{said}");
        assert_eq!(items(&here.join(&copy), "orders"), expected, "{file}");
    }
    done(here, "export exports -t orders -d a.db --layout aws");
    done(here, "import exports -t orders -d folder.db --create --key id:S,at:N");
    assert_eq!(items(&here.join("folder.db"), "orders"), expected);
    // A second export has the same name for nobody, and a file is not replaced by accident.
    assert!(refused(here, "export o.jsonl -t orders -d a.db").contains("the file exists"));
    done(here, "export o.jsonl -t orders -d a.db --force");
    assert!(refused(here, "export o2.json -t orders -d a.db --format json").contains("which has bytes"));
    assert!(!here.join("o2.json").exists() && !here.join("o2.json.part").exists());
    done(here, "export o.csv -t orders -d a.db --columns id,at,email");
    let csv = fs::read_to_string(here.join("o.csv")).unwrap();
    assert!(csv.starts_with("id,at,email\n") && csv.lines().count() == 31, "{csv}");
    done(here, "import o.csv -t orders -d csv.db --create --key id:S,at:N");
    assert!(
        items(&here.join("csv.db"), "orders")
            .iter()
            .any(|item| item == r#"{"at":{"N":"7"},"email":{"S":"ann7@example.com"},"id":{"S":"o7"}}"#)
    );
}

#[test]
fn an_import_is_an_ordinary_change() {
    let folder = tempfile::tempdir().unwrap();
    let db = Pretender::open(folder.path().join("a.db")).unwrap();
    db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::KeysOnly)),
        ..CreateTableInput::new(table("orders"), ("id", ScalarType::S), None)
    })
    .unwrap();
    db.put_item(PutItemInput::new(table("orders"), Item::new().with("id", "gone"))).unwrap();
    db.put_item(PutItemInput::new(table("orders"), Item::new().with("id", "kept").with("v", 5))).unwrap();
    db.close();
    let lines = r#"{"Item":{"id":{"S":"1"}}}
{"Keys":{"id":{"S":"2"}},"NewImage":{"id":{"S":"2"},"v":{"N":"1"}}}
{"Keys":{"id":{"S":"gone"}},"OldImage":{"id":{"S":"gone"}}}
{"Item":{"id":{"S":"kept"}},"ConditionExpression":"attribute_not_exists(id)"}
"#;
    fs::write(folder.path().join("o.jsonl"), lines).unwrap();
    let said = done(folder.path(), "import o.jsonl -t orders -d a.db");
    assert!(said.contains("Put 2 items of 1 file") && said.contains("1 deleted"), "{said}");
    assert!(said.contains("1 left as they were by their conditions"), "{said}");
    let db = Pretender::open(folder.path().join("a.db")).unwrap();
    assert_eq!(db.list_streams(&ListStreamsInput::default()).unwrap().streams.len(), 1);
    // Two puts before; then two puts and one deletion.
    let backlog: u64 = db.stream_reports().unwrap()[0].shards.iter().map(|shard| shard.backlog.records).sum();
    assert_eq!(backlog, 5);
    db.close();
    assert_eq!(items(&folder.path().join("a.db"), "orders").len(), 3);
}

#[test]
fn faults_name_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let lines = "{\"id\":\"1\"}\n{\"id\":\"2\"\n{\"no\":\"3\"}\n{\"id\":4}\n{\"id\":\"5\"}\n";
    fs::write(here.join("o.jsonl"), lines).unwrap();
    let create = "-t orders -d a.db --create --key id:S";
    let said = refused(here, &format!("import o.jsonl {create} --format json"));
    assert!(said.starts_with("pretender: o.jsonl:2: not JSON"), "{said}");
    assert!(said.contains("(1 item written"), "{said}");
    assert_eq!(items(&here.join("a.db"), "orders").len(), 1);

    // A trial says everything that would be refused, and changes nothing; not even a file is made.
    let said =
        refused(here, "import o.jsonl -t orders -d new.db --create --key id:S --format json --dry-run");
    for text in [
        "o.jsonl:2: not JSON",
        "o.jsonl:3: One or more parameter values were invalid: Missing the key id",
        "o.jsonl:4: One or more parameter values were invalid: Type mismatch for key id",
        "3 items refused",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert!(!here.join("new.db").exists());

    let said = refused(here, "import o.jsonl -t orders -d a.db --format json --errors bad.jsonl");
    assert!(said.contains("3 items refused: see bad.jsonl"), "{said}");
    assert_eq!(items(&here.join("a.db"), "orders").len(), 2);
    let bad = fs::read_to_string(here.join("bad.jsonl")).unwrap();
    assert!(bad.contains(r#""file":"o.jsonl","itemIndex":"2","line":"3""#), "{bad}");
    // What was refused can be corrected and imported.
    let mended =
        bad.lines().filter(|line| line.contains("\"no\"")).map(|line| line.replace("\"no\"", "\"id\""));
    fs::write(here.join("mended.jsonl"), mended.collect::<Vec<_>>().join("\n")).unwrap();
    done(here, "import mended.jsonl -t orders -d a.db");
    assert_eq!(items(&here.join("a.db"), "orders").len(), 3);

    let said =
        refused(here, "import o.jsonl -t orders -d a.db --format json --errors many.jsonl --max-errors 1");
    assert!(said.contains("o.jsonl:3:"), "{said}");
}

#[test]
fn files_that_cannot_be_imported_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    sample(&here.join("a.db"));
    done(here, "export exports -t orders -d a.db --layout aws");
    let data =
        fs::read_dir(here.join("exports/AWSDynamoDB")).unwrap().next().unwrap().unwrap().path().join("data");
    let data = fs::read_dir(data).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read(&data).unwrap();
    fs::write(&data, &bytes[..bytes.len() - 20]).unwrap();
    let into = "-t orders -d b.db --create --key id:S,at:N";
    let said = refused(here, &format!("import exports {into}"));
    assert!(said.contains("the file is cut short or was changed") && !said.contains("written"), "{said}");
    assert!(items(&here.join("b.db"), "orders").is_empty());
    fs::write(here.join("cut.json.gz"), &bytes[..bytes.len() - 20]).unwrap();
    assert!(
        refused(here, &format!("import cut.json.gz {into}")).contains("cut.json.gz: the file is cut short")
    );
    fs::write(here.join("not.json.gz"), "\x1f\u{8b}{}").unwrap();
    refused(here, &format!("import not.json.gz {into}"));
    fs::write(here.join("plain.jsonl"), "{\"Item\":{\"id\":{\"S\":\"1\"},\"at\":{\"N\":\"1\"}}}\n").unwrap();
    let said = refused(here, &format!("import plain.jsonl {into} --compression gzip"));
    assert!(said.contains("is not in the format of gzip"), "{said}");
    // Items of another table.
    done(here, "import plain.jsonl -t others -d b.db --create --key id:S");
    let said = refused(here, "import plain.jsonl -t wrong -d b.db --create --key pk:S");
    assert!(said.contains("plain.jsonl:1:") && said.contains("Missing the key pk in the item"), "{said}");
    assert!(refused(here, "import plain.jsonl -t none -d b.db").contains("add --create --key"));
    assert!(refused(here, "import none.jsonl -t orders -d b.db").contains("none.jsonl"));
    assert!(refused(here, "import plain.jsonl -t orders -d none.db").contains("does not exist"));
}

#[test]
fn values_can_be_anonymised() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    sample(&here.join("a.db"));
    let rules = "key = \"0123456789abcdef\"\n[[rule]]\npath = \"email\"\nhash = true\n[[rule]]\npath = \"m.l[1]\"\nreplace = 0\n\
                 [[rule]]\npath = \"tags\"\ndrop = true\n[[rule]]\npath = \"emial\"\ndrop = true\n";
    fs::write(here.join("rules.toml"), rules).unwrap();
    let output = run(here, "export o.jsonl -t orders -d a.db --anonymize rules.toml");
    assert!(output.status.success());
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(warning.contains("rule 4 (`emial`) has matched nothing in `orders`"), "{warning}");
    let exported = fs::read_to_string(here.join("o.jsonl")).unwrap();
    assert!(!exported.contains("@example.com") && !exported.contains("tags") && !exported.contains("1.5"));
    // Importing with the same rules gives the same values as exporting with them.
    done(here, "export plain.jsonl -t orders -d a.db");
    done(here, "import plain.jsonl -t orders -d b.db --create --key id:S,at:N --anonymize rules.toml");
    done(here, "import o.jsonl -t orders -d c.db --create --key id:S,at:N");
    assert_eq!(items(&here.join("b.db"), "orders"), items(&here.join("c.db"), "orders"));
    fs::write(here.join("bad.toml"), "[[rule]]\npath = \"at\"\ndrop = true\n").unwrap();
    let said = refused(here, "export x.jsonl -t orders -d a.db --anonymize bad.toml");
    assert!(said.contains("bad.toml: rule 1 (`at`) would drop the key attribute `at`"), "{said}");
    assert!(!here.join("x.jsonl").exists());
}

#[test]
fn a_running_server_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let process = crate::crash::Process::start(&here.join("server.db"));
    let endpoint = format!("--endpoint http://{}", process.address);
    let mut lines: String = (0..300).map(|n| format!("{{\"id\":\"o{n}\",\"n\":{n}}}\n")).collect();
    // The same key again: the later line wins.
    lines.push_str("{\"id\":\"o7\",\"n\":1000}\n");
    fs::write(here.join("o.jsonl"), &lines).unwrap();
    let said = done(here, &format!("import o.jsonl -t orders {endpoint} --create --key id:S"));
    assert!(said.starts_with("Created orders. Put 301 items"), "{said}");
    done(here, &format!("export back.json -t orders {endpoint} --format json"));
    let mut back: Vec<String> =
        fs::read_to_string(here.join("back.json")).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(back.len(), 300);
    back.retain(|line| line.contains("\"o7\""));
    assert_eq!(back, [r#"{"id":"o7","n":1000}"#]);
    fs::write(here.join("bad.jsonl"), "{\"id\":\"a\"}\n{\"id\":5}\n").unwrap();
    let said = refused(here, &format!("import bad.jsonl -t orders {endpoint}"));
    assert!(said.contains("bad.jsonl:2:"), "{said}");
    let said = refused(here, &format!("import bad.jsonl -t order {endpoint} --dry-run"));
    assert!(said.contains("did you mean `orders`?"), "{said}");
    // The server has the file open.
    let said = refused(here, "export x.jsonl -t orders -d server.db");
    assert!(said.contains("use --endpoint instead of --db"), "{said}");
}

/// The exports that the operation makes, full and incremental, once they were downloaded from their buckets.
#[test]
fn exports_of_the_operation_are_imported_by_hand() {
    const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/orders";
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    sample(&here.join("a.db"));
    let (clock, objects) =
        (Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017))), MemoryObjects::new());
    let builder = Pretender::builder().file(here.join("a.db")).clock(clock.clone());
    let db = builder.objects(Arc::new(objects.clone())).sweep_interval(None).open().unwrap();
    db.update_continuous_backups(&table("orders"), true, None).unwrap();
    clock.advance(Duration::from_secs(60));
    let begin = clock.now();
    for (bucket, export_type) in [("full", ExportType::Full), ("changes", ExportType::Incremental)] {
        objects.create_bucket(bucket);
        let is_incremental = export_type == ExportType::Incremental;
        let incremental = is_incremental.then(|| IncrementalExportSpecification {
            export_from_time: Some(begin),
            ..IncrementalExportSpecification::default()
        });
        let export_type = Some(export_type);
        let input = ExportTableInput { export_type, incremental, ..ExportTableInput::new(ARN, bucket) };
        let export = db.export_table_to_point_in_time(input).unwrap();
        assert!(db.wait_for_transfers(Duration::from_secs(60)));
        let export = db.describe_export(&export.export_arn).unwrap();
        assert_eq!((export.export_status, export.failure), (ExportStatus::Completed, None));
        download(&objects, bucket, &here.join(bucket));
        let key = |n: u32| Item::new().with("id", format!("o{n}")).with("at", n);
        db.delete_item(DeleteItemInput::new(table("orders"), key(3))).unwrap();
        for n in [4, 100] {
            db.put_item(PutItemInput::new(table("orders"), key(n).with("new", true))).unwrap();
        }
        if !is_incremental {
            clock.advance(Duration::from_secs(3600));
        }
    }
    db.close();
    let expected = items(&here.join("a.db"), "orders");
    assert_eq!(expected.len(), 30);
    done(here, "import full -t orders -d b.db --create --key id:S,at:N");
    assert_ne!(items(&here.join("b.db"), "orders"), expected);
    done(here, "import changes -t orders -d b.db");
    assert_eq!(items(&here.join("b.db"), "orders"), expected);
}

fn download(objects: &MemoryObjects, bucket: &str, into: &Path) {
    let mut keys = Vec::new();
    let mut each = |object: Object| {
        keys.push(object.key);
        ControlFlow::Continue(())
    };
    objects.list(bucket, "", &mut each).unwrap();
    for key in keys {
        let path = into.join(&key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, objects.get(bucket, &key, 1 << 20).unwrap().unwrap()).unwrap();
    }
}
