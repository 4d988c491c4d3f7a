//! The console over HTTP, as far as no browser is needed to see it.

use std::net::SocketAddr;

use pdb_server::ServerOptions;

use crate::control::ControlledServer;
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

#[test]
fn only_forms_of_its_own_pages_change_anything() {
    let controlled = ControlledServer::new();
    let address = controlled.server.address();
    let page = get(address, "new-item?table=Orders");
    let (_, rest) = page.text().split_once("name=\"form_token\" value=\"").unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    let form = "application/x-www-form-urlencoded";
    let own = format!("Origin: http://{address}\r\nSec-Fetch-Site: same-origin\r\n");
    let send = |content_type: &str, headers: &str, token: &str| {
        let body = format!("form_token={token}&format=plain&item=%7B%22pk%22%3A%22a%22%7D");
        let mut connection = Connection::to(address);
        connection.send(format!(
            "POST /_pretender/console/new-item?table=Orders HTTP/1.1\r\nHost: {address}\r\nContent-Type: {content_type}\r\n\
             {headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        connection.answer().status
    };
    let has_item = || get(address, "items?table=Orders").text().contains("<strong>1 item</strong>");
    assert_eq!(send(form, &own, ""), 403);
    assert_eq!(send(form, &own, &"0".repeat(64)), 403);
    assert_eq!(send("text/plain", &own, token), 415);
    assert_eq!(send("application/json", &own, token), 415);
    assert_eq!(send(form, "Origin: http://localhost:3000\r\n", token), 403);
    assert_eq!(send(form, "Origin: null\r\n", token), 403);
    assert_eq!(send(form, "Sec-Fetch-Site: same-site\r\n", token), 403);
    assert!(!has_item());
    assert_eq!(send(form, &own, token), 303);
    assert!(has_item());
}

#[test]
fn a_link_of_another_site_leads_to_pages_and_to_nothing_that_costs_much() {
    let server = server();
    let link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    for (page, status) in [("", 200), ("partiql", 200), ("export?table=Orders", 403), ("events?arn=x", 403)] {
        let mut connection = Connection::to(server.address());
        connection.send(format!("GET /_pretender/console/{page} HTTP/1.1\r\nHost: localhost\r\n{link}\r\n"));
        assert_eq!(connection.answer().status, status, "{page}");
    }
}
