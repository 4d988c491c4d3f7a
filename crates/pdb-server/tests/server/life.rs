//! How a server says that it is there, and what ends it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use pdb_server::ServerOptions;
use serde_json::Value;

use crate::binary::{Process, pretender};
use crate::harness::{Answer, Connection, exchange, server_with};

const PAGES: [&str; 3] = ["health", "ready", "version"];

fn get(address: SocketAddr, path: &str, headers: &str) -> Answer {
    exchange(address, format!("GET /_pretender/{path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn pages_are_answered_without_control_and_without_its_token() {
    for arguments in [
        &[][..],
        &["--control", "--control-token", "s3cret"],
        &["--control-token", "s3cret"],
        &["--separate-regions"],
    ] {
        let all =
            [&["serve", "--port", "0", "--db", ":memory:", "--region", "eu-west-1"], arguments].concat();
        let mut process = Process::start(pretender().args(all));
        let address = process.address();
        for page in PAGES {
            let answer = get(address, page, "");
            assert_eq!(answer.status, 200, "{page}: {}", answer.text());
            assert_eq!(answer.header("content-type"), Some("application/json"));
        }
        assert_eq!(json(get(address, "health", "").text())["status"], "alive");
        assert_eq!(json(get(address, "ready", "").text())["status"], "ready");
        let has_control = arguments.contains(&"--control");
        let expected = serde_json::json!({
            "name": "pretender",
            "version": env!("CARGO_PKG_VERSION"),
            "targets": ["DynamoDB_20120810", "DynamoDBStreams_20120810"],
            "region": "eu-west-1",
            "separate_regions": arguments.contains(&"--separate-regions"),
            "control": has_control,
            "databases": false,
            "control_token": arguments.contains(&"--control-token"),
            "credentials": false,
        });
        assert_eq!(json(get(address, "version", "").text()), expected);
        // Commands are as they were.
        assert_eq!(get(address, "clock", "").status, if has_control { 401 } else { 404 });
        process.stop("-TERM");
    }
}

#[test]
fn pages_change_nothing_and_tell_web_pages_nothing() {
    let server = server_with(ServerOptions::default());
    let address = server.address();
    for page in PAGES {
        // No page can read the answer: it has no header that allows it.
        let answer = get(address, page, "Origin: http://localhost:3000\r\n");
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None), "{page}");
        let foreign = format!("GET /_pretender/{page} HTTP/1.1\r\nHost: example.com\r\n\r\n");
        assert_eq!(exchange(address, foreign).status, 403, "{page}");
        let post =
            format!("POST /_pretender/{page} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(exchange(address, post).status, 404, "{page}");
        let mut head = Connection::to(address);
        head.send(format!("HEAD /_pretender/{page} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(head.status_unless_cut(), Some(200), "{page}");
    }
    assert_eq!(get(address, "healthy", "").status, 404);
}

fn ping(arguments: &[&str]) -> Output {
    pretender().arg("ping").args(arguments).output().unwrap()
}

#[track_caller]
fn check_ping(output: &Output, code: i32, text: &str) {
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(text) && said.lines().count() == 1, "{said}");
}

#[test]
fn ping_tells_whether_a_server_is_ready() {
    let server = server_with(ServerOptions::default());
    let expected = format!("pretender {} at {} is ready\n", env!("CARGO_PKG_VERSION"), server.url());
    check_ping(&ping(&["--endpoint", &server.url()]), 0, &expected);
    let url = server.url();
    server.stop();
    check_ping(&ping(&["--endpoint", &url]), 1, "connection refused; is `pretender serve` running?");
    check_ping(&ping(&["--endpoint", &url, "--wait", "300ms"]), 1, "connection refused");
    check_ping(&ping(&["--endpoint", "aws"]), 1, "AWS has no control API");
}

#[test]
fn ping_tells_a_server_that_is_not_ready_or_another_one() {
    let answers = [
        (
            503,
            r#"{"status":"not ready","error":"the server is stopping"}"#,
            "is not ready: the server is stopping",
        ),
        (404, "<UnknownOperationException/>", "answered with status 404, but is not pretender"),
        (200, "healthy", "answered with status 200, but is not pretender"),
    ];
    for (status, body, text) in answers {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answering = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(&stream).lines();
            while !lines.next().unwrap().unwrap().is_empty() {}
            let answer = format!(
                "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            std::io::Write::write_all(&mut &stream, answer.as_bytes()).unwrap();
        });
        check_ping(&ping(&["--endpoint", &address]), 1, text);
        answering.join().unwrap();
    }
}

/// The server that is waited for starts only when the first tries have failed.
#[test]
fn ping_waits_for_a_server_that_is_being_started() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let endpoint = format!("127.0.0.1:{port}");
    let mut command = pretender();
    command.args(["ping", "--endpoint", &endpoint, "--wait", "60s"]).stdout(Stdio::piped());
    let waiting = command.spawn().unwrap();
    check_ping(&ping(&["--endpoint", &endpoint]), 1, "connection refused");
    let process = Process::start(pretender().args(["serve", "--db", ":memory:", "--port", &port]));
    check_ping(&waiting.wait_with_output().unwrap(), 0, " is ready");
    process.stop("-TERM");
}

#[test]
fn the_first_lines_show_the_settings_for_sdks() {
    let mut process = Process::start(pretender().args(["serve", "--port", "0", "--db", ":memory:"]));
    let address = process.address();
    let lines: Vec<String> = (0..9).map(|_| process.line()).collect();
    let expected = [
        "Data in memory: it is gone when the server stops".to_owned(),
        "Control API off; `--control` enables it".to_owned(),
        format!("Console at http://{address}/_pretender/console/"),
        format!("Version {}", env!("CARGO_PKG_VERSION")),
        String::new(),
        "For AWS's SDKs and the AWS CLI:".to_owned(),
        format!("  export AWS_ENDPOINT_URL=http://{address}"),
        "  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1".to_owned(),
        "  export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any".to_owned(),
    ];
    assert_eq!(lines, expected);
    assert!(lines.iter().all(|line| line.len() < 80));
    process.stop("-TERM");
}

#[test]
fn an_announcement_is_one_object() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.db");
    let mut command = pretender();
    command
        .args(["serve", "--port", "0", "--announce", "json", "--control", "--host", "0.0.0.0", "--db"])
        .arg(&file);
    let mut process = Process::start(&mut command);
    let announced = json(&process.line());
    let port = announced["port"].as_u64().unwrap();
    let expected = serde_json::json!({
        "url": format!("http://127.0.0.1:{port}"),
        "port": port,
        "pid": process.id(),
        "version": env!("CARGO_PKG_VERSION"),
        "data": file.display().to_string(),
        "region": "us-east-1",
        "databases": false,
        "control": true,
        "credentials": false,
        "ca_file": null,
        "objects": null,
    });
    assert_eq!(announced, expected);
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    assert_eq!(get(address, "health", "").status, 200);
    assert_eq!(process.stop("-TERM").code(), Some(0));
}

#[test]
fn a_file_is_there_while_the_server_answers() {
    let directory = tempfile::tempdir().unwrap();
    let ready = directory.path().join("ready");
    // Of a server that was killed.
    std::fs::write(&ready, "http://127.0.0.1:1\n").unwrap();
    let mut command = pretender();
    command.args(["serve", "--port", "0", "--db", ":memory:", "--ready-file"]).arg(&ready);
    let mut process = Process::start(&mut command);
    let address = process.address();
    assert_eq!(std::fs::read_to_string(&ready).unwrap(), format!("http://{address}\n"));
    assert_eq!(process.stop("-TERM").code(), Some(0));
    assert!(!ready.exists());

    // Nothing but the file of a server goes, and not before the port is had.
    let notes = directory.path().join("notes");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    for (text, port, expected) in
        [("notes\n", "0", "was not written by a server"), ("http://127.0.0.1:1\n", taken.as_str(), "in use")]
    {
        std::fs::write(&notes, text).unwrap();
        let mut command = pretender();
        let command = command.args(["serve", "--port", port, "--db", ":memory:", "--ready-file"]).arg(&notes);
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && stderr.contains(expected), "{stderr}");
        assert_eq!(std::fs::read_to_string(&notes).unwrap(), text);
    }

    let missing = directory.path().join("missing").join("ready");
    let mut command = pretender();
    let output =
        command.args(["serve", "--port", "0", "--db", ":memory:", "--ready-file"]).arg(&missing).output();
    let output = output.unwrap();
    let expected = format!(
        "pretender: cannot write the file `{}`: the folder `{}` does not exist\n",
        missing.display(),
        missing.parent().unwrap().display()
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(1));
}

/// A shell that starts a server, and lives until its standard input ends.
fn parent_of_server(ready: &Path) -> Child {
    let script = r#""$0" serve --port 0 --db :memory: --announce json --stop-with-parent --ready-file "$1" </dev/null & read -r line"#;
    let mut command = Command::new("sh");
    command.env_clear().args(["-c", script, env!("CARGO_BIN_EXE_pretender")]).arg(ready);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_server_ends_with_its_parent_also_if_that_is_killed() {
    for ends in ["-KILL", "-TERM", ""] {
        let directory = tempfile::tempdir().unwrap();
        let ready = directory.path().join("ready");
        let mut parent = parent_of_server(&ready);
        // The server has the other end of this, too.
        let mut stdout = BufReader::new(parent.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_ne!(json(&line)["pid"], parent.id());
        assert!(ready.exists());
        if ends.is_empty() {
            drop(parent.stdin.take());
        } else {
            let id = parent.id().to_string();
            assert!(Command::new("kill").args([ends, &id]).status().unwrap().success());
        }
        parent.wait().unwrap();
        // Ends when the server does, after it has removed its file.
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert!(rest.is_empty() && !ready.exists(), "{ends}: {rest}");
    }
}

#[test]
fn a_server_ends_with_its_standard_input() {
    let mut command = pretender();
    command.args(["serve", "--port", "0", "--db", ":memory:", "--announce", "json", "--log-level", "info"]);
    command.arg("--stop-on-stdin-close").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = format!("127.0.0.1:{}", json(&line)["port"]).parse().unwrap();
    // What is written there does not matter.
    std::io::Write::write_all(server.stdin.as_mut().unwrap(), b"quit\n").unwrap();
    assert_eq!(get(address, "ready", "").status, 200);
    drop(server.stdin.take());
    let output = server.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains(r#"stopping reason="its standard input is closed""#), "{stderr}");
}
