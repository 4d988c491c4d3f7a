//! `pretender tail` from endpoints that are not ours: what it sends, and how it takes their refusals.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::thread::JoinHandle;

const ARN: &str = "arn:aws:dynamodb:eu-west-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";
const SHARD: &str = "shardId-00000001772356542017-5f3a91c0";

/// An endpoint that answers each operation with what it is told to, and ends when it has nothing left to say.
struct Scripted {
    url: String,
    thread: JoinHandle<Vec<String>>,
}

impl Scripted {
    /// Of each step: operation, status, body.
    fn new(steps: Vec<(&'static str, u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let mut steps = VecDeque::from(steps);
            let mut heads = Vec::new();
            while let Some((operation, status, answer)) = steps.pop_front() {
                let (stream, _) = listener.accept().unwrap();
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    stream.read_line(&mut head).unwrap();
                }
                let length = header(&head, "content-length").unwrap().parse().unwrap();
                stream.read_exact(&mut vec![0; length]).unwrap();
                let target = header(&head, "x-amz-target").unwrap();
                assert_eq!(target, format!("DynamoDBStreams_20120810.{operation}"));
                write!(
                    stream.get_mut(),
                    "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                    answer.len()
                )
                .unwrap();
                heads.push(head);
            }
            heads
        });
        Self { url, thread }
    }

    /// What a tail of it prints, and the heads of the requests it sent.
    fn tail(self, arguments: &[&str], environment: &[(&str, &str)]) -> (Output, Vec<String>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
        command.env_clear().envs(environment.iter().copied());
        let output = command.args(["tail", "--endpoint", &self.url]).args(arguments).output().unwrap();
        (output, self.thread.join().unwrap())
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn described() -> (&'static str, u16, String) {
    let answer = format!(
        r#"{{"StreamDescription":{{"StreamArn":"{ARN}","StreamStatus":"DISABLED","Shards":[
           {{"ShardId":"{SHARD}","SequenceNumberRange":{{"StartingSequenceNumber":"1","EndingSequenceNumber":"9"}}}}]}}}}"#
    );
    ("DescribeStream", 200, answer)
}

fn iterator() -> (&'static str, u16, String) {
    ("GetShardIterator", 200, r#"{"ShardIterator":"i"}"#.to_owned())
}

fn refused(operation: &'static str, code: &str) -> (&'static str, u16, String) {
    (operation, 400, format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}"#))
}

/// The last page of a shard, with one record.
fn record() -> (&'static str, u16, String) {
    let answer = r#"{"Records":[{"eventName":"REMOVE","dynamodb":{"ApproximateCreationDateTime":1772356542,
        "Keys":{"pk":{"S":"o1"}},"SequenceNumber":"5"}}]}"#;
    ("GetRecords", 200, answer.to_owned())
}

/// What is asked for once the shard has ended: the list of shards, and whether something is behind the last page.
fn nothing_behind() -> [(&'static str, u16, String); 3] {
    [described(), iterator(), ("GetRecords", 200, r#"{"Records":[]}"#.to_owned())]
}

const PRINTED: &str = "2026-03-01T09:15:42Z REMOVE pk=\"o1\"\n";

#[track_caller]
fn check_printed(output: &Output, warning: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), PRINTED, "{stderr}");
    assert_eq!((stderr.trim_end(), output.status.code()), (warning, Some(0)));
}

#[test]
fn requests_are_signed_with_what_the_environment_holds() {
    let script = || [vec![described(), iterator(), record()], nothing_behind().into()].concat();
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "TOKEN"),
        ("AWS_REGION", "us-west-2"),
    ];
    let (output, heads) = Scripted::new(script()).tail(&[ARN], &keys);
    check_printed(&output, "");
    for head in &heads {
        let authorization = header(head, "authorization").unwrap();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{head}");
        assert!(authorization.contains("/eu-west-1/dynamodb/aws4_request, "), "{head}");
        let names = "SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target, Signature=";
        assert!(authorization.contains(names), "{head}");
        assert_eq!(header(head, "x-amz-security-token"), Some("TOKEN"));
        assert_eq!(header(head, "content-type"), Some("application/x-amz-json-1.0"));
    }
    let (output, heads) = Scripted::new(script()).tail(&["--region", "sa-east-1", ARN], &[]);
    check_printed(&output, "");
    let authorization = header(&heads[0], "authorization").unwrap();
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=pretender/"), "{authorization}");
    assert!(authorization.contains("/sa-east-1/dynamodb/aws4_request, "), "{authorization}");
    assert_eq!(header(&heads[0], "x-amz-security-token"), None);
}

#[test]
fn trimmed_records_are_reported_and_the_rest_follows() {
    let refusal = refused("GetRecords", "TrimmedDataAccessException");
    let script = vec![described(), iterator(), refusal, iterator(), record()];
    let (output, _) = Scripted::new([script, nothing_behind().into()].concat()).tail(&[ARN], &[]);
    let warning = format!("pretender: records of shard `{SHARD}` were trimmed before they were read");
    check_printed(&output, &warning);
}

#[test]
fn iterators_that_expire_are_replaced_silently() {
    let refusal = refused("GetRecords", "ExpiredIteratorException");
    let script = vec![described(), iterator(), refusal, iterator(), record()];
    check_printed(&Scripted::new([script, nothing_behind().into()].concat()).tail(&[ARN], &[]).0, "");
}

#[test]
fn refusals_end_it_with_their_text() {
    let script = vec![refused("DescribeStream", "UnrecognizedClientException")];
    let (output, _) = Scripted::new(script).tail(&[ARN], &[]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.trim_end().ends_with("UnrecognizedClientException: no"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1);
    let script = vec![("DescribeStream", 404, "<html>".to_owned())];
    let scripted = Scripted::new(script);
    let text = format!("{} does not speak the Streams API: it answered 404", scripted.url);
    let (output, _) = scripted.tail(&[ARN], &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains(&text));
}
