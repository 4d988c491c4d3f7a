//! The retention as a reader sees it, before any sweep.

use crate::harness::{DAY, Db, HOUR, MILLISECOND, changed};
use pdb_model::{EpochMillis, IteratorPosition};
use pdb_streams::ShardIteratorType::{AfterSequenceNumber, AtSequenceNumber, Latest, TrimHorizon};
use pdb_streams::StreamsError;

const TRIMMED: &str = "The data you are trying to access has been trimmed";

#[test]
fn a_moved_clock_trims_at_once_and_nothing_young() {
    let db = Db::new();
    let arn = db.enable();
    let old = db.write_all(&["a", "b"]);
    let shard_id = db.shard_ids(&arn).remove(0);
    db.advance(HOUR);
    let young = db.write("c");
    db.advance(DAY - HOUR - MILLISECOND);
    assert_eq!(db.show(&arn, &shard_id, TrimHorizon), "a b c");
    db.advance(MILLISECOND);
    for (from, expected) in [
        (TrimHorizon, "c"),
        (AtSequenceNumber(old[0]), TRIMMED),
        (AfterSequenceNumber(old[0]), TRIMMED),
        (AtSequenceNumber(old[1]), TRIMMED),
        (AfterSequenceNumber(old[1]), "c"),
        (AtSequenceNumber(young), "c"),
        (Latest, ""),
    ] {
        assert_eq!(db.show(&arn, &shard_id, from), expected, "{from:?}");
    }
    db.advance(HOUR);
    assert_eq!(db.show(&arn, &shard_id, AtSequenceNumber(young)), TRIMMED);
    // The first read closed the shard, since it was due for rotation; a day later it is gone.
    db.advance(DAY - HOUR);
    assert_eq!(db.show(&arn, &shard_id, TrimHorizon), "Requested resource not found: Shard does not exist");
}

#[test]
fn a_reader_is_overtaken_by_the_trim() {
    let db = Db::new();
    let arn = db.enable();
    db.write_all(&["a", "b"]);
    let shard_id = db.shard_ids(&arn).remove(0);
    let horizon = db.iterator(&arn, &shard_id, TrimHorizon).unwrap();
    let next = db.streams.get_records(&horizon, Some(1)).unwrap().next_shard_iterator.unwrap();
    db.advance(DAY - HOUR);
    db.write("c");
    db.advance(HOUR);
    let renew = |iterator: &str| changed(&db, iterator, |iterator| iterator.issued = db.test.env.clock.now());
    let error = db.streams.get_records(&renew(&next), None).unwrap_err();
    assert!(matches!(error, StreamsError::Trimmed));
    assert_eq!(error.to_string(), TRIMMED);
    // A horizon is where it is when it is used.
    assert_eq!(db.show_page(&renew(&horizon), None), "");
}

#[test]
fn an_old_record_behind_a_young_one_stays() {
    let db = Db::new();
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    db.advance(2 * HOUR);
    db.write("young");
    db.test.clock.set(EpochMillis(db.test.env.clock.now().0 - 2 * 3_600_000));
    let old = db.write("old");
    db.advance(DAY + HOUR);
    assert_eq!(db.show(&arn, &shard_id, TrimHorizon), "young old");
    assert_eq!(db.show(&arn, &shard_id, AtSequenceNumber(old)), "old");
    db.advance(HOUR);
    assert_eq!(db.show(&arn, &shard_id, TrimHorizon), "");
}

#[test]
fn closed_shards_stay_listed_for_the_retention_and_while_they_have_records() {
    let db = Db::new();
    let arn = db.enable();
    db.advance(HOUR);
    db.write("a");
    db.rotate(false);
    let ids = db.shard_ids(&arn);
    db.advance(DAY - MILLISECOND);
    assert!(db.shard_ids(&arn).contains(&ids[0]));
    db.advance(MILLISECOND);
    let left = db.describe(&arn).shards;
    assert!(left.iter().all(|shard| shard.shard_id != ids[0]));
    // Its child keeps naming it.
    assert!(left.iter().any(|shard| shard.parent_shard_id.as_ref() == Some(&ids[0])), "{left:?}");
    assert_eq!(db.show(&arn, &ids[0], TrimHorizon), "Requested resource not found: Shard does not exist");
}

#[test]
fn a_shard_that_is_gone_is_no_good_to_an_iterator() {
    let db = Db::new();
    let arn = db.enable();
    db.write("a");
    let shard_id = db.shard_ids(&arn).remove(0);
    let iterator = db.iterator(&arn, &shard_id, Latest).unwrap();
    db.rotate(false);
    db.advance(DAY);
    let fresh = changed(&db, &iterator, |iterator| iterator.issued = db.test.env.clock.now());
    assert_eq!(db.show_page(&fresh, None), "Invalid ShardId in ShardIterator");
}

#[test]
fn an_idle_open_shard_outlives_its_records() {
    let db = Db::new();
    let arn = db.enable();
    let number = db.write("a");
    let shard_id = db.shard_ids(&arn).remove(0);
    db.trim(&arn, number.shard, number.counter);
    assert_eq!(db.show(&arn, &shard_id, TrimHorizon), ".");
    assert_eq!(db.show(&arn, &shard_id, AtSequenceNumber(number)), TRIMMED);
    assert_eq!(db.show(&arn, &shard_id, AfterSequenceNumber(number)), ".");
    // Its end does not fall back.
    db.rotate(false);
    assert_eq!(db.describe(&arn).shards[0].ending_sequence_number, Some(number));
    assert_eq!(db.show(&arn, &shard_id, AfterSequenceNumber(number)), "");
    let iterator = db.iterator(&arn, &shard_id, TrimHorizon).unwrap();
    let at = changed(&db, &iterator, |iterator| iterator.position = IteratorPosition::At(number));
    assert_eq!(db.show_page(&at, None), TRIMMED);
}

#[test]
fn a_disabled_stream_is_readable_until_it_is_purged() {
    let db = Db::new();
    let arn = db.enable();
    db.write("a");
    db.disable();
    db.advance(MILLISECOND);
    let second = db.enable();
    db.write("b");
    let of = |arn| db.shard_ids(arn).remove(0);
    assert_eq!(db.show(&arn, &of(&arn), TrimHorizon), "a");
    assert_eq!(db.show(&second, &of(&second), TrimHorizon), "b .");
    let shard_id = of(&arn);
    db.advance(DAY);
    let text = format!("Requested resource not found: Stream: {arn} not found");
    assert_eq!(db.show(&arn, &shard_id, TrimHorizon), text);
}
