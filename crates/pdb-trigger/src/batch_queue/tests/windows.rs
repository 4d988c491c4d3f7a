//! Tumbling windows.

use super::*;

fn settings() -> Settings {
    Settings { tumbling_window_in_seconds: 60, ..Settings::default() }
}

/// A function that counts the records of a window.
fn count(event: &Value) -> Result<Response, InvokeError> {
    let now = event["state"]["n"].as_u64().unwrap_or(0) + numbers(event).count() as u64;
    Ok(Response::json(json!({ "state": { "n": now } }).to_string()))
}

/// A state that is two bytes bigger than it may be.
fn too_big() -> Result<Response, InvokeError> {
    Ok(Response::json(json!({ "state": "x".repeat(1024 * 1024) }).to_string()))
}

#[test]
fn a_window_ends_when_its_time_has_passed_and_nothing_is_left_of_it() {
    // The clock stands at second 42 of a minute.
    let mut driven = Driven::new(settings());
    driven.push_many(2);
    assert_eq!(driven.run(count), ["1 2"]);
    assert_eq!((driven.shard.is_idle(), driven.shard.is_finished()), (true, false));
    driven.advance(17);
    driven.shard.is_quiet(driven.now);
    assert!(driven.next().is_empty());
    driven.advance(1);
    // The time is over, but nobody has looked since.
    assert!(driven.next().is_empty());
    driven.shard.is_quiet(driven.now);
    assert_eq!(driven.run(count), [r#"end {"n":2}"#]);
    assert!(driven.next().is_empty());
    assert_eq!(driven.shard.settled_to(), Some("2"));
}

#[test]
fn a_record_of_the_next_window_ends_the_one_before() {
    let mut driven = Driven::new(Settings { batch_size: 2, ..settings() });
    driven.push_many(3);
    driven.advance(60);
    driven.push("k");
    driven.advance(120);
    driven.push("k");
    let ends = [r#"end {"n":3}"#, r#"end {"n":1}"#];
    assert_eq!(driven.run(count), ["1 2", "3", ends[0], "4", ends[1], "5"]);
    // What the open window has delivered is settled with it.
    assert_eq!(driven.shard.settled_to(), Some("4"));
    driven.shard.end();
    assert_eq!(driven.run(count), [r#"end {"n":1}"#]);
    assert!(driven.shard.is_finished());
}

#[test]
fn an_answer_without_state_is_a_failure() {
    let mut driven = Driven::new(Settings { maximum_retry_attempts: 1, ..settings() });
    driven.push("k");
    assert_eq!(driven.run(|_| Ok(Response::json("{}"))), ["1", "1", "!1-1"]);
    // The window was opened, so it is closed; a message about that stands for all of its records.
    driven.shard.end();
    assert_eq!(driven.run(|_| Ok(Response::json("null"))), ["end {}", "end {}", "!1-1"]);
    assert!(driven.shard.is_finished());
    assert_eq!(driven.shard.settled_to(), Some("1"));
}

#[test]
fn a_failed_try_does_not_change_the_state() {
    let mut driven = Driven::new(Settings { batch_size: 2, report_batch_item_failures: true, ..settings() });
    driven.push_many(4);
    let mut calls = 0;
    let done = driven.run(|event| {
        calls += 1;
        match calls {
            1 => failed(),
            // The second of the batch failed; the state holds the first.
            3 => Ok(Response::json(r#"{"state":{"n":3},"batchItemFailures":[{"itemIdentifier":"4"}]}"#)),
            _ => count(event),
        }
    });
    assert_eq!(done, ["1 2", "1 2", "3 4", "4"]);
    driven.shard.end();
    assert_eq!(driven.run(count), [r#"end {"n":4}"#]);
}

#[test]
fn a_state_that_is_too_big_ends_the_window_early() {
    let mut driven = Driven::new(Settings { batch_size: 1, ..settings() });
    driven.push_many(3);
    let mut states = Vec::new();
    let done = driven.run(|event| {
        states.push(event["state"].to_string().len());
        match numbers(event).next() {
            Some(2) => too_big(),
            _ => count(event),
        }
    });
    let shown: Vec<&str> = done.iter().map(|text| text.split(' ').next().unwrap()).collect();
    // The rest of the same window begins anew.
    assert_eq!(shown, ["1", "2", "early", "3"]);
    assert_eq!(states, [2, 7, 1024 * 1024 + 2, 2]);
    assert_eq!(driven.shard.settled_to(), Some("2"));
    driven.shard.end();
    assert_eq!(driven.run(count), [r#"end {"n":1}"#]);
}

#[test]
fn the_other_half_of_a_batch_that_ended_its_window_early_begins_a_new_one() {
    let mut driven = Driven::new(Settings { bisect_batch_on_function_error: true, ..settings() });
    driven.push_many(2);
    let mut calls = 0;
    let done = driven.run(|event| {
        calls += 1;
        match calls {
            1 => failed(),
            2 => too_big(),
            _ => count(event),
        }
    });
    assert_eq!((&*done[0], &*done[1], &*done[3]), ("1 2", "1", "2"));
    assert!(done[2].starts_with("early end"));
    driven.shard.end();
    assert_eq!(driven.run(count), [r#"end {"n":1}"#]);
}

#[test]
fn windows_are_whole_multiples_of_their_length() {
    for (seconds, start, end) in [
        (1, "2026-03-01T09:15:42Z", "2026-03-01T09:15:43Z"),
        (60, "2026-03-01T09:15:00Z", "2026-03-01T09:16:00Z"),
        (900, "2026-03-01T09:15:00Z", "2026-03-01T09:30:00Z"),
    ] {
        let mut driven = Driven::new(Settings { tumbling_window_in_seconds: seconds, ..Settings::default() });
        driven.push("k");
        driven.run(|event| {
            assert_eq!(event["window"], json!({ "start": start, "end": end }));
            count(event)
        });
    }
}

#[test]
fn a_window_is_written_as_lambda_writes_it() {
    let mut driven = Driven::new(settings());
    driven.push("k");
    let Task::Invoke(event) = driven.next().remove(0).1 else { panic!("nothing to invoke") };
    let (_, members) = event.split_once("],").unwrap();
    let expected = concat!(
        r#""window":{"start":"2026-03-01T09:15:00Z","end":"2026-03-01T09:16:00Z"},"state":{},"#,
        r#""shardId":"shardId-00000001772356542017-00000001","#,
        r#""eventSourceARN":"arn:aws:dynamodb:us-east-1:000000000000:table/T/stream/2026-03-01T09:15:42.017","#,
        r#""isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}"#,
    );
    assert_eq!(members, expected);
}
