//! Starting, waiting, stopping, and what a trigger tells of itself.

use std::time::Duration;

use pdb_trigger::{InvokeError, Notice, Response, Settings, ShardState, Trigger, TriggerError, TriggerState};
use std::sync::{Arc, Mutex};

use crate::harness::{Gate, PATIENCE, Recorder, Streamed, batch};

#[test]
fn a_state_counts_what_happened() {
    let streamed = Streamed::new();
    let function = Recorder::answering(|event| match batch(event).as_str() {
        "b2" => Err(InvokeError::failed("no")),
        _ => Ok(Response::empty()),
    });
    let filter = r#"{"dynamodb":{"Keys":{"pk":{"S":["a","b"]}}}}"#.parse().unwrap();
    let settings =
        Settings { batch_size: 1, maximum_retry_attempts: 1, filters: vec![filter], ..Settings::default() };
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let trigger = Trigger::builder(&streamed.db, "Orders")
        .settings(settings)
        .retry_pauses(Duration::ZERO, Duration::ZERO)
        .observe(move |notice: &Notice| {
            let line = notice.to_string();
            telling.lock().unwrap().push(line.split_once(": ").unwrap().1.to_owned());
        })
        .start(function)
        .unwrap();
    let stream_arn = streamed.arn.to_string();
    let nothing = TriggerState {
        stream_arn: stream_arn.clone(),
        last_processing_result: "No records processed",
        ..TriggerState::default()
    };
    assert!(trigger.wait_until_caught_up(PATIENCE));
    assert_eq!(trigger.state(), nothing);
    streamed.put("a", 1);
    assert!(trigger.wait_until_caught_up(PATIENCE));
    assert_eq!(trigger.state().last_processing_result, "OK");
    streamed.put("b", 2);
    streamed.put("x", 3);
    assert!(trigger.wait_until_caught_up(PATIENCE));
    let expected = TriggerState {
        stream_arn,
        last_processing_result: "PROBLEM: Function call failed",
        invocations: 3,
        failed_invocations: 2,
        processed_records: 1,
        filtered_records: 1,
        discarded_records: 1,
        problem: None,
        retries: 1,
        last_error: Some("Unhandled: no".to_owned()),
        ..TriggerState::default()
    };
    assert_eq!(trigger.stop(), expected);
    let discarded = "1 record discarded: RetryAttemptsExhausted";
    assert_eq!(*told.lock().unwrap(), ["1 record processed", "Unhandled: no", "Unhandled: no", discarded]);
}

#[test]
fn a_handle_shows_what_is_left_to_do() {
    let streamed = Streamed::new();
    let (gate, reached) = (Gate::default(), Gate::default());
    let (behind, reaching) = (gate.clone(), reached.clone());
    let function = Recorder::answering(move |_| {
        reaching.open();
        behind.pass();
        Ok(Response::empty())
    });
    let settings = Settings { batch_size: 2, ..Settings::default() };
    for n in 1..=3 {
        streamed.put("a", n);
    }
    let trigger = Trigger::builder(&streamed.db, "Orders").settings(settings).start(function).unwrap();
    let handle = trigger.handle();
    reached.pass();
    // The round in which the function was called may not have been noted yet.
    while handle.state().waiting_records < 3 {
        std::thread::yield_now();
    }
    let state = handle.state();
    assert_eq!((state.batches_in_flight, state.waiting_records, state.iterator_age_millis), (1, 3, 0));
    streamed.clock.advance(Duration::from_secs(90));
    assert_eq!((handle.state().iterator_age_millis, handle.iterator_age_millis()), (90_000, 90_000));
    let shard_id = streamed.db.shards(&streamed.arn).unwrap()[0].shard_id.to_string();
    let shard = ShardState { shard_id, waiting_records: 3, iterator_age_millis: 90_000 };
    assert_eq!(handle.shards(), std::slice::from_ref(&shard));
    gate.open();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    drop(trigger);
    let state = handle.state();
    assert_eq!((state.batches_in_flight, state.waiting_records, state.iterator_age_millis), (0, 0, 0));
    assert_eq!(handle.shards(), [ShardState { waiting_records: 0, iterator_age_millis: 0, ..shard }]);
}

#[test]
fn a_panic_is_a_failure_like_others() {
    let streamed = Streamed::new();
    streamed.put("a", 1);
    let settings = Settings { maximum_retry_attempts: 0, ..Settings::default() };
    let trigger = Trigger::start(&streamed.db, "Orders", settings, |_: &[u8]| panic!("oh no")).unwrap();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    let state = trigger.stop();
    assert_eq!((state.failed_invocations, state.discarded_records), (1, 1));
}

#[test]
fn a_function_that_cannot_be_reached_is_a_problem_until_it_can() {
    let streamed = Streamed::new();
    streamed.put("a", 1);
    let mut left = 3;
    let counted = Mutex::new(move || {
        left -= 1;
        left
    });
    let function = move |_: &[u8]| match counted.lock().unwrap()() {
        0 => Ok(Response::empty()),
        _ => Err(InvokeError::NotInvoked("nobody at home".to_owned())),
    };
    let problems = Arc::new(Mutex::new(Vec::new()));
    let telling = problems.clone();
    let trigger = Trigger::builder(&streamed.db, "Orders")
        .retry_pauses(Duration::ZERO, Duration::ZERO)
        .observe(move |notice: &Notice| {
            if let Notice::Problem(text) = notice {
                telling.lock().unwrap().push(text.clone());
            }
        })
        .start(function)
        .unwrap();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    assert_eq!(*problems.lock().unwrap(), ["nobody at home"]);
    let state = trigger.stop();
    assert_eq!((state.problem, state.invocations, state.processed_records), (None, 1, 1));
}

#[test]
fn a_stop_waits_for_what_is_under_way_and_counts_it() {
    let streamed = Streamed::new();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("checkpoint");
    let gate = Gate::default();
    let (behind, reached) = (gate.clone(), Gate::default());
    let reaching = reached.clone();
    let function = Recorder::answering(move |_| {
        reaching.open();
        behind.pass();
        Ok(Response::empty())
    });
    let start =
        || Trigger::builder(&streamed.db, "Orders").checkpoint(&file).start(function.clone()).unwrap();
    streamed.put("a", 1);
    let trigger = start();
    reached.pass();
    let stopping = std::thread::spawn(move || trigger.stop());
    gate.open();
    assert_eq!(stopping.join().unwrap().processed_records, 1);
    streamed.put("a", 2);
    let trigger = start();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    drop(trigger);
    assert_eq!(function.batches(), ["a1", "a2"]);
}

#[test]
fn what_is_asked_wrongly_does_not_start() {
    let streamed = Streamed::new();
    let start =
        |target: &str, settings| Trigger::start(&streamed.db, target, settings, Recorder::new()).unwrap_err();
    let error = start("Nothing", Settings::default());
    assert!(matches!(error, TriggerError::NoStream(_)));
    assert_eq!(error.to_string(), "table `Nothing` has no stream");
    let gone = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2020-01-01T00:00:00.000";
    assert_eq!(start(gone, Settings::default()).to_string(), format!("Stream not found: {gone}"));
    let error = start("Orders", Settings { batch_size: 0, ..Settings::default() });
    assert_eq!(error.to_string(), "BatchSize is 0; it may be 1 to 10000");
}

#[test]
fn a_database_that_was_closed_is_a_problem() {
    let streamed = Streamed::new();
    let reached = Gate::default();
    let reaching = reached.clone();
    let trigger = Trigger::builder(&streamed.db, "Orders")
        .observe(move |notice: &Notice| {
            if matches!(notice, Notice::Problem(_)) {
                reaching.open();
            }
        })
        .start(Recorder::new())
        .unwrap();
    streamed.db.close();
    reached.pass();
    assert!(!trigger.wait_until_caught_up(Duration::ZERO));
    assert!(trigger.stop().problem.is_some());
}
