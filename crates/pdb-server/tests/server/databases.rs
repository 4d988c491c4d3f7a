//! Named databases: requests name one by their path or by their access key ID, and see nothing of another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pdb_server::{ControlToken, NamedDatabase, NamedDatabases, RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::time::{EpochMillis, ManualClock};
use serde_json::{Value, json};

use crate::binary::{Process, pretender};
use crate::ctl::{check_refused, ctl_output};
use crate::harness::{Answer, SIGNED, exchange};

/// A server whose databases count how many were opened.
struct Served {
    server: RunningServer,
    databases: NamedDatabases,
    opened: Arc<AtomicUsize>,
}

impl Served {
    fn new() -> Self {
        Self::with(None, ServerOptions::default())
    }

    fn with(idle: Option<Duration>, options: ServerOptions) -> Self {
        let opened = Arc::new(AtomicUsize::new(0));
        let counter = opened.clone();
        let databases = NamedDatabases::new(idle, move |_name| {
            counter.fetch_add(1, Ordering::SeqCst);
            let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
            let builder = Pretender::builder().in_memory().clock(clock.clone()).sweep_interval(None);
            Ok(NamedDatabase { regions: builder.open()?.into(), clock: Some(clock) })
        });
        let clock = Arc::new(ManualClock::running());
        let home = Pretender::builder().clock(clock.clone()).open().unwrap();
        let options = ServerOptions { databases: Some(databases.clone()), control: Some(clock), ..options };
        Self { server: Server::start(home, options).unwrap(), databases, opened }
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    fn names(&self) -> Vec<String> {
        names(self.server.address())
    }
}

/// A call to a path, with headers besides those that each call has.
fn call(address: SocketAddr, path: &str, headers: &str, operation: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let target = if operation == "ListStreams" { "DynamoDBStreams_20120810" } else { "DynamoDB_20120810" };
    exchange(
        address,
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: \
             {target}.{operation}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
}

/// The headers of a call that is signed with an access key ID.
fn signed_with(key_id: &str) -> String {
    SIGNED.replace("Credential=key/", &format!("Credential={key_id}/"))
}

/// The answer to a call with a path that succeeds.
#[track_caller]
fn answer(address: SocketAddr, path: &str, operation: &str, body: &Value) -> Value {
    let answer = call(address, path, SIGNED, operation, body);
    assert_eq!(answer.status, 200, "{path} {operation}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// A command, which may name a database in its path.
fn command(address: SocketAddr, path: &str, headers: &str, body: Option<&Value>) -> (u16, Value) {
    let answer = match body {
        None => exchange(address, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")),
        Some(body) => {
            let body = body.to_string();
            let length = body.len();
            exchange(
                address,
                format!(
                    "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: \
                     {length}\r\n\r\n{body}"
                ),
            )
        }
    };
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

fn names(address: SocketAddr) -> Vec<String> {
    let (status, listed) = command(address, "/_pretender/databases", "", None);
    assert_eq!(status, 200, "{listed}");
    let listed = listed["databases"].as_array().unwrap().iter();
    listed.map(|database| database["name"].as_str().unwrap().to_owned()).collect()
}

fn orders() -> Value {
    json!({
        "TableName": "Orders",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    })
}

fn put(address: SocketAddr, path: &str, key: &str) {
    answer(address, path, "PutItem", &json!({ "TableName": "Orders", "Item": { "pk": { "S": key } } }));
}

/// The keys in the table of a database.
#[track_caller]
fn keys(address: SocketAddr, path: &str) -> Vec<String> {
    let found = answer(address, path, "Scan", &json!({ "TableName": "Orders" }));
    let items = found["Items"].as_array().unwrap().iter();
    items.map(|item| item["pk"]["S"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_name_has_its_tables_and_streams() {
    let served = Served::new();
    let address = served.server.address();
    for name in ["a", "b"] {
        let path = format!("/db/{name}");
        answer(address, &path, "CreateTable", &orders());
        // With and without a final slash, as SDKs send it.
        put(address, &format!("{path}/"), name);
    }
    assert_eq!(
        (keys(address, "/db/a"), keys(address, "/db/b/")),
        (vec!["a".to_owned()], vec!["b".to_owned()])
    );
    assert_eq!(answer(address, "/", "ListTables", &json!({}))["TableNames"], json!([]));
    for path in ["/db/a", "/db/b"] {
        assert_eq!(answer(address, path, "ListStreams", &json!({}))["Streams"].as_array().unwrap().len(), 1);
    }
    answer(address, "/db/a", "DeleteTable", &json!({ "TableName": "Orders" }));
    assert_eq!(keys(address, "/db/b"), ["b"]);
    // The call before this one, with the key ID `key` and without a path, has used a database as well.
    assert_eq!(served.names(), ["a", "b", "key"]);
    assert_eq!(served.opened(), 3);
}

#[test]
fn an_access_key_id_names_a_database_unless_the_path_does() {
    let served = Served::new();
    let address = served.server.address();
    let tables = |path: &str, key_id: &str| {
        let answer = call(address, path, &signed_with(key_id), "ListTables", &json!({}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_slice::<Value>(&answer.body).unwrap()["TableNames"].clone()
    };
    let created = call(address, "/", &signed_with("test-1"), "CreateTable", &orders());
    assert_eq!(created.status, 200);
    assert_eq!(tables("/", "test-1"), json!(["Orders"]));
    assert_eq!(tables("/db/test-1", "other"), json!(["Orders"]));
    assert_eq!(tables("/db/other", "test-1"), json!([]));
    assert_eq!(tables("/", "AKIAIOSFODNN7EXAMPLE"), json!([]));
    // In a query, too.
    let query =
        "/?X-Amz-Algorithm=x&X-Amz-Credential=test-1%2F20260301%2Fus-east-1%2Fdynamodb%2Faws4_request";
    let answer = call(address, query, "", "ListTables", &json!({}));
    assert_eq!((answer.status, answer.text()), (200, r#"{"TableNames":["Orders"]}"#));
    // The server's own database has a name, which opens no other.
    assert_eq!(tables("/", "pretender"), json!([]));
    assert_eq!(tables("/db/pretender", "test-1"), json!([]));
    assert_eq!(served.names(), ["AKIAIOSFODNN7EXAMPLE", "other", "test-1"]);
}

#[test]
fn invalid_names_are_refused_and_open_nothing() {
    let served = Served::new();
    let address = served.server.address();
    let long = "x".repeat(65);
    for name in ["", "-a", ".", "..", "a%2Fb", "a%20b", "a:b", &long] {
        let refused = call(address, &format!("/db/{name}"), SIGNED, "ListTables", &json!({}));
        assert_eq!(refused.status, 400, "{name}");
        let text = refused.text();
        assert!(
            text.contains("UnrecognizedClientException") && text.contains("cannot be the name"),
            "{text}"
        );
        let (status, refused) = command(address, &format!("/db/{name}/_pretender/clock"), "", None);
        assert_eq!(status, 400, "{name}: {refused}");
    }
    let refused = call(address, "/", &signed_with("a+b"), "ListTables", &json!({}));
    assert_eq!(refused.status, 400);
    // Only a call that would be carried out opens a database.
    for (headers, operation, status) in [("", "ListTables", 400), (SIGNED, "NoSuchCall", 400)] {
        assert_eq!(call(address, "/db/a", headers, operation, &json!({})).status, status);
    }
    assert_eq!(call(address, "/db/a/x", SIGNED, "ListTables", &json!({})).status, 404);
    assert_eq!(served.opened(), 0);
}

#[test]
fn each_database_has_its_clock_faults_and_snapshots() {
    let served = Served::new();
    let address = served.server.address();
    for path in ["/db/a", "/db/b"] {
        answer(address, path, "CreateTable", &orders());
    }
    let clock =
        |path: &str| command(address, &format!("{path}/_pretender/clock"), "", None).1["time"].clone();
    let execute = |path: &str, body: Value| {
        let (status, answer) = command(address, path, "", Some(&body));
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    };
    execute("/db/a/_pretender/clock/advance", json!({ "duration": "1h" }));
    assert_eq!(clock("/db/a"), "2026-03-01T10:15:42.017Z");
    assert_eq!(clock("/db/b"), "2026-03-01T09:15:42.017Z");

    execute("/db/a/_pretender/snapshots/save", json!({ "name": "empty" }));
    let fault = json!({ "kind": "throttling", "operations": ["PutItem"], "times": 1 });
    execute("/db/a/_pretender/faults/add", fault);
    put(address, "/db/b", "b");
    let item = json!({ "TableName": "Orders", "Item": { "pk": { "S": "a" } } });
    assert_eq!(call(address, "/db/a", SIGNED, "PutItem", &item).status, 400);
    put(address, "/db/a", "a");
    let (status, answer) =
        command(address, "/db/b/_pretender/snapshots/restore", "", Some(&json!({ "name": "empty" })));
    assert_eq!(status, 404, "{answer}");
    execute("/db/a/_pretender/snapshots/restore", json!({ "name": "empty" }));
    execute("/db/b/_pretender/shards/split", json!({ "table": "Orders" }));
    assert_eq!((keys(address, "/db/a"), keys(address, "/db/b")), (vec![], vec!["b".to_owned()]));
    let shards = |path: &str| {
        let listed = execute(&format!("{path}/_pretender/shards/list"), json!({ "table": "Orders" }));
        listed["shards"].as_array().unwrap().len()
    };
    assert_eq!((shards("/db/a"), shards("/db/b")), (1, 3));
    // `reset` of the server's own database is not a reset of the others.
    execute("/_pretender/reset", json!({}));
    assert_eq!(keys(address, "/db/b"), ["b"]);
}

#[test]
fn a_database_that_is_dropped_begins_anew() {
    let served = Served::new();
    let address = served.server.address();
    answer(address, "/db/a", "CreateTable", &orders());
    let drop_it =
        |name: &str| command(address, "/_pretender/databases/drop", "", Some(&json!({ "name": name })));
    assert_eq!(drop_it("a"), (200, json!({ "dropped": true })));
    assert_eq!(drop_it("a"), (200, json!({ "dropped": false })));
    assert_eq!(served.names(), [""; 0]);
    assert_eq!(answer(address, "/db/a", "ListTables", &json!({}))["TableNames"], json!([]));
    assert_eq!(served.opened(), 2);
    let (status, refused) = drop_it("pretender");
    assert!(status == 400 && refused["error"].as_str().unwrap().contains("own database"), "{refused}");
    for (path, body) in [
        ("/_pretender/databases/drop", json!({})),
        ("/_pretender/databases/drop", json!({ "name": 1 })),
        ("/_pretender/databases/drop", json!({ "name": "a", "more": 1 })),
    ] {
        assert_eq!(command(address, path, "", Some(&body)).0, 400, "{path} {body}");
    }
    assert_eq!(command(address, "/_pretender/databases/drop", "", None).0, 404);
    assert_eq!(command(address, "/_pretender/databases", "", Some(&json!({}))).0, 404);
    assert_eq!(command(address, "/db/pretender/_pretender/databases", "", None).0, 200);
    // These commands are the server's, so a database does not have them.
    assert_eq!(command(address, "/db/a/_pretender/databases", "", None).0, 404);
}

#[test]
fn only_commands_that_exist_and_no_browser_open_databases() {
    let served = Served::new();
    let address = served.server.address();
    let browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/120.0\r\n";
    for (path, headers, body) in [
        ("/db/a/_pretender/nonsense", "", None),
        ("/db/a/_pretender/clock/hold", "", None),
        ("/db/a/_pretender/clock", "", Some(json!({}))),
        ("/db/a/_pretender/backup", "", Some(json!({}))),
        ("/db/a/_pretender/clock", browser, None),
        ("/db/a/_pretender/faults", browser, None),
    ] {
        let (status, refused) = command(address, path, headers, body.as_ref());
        assert_eq!((status, &refused), (404, &json!({ "error": "no database `a` is open" })), "{path}");
    }
    for method in ["HEAD", "OPTIONS", "PUT"] {
        let request = format!(
            "{method} /db/a/_pretender/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        );
        assert_eq!(exchange_head(address, &request), 404, "{method}");
    }
    assert_eq!(served.opened(), 0);
    assert_eq!(command(address, "/db/a/_pretender/clock", "", None).0, 200);
    assert_eq!(command(address, "/db/a/_pretender/clock", browser, None).0, 200);
    assert_eq!(served.opened(), 1);
    // The host is checked as for any other request.
    let foreign = "GET /db/b/_pretender/clock HTTP/1.1\r\nHost: example.com\r\n\r\n";
    assert_eq!(exchange(address, foreign).status, 403);
    assert_eq!(served.opened(), 1);
}

/// The status of an answer that may have no body.
fn exchange_head(address: SocketAddr, request: &str) -> u16 {
    let mut connection = crate::harness::Connection::to(address);
    connection.send(request);
    connection.status_unless_cut().unwrap()
}

#[test]
fn databases_of_a_server_without_control_have_no_commands() {
    let databases = NamedDatabases::new(None, |_name| {
        Ok(NamedDatabase {
            regions: Pretender::in_memory()?.into(),
            clock: Some(Arc::new(ManualClock::running())),
        })
    });
    let options = ServerOptions { databases: Some(databases), ..ServerOptions::default() };
    let server = Server::start(Pretender::in_memory().unwrap(), options).unwrap();
    let address = server.address();
    answer(address, "/db/a", "CreateTable", &orders());
    for (path, body) in [("/db/a/_pretender/clock", None), ("/db/a/_pretender/reset", Some(json!({})))] {
        assert_eq!(command(address, path, "", body.as_ref()).0, 404, "{path}");
    }
    assert_eq!(answer(address, "/db/a", "ListTables", &json!({}))["TableNames"], json!(["Orders"]));
    assert_eq!(names(address), ["a"]);
}

#[test]
fn a_call_that_waits_for_an_opening_is_not_lost() {
    // The first opening fails while a second call waits for it. What that call writes must be there afterwards.
    let (at_work, is_at_work) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<bool>();
    let may_go_on = std::sync::Mutex::new(may_go_on);
    let databases = NamedDatabases::new(None, move |_name| {
        at_work.send(()).unwrap();
        if !may_go_on.lock().unwrap().recv().unwrap() {
            return Err("the schema has a mistake".into());
        }
        Ok(NamedDatabase { regions: Pretender::in_memory()?.into(), clock: None })
    });
    let options = ServerOptions { databases: Some(databases), ..ServerOptions::default() };
    let server = Server::start(Pretender::in_memory().unwrap(), options).unwrap();
    let address = server.address();
    std::thread::scope(|scope| {
        let first = scope.spawn(move || call(address, "/db/a", SIGNED, "CreateTable", &orders()));
        is_at_work.recv().unwrap();
        let second = scope.spawn(move || call(address, "/db/a", SIGNED, "CreateTable", &orders()));
        // Give the second call the time to wait.
        std::thread::park_timeout(Duration::from_millis(100));
        go_on.send(false).unwrap();
        is_at_work.recv().unwrap();
        go_on.send(true).unwrap();
        let refused = first.join().unwrap();
        assert!(
            refused.status == 500 && refused.text().contains("the schema has a mistake"),
            "{}",
            refused.text()
        );
        assert_eq!(second.join().unwrap().status, 200);
        assert_eq!(answer(address, "/db/a", "ListTables", &json!({}))["TableNames"], json!(["Orders"]));

        // A database that is dropped while it is opened is opened anew for the call that waits.
        let late = scope.spawn(move || call(address, "/db/b", SIGNED, "CreateTable", &orders()));
        is_at_work.recv().unwrap();
        let body = json!({ "name": "b" });
        assert_eq!(
            command(address, "/_pretender/databases/drop", "", Some(&body)).1,
            json!({ "dropped": false })
        );
        go_on.send(true).unwrap();
        is_at_work.recv().unwrap();
        go_on.send(true).unwrap();
        assert_eq!(late.join().unwrap().status, 200);
        assert_eq!(answer(address, "/db/b", "ListTables", &json!({}))["TableNames"], json!(["Orders"]));
    });
}

#[test]
fn ctl_lists_and_drops_databases() {
    let served = Served::new();
    let (address, url) = (served.server.address(), served.server.url());
    assert_eq!(ctl_output(&url, &["database", "list"]), "No named database is open\n");
    answer(address, "/db/b", "CreateTable", &orders());
    answer(address, "/db/a", "ListTables", &json!({}));
    assert_eq!(ctl_output(&url, &["database", "list"]), "a  idle for 0 s\nb  idle for 0 s\n");
    // The other commands find the database in the path of the endpoint.
    let below = format!("{url}/db/b");
    assert!(ctl_output(&below, &["shards", "list", "Orders"]).contains("open"));
    check_refused(&url, &["shards", "list", "Orders"], "Orders");
    assert_eq!(ctl_output(&url, &["database", "drop", "a"]), "Dropped\n");
    assert_eq!(ctl_output(&url, &["database", "drop", "a"]), "There was no such database\n");
    check_refused(&below, &["database", "list"], "there is no command");
    assert_eq!(served.names(), ["b"]);
}

#[test]
fn databases_that_are_not_used_are_dropped() {
    let served = Served::with(Some(Duration::from_millis(400)), ServerOptions::default());
    let address = served.server.address();
    answer(address, "/db/idle", "CreateTable", &orders());
    let end = std::time::Instant::now() + Duration::from_secs(30);
    while served.names().contains(&"idle".to_owned()) {
        assert!(std::time::Instant::now() < end, "it is still there");
        // A database that is used stays.
        answer(address, "/db/used", "ListTables", &json!({}));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    assert_eq!((served.names(), served.opened()), (vec!["used".to_owned()], 2));
    assert_eq!(answer(address, "/db/idle", "ListTables", &json!({}))["TableNames"], json!([]));
}

#[test]
fn web_pages_and_strangers_open_and_drop_nothing() {
    let token: ControlToken = "s3cret-token-of-this-test".parse().unwrap();
    let served = Served::with(None, ServerOptions { control_token: Some(token), ..ServerOptions::default() });
    let address = served.server.address();
    let page = format!("{SIGNED}Origin: http://evil.example\r\n");
    assert_eq!(call(address, "/db/a", &page, "ListTables", &json!({})).status, 403);
    let body = json!({ "name": "a" });
    for (headers, status) in
        [("Origin: http://localhost:3000\r\n", 403), ("", 401), ("X-Pretender-Token: x\r\n", 401)]
    {
        for path in ["/_pretender/databases/drop", "/db/a/_pretender/reset", "/db/a/_pretender/clock/hold"] {
            assert_eq!(command(address, path, headers, Some(&body)).0, status, "{path} {headers}");
        }
        assert_eq!(command(address, "/_pretender/databases", headers, None).0, status, "{headers}");
        assert_eq!(command(address, "/db/a/_pretender/clock", headers, None).0, status, "{headers}");
    }
    assert_eq!(served.opened(), 0);
    let known = "X-Pretender-Token: s3cret-token-of-this-test\r\n";
    assert_eq!(command(address, "/db/a/_pretender/clock/hold", known, Some(&json!({}))).0, 200);
    assert_eq!(
        command(address, "/_pretender/databases/drop", known, Some(&body)).1,
        json!({ "dropped": true })
    );
}

#[test]
fn many_databases_are_used_at_the_same_time() {
    let served = Served::new();
    let address = served.server.address();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for n in 0..25 {
                    // Two threads use each database; only one of them creates the table.
                    let name = format!("/db/test-{}-{n}", thread / 2);
                    if thread % 2 == 0 {
                        answer(address, &name, "CreateTable", &orders());
                        put(address, &name, &name);
                        assert_eq!(keys(address, &name), [name]);
                    } else {
                        answer(address, &name, "ListTables", &json!({}));
                    }
                }
            });
        }
    });
    assert_eq!((served.opened(), served.names().len()), (100, 100));
    // Those who are late are told so, instead of a panic.
    served.databases.close();
    let refused = call(address, "/db/late", SIGNED, "ListTables", &json!({}));
    assert_eq!(refused.status, 503, "{}", refused.text());
}

#[test]
fn the_number_of_databases_is_limited() {
    let shared = Pretender::in_memory().unwrap();
    let databases = NamedDatabases::new(None, move |_name| {
        Ok(NamedDatabase { regions: shared.clone().into(), clock: None })
    });
    let options = ServerOptions { databases: Some(databases), ..ServerOptions::default() };
    let server = Server::start(Pretender::in_memory().unwrap(), options).unwrap();
    let mut connection = crate::harness::Connection::to(server.address());
    let mut list = |n: usize| {
        connection.send(format!(
            "POST /db/n{n} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: \
             DynamoDB_20120810.ListTables\r\n{SIGNED}Content-Length: 2\r\n\r\n{{}}"
        ));
        connection.answer()
    };
    for n in 0..4096 {
        assert_eq!(list(n).status, 200, "{n}");
    }
    let refused = list(4096);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("LimitExceededException"), "{}", refused.text());
    assert_eq!(list(17).status, 200);
}

#[test]
fn a_database_that_cannot_be_opened_is_tried_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counter = tries.clone();
    let databases = NamedDatabases::new(None, move |_name| {
        if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err("the schema has a mistake".into());
        }
        Ok(NamedDatabase { regions: Pretender::in_memory()?.into(), clock: None })
    });
    let options = ServerOptions { databases: Some(databases), ..ServerOptions::default() };
    let server = Server::start(Pretender::in_memory().unwrap(), options).unwrap();
    let refused = call(server.address(), "/db/a", SIGNED, "ListTables", &json!({}));
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert_eq!(names(server.address()), [""; 0]);
    answer(server.address(), "/db/a", "ListTables", &json!({}));
    assert_eq!(tries.load(Ordering::SeqCst), 2);
}

#[test]
fn a_server_without_them_says_how_to_get_them() {
    let clock = Arc::new(ManualClock::running());
    let pretender = Pretender::builder().clock(clock.clone()).open().unwrap();
    let options = ServerOptions { control: Some(clock), ..ServerOptions::default() };
    let server = Server::start(pretender, options).unwrap();
    let refused = call(server.address(), "/db/a", SIGNED, "ListTables", &json!({}));
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("`--databases`"), "{}", refused.text());
    let (status, refused) = command(server.address(), "/db/a/_pretender/clock", "", None);
    assert!(status == 404 && refused["error"].as_str().unwrap().contains("`--databases`"), "{refused}");
    assert_eq!(command(server.address(), "/_pretender/databases", "", None).0, 404);
}

#[test]
fn the_program_gives_each_database_the_same_tables_and_items() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orders.json"), orders().to_string()).unwrap();
    std::fs::write(folder.path().join("Orders.jsonl"), r#"{"pk": "seeded"}"#).unwrap();
    let mut process = Process::start(pretender().current_dir(folder.path()).args([
        "serve",
        "-p",
        "0",
        "-d",
        "own.db",
        "--databases",
        "--control",
        "--separate-regions",
        "--schema",
        "orders.json",
        "--seed",
        "Orders.jsonl",
    ]));
    let address = process.address();
    for path in ["/db/pretender", "/db/a", "/db/b"] {
        assert_eq!(keys(address, path), ["seeded"], "{path}");
        put(address, path, path);
    }
    assert_eq!(keys(address, "/db/a").len(), 2);
    // Regions are separate in each database.
    let west = call(address, "/db/a", &SIGNED.replace("us-east-1", "us-west-2"), "ListTables", &json!({}));
    assert_eq!(west.text(), r#"{"TableNames":[]}"#);
    let clocks = ["/db/a", "/db/b"].map(|path| {
        let (status, clock) = command(
            address,
            &format!("{path}/_pretender/clock/advance"),
            "",
            Some(&json!({ "duration": "1d" })),
        );
        assert_eq!(status, 200, "{clock}");
        clock["epoch_millis"].as_i64().unwrap()
    });
    let own = command(address, "/_pretender/clock", "", None).1["epoch_millis"].as_i64().unwrap();
    assert!(
        clocks.iter().all(|clock| (80_000_000..100_000_000).contains(&(clock - own))),
        "{clocks:?} {own}"
    );
    assert!(process.stop("-TERM").success());
    // Only the server's own database is in files.
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    files.retain(|name| !name.starts_with("own.db") && !name.starts_with("own."));
    files.sort_unstable();
    assert_eq!(files, ["Orders.jsonl", "orders.json"]);
}
