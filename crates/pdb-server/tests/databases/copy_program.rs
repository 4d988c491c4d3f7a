//! `pretender copy`, as a process: killed and started again, with a server and its consumer before and after.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use pdb_testkit::Kills;
use pretender::Pretender;
use pretender::items::{PutItemInput, ScanInput};
use pretender::model::Item;
use serde_json::{Value, json};

use crate::home::Home;
use crate::served::{Served, pretender};
use crate::world::{World, order};

fn copy_command(from: &Home, to: &Home) -> Command {
    pretender(&["copy", "--from", &from.argument(), "--to", &to.argument()])
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Puts and reads through real servers; between them the copy, killed at moments that differ.
fn check(from: &Home, to: &Home) {
    let world = World::open(from.builder());
    world.fill();
    world.close();
    let put =
        |served: &Served, n: u32| served.ok("PutItem", json!({"TableName": "Orders", "Item": order(n)}));

    let before = Served::start(&from.argument(), &[]);
    let arn = &before.ok("ListStreams", json!({"TableName": "Orders"}))["Streams"][0]["StreamArn"].clone();
    let described = before.ok("DescribeStream", json!({"StreamArn": arn}));
    let shards = described["StreamDescription"]["Shards"].as_array().unwrap();
    let consumers: Vec<Value> = shards
        .iter()
        .map(|shard| {
            let body = json!({"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST"});
            before.ok("GetShardIterator", body)["ShardIterator"].clone()
        })
        .collect();
    (7_001..7_011).for_each(|n| drop(put(&before, n)));
    if !from.is_shared() {
        // While a server has the file, it cannot be copied.
        assert!(!copy_command(from, to).output().unwrap().status.success());
    }
    drop(before);

    let mut kills = 0;
    loop {
        let mut child = copy_command(from, to).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A channel to which nobody sends, to wait on: a little longer each time.
        let (_never, wait) = std::sync::mpsc::channel::<()>();
        let _ = wait.recv_timeout(Duration::from_millis(5 + 5 * kills));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "after {kills} kills: {status}");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let refused = pretender(&["serve", "--port", "0", "--db", &to.argument()]);
        if is_served(refused) {
            // It was finished, and only its process was not: the target has what it should have.
            break;
        }
    }
    assert!(kills > 1);

    let after = Served::start(&to.argument(), &[]);
    (7_011..7_021).for_each(|n| drop(put(&after, n)));
    let mut seen: Vec<String> = Vec::new();
    for consumer in consumers {
        let page = after.ok("GetRecords", json!({"ShardIterator": consumer}));
        let records = page["Records"].as_array().unwrap().iter();
        seen.extend(records.map(|record| record["dynamodb"]["Keys"]["sk"]["N"].as_str().unwrap().to_owned()));
    }
    seen.sort();
    assert_eq!(seen, (7_001..7_021).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// Whether a server serves the database: not half a copy, but an empty one, if the copy had not even begun, or a whole one.
fn is_served(mut serve: Command) -> bool {
    let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let Some(url) = line.trim().strip_prefix("Listening on ") else {
        let (_, stderr) = said(&child.wait_with_output().unwrap());
        assert!(stderr.contains("was not finished: run the same"), "{stderr}");
        return false;
    };
    let (_, tables) = crate::http::call(url, "DynamoDB_20120810.ListTables", &json!({})).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    match tables["TableNames"].as_array().unwrap().len() {
        0 => false,
        4 => true,
        n => panic!("{n} tables of a copy that was killed"),
    }
}

#[test]
fn a_copy_that_is_killed_goes_on_and_so_do_consumers() {
    check(&Home::file(), &Home::file());
    let Some(server) = Home::postgres() else { return };
    check(&Home::file(), &server);
}

#[test]
fn a_copy_says_what_it_did_and_nothing_for_a_terminal_where_there_is_none() {
    let (from, to) = (Home::file(), Home::file());
    let world = World::open(from.builder());
    world.fill();
    world.close();
    let output = copy_command(&from, &to).output().unwrap();
    let (stdout, stderr) = said(&output);
    assert!(output.status.success(), "{stderr}");
    assert!(stdout.starts_with("Copied 4 tables and 5 streams: "), "{stdout}");
    assert!(stdout.ends_with("Counts and checksums agree.\n"), "{stdout}");
    // What is soon done has no progress, and on a slow machine it has lines.
    assert!(!stderr.contains('\x1b'), "{stderr}");
    // The target is no target any more.
    let (_, stderr) = said(&copy_command(&from, &to).output().unwrap());
    assert_eq!(stderr, "pretender: the target holds data of its own: a copy needs an empty database\n");
}

#[test]
fn what_cannot_be_copied_is_one_clear_line() {
    let (from, to) = (Home::file(), Home::file());
    for (from, to, expected) in [
        (from.argument(), to.argument(), "does not exist"),
        (":memory:".to_owned(), to.argument(), "neither source nor target"),
        (from.argument(), ":memory:".to_owned(), "neither source nor target"),
    ] {
        let output = pretender(&["copy", "--from", &from, "--to", &to]).output().unwrap();
        let (_, stderr) = said(&output);
        assert!(!output.status.success() && stderr.contains(expected), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    assert!(!std::path::Path::new(&to.argument()).exists());
}

/// Neither does `serve` make a file of it, nor does anything that is printed hold the password.
#[test]
fn what_was_meant_for_a_server_becomes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "mysql://me:s3cr3t@127.0.0.1/db",
        "postgres:/me:s3cr3t@127.0.0.1/db",
        "sqlite://s3cr3t.db",
        "host=127.0.0.1 dbname=db password=s3cr3t",
        "me:s3cr3t@127.0.0.1/db",
        "Postgres://me:s3cr3t@127.0.0.1/db?sslmode=require&sslmode=disable",
        "postgres://me:s3c?r3t@127.0.0.1/db",
    ] {
        for arguments in [
            &["serve", "--port", "0", "--log-level", "trace", "--db", name][..],
            &["copy", "--from", name, "--to", "other.db"],
            &["copy", "--from", "other.db", "--to", name],
        ] {
            let output = pretender(arguments).current_dir(&folder).output().unwrap();
            let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(!output.status.success(), "{arguments:?}: {told}");
            let last = told.lines().last().unwrap_or_default();
            // A copy looks at its source before it connects to its target.
            let is_refused = last.contains("address") || last == "pretender: `other.db` does not exist";
            assert!(last.starts_with("pretender: ") && is_refused, "{arguments:?}: {told}");
            assert!(!["s3c", "r3t"].iter().any(|part| told.contains(part)), "{arguments:?}: {told}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{arguments:?}");
        }
    }
}

#[test]
fn a_copy_that_is_killed_at_any_call_goes_on() {
    let (from, to) = (Home::file(), Home::file());
    let served = Served::start(&from.argument(), &[]);
    let table = json!({
        "TableName": "Few", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
    });
    served.ok("CreateTable", table);
    for pk in ["a", "b", "c"] {
        served.ok("PutItem", json!({"TableName": "Few", "Item": {"pk": {"S": pk}}}));
    }
    drop(served);

    let target = std::path::PathBuf::from(to.argument());
    let beside = |suffix: &str| std::path::PathBuf::from(format!("{}{suffix}", target.display()));
    let files = ["", "-journal", "-wal", "-shm", "-lock", "-making"].map(beside);
    let Some(kills) = Kills::at(&files) else { return };
    // The calls of the log are many, and all alike.
    let kills = kills.every(5).run(
        || {
            files.iter().for_each(|file| drop(std::fs::remove_file(file)));
            copy_command(&from, &to)
        },
        |when| {
            let output = copy_command(&from, &to).output().unwrap();
            let (_, stderr) = said(&output);
            // It may have been finished, and only its process was not.
            let is_finished = stderr.contains("the target holds data of its own");
            assert!(output.status.success() || is_finished, "{when}: {stderr}");
            let count = || {
                let store = Pretender::open(&target).unwrap_or_else(|error| panic!("{when}: {error:?}"));
                let scanned = store.scan(ScanInput::new("Few".parse().unwrap())).unwrap();
                let item = Item::new().with("pk", "d");
                store.put_item(PutItemInput::new("Few".parse().unwrap(), item)).unwrap();
                store.close();
                scanned.count
            };
            assert_eq!((count(), count()), (3, 4), "{when}");
        },
    );
    assert!(kills > 10, "{kills} kills prove little");
}
