//! `pretender serve --otlp`: the traces that a collector gets.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod collector;
mod protobuf;
mod server;

use std::collections::{BTreeMap, BTreeSet};

use collector::{Collector, Span};
use server::Server;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const SERVER: u64 = 2;
const INTERNAL: u64 = 1;
const ERROR: u64 = 2;

fn put(id: &str) -> String {
    format!(r#"{{"TableName":"orders","Item":{{"id":{{"S":"{id}"}}}}}}"#)
}

fn traceparent(trace: &str, flags: &str) -> String {
    format!("traceparent: 00-{trace}-{PARENT}-{flags}\r\n")
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn attributes(span: &Span) -> BTreeMap<&str, &str> {
    span.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn a_put_its_transaction_and_its_commit_are_in_the_trace_of_the_caller() {
    let collector = Collector::start();
    let server = Server::start(&["--otlp", collector.url()], &[]);
    server.create_table();
    let headers = format!("{}tracestate: rojo=1\r\nUser-Agent: test/1\r\n", traceparent(TRACE, "01"));
    let answer = server.connect().call("PutItem", &headers, &put("a"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    server.stop();
    let spans: Vec<Span> = collector.spans().into_iter().filter(|span| span.trace == TRACE).collect();
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["DynamoDB.PutItem", "commit", "transaction"]));
    let [request, transaction, commit] =
        ["DynamoDB.PutItem", "transaction", "commit"].map(|name| named(&spans, name)[0]);
    assert_eq!(spans.len(), 3);
    assert_eq!(spans.iter().map(|span| &span.id).collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(
        (request.parent.as_str(), request.kind, request.state.as_deref()),
        (PARENT, SERVER, Some("rojo=1"))
    );
    for child in [transaction, commit] {
        assert_eq!((&child.parent, child.kind), (&request.id, INTERNAL));
        assert!(request.nanos.start <= child.nanos.start && child.nanos.end <= request.nanos.end);
    }
    assert!(transaction.nanos.end <= commit.nanos.start);
    let expected = [
        ("aws.dynamodb.table_names", "[orders]"),
        ("aws.request_id", &answer.request_id),
        ("db.collection.name", "orders"),
        ("db.operation.name", "PutItem"),
        ("db.system.name", "aws.dynamodb"),
        ("http.response.status_code", "200"),
        ("rpc.method", "PutItem"),
        ("rpc.service", "DynamoDB"),
        ("rpc.system", "aws-api"),
        ("user_agent.original", "test/1"),
    ];
    assert_eq!(attributes(request), BTreeMap::from(expected));
    assert_eq!(attributes(transaction), BTreeMap::new());
    let expected = [("db.operation.name", "COMMIT"), ("db.system.name", "sqlite"), ("pretender.jobs", "1")];
    assert_eq!(attributes(commit), BTreeMap::from(expected));
    assert_eq!(commit.links, []);
    assert_eq!(request.resource["service.name"], "pretender");
    assert_eq!(request.resource["service.version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn requests_that_fail_or_name_no_caller_have_spans_too() {
    let collector = Collector::start();
    // The variables of OpenTelemetry have their effect.
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()), ("OTEL_SERVICE_NAME", "database")];
    let server = Server::start(&["--control"], &variables);
    server.create_table();
    let condition = put("a").replacen('{', r#"{"ConditionExpression":"attribute_exists(id)","#, 1);
    let mut connection = server.connect();
    assert_eq!(connection.call("PutItem", &traceparent("not a trace", "01"), &condition).status, 400);
    assert_eq!(connection.call("Nothing", "", "{}").status, 400);
    assert_eq!(connection.call("Scan", &traceparent(TRACE, "01"), r#"{"TableName":"orders"}"#).status, 200);
    // The caller does not want this one to be traced.
    let other = "f".repeat(32);
    assert_eq!(connection.call("PutItem", &traceparent(&other, "00"), &put("b")).status, 200);
    server.stop();
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.trace != other && span.resource["service.name"] == "database"));

    let refused = named(&spans, "DynamoDB.PutItem")[0];
    assert_eq!((refused.parent.as_str(), refused.status), ("", 0));
    assert_eq!(refused.attributes["error.type"], "ConditionalCheckFailedException");
    assert_eq!(refused.attributes["http.response.status_code"], "400");
    let transactions: Vec<&Span> = spans.iter().filter(|span| span.parent == refused.id).collect();
    assert_eq!(transactions.len(), 1, "nothing is committed");
    assert_eq!(transactions[0].attributes["pretender.rolled_back"], "true");

    let unknown = named(&spans, "request")[0];
    assert_eq!(unknown.attributes["error.type"], "UnknownOperationException");
    assert_ne!(unknown.status, ERROR);
    let scan = named(&spans, "DynamoDB.Scan")[0];
    assert_eq!((scan.trace.as_str(), scan.parent.as_str()), (TRACE, PARENT));
    assert!(spans.iter().all(|span| span.parent != scan.id));
    // A definition runs on another thread.
    let create = named(&spans, "DynamoDB.CreateTable")[0];
    assert!(spans.iter().any(|span| span.name == "transaction" && span.parent == create.id));
}

#[test]
fn puts_that_share_a_commit_are_linked_to_it() {
    let collector = Collector::start();
    let variables = [("OTEL_BSP_MAX_QUEUE_SIZE", "100000")];
    let server = Server::start(&["--otlp", collector.url()], &variables);
    server.create_table();
    let mut connections: Vec<_> = (0..16).map(|_| server.connect()).collect();
    const ROUNDS: usize = 30;
    for round in 0..ROUNDS {
        for (number, connection) in connections.iter_mut().enumerate() {
            let trace = format!("{:032x}", 1 + round * 16 + number);
            connection.send("PutItem", &traceparent(&trace, "01"), &put(&trace));
        }
        connections.iter_mut().for_each(|connection| assert_eq!(connection.answer().status, 200));
    }
    server.stop();
    let spans = collector.spans();
    let requests = named(&spans, "DynamoDB.PutItem");
    assert_eq!(requests.len(), ROUNDS * 16);
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| ((&span.trace, &span.id), span)).collect();
    let is_request = |span: &Span| {
        by_id.get(&(&span.trace, &span.parent)).is_some_and(|parent| parent.name == "DynamoDB.PutItem")
    };
    let transactions = named(&spans, "transaction");
    assert_eq!(transactions.iter().filter(|span| is_request(span)).count(), ROUNDS * 16);
    // Each transaction is in one commit: of the same trace, or with a link.
    let commits: Vec<_> = named(&spans, "commit").into_iter().filter(|commit| is_request(commit)).collect();
    let mut linked = BTreeSet::new();
    for commit in &commits {
        assert_eq!(commit.attributes["pretender.jobs"], (commit.links.len() + 1).to_string());
        for (trace, id) in &commit.links {
            let transaction = by_id[&(trace, id)];
            assert!(transaction.name == "transaction" && *trace != commit.trace);
            assert!(linked.insert(&transaction.trace), "{trace} is in two commits");
        }
    }
    assert_eq!(commits.len() + linked.len(), ROUNDS * 16);
    assert!(commits.iter().all(|commit| !linked.contains(&commit.trace)));
    assert!(!linked.is_empty(), "no puts shared a commit");
}

#[test]
fn log_lines_stay_as_they_are() {
    let collector = Collector::start();
    for format in ["text", "json"] {
        let arguments = ["--otlp", collector.url(), "-l", "info,pdb_store=debug", "--log-format", format];
        let server = Server::start(&arguments, &[]);
        server.create_table();
        assert_eq!(server.connect().call("PutItem", &traceparent(TRACE, "01"), &put("a")).status, 200);
        let log = server.stop();
        let line = log.lines().find(|line| line.contains("PutItem")).unwrap();
        for word in ["request{", "request:", "transaction", "\"span\"", "\"spans\"", "otel"] {
            assert!(!line.contains(word), "{line}");
        }
        assert!(line.contains("pretender::calls"), "{line}");
    }
}

#[test]
fn nothing_is_sent_without_the_option() {
    let collector = Collector::start();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let cases: [(&[_], &str); 3] = [
        (&[], ""),
        (&[endpoint, ("OTEL_SDK_DISABLED", "true")], ""),
        (&[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`"),
    ];
    for (variables, logged) in cases {
        let server = Server::start(&[], variables);
        server.create_table();
        let log = server.stop();
        assert!(log.contains(logged) && log.is_empty() == logged.is_empty(), "{log}");
    }
    assert!(collector.spans().is_empty());
}

#[test]
fn a_collector_that_is_not_there_costs_a_line_in_the_log() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    // Each span is a batch of its own.
    let server = Server::start(&["--otlp", &url], &[("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")]);
    server.create_table();
    for number in 0..20 {
        assert_eq!(server.connect().call("PutItem", "", &put(&number.to_string())).status, 200);
    }
    let log = server.stop();
    let lost: Vec<&str> = log.lines().collect();
    assert_eq!(lost.len(), 1, "{log}");
    assert!(lost[0].contains("traces are lost") && lost[0].contains(&url), "{log}");
}
