//! `pretender ctl`, as a process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use pdb_server::ServerOptions;
use serde_json::Value;

use crate::control::ControlledServer;
use crate::harness::server;

fn ctl(arguments: &[&str]) -> Output {
    ctl_with(&[], arguments)
}

/// With these environment variables only.
pub(crate) fn ctl_with(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    let command = command.env_clear().envs(variables.iter().copied());
    command.arg("ctl").args(arguments).output().unwrap()
}

/// Runs `pretender ctl`, which must succeed, and returns its output.
#[track_caller]
pub(crate) fn ctl_output(url: &str, arguments: &[&str]) -> String {
    let output = ctl(&[&["--endpoint", url], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

/// One line on standard error, and exit code 1.
#[track_caller]
pub(crate) fn check_refused(url: &str, arguments: &[&str], text: &str) {
    let output = ctl(&[&["--endpoint", url], arguments].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
    assert!(stderr.starts_with("pretender: ") && stderr.contains(text), "{stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn the_clock_is_shown_and_moved() {
    let server = ControlledServer::new();
    let url = server.server.url();
    let start = "2026-03-01T09:15:42.017Z (1772356542017), held\n";
    assert_eq!(ctl_output(&url, &["clock", "show"]), start);
    assert_eq!(ctl_output(&url, &["clock", "hold"]), start);
    let shown: Value = serde_json::from_str(&ctl_output(&url, &["clock", "show", "--json"])).unwrap();
    assert_eq!((&shown["epoch_millis"], &shown["held"]), (&1_772_356_542_017_i64.into(), &true.into()));
    assert_eq!(
        ctl_output(&url, &["clock", "advance", "16m"]),
        "2026-03-01T09:31:42.017Z (1772357502017), held\n"
    );
    assert_eq!(ctl_output(&url, &["clock", "set", "2026-03-01T10:15:42.017+01:00"]), start);
    assert_eq!(ctl_output(&url, &["clock", "set", "1772356542017"]), start);
    server.put("a");
    assert_eq!(
        ctl_output(&url, &["clock", "advance", "25h"]),
        "2026-03-02T10:15:42.017Z (1772446542017), held\nrotated 1 shard, trimmed 1 record\n"
    );
    assert!(ctl_output(&url, &["clock", "run"]).ends_with(", running\n"));
    check_refused(&url, &["clock", "set", "soon"], "`soon` is not a time");
}

#[test]
fn shards_are_listed_rotated_split_and_trimmed() {
    let server = ControlledServer::new();
    let (url, arn) = (server.server.url(), server.arn.to_string());
    server.put("a");
    let first = server.pretender.shards(&server.arn).unwrap().remove(0).shard_id.to_string();
    let listed = ctl_output(&url, &["shards", "list", &arn]);
    assert!(listed.starts_with(&format!("{first}  open    ")) && listed.lines().count() == 1, "{listed}");
    let child = ctl_output(&url, &["shards", "rotate", &arn]);
    assert!(child.ends_with(&format!(" on  child of {first}\n")), "{child}");
    let child = child.split(' ').next().unwrap();
    assert_eq!(ctl_output(&url, &["shards", "split", &arn, child]).lines().count(), 2);
    let json = ctl_output(&url, &["shards", "list", "--json", &arn]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["shards"].as_array().unwrap().len(), 4);
    check_refused(&url, &["shards", "split", &arn, child], "stream has no open shard");
    check_refused(&url, &["shards", "list", "Nothing"], "there is no table `Nothing`");
    check_refused(&url, &["shards", "list", "a/stream/b"], "`a/stream/b` is not a valid stream ARN");
    let other = arn.replace("Orders", "Others");
    check_refused(&url, &["trim", &other], "does not exist");
    let number = server.pretender.shards(&server.arn).unwrap()[0].starting.to_string();
    assert_eq!(ctl_output(&url, &["trim", &arn, "--before", &number]), "trimmed 0 records\n");
    assert_eq!(ctl_output(&url, &["trim", &arn]), "trimmed 1 record\n");
    assert_eq!(ctl_output(&url, &["trim", &arn, "--json"]), "{\"records\":0,\"shards\":0,\"streams\":0}\n");
}

#[test]
fn a_table_names_its_stream_and_all_are_all() {
    let server = ControlledServer::new();
    let (url, arn) = (server.server.url(), server.arn.to_string());
    server.put("a");
    let table_arn = server.arn.table.to_string();
    // Commands are no calls that faults affect.
    ctl_output(&url, &["fault", "add", "throttling"]);
    let listed = ctl_output(&url, &["shards", "list", &arn]);
    for name in ["Orders", &table_arn] {
        assert_eq!(ctl_output(&url, &["shards", "list", name]), listed);
    }
    ctl_output(&url, &["fault", "clear"]);
    assert_eq!(ctl_output(&url, &["shards", "split", "Orders"]).lines().count(), 2);
    assert_eq!(ctl_output(&url, &["shards", "rotate", &table_arn]).lines().count(), 2);
    for (name, stream) in [("Carts", true), ("Quiet", false)] {
        let input = pretender::tables::CreateTableInput {
            stream_specification: stream.then(|| {
                pretender::tables::StreamSpecification::enabled(pretender::streams::StreamViewType::NewImage)
            }),
            ..pretender::tables::CreateTableInput::new(
                name.parse().unwrap(),
                ("pk", pretender::model::ScalarType::S),
                None,
            )
        };
        server.pretender.create_table(input).unwrap();
    }
    check_refused(&url, &["shards", "rotate", "Quiet"], "table `Quiet` has no stream");
    // Two streams, each with a heading; two shards and one.
    let rotated = ctl_output(&url, &["shards", "rotate", "--all"]);
    assert_eq!(rotated.lines().filter(|line| line.contains("/stream/")).count(), 2, "{rotated}");
    assert_eq!(rotated.lines().count(), 5, "{rotated}");
    let disable = pretender::tables::UpdateTableInput {
        stream_specification: Some(pretender::tables::StreamSpecification::disabled()),
        ..pretender::tables::UpdateTableInput::new("Carts".parse().unwrap())
    };
    server.pretender.update_table(disable).unwrap();
    assert_eq!(ctl_output(&url, &["shards", "rotate", "--all"]).lines().count(), 2);
    assert!(ctl_output(&url, &["shards", "list", "--all"]).contains("table/Carts/stream/"));
    assert_eq!(ctl_output(&url, &["trim", "--all"]), "trimmed 1 record\n");
    assert_eq!(ctl_output(&url, &["trim", "Orders"]), "trimmed 0 records\n");
    // Behind a stream it is all of it.
    assert_eq!(ctl_output(&url, &["shards", "split", "Orders", "--all"]).lines().count(), 4);
    for arguments in [
        &["shards", "list"][..],
        &["trim"],
        &["shards", "list", "shardId-1", "x", "--all"],
        &["fault", "add", "latency", "--delay", "5"],
        &["fault", "add", "latency", "--delay", "5ms..6"],
        &["trim", "--all", "--before", "1"],
        &["clock", "advance", "5"],
        &["clock", "advance", "soon"],
    ] {
        // Nobody is asked.
        assert_eq!(
            ctl(&[&["--endpoint", "127.0.0.1:1"], arguments].concat()).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

#[test]
fn servers_that_take_no_commands_are_named() {
    let server = server();
    let url = server.url();
    check_refused(&url, &["clock", "show"], &format!("{url} has no control API: start the server with"));
    check_refused("http://127.0.0.1:1", &["clock", "show"], "http://127.0.0.1:1 cannot be reached");
    for arguments in
        [&["clock"][..], &["clock", "stop"], &["shards", "list"], &["--endpoint", "x", "clock", "show"]]
    {
        assert_eq!(ctl(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn faults_are_added_listed_and_removed() {
    let server = ControlledServer::new();
    let url = server.server.url();
    assert_eq!(ctl_output(&url, &["fault", "list"]), "no faults\n");
    assert_eq!(ctl_output(&url, &["fault", "log"]), "no injections\n");
    let add = ["fault", "add", "throttling", "-o", "PutItem", "--operation", "reads", "--table", "Orders"];
    let chosen = ["--times", "2", "--skip", "1", "--probability", "1", "--seed", "7"];
    assert_eq!(
        ctl_output(&url, &[&add[..], &chosen].concat()),
        "1  throttling  on PutItem, reads  of Orders  skip 1  times 2  seed 7  (0 of 0 calls)\n"
    );
    assert_eq!(
        ctl_output(&url, &["fault", "add", "latency", "--delay", "1ms..2ms"]),
        "2  latency  1ms..2ms  (0 of 0 calls)\n"
    );
    assert_eq!(
        ctl_output(&url, &["fault", "add", "unprocessed", "--items", "3"]),
        "3  unprocessed  items 3  (0 of 0 calls)\n"
    );
    assert_eq!(ctl_output(&url, &["fault", "remove", "2"]), "removed 1 fault\n");
    let item = pretender::model::Item::new().with("pk", "a");
    let put = pretender::items::PutItemInput::new("Orders".parse().unwrap(), item);
    let succeeded: Vec<bool> = (0..4).map(|_| server.pretender.put_item(put.clone()).is_ok()).collect();
    assert_eq!(succeeded, [true, false, false, true]);
    let listed = ctl_output(&url, &["fault", "list"]);
    assert!(listed.starts_with("1  throttling ") && listed.contains("(2 of 3 calls, over)\n3  "), "{listed}");
    let injected = "2026-03-01T09:15:42.017Z  1  throttling  PutItem Orders  ThrottlingException\n";
    assert_eq!(ctl_output(&url, &["fault", "log"]), injected.repeat(2));
    let shown: Value = serde_json::from_str(&ctl_output(&url, &["--json", "fault", "list"])).unwrap();
    assert_eq!(shown["faults"][0]["injected"], 2);
    assert_eq!(ctl_output(&url, &["fault", "clear"]), "removed 2 faults\n");
    check_refused(&url, &["fault", "remove", "1"], "there is no fault 1");
    check_refused(&url, &["fault", "add", "latency"], "`latency` needs a delay");
    check_refused(
        &url,
        &["fault", "add", "empty-page", "-o", "Scan"],
        "`empty-page` does not apply to Scan, only to GetRecords",
    );
    for arguments in [&["fault", "add", "fire"][..], &["fault", "add"], &["fault", "remove", "one"]] {
        assert_eq!(ctl(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn the_token_is_sent() {
    let token = Some("correct-horse".parse().unwrap());
    let server = ControlledServer::with(ServerOptions { control_token: token, ..ServerOptions::default() });
    let url = server.server.url();
    let show = ["--endpoint", &url, "clock", "show"];
    let hold = ["--endpoint", &url, "clock", "hold"];
    for command in [&show, &hold] {
        check_refused(
            &url,
            &command[2..],
            "this server's commands need its token: set PRETENDER_CONTROL_TOKEN",
        );
        let given = [&command[..], &["--token", "correct-horse"]].concat();
        assert!(ctl(&given).status.success());
        assert!(ctl_with(&[("PRETENDER_CONTROL_TOKEN", "correct-horse")], &command[..]).status.success());
        let wrong = ctl(&[&command[..], &["--token", "battery-staple"]].concat());
        let stderr = String::from_utf8(wrong.stderr).unwrap();
        assert_eq!((wrong.status.code(), stderr.contains("the token is not the one")), (Some(1), true));
        assert!(!stderr.contains("horse") && !stderr.contains("staple"), "{stderr}");
    }
    let help = Command::new(env!("CARGO_BIN_EXE_pretender"))
        .args(["ctl", "--help"])
        .env("PRETENDER_CONTROL_TOKEN", "correct-horse")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("PRETENDER_CONTROL_TOKEN") && !help.contains("correct-horse"), "{help}");
}

#[test]
fn serve_has_a_control_api_only_on_request() {
    for (given, executes) in [("1", true), ("true", true), ("0", false)] {
        let mut server = Command::new(env!("CARGO_BIN_EXE_pretender"))
            .env_clear()
            .args(["serve", "--port", "0", "--db", ":memory:"])
            .env("PRETENDER_CONTROL", given)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let listening = lines.next().unwrap().unwrap();
        let url = listening.strip_prefix("Listening on ").unwrap();
        assert!(lines.next().unwrap().unwrap().starts_with("Data in "));
        if executes {
            assert_eq!(lines.next().unwrap().unwrap(), format!("Control API at {url}/_pretender/"));
            assert!(ctl_output(url, &["clock", "show"]).ends_with(", running\n"));
            assert!(ctl_output(url, &["clock", "hold"]).ends_with(", held\n"));
            let before: Value = serde_json::from_str(&ctl_output(url, &["clock", "show", "--json"])).unwrap();
            let after: Value =
                serde_json::from_str(&ctl_output(url, &["--json", "clock", "advance", "1d"])).unwrap();
            let passed = after["epoch_millis"].as_i64().unwrap() - before["epoch_millis"].as_i64().unwrap();
            assert_eq!(passed, 86_400_000);
        } else {
            check_refused(url, &["clock", "show"], "has no control API");
        }
        server.kill().unwrap();
        server.wait().unwrap();
    }
}
