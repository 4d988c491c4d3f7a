//! `GetShardIterator`: every row of the table of checks, every type in every kind of shard.

use crate::harness::{Db, changed};
use ShardIteratorType::{AfterSequenceNumber, AtSequenceNumber, AtTimestamp, Latest, TrimHorizon};
use pdb_model::{EpochMillis, IteratorPosition, SequenceNumber, ShardId};
use pdb_streams::{ShardIteratorType, StreamsError};

#[test]
fn the_members_of_a_request_are_put_together() {
    let number = "1200000000000000000004";
    let parsed = SequenceNumber { counter: 12, shard: 4 };
    for (name, given, expected) in [
        ("TRIM_HORIZON", None, Ok(Some(TrimHorizon))),
        ("LATEST", None, Ok(Some(Latest))),
        ("AT_SEQUENCE_NUMBER", Some(number), Ok(Some(AtSequenceNumber(parsed)))),
        ("AFTER_SEQUENCE_NUMBER", Some(number), Ok(Some(AfterSequenceNumber(parsed)))),
        ("AT_TIME", None, Ok(None)),
        (
            "AT_SEQUENCE_NUMBER",
            None,
            Err(
                "One or more parameter values were invalid: SequenceNumber is required for ShardIteratorType AT_SEQUENCE_NUMBER",
            ),
        ),
        (
            "AFTER_SEQUENCE_NUMBER",
            None,
            Err(
                "One or more parameter values were invalid: SequenceNumber is required for ShardIteratorType AFTER_SEQUENCE_NUMBER",
            ),
        ),
        (
            "TRIM_HORIZON",
            Some(number),
            Err(
                "One or more parameter values were invalid: SequenceNumber must not be specified for ShardIteratorType TRIM_HORIZON",
            ),
        ),
        (
            "LATEST",
            Some(number),
            Err(
                "One or more parameter values were invalid: SequenceNumber must not be specified for ShardIteratorType LATEST",
            ),
        ),
        ("AT_SEQUENCE_NUMBER", Some("12000000000000000000x4"), Err("Invalid SequenceNumber")),
        ("AFTER_SEQUENCE_NUMBER", Some("-200000000000000000004"), Err("Invalid SequenceNumber")),
    ] {
        let seen = ShardIteratorType::from_request(name, given, None).map_err(|error| error.to_string());
        assert_eq!(seen, expected.map_err(str::to_owned), "{name} {given:?}");
    }
}

#[test]
fn a_time_belongs_to_one_type() {
    let (number, time) = ("1200000000000000000004", EpochMillis(100_250));
    let invalid = |text: &str| Err(format!("One or more parameter values were invalid: {text}"));
    for (name, number, time, expected) in [
        ("AT_TIMESTAMP", None, Some(time), Ok(Some(AtTimestamp(time)))),
        ("AT_TIMESTAMP", None, None, invalid("Timestamp is required for ShardIteratorType AT_TIMESTAMP")),
        (
            "AT_TIMESTAMP",
            Some(number),
            None,
            invalid("Timestamp is required for ShardIteratorType AT_TIMESTAMP"),
        ),
        (
            "AT_TIMESTAMP",
            Some(number),
            Some(time),
            invalid("SequenceNumber must not be specified for ShardIteratorType AT_TIMESTAMP"),
        ),
        (
            "TRIM_HORIZON",
            None,
            Some(time),
            invalid("Timestamp must not be specified for ShardIteratorType TRIM_HORIZON"),
        ),
        ("LATEST", None, Some(time), invalid("Timestamp must not be specified for ShardIteratorType LATEST")),
        (
            "AT_SEQUENCE_NUMBER",
            Some(number),
            Some(time),
            invalid("Timestamp must not be specified for ShardIteratorType AT_SEQUENCE_NUMBER"),
        ),
        (
            "AFTER_SEQUENCE_NUMBER",
            None,
            Some(time),
            invalid("Timestamp must not be specified for ShardIteratorType AFTER_SEQUENCE_NUMBER"),
        ),
        ("at_timestamp", None, Some(time), Ok(None)),
    ] {
        let seen = ShardIteratorType::from_request(name, number, time).map_err(|error| error.to_string());
        assert_eq!(seen, expected, "{name} {number:?} {time:?}");
    }
}

#[test]
fn unknown_streams_and_shards_are_not_found() {
    let db = Db::new();
    let arn = db.enable();
    let mut unknown = arn.clone();
    unknown.table.name = "unknown".parse().unwrap();
    let shard_id = db.shard_ids(&arn).remove(0);
    let error = db.iterator(&unknown, &shard_id, TrimHorizon).unwrap_err();
    assert_eq!(error.to_string(), format!("Requested resource not found: Stream: {unknown} not found"));
    for id in ["shardId-00000000000000000001-00000000", "any twenty-eight characters or more"] {
        let error = db.iterator(&arn, &id.parse::<ShardId>().unwrap(), TrimHorizon).unwrap_err();
        assert!(matches!(error, StreamsError::ShardNotFound));
        assert_eq!(error.to_string(), "Requested resource not found: Shard does not exist");
    }
}

#[test]
fn every_type_in_an_empty_open_shard() {
    let db = Db::new();
    let arn = db.enable();
    let shard = db.describe(&arn).shards.remove(0);
    let start = shard.starting_sequence_number;
    let next = SequenceNumber { counter: start.counter + 1, ..start };
    for (from, expected) in [
        (TrimHorizon, "."),
        (Latest, "."),
        (AtSequenceNumber(start), "."),
        (AfterSequenceNumber(start), "."),
        (AtSequenceNumber(next), "Invalid SequenceNumber for the shard"),
        (AfterSequenceNumber(next), "Invalid SequenceNumber for the shard"),
    ] {
        assert_eq!(db.show(&arn, &shard.shard_id, from), expected, "{from:?}");
    }
}

#[test]
fn every_type_in_a_shard_with_records_open_or_closed() {
    for closed in [false, true] {
        let db = Db::new();
        let arn = db.enable();
        let numbers = db.write_all(&["a", "b", "c"]);
        if closed {
            db.rotate(false);
        }
        let shard = db.describe(&arn).shards.remove(0);
        assert_eq!(shard.ending_sequence_number, closed.then_some(numbers[2]));
        let start = shard.starting_sequence_number;
        let below = SequenceNumber { counter: start.counter - 1, ..start };
        let above = SequenceNumber { counter: numbers[2].counter + 1, ..start };
        for (from, expected) in [
            (TrimHorizon, "a b c"),
            (Latest, ""),
            (AtSequenceNumber(below), "Invalid SequenceNumber for the shard"),
            (AtSequenceNumber(start), "a b c"),
            (AfterSequenceNumber(start), "a b c"),
            (AtSequenceNumber(numbers[0]), "a b c"),
            (AfterSequenceNumber(numbers[0]), "b c"),
            (AtSequenceNumber(numbers[1]), "b c"),
            (AfterSequenceNumber(numbers[1]), "c"),
            (AtSequenceNumber(numbers[2]), "c"),
            (AfterSequenceNumber(numbers[2]), ""),
            (AtSequenceNumber(above), "Invalid SequenceNumber for the shard"),
            (AfterSequenceNumber(above), "Invalid SequenceNumber for the shard"),
        ] {
            let expected = match expected {
                text if closed || text.starts_with("Invalid") => text.to_owned(),
                "" => ".".to_owned(),
                keys => format!("{keys} ."),
            };
            assert_eq!(db.show(&arn, &shard.shard_id, from), expected, "{from:?} closed {closed}");
        }
    }
}

#[test]
fn every_type_in_a_partly_trimmed_shard() {
    let db = Db::new();
    let arn = db.enable();
    let numbers = db.write_all(&["a", "b", "c"]);
    let shard = db.describe(&arn).shards.remove(0);
    db.trim(&arn, numbers[1].shard, numbers[1].counter);
    let trimmed = "The data you are trying to access has been trimmed";
    let start = shard.starting_sequence_number;
    for (from, expected) in [
        (TrimHorizon, "c ."),
        (Latest, "."),
        (AtSequenceNumber(start), "c ."),
        (AfterSequenceNumber(start), "c ."),
        (AtSequenceNumber(numbers[0]), trimmed),
        (AfterSequenceNumber(numbers[0]), trimmed),
        (AtSequenceNumber(numbers[1]), trimmed),
        (AfterSequenceNumber(numbers[1]), "c ."),
        (AtSequenceNumber(numbers[2]), "c ."),
    ] {
        assert_eq!(db.show(&arn, &shard.shard_id, from), expected, "{from:?}");
    }
    // Trimming does not move the start.
    assert_eq!(db.describe(&arn).shards[0].starting_sequence_number, start);
}

#[test]
fn latest_is_fixed_when_issued() {
    let db = Db::new();
    let arn = db.enable();
    db.write("before");
    let shard_id = db.shard_ids(&arn).remove(0);
    let iterator = db.iterator(&arn, &shard_id, Latest).unwrap();
    db.write_all(&["after", "later"]);
    assert_eq!(db.show_page(&iterator, None), "after later .");
    // Also in a shard that had nothing.
    db.rotate(false);
    let shard_id = db.shard_ids(&arn).remove(1);
    let iterator = db.iterator(&arn, &shard_id, Latest).unwrap();
    db.write("first");
    assert_eq!(db.show_page(&iterator, None), "first .");
}

#[test]
fn two_iterators_differ_and_both_work() {
    let db = Db::new();
    let arn = db.enable();
    db.write("a");
    let shard_id = db.shard_ids(&arn).remove(0);
    let iterators: Vec<String> = (0..2).map(|_| db.iterator(&arn, &shard_id, TrimHorizon).unwrap()).collect();
    assert_ne!(iterators[0], iterators[1]);
    for iterator in &iterators {
        assert!(iterator.starts_with(&format!("{arn}|1|")) && iterator.len() <= 2048);
        assert_eq!(db.show_page(iterator, None), "a .");
        assert_eq!(db.show_page(iterator, None), "a .");
    }
}

/// A number of another shard stands between two of this shard's.
#[test]
fn numbers_without_a_record_point_to_the_next() {
    let db = Db::new();
    let arn = db.enable();
    let numbers = db.write_all(&["a", "b"]);
    let shard_id = db.shard_ids(&arn).remove(0);
    let strange = SequenceNumber { shard: numbers[0].shard + 1, ..numbers[0] };
    assert_eq!(db.show(&arn, &shard_id, AtSequenceNumber(strange)), "b .");
    assert_eq!(db.show(&arn, &shard_id, AfterSequenceNumber(strange)), "b .");
    let iterator = db.iterator(&arn, &shard_id, TrimHorizon).unwrap();
    let between = changed(&db, &iterator, |iterator| iterator.position = IteratorPosition::At(strange));
    assert_eq!(db.show_page(&between, None), "b .");
}
