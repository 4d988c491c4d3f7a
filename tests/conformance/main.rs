//! Runs the black-box suite of stream scenarios against the real server with its control API.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use streams_suite::{
    Case, CaseResult, Client, Control, Credentials, Field, Needs, Server, Verdict, cases, line, run, summary,
};

/// Builds the server in this test's own profile, and returns the program.
///
/// The program is of another package, so that cargo does not build it for this test by itself.
fn server_program() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder =
        test.parent().and_then(|deps| deps.parent()).expect("tests lie in `deps` of the profile's folder");
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["build", "--quiet", "--package", "pdb-server", "--bin", "pretender"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    assert!(command.status().expect("cargo starts").success(), "the server does not build");
    folder.join(format!("pretender{}", std::env::consts::EXE_SUFFIX))
}

/// Runs the cases that `wanted` picks against a server with these arguments; fails if a case does. Returns what was
/// skipped.
fn check_cases(arguments: &[&str], wanted: impl Fn(&Case) -> bool) -> Vec<CaseResult> {
    let program = server_program();
    let server = Server::start(&program, ":memory:", arguments).expect("the server starts");
    let client = Client::new(server.endpoint(), server.endpoint(), "us-east-1", Credentials::dummy());
    let mut field = Field::new(client);
    field.control = Some(Control::new(server.endpoint()));
    field.server = Some(program);
    field.deadline = Duration::from_secs(30);
    let cases: Vec<Case> = cases::all().into_iter().filter(wanted).collect();
    let results = run(&field, &cases, 8, &|_| ());
    let failed: Vec<String> =
        results.iter().filter(|result| matches!(result.verdict, Verdict::Failed(_))).map(line).collect();
    assert!(failed.is_empty(), "{}\n{}", failed.join("\n"), summary(&results));
    results.into_iter().filter(|result| matches!(result.verdict, Verdict::Skipped(_))).collect()
}

fn names(results: &[CaseResult]) -> Vec<&str> {
    results.iter().map(|result| result.name.as_str()).collect()
}

#[test]
fn passes_all() {
    let skipped = check_cases(&[], |_| true);
    // Changes take no time here, and there is no second region.
    let under_way = |name: &&str| name.contains("under-way") || *name == "disable-on-a-replica";
    assert!(names(&skipped).iter().all(under_way), "skipped: {:?}", names(&skipped));
}

#[test]
fn passes_with_several_open_shards() {
    let skipped = check_cases(&["--shards", "4"], |case| case.needs != Needs::Server);
    assert!(skipped.len() <= 6, "skipped: {:?}", names(&skipped));
}

#[test]
fn passes_where_changes_take_time() {
    let skipped = check_cases(&["--transition-delay", "200ms"], |case| {
        case.needs == Needs::Nothing && ["lifecycle", "refusals"].contains(&case.group)
    });
    assert!(skipped.is_empty(), "skipped: {:?}", names(&skipped));
}
