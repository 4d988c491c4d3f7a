//! Subscriptions to streams of this process.

use crate::harness::{DAY, Db, HOUR, MILLISECOND, key_of};
use pdb_model::{StreamArn, StreamRecord};
use pdb_streams::*;
use std::time::Duration;

fn read(subscription: Subscription<StreamManager>) -> String {
    subscription.map(|event| show(&event)).collect::<Vec<_>>().join(" ")
}

fn show(event: &Result<Event<StreamRecord>, TailError>) -> String {
    match event {
        Ok(event) => key_of(&event.record.keys),
        Err(error) => error.to_string().split(' ').next().unwrap().to_owned(),
    }
}

fn of(db: &Db, arn: &StreamArn) -> SubscriptionBuilder<StreamManager> {
    db.streams.subscribe().stream(arn.to_string())
}

#[test]
fn a_whole_lineage_is_read_in_order() {
    let db = Db::new();
    let arn = db.enable();
    for split in [false, true, false] {
        db.write_all(&["a", "a"]);
        db.rotate(split);
    }
    db.write("a");
    assert_eq!(read(of(&db, &arn).page_limit(1).start().unwrap()), "a a a a a a a");
}

#[test]
fn more_shards_than_fit_a_page() {
    let db = Db::new();
    let arn = db.enable();
    for _ in 0..120 {
        db.write("a");
        db.rotate(false);
    }
    assert_eq!(read(of(&db, &arn).start().unwrap()).split(' ').count(), 120);
}

#[test]
fn a_subscription_at_the_end_survives_a_restart_without_a_record() {
    let db = Db::new();
    let arn = db.enable();
    db.write("old");
    let subscription = of(&db, &arn).from(StartPosition::Latest).start().unwrap();
    let checkpoint = subscription.checkpoint().to_string().parse().unwrap();
    db.write("new");
    db.advance(HOUR);
    assert_eq!(read(subscription), "new");
    assert_eq!(read(db.streams.subscribe().resume(checkpoint).start().unwrap()), "new");
}

#[test]
fn a_lineage_is_read_from_a_time() {
    let db = Db::new();
    let arn = db.enable();
    let mut times = Vec::new();
    for (nth, split) in [false, true, false, false].into_iter().enumerate() {
        db.advance(HOUR);
        times.push(db.test.env.clock.now());
        db.write_all(&[&format!("a{nth}"), &format!("b{nth}")]);
        db.rotate(split);
    }
    let all = ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3"];
    let sorted = |shown: String| {
        let mut keys: Vec<String> = shown.split_whitespace().map(str::to_owned).collect();
        keys.sort_by_key(|key| (key[1..].to_owned(), key[..1].to_owned()));
        keys.join(" ")
    };
    for (nth, time) in times.iter().enumerate() {
        let since = of(&db, &arn).from_time(*time).start().unwrap();
        assert_eq!(sorted(read(since)), all[2 * nth..].join(" "), "{nth}");
        let later = of(&db, &arn).from_time(time.plus(MILLISECOND)).start().unwrap();
        assert_eq!(sorted(read(later)), all[2 * nth + 2..].join(" "), "{nth}");
    }
    // From now on, through a rotation and a restart before there is a record.
    let mut subscription =
        of(&db, &arn).from_time(db.test.env.clock.now().plus(MILLISECOND)).start().unwrap();
    assert!(subscription.next().is_none());
    let checkpoint = subscription.checkpoint().to_string().parse().unwrap();
    db.rotate(true);
    db.write("c");
    assert_eq!(read(db.streams.subscribe().resume(checkpoint).start().unwrap()), "c");
    assert_eq!(read(subscription), "c");
    let future = of(&db, &arn).from_time(db.test.env.clock.now().plus(HOUR)).start();
    assert!(matches!(future, Err(TailError::Source(SourceError::Failed(_)))));
}

#[test]
fn an_empty_shard_is_taken_up_from_its_end() {
    let db = Db::new();
    let arn = db.enable();
    let subscription = of(&db, &arn).from(StartPosition::Latest).start().unwrap();
    db.write("new");
    assert_eq!(read(subscription), "new");
}

#[test]
fn a_trimmed_reader_is_told() {
    let db = Db::new();
    let arn = db.enable();
    db.write_all(&["a", "b"]);
    let mut subscription = of(&db, &arn).page_limit(1).start().unwrap();
    assert_eq!(show(&subscription.next().unwrap()), "a");
    db.advance(DAY - HOUR);
    db.write("c");
    db.advance(HOUR);
    assert_eq!(read(subscription), "records c");
}

#[test]
fn following_sees_what_another_thread_writes() {
    let db = Db::new();
    let arn = db.enable();
    let (sender, seen) = std::sync::mpsc::channel();
    let mut subscription =
        of(&db, &arn).follow(true).poll_interval(Duration::from_secs(3600)).start().unwrap();
    let wake = subscription.wake_handle();
    let reader = std::thread::spawn(move || {
        for event in &mut subscription {
            sender.send(show(&event)).unwrap();
        }
    });
    for key in ["a", "b", "c"] {
        db.write(key);
        assert_eq!(seen.recv().unwrap(), key);
    }
    db.rotate(true);
    db.write("d");
    assert_eq!(seen.recv().unwrap(), "d");
    wake.stop();
    reader.join().unwrap();
    // Nobody is woken any more.
    db.write("e");
}

#[test]
fn a_table_is_followed_into_its_next_stream() {
    let db = Db::new();
    db.enable();
    db.write("a");
    let mut subscription =
        db.streams.subscribe().table("orders").follow(true).poll_interval(MILLISECOND).start().unwrap();
    assert_eq!(show(&subscription.next().unwrap()), "a");
    db.disable();
    db.advance(MILLISECOND);
    db.enable();
    db.write("b");
    assert_eq!(show(&subscription.next().unwrap()), "b");
}

#[test]
fn patterns_see_lambdas_form_of_a_record() {
    let db = Db::new();
    let arn = db.enable();
    db.write_all(&["a", "expired", "b"]);
    for (pattern, expected) in [
        (r#"{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}"#, "expired"),
        (r#"{"dynamodb":{"NewImage":{"pk":{"S":[{"anything-but":"a"}]}}}}"#, "expired b"),
        (
            r#"{"awsRegion":["us-east-1"],"eventSource":["aws:dynamodb"],"eventVersion":["1.1"]}"#,
            "a expired b",
        ),
        (r#"{"dynamodb":{"OldImage":[{"exists":false}],"SizeBytes":[7]}}"#, "a b"),
        (r#"{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":["=",1772356542]}]}}"#, "a expired b"),
        (r#"{"eventName":["MODIFY"]}"#, ""),
    ] {
        let subscription = of(&db, &arn).pattern(pattern.parse().unwrap()).start().unwrap();
        assert_eq!(read(subscription), expected, "{pattern}");
    }
}

#[test]
fn errors_of_the_operations_are_sorted() {
    let db = Db::new();
    let arn = db.enable().to_string();
    let shard_id = db.rows(&arn.parse().unwrap())[0].id.to_string();
    let kind = |error: SourceError| error.to_string();
    let streams = &db.streams;
    assert_eq!(streams.streams("no table's name!").unwrap(), Vec::<String>::new());
    assert_eq!(kind(streams.describe("arn:nonsense").unwrap_err()), "stream cannot be read");
    let unknown = arn.replace("orders", "others");
    assert_eq!(kind(streams.describe(&unknown).unwrap_err()), "stream or shard does not exist");
    let iterator = |shard: &str, at: SourcePosition| streams.shard_iterator(&arn, shard, &at);
    assert_eq!(
        kind(iterator("short", SourcePosition::Latest).unwrap_err()),
        "stream or shard does not exist"
    );
    let nonsense = SourcePosition::After("nonsense".to_owned());
    assert_eq!(kind(iterator(&shard_id, nonsense).unwrap_err()), "stream cannot be read");
    assert_eq!(kind(streams.records("nonsense", None).unwrap_err()), "stream cannot be read");
    assert_eq!(streams.position_of("nonsense"), None);
    let horizon = iterator(&shard_id, SourcePosition::TrimHorizon).unwrap();
    assert_eq!(streams.position_of(&horizon), Some(SourcePosition::TrimHorizon));
    assert_eq!(kind(SourceError::from(StreamsError::Throttled)), "too many calls");
    assert_eq!(kind(SourceError::from(StreamsError::TooManyReaders)), "too many calls");
    assert_eq!(kind(SourceError::from(StreamsError::ExpiredIterator)), "shard iterator has expired");
    assert_eq!(kind(SourceError::from(StreamsError::Trimmed)), "records at this position have been trimmed");
}
