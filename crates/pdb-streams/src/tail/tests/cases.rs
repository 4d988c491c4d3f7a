//! Single situations.

use super::fake::{Change, FakeSource};
use crate::EventPattern;
use crate::tail::*;
use std::cell::RefCell;
use std::error::Error;
use std::time::Duration;

/// Reads to the end; gaps show as `gap`, failures as `failure`, changes as key.n.
fn read(subscription: &mut Subscription<&FakeSource>) -> String {
    let seen: Vec<String> = subscription.map(|event| show(&event)).collect();
    seen.join(" ")
}

fn show(event: &Result<Event<Change>, TailError>) -> String {
    match event {
        Ok(event) => format!("{}.{}", event.record.key, event.record.n),
        Err(TailError::Trimmed { .. }) => "gap".to_owned(),
        Err(_) => "failure".to_owned(),
    }
}

fn of<'s>(source: &'s FakeSource, arn: &str) -> SubscriptionBuilder<&'s FakeSource> {
    Subscription::builder(source).stream(arn).poll_interval(Duration::from_millis(1))
}

fn write_all(source: &FakeSource, arn: &str, keys: &[u8]) {
    keys.iter().for_each(|key| source.write(arn, *key));
}

#[test]
fn parents_come_before_children() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    for children in [1, 2, 1] {
        write_all(&source, &arn, &[1, 200]);
        source.replace(&arn, 0, children);
    }
    write_all(&source, &arn, &[1, 200]);
    let seen = read(&mut of(&source, &arn).page_limit(1).start().unwrap());
    let of_key = |key: &str| seen.split(' ').filter(|c| c.starts_with(key)).collect::<Vec<_>>().join(" ");
    assert_eq!(of_key("1."), "1.0 1.1 1.2 1.3");
    assert_eq!(of_key("200."), "200.0 200.1 200.2 200.3");
    assert_eq!(seen.split(' ').count(), 8);
}

#[test]
fn it_ends_when_caught_up_and_can_be_asked_again() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    let mut subscription = of(&source, &arn).start().unwrap();
    assert_eq!(read(&mut subscription), "");
    write_all(&source, &arn, &[1, 2]);
    let mut resumed = of(&source, &arn).resume(subscription.checkpoint()).start().unwrap();
    assert_eq!(read(&mut resumed), "1.0 2.0");
    assert_eq!(read(&mut subscription), "1.0 2.0");
    assert_eq!(read(&mut of(&source, &arn).resume(resumed.checkpoint()).start().unwrap()), "");
}

#[test]
fn empty_pages_before_records_are_survived() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1]);
    source.faults.borrow_mut().empty_pages = 3;
    assert_eq!(read(&mut of(&source, &arn).caught_up_after(4).start().unwrap()), "1.0");
}

#[test]
fn throttling_is_waited_out() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1]);
    source.faults.borrow_mut().throttled = 3;
    assert_eq!(read(&mut of(&source, &arn).start().unwrap()), "1.0");
}

#[test]
fn a_failure_is_reported_and_loses_nothing() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1]);
    source.replace(&arn, 0, 1);
    write_all(&source, &arn, &[1]);
    let mut subscription = of(&source, &arn).start().unwrap();
    source.faults.borrow_mut().failed = 1;
    let error = subscription.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "stream source failed");
    assert_eq!(error.source().unwrap().to_string(), "stream cannot be read");
    source.faults.borrow_mut().failed_descriptions = 2;
    assert_eq!(read(&mut subscription), "1.0 failure failure 1.1");
}

/// Every call may fail, be refused for a while, or answer a moment behind another.
#[test]
fn failures_of_every_call_lose_nothing() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1]);
    let mut subscription = of(&source, &arn).start().unwrap();
    source.expire_iterators();
    source.faults.borrow_mut().failed_iterators = 1;
    source.faults.borrow_mut().throttled_iterators = 2;
    assert_eq!(read(&mut subscription), "failure 1.0");
    // A child that cannot be begun at once.
    source.replace(&arn, 0, 2);
    write_all(&source, &arn, &[1, 200]);
    source.faults.borrow_mut().failed_iterators = 1;
    source.faults.borrow_mut().throttled_iterators = 1;
    source.faults.borrow_mut().hidden_iterators = 1;
    let mut seen: Vec<String> = subscription.map(|event| show(&event)).collect();
    assert_eq!(seen[0], "failure");
    seen.sort();
    assert_eq!(seen, ["1.1", "200.0", "failure"]);
}

#[test]
fn failures_at_the_start_are_told() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    for from in [StartPosition::TrimHorizon, StartPosition::Latest] {
        source.faults.borrow_mut().failed_iterators = 1;
        assert!(matches!(
            of(&source, &arn).from(from).start(),
            Err(TailError::Source(SourceError::Failed(_)))
        ));
        source.faults.borrow_mut().failed_descriptions = 1;
        assert!(of(&source, &arn).from(from).start().is_err());
    }
    source.faults.borrow_mut().failed_listings = 1;
    assert!(Subscription::builder(&source).table("T").start().is_err());
}

#[test]
fn a_table_that_cannot_be_listed_is_asked_again() {
    let source = FakeSource::default();
    let first = source.enable("T");
    let mut subscription =
        Subscription::builder(&source).table("T").follow(true).poll_interval(Duration::ZERO).start().unwrap();
    source.disable(&first);
    let second = source.enable("T");
    write_all(&source, &second, &[1]);
    source.faults.borrow_mut().throttled_listings = 1;
    source.faults.borrow_mut().failed_listings = 1;
    assert_eq!(show(&subscription.next().unwrap()), "failure");
    assert_eq!(show(&subscription.next().unwrap()), "1.0");
}

/// The least a source must do.
struct Plain<'s>(&'s FakeSource);

impl StreamSource for Plain<'_> {
    type Record = Change;

    fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError> {
        self.0.streams(table_name)
    }

    fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError> {
        self.0.describe(stream_arn)
    }

    fn shard_iterator(
        &self,
        stream_arn: &str,
        id: &str,
        position: &SourcePosition,
    ) -> Result<String, SourceError> {
        self.0.shard_iterator(stream_arn, id, position)
    }

    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<SourcePage<Change>, SourceError> {
        self.0.records(iterator, limit)
    }
}

#[test]
fn a_source_need_not_wake_nor_know_positions() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    let builder = Subscription::builder(Plain(&source)).stream(&arn).from(StartPosition::Latest).follow(true);
    let mut subscription = builder.poll_interval(Duration::from_millis(1)).start().unwrap();
    write_all(&source, &arn, &[1]);
    assert_eq!(show(&subscription.next().unwrap()), "1.0");
}

#[test]
fn expired_iterators_are_replaced() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    let mut subscription = of(&source, &arn).page_limit(2).start().unwrap();
    source.expire_iterators();
    write_all(&source, &arn, &[1, 2, 3]);
    assert_eq!(show(&subscription.next().unwrap()), "1.0");
    source.expire_iterators();
    assert_eq!(read(&mut subscription), "2.0 3.0");
}

#[test]
fn latest_is_fixed_at_the_start() {
    for hides_positions in [false, true] {
        let source = FakeSource::default();
        source.faults.borrow_mut().hides_positions = hides_positions;
        let arn = source.enable("T");
        write_all(&source, &arn, &[1]);
        source.replace(&arn, 0, 1);
        write_all(&source, &arn, &[2]);
        let mut subscription = of(&source, &arn).from(StartPosition::Latest).start().unwrap();
        // What is written after the start is seen, also behind a rotation, also from a checkpoint before it.
        let checkpoint = subscription.checkpoint().to_string().parse().unwrap();
        write_all(&source, &arn, &[3]);
        source.replace(&arn, 0, 2);
        write_all(&source, &arn, &[4]);
        assert_eq!(read(&mut subscription), "3.0 4.0");
        let mut resumed = Subscription::builder(&source).resume(checkpoint).start().unwrap();
        assert_eq!(read(&mut resumed), "3.0 4.0");
    }
}

#[test]
fn a_dead_latest_iterator_that_saw_nothing_leaves_no_gap() {
    for (hides_positions, expected) in [(false, "2.0"), (true, "1.0 2.0")] {
        let source = FakeSource::default();
        source.faults.borrow_mut().hides_positions = hides_positions;
        let arn = source.enable("T");
        write_all(&source, &arn, &[1]);
        let mut subscription = of(&source, &arn).from(StartPosition::Latest).start().unwrap();
        assert_eq!(read(&mut subscription), "");
        source.expire_iterators();
        write_all(&source, &arn, &[2]);
        let mut resumed = of(&source, &arn).resume(subscription.checkpoint()).start().unwrap();
        assert_eq!(read(&mut resumed), expected);
    }
}

#[test]
fn a_reader_overtaken_by_the_trim_is_told() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1, 2, 3]);
    let mut subscription = of(&source, &arn).page_limit(1).start().unwrap();
    assert_eq!(show(&subscription.next().unwrap()), "1.0");
    let checkpoint = subscription.checkpoint();
    source.trim(&arn, 0, false);
    write_all(&source, &arn, &[4]);
    assert_eq!(read(&mut subscription), "gap 4.0");
    let mut resumed = of(&source, &arn).resume(checkpoint).start().unwrap();
    assert_eq!(read(&mut resumed), "gap 4.0");
    assert_eq!(
        of(&source, &arn).resume(subscription.checkpoint()).start().map(|mut s| read(&mut s)).unwrap(),
        ""
    );
}

#[test]
fn an_expired_iterator_over_trimmed_records_is_a_gap() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1, 2]);
    let mut subscription = of(&source, &arn).page_limit(1).start().unwrap();
    assert_eq!(show(&subscription.next().unwrap()), "1.0");
    source.trim(&arn, 0, false);
    source.expire_iterators();
    assert_eq!(read(&mut subscription), "gap");
}

/// Of three shards, the one that was empty before is overtaken by a trim. It has not caught up again before it was asked again.
#[test]
fn a_shard_with_a_gap_is_read_to_its_end() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    source.replace(&arn, 0, 3);
    write_all(&source, &arn, &[100, 200, 200]);
    let mut subscription = of(&source, &arn).page_limit(1).start().unwrap();
    for event in ["100.0", "200.0", "200.1"] {
        assert_eq!(show(&subscription.next().unwrap()), event);
    }
    write_all(&source, &arn, &[100, 100]);
    source.trim(&arn, 2, false);
    write_all(&source, &arn, &[100]);
    assert_eq!(read(&mut subscription), "gap 100.3");
}

#[test]
fn a_shard_that_vanishes_under_its_reader_is_a_gap() {
    for expired in [false, true] {
        let source = FakeSource::default();
        let arn = source.enable("T");
        write_all(&source, &arn, &[1, 2]);
        let mut subscription = of(&source, &arn).page_limit(1).start().unwrap();
        assert_eq!(show(&subscription.next().unwrap()), "1.0");
        let checkpoint = subscription.checkpoint();
        source.replace(&arn, 0, 1);
        write_all(&source, &arn, &[1]);
        source.trim(&arn, 0, true);
        if expired {
            source.expire_iterators();
        }
        assert_eq!(read(&mut subscription), "gap 1.1");
        let mut resumed = of(&source, &arn).resume(checkpoint).start().unwrap();
        assert_eq!(read(&mut resumed), "gap 1.1");
    }
}

#[test]
fn a_late_child_is_waited_for() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1]);
    source.close_without_child(&arn);
    let mut subscription = of(&source, &arn).start().unwrap();
    assert_eq!(show(&subscription.next().unwrap()), "1.0");
    source.open_child(&arn);
    write_all(&source, &arn, &[2]);
    assert_eq!(read(&mut subscription), "2.0");
}

#[test]
fn several_streams_are_read_in_turn() {
    let source = FakeSource::default();
    let (one, two) = (source.enable("One"), source.enable("Two"));
    write_all(&source, &one, &[1, 2, 3]);
    write_all(&source, &two, &[4, 5]);
    let subscription =
        Subscription::builder(&source).stream(&one).table("Two").stream(&one).page_limit(1).start();
    let mut seen: Vec<String> = subscription.unwrap().map(|event| show(&event)).collect();
    seen[..4].sort();
    assert_eq!(seen.join(" "), "1.0 2.0 4.0 5.0 3.0");
}

#[test]
fn what_is_not_there_is_an_error() {
    let source = FakeSource::default();
    let error = Subscription::builder(&source).table("None").start().unwrap_err();
    assert_eq!(error.to_string(), "table `None` has no stream");
    for from in [StartPosition::TrimHorizon, StartPosition::Latest] {
        let error = Subscription::builder(&source).stream("arn:x").from(from).start().unwrap_err();
        assert!(matches!(error, TailError::Source(SourceError::NotFound)), "{error}");
    }
    let error = Subscription::builder(&source).start().unwrap_err();
    assert_eq!(error.to_string(), "subscription names no stream");
}

#[test]
fn patterns_hold_events_back_but_count_them_as_read() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1, 1, 2, 1]);
    let inserts: EventPattern = r#"{"eventName":["INSERT"]}"#.parse().unwrap();
    let mut subscription = of(&source, &arn).pattern(inserts.clone()).start().unwrap();
    assert_eq!(read(&mut subscription), "1.0 2.0");
    assert_eq!(read(&mut of(&source, &arn).resume(subscription.checkpoint()).start().unwrap()), "");
    let two: EventPattern = r#"{"dynamodb":{"Keys":{"pk":{"S":["2"]}}}}"#.parse().unwrap();
    let modified: EventPattern = r#"{"eventName":["MODIFY"]}"#.parse().unwrap();
    let mut subscription = of(&source, &arn).pattern(two).pattern(modified).start().unwrap();
    assert_eq!(read(&mut subscription), "1.1 2.0 1.2");
}

#[test]
fn callbacks_are_called_by_pattern() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1, 1, 2]);
    let seen = RefCell::new(Vec::new());
    let note = |what: &'static str| {
        let seen = &seen;
        move |event: &Event<Change>| {
            seen.borrow_mut().push(format!("{what} {}.{}", event.record.key, event.record.n))
        }
    };
    let mut handlers = Handlers::new()
        .on(r#"{"eventName":["INSERT"]}"#.parse().unwrap(), note("new"))
        .on_any(note("any"))
        .on(r#"{"eventName":["MODIFY"]}"#.parse().unwrap(), note("changed"));
    of(&source, &arn).start().unwrap().run(&mut handlers).unwrap();
    drop(handlers);
    assert_eq!(seen.into_inner(), ["new 1.0", "any 1.0", "any 1.1", "changed 1.1", "new 2.0", "any 2.0"]);

    source.faults.borrow_mut().failed = 1;
    let mut none = Handlers::new().on_any(|_| ());
    assert!(of(&source, &arn).start().unwrap().run(&mut none).is_err());
}

#[test]
fn a_stop_ends_it_at_once() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1, 2, 3]);
    let wake = WakeHandle::default();
    let hour = Duration::from_secs(3600);
    let mut subscription =
        of(&source, &arn).follow(true).poll_interval(hour).wake_handle(wake.clone()).start().unwrap();
    assert_eq!(show(&subscription.next().unwrap()), "1.0");
    subscription.wake_handle().stop();
    assert!(wake.is_stopped());
    assert!(subscription.next().is_none());
    // What was fetched and not handed out is not lost.
    assert_eq!(read(&mut of(&source, &arn).resume(subscription.checkpoint()).start().unwrap()), "2.0 3.0");
}

#[test]
fn a_waiting_subscription_is_stopped_from_another_thread() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    let hour = Duration::from_secs(3600);
    let mut subscription = of(&source, &arn).follow(true).poll_interval(hour).start().unwrap();
    let wake = subscription.wake_handle();
    let stopper = std::thread::spawn(move || wake.stop());
    assert!(subscription.next().is_none());
    stopper.join().unwrap();
}

#[test]
fn news_end_the_wait() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    let hour = Duration::from_secs(3600);
    let mut subscription = of(&source, &arn).follow(true).poll_interval(hour).start().unwrap();
    source.write(&arn, 7);
    assert_eq!(show(&subscription.next().unwrap()), "7.0");
}

#[test]
fn following_ends_with_the_streams() {
    let source = FakeSource::default();
    let arn = source.enable("T");
    write_all(&source, &arn, &[1]);
    source.disable(&arn);
    assert_eq!(read(&mut of(&source, &arn).follow(true).start().unwrap()), "1.0");

    let mut subscription = of(&source, &arn).follow(true).start().unwrap();
    source.purge(&arn);
    assert_eq!(read(&mut subscription), "gap");
    // A checkpoint may outlive its stream.
    let checkpoint = subscription.checkpoint();
    assert_eq!(read(&mut Subscription::builder(&source).resume(checkpoint).start().unwrap()), "");
}

#[test]
fn a_table_is_followed_into_its_next_stream() {
    let source = FakeSource::default();
    let first = source.enable("T");
    write_all(&source, &first, &[1]);
    let following =
        || Subscription::builder(&source).table("T").follow(true).poll_interval(Duration::from_millis(1));
    let mut subscription = following().start().unwrap();
    assert_eq!(show(&subscription.next().unwrap()), "1.0");
    let checkpoint = subscription.checkpoint();
    source.disable(&first);
    let second = source.enable("T");
    write_all(&source, &second, &[2]);
    assert_eq!(show(&subscription.next().unwrap()), "2.0");
    source.disable(&second);
    let third = source.enable("T");
    write_all(&source, &third, &[3]);
    assert_eq!(show(&subscription.next().unwrap()), "3.0");
    // Resuming goes on with the stream of the checkpoint, not with the newest.
    let mut resumed = following().resume(checkpoint).from(StartPosition::Latest).start().unwrap();
    assert_eq!(show(&resumed.next().unwrap()), "2.0");
    assert_eq!(show(&resumed.next().unwrap()), "3.0");
}

#[test]
fn a_checkpoint_goes_on_in_the_next_stream_although_its_own_is_purged() {
    let source = FakeSource::default();
    let first = source.enable("T");
    write_all(&source, &first, &[1]);
    let of_table = || Subscription::builder(&source).table("T");
    let mut subscription = of_table().start().unwrap();
    assert_eq!(read(&mut subscription), "1.0");
    source.disable(&first);
    assert_eq!(read(&mut subscription), "");
    let second = source.enable("T");
    write_all(&source, &second, &[2]);
    source.disable(&second);
    let third = source.enable("T");
    write_all(&source, &third, &[3]);
    source.purge(&first);
    let mut resumed = of_table().resume(subscription.checkpoint()).start().unwrap();
    assert_eq!(read(&mut resumed), "2.0");
    let mut resumed = of_table().resume(resumed.checkpoint()).start().unwrap();
    assert_eq!(read(&mut resumed), "3.0");
    // A checkpoint of another table says nothing.
    let other = source.enable("U");
    let mut subscription = of(&source, &other).start().unwrap();
    assert_eq!(read(&mut subscription), "");
    let mut resumed = of_table().resume(subscription.checkpoint()).start().unwrap();
    assert_eq!(read(&mut resumed), "3.0");
}

#[test]
fn checkpoints_survive_as_text() {
    let text = r#"{"version":1,"streams":{"arn:1":{"a":{"at":"TRIM_HORIZON"},"b":{"at":"END"},"c":{"after":"12"},"d":{"iterator":"x|1|y"},"e":{"at":"END","ending":"34"},"f":{"since":56}}}}"#;
    let checkpoint: Checkpoint = text.parse().unwrap();
    let as_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(as_json(&checkpoint.to_string()), as_json(text));
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"version":2,"streams":{}}"#,
        r#"{"version":1}"#,
        r#"{"version":1,"streams":{"arn":7}}"#,
        r#"{"version":1,"streams":{"arn":{"a":7}}}"#,
        r#"{"version":1,"streams":{"arn":{"a":{"at":"LATEST"}}}}"#,
    ] {
        let error = bad.parse::<Checkpoint>().unwrap_err();
        assert_eq!(error.to_string(), "text is not a checkpoint of a stream subscription");
    }
}
