//! `pretender run`: a server for the length of a command.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output, Stdio};

use crate::binary::pretender;
use crate::harness::{exchange, request};

fn run(arguments: &[&str]) -> Output {
    pretender().env("PATH", "/usr/bin:/bin").arg("run").args(arguments).output().unwrap()
}

/// What a command sees of its environment.
fn environment(options: &[&str], given: &[(&str, &str)]) -> Vec<String> {
    let mut command = pretender();
    command.env("PATH", "/usr/bin:/bin").envs(given.iter().copied());
    let output = command.arg("run").args(options).args(["--", "env"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn value<'e>(environment: &'e [String], name: &str) -> Option<&'e str> {
    environment.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let not_executable = folder.path().join("notes.txt");
    std::fs::write(&not_executable, "no program").unwrap();
    let not_executable = not_executable.to_str().unwrap();
    for (arguments, code, said) in [
        (&["--", "true"][..], 0, ""),
        (&["--", "sh", "-c", "exit 7"], 7, ""),
        (&["sh", "-c", "exit 8"], 8, ""),
        (&["--", "sh", "-c", "kill -TERM $$"], 143, ""),
        (&["--", "sh", "-c", "kill -KILL $$"], 137, ""),
        (&["--", "no-such-command"], 127, "pretender: cannot run `no-such-command`: "),
        (&["--", not_executable], 126, "pretender: cannot run `"),
        (&["--db", "mysql://somewhere", "--", "true"], 125, "pretender: "),
        (&["--no-such-option", "--", "true"], 2, "error: "),
        (&[], 2, "error: "),
    ] {
        let output = run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(
            stderr.starts_with(said) && (stderr.is_empty() || !said.is_empty()),
            "{arguments:?}: {stderr}"
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_environment_points_to_the_server_and_to_no_account() {
    let real = [
        ("AWS_ACCESS_KEY_ID", "AKIAREAL"),
        ("AWS_SECRET_ACCESS_KEY", "real"),
        ("AWS_SESSION_TOKEN", "real"),
        ("AWS_PROFILE", "production"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.eu-west-1.amazonaws.com"),
        ("NO_PROXY", "example.com"),
        ("MINE", "kept"),
    ];
    let seen = environment(&[], &real);
    let url = value(&seen, "PRETENDER_ENDPOINT").unwrap();
    assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"), "{url}");
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS"] {
        assert_eq!(value(&seen, name), Some(url), "{name}");
    }
    for (name, expected) in [
        ("AWS_ACCESS_KEY_ID", Some("pretender")),
        ("AWS_SECRET_ACCESS_KEY", Some("pretender")),
        ("AWS_REGION", Some("us-east-1")),
        ("AWS_DEFAULT_REGION", Some("us-east-1")),
        ("AWS_EC2_METADATA_DISABLED", Some("true")),
        ("AWS_SESSION_TOKEN", None),
        ("AWS_PROFILE", None),
        ("AWS_USE_FIPS_ENDPOINT", None),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", None),
        ("NO_PROXY", Some("example.com,127.0.0.1,localhost")),
        ("no_proxy", Some("example.com,127.0.0.1,localhost")),
        ("PRETENDER_CONTROL_URL", None),
        ("PRETENDER_CONTROL_TOKEN", None),
        ("MINE", Some("kept")),
    ] {
        assert_eq!(value(&seen, name), expected, "{name}");
    }
}

#[test]
fn the_region_is_the_option_or_that_of_the_user() {
    for (options, given, expected) in [
        (&["--region", "eu-west-1"][..], &[("AWS_REGION", "us-west-2")][..], "eu-west-1"),
        (&[], &[("AWS_REGION", "us-west-2"), ("AWS_DEFAULT_REGION", "eu-west-2")], "us-west-2"),
        (&[], &[("AWS_DEFAULT_REGION", "eu-west-2")], "eu-west-2"),
        (&[], &[("AWS_REGION", "")], "us-east-1"),
    ] {
        let seen = environment(options, given);
        assert_eq!(value(&seen, "AWS_REGION"), Some(expected), "{options:?} {given:?}");
        assert_eq!(value(&seen, "AWS_DEFAULT_REGION"), Some(expected), "{options:?} {given:?}");
    }
}

#[test]
fn the_control_interface_is_open_if_it_is_asked_for() {
    let seen = environment(&["--control", "--control-token", "correct-horse"], &[]);
    let url = value(&seen, "PRETENDER_ENDPOINT").unwrap();
    assert_eq!(value(&seen, "PRETENDER_CONTROL_URL").unwrap(), format!("{url}/_pretender/"));
    assert_eq!(value(&seen, "PRETENDER_CONTROL_TOKEN"), Some("correct-horse"));

    // The command may command: this program finds the server by the same variables.
    let program = env!("CARGO_BIN_EXE_pretender");
    let output = run(&["--control", "--", program, "ctl", "clock", "show"]);
    assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
}

/// A command that says where the server is, and then waits for a signal.
const WAITS: &str =
    "trap 'kill $!; echo asked; exit 5' TERM INT; sleep 1000 & echo $PRETENDER_ENDPOINT; wait";

#[test]
fn signals_are_passed_on_and_the_server_outlives_the_command() {
    for signal in ["-TERM", "-INT"] {
        let mut child = pretender()
            .env("PATH", "/usr/bin:/bin")
            .args(["run", "--", "sh", "-c", WAITS])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let url = lines.next().unwrap();
        let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
        let answer = exchange(address, request("DynamoDB_20120810.ListTables", "{}"));
        assert_eq!(answer.text(), r#"{"TableNames":[]}"#);
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(lines.next().as_deref(), Some("asked"), "{signal}");
        assert_eq!(child.wait().unwrap().code(), Some(5), "{signal}");
        assert!(TcpStream::connect(address).is_err(), "the server answers after the command");
    }
}
