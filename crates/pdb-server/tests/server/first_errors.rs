//! What a server says that cannot start, or is started by mistake: what is wrong, and what to do.

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use crate::binary::{Process, pretender};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    pretender().current_dir(folder).args(arguments).output().unwrap()
}

/// One line on standard error.
#[track_caller]
fn check(output: &Output, code: i32, expected: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(stderr, format!("pretender: {expected}\n"));
    assert!(output.stdout.is_empty());
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn an_empty_name_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let text = "the address of the database is not usable: it is empty: give the path of a file, `:memory:`, or \
                `postgres://USER:PASSWORD@HOST/DATABASE`";
    check(&run(folder.path(), &["serve", "--port", "0", "--db", ""]), 1, text);
    check(&run(folder.path(), &["copy", "--from", "", "--to", "b.db"]), 1, text);
    check(&run(folder.path(), &["copy", "--from", "a.db", "--to", ""]), 1, text);
    check(&run(folder.path(), &["check", ""]), 2, &format!("the database cannot be checked: {text}"));
    let output =
        pretender().current_dir(folder.path()).args(["serve", "-p", "0"]).env("PRETENDER_DB", "").output();
    check(&output.unwrap(), 1, text);
    assert!(is_empty(folder.path()));
}

#[test]
fn a_missing_folder_is_a_missing_folder() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |db: &str| run(folder.path(), &["serve", "--port", "0", "--db", db]);
    check(
        &serve("no/such/orders.db"),
        1,
        "`no/such/orders.db` cannot be opened: the folder `no/such` does not exist",
    );
    let tilde = "only a shell replaces `~`, where a word begins with it: write the whole path, or `$HOME`";
    check(
        &serve("~/orders.db"),
        1,
        &format!("`~/orders.db` cannot be opened: the folder `~` does not exist; {tilde}"),
    );
    let check_missing = run(folder.path(), &["check", "~/orders.db"]);
    let text = format!(
        "the database cannot be checked: `~/orders.db` does not exist: the folder `~` does not exist; {tilde}"
    );
    check(&check_missing, 2, &text);
    let text = "`no/orders.db` does not exist: the folder `no` does not exist";
    check(&run(folder.path(), &["copy", "--from", "no/orders.db", "--to", "b.db"]), 1, text);
    let output = run(folder.path(), &["serve", "-p", "0", "-d", ":memory:", "-c", "--snapshot-dir", "~/x"]);
    let text = format!("cannot use `~/x` as the snapshot folder: the folder `~/x` does not exist; {tilde}");
    check(&output, 1, &text);
    assert!(is_empty(folder.path()));
}

#[test]
fn names_like_memory_cause_a_warning() {
    for (name, warns) in [(":memory", true), ("memory", true), (":MEMORY:", true), ("./memory", false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut process =
            Process::start(pretender().current_dir(folder.path()).args(["serve", "-p", "0", "-d", name]));
        process.address();
        let (_, stderr) = process.stop_and_read("-TERM");
        assert_eq!(stderr.contains("did you mean `:memory:`"), warns, "{stderr}");
        assert!(!is_empty(folder.path()));
    }
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["copy", "--from", "memory", "--to", "b.db"]);
    check(
        &output,
        1,
        "only its own process can reach a database in memory, so it can be neither source nor target",
    );
}

#[test]
fn a_port_in_use_is_reported_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(folder.path(), &["serve", "--port", &port]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = format!("pretender: cannot listen on 127.0.0.1:{port}: another program uses this port: ");
    assert!(stderr.starts_with(&expected) && stderr.contains("a free one with --port 0 ("), "{stderr}");
    // TEST-NET-1: https://www.rfc-editor.org/rfc/rfc5737
    let output = run(folder.path(), &["serve", "--port", "0", "--host", "192.0.2.1"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        stderr
            .starts_with("pretender: cannot listen on 192.0.2.1:0: this machine does not have this address"),
        "{stderr}"
    );
    assert!(is_empty(folder.path()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_database_in_use_names_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = pretender();
    command.current_dir(folder.path()).args(["serve", "--port", "0", "--db", "orders.db"]);
    let mut process = Process::start(&mut command);
    process.address();
    let holder = format!("in use by process {} (pretender serve --port 0)", process.id());
    let path = folder.path().canonicalize().unwrap().join("orders.db");
    let output = run(folder.path(), &["serve", "--port", "0", "--db", "orders.db"]);
    check(&output, 1, &format!("`{}` is {holder}", path.display()));
    let output = run(folder.path(), &["copy", "--from", "orders.db", "--to", "b.db"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&holder) && output.status.code() == Some(1), "{text}");
    process.stop("-TERM");
}

#[test]
fn a_copy_onto_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = pretender();
    command.current_dir(folder.path()).args(["serve", "--port", "0", "--db", "orders.db"]);
    let mut process = Process::start(&mut command);
    process.address();
    process.stop("-TERM");
    std::fs::hard_link(folder.path().join("orders.db"), folder.path().join("hard.db")).unwrap();
    std::os::unix::fs::symlink("orders.db", folder.path().join("soft.db")).unwrap();
    for to in ["orders.db", "./orders.db", "hard.db", "soft.db"] {
        let output = run(folder.path(), &["copy", "--from", "orders.db", "--to", to]);
        check(&output, 1, "source and target are the same database");
    }
}

#[test]
fn a_missing_database_server_is_reported_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["postgres://", "postgres:///orders", "postgres://me@/orders", "postgres://me:x@:5432/orders"]
    {
        let output = run(folder.path(), &["serve", "--port", "0", "--db", url]);
        let text = "the address of the database is not usable: it names no host: write `postgres://USER:PASSWORD@HOST/DATABASE`";
        check(&output, 1, text);
    }
    // Connections are made, and nobody ever says anything.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://me:s3cret@127.0.0.1:{port}/orders");
    let mut command = pretender();
    command
        .args(["serve", "--port", "0", "--log-level", "error", "--db", &url])
        .stderr(std::process::Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut line = String::new();
    let mut stderr = std::io::BufReader::new(server.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    let expected = format!(
        "pretender: no answer yet from the database server at postgres://127.0.0.1:{port}/orders; trying for about 10 seconds\n"
    );
    assert_eq!(line, expected);
    assert!(server.try_wait().unwrap().is_none());
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn arguments_of_dynamodb_local_are_translated() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, command) in [
        (&["-inMemory", "-sharedDb"][..], "  pretender serve --db :memory:\n"),
        (&["serve", "-port", "8001", "-dbPath", "."], "  pretender serve --port 8001 --db ./pretender.db\n"),
    ] {
        let output = run(folder.path(), arguments);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with(&format!(
            "error: `{}`",
            arguments.iter().find(|one| one.starts_with('-')).unwrap()
        )));
        assert!(stderr.contains(command) && stderr.contains("pretender-dynamodb-local"), "{stderr}");
    }
    assert!(is_empty(folder.path()));
}

#[test]
fn regions_have_the_form_of_regions() {
    let folder = tempfile::tempdir().unwrap();
    for region in ["mars", "us-east", "us-east-", "us-east-1a", "US-EAST-1", "us--east-1", "1", "east-1", ""]
    {
        let output = run(folder.path(), &["serve", "--port", "0", "--db", ":memory:", "--region", region]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{region}: {stderr}");
        assert!(stderr.contains("not a region: expected a name such as us-east-1"), "{stderr}");
    }
    for region in ["us-gov-west-1", "mars-north-12", "local", "ddblocal"] {
        let mut command = pretender();
        let mut process =
            Process::start(command.args(["serve", "-p", "0", "-d", ":memory:", "--region", region]));
        process.address();
        process.stop("-TERM");
    }
}
