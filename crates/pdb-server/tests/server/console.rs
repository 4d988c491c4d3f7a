//! The console over HTTP, as far as no browser is needed to see it.

use std::net::SocketAddr;

use pdb_server::ServerOptions;

use crate::harness::{Answer, Connection, server, server_with};

fn get(address: SocketAddr, page: &str) -> Answer {
    let mut connection = Connection::to(address);
    connection.send(format!("GET /_pretender/console/{page} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    connection.answer()
}

#[test]
fn without_the_token_there_are_only_the_files_of_the_pages() {
    let token = Some("correct-horse".parse().unwrap());
    let server = server_with(ServerOptions { control_token: token, ..ServerOptions::default() });
    for (page, status) in [
        ("console.css", 200),
        ("console.js", 200),
        ("stream.js", 200),
        ("", 401),
        ("table?name=Orders", 401),
        ("events?arn=x", 401),
        ("console.x", 401),
        ("console.css/..", 401),
    ] {
        let answer = get(server.address(), page);
        assert_eq!(answer.status, status, "{page}");
        assert!(!answer.text().contains("aria-label=\"Console\""), "{page} has the navigation");
    }
}

#[test]
fn everything_that_is_shown_is_protected() {
    let server = server();
    for page in ["", "console.css", "nonsense", "events?arn=x"] {
        let answer = get(server.address(), page);
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{page}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{page}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{page}");
    }
}
