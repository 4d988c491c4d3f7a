//! `pretender serve`, as a process.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use crate::harness::{exchange, request};

pub(crate) fn pretender() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    command.env_clear();
    command
}

/// The program, while it runs.
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// Where the server that has just been started listens.
    pub(crate) fn address(&mut self) -> SocketAddr {
        let line = self.line();
        let url = line.strip_prefix("Listening on ");
        let address = url.and_then(|url| Some(url.split_once("://")?.1)).unwrap_or_else(|| panic!("{line}"));
        address.parse().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    #[cfg(unix)]
    pub(crate) fn stop(self, signal: &str) -> std::process::ExitStatus {
        self.stop_and_read(signal).0
    }

    /// Ends the server, and returns what it has logged.
    #[cfg(unix)]
    pub(crate) fn stop_and_read(mut self, signal: &str) -> (std::process::ExitStatus, String) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        let stderr = self.child.stderr.take();
        let stderr = stderr.map_or(String::new(), |stderr| std::io::read_to_string(stderr).unwrap());
        (self.child.wait().unwrap(), stderr)
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
fn serves_until_stopped_and_keeps_the_data() {
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

/// The server cannot print that it listens, because nobody reads its output; it has to know already then how to stop.
#[test]
#[cfg(target_os = "linux")]
fn a_signal_right_after_the_start_ends_it_orderly() {
    use std::io::Write;
    use std::os::unix::process::ExitStatusExt;

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // What a pipe of Linux holds.
    writer.write_all(&[b'\n'; 65_536]).unwrap();
    let mut child = pretender()
        .args(["serve", "--db", ":memory:", "--port", &port.to_string()])
        .stdout(writer)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    while std::net::TcpStream::connect(address).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "the server has ended by itself");
        std::thread::yield_now();
    }
    let answer = exchange(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(answer.status, 200);
    await_write_of(child.id());
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    // Now it can print, and then stops.
    let printed = std::thread::spawn(move || std::io::read_to_string(&mut reader).unwrap());
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(0), None));
    assert!(printed.join().unwrap().contains("Listening on "));
}

/// Returns once the main thread of a process is blocked because nobody reads what it writes.
#[cfg(target_os = "linux")]
fn await_write_of(process: u32) {
    let waits_in = format!("/proc/{process}/wchan");
    let is_blocked = || std::fs::read_to_string(&waits_in).is_ok_and(|wait| wait.contains("pipe_write"));
    let start = std::time::Instant::now();
    // Where the kernel does not tell, the server has had the time it needs.
    while !is_blocked() && start.elapsed() < std::time::Duration::from_secs(5) {
        std::thread::yield_now();
    }
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
        "--allow-host",
        "--cors",
        "--control-token",
        "--snapshot-dir",
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
        &["serve", "--allow-host", "db.example.com:8000"],
        &["serve", "--allow-host", "*"],
        &["serve", "--cors", "app.example.com"],
        &["serve", "--cors", "https://app.example.com/"],
        &["serve", "--control-token", ""],
        &["sing"],
    ] {
        let output = pretender().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

/// What a server with the flags below answers: by host, by origin, and to a command.
#[cfg(unix)]
fn check_doors(command: &mut Command, folder: &std::path::Path) {
    let mut process = Process::start(command);
    let listening = process.line();
    let address = listening.strip_prefix("Listening on http://").unwrap_or_else(|| panic!("{listening}"));
    let address = address.parse().unwrap();
    let status = |headers: &str| exchange(address, format!("GET / HTTP/1.1\r\n{headers}\r\n")).status;
    for (headers, expected) in [
        ("Host: a.example.com\r\n", 200),
        ("Host: b.example.com:8000\r\n", 200),
        ("Host: c.example.com\r\n", 403),
        ("Host: localhost\r\nOrigin: https://app.example.com\r\n", 200),
        ("Host: localhost\r\nOrigin: null\r\n", 200),
        ("Host: localhost\r\nOrigin: https://example.com\r\n", 403),
    ] {
        assert_eq!(status(headers), expected, "{headers}");
    }
    let save = |headers: &str| {
        let body = r#"{"file": "seed.db"}"#;
        let length = body.len();
        let head = format!(
            "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}"
        );
        exchange(address, format!("POST /_pretender/snapshots/save HTTP/1.1\r\n{head}\r\n{body}")).status
    };
    assert_eq!(save(""), 401);
    assert!(!folder.join("seed.db").exists());
    assert_eq!(save("Authorization: Bearer correct-horse\r\n"), 200);
    assert!(folder.join("seed.db").exists());
    process.stop("-TERM");
}

#[test]
#[cfg(unix)]
fn hosts_origins_files_and_the_token_are_options() {
    let given = tempfile::tempdir().unwrap();
    let mut command = pretender();
    command.args([
        "serve",
        "--port",
        "0",
        "--db",
        ":memory:",
        "--control",
        "--control-token",
        "correct-horse",
    ]);
    command.args(["--allow-host", "a.example.com", "--allow-host", "B.example.com"]);
    command.args(["--cors", "https://app.example.com", "--cors", "null", "--snapshot-dir"]);
    check_doors(command.arg(given.path()), given.path());

    let given = tempfile::tempdir().unwrap();
    let mut command = pretender();
    command.arg("serve").env("PRETENDER_SNAPSHOT_DIR", given.path()).envs([
        ("PRETENDER_PORT", "0"),
        ("PRETENDER_DB", ":memory:"),
        ("PRETENDER_CONTROL", "1"),
        ("PRETENDER_CONTROL_TOKEN", "correct-horse"),
        ("PRETENDER_ALLOW_HOST", "a.example.com,b.example.com"),
        ("PRETENDER_CORS", "https://app.example.com,null"),
    ]);
    check_doors(&mut command, given.path());
}

#[test]
fn a_folder_that_is_not_there_is_one_clear_line() {
    let directory = tempfile::tempdir().unwrap();
    let (missing, file) = (directory.path().join("missing"), directory.path().join("orders.db"));
    let mut command = pretender();
    command
        .args(["serve", "--port", "0", "--control", "--snapshot-dir"])
        .arg(&missing)
        .arg("--db")
        .arg(&file);
    let text = format!("cannot use `{}` as the snapshot folder: ", missing.display());
    check_refused(&command.output().unwrap(), &text);
    assert!(!file.exists());
}

#[test]
fn a_token_that_is_none_is_not_repeated() {
    for command in [
        &["serve", "--db", ":memory:"][..],
        &["ctl", "clock", "show"],
        &["trigger", "--table", "Orders", "--endpoint", "127.0.0.1:1"],
    ] {
        let output =
            pretender().args(command).env("PRETENDER_CONTROL_TOKEN", "two s3crets").output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("not a token: ") && !stderr.contains("s3cret"), "{stderr}");
    }
}

#[test]
#[cfg(unix)]
fn commands_from_other_machines_are_warned_of() {
    use std::io::Read;
    for (arguments, warning) in [
        (
            &["--control", "--host", "0.0.0.0"][..],
            "any program that can reach this address can use the control API",
        ),
        (&["--control", "--host", "0.0.0.0", "--control-token", "s3cret"], "the token is sent unencrypted"),
        (&["--snapshot-dir", "."], "--snapshot-dir has no effect without --control"),
        (&["--control"], ""),
        (&["--host", "0.0.0.0"], ""),
    ] {
        let mut process =
            Process::start(pretender().args(["serve", "--port", "0", "--db", ":memory:"]).args(arguments));
        assert!(process.line().starts_with("Listening on "));
        let mut stderr = process.child.stderr.take().unwrap();
        process.stop("-TERM");
        let mut said = String::new();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(said.lines().count(), usize::from(!warning.is_empty()), "{arguments:?}: {said}");
        assert!(said.contains(warning) && !said.contains("s3cret"), "{arguments:?}: {said}");
    }
}
