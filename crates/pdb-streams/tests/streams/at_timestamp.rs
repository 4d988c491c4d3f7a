//! Positions at a time: where they lie, also when the clock steps back, and what finds them.

use crate::harness::{DAY, Db, HOUR, MILLISECOND, key_of};
use ShardIteratorType::{AtTimestamp, TrimHorizon};
use pdb_model::{EpochMillis, ShardId, StreamArn};
use pdb_store::Durability;
use pdb_streams::{ShardIteratorType, StreamOptions};
use pdb_testkit::TestDb;
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const FUTURE: &str = "One or more parameter values were invalid: Timestamp must not be in the future";
const NO_SHARD: &str = "Requested resource not found: Shard does not exist";

fn at(millis: i64) -> ShardIteratorType {
    AtTimestamp(EpochMillis(millis))
}

/// Puts the clock at this time.
fn set(db: &Db, millis: i64) {
    db.test.clock.set(EpochMillis(millis));
}

/// Writes a record at each of these times, which its key names.
fn write_at(db: &Db, times: &[i64]) {
    for time in times {
        set(db, *time);
        db.write(&time.to_string());
    }
}

/// The shard of `streams-at-timestamp.md` 9, with its records, at 110 seconds.
fn example(db: &Db) -> (StreamArn, ShardId) {
    set(db, 99_000);
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    for (time, key) in [(100_000, "r1"), (100_250, "r2"), (100_250, "r3"), (102_000, "r4")] {
        set(db, time);
        db.write(key);
    }
    set(db, 110_000);
    (arn, shard_id)
}

#[test]
fn a_position_is_the_first_record_at_the_time_or_later() {
    let db = Db::new();
    let (arn, shard_id) = example(&db);
    for (time, expected) in [
        (99_000, "r1 r2 r3 r4 ."),
        (100_000, "r1 r2 r3 r4 ."),
        (100_001, "r2 r3 r4 ."),
        (100_250, "r2 r3 r4 ."),
        (100_251, "r4 ."),
        (102_000, "r4 ."),
        (102_001, "."),
        (110_000, "."),
        (111_000, "."),
        (111_001, FUTURE),
        (110_000 + 3_600_000, FUTURE),
        (i64::MAX, FUTURE),
        (0, "r1 r2 r3 r4 ."),
        (-5_000, "r1 r2 r3 r4 ."),
        (i64::MIN, "r1 r2 r3 r4 ."),
    ] {
        assert_eq!(db.show(&arn, &shard_id, at(time)), expected, "{time}");
    }
}

#[test]
fn the_future_is_refused_before_the_stream_is_looked_for() {
    let db = Db::new();
    let (mut arn, shard_id) = example(&db);
    let unknown = "shardId-00000000000000000001-00000000".parse().unwrap();
    assert_eq!(db.show(&arn, &unknown, at(100_000)), NO_SHARD);
    assert_eq!(db.show(&arn, &unknown, at(200_000)), FUTURE);
    arn.table.name = "unknown".parse().unwrap();
    let absent = format!("Requested resource not found: Stream: {arn} not found");
    assert_eq!(db.show(&arn, &shard_id, at(100_000)), absent);
    assert_eq!(db.show(&arn, &shard_id, at(200_000)), FUTURE);
}

#[test]
fn the_end_is_fixed_by_the_call() {
    let db = Db::new();
    let (arn, shard_id) = example(&db);
    let end = db.iterator(&arn, &shard_id, at(102_001)).unwrap();
    assert_ne!(end, db.iterator(&arn, &shard_id, at(102_001)).unwrap());
    assert_eq!(db.show_page(&end, None), ".");
    set(&db, 111_000);
    db.write("r5");
    for _ in 0..2 {
        assert_eq!(db.show_page(&end, None), "r5 .");
    }
    // A record that is written at an earlier time is behind the end as well.
    let end = db.iterator(&arn, &shard_id, at(111_500)).unwrap();
    set(&db, 50_000);
    db.write("r6");
    assert_eq!(db.show_page(&end, None), "r6 .");
}

#[test]
fn an_empty_shard_has_one_position() {
    let db = Db::new();
    set(&db, 99_000);
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    set(&db, 101_000);
    let iterators =
        [98_000, 99_000, 100_250, 101_000].map(|time| db.iterator(&arn, &shard_id, at(time)).unwrap());
    db.write("a");
    for iterator in iterators {
        assert_eq!(db.show_page(&iterator, None), "a .");
    }
}

#[test]
fn a_closed_shard_ends_behind_its_last_record() {
    let db = Db::new();
    let (arn, parent) = example(&db);
    db.rotate(true);
    let children = db.shard_ids(&arn).split_off(1);
    assert_eq!(children.len(), 2);
    for (time, expected) in
        [(0, "r1 r2 r3 r4"), (100_251, "r4"), (102_000, "r4"), (105_000, ""), (110_000, "")]
    {
        assert_eq!(db.show(&arn, &parent, at(time)), expected, "{time}");
    }
    assert_eq!(db.show(&arn, &children[0], at(100_000)), ".");
}

#[test]
fn a_disabled_stream_is_read_until_it_is_purged() {
    let db = Db::new();
    let (arn, shard_id) = example(&db);
    db.disable();
    assert_eq!(db.show(&arn, &shard_id, at(100_251)), "r4");
    db.advance(DAY - 9 * SECOND);
    assert_eq!(db.show(&arn, &shard_id, at(100_251)), "r4");
    db.advance(9 * SECOND);
    let purged = format!("Requested resource not found: Stream: {arn} not found");
    assert_eq!(db.show(&arn, &shard_id, at(100_251)), purged);
}

#[test]
fn a_time_before_the_horizon_is_the_horizon() {
    let db = Db::with(StreamOptions::default());
    let (arn, shard_id) = example(&db);
    // The second and the third record are a day old, whether they have been removed or not.
    set(&db, 100_250);
    db.advance(DAY);
    for removed in [0, 1, 3] {
        if removed > 0 {
            let first = db.rows(&arn)[0].starting;
            db.trim(&arn, db.rows(&arn)[0].number, first + removed);
        }
        for time in [0, 99_000, 100_000, 100_250, 100_251, 101_000, 102_000] {
            assert!(db.show(&arn, &shard_id, at(time)).starts_with("r4"), "{removed} {time}");
        }
        assert!(!db.show(&arn, &shard_id, at(102_001)).contains('r'));
    }
    // At a time that is too old the horizon is where it is when the iterator is used; another iterator is at a record.
    let (old, young) = (db.iterator(&arn, &shard_id, at(0)), db.iterator(&arn, &shard_id, at(101_000)));
    db.advance(2 * SECOND);
    assert!(!db.show_page(&old.unwrap(), None).contains('r'));
    assert_eq!(db.show_page(&young.unwrap(), None), "The data you are trying to access has been trimmed");
}

#[test]
fn a_clock_that_is_a_little_behind_gives_the_time_of_the_record_before() {
    let db = Db::new();
    set(&db, 1_000_000);
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    write_at(&db, &[1_005_000, 1_004_999, 1_004_000, 1_005_001, 1_004_001, 1_006_000]);
    assert_eq!(
        created(&db, &arn, &shard_id),
        [1_005_000, 1_005_000, 1_005_000, 1_005_001, 1_005_001, 1_006_000]
    );
    for (time, expected) in [
        (1_004_000, "1005000 1004999 1004000 1005001 1004001 1006000 ."),
        (1_005_000, "1005000 1004999 1004000 1005001 1004001 1006000 ."),
        (1_005_001, "1005001 1004001 1006000 ."),
        (1_005_002, "1006000 ."),
    ] {
        assert_eq!(db.show(&arn, &shard_id, at(time)), expected, "{time}");
    }
}

#[test]
fn a_clock_that_was_set_back_is_believed() {
    let db = Db::new();
    set(&db, 1_000_000);
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    let times = [1_010_000, 1_020_000, 1_012_000, 1_030_000, 1_001_000, 1_002_000, 1_040_000, 1_038_999];
    write_at(&db, &times);
    set(&db, 1_050_000);
    assert_eq!(created(&db, &arn, &shard_id), times);
    for (time, expected) in [
        (1_000_000, "1010000 1020000 1012000 1030000 1001000 1002000 1040000 1038999 ."),
        (1_011_000, "1020000 1012000 1030000 1001000 1002000 1040000 1038999 ."),
        (1_020_001, "1030000 1001000 1002000 1040000 1038999 ."),
        (1_030_001, "1040000 1038999 ."),
        (1_040_001, "."),
    ] {
        assert_eq!(db.show(&arn, &shard_id, at(time)), expected, "{time}");
    }
}

#[test]
fn steps_outlive_a_restart_and_many_of_them_are_right_too() {
    let mut db = Db::of(TestDb::on_disk(Durability::Normal), StreamOptions::default());
    set(&db, 1_000_000);
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    // More steps than are noted.
    for nth in 0..400 {
        set(&db, 1_100_000 - nth * 1_500 + (nth % 3) * 7_000);
        db.write(&nth.to_string());
        if nth % 150 == 149 {
            db = Db::around(db.test.reopen(Durability::Normal), StreamOptions::default());
        }
    }
    set(&db, 1_200_000);
    let all = records(&db, &arn, &shard_id);
    assert_eq!(all.len(), 400);
    for time in (400_000..1_200_000).step_by(2_500) {
        assert_eq!(found(&db, &arn, &shard_id, time), since(&all, time), "{time}");
    }
}

#[test]
fn a_write_that_failed_leaves_no_time_behind() {
    let db = Db::new();
    set(&db, 1_000_000);
    let arn = db.enable();
    let shard_id = db.shard_ids(&arn).remove(0);
    write_at(&db, &[1_010_000]);
    for (failed, next) in [(1_900_000, 1_011_000), (1_001_000, 1_012_000)] {
        set(&db, failed);
        db.write_and_fail("failed");
        write_at(&db, &[next]);
    }
    write_at(&db, &[1_011_500]);
    set(&db, 2_000_000);
    assert_eq!(created(&db, &arn, &shard_id), [1_010_000, 1_011_000, 1_012_000, 1_012_000]);
    for (time, expected) in
        [(1_010_001, "1011000 1012000 1011500 ."), (1_011_001, "1012000 1011500 ."), (1_012_001, ".")]
    {
        assert_eq!(db.show(&arn, &shard_id, at(time)), expected, "{time}");
    }
}

/// The keys and the times of the records that a shard shows, oldest first.
fn records(db: &Db, arn: &StreamArn, shard_id: &ShardId) -> Vec<(String, i64)> {
    let mut next = Some(db.iterator(arn, shard_id, TrimHorizon).unwrap());
    let mut all = Vec::new();
    while let Some(iterator) = next {
        let page = db.streams.get_records(&iterator, None).unwrap();
        next = page.next_shard_iterator.filter(|_| !page.records.is_empty());
        all.extend(page.records.iter().map(|record| (key_of(&record.keys), record.created.0)));
    }
    all
}

fn created(db: &Db, arn: &StreamArn, shard_id: &ShardId) -> Vec<i64> {
    records(db, arn, shard_id).into_iter().map(|(_, created)| created).collect()
}

/// The model: the first record in order that is not older than the time, and all behind it.
fn since(all: &[(String, i64)], time: i64) -> Vec<String> {
    let older = all.iter().take_while(|(_, created)| *created < time).count();
    all[older..].iter().map(|(key, _)| key.clone()).collect()
}

/// What an iterator at the time shows.
fn found(db: &Db, arn: &StreamArn, shard_id: &ShardId, time: i64) -> Vec<String> {
    let mut next = Some(db.iterator(arn, shard_id, at(time)).unwrap());
    let mut all = Vec::new();
    while let Some(iterator) = next {
        let page = db.streams.get_records(&iterator, None).unwrap();
        next = page.next_shard_iterator.filter(|_| !page.records.is_empty());
        all.extend(page.records.iter().map(|record| key_of(&record.keys)));
    }
    all
}

#[derive(Clone, Debug)]
enum Step {
    Write(u8),
    /// A write whose transaction fails.
    Fail(u8),
    Rotate {
        split: bool,
    },
    Advance(u32),
    Back(u32),
    /// Removes so many of the oldest records of the n-th shard.
    Trim(usize, u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0u8..8).prop_map(Step::Write),
        1 => (0u8..8).prop_map(Step::Fail),
        1 => any::<bool>().prop_map(|split| Step::Rotate { split }),
        4 => prop_oneof![0u32..3, 0u32..2_000, 0u32..40_000].prop_map(Step::Advance),
        2 => prop_oneof![1u32..3, 900u32..1_100, 1u32..60_000].prop_map(Step::Back),
        1 => (0usize..6, 1u64..4).prop_map(|(nth, count)| Step::Trim(nth, count)),
    ]
}

/// Whether times decrease in no other way than by more than the jitter that is evened out.
fn has_no_jitter(all: &[(String, i64)]) -> bool {
    all.windows(2).all(|pair| pair[0].1 <= pair[1].1 || pair[0].1 - pair[1].1 > 1_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(64)))]

    /// In every shard, at every time that makes a difference, the position is that of the model.
    #[test]
    fn positions_are_those_of_the_model(steps in prop::collection::vec(any_step(), 0..60), shards in 1u64..3) {
        let db = Db::new();
        let arn = db.enable_on("orders", shards);
        // Later than the retention, so that nothing is too old because the clock was set back.
        db.advance(HOUR);
        for (nth, step) in steps.into_iter().enumerate() {
            match step {
                Step::Write(key) => drop(db.write(&format!("{key} {nth}"))),
                Step::Fail(key) => db.write_and_fail(&format!("{key}")),
                Step::Rotate { split } => db.rotate(split),
                Step::Advance(millis) => db.advance(u64::from(millis) as u32 * MILLISECOND),
                Step::Back(millis) => {
                    let now = db.test.env.clock.now();
                    db.test.clock.set(now.minus(Duration::from_millis(millis.into())));
                }
                Step::Trim(nth, count) => {
                    let rows = db.rows(&arn);
                    let row = &rows[nth % rows.len()];
                    db.trim(&arn, row.number, row.starting.max(row.trimmed) + count);
                }
            }
        }
        db.advance(HOUR);
        for shard_id in db.shard_ids(&arn) {
            let all = records(&db, &arn, &shard_id);
            prop_assert!(has_no_jitter(&all), "{all:?}");
            let mut times: Vec<i64> = all.iter().flat_map(|(_, time)| [time - 1, *time, time + 1]).collect();
            times.extend([0, db.test.env.clock.now().0]);
            for time in times {
                prop_assert_eq!(found(&db, &arn, &shard_id, time), since(&all, time), "{} {:?}", time, all);
            }
        }
    }
}
