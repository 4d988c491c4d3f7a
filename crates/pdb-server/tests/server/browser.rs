//! Pages that attack the server, in a real browser: Chromium, without a display.
//!
//! What a browser sends for a page, and with which headers, is for the browser to say; `admission.rs` only repeats what
//! this one said. So that the test can see both, the browser talks to [`stage::Stage`], which serves the pages, records
//! every request with the status of its answer, and passes the rest on to the server.

mod chromium;
mod stage;

use pdb_server::ServerOptions;
use pretender::items::ScanInput;
use serde_json::{Value, json};

use crate::control::ControlledServer;
use chromium::Chromium;
use stage::{Seen, Stage};

/// What the server has that a page could change or read.
struct Target {
    server: ControlledServer,
    folder: tempfile::TempDir,
    stage: Stage,
}

impl Target {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = ControlledServer::with(ServerOptions {
            snapshot_directory: Some(folder.path().to_owned()),
            ..ServerOptions::default()
        });
        server.put("a");
        let stage = Stage::before(server.server.address());
        Self { server, folder, stage }
    }

    /// Opens a page of a site and waits until it reports that it has done all it wanted to do; returns its report, and what the
    /// browser has sent to the server.
    fn visited_by(&self, chromium: &Chromium, site: &str, page: &str) -> (Value, Vec<Seen>) {
        let url = format!("http://{site}:{}/attack/{page}", self.stage.port());
        let _browsing = chromium.open(&url);
        self.stage.report()
    }

    #[track_caller]
    fn check_unchanged(&self) {
        let items = self.server.pretender.scan(ScanInput::new("Orders".parse().unwrap())).unwrap().items;
        assert_eq!(items.unwrap().json(), r#"{"pk":{"S":"a"}}"#);
        assert_eq!(self.server.shows("clock")["time"], "2026-03-01T09:15:42.017Z");
        assert_eq!(self.server.shows("snapshots"), json!({"snapshots": []}));
        assert_eq!(self.server.shows("faults")["faults"], json!([]));
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), 0);
    }
}

/// Each request that the page made arrived, as a page's, and was refused.
#[track_caller]
fn check_refused(seen: &[Seen], expected: &[(&str, &str, usize)]) {
    let has = |seen: &Seen, header: &str| seen.headers.iter().any(|line| line.starts_with(header));
    assert!(seen.iter().all(|seen| seen.method == "GET" || has(seen, "Origin: ")), "{seen:#?}");
    for (method, path, least) in expected {
        let count = seen.iter().filter(|seen| seen.method == *method && seen.path == *path).count();
        assert!(count >= *least, "{count} times {method} {path}: {seen:#?}");
    }
    for seen in seen {
        assert!([400, 403, 415].contains(&seen.status), "{seen:#?}");
    }
}

#[test]
fn a_page_cannot_command() {
    let Some(chromium) = Chromium::find() else { return };
    let target = Target::new();
    let (report, seen) = target.visited_by(&chromium, "attacker.example", "commands.html");
    assert_eq!(report["done"], json!(["fetches", "beacon", "forms", "popup"]));
    check_refused(
        &seen,
        &[
            // A form without a click, three `fetch` without a preflight, a beacon; and one preflight.
            ("POST", "/_pretender/reset", 5),
            ("OPTIONS", "/_pretender/reset", 1),
            ("POST", "/_pretender/clock/advance", 5),
            ("POST", "/_pretender/snapshots/save", 5),
            ("POST", "/_pretender/faults/add", 5),
            ("GET", "/_pretender/clock", 2),
        ],
    );
    target.check_unchanged();
}

#[test]
fn a_page_of_this_machine_cannot_command() {
    let Some(chromium) = Chromium::find() else { return };
    let target = Target::new();
    let (report, seen) = target.visited_by(&chromium, "localhost", "commands.html");
    assert_eq!(report["done"], json!(["fetches", "beacon", "forms", "popup"]));
    check_refused(&seen, &[("POST", "/_pretender/reset", 5), ("OPTIONS", "/_pretender/reset", 1)]);
    target.check_unchanged();
}

#[test]
fn a_page_whose_name_is_rebound_reaches_nothing() {
    let Some(chromium) = Chromium::find() else { return };
    let target = Target::new();
    let (report, seen) = target.visited_by(&chromium, "attacker.example", "rebound.html");
    // For the browser it is the page's own server, whose answers it may read.
    assert_eq!(report["statuses"], json!([403, 403, 403, 403]));
    check_refused(
        &seen,
        &[
            ("GET", "/_pretender/clock", 1),
            ("POST", "/_pretender/reset", 1),
            ("POST", "/", 1),
            ("GET", "/", 1),
        ],
    );
    target.check_unchanged();
}

#[test]
fn a_page_from_elsewhere_cannot_call() {
    let Some(chromium) = Chromium::find() else { return };
    let target = Target::new();
    let (report, seen) = target.visited_by(&chromium, "attacker.example", "calls.html");
    assert_eq!(report["read"], json!(["nothing", "nothing", "nothing"]));
    check_refused(&seen, &[("OPTIONS", "/", 2), ("POST", "/", 2), ("GET", "/", 1)]);
    target.check_unchanged();
}

#[test]
fn a_page_of_this_machine_calls_and_reads_the_headers() {
    let Some(chromium) = Chromium::find() else { return };
    let target = Target::new();
    let (report, _) = target.visited_by(&chromium, "localhost", "calls.html");
    assert_eq!(
        report["read"][0],
        json!({"status": 200, "body": {"TableNames": ["Orders"]}, "has_headers": true})
    );
    assert_eq!(report["read"][1]["status"], 200);
}
