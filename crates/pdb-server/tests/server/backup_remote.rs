//! Backups through a running server: who gets one, and what is left of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pdb_server::{Regions, RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::items::PutItemInput;
use pretender::model::{Item, ScalarType};
use pretender::tables::CreateTableInput;

use crate::backup::{check_refused, made, names, orders};
use crate::harness::{Connection, exchange, server_with};

/// How long the server may take to notice that a client is gone.
const PATIENCE: Duration = Duration::from_secs(20);

fn command(headers: &str) -> String {
    format!(
        "POST /_pretender/backup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: 2\r\n\r\n{{}}"
    )
}

fn status(address: SocketAddr, request: &str) -> (u16, String) {
    let answer = exchange(address, request);
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

#[test]
fn only_programs_that_know_the_token_get_a_backup() {
    for token in [None, Some("secret-secret-secret")] {
        let control_token = token.map(|token| token.parse().unwrap());
        let server = server_with(ServerOptions { control_token, ..ServerOptions::default() });
        let address = server.address();
        for (headers, expected) in [
            ("Origin: http://localhost:3000\r\n", "not taken from web pages"),
            ("Sec-Fetch-Site: cross-site\r\n", "not taken from web pages"),
        ] {
            let (status, text) = status(address, &command(headers));
            assert!(status == 403 && text.contains(expected), "{status}: {text}");
        }
        let plain = command("").replace("application/json", "text/plain");
        assert_eq!(status(address, &plain).0, 415);
        assert_eq!(status(address, &command("").replace("localhost", "evil.example")).0, 403);
        // What only looks is no backup, so that no link leads to one.
        let get = "GET /_pretender/backup HTTP/1.1\r\nHost: localhost\r\n\r\n";
        assert_eq!(status(address, get).0, 404);
        let folder = tempfile::tempdir().unwrap();
        let (endpoint, target) = (server.url(), folder.path().join("backup.db"));
        match token {
            None => assert_eq!(status(address, &command("")).0, 200),
            Some(token) => {
                assert_eq!(status(address, &command("")).0, 401);
                assert_eq!(status(address, &command(&format!("Authorization: Bearer {token}\r\n"))).0, 200);
                check_refused(&["--endpoint", &endpoint], &target, "this server's commands need its token");
                check_refused(
                    &["--endpoint", &endpoint, "--token", "other-other-other-other"],
                    &target,
                    "token",
                );
            }
        }
        let with_token = token.map(|token| ["--token", token]);
        let arguments =
            [&["--endpoint", &endpoint][..], with_token.as_ref().map_or(&[], |it| &it[..])].concat();
        let said = made(&arguments, &target);
        assert!(said.starts_with("Backed up 0 tables with 0 items, "), "{said}");
        check_refused(&arguments, &target, "exists already");
        assert_eq!(names(folder.path()), ["backup.db"]);
    }
}

#[test]
fn a_server_that_others_reach_gives_no_backup_unless_that_is_wanted() {
    for (token, expected) in [(None, 403), (Some("secret-secret-secret"), 200)] {
        let host = std::net::Ipv4Addr::UNSPECIFIED.into();
        let control_token = token.map(|token| token.parse().unwrap());
        let server = server_with(ServerOptions { host, control_token, ..ServerOptions::default() });
        let address = SocketAddr::from(([127, 0, 0, 1], server.address().port()));
        let header = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let (status, text) = status(address, &command(&header));
        assert_eq!(status, expected, "{text}");
        assert!(status == 200 || text.contains("unless it is started with `--control` or a token"), "{text}");
    }
}

#[test]
fn only_a_pretender_server_makes_backups() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("backup.db");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
            let _ = std::io::Write::write_all(&mut stream, answer);
        });
        check_refused(&["--endpoint", &address], &target, "does not support backups: it is not pretender");
    });
    check_refused(&["--endpoint", "127.0.0.1:1"], &target, "is `pretender serve` running?");
    check_refused(&["--endpoint", "aws"], &target, "AWS");
    assert!(names(folder.path()).is_empty());
}

/// What is left unread of a request ends its connection, and what is still to be sent with it.
#[test]
fn the_body_of_the_request_may_come_late() {
    let server = server_with(ServerOptions::default());
    for _ in 0..5 {
        let mut connection = Connection::to(server.address());
        let (head, body) = command("").split_once("{}").map(|(head, _)| (head.to_owned(), "{}")).unwrap();
        connection.send(head);
        // Another request is answered meanwhile: the first one is not before it is complete.
        assert_eq!(exchange(server.address(), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
        connection.send(body);
        let answer = connection.answer();
        assert_eq!((answer.status, answer.body.len() % 4096), (200, 0));
    }
}

/// A database that does not fit between the server and a client that reads nothing.
fn large(db: &Pretender) {
    db.create_table(CreateTableInput::new(orders(), ("pk", ScalarType::S), None)).unwrap();
    for key in 0..80 {
        let item = Item::new().with("pk", format!("{key}")).with("x", "x".repeat(390_000));
        db.put_item(PutItemInput::new(orders(), item)).unwrap();
    }
}

#[test]
fn one_backup_at_a_time_is_fetched_and_nothing_is_left_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let db = Pretender::open(folder.path().join("orders.db")).unwrap();
    large(&db);
    let before = names(folder.path()).len();
    let server: RunningServer = Server::start(db.clone(), ServerOptions::default()).unwrap();
    let mut slow = Connection::to(server.address());
    slow.send(command(""));
    assert!(slow.line().contains("200 OK"));
    let (status_now, text) = status(server.address(), &command(""));
    assert!(status_now == 409 && text.contains("another backup is being made or fetched"), "{text}");
    // The client goes away; its file with it, and the next one gets a backup.
    drop(slow);
    let begun = Instant::now();
    while status(server.address(), &command("")).0 != 200 {
        assert!(begun.elapsed() < PATIENCE, "the server does not notice that its client is gone");
    }
    assert_eq!(names(folder.path()).len(), before);
    server.stop();
    db.close();
}

#[test]
fn used_regions_are_named_and_fetched_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Pretender::builder().in_memory().region("eu-west-1");
    let home = builder.clone().open().unwrap();
    let regions = Regions::separate(home, move |region| builder.clone().in_region(region).open());
    let server = Server::start(regions, ServerOptions::default()).unwrap();
    let there = crate::harness::SIGNED.replace("us-east-1", "us-west-2");
    let list = crate::harness::request_with(
        &there,
        "application/x-amz-json-1.0",
        "DynamoDB_20120810.ListTables",
        "{}",
    );
    assert_eq!(exchange(server.address(), list).status, 200);
    let target = folder.path().join("all.db");
    let arguments = ["--endpoint", &server.url()];
    let output = crate::backup::backup(&arguments, &target);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && stderr.contains("us-west-2. Add --all-regions"), "{stderr}");
    let said = made(&[&arguments[..], &["--all-regions", "--force"]].concat(), &target);
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(folder.path().join("all.us-west-2.db").exists());
    let elsewhere = [&arguments[..], &["--region", "ap-south-1"]].concat();
    check_refused(&elsewhere, &folder.path().join("other.db"), "was not used since the server was started");
}
