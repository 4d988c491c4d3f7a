//! Snapshots and reset: over HTTP, with `pretender ctl`, and under `kill -9`.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pdb_server::ServerOptions;
use pretender::items::GetItemInput;
use pretender::model::Item;
use serde_json::{Value, json};

use crate::control::{ControlledServer, get};
use crate::crash::Process;
use crate::ctl::{check_refused, ctl_output};

/// How often the server is killed.
const KILLS: u32 = 8;
const ITEMS: usize = 100;

fn has(server: &ControlledServer, key: &str) -> bool {
    let input = GetItemInput::new("Orders".parse().unwrap(), Item::new().with("pk", key));
    server.pretender.get_item(input).unwrap().item.is_some()
}

fn listed(server: &ControlledServer) -> Value {
    let answer = get(&server.server, "snapshots");
    assert_eq!(answer.status, 200);
    serde_json::from_str(answer.text()).unwrap()
}

#[test]
fn snapshots_are_commanded_over_http() {
    let server = ControlledServer::new();
    assert_eq!(listed(&server), json!({"snapshots": []}));
    server.put("a");
    let saved = server.executes("snapshots/save", &json!({"name": "seeded"}));
    let snapshot = &saved["snapshot"];
    let taken = json!({"epoch_millis": 1_772_356_542_017_i64, "time": "2026-03-01T09:15:42.017Z"});
    assert_eq!((&snapshot["name"], &snapshot["taken"]), (&json!("seeded"), &taken));
    assert_eq!((&snapshot["tables"], &snapshot["items"]), (&json!(1), &json!(1)));
    assert!(snapshot["size_bytes"].as_u64().unwrap() > 0);
    assert_eq!(listed(&server), json!({ "snapshots": [snapshot] }));

    server.put("b");
    server.executes("clock/advance", &json!({"duration": "25h"}));
    server.put("c");
    let restored = server.executes("snapshots/restore", &json!({"name": "seeded"}));
    assert_eq!(restored, saved);
    assert_eq!(["a", "b", "c"].map(|key| has(&server, key)), [true, false, false]);
    // By the clock that went on, what the snapshot has of the stream is a day old.
    assert_eq!(server.pretender.subscribe().table("Orders").start().unwrap().count(), 0);
    let restored = server.executes("snapshots/restore", &json!({"name": "seeded", "clock": true}));
    assert_eq!((&restored["snapshot"], &restored["epoch_millis"]), (snapshot, &taken["epoch_millis"]));
    assert_eq!(server.pretender.subscribe().table("Orders").start().unwrap().count(), 1);

    assert_eq!(
        server.executes("reset", &json!({"table": "Orders"})),
        json!({"reset": "Orders", "items": 1, "records": 1})
    );
    assert!(!has(&server, "a"));
    let compacted = server.executes("compact", &json!({}));
    assert!(compacted["bytes_after"].as_u64().unwrap() <= compacted["bytes_before"].as_u64().unwrap());
    assert_eq!(server.executes("reset", &json!({})), json!({"reset": "all"}));
    server.refuses("reset", r#"{"table": "Orders"}"#, 404, "table `Orders` does not exist");
    assert_eq!(server.executes("snapshots/delete", &json!({"name": "seeded"})), json!({"deleted": "seeded"}));
    assert_eq!(listed(&server), json!({"snapshots": []}));

    for (command, body, status, text) in [
        ("snapshots/save", json!({}), 400, "expected either `name` or `file`"),
        ("snapshots/save", json!({"name": "a", "file": "/a"}), 400, "expected either `name` or `file`"),
        ("snapshots/save", json!({"name": "a b"}), 400, "`a b` is not a valid name of a snapshot"),
        ("snapshots/save", json!({"file": "a.db"}), 400, "start it with `--snapshot-dir DIR`"),
        ("snapshots/restore", json!({"file": "a.db"}), 400, "start it with `--snapshot-dir DIR`"),
        ("snapshots/restore", json!({"file": "/etc/passwd"}), 400, "start it with `--snapshot-dir DIR`"),
        ("snapshots/restore", json!({"name": "seeded"}), 404, "there is no snapshot `seeded`"),
        ("snapshots/restore", json!({"name": "seeded", "clock": true}), 404, "there is no snapshot `seeded`"),
        ("snapshots/delete", json!({"name": "seeded"}), 404, "there is no snapshot `seeded`"),
        ("snapshots/delete", json!({}), 400, "missing field `name`"),
        ("snapshots/list", json!({}), 404, "GET clock, snapshots"),
        ("reset", json!({"table": "!"}), 400, "`!` is not a valid table name"),
        ("reset", json!({"name": "x"}), 400, "unknown field `name`"),
        ("compact", json!({"name": "x"}), 400, "unknown field `name`"),
    ] {
        server.refuses(command, &body.to_string(), status, text);
    }
}

#[test]
fn how_far_a_restore_is_can_be_asked() {
    let directory = tempfile::tempdir().unwrap();
    let server = with_folder(directory.path());
    let activities = || {
        let answer = get(&server.server, "progress");
        assert_eq!(answer.status, 200);
        serde_json::from_str::<Value>(answer.text()).unwrap()["activities"].clone()
    };
    assert_eq!(activities(), json!([]));
    (0..200).for_each(|key| server.put(&key.to_string()));
    server.executes("snapshots/save", &json!({"file": "seed.db"}));
    let is_seen = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_seen.load(Ordering::SeqCst) {
                server.executes("snapshots/restore", &json!({"file": "seed.db"}));
            }
        });
        let seen = loop {
            let seen = activities();
            if !seen.as_array().unwrap().is_empty() {
                break seen;
            }
        };
        is_seen.store(true, Ordering::SeqCst);
        let what = seen[0]["what"].as_str().unwrap();
        assert!(what.starts_with("restoring the snapshot ") && what.ends_with("seed.db"), "{seen}");
        assert_eq!((&seen[0]["region"], seen[0]["share"][1].is_number()), (&json!("us-east-1"), true));
    });
    assert_eq!(activities(), json!([]));
}

/// A server that may keep snapshots in a folder.
fn with_folder(folder: &Path) -> ControlledServer {
    ControlledServer::with(ServerOptions {
        snapshot_directory: Some(folder.to_owned()),
        ..ServerOptions::default()
    })
}

#[test]
fn files_lie_in_the_folder_for_them() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("folder");
    std::fs::create_dir_all(folder.join("sub")).unwrap();
    let server = with_folder(&folder);
    server.put("a");
    for file in ["seed.db", "sub/seed.db"] {
        let saved = server.executes("snapshots/save", &json!({ "file": file }));
        assert_eq!((&saved["snapshot"]["name"], &saved["snapshot"]["items"]), (&json!(file), &json!(1)));
        assert!(folder.join(file).is_file());
        server.put("b");
        for body in [json!({ "file": file }), json!({"file": file, "clock": true})] {
            let restored = server.executes("snapshots/restore", &body);
            assert_eq!(restored["snapshot"], saved["snapshot"]);
        }
        assert!(has(&server, "a") && !has(&server, "b"));
    }
    let absolute = directory.path().join("other.db");
    let absolute = absolute.to_str().unwrap();
    for (file, text) in [
        (absolute, "is not a valid name of a snapshot file"),
        ("../other.db", "is not a valid name of a snapshot file"),
        ("sub/../../other.db", "is not a valid name of a snapshot file"),
        ("other", "must end in `.db`"),
        ("authorized_keys", "must end in `.db`"),
        ("missing/other.db", "is in a folder that does not exist"),
    ] {
        for command in ["snapshots/save", "snapshots/restore"] {
            server.refuses(command, &json!({ "file": file }).to_string(), 400, text);
        }
    }
    server.refuses("snapshots/restore", r#"{"file": "other.db"}"#, 404, "there is no file `");
    let twice = format!(r#"{{"file": "{absolute}=", "file": "other.db"}}"#);
    server.refuses("snapshots/save", &twice, 400, "the member `file` is given twice");
    let mut left: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["folder"]);
}

#[test]
#[cfg(unix)]
fn links_in_the_folder_do_not_lead_out() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let (folder, outside) = (directory.path().join("folder"), directory.path().join("outside"));
    for made in [&folder, &outside] {
        std::fs::create_dir(made).unwrap();
    }
    symlink(&outside, folder.join("sub")).unwrap();
    symlink(outside.join("seed.db"), folder.join("link.db")).unwrap();
    let server = with_folder(&folder);
    for (file, text) in [("sub/seed.db", "is outside"), ("link.db", "is not a regular file")] {
        server.refuses("snapshots/save", &json!({ "file": file }).to_string(), 400, text);
        server.refuses("snapshots/restore", &json!({ "file": file }).to_string(), 400, text);
    }
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn snapshots_are_commanded_with_ctl() {
    let directory = tempfile::tempdir().unwrap();
    let server = with_folder(directory.path());
    let url = server.server.url();
    let file = directory.path().join("seed.db");
    server.put("a");
    let line = ctl_output(&url, &["snapshot", "save", "seeded"]);
    assert!(line.starts_with("seeded  2026-03-01T09:15:42.017Z  1 table, 1 item, "), "{line}");
    assert_eq!(ctl_output(&url, &["snapshot", "list"]), line);
    let line = ctl_output(&url, &["snapshot", "save", "--file", "seed.db"]);
    assert!(line.starts_with("seed.db  2026-03-01T09:15:42.017Z  1 table, 1 item, "), "{line}");

    for which in [&["seeded"] as &[_], &["--file", "seed.db"], &["--clock", "seeded"]] {
        server.put("b");
        let line = ctl_output(&url, &[&["snapshot", "restore"], which].concat());
        assert!(line.contains("  1 table, 1 item, "), "{line}");
        assert_eq!(line.lines().count(), if which.contains(&"--clock") { 2 } else { 1 });
        assert!(has(&server, "a") && !has(&server, "b"));
    }
    assert_eq!(ctl_output(&url, &["reset", "--table", "Orders"]), "removed 1 item and 1 record of Orders\n");
    assert_eq!(ctl_output(&url, &["reset"]), "removed everything\n");
    let compacted = ctl_output(&url, &["compact"]);
    assert!(compacted.ends_with(" bytes now\n"), "{compacted}");
    assert_eq!(ctl_output(&url, &["snapshot", "delete", "seeded"]), "deleted seeded\n");
    check_refused(&url, &["snapshot", "restore", "seeded"], "there is no snapshot `seeded`");
    let path = file.to_str().unwrap();
    check_refused(&url, &["snapshot", "restore", "--file", path], "is not a valid name of a snapshot file");

    // The file is a database that the server opens.
    let served = Process::start(&file);
    let scan = served.call("DynamoDB_20120810.Scan", &json!({"TableName": "Orders"}));
    assert_eq!(scan["Count"], 1);
    check_refused(&url, &["snapshot", "restore", "--file", "seed.db"], "is in use by ");
    check_refused(&url, &["snapshot", "save", "--file", "seed.db"], "is in use by ");
}

/// Each item is larger than a page of the database, so that a restore writes many.
fn write_all(process: &Process, value: &str) {
    for key in 0..ITEMS {
        let item =
            json!({"pk": {"S": key.to_string()}, "value": {"S": value}, "x": {"S": "x".repeat(20_000)}});
        process.call("DynamoDB_20120810.PutItem", &json!({"TableName": "Crash", "Item": item}));
    }
}

#[test]
fn a_kill_leaves_the_database_before_the_restore_or_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("crash.db");
    let process = Process::start_with(&file, &["--control"]);
    process.call(
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "Crash", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        }),
    );
    for name in ["one", "two"] {
        write_all(&process, name);
        assert_eq!(command(process.address, "snapshots/save", name), Some(200));
    }
    assert_eq!(command(process.address, "snapshots/save", "now"), Some(200));
    process.kill();
    for round in 0..u64::from(pdb_testkit::rounds(KILLS)) {
        let process = Process::start_with(&file, &["--control"]);
        let address = process.address;
        std::thread::scope(|scope| {
            let (done, dones) = std::sync::mpsc::channel();
            scope.spawn(move || {
                for n in 0.. {
                    let (what, name) = match n % 5 {
                        4 => ("snapshots/save", "now"),
                        0 | 2 => ("snapshots/restore", "one"),
                        _ => ("snapshots/restore", "two"),
                    };
                    if command(address, what, name) != Some(200) || done.send(()).is_err() {
                        return;
                    }
                }
            });
            // In the midst of a restore or a save, and elsewhere in it each time.
            let whole = 1 + round % 7;
            assert_eq!(dones.iter().take(whole as usize).count(), whole as usize);
            let (_never, wait) = std::sync::mpsc::channel::<()>();
            let _ = wait.recv_timeout(Duration::from_millis(1 + 3 * (round % 5)));
            process.kill();
        });
        let process = Process::start_with(&file, &["--control"]);
        check(&process);
        // No half of a snapshot is left under a name.
        for name in ["now", "one", "two"] {
            assert_eq!(command(process.address, "snapshots/restore", name), Some(200), "{name}");
            check(&process);
        }
    }
}

/// All items are of one snapshot.
fn check(process: &Process) {
    let (mut values, mut items, mut after) = (BTreeSet::new(), 0, Value::Null);
    loop {
        let mut input = json!({"TableName": "Crash"});
        if !after.is_null() {
            input["ExclusiveStartKey"] = after;
        }
        let page = process.call("DynamoDB_20120810.Scan", &input);
        for item in page["Items"].as_array().unwrap() {
            values.insert(item["value"]["S"].as_str().unwrap().to_owned());
            items += 1;
        }
        after = page["LastEvaluatedKey"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!((values.len(), items), (1, ITEMS), "{values:?}");
}

/// The status of the answer to a command, unless the server is gone.
fn command(address: SocketAddr, command: &str, name: &str) -> Option<u16> {
    let body = json!({ "name": name }).to_string();
    let request = format!(
        "POST /_pretender/{command} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(address).ok()?;
    connection.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    answer.get(9..12)?.parse().ok()
}
