//! What happens to a server whose files are deleted, replaced, linked, or grow too large.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{exchange, request};

/// Far longer than the second in which it should be noticed: machines are busy.
const PATIENCE: Duration = Duration::from_secs(30);

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(file: &Path) -> Self {
        Self::run(
            Command::new(env!("CARGO_BIN_EXE_pretender")).args(["serve", "--port", "0", "--db"]).arg(file),
        )
    }

    /// With a limit on the size of files, in the shell's blocks of 512 bytes or more.
    fn start_limited(file: &Path, blocks: u32) -> Self {
        let script = format!(r#"ulimit -f {blocks}; exec "$0" serve --port 0 --db "$1""#);
        Self::run(Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_pretender")]).arg(file))
    }

    fn run(command: &mut Command) -> Self {
        let command = command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Listening on http://").unwrap_or_else(|| {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("{said}")
        });
        Self { address: address.parse().unwrap(), child }
    }

    fn call(&self, operation: &str, body: &Value) -> (u16, Value) {
        let answer =
            exchange(self.address, request(&format!("DynamoDB_20120810.{operation}"), &body.to_string()));
        (answer.status, serde_json::from_str(answer.text()).unwrap())
    }

    fn with_orders(self) -> Self {
        let table = json!({
            "TableName": "Orders", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        });
        assert_eq!(self.call("CreateTable", &table).0, 200);
        self
    }

    fn put(&self, key: &str, length: usize) -> (u16, Value) {
        let item = json!({"pk": {"S": key}, "text": {"S": "x".repeat(length)}});
        self.call("PutItem", &json!({"TableName": "Orders", "Item": item}))
    }

    fn has(&self, key: &str) -> bool {
        let (status, answer) =
            self.call("GetItem", &json!({"TableName": "Orders", "Key": {"pk": {"S": key}}}));
        assert_eq!(status, 200, "{answer}");
        answer.get("Item").is_some()
    }

    /// Puts items until one is refused; returns how many were not.
    fn put_until_refused(&self, length: usize) -> usize {
        let began = Instant::now();
        for n in 0.. {
            let (status, answer) = self.put(&n.to_string(), length);
            if status == 500 {
                assert!(answer["__type"].as_str().unwrap().ends_with("#InternalServerError"), "{answer}");
                return n;
            }
            assert_eq!(status, 200, "{answer}");
            assert!(began.elapsed() < PATIENCE, "{n} writes and none refused");
        }
        unreachable!()
    }

    /// Stops it as a supervisor does; returns what it logged.
    fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

/// Does something to the files of a server, and sees that it refuses writes from then on, still reads, and says why once.
fn check_gone(named: &str, change: impl FnOnce(&Path)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.db");
    let server = Server::start(&path).with_orders();
    assert_eq!(server.put("before", 10).0, 200);
    change(&path);
    let kept = server.put_until_refused(10);
    for n in 0..3 {
        assert_eq!(server.put(&format!("later {n}"), 10).0, 500);
    }
    assert!(server.has("before"));
    assert!((0..kept).all(|n| server.has(&n.to_string())));
    let said = server.stop();
    let lines: Vec<_> = said.lines().filter(|line| line.contains("no more writes are accepted")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].ends_with(named), "{said}");
}

#[test]
fn a_database_that_is_deleted_is_not_written_to() {
    check_gone("/orders.db", |path| fs::remove_file(path).unwrap());
}

#[test]
fn a_database_that_is_replaced_is_not_written_to() {
    check_gone("/orders.db", |path| {
        let other = path.with_extension("other");
        Server::start(&other).with_orders().stop();
        fs::rename(other, path).unwrap();
    });
}

#[test]
fn a_log_that_is_deleted_is_not_written_to() {
    check_gone("/orders.db-wal", |path| fs::remove_file(beside(path, "-wal")).unwrap());
}

#[test]
fn a_moved_file_has_all_accepted_writes() {
    let directory = tempfile::tempdir().unwrap();
    let (path, moved) = (directory.path().join("orders.db"), directory.path().join("moved.db"));
    let server = Server::start(&path).with_orders();
    fs::rename(&path, &moved).unwrap();
    let kept = server.put_until_refused(10);
    server.stop();
    let server = Server::start(&moved);
    assert!((0..kept).all(|n| server.has(&n.to_string())));
    assert_eq!(server.put("after", 10).0, 200);
}

#[test]
#[cfg(target_os = "linux")]
fn a_second_server_is_refused_by_another_name_and_without_the_lock_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("orders.db"), directory.path().join("link.db"));
    let server = Server::start(&path).with_orders();
    fs::hard_link(&path, &link).unwrap();
    fs::remove_file(beside(&path, "-lock")).unwrap();
    for file in [&link, &path] {
        let second = Command::new(env!("CARGO_BIN_EXE_pretender"))
            .env_clear()
            .args(["serve", "--port", "0", "--db"])
            .arg(file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&second.stderr);
        assert_eq!(said, format!("pretender: `{}` is in use by another process\n", file.display()));
        assert_eq!(second.status.code(), Some(1));
    }
    assert_eq!(server.put("a", 10).0, 200);
    assert!(server.has("a"));
}

#[test]
#[cfg(unix)]
fn a_limit_on_the_size_of_files_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.db");
    let server = Server::start_limited(&path, 4096).with_orders();
    let kept = server.put_until_refused(100_000);
    assert!(kept > 3, "{kept}");
    // It lives on, and so does what it has.
    assert!((0..kept).all(|n| server.has(&n.to_string())));
    assert_eq!(server.put("large again", 300_000).0, 500);
    server.stop();
    let server = Server::start(&path);
    assert!((0..kept).all(|n| server.has(&n.to_string())));
    assert!(!server.has(&kept.to_string()));
    assert_eq!(server.put("large again", 300_000).0, 200);
}

#[test]
#[cfg(unix)]
fn a_database_too_large_for_its_limit_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.db");
    let script = r#"ulimit -f 8; exec "$0" serve --port 0 --db "$1""#;
    let output = Command::new("sh")
        .env_clear()
        .args(["-c", script, env!("CARGO_BIN_EXE_pretender")])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let expected = format!("pretender: `{}` cannot be opened for writing: File too large", path.display());
    assert!(said.starts_with(&expected), "{said}");
    assert!(!path.exists() && !beside(&path, "-making").exists());
}
