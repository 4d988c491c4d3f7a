//! `pretender serve`, as a process.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use crate::harness::{exchange, request};

fn pretender() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    command.env_clear();
    command
}

struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    #[cfg(unix)]
    fn stop(mut self, signal: &str) -> std::process::ExitStatus {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap()
    }
}

/// One line on standard error, and exit code 1.
#[track_caller]
fn check_refused(output: &Output, text: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with("pretender: ") && stderr.contains(text), "{stderr}");
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
#[cfg(unix)]
fn serves_until_told_to_stop_and_keeps_the_data() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.db");
    for (signal, streams) in [("-TERM", r#"{"Streams":[]}"#), ("-INT", r#"{"Streams":[]}"#)] {
        let mut process = Process::start(pretender().args(["serve", "--port", "0", "--db"]).arg(&file));
        let listening = process.line();
        let address = listening.strip_prefix("Listening on http://").unwrap_or_else(|| panic!("{listening}"));
        assert_eq!(process.line(), format!("Data in {}", file.display()));
        let answer =
            exchange(address.parse().unwrap(), request("DynamoDBStreams_20120810.ListStreams", "{}"));
        assert_eq!(answer.text(), streams);
        assert_eq!(process.stop(signal).code(), Some(0));
    }
    assert!(file.exists());
}

#[test]
#[cfg(unix)]
fn every_option_is_also_in_the_environment() {
    let mut process = Process::start(pretender().arg("serve").envs([
        ("PRETENDER_PORT", "0"),
        ("PRETENDER_DB", ":memory:"),
        ("PRETENDER_REGION", "eu-west-1"),
    ]));
    let listening = process.line();
    let address = listening.strip_prefix("Listening on http://").unwrap_or_else(|| panic!("{listening}"));
    assert_eq!(process.line(), "Data in memory: it is gone when the server stops");
    let answer = exchange(address.parse().unwrap(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(answer.text(), "healthy: dynamodb.eu-west-1.amazonaws.com ");
    process.stop("-TERM");
}

#[test]
fn help_names_options_and_their_variables() {
    let output = pretender().args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--host",
        "--port",
        "--db",
        "--region",
        "--account",
        "--durability",
        "--shards",
        "--log-level",
        "--log-format",
        "--message-layer",
        "--sweep-interval",
        "--retention",
        "--shard-rotation",
        "PRETENDER_PORT",
        "PRETENDER_DB",
        "pretender.db",
    ] {
        assert!(help.contains(option), "{option}");
    }
    assert!(output.status.success());
}

#[test]
fn a_taken_port_is_one_clear_line() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let file = directory.path().join("orders.db");
    let output = pretender().args(["serve", "--port", &port, "--db"]).arg(&file).output().unwrap();
    check_refused(&output, &format!("cannot listen on 127.0.0.1:{port}: "));
    assert!(!file.exists());
}

#[test]
fn a_bad_database_is_one_clear_line_and_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let corrupt = directory.path().join("corrupt.db");
    std::fs::write(&corrupt, "this is no database, however long one reads in it".repeat(100)).unwrap();
    let before = std::fs::read(&corrupt).unwrap();
    let serve = |file: &std::path::Path| {
        pretender().args(["serve", "--port", "0", "--db"]).arg(file).output().unwrap()
    };
    check_refused(&serve(&corrupt), "corrupt.db");
    assert_eq!(std::fs::read(&corrupt).unwrap(), before);
    check_refused(&serve(&directory.path().join("missing").join("orders.db")), "orders.db");
    check_refused(&serve(directory.path()), directory.path().to_str().unwrap());
}

#[test]
fn bad_options_are_refused() {
    for arguments in [
        &["serve", "--host", "nowhere"][..],
        &["serve", "--account", "1"],
        &["serve", "--region", "US East"],
        &["serve", "--retention", "5"],
        &["serve", "--durability", "some"],
        &["sing"],
    ] {
        let output = pretender().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}
