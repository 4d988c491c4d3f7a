//! `--objects`: where the buckets of a server are.

use std::process::Command;

use serde_json::Value;

use crate::binary::{Process, pretender};

/// A server in memory with these options.
fn serve(options: &[&str]) -> Command {
    let mut command = pretender();
    command.args(["serve", "--port", "0", "--db", ":memory:"]).args(options);
    command
}

/// What a server says that does not start.
#[track_caller]
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    error.trim_end().strip_prefix("pretender: ").unwrap().to_owned()
}

#[test]
fn a_folder_that_is_missing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let missing = missing.to_str().unwrap();
    let said = refusal(&mut serve(&["--objects", missing]));
    assert_eq!(
        said,
        format!("cannot use `{missing}` as the folder of buckets: the folder `{missing}` does not exist")
    );
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let said = refusal(&mut serve(&["--objects", file.to_str().unwrap()]));
    assert!(said.contains("as the folder of buckets: "), "{said}");
}

#[test]
fn s3_needs_keys_and_an_address() {
    let said = refusal(&mut serve(&["--objects", "s3"]));
    assert_eq!(
        said,
        "--objects s3 needs keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the server"
    );
    let with_keys = |options: &[&str]| {
        let mut command = serve(options);
        command.envs([("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hush")]);
        command
    };
    let said = refusal(&mut with_keys(&["--objects", "s3", "--s3-endpoint", "localhost:9000"]));
    assert!(said.contains("`localhost:9000`") && said.contains("http://127.0.0.1:9000"), "{said}");
    let said = refusal(with_keys(&["--objects", "s3"]).env("AWS_CA_BUNDLE", "/no/such/file"));
    assert!(said.contains("`/no/such/file`, which AWS_CA_BUNDLE names"), "{said}");
    let said = refusal(with_keys(&["--objects", "s3"]).env("AWS_REGION", "no region"));
    assert!(said.contains("`no region`"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_server_says_where_its_buckets_are() {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().canonicalize().unwrap().display().to_string();
    let mut process = Process::start(&mut serve(&["--objects", &shown]));
    let lines = [process.line(), process.line(), process.line()];
    assert_eq!(lines[2], format!("Objects in {shown}"));
    assert!(process.stop("-TERM").success());

    let mut command = serve(&["--announce", "json"]);
    command.envs([
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
        ("PRETENDER_OBJECTS", "s3"),
    ]);
    for (variable, endpoint, expected) in [
        ("PRETENDER_S3_ENDPOINT", "http://127.0.0.1:9000", "the buckets of http://127.0.0.1:9000"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9001/s3/", "the buckets of http://127.0.0.1:9001/s3"),
        ("AWS_REGION", "eu-west-3", "the buckets of https://s3.eu-west-3.amazonaws.com"),
    ] {
        command.env_remove("PRETENDER_S3_ENDPOINT").env_remove("AWS_ENDPOINT_URL_S3");
        let mut process = Process::start(command.env(variable, endpoint));
        let line = process.line();
        assert!(!line.contains("hush"));
        let announced: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(announced["objects"], *expected);
        assert!(process.stop("-TERM").success());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_store_that_is_not_used_has_no_threads() {
    let threads = |options: &[&str]| {
        let mut command = serve(options);
        command.envs([("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")]);
        let mut process = Process::start(&mut command);
        process.address();
        let threads = std::fs::read_dir(format!("/proc/{}/task", process.id())).unwrap().count();
        assert!(process.stop("-TERM").success());
        threads
    };
    let folder = tempfile::tempdir().unwrap();
    let without = threads(&[]);
    assert_eq!(threads(&["--objects", folder.path().to_str().unwrap()]), without);
    assert_eq!(threads(&["--objects", "s3"]), without);
}
