use hyper::Request;

use super::*;

fn guard() -> Guard {
    Guard::new(&ServerOptions::default())
}

fn with_token() -> Guard {
    let token = Some("correct-horse".parse().unwrap());
    Guard::new(&ServerOptions { control_token: token, ..ServerOptions::default() })
}

/// The head of a request, of a method, a target and headers.
fn head(head: &str) -> Parts {
    let mut lines = head.lines().map(str::trim);
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap();
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    request.body(()).unwrap().into_parts().0
}

/// The status with which a command is refused; 200 if it is not.
fn commanded(guard: &Guard, headers: &str) -> (u16, u16) {
    let status = |line: &str| {
        let parts = head(&format!("{line}\n{headers}"));
        guard.check_command(&parts).map_or_else(|refused| refused.status.as_u16(), |()| 200)
    };
    (status("GET /_pretender/clock"), status("POST /_pretender/reset"))
}

#[test]
fn commands_come_from_programs() {
    const JSON: &str = "Content-Type: application/json";
    for (headers, statuses) in [
        (JSON.to_owned(), (200, 200)),
        ("Content-Type: application/json; charset=utf-8".to_owned(), (200, 200)),
        ("Content-Type: Application/JSON".to_owned(), (200, 200)),
        // What a form, `fetch` without a preflight, `sendBeacon` and curl's `-d` can send.
        (String::new(), (200, 415)),
        ("Content-Type: text/plain".to_owned(), (200, 415)),
        ("Content-Type: text/plain;charset=UTF-8".to_owned(), (200, 415)),
        ("Content-Type: application/x-www-form-urlencoded".to_owned(), (200, 415)),
        ("Content-Type: multipart/form-data; boundary=application/json".to_owned(), (200, 415)),
        ("Content-Type: text/plain; application/json".to_owned(), (200, 415)),
        ("Content-Type: application/x-amz-json-1.0".to_owned(), (200, 415)),
        // Where it comes from, as browsers say.
        (format!("{JSON}\nOrigin: https://example.com"), (403, 403)),
        (format!("{JSON}\nOrigin: http://localhost:3000"), (403, 403)),
        (format!("{JSON}\nOrigin: http://127.0.0.1:8000\nSec-Fetch-Site: same-origin"), (403, 403)),
        (format!("{JSON}\nOrigin: null"), (403, 403)),
        (format!("{JSON}\nSec-Fetch-Site: cross-site"), (403, 403)),
        (format!("{JSON}\nSec-Fetch-Site: same-site"), (403, 403)),
        (format!("{JSON}\nSec-Fetch-Site: none"), (200, 200)),
        (format!("{JSON}\nSec-Fetch-Site: same-origin"), (200, 200)),
        (format!("{JSON}\nSec-Fetch-Site: none\nSec-Fetch-Site: cross-site"), (403, 403)),
        (format!("{JSON}\nSec-Fetch-Site: other"), (403, 403)),
    ] {
        assert_eq!(commanded(&guard(), &headers), statuses, "{headers}");
    }
}

#[test]
fn commands_carry_the_token() {
    const JSON: &str = "Content-Type: application/json\n";
    let both = |status: u16| (status, status);
    for (headers, statuses) in [
        ("", both(401)),
        ("Authorization: Bearer correct-horse", both(200)),
        ("Authorization: bearer correct-horse", both(200)),
        ("X-Pretender-Token: correct-horse", both(200)),
        ("Authorization: AWS4-HMAC-SHA256 Credential=a\nX-Pretender-Token: correct-horse", both(200)),
        ("Authorization: Bearer other\nX-Pretender-Token: correct-horse", both(200)),
        ("Authorization: correct-horse", both(401)),
        ("Authorization: Basic correct-horse", both(401)),
        ("Authorization: Bearer", both(401)),
        ("Authorization: Bearer other", both(401)),
        ("X-Pretender-Token: correct-hors", both(401)),
        ("X-Pretender-Token: correct-horses", both(401)),
        // It helps no web page.
        ("Authorization: Bearer correct-horse\nOrigin: http://localhost:3000", both(403)),
    ] {
        assert_eq!(commanded(&with_token(), &format!("{JSON}{headers}")), statuses, "{headers}");
    }
    for headers in ["", "Authorization: Bearer other", "X-Pretender-Token: other"] {
        let refused = with_token().check_command(&head(&format!("GET /\n{headers}"))).unwrap_err();
        assert!(
            !refused.text.contains("correct-horse") && !refused.text.contains("other"),
            "{}",
            refused.text
        );
    }
}

#[test]
fn error_messages_say_what_to_do() {
    let host = guard().check_host(&head("GET /\nHost: db.example.com:8000")).unwrap_err();
    assert_eq!(
        (host.status.as_u16(), host.text.as_str()),
        (
            403,
            "`db.example.com` is not a name of this server: use localhost or an IP address, or start the server with \
             `--allow-host db.example.com`"
        )
    );
    let missing = guard().check_host(&head("GET /")).unwrap_err();
    assert_eq!((missing.status.as_u16(), missing.text.contains("no `Host` header")), (400, true));
    let call = guard().check_call(&head("POST /\nOrigin: https://app.example.com")).unwrap_err();
    assert_eq!(
        (call.status.as_u16(), call.text.as_str()),
        (
            403,
            "web pages from `https://app.example.com` may not call this server: start it with `--cors \
             https://app.example.com` to allow them"
        )
    );
}
