//! Trimming by age and by hand.

use crate::harness::{DAY, Db, HOUR, MILLISECOND, orders};
use pdb_cleanup::{
    CleanupError, RETENTION, Throttle, TrimReport, rotate_shards_of_stream, trim, trim_stream,
};
use pdb_model::{EpochMillis, SequenceNumber};

fn records(count: u64) -> TrimReport {
    TrimReport { records: count, ..Default::default() }
}

#[test]
fn records_go_after_a_day_and_not_before() {
    let (db, arn) = Db::streaming();
    db.put("a");
    db.advance(HOUR);
    db.put("b");
    db.advance(DAY - HOUR - MILLISECOND);
    assert_eq!(db.trim(), TrimReport::default());
    db.advance(MILLISECOND);
    assert_eq!(db.trim(), records(1));
    assert_eq!(db.trim(), TrimReport::default());
    assert_eq!(db.records().len(), 1);
    // The horizon is noted.
    assert_eq!(db.shards(&arn)[0].trimmed, db.shards(&arn)[0].starting + 1);
    db.advance(HOUR);
    assert_eq!(db.trim(), records(1));
    // An open shard stays, however empty.
    db.advance(10 * DAY);
    assert_eq!(db.trim(), TrimReport::default());
    assert_eq!(db.shards(&arn).len(), 1);
}

#[test]
fn steps_of_every_size_trim_the_same() {
    for step in [0, 1, 2, 3, 4, 5, 6, 100] {
        let (db, _) = Db::streaming();
        (0..5).for_each(|_| db.put("a"));
        db.advance(HOUR);
        db.put("a");
        db.advance(DAY - HOUR);
        let report = trim(&db.test.store, db.now(), RETENTION, &Throttle::new(step)).unwrap();
        assert_eq!(report, records(5), "step {step}");
        assert_eq!(db.records().len(), 1);
    }
}

#[test]
fn what_goes_is_a_prefix_even_if_the_clock_went_back() {
    let (db, _) = Db::streaming();
    db.put("young");
    db.test.clock.set(EpochMillis(db.now().0 - 3_600_000));
    db.put("old");
    db.advance(DAY);
    assert_eq!(db.trim(), TrimReport::default());
    db.advance(HOUR);
    assert_eq!(db.trim(), records(2));
}

#[test]
fn closed_shards_go_when_they_are_old_and_empty() {
    let (db, arn) = Db::streaming();
    db.put("a");
    db.advance(4 * HOUR);
    db.put("b");
    let first = db.shards(&arn)[0].id.clone();
    assert_eq!(db.shards(&arn).len(), 2);
    db.advance(DAY - 4 * HOUR);
    assert_eq!(db.trim(), records(1));
    assert_eq!(db.shards(&arn).len(), 2, "closed for less than a day");
    db.advance(4 * HOUR);
    assert_eq!(db.trim(), TrimReport { records: 1, shards: 1, streams: 0 });
    let left = db.shards(&arn);
    assert_eq!((left.len(), left[0].parent.as_ref()), (1, Some(&first)));
}

#[test]
fn a_closed_shard_stays_while_it_has_a_record() {
    let (db, arn) = Db::streaming();
    // Made by a clock that was ahead when it was written, and right when the shard was closed.
    db.advance(HOUR);
    db.put("a");
    db.test.clock.set(EpochMillis(db.now().0 - 3_600_000));
    db.disable();
    db.advance(MILLISECOND);
    let second = db.enable(1);
    db.put("b");
    db.advance(DAY - MILLISECOND);
    // The stream is disabled for a day: it goes with all it has.
    assert_eq!(db.trim(), TrimReport { records: 1, shards: 1, streams: 1 });
    assert!(!db.has_stream(&arn) && db.has_stream(&second));
}

#[test]
fn an_old_closed_shard_with_a_young_record_stays() {
    let (db, arn) = Db::streaming();
    db.advance(2 * HOUR);
    db.put("a");
    db.test.clock.set(EpochMillis(db.now().0 - 2 * 3_600_000));
    rotate_shards_of_stream(&db.test.store, &db.test.env, &arn, None).unwrap();
    db.advance(DAY + HOUR);
    assert_eq!(db.trim(), TrimReport::default());
    db.advance(HOUR);
    assert_eq!(db.trim(), TrimReport { records: 1, shards: 1, streams: 0 });
}

#[test]
fn disabled_streams_and_those_of_deleted_tables_go_after_a_day() {
    let (db, first) = Db::streaming();
    db.put("a");
    db.disable();
    db.advance(HOUR);
    let second = db.enable(3);
    db.put("b");
    let now = db.now();
    db.test.write(move |tx| tx.drop_table(&orders(), now));
    db.advance(DAY - HOUR - MILLISECOND);
    assert_eq!(db.trim(), TrimReport::default());
    db.advance(MILLISECOND);
    assert_eq!(db.trim(), TrimReport { records: 1, shards: 1, streams: 1 });
    assert!(!db.has_stream(&first) && db.has_stream(&second));
    db.advance(HOUR);
    assert_eq!(db.trim(), TrimReport { records: 1, shards: 3, streams: 1 });
    assert!(!db.has_stream(&second));
    // A table of that name begins anew.
    db.test.create_table(&pdb_testkit::definition("orders", pdb_testkit::string_key("pk")));
    let third = db.enable(1);
    db.put("c");
    assert_eq!(db.records().len(), 1);
    assert!(db.has_stream(&third));
}

#[test]
fn a_stopped_trim_leaves_off() {
    let (db, _) = Db::streaming();
    db.put("a");
    db.advance(DAY);
    let throttle = Throttle::default();
    throttle.stop();
    assert_eq!(trim(&db.test.store, db.now(), RETENTION, &throttle).unwrap(), TrimReport::default());
    assert_eq!(db.records().len(), 1);
}

#[test]
fn a_stream_can_be_trimmed_by_hand() {
    let (db, arn) = Db::streaming();
    (0..3).for_each(|_| db.put("a"));
    let numbers: Vec<SequenceNumber> = db.records().iter().map(|record| record.sequence_number).collect();
    let by_hand = |before| trim_stream(&db.test.store, &arn, before, &Throttle::new(1)).unwrap().records;
    assert_eq!(by_hand(Some(numbers[0])), 0);
    assert_eq!(by_hand(Some(SequenceNumber { counter: 0, shard: 0 })), 0);
    assert_eq!(by_hand(Some(numbers[1])), 1);
    // In another shard's terms too.
    assert_eq!(by_hand(Some(SequenceNumber { shard: numbers[1].shard + 1, ..numbers[1] })), 1);
    assert_eq!(by_hand(None), 1);
    assert_eq!(by_hand(None), 0);
    let mut unknown = arn.clone();
    unknown.table.name = "others".parse().unwrap();
    let error = trim_stream(&db.test.store, &unknown, None, &Throttle::default()).unwrap_err();
    assert!(matches!(error, CleanupError::StreamNotFound(_)));
    assert_eq!(error.to_string(), format!("stream `{unknown}` does not exist"));
}
