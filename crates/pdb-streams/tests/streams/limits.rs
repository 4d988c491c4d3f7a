//! AWS's rates, when asked for.

use crate::harness::Db;
use pdb_streams::ShardIteratorType::TrimHorizon;
use pdb_streams::{DescribeStreamInput, ListStreamsInput, StreamOptions, StreamsError};
use std::time::Duration;

#[test]
fn rates_are_off_unless_asked_for() {
    let db = Db::new();
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    let iterator = db.iterator(&arn, &shard_id, TrimHorizon).unwrap();
    for _ in 0..20 {
        db.streams.list_streams(&ListStreamsInput::default()).unwrap();
        db.describe(&arn);
        db.streams.get_records(&iterator, None).unwrap();
    }
}

#[test]
fn rates_hold_when_asked_for() {
    let db = Db::with(StreamOptions { enforce_limits: true, ..Default::default() });
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    let iterator = || db.iterator(&arn, &shard_id, TrimHorizon).unwrap();
    let reader = iterator();
    for round in 0..2 {
        let listed = (0..6).map(|_| db.streams.list_streams(&ListStreamsInput::default()));
        assert_eq!(listed.filter(Result::is_ok).count(), 5);
        let input = DescribeStreamInput::new(arn.clone());
        // The harness has described the stream once before.
        let described = (0..11).map(|_| db.streams.describe_stream(&input)).filter(Result::is_ok).count();
        assert_eq!(described, if round == 0 { 9 } else { 10 });
        let read = (0..6).map(|_| db.streams.get_records(&reader, None));
        let errors: Vec<StreamsError> = read.filter_map(Result::err).collect();
        assert!(matches!(&errors[..], [StreamsError::Throttled]));
        assert_eq!(errors[0].to_string(), "Rate exceeded");
        db.advance(Duration::from_secs(1));
    }
}

#[test]
fn a_third_reader_is_one_too_many() {
    let db = Db::with(StreamOptions { enforce_limits: true, ..Default::default() });
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    let readers: Vec<String> = (0..3).map(|_| db.iterator(&arn, &shard_id, TrimHorizon).unwrap()).collect();
    // A reader is known by the iterators it goes on with.
    let next = db.streams.get_records(&readers[0], None).unwrap().next_shard_iterator.unwrap();
    db.streams.get_records(&readers[1], None).unwrap();
    db.streams.get_records(&next, None).unwrap();
    let error = db.streams.get_records(&readers[2], None).unwrap_err();
    assert!(matches!(error, StreamsError::TooManyReaders));
    assert_eq!(error.to_string(), "Rate exceeded");
}
