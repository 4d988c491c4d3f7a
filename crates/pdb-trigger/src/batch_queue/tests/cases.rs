//! Single decisions: what is delivered, in which batches, how often, and what is given up.

use super::*;

/// Runs this many records of one key, all read at once, and checks what happened.
#[track_caller]
fn check(
    settings: Settings,
    records: u64,
    answer: impl FnMut(&Value) -> Result<Response, InvokeError>,
    expected: &[&str],
) {
    let mut driven = Driven::new(settings);
    driven.push_many(records);
    assert_eq!(driven.run(answer), expected);
    // Whatever happened, all of it is done with.
    assert_eq!(driven.shard.settled_to(), Some(records.to_string().as_str()));
}

fn has(event: &Value, number: u64) -> bool {
    numbers(event).any(|n| n == number)
}

#[test]
fn retries_are_counted_as_lambda_counts_them() {
    for (allowed, expected) in [
        (0, &["1 2", "!1-2"] as &[&str]),
        (1, &["1 2", "1 2", "!1-2"]),
        (3, &["1 2", "1 2", "1 2", "1 2", "!1-2"]),
    ] {
        let settings = Settings { maximum_retry_attempts: allowed, ..Settings::default() };
        check(settings, 2, |_| failed(), expected);
    }
    // For ever, or until it succeeds.
    let mut left = 50;
    let answer = |_: &Value| {
        left -= 1;
        if left > 0 { failed() } else { Ok(Response::empty()) }
    };
    check(Settings::default(), 1, answer, &["1"; 50]);
}

#[test]
fn halving_uses_up_no_retry() {
    let settings =
        Settings { maximum_retry_attempts: 1, bisect_batch_on_function_error: true, ..Settings::default() };
    check(
        settings.clone(),
        5,
        |event| if has(event, 2) { failed() } else { Ok(Response::empty()) },
        &["1 2 3 4 5", "1 2 3", "1 2", "1", "2", "2", "!2-2", "3", "4 5"],
    );
    // All of them bad: every one is found, each has its own message.
    check(settings, 2, |_| failed(), &["1 2", "1", "1", "!1-1", "2", "2", "!2-2"]);
}

#[test]
fn a_report_settles_what_lies_before_it() {
    let report = |at: u64| {
        move |event: &Value| {
            Ok(if has(event, at) { Response::failed_at(&at.to_string()) } else { Response::empty() })
        }
    };
    let settings =
        Settings { report_batch_item_failures: true, maximum_retry_attempts: 2, ..Settings::default() };
    check(settings.clone(), 4, report(3), &["1 2 3 4", "3 4", "3 4", "!3-4"]);
    check(settings.clone(), 2, report(1), &["1 2", "1 2", "1 2", "!1-2"]);
    // With bisecting the cut uses up no retry, and only the rest is tried again.
    let bisecting = Settings { bisect_batch_on_function_error: true, ..settings.clone() };
    check(bisecting.clone(), 4, report(3), &["1 2 3 4", "3 4", "3", "3", "3", "!3-3", "4"]);
    check(bisecting, 3, report(3), &["1 2 3", "3", "3", "3", "!3-3"]);
    // Without the setting nobody looks.
    let deaf = Settings { report_batch_item_failures: false, ..settings };
    check(deaf, 4, report(3), &["1 2 3 4"]);
}

#[test]
fn nonsense_in_a_report_fails_the_whole_batch() {
    let settings =
        Settings { report_batch_item_failures: true, maximum_retry_attempts: 1, ..Settings::default() };
    let nonsense = |_: &Value| Ok(Response::failed_at("999"));
    check(settings.clone(), 2, nonsense, &["1 2", "1 2", "!1-2"]);
    let mut driven = Driven::new(settings);
    driven.push("k");
    driven.run(nonsense);
    let (condition, records) = (Condition::RetryAttemptsExhausted, 1);
    assert_eq!(driven.events.last(), Some(&QueueEvent::Discarded { records, condition }));
}

#[test]
fn what_could_not_be_invoked_uses_up_no_retry() {
    let settings = Settings { maximum_retry_attempts: 0, ..Settings::default() };
    let mut left = 20;
    let answer = |_: &Value| {
        left -= 1;
        match left {
            0 => Ok(Response::empty()),
            _ => Err(InvokeError::NotInvoked("gone fishing".to_owned())),
        }
    };
    check(settings, 1, answer, &["1"; 20]);
}

#[test]
fn pauses_grow_and_end() {
    let mut driven = Driven::new(Settings::default());
    driven.push("k");
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let (queue, _) = driven.next().remove(0);
        driven.finish(queue, TaskOutcome::Invoked(failed()));
        let due = driven.shard.due().unwrap();
        pauses.push((due - driven.real).as_millis());
        // Not a moment earlier.
        driven.real = due - Duration::from_millis(1);
        assert!(driven.next().is_empty());
        driven.real = due;
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
}

#[test]
fn old_records_are_given_up_before_and_between_tries() {
    let settings = Settings { maximum_record_age_in_seconds: 60, batch_size: 3, ..Settings::default() };
    let mut driven = Driven::new(settings);
    driven.push_many(2);
    driven.advance(1);
    driven.push("k");
    driven.advance(60);
    driven.push("k");
    // The first two are 61 seconds old, which is more than 60; the third is not.
    assert_eq!(driven.run(|_| Ok(Response::empty())), ["!1-2", "3 4"]);
    driven.push("k");
    driven.advance(40);
    driven.push("k");
    let (queue, task) = driven.next().remove(0);
    assert!(matches!(task, Task::Invoke(_)));
    driven.finish(queue, TaskOutcome::Invoked(failed()));
    driven.advance(21);
    // What has become too old is given up, and the rest of its batch goes on.
    assert_eq!(driven.run(|_| Ok(Response::empty())), ["!5-5", "6"]);
    assert_eq!(driven.shard.settled_to(), Some("6"));
}

#[test]
fn without_limits_a_failing_batch_is_tried_until_its_records_expire() {
    for outcome in [failed(), Err(InvokeError::NotInvoked("gone".to_owned()))] {
        let mut driven = Driven::new(Settings::default());
        driven.push("k");
        // As old as it is, what the stream hands out is tried once.
        driven.advance(25 * 3600);
        assert_eq!(driven.run(|_| outcome.clone()), ["1", "!1-1"]);
    }
}

#[test]
fn records_are_gathered_for_as_long_as_the_window_says() {
    let settings = Settings { maximum_batching_window_in_seconds: 10, batch_size: 3, ..Settings::default() };
    let mut driven = Driven::new(settings);
    driven.push("k");
    driven.advance(9);
    driven.push("k");
    assert!(driven.next().is_empty());
    driven.advance(1);
    assert_eq!(driven.run(|_| Ok(Response::empty())), ["1 2"]);
    driven.push_many(3);
    // A full batch does not wait; the next window begins with the next record.
    assert_eq!(driven.run(|_| Ok(Response::empty())), ["3 4 5"]);
    driven.push_many(4);
    assert_eq!(driven.run(|_| Ok(Response::empty())), ["6 7 8"]);
    driven.advance(9);
    assert!(driven.next().is_empty());
    // Nor does the end of a shard.
    driven.shard.end();
    assert_eq!(driven.run(|_| Ok(Response::empty())), ["9"]);
    assert!(driven.shard.is_finished());
}

#[test]
fn an_event_has_six_megabytes_at_most() {
    let mut driven = Driven::new(Settings::default());
    let three = 3 * 1024 * 1024;
    for bytes in [three, three - 4000, 10, three, 7 * 1024 * 1024, 10] {
        driven.push_big("k", bytes);
    }
    let mut sizes = Vec::new();
    let done = driven.run(|event| {
        sizes.push(event.to_string().len());
        Ok(Response::empty())
    });
    // One that is too big by itself goes alone.
    assert_eq!(done, ["1 2 3", "4", "5", "6"]);
    assert!((6_000_000..=crate::MAX_PAYLOAD_BYTES).contains(&sizes[0]));
}

#[test]
fn a_message_is_sent_until_it_is_taken() {
    let mut driven = Driven::new(Settings { maximum_retry_attempts: 0, ..Settings::default() });
    driven.push_many(2);
    let (queue, _) = driven.next().remove(0);
    driven.finish(queue, TaskOutcome::Invoked(failed()));
    let mut messages = Vec::new();
    for answer in [Err("full".to_owned()), Err("full".to_owned()), Ok(())] {
        assert_eq!(driven.shard.settled_to(), None);
        driven.pass_pauses();
        let (queue, task) = driven.next().remove(0);
        messages.push(task);
        driven.finish(queue, TaskOutcome::Reported(answer));
    }
    assert_eq!(driven.shard.settled_to(), Some("2"));
    assert!(messages.iter().all(|message| *message == messages[0]));
    assert!(matches!(&messages[0], Task::Report(text) if text.contains(r#""approximateInvokeCount":1}"#)));
}

#[test]
fn without_a_destination_what_is_given_up_is_gone_at_once() {
    let mut driven = Driven::new(Settings { maximum_retry_attempts: 0, ..Settings::default() });
    driven.has_destination = false;
    driven.push("k");
    assert_eq!(driven.run(|_| failed()), ["1"]);
    assert_eq!(driven.shard.settled_to(), Some("1"));
}

#[test]
fn a_record_that_was_let_go_is_settled_in_its_turn() {
    let mut driven = Driven::new(Settings::default());
    driven.shard.skip("1".to_owned());
    assert_eq!(driven.shard.settled_to(), Some("1"));
    driven.push_again(2, "k", START, 0);
    driven.shard.skip("3".to_owned());
    assert_eq!((driven.shard.settled_to(), driven.shard.unsettled()), (Some("1"), 2));
    assert_eq!(driven.run(|_| Ok(Response::empty())), ["2"]);
    assert_eq!((driven.shard.settled_to(), driven.shard.unsettled()), (Some("3"), 0));
}
