//! Shards and streams that end and go on in others.

use pdb_trigger::{Notice, Response, Settings, Trigger};
use pretender::streams::{StartPosition, StreamViewType};
use pretender::tables::{StreamSpecification, UpdateTableInput};
use pretender::time::{Clock, EpochMillis};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::{Gate, PATIENCE, Recorder, Streamed, batch, orders};

#[test]
fn children_wait_until_their_parent_is_done() {
    let streamed = Streamed::new();
    for n in 1..=3 {
        ["a", "b", "c", "d", "e"].iter().for_each(|key| streamed.put(key, n));
        streamed.split();
    }
    let (gate, reached) = (Gate::default(), Gate::default());
    let (behind, reaching) = (gate.clone(), reached.clone());
    let function = Recorder::answering(move |event| {
        if batch(event).contains("a1") {
            reaching.open();
            behind.pass();
        }
        Ok(Response::empty())
    });
    let trigger = Trigger::start(&streamed.db, "Orders", Settings::default(), function.clone()).unwrap();
    reached.pass();
    // All that can be read is the first shard, and that is stuck.
    assert!(!trigger.wait_until_caught_up(Duration::from_millis(300)));
    assert_eq!(function.batches(), ["a1 b1 c1 d1 e1"]);
    gate.open();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    assert_eq!(trigger.stop().processed_records, 15);
    let all = function.batches().join(" ");
    for key in ["a", "b", "c", "d", "e"] {
        let of_key: Vec<&str> = all.split(' ').filter(|shown| shown.starts_with(key)).collect();
        assert_eq!(of_key, [format!("{key}1"), format!("{key}2"), format!("{key}3")]);
    }
}

#[test]
fn a_table_is_followed_into_its_next_stream_and_a_stream_is_not() {
    let streamed = Streamed::new();
    let (of_table, of_stream) = (Recorder::new(), Recorder::new());
    let settings = Settings::default;
    let table = Trigger::start(&streamed.db, "Orders", settings(), of_table.clone()).unwrap();
    let arn = streamed.arn.to_string();
    let stream = Trigger::start(&streamed.db, &arn, settings(), of_stream.clone()).unwrap();
    let update = |specification| {
        let stream_specification = Some(specification);
        streamed
            .db
            .update_table(UpdateTableInput { stream_specification, ..UpdateTableInput::new(orders()) })
            .unwrap();
    };
    streamed.put("a", 1);
    update(StreamSpecification::disabled());
    streamed.put("a", 2);
    streamed.clock.advance(Duration::from_secs(1));
    update(StreamSpecification::enabled(StreamViewType::NewImage));
    streamed.put("a", 3);
    for trigger in [&table, &stream] {
        assert!(trigger.wait_until_caught_up(PATIENCE));
    }
    assert_eq!(of_table.batches(), ["a1", "a3"]);
    assert_eq!(of_stream.batches(), ["a1"]);
    assert_eq!(stream.state().stream_arn, arn);
    assert!(table.stop().stream_arn > arn);
}

#[test]
fn latest_skips_what_is_there_in_every_shard() {
    let streamed = Streamed::new();
    let keys = ["a", "b", "c", "d"];
    keys.iter().for_each(|key| streamed.put(key, 1));
    streamed.split();
    keys.iter().for_each(|key| streamed.put(key, 2));
    let function = Recorder::new();
    let settings = Settings { starting_position: StartPosition::Latest, ..Settings::default() };
    let trigger = Trigger::start(&streamed.db, "Orders", settings, function.clone()).unwrap();
    streamed.split();
    keys.iter().for_each(|key| streamed.put(key, 3));
    assert!(trigger.wait_until_caught_up(PATIENCE));
    assert_eq!(trigger.stop().processed_records, 4);
    assert!(function.batches().join(" ").split(' ').all(|shown| shown.ends_with('3')));
}

/// Lambda has no such position for streams of DynamoDB, but the library does.
#[test]
fn a_time_is_a_starting_position_in_every_shard() {
    let streamed = Streamed::new();
    let keys = ["a", "b", "c", "d"];
    let mut time = EpochMillis(0);
    for n in 1..=3 {
        streamed.clock.advance(Duration::from_secs(1));
        if n == 2 {
            time = streamed.clock.now();
        }
        keys.iter().for_each(|key| streamed.put(key, n));
        streamed.split();
    }
    let function = Recorder::new();
    let settings = Settings { starting_position: StartPosition::AtTimestamp(time), ..Settings::default() };
    let trigger = Trigger::start(&streamed.db, "Orders", settings, function.clone()).unwrap();
    keys.iter().for_each(|key| streamed.put(key, 4));
    assert!(trigger.wait_until_caught_up(PATIENCE));
    assert_eq!(trigger.stop().processed_records, 12);
    assert!(function.batches().join(" ").split(' ').all(|shown| !shown.ends_with('1')));
}

/// Starts a trigger that keeps a checkpoint and counts the gaps.
fn start_counting(streamed: &Streamed, file: &Path, function: &Recorder, gaps: &Arc<Mutex<u32>>) -> Trigger {
    let gaps = gaps.clone();
    let observer = move |notice: &Notice| {
        if matches!(notice, Notice::Trimmed { .. }) {
            *gaps.lock().unwrap() += 1;
        }
    };
    Trigger::builder(&streamed.db, "Orders")
        .checkpoint(file)
        .observe(observer)
        .start(function.clone())
        .unwrap()
}

#[test]
fn a_gap_is_reported_and_the_rest_delivered() {
    for is_replaced in [false, true] {
        let streamed = Streamed::new();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("checkpoint");
        let (function, gaps) = (Recorder::new(), Arc::default());
        let set_stream = |specification| {
            let stream_specification = Some(specification);
            let update = UpdateTableInput { stream_specification, ..UpdateTableInput::new(orders()) };
            streamed.db.update_table(update).unwrap();
        };
        streamed.put("a", 1);
        let trigger = start_counting(&streamed, &file, &function, &gaps);
        assert!(trigger.wait_until_caught_up(PATIENCE));
        trigger.stop();
        streamed.put("a", 2);
        streamed.clock.advance(Duration::from_secs(20 * 3600));
        if is_replaced {
            set_stream(StreamSpecification::disabled());
        }
        // After a day the record is trimmed, with its shard if that is closed. A stream is listed for a day after it was disabled.
        streamed.clock.advance(Duration::from_secs(5 * 3600));
        streamed.db.run_due_work().unwrap();
        if is_replaced {
            set_stream(StreamSpecification::enabled(StreamViewType::NewImage));
        }
        streamed.put("a", 3);
        let trigger = start_counting(&streamed, &file, &function, &gaps);
        assert!(trigger.wait_until_caught_up(PATIENCE));
        trigger.stop();
        assert_eq!(function.batches(), ["a1", "a3"], "replaced: {is_replaced}");
        assert_eq!(*gaps.lock().unwrap(), 1, "replaced: {is_replaced}");
    }
}

#[test]
fn iterators_that_expire_are_renewed() {
    let streamed = Streamed::new();
    let function = Recorder::new();
    let trigger = Trigger::start(&streamed.db, "Orders", Settings::default(), function.clone()).unwrap();
    for n in 1..=3 {
        streamed.put("a", n);
        assert!(trigger.wait_until_caught_up(PATIENCE));
        streamed.clock.advance(Duration::from_secs(16 * 60));
    }
    trigger.stop();
    assert_eq!(function.batches(), ["a1", "a2", "a3"]);
}

#[test]
fn a_trigger_goes_on_across_a_restore_and_a_reset() {
    let streamed = Streamed::new();
    let function = Recorder::new();
    let trigger = Trigger::start(&streamed.db, "Orders", Settings::default(), function.clone()).unwrap();
    let put_and_wait = |n| {
        streamed.put("a", n);
        assert!(trigger.wait_until_caught_up(PATIENCE));
    };
    put_and_wait(1);
    streamed.db.save_snapshot("seeded").unwrap();
    put_and_wait(2);
    streamed.clock.advance(Duration::from_secs(1));
    streamed.split();
    put_and_wait(3);
    // The shard it reads was never opened, and the one it had finished is open again.
    streamed.db.restore_snapshot("seeded").unwrap();
    put_and_wait(4);
    streamed.db.reset().unwrap();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    // The clock stands still, so that the stream has the same ARN as before.
    streamed.create_table();
    put_and_wait(5);
    trigger.stop();
    // Of a shard that is open again all is delivered again: better than to miss something.
    assert_eq!(function.batches().join(" "), "a1 a2 a3 a1 a4 a5");
}
