//! Metrics over HTTP, and what Prometheus itself makes of them.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pdb_server::ServerOptions;
use serde_json::Value;

use crate::control::ControlledServer;
use crate::harness::{Answer, Connection, SIGNED, exchange, request, server, server_with};

const PATH: &str = "/_pretender/metrics";

fn get(address: std::net::SocketAddr, path: &str, headers: &str) -> Answer {
    let mut connection = Connection::to(address);
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"));
    connection.answer()
}

#[test]
fn requests_over_http_are_counted() {
    let server = server();
    assert_eq!(exchange(server.address(), request("DynamoDB_20120810.ListTables", "{}")).status, 200);
    assert_eq!(exchange(server.address(), request("DynamoDB_20120810.DescribeTable", "{}")).status, 400);
    assert_eq!(exchange(server.address(), request("DynamoDB_20120810.Nonsense", "{}")).status, 400);
    // It is refused before anybody looks for its operation.
    let plain = request("DynamoDB_20120810.PutItem", "{}");
    let encoded = plain.replace("Content-Length", "Content-Encoding: br\r\nContent-Length");
    assert_eq!(exchange(server.address(), encoded).status, 500);
    let answer = get(server.address(), PATH, "");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        r#"pretender_requests_total{operation="ListTables",result="ok"} 1"#,
        r#"pretender_requests_total{operation="DescribeTable",result="ValidationException"} 1"#,
        r#"pretender_requests_total{operation="PutItem",result="InternalServerError"} 1"#,
        r#"pretender_requests_total{operation="unknown",result="UnknownOperationException"} 1"#,
    ] {
        assert!(answer.text().lines().any(|known| known == line), "no {line} in {}", answer.text());
    }
}

#[test]
fn web_pages_and_strangers_get_no_metrics() {
    let token = Some("correct-horse".parse().unwrap());
    let server = server_with(ServerOptions { control_token: token, ..ServerOptions::default() });
    for (headers, status) in [
        ("", 401),
        ("Authorization: Bearer wrong\r\n", 401),
        ("Authorization: Bearer correct-horse\r\n", 200),
        ("Authorization: Bearer correct-horse\r\nOrigin: http://localhost:3000\r\n", 403),
        ("Authorization: Bearer correct-horse\r\nSec-Fetch-Site: cross-site\r\n", 403),
    ] {
        assert_eq!(get(server.address(), PATH, headers).status, status, "{headers}");
    }
    // Nothing is at this path for other methods.
    let answer = exchange(
        server.address(),
        format!("POST {PATH} HTTP/1.1\r\nHost: localhost\r\n{SIGNED}Content-Length: 0\r\n\r\n"),
    );
    assert_eq!(answer.status, 404);
}

/// Looks for a program of Prometheus on the `PATH`. Without it there is nothing to test, which is said; where `CI` is set, it has to be
/// there.
fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file());
    if found.is_none() {
        let missing = format!("no `{name}` on the PATH");
        assert!(env::var_os("CI").is_none(), "{missing}");
        // Not `eprintln!`, which nobody sees of a test that passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing}");
    }
    found
}

#[test]
fn promtool_has_no_complaint() {
    let Some(promtool) = find("promtool") else { return };
    let server = ControlledServer::new();
    server.put("a");
    server.executes("faults/add", &serde_json::json!({ "kind": "throttling", "operations": ["Scan"] }));
    // Histograms are there from the second scrape on.
    get(server.server.address(), PATH, "");
    server.put("b");
    exchange(server.server.address(), request("DynamoDB_20120810.Scan", r#"{"TableName":"Orders"}"#));
    let text = get(server.server.address(), PATH, "");
    assert!(text.text().contains("pretender_commit_seconds_bucket"), "{}", text.text());
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(&text.body).unwrap();
    let output = check.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn the_alerts_of_the_document_are_rules() {
    let Some(promtool) = find("promtool") else { return };
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let document = std::fs::read_to_string(document).unwrap();
    let rules = document.split("```yaml\n").find(|block| block.starts_with("groups:")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, rules.split("```").next().unwrap()).unwrap();
    let output = Command::new(promtool).args(["check", "rules"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("SUCCESS: 6 rules found"));
}

/// Prometheus, until it is dropped.
struct Prometheus {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    fn start(program: &Path, target: std::net::SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let configuration = format!(
            "global: {{ scrape_interval: 500ms, scrape_timeout: 400ms }}\nscrape_configs:\n  - job_name: pretender\n    \
             metrics_path: {PATH}\n    static_configs:\n      - targets: [\"{target}\"]\n"
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, configuration).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, port, _folder: folder }
    }

    /// Returns the values of a query; nothing while Prometheus does not answer.
    fn query(&self, query: &str) -> Option<Vec<Value>> {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], self.port));
        std::net::TcpStream::connect(address).ok()?;
        let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let mut connection = Connection::to(address);
        connection.send(format!(
            "GET /api/v1/query?query={query} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\n\r\n"
        ));
        let answer = connection.try_answer().ok()?;
        let answer: Value = serde_json::from_slice(&answer.body).ok()?;
        Some(answer["data"]["result"].as_array()?.clone())
    }

    /// Waits until a query has a value.
    fn wait_for(&self, query: &str, is_met: impl Fn(f64) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let found = self.query(query).unwrap_or_default();
            let value = found.first().and_then(|result| result["value"][1].as_str()?.parse().ok());
            if value.is_some_and(&is_met) {
                return;
            }
            assert!(Instant::now() < until, "{query} has {found:?}");
            pause(Duration::from_millis(250));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn pause(time: Duration) {
    let (_never, wait) = std::sync::mpsc::channel::<()>();
    let _ = wait.recv_timeout(time);
}

#[test]
fn prometheus_scrapes_a_server_that_works() {
    let Some(program) = find("prometheus") else { return };
    let server = ControlledServer::new();
    let prometheus = Prometheus::start(&program, server.server.address());
    prometheus.wait_for("up{job=\"pretender\"}", |up| up == 1.0);
    // Three seconds, or a minute with `--slow`.
    let until = Instant::now() + Duration::from_secs(pdb_testkit::rounds(3).into());
    let mut puts = 0;
    while Instant::now() < until {
        server.put(&format!("item-{puts}"));
        puts += 1;
        pause(Duration::from_millis(20));
    }
    let puts = f64::from(puts);
    prometheus.wait_for("pretender_stream_records_captured_total{table=\"Orders\"}", |value| value == puts);
    prometheus.wait_for("pretender_table_items{table=\"Orders\"}", |value| value == puts);
    prometheus.wait_for("pretender_shard_open{table=\"Orders\"}", |open| open == 1.0);
    prometheus.wait_for("rate(pretender_commits_total[30s])", |rate| rate > 1.0);
    prometheus.wait_for("histogram_quantile(0.5, rate(pretender_commit_seconds_bucket[30s]))", |time| {
        time > 0.0 && time < 1.0
    });
    // Every scrape was answered.
    prometheus.wait_for("min_over_time(up{job=\"pretender\"}[10s])", |up| up == 1.0);
}
