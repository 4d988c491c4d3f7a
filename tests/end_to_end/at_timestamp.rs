//! Iterators at a time, through the library and over HTTP: the cases of `streams-at-timestamp.md` 9.

use std::time::Duration;

use pretender::streams::StreamViewType;
use pretender::time::EpochMillis;
use serde_json::{Value, json};

use crate::driver::{Driver, Failure, World};
use crate::http::Http;
use crate::library::Library;

const KIND: &str = "AT_TIMESTAMP";
const SECOND: Duration = Duration::from_secs(1);

/// A stream with one shard, whose records were made at 100.000, 100.250, 100.250 and 102.000 seconds. It is 110 seconds.
struct Example {
    arn: String,
    shard: String,
}

impl Example {
    fn new(world: &World, db: &dyn Driver) -> Self {
        world.clock.set(EpochMillis(99_000));
        let arn = db.create_table("Orders", Some(StreamViewType::KeysOnly)).unwrap().unwrap();
        let shard = db.describe(&arn).unwrap().1.remove(0);
        for (time, pk) in [(100_000, "r1"), (100_250, "r2"), (100_250, "r3"), (102_000, "r4")] {
            world.clock.set(EpochMillis(time));
            put(db, pk);
        }
        world.clock.set(EpochMillis(110_000));
        Self { arn, shard }
    }

    fn iterator(&self, db: &dyn Driver, time: &str) -> Result<String, Failure> {
        db.iterator_at_time(&self.arn, &self.shard, KIND, None, Some(time))
    }

    /// The keys of the first page at a time, with a point behind if another page may follow; or the error.
    fn show(&self, db: &dyn Driver, time: &str) -> String {
        self.iterator(db, time).map_or_else(shown, |iterator| page(db, &iterator))
    }
}

fn put(db: &dyn Driver, pk: &str) {
    db.put("Orders", &json!({"pk": {"S": pk}})).unwrap();
}

fn shown(failure: Failure) -> String {
    format!("{}: {}", failure.code, failure.message)
}

fn page(db: &dyn Driver, iterator: &str) -> String {
    match db.records(iterator, None) {
        Ok(page) => {
            let keys = page.records.iter().map(|record| record.keys["pk"]["S"].as_str().unwrap());
            keys.chain(page.next.as_ref().map(|_| ".")).collect::<Vec<_>>().join(" ")
        }
        Err(failure) => shown(failure),
    }
}

/// Plays a scenario in a world of its own for each way to the database.
fn play(scenario: impl Fn(&World, &dyn Driver)) {
    let world = World::new();
    scenario(&world, &Library(world.db.clone()));
    let world = World::new();
    scenario(&world, &Http::new(world.db.clone()));
}

fn invalid(text: &str) -> String {
    format!("ValidationException: One or more parameter values were invalid: {text}")
}

#[test]
fn a_time_leads_to_the_first_record_at_it_or_later() {
    play(|world, db| {
        let example = Example::new(world, db);
        let future = invalid("Timestamp must not be in the future");
        for (time, expected) in [
            ("100", "r1 r2 r3 r4 ."),
            ("100.001", "r2 r3 r4 ."),
            ("100.25", "r2 r3 r4 ."),
            ("100.251", "r4 ."),
            ("102", "r4 ."),
            ("102.001", "."),
            ("0", "r1 r2 r3 r4 ."),
            ("-5", "r1 r2 r3 r4 ."),
            ("110", "."),
            ("111", "."),
            ("111.001", &future),
            ("3710", &future),
        ] {
            assert_eq!(example.show(db, time), expected, "{time}");
        }
    });
}

#[test]
fn the_end_of_an_open_shard_is_a_fixed_position() {
    play(|world, db| {
        let example = Example::new(world, db);
        let (end, later) =
            (example.iterator(db, "102.001").unwrap(), example.iterator(db, "100.25").unwrap());
        assert_eq!(page(db, &end), ".");
        world.clock.set(EpochMillis(111_000));
        put(db, "r5");
        assert_eq!([page(db, &end), page(db, &end)], ["r5 .", "r5 ."]);
        world.clock.advance(Duration::from_secs(15 * 60));
        let expired =
            "ExpiredIteratorException: The provided iterator exceeds the maximum age allowed.".to_owned();
        assert_eq!(page(db, &later), expired);
    });
}

#[test]
fn a_time_before_the_horizon_is_the_horizon() {
    play(|world, db| {
        let example = Example::new(world, db);
        // The first three are older than a day, and what is older than 25 hours is asked for.
        world.clock.set(EpochMillis(101_000));
        world.pass(Duration::from_secs(24 * 60 * 60));
        for time in ["-3499", "0", "100", "101", "102"] {
            assert!(example.show(db, time).starts_with("r4"), "{time}");
        }
    });
}

#[test]
fn closed_and_disabled_shards_end() {
    play(|world, db| {
        let example = Example::new(world, db);
        db.update_stream("Orders", None).unwrap();
        for (time, expected) in [("105", ""), ("99.5", "r1 r2 r3 r4"), ("100.251", "r4")] {
            assert_eq!(example.show(db, time), expected, "{time}");
        }
        world.pass(Duration::from_secs(24 * 60 * 60));
        assert!(example.show(db, "100").starts_with("ResourceNotFoundException: "));
    });
}

#[test]
fn a_time_in_a_rotated_stream_is_asked_of_every_shard() {
    play(|world, db| {
        let example = Example::new(world, db);
        let rotate = || world.db.rotate_shards(&example.arn.parse().unwrap(), None);
        rotate().unwrap();
        world.clock.set(EpochMillis(120_000));
        put(db, "r5");
        let shards = db.describe(&example.arn).unwrap().1;
        let show = |time: &str| {
            let of_shard = |shard: &String| {
                let iterator = db.iterator_at_time(&example.arn, shard, KIND, None, Some(time));
                page(db, &iterator.unwrap())
            };
            shards.iter().map(of_shard).collect::<Vec<_>>()
        };
        assert_eq!(show("100.251"), ["r4", "r5 ."]);
        assert_eq!(show("103"), ["", "r5 ."]);
        assert_eq!(show("120.001"), ["", "."]);
    });
}

#[test]
fn an_empty_shard_and_unknown_ones() {
    play(|world, db| {
        world.clock.set(EpochMillis(99_000));
        let arn = db.create_table("Orders", Some(StreamViewType::KeysOnly)).unwrap().unwrap();
        let shard = db.describe(&arn).unwrap().1.remove(0);
        world.clock.set(EpochMillis(110_000));
        let example = Example { arn: arn.clone(), shard };
        assert_eq!(example.show(db, "100.25"), ".");
        let unknown = "shardId-00000000000000000001-00000000".to_owned();
        assert_eq!(
            Example { arn: arn.clone(), shard: unknown.clone() }.show(db, "100"),
            "ResourceNotFoundException: Requested resource not found: Shard does not exist"
        );
        let absent = arn.replace("Orders", "Others");
        assert_eq!(
            Example { arn: absent.clone(), shard: unknown }.show(db, "100"),
            format!("ResourceNotFoundException: Requested resource not found: Stream: {absent} not found")
        );
    });
}

/// The answer has seconds, and the position milliseconds.
#[test]
fn milliseconds_count_that_records_do_not_show() {
    play(|world, db| {
        world.clock.set(EpochMillis(100_700));
        let arn = db.create_table("Orders", Some(StreamViewType::KeysOnly)).unwrap().unwrap();
        let shard = db.describe(&arn).unwrap().1.remove(0);
        put(db, "r1");
        world.clock.advance(9 * SECOND);
        let example = Example { arn, shard };
        for (time, expected) in [("100.3", "r1 ."), ("100", "r1 ."), ("100.7", "r1 ."), ("100.701", ".")] {
            assert_eq!(example.show(db, time), expected, "{time}");
        }
        let first = example.iterator(db, "100").unwrap();
        assert_eq!(db.records(&first, None).unwrap().records[0].created_seconds, 100);
    });
}

#[test]
fn members_that_do_not_fit_the_type_are_refused() {
    play(|world, db| {
        let example = Example::new(world, db);
        let number = db.all_records(&example.arn, None)[1].sequence_number.clone();
        let superfluous = "must not be specified for ShardIteratorType";
        for (kind, number, time, expected) in [
            (KIND, None, None, "Timestamp is required for ShardIteratorType AT_TIMESTAMP".to_owned()),
            (
                KIND,
                Some(&*number),
                None,
                "Timestamp is required for ShardIteratorType AT_TIMESTAMP".to_owned(),
            ),
            (KIND, Some(&*number), Some("100"), format!("SequenceNumber {superfluous} AT_TIMESTAMP")),
            ("TRIM_HORIZON", None, Some("100"), format!("Timestamp {superfluous} TRIM_HORIZON")),
            ("LATEST", None, Some("100"), format!("Timestamp {superfluous} LATEST")),
            (
                "AT_SEQUENCE_NUMBER",
                Some(&*number),
                Some("100"),
                format!("Timestamp {superfluous} AT_SEQUENCE_NUMBER"),
            ),
            // These come before the time is looked at.
            (KIND, Some(&*number), Some("9999999999"), format!("SequenceNumber {superfluous} AT_TIMESTAMP")),
            ("LATEST", None, Some("9999999999"), format!("Timestamp {superfluous} LATEST")),
        ] {
            let failure = db.iterator_at_time(&example.arn, &example.shard, kind, number, time).unwrap_err();
            assert_eq!(shown(failure), invalid(&expected), "{kind} {number:?} {time:?}");
        }
    });
}

#[test]
fn numbers_of_any_form_are_times_and_nothing_else_is() {
    let world = World::new();
    let http = Http::new(world.db.clone());
    let example = Example::new(&world, &http);
    let place = format!(r#""StreamArn":"{}","ShardId":"{}""#, example.arn, example.shard);
    let ask = |more: &str| match http.stream_text("GetShardIterator", &format!("{{{place},{more}}}")) {
        Ok(answer) => page(&http, answer["ShardIterator"].as_str().unwrap()),
        Err(failure) => shown(failure),
    };
    let future = invalid("Timestamp must not be in the future");
    let serialization = |text: &str| format!("SerializationException: {text}");
    for (time, expected) in [
        ("1.0E2", "r1 r2 r3 r4 .".to_owned()),
        ("1.0e+2", "r1 r2 r3 r4 .".to_owned()),
        ("100.2500009", "r2 r3 r4 .".to_owned()),
        ("100.2500000000000000000000000001", "r2 r3 r4 .".to_owned()),
        ("100.2509999999999999999999999999", "r2 r3 r4 .".to_owned()),
        ("100250E-3", "r2 r3 r4 .".to_owned()),
        ("-0.0001", "r1 r2 r3 r4 .".to_owned()),
        ("-1e300", "r1 r2 r3 r4 .".to_owned()),
        ("1e300", future.clone()),
        ("99999999999999999999999999", future.clone()),
        ("1791316726480", future),
        ("null", invalid("Timestamp is required for ShardIteratorType AT_TIMESTAMP")),
        (r#""100""#, serialization("STRING_VALUE cannot be converted to Double")),
        (r#""2026-10-06T12:18:46.480Z""#, serialization("STRING_VALUE cannot be converted to Double")),
        ("true", serialization("TRUE_VALUE cannot be converted to Double")),
        ("[100]", serialization("Unrecognized collection type class java.lang.Double")),
        ("{}", serialization("Start of structure or map found where not expected")),
        // The error of the type comes before those of the other members, and JSON before both.
        (r#""100","SequenceNumber":"1""#, serialization("STRING_VALUE cannot be converted to Double")),
        ("100.", serialization("")),
    ] {
        assert_eq!(
            ask(&format!(r#""ShardIteratorType":"AT_TIMESTAMP","Timestamp":{time}"#)),
            expected,
            "{time}"
        );
    }
    let words = "AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON, AT_TIMESTAMP";
    assert_eq!(
        ask(r#""ShardIteratorType":"at_timestamp","Timestamp":100"#),
        format!(
            "ValidationException: 1 validation error detected: Value 'at_timestamp' at 'shardIteratorType' failed to satisfy \
             constraint: Member must satisfy enum value set: [{words}]"
        )
    );
    let request = r#"{"StreamArn":"arn:aws:dynamodb:us-east-1:no-account-and-no-table","ShardId":"shardId-00000000000000000001-00000000","ShardIteratorType":"AT_TIMESTAMP"}"#;
    let failure = http.stream_text("GetShardIterator", request).unwrap_err();
    assert_eq!(shown(failure), "ValidationException: Invalid StreamArn");
}

/// A snapshot is the past, and the position is one of that past.
#[test]
fn positions_go_back_with_the_database() {
    // A database of a server is not replaced.
    if pdb_testkit::on_postgres() {
        return;
    }
    play(|world, db| {
        let example = Example::new(world, db);
        world.db.save_snapshot("before").unwrap();
        put(db, "r5");
        assert_eq!(example.show(db, "105"), "r5 .");
        world.db.restore_snapshot("before").unwrap();
        assert_eq!(example.show(db, "105"), ".");
        assert_eq!(example.show(db, "100.251"), "r4 .");
        world.clock.set(EpochMillis(103_000));
        put(db, "r6");
        world.clock.set(EpochMillis(110_000));
        assert_eq!(example.show(db, "102.001"), "r6 .");
    });
}

/// `Value` of a time is what the adapters of a language send.
#[test]
fn clients_send_floats() {
    let world = World::new();
    let http = Http::new(world.db.clone());
    let example = Example::new(&world, &http);
    for (time, expected) in
        [(json!(100.25), "r2 r3 r4 ."), (json!(100), "r1 r2 r3 r4 ."), (json!(100.251), "r4 .")]
    {
        let body: Value = json!({
            "StreamArn": example.arn, "ShardId": example.shard, "ShardIteratorType": KIND, "Timestamp": time,
        });
        let answer = http.stream_text("GetShardIterator", &body.to_string()).unwrap();
        assert_eq!(page(&http, answer["ShardIterator"].as_str().unwrap()), expected, "{time}");
    }
}
