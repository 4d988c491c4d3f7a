//! Which server commands talk to, as variables, profiles and options name it.

use std::process::{Command, Output};

use pdb_server::{RunningServer, Server, ServerOptions};
use pretender::Pretender;
use pretender::items::PutItemInput;
use pretender::model::{Item, ScalarType};
use pretender::streams::StreamViewType;
use pretender::tables::{CreateTableInput, StreamSpecification};
use pretender::time::ManualClock;

const LINE: &str = "2026-03-01T09:15:42Z INSERT pk=\"a\"\n";

/// A server that takes commands, with a streamed table that holds an item.
fn server() -> RunningServer {
    let clock = std::sync::Arc::new(ManualClock::held_at(pretender::time::EpochMillis(1_772_356_542_017)));
    let pretender = Pretender::builder().clock(clock.clone()).sweep_interval(None).open().unwrap();
    let stream = StreamSpecification::enabled(StreamViewType::NewAndOldImages);
    let created = CreateTableInput {
        stream_specification: Some(stream),
        ..CreateTableInput::new("Orders".parse().unwrap(), ("pk", ScalarType::S), None)
    };
    pretender.create_table(created).unwrap();
    let item = Item::new().with("pk", "a");
    pretender.put_item(PutItemInput::new("Orders".parse().unwrap(), item)).unwrap();
    let options = ServerOptions { control: Some(clock), ..ServerOptions::default() };
    Server::start(pretender, options).unwrap()
}

fn run(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    command.env_clear().envs(variables.iter().copied()).args(arguments).output().unwrap()
}

#[track_caller]
fn check_prints(output: &Output, expected: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((&*String::from_utf8_lossy(&output.stdout), &*stderr), (expected, ""));
}

#[track_caller]
fn check_refused(output: &Output, text: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((stderr.trim_end(), output.status.code()), (text, Some(1)));
}

#[test]
fn all_commands_go_where_the_variables_say() {
    let server = server();
    let address = server.address().to_string();
    let nowhere = "http://127.0.0.1:1";
    for variables in [
        &[("PRETENDER_ENDPOINT", &*address)][..],
        &[("AWS_ENDPOINT_URL", &address)],
        &[("AWS_ENDPOINT_URL_DYNAMODB", &address)],
        &[("AWS_ENDPOINT_URL_DYNAMODB", &address), ("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", &address)],
        &[("AWS_ENDPOINT_URL", &address), ("AWS_REGION", "eu-west-1")],
        &[("AWS_ENDPOINT_URL", nowhere), ("PRETENDER_ENDPOINT", &address)],
        &[("AWS_ENDPOINT_URL", &address), ("AWS_PROFILE", "missing")],
    ] {
        check_prints(&run(variables, &["tail", "Orders"]), LINE);
        let shown = run(variables, &["ctl", "clock", "show"]);
        check_prints(&shown, "2026-03-01T09:15:42.017Z (1772356542017), held\n");
    }
    let elsewhere = [("PRETENDER_ENDPOINT", nowhere), ("AWS_ENDPOINT_URL", nowhere)];
    check_prints(&run(&elsewhere, &["tail", "Orders", "--endpoint", &address]), LINE);
}

#[test]
fn a_profile_names_the_server() {
    let server = server();
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let config = format!(
        "[profile local]\nservices = here\nsso_session = company\n[services here]\ndynamodb =\n  endpoint_url = {}\n",
        server.url()
    );
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let home = ("HOME", home.path().to_str().unwrap());
    check_prints(&run(&[home, ("AWS_PROFILE", "local")], &["tail", "Orders"]), LINE);
    check_prints(&run(&[home], &["tail", "Orders", "--profile", "local"]), LINE);
    let hold = run(&[home], &["ctl", "--profile", "local", "clock", "hold"]);
    check_prints(&hold, "2026-03-01T09:15:42.017Z (1772356542017), held\n");
    let missing = "pretender: there is no profile `missing` in AWS's configuration files, ~/.aws/config and ~/.aws/credentials";
    check_refused(&run(&[home], &["tail", "Orders", "--profile", "missing"]), missing);
    let elsewhere = "pretender: the keys of the profile `local` are not in AWS's configuration files: put them into the \
                     environment with `eval \"$(aws configure export-credentials --profile local --format env)\"`, and \
                     leave out --profile";
    check_refused(&run(&[home], &["tail", "Orders", "--profile", "local", "--endpoint", "aws"]), elsewhere);
}

#[test]
fn nonsense_is_named() {
    let expected = "is not the address of a server: expected a URL such as http://127.0.0.1:8000, a host and a port such \
                    as 127.0.0.1:8000, or localhost";
    for variable in ["PRETENDER_ENDPOINT", "AWS_ENDPOINT_URL"] {
        for arguments in [&["tail", "Orders"][..], &["ctl", "clock", "show"]] {
            let output = run(&[(variable, "nonsense")], arguments);
            check_refused(&output, &format!("pretender: {variable}: `nonsense` {expected}"));
        }
    }
    let output = run(&[("AWS_REGION", "x y")], &["tail", "Orders"]);
    check_refused(&output, "pretender: AWS_REGION: `x y` is not a region: expected a name such as us-east-1");
    for (arguments, text) in [
        (["--endpoint", "nonsense"], "or localhost, or \"aws\" for AWS itself"),
        (["--region", "x y"], "not a region: expected a name such as us-east-1"),
    ] {
        let output = run(&[], &[&["tail", "Orders"][..], &arguments].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(text), "{stderr}");
    }
    for arguments in [&["ctl", "clock", "show"][..], &["tail", "Orders"]] {
        let output = run(&[], &[arguments, &["--endpoint", "127.0.0.1:1"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        let expected =
            "http://127.0.0.1:1 cannot be reached: connection refused; is `pretender serve` running?";
        assert!(stderr.trim_end().ends_with(expected), "{stderr}");
    }
    let output = run(&[], &["ctl", "clock", "show", "--endpoint", "aws"]);
    let text =
        "pretender: AWS has no control API: name a server that was started with `pretender serve --control`";
    check_refused(&output, text);
}
