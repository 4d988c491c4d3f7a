//! Every setting that says what is delivered, when, and with what.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

use super::function::{Answer, FunctionServer, Gate, batch};
use super::*;

#[test]
fn batches_are_no_bigger_than_the_batch_size() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|_| Answer::json("null"));
    for n in 1..=5 {
        streamed.put("k", n);
    }
    let _running = streamed.trigger(&function, &["--batch-size", "2"]);
    let events = function.wait_for(|events| events.len() == 3);
    assert_eq!(events.iter().map(batch).collect::<Vec<_>>(), ["k1 k2", "k3 k4", "k5"]);
}

#[test]
fn records_are_gathered_until_the_window_has_passed_or_the_batch_is_full() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|_| Answer::json("null"));
    let arguments = ["--maximum-batching-window-in-seconds", "300", "--batch-size", "3"];
    let _running = streamed.trigger(&function, &arguments);
    for n in 1..=4 {
        streamed.put("k", n);
    }
    function.wait_for(|events| events.len() == 1);
    // The clock stands still: without a command the window never passes. Whoever advances it before the record has been
    // read has to do it again.
    wait_until(|| {
        streamed.clock.advance(Duration::from_secs(300));
        function.events().len() == 2
    });
    assert_eq!(function.events().iter().map(batch).collect::<Vec<_>>(), ["k1 k2 k3", "k4"]);
}

#[test]
fn latest_begins_behind_what_is_there() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|_| Answer::json("null"));
    streamed.put("a", 1);
    let file = streamed.path("orders.checkpoint");
    let arguments = ["--starting-position", "LATEST", "--checkpoint", &file];
    let running = streamed.trigger(&function, &arguments);
    // The place is known before anything is delivered, so that a restart does not lose what was written meanwhile.
    wait_until(|| std::fs::exists(&file).unwrap());
    drop(running);
    streamed.put("b", 2);
    let _running = streamed.trigger(&function, &arguments);
    streamed.put("c", 3);
    let events = function.wait_for(|events| batches(events).ends_with("c3"));
    assert_eq!(batches(&events), "b2 c3");
}

/// As Lambda does with streams of DynamoDB.
#[test]
fn a_time_is_no_starting_position() {
    let streamed = Streamed::new();
    let mut command = streamed.command("127.0.0.1:9", &["--starting-position", "AT_TIMESTAMP"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = format!("pretender: Unsupported starting position for arn type: {}", streamed.arn);
    assert_eq!(String::from_utf8_lossy(&output.stderr).trim_end(), expected);
}

#[test]
fn only_what_matches_a_filter_is_delivered() {
    let streamed = Streamed::new();
    let function = FunctionServer::start(|_| Answer::json("null"));
    for n in 1..=4 {
        streamed.put("a", n);
    }
    streamed.put("b", 5);
    streamed.put("z", 6);
    let arguments = [
        "--filter",
        r#"{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":["b","z"]}}}}"#,
        "--filter",
        r#"{"dynamodb":{"NewImage":{"n":{"N":["3"]}}}}"#,
    ];
    let _running = streamed.trigger(&function, &arguments);
    let events = function.wait_for(|events| batches(events).ends_with("z6"));
    assert_eq!(batches(&events), "a3 b5 z6");
}

#[test]
fn lanes_do_not_wait_for_each_other_but_keep_the_order_of_an_item() {
    let streamed = Streamed::new();
    let gate = Gate::default();
    let behind = gate.clone();
    let function = FunctionServer::start(move |event| {
        if batch(event).contains("a1") {
            behind.pass();
        }
        Answer::json("null")
    });
    let keys = ["b", "c", "d", "e", "f", "g", "h", "i"];
    for n in 1..=2 {
        streamed.put("a", n);
        keys.iter().for_each(|key| streamed.put(key, n));
    }
    let _running = streamed.trigger(&function, &["--parallelization-factor", "10", "--batch-size", "1"]);
    // Most items are in other lanes than `a`, and go on while it is stuck.
    let events =
        function.wait_for(|events| events.iter().filter(|event| batch(event).ends_with('2')).count() >= 4);
    assert!(!batches(&events).contains("a2"));
    gate.open();
    let events = function.wait_for(|events| events.len() == 2 * (keys.len() + 1));
    for key in keys.iter().chain(&["a"]) {
        let of_key: Vec<String> = events.iter().map(batch).filter(|shown| shown.starts_with(key)).collect();
        assert_eq!(of_key, [format!("{key}1"), format!("{key}2")]);
    }
}

#[test]
fn a_window_has_a_state_and_an_end() {
    let streamed = Streamed::new();
    // Counts the records of a window.
    let function = FunctionServer::start(|event| {
        let before = event["state"]["n"].as_u64().unwrap_or(0);
        let now = event["Records"].as_array().unwrap().len() as u64;
        Answer::json(format!(r#"{{"state":{{"n":{}}}}}"#, before + now))
    });
    streamed.put("a", 1);
    streamed.put("b", 2);
    streamed.put("c", 3);
    let arguments = ["--tumbling-window-in-seconds", "60", "--batch-size", "2"];
    let _running = streamed.trigger(&function, &arguments);
    function.wait_for(|events| events.len() == 2);
    streamed.clock.advance(Duration::from_secs(60));
    let events = function.wait_for(|events| events.len() == 3);
    let facts = events.iter().map(|event| {
        let is_final = event["isFinalInvokeForWindow"].as_bool().unwrap();
        (batch(event), event["state"].to_string(), is_final)
    });
    let expected = [("a1 b2", "{}", false), ("c3", r#"{"n":2}"#, false), ("", r#"{"n":3}"#, true)];
    let expected = expected.map(|(shown, state, end)| (shown.to_owned(), state.to_owned(), end));
    assert_eq!(facts.collect::<Vec<_>>(), expected);
    for event in &events {
        assert_eq!(event["window"]["start"], "2026-03-01T09:15:00Z");
        assert_eq!(event["window"]["end"], "2026-03-01T09:16:00Z");
        assert_eq!(event["eventSourceARN"], streamed.arn.to_string());
        assert!(event["shardId"].as_str().unwrap().starts_with("shardId-"));
        assert_eq!(event["isWindowTerminatedEarly"], false);
    }
    streamed.put("d", 4);
    let events = function.wait_for(|events| events.len() == 4);
    assert_eq!((batch(&events[3]).as_str(), events[3]["state"].to_string()), ("d4", "{}".to_owned()));
}

#[test]
fn what_cannot_be_is_one_clear_line() {
    let streamed = Streamed::new();
    let refused = |arguments: &[&str], text: &str| {
        let output = streamed.command("127.0.0.1:1", arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), stderr.trim_end()), (Some(1), text));
    };
    for (option, name, values, allowed) in [
        ("--batch-size", "BatchSize", ["0", "10001"], "1 to 10000"),
        (
            "--maximum-batching-window-in-seconds",
            "MaximumBatchingWindowInSeconds",
            ["301", "4000"],
            "0 to 300",
        ),
        ("--parallelization-factor", "ParallelizationFactor", ["0", "11"], "1 to 10"),
        ("--maximum-retry-attempts", "MaximumRetryAttempts", ["-2", "10001"], "-1, or 0 to 10000"),
        (
            "--maximum-record-age-in-seconds",
            "MaximumRecordAgeInSeconds",
            ["59", "604801"],
            "-1, or 60 to 604800",
        ),
        ("--tumbling-window-in-seconds", "TumblingWindowInSeconds", ["901", "4000"], "0 to 900"),
    ] {
        for value in values {
            refused(&[option, value], &format!("pretender: {name} is {value}; it may be {allowed}"));
        }
    }
    let filters = [r#"--filter={"eventName":["INSERT"]}"#; 6];
    refused(&filters, "pretender: the number of filters is 6; it may be 0 to 5");
    let folder = streamed.directory.path().to_str().unwrap();
    refused(
        &["--checkpoint", folder],
        &format!("pretender: checkpoint file `{folder}` cannot be used: it is not a regular file"),
    );
    let gone = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2020-01-01T00:00:00.000";
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
    let url = streamed.server.url();
    let arguments = ["trigger", "--table", gone, "--function", "127.0.0.1:1", "--endpoint", &url];
    let output = command.env_clear().args(arguments).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stderr).trim_end(),
        format!("pretender: Stream not found: {gone}")
    );
    let long = format!(r#"{{"eventName":["{}"]}}"#, "x".repeat(4096));
    for (arguments, text) in [
        (["--filter", "nonsense"], "Invalid filter pattern definition."),
        (["--filter", &long], "Member must have length less than or equal to 4096"),
        (["--function-response-types", "Other"], "ReportBatchItemFailures"),
        (["--timeout", "901"], "1..=900"),
    ] {
        let output = streamed.command("127.0.0.1:1", &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(text), "{stderr}");
    }
}

#[test]
fn a_clock_behind_a_token_is_asked_with_it() {
    let streamed = Streamed::new();
    let token = Some("correct-horse".parse().unwrap());
    let options = ServerOptions {
        control: Some(streamed.clock.clone()),
        control_token: token,
        ..ServerOptions::default()
    };
    let server = Server::start(streamed.pretender.clone(), options).unwrap();
    let url = server.url();
    let arguments = ["--function", "127.0.0.1:1", "--endpoint", &url];
    let run = |token: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
        let command = command.env_clear().args(["trigger", "--table", "Nothing"]).args(arguments);
        let output = command.envs(token.map(|token| ("PRETENDER_CONTROL_TOKEN", token))).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap().trim_end().to_owned()
    };
    let refused = format!(
        "pretender: {url} needs its control token to show its time: give it with --token, or in PRETENDER_CONTROL_TOKEN"
    );
    assert_eq!((run(None), run(Some("battery-staple"))), (refused.clone(), refused));
    // The next thing that is wrong.
    let missing = format!("pretender: no such table: `Nothing` is not at {url} in us-east-1");
    assert_eq!(run(Some("correct-horse")), missing);
}

/// Other servers that want to know who asks are not told the token.
#[test]
fn the_token_is_for_servers_of_ours_only() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stranger = std::thread::spawn(move || {
        let (mut heard, mut requests) = (String::new(), 0);
        // The time, and then the table.
        while requests < 2 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                heard.push_str(&line);
                if line.trim().is_empty() {
                    break;
                }
            }
            requests += 1;
            let body = r#"{"error":"unauthorized"}"#;
            let head = "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 24\r\n\r\n";
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        }
        heard
    });
    let output = Command::new(env!("CARGO_BIN_EXE_pretender"))
        .env_clear()
        .args(["trigger", "--table", "arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/x"])
        .args(["--endpoint", &url, "--function", "127.0.0.1:9", "--token", "correct-horse"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let heard = stranger.join().unwrap();
    assert!(heard.contains("/_pretender/clock") && !heard.contains("correct-horse"), "{heard}");
}

/// What the options were called while `--endpoint` was the function.
#[test]
fn old_names_work_and_are_noted() {
    let streamed = Streamed::new();
    let url = streamed.server.url();
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretender"));
        let command =
            command.env_clear().envs(variables.iter().copied()).args(["trigger", "--table", "Nothing"]);
        String::from_utf8(command.args(arguments).output().unwrap().stderr).unwrap()
    };
    // The server says so.
    let missing = format!("pretender: no such table: `Nothing` is not at {url} in us-east-1\n");
    let moved = "pretender: --endpoint is the server now: give the function as --function, and the server as --endpoint \
                 instead of --url\n";
    let function = "127.0.0.1:9000";
    assert_eq!(run(&[], &["--endpoint", function, "--url", &url]), format!("{moved}{missing}"));
    let variable = [("PRETENDER_ENDPOINT", &*url)];
    // Without the server it is not meant as the function.
    let no_function = "pretender: no function: give its address with --function URL\n";
    assert_eq!(run(&[], &["--endpoint", &url]), no_function);
    assert_eq!(run(&variable, &["--endpoint", &url]), no_function);
    assert_eq!(run(&variable, &["--function", function]), missing);
    let renamed = "pretender: --url is deprecated: use --endpoint\n";
    assert_eq!(run(&[], &["--function", function, "--url", &url]), format!("{renamed}{missing}"));
    let both = run(&[], &["--function", function, "--url", &url, "--endpoint", &url]);
    assert_eq!(both, "pretender: --url is a deprecated name of --endpoint: give only one of them\n");
    assert_eq!(run(&[], &["--endpoint", "aws"]), no_function);
    assert!(run(&variable, &[]).contains("--function <URL>"));
}
