//! `pretender top` without a terminal, against an endpoint that answers as it is told to.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread::JoinHandle;

use expect_test::expect;
use serde_json::Value;

const TOKEN: &str = "a-token-that-is-long-enough-for-anybody";

/// An endpoint that gives one answer after the other, and ends after the last.
struct Scripted {
    url: String,
    thread: JoinHandle<Vec<String>>,
}

impl Scripted {
    /// Of each answer: status and body.
    fn new(answers: &[(u16, String)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut answers = VecDeque::from(answers.to_vec());
        let thread = std::thread::spawn(move || {
            let mut heads = Vec::new();
            while let Some((status, answer)) = answers.pop_front() {
                let (stream, _) = listener.accept().unwrap();
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    stream.read_line(&mut head).unwrap();
                }
                let length = answer.len();
                write!(
                    stream.get_mut(),
                    "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{answer}"
                )
                .unwrap();
                heads.push(head);
            }
            heads
        });
        Self { url, thread }
    }

    /// What `top` prints about it, and the heads of the requests it sent.
    fn top(self, arguments: &[&str]) -> (Output, Vec<String>) {
        let output = top(&[&["--endpoint", &self.url, "--interval", "100ms"], arguments].concat());
        (output, self.thread.join().unwrap())
    }
}

fn top(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    command.env_clear().arg("top").args(arguments).output().unwrap()
}

fn metrics(writes: u32) -> (u16, String) {
    let text = format!(
        "# TYPE pretender_build_info gauge\npretender_build_info{{version=\"0.1.0\"}} 1\n\
         pretender_table_items{{table=\"orders\",region=\"us-east-1\"}} 42\n\
         pretender_table_items{{table=\"orders\",region=\"eu-west-1\"}} 7\n\
         pretender_consumed_capacity_units_total{{table=\"orders\",region=\"us-east-1\",kind=\"write\"}} {writes}\n"
    );
    (200, text)
}

#[track_caller]
fn check_refused(answers: &[(u16, String)], arguments: &[&str], expected: &str) {
    let server = Scripted::new(answers);
    let expected = format!("pretender: {}\n", expected.replace("URL", &server.url));
    let (output, _) = server.top(arguments);
    assert_eq!(
        (String::from_utf8_lossy(&output.stderr).as_ref(), output.status.code()),
        (&*expected, Some(1))
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn without_a_terminal_one_text_is_printed() {
    for arguments in [&[][..], &["--once"], &["--once", "--sort", "items"]] {
        let (output, heads) = Scripted::new(&[metrics(5), metrics(5)]).top(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("pretender 0.1.0  http://127.0.0.1:"), "{text}");
        assert_eq!(lines.next(), Some("requests 0/s  errors 0/s  commits -/s"));
        let tables: Vec<_> = lines.skip(2).filter_map(|line| line.split_whitespace().nth(1)).collect();
        let expected = if arguments.len() > 1 { ["42", "7"] } else { ["7", "42"] };
        assert_eq!(tables, expected, "{text}");
        assert!(!text.contains('\u{1b}') && output.status.success());
        assert_eq!(heads.len(), 2);
        assert!(heads[0].starts_with("GET /_pretender/metrics HTTP/1.1\r\n"), "{}", heads[0]);
    }
}

#[test]
fn json_is_one_object_with_rates() {
    let answers = [metrics(0), metrics(50)];
    let (output, _) = Scripted::new(&answers).top(&["--json", "--region", "us-east-1"]);
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tables = object["tables"].as_array().unwrap();
    assert_eq!(
        (tables.len(), &tables[0]["table"], tables[0]["items"].as_f64()),
        (1, &"orders".into(), Some(42.0))
    );
    // Fifty units in at least the interval.
    let rate = tables[0]["write_units"].as_f64().unwrap();
    assert!(rate > 0.0 && rate <= 500.0, "{rate}");
}

#[test]
fn a_token_is_sent_only_if_it_is_asked_for() {
    let unauthorized = || (401, r#"{"error":"..."}"#.to_owned());
    let has_token = |head: &String| head.to_lowercase().contains("\r\nauthorization: bearer ");
    let (output, heads) = Scripted::new(&[metrics(5), metrics(5)]).top(&["--token", TOKEN]);
    assert!(output.status.success() && !heads.iter().any(has_token));
    let asked = [unauthorized(), metrics(5), metrics(5)];
    let (output, heads) = Scripted::new(&asked).top(&["--token", TOKEN]);
    assert!(output.status.success());
    assert_eq!(heads.iter().map(has_token).collect::<Vec<_>>(), [false, true, true]);
    check_refused(
        &[unauthorized()],
        &[],
        "URL needs its control token to show its metrics: give it with --token, or in PRETENDER_CONTROL_TOKEN",
    );
    check_refused(
        &[unauthorized(), unauthorized()],
        &["--token", TOKEN],
        "URL did not accept the control token",
    );
}

#[test]
fn a_server_without_metrics_is_an_error() {
    let older = "URL has no metrics: it is not pretender, or an older version (it answered 404)";
    check_refused(&[(404, "{}".to_owned())], &[], older);
    check_refused(&[(503, String::new())], &[], "URL cannot show its metrics at the moment: it answered 503");
    check_refused(
        &[(200, "go_threads 8\n".to_owned())],
        &[],
        "URL has no metrics to show: the answer has no metric of pretender",
    );
    check_refused(
        &[metrics(1), (200, "<html>\u{1b}[2J".to_owned())],
        &[],
        "URL has no metrics to show: the answer is not in the format of Prometheus: line 1: expected the name of a metric",
    );
    let aws = top(&["--endpoint", "aws"]);
    let expected =
        "pretender: AWS does not show metrics in this way: name a pretender server with --endpoint\n";
    assert_eq!((String::from_utf8_lossy(&aws.stderr).as_ref(), aws.status.code()), (expected, Some(1)));
    let nowhere = top(&["--endpoint", "http://127.0.0.1:1"]);
    let error = String::from_utf8_lossy(&nowhere.stderr);
    assert!(error.contains("cannot be reached: connection refused"), "{error}");
}

#[test]
fn the_help_fits_a_terminal() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    let output = command.env_clear().env("COLUMNS", "80").args(["top", "-h"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let own = help.split("Connection:").next().unwrap();
    expect![[r#"
        Watch a running server: tables, streams, readers, faults and operations

        Usage: pretender top [OPTIONS]

        Options:
              --token <TOKEN>    The server's control token, if it needs one to show its
                                 metrics [env: PRETENDER_CONTROL_TOKEN]
          -i, --interval <TIME>  How often to ask the server, and the time that rates
                                 are means of: from 100ms to 1h [default: 1s]
          -s, --sort <COLUMN>    The column to sort the tables by: names from a, numbers
                                 from the greatest [default: name] [possible values:
                                 name, items, size, read, write, captured, delivered,
                                 shards, records, oldest, readers, age, behind]
          -r, --reverse          Reverse the order
              --once             Print the state after one interval as text, and end
              --json             Print the state after one interval as one line of JSON,
                                 and end
          -h, --help             Print help (see more with '--help')
          -V, --version          Print version

    "#]]
    .assert_eq(own);
}
