//! `pretender backup`, as a process, beside a server that is written to.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pretender::Pretender;
use pretender::items::{PutItemInput, ScanInput};
use pretender::model::{Item, ScalarType, TableName};
use pretender::tables::CreateTableInput;
use serde_json::{Value, json};

use crate::binary::pretender;
use crate::crash::Process;
use crate::harness::{Connection, request};

/// How many backups are made while a writer goes on.
const BACKUPS: u32 = 6;

pub(crate) fn orders() -> TableName {
    TableName::new("Orders").unwrap()
}

/// Runs `pretender backup`.
pub(crate) fn backup(arguments: &[&str], target: &Path) -> Output {
    pretender().arg("backup").args(arguments).arg(target).output().unwrap()
}

/// What a backup that is made prints; its name may be any.
#[track_caller]
pub(crate) fn made(arguments: &[&str], target: &Path) -> String {
    let output = backup(arguments, target);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// One line on standard error, exit code 1, and nothing made.
#[track_caller]
pub(crate) fn check_refused(arguments: &[&str], target: &Path, text: &str) {
    let output = backup(arguments, target);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("pretender: ") && stderr.contains(text), "{arguments:?}: {stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
}

fn create_table(process: &Process) {
    process.call(
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "Orders", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }),
    );
}

/// Puts ever higher numbers under a few keys until it is told to stop; notes what is acknowledged.
fn write(address: SocketAddr, acknowledged: &AtomicU64, stop: &AtomicBool) {
    let mut connection = Connection::to(address);
    for number in 1.. {
        let item = json!({"pk": {"S": (number % 7).to_string()}, "n": {"N": number.to_string()}});
        let body = json!({"TableName": "Orders", "Item": item}).to_string();
        connection.send(request("DynamoDB_20120810.PutItem", &body));
        assert_eq!(connection.answer().status, 200);
        acknowledged.store(number, Ordering::SeqCst);
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// The highest number in a database, all of whose items and records agree.
fn highest(file: &Path) -> u64 {
    let db = Pretender::open(file).unwrap();
    let report = db.check(&mut |event| {
        if let pretender::maintenance::CheckEvent::Finding(finding) = event {
            panic!("{finding}");
        }
    });
    assert_eq!(report.unwrap().streams_replayed, 1);
    let items = items(&db);
    items.iter().map(|item| item["n"]["N"].as_str().unwrap().parse::<u64>().unwrap()).max().unwrap()
}

fn items(db: &Pretender) -> Vec<Value> {
    let items = db.scan(ScanInput::new(orders())).unwrap().items.unwrap();
    serde_json::from_str(&format!("[{}]", items.json())).unwrap()
}

#[test]
fn a_backup_of_a_file_has_all_that_was_acknowledged_before_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    let process = Process::start(&file);
    check_beside_a_writer(folder.path(), process, &|_| vec!["--db".to_owned(), file.display().to_string()]);
}

#[test]
fn a_backup_through_a_server_has_all_that_was_acknowledged_before_it_began() {
    let folder = tempfile::tempdir().unwrap();
    for database in [folder.path().join("orders.db"), ":memory:".into()] {
        let process = Process::start(&database);
        check_beside_a_writer(folder.path(), process, &|address| {
            vec!["--endpoint".to_owned(), address.to_string()]
        });
    }
}

/// SQLite copies as much in one step as a small database has, and begins anew if a writer commits between two.
#[test]
fn a_large_database_is_copied_while_writers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    let process = Process::start_with(&file, &["--control"]);
    create_table(&process);
    process.call(
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "Large", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        }),
    );
    for number in 0..64 {
        let item = json!({"pk": {"S": number.to_string()}, "text": {"S": "x".repeat(390_000)}});
        process.call("DynamoDB_20120810.PutItem", &json!({"TableName": "Large", "Item": item}));
    }
    let (acknowledged, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let address = process.address;
    let (db, endpoint) = (file.display().to_string(), address.to_string());
    std::thread::scope(|scope| {
        scope.spawn(|| write(address, &acknowledged, &stop));
        (0..4).for_each(|writer| {
            drop(scope.spawn({
                let stop = &stop;
                move || change(address, writer, stop)
            }))
        });
        while acknowledged.load(Ordering::SeqCst) < 20 {
            std::thread::yield_now();
        }
        let check = |target: &Path, copy: &dyn Fn()| {
            let before = acknowledged.load(Ordering::SeqCst);
            copy();
            assert!(fs::metadata(target).unwrap().len() > 24_000_000);
            let found = highest(target);
            assert!(found >= before, "{found} is in {}, {before} was acknowledged before", target.display());
        };
        let target = folder.path().join("of-file.db");
        check(&target, &|| drop(made(&["--db", &db, "--no-check"], &target)));
        let target = folder.path().join("of-server.db");
        check(&target, &|| drop(made(&["--endpoint", &endpoint, "--no-check"], &target)));
        check(&folder.path().join("orders.db-snapshots/large.db"), &|| {
            let save = ["ctl", "--endpoint", &endpoint, "snapshot", "save", "large"];
            let saved = pretender().args(save).output().unwrap();
            assert!(saved.status.success(), "{}", String::from_utf8_lossy(&saved.stderr));
        });
        stop.store(true, Ordering::SeqCst);
    });
    process.kill();
}

/// Changes items that are copied meanwhile, until it is told to stop.
fn change(address: SocketAddr, writer: u64, stop: &AtomicBool) {
    let mut connection = Connection::to(address);
    for number in 0_u64.. {
        let item = json!({"pk": {"S": format!("{writer} {}", number % 5)}, "n": {"N": number.to_string()}});
        let body = json!({"TableName": "Large", "Item": item}).to_string();
        connection.send(request("DynamoDB_20120810.PutItem", &body));
        assert_eq!(connection.answer().status, 200);
        if stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

/// Makes backups of the database of a server while a writer goes on.
fn check_beside_a_writer(folder: &Path, process: Process, arguments: &dyn Fn(SocketAddr) -> Vec<String>) {
    create_table(&process);
    let (acknowledged, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let address = process.address;
    std::thread::scope(|scope| {
        scope.spawn(|| write(address, &acknowledged, &stop));
        let mut last = 0;
        for number in 0..pdb_testkit::rounds(BACKUPS) {
            // Some writes lie between two backups.
            while acknowledged.load(Ordering::SeqCst) < last + 20 {
                std::thread::yield_now();
            }
            let before = acknowledged.load(Ordering::SeqCst);
            let target = folder.join(format!("backup-{number}.db"));
            let arguments = arguments(address);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let said = made(&[&arguments[..], &["--force"]].concat(), &target);
            assert!(
                said.starts_with("Backed up 1 table with 7 items, ") && said.contains(": sound."),
                "{said}"
            );
            let found = highest(&target);
            assert!(found >= before, "{found} is in the backup, {before} was acknowledged before");
            last = found;
        }
        stop.store(true, Ordering::SeqCst);
    });
    process.kill();
    // Nothing is left but databases and what belongs to them.
    for name in names(folder) {
        assert!(!name.contains("-saving") && !name.contains("-backup"), "{name}");
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect()
}

/// Of all files in a folder what is in them.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    // The index of a log is made anew by its first reader, and holds nothing that is not in the log.
    let entries = entries.filter(|entry| !entry.file_name().to_str().unwrap().ends_with("-shm"));
    entries
        .map(|entry| (entry.file_name().to_str().unwrap().to_owned(), fs::read(entry.path()).unwrap()))
        .collect()
}

#[test]
fn a_log_that_a_crash_left_is_read_and_stays() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("orders.db");
    let process = Process::start(&file);
    create_table(&process);
    let item = json!({"pk": {"S": "a"}, "n": {"N": "1"}});
    process.call("DynamoDB_20120810.PutItem", &json!({"TableName": "Orders", "Item": item}));
    process.kill();
    let before = contents(folder.path());
    let target = elsewhere.path().join("backup.db");
    made(&["--db", file.to_str().unwrap()], &target);
    assert_eq!(contents(folder.path()), before);
    assert_eq!(highest(&target), 1);
    // The source is as good as it was.
    assert_eq!(highest(&file), 1);
}

fn database(file: &Path, value: &str) {
    let db = Pretender::open(file).unwrap();
    db.create_table(CreateTableInput::new(orders(), ("pk", ScalarType::S), None)).unwrap();
    db.put_item(PutItemInput::new(orders(), Item::new().with("pk", "one").with("n", value))).unwrap();
    db.close();
}

#[test]
fn an_impossible_backup_is_explained_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    database(&path("orders.db"), "needle");
    fs::write(path("notes.txt"), "notes").unwrap();
    fs::write(path("empty.db"), "").unwrap();
    let (orders, notes, empty, missing) =
        (text("orders.db"), text("notes.txt"), text("empty.db"), text("missing.db"));
    let target = path("backup.db");
    for (arguments, target, expected) in [
        (&["--db", &orders][..], &path("orders.db"), "is the database itself"),
        (&["--db", &orders, "--force"], &path("orders.db"), "is the database itself"),
        (
            &["--db", &orders],
            &path("notes.txt"),
            "exists already: choose another name, or replace it with --force",
        ),
        (&["--db", &orders, "--force"], &path("notes.txt"), "is not a database, or it is damaged"),
        (&["--db", &orders], &path("missing/backup.db"), "missing` does not exist"),
        (&["--db", &notes], &target, "is not a database, or it is damaged"),
        (&["--db", &empty], &target, "it is empty"),
        (&["--db", &missing], &target, "missing.db` does not exist"),
        (&["--db", ":memory:"], &target, "can only be backed up through its server"),
        (&["--db", "postgres://h/db"], &target, "`pg_dump`"),
    ] {
        check_refused(arguments, target, expected);
    }
    assert_eq!(fs::read_to_string(path("notes.txt")).unwrap(), "notes");

    // A damaged row is found before the backup takes the place of a good one.
    made(&["--db", &orders], &target);
    let good = fs::read(&target).unwrap();
    let mut bytes = fs::read(&orders).unwrap();
    let at = bytes.windows(6).position(|window| window == b"needle").unwrap();
    bytes[at] = b'x';
    fs::write(&orders, bytes).unwrap();
    check_refused(&["--db", &orders, "--force"], &target, "the database is damaged (");
    assert_eq!(fs::read(&target).unwrap(), good);
    let said = made(&["--db", &orders, "--force", "--no-check"], &target);
    assert!(
        said.starts_with("Backed up 1 table with 1 item, ") && said.ends_with(" Not checked.\n"),
        "{said}"
    );
    let mut left: Vec<_> = contents(folder.path()).into_keys().collect();
    left.retain(|name| !name.ends_with("-lock"));
    assert_eq!(left, ["backup.db", "empty.db", "notes.txt", "orders.db"]);
}

#[test]
#[cfg(unix)]
fn a_backup_has_the_permissions_of_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (file, target) = (folder.path().join("orders.db"), folder.path().join("backup.db"));
    database(&file, "1");
    for mode in [0o640, 0o444] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        made(&["--db", file.to_str().unwrap()], &target);
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, mode);
        fs::remove_file(&target).unwrap();
    }
}

#[test]
fn other_regions_are_named_and_backed_up_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["orders.db", "orders.eu-west-1.db", "orders.us-west-2.db"] {
        database(&path(name), "1");
    }
    let file = path("orders.db");
    let output = backup(&["--db", file.to_str().unwrap()], &path("one.db"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("eu-west-1, us-west-2. Add --all-regions"), "{stderr}");
    let said = made(&["--db", file.to_str().unwrap(), "--all-regions"], &path("all.db"));
    assert_eq!(said.lines().count(), 3, "{said}");
    for name in ["one.db", "all.db", "all.eu-west-1.db", "all.us-west-2.db"] {
        assert_eq!(items(&Pretender::open(path(name)).unwrap())[0]["n"]["S"], "1", "{name}");
    }
    // None is made if one of them is in the way.
    fs::remove_file(path("all.db")).unwrap();
    check_refused(
        &["--db", file.to_str().unwrap(), "--all-regions"],
        &path("all.db"),
        "all.eu-west-1.db` exists",
    );
    assert!(!path("all.db").exists());
}

#[test]
fn older_versions_databases_are_copied_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for version in ["v1", "v2"] {
        let packed =
            format!("{}/../../tests/fixtures/{version}/database.sqlite.gz", env!("CARGO_MANIFEST_DIR"));
        let mut bytes = Vec::new();
        let mut packed = flate2::read::GzDecoder::new(fs::File::open(packed).unwrap());
        std::io::Read::read_to_end(&mut packed, &mut bytes).unwrap();
        let (file, target) = (folder.path().join(version), folder.path().join(format!("{version}-backup")));
        fs::write(&file, &bytes).unwrap();
        let said = made(&["--db", file.to_str().unwrap()], &target);
        assert!(
            said.starts_with("Backed up 5 tables with 53 items, ") && said.ends_with(" Not checked.\n"),
            "{said}"
        );
        assert_eq!(fs::read(&file).unwrap(), bytes);
        // A newer version brings it up to date as it does the original.
        Pretender::open(&target).unwrap().close();
    }
}
