//! Rotation by age, on reads and writes, without a sweep.

use crate::harness::{Db, HOUR, MILLISECOND};
use pdb_model::StreamArn;
use pdb_store::{Store, StoreOptions};
use pdb_streams::ShardIteratorType::{Latest, TrimHorizon};
use pdb_streams::StreamOptions;
use pdb_testkit::TestDb;

fn shards(db: &Db, arn: &StreamArn) -> usize {
    db.rows(arn).len()
}

#[test]
fn a_read_rotates_what_is_due() {
    let reads: [fn(&Db, &StreamArn); 3] = [
        |db, arn| drop(db.describe(arn)),
        |db, arn| {
            let shard_id = db.rows(arn)[0].id.clone();
            db.iterator(arn, &shard_id, TrimHorizon).unwrap();
        },
        |db, arn| {
            let shard_id = db.rows(arn)[0].id.clone();
            let iterator = db.iterator(arn, &shard_id, Latest).unwrap();
            db.streams.get_records(&iterator, None).unwrap();
        },
    ];
    for read in reads {
        let db = Db::new();
        let arn = db.enable();
        db.advance(4 * HOUR - MILLISECOND);
        read(&db, &arn);
        assert_eq!(shards(&db, &arn), 1);
        db.advance(MILLISECOND);
        read(&db, &arn);
        let rows = db.rows(&arn);
        let [parent, child] = &rows[..] else { panic!("two shards") };
        assert!(!parent.is_open() && child.is_open());
        assert_eq!(child.parent.as_ref(), Some(&parent.id));
        assert_eq!((child.hash_from, child.hash_to), (0, u64::MAX));
        assert!(child.id > parent.id && child.starting > parent.ending.unwrap());
        read(&db, &arn);
        assert_eq!(shards(&db, &arn), 2);
    }
}

#[test]
fn a_write_rotates_what_is_due() {
    let db = Db::new();
    let arn = db.enable();
    let before = db.write("a");
    db.advance(5 * HOUR);
    let after = db.write("a");
    assert!(after.counter > before.counter && after.shard > before.shard);
    let rows = db.rows(&arn);
    assert_eq!(rows[0].ending, Some(before.counter));
    assert!(rows[1].starting > before.counter && rows[1].starting < after.counter);
}

#[test]
fn all_open_shards_are_rotated_each_at_its_age() {
    let db = Db::new();
    let arn = db.enable_on("orders", 3);
    db.advance(4 * HOUR);
    assert_eq!(db.describe(&arn).shards.len(), 6);
    let open = db.rows(&arn).into_iter().filter(pdb_store::ShardRow::is_open).count();
    assert_eq!(open, 3);
}

#[test]
fn a_disabled_stream_is_not_rotated() {
    let db = Db::new();
    let arn = db.enable();
    db.disable();
    db.advance(5 * HOUR);
    assert_eq!(db.describe(&arn).shards.len(), 1);
    // Nor is a stream whose table is gone.
    let now = db.test.env.clock.now();
    db.test.write(move |tx| tx.drop_table(&"orders".parse().unwrap(), now));
    assert_eq!(db.describe(&arn).shards.len(), 1);
}

#[test]
fn rotation_by_age_can_be_off() {
    let store = Store::open(&StoreOptions::memory().with_rotation_age(None)).unwrap();
    let db = Db::of(TestDb::with_store(store), StreamOptions::default());
    let arn = db.enable();
    db.advance(1000 * HOUR);
    let described = db.describe(&arn);
    assert_eq!(described.shards.len(), 1);
}

/// With a clock that stands still ids still grow along the lineage.
#[test]
fn lineages_are_ordered_while_the_clock_stands() {
    let db = Db::new();
    let arn = db.enable();
    for split in [false, true, false, true] {
        db.rotate(split);
    }
    let rows = db.rows(&arn);
    for child in &rows {
        if let Some(parent) = rows.iter().find(|row| child.parent.as_ref() == Some(&row.id)) {
            assert!(child.id > parent.id && child.starting > parent.ending.unwrap());
            assert!(child.hash_from >= parent.hash_from && child.hash_to <= parent.hash_to);
        }
    }
    // Every key has exactly one open shard.
    let mut open: Vec<(u64, u64)> =
        rows.iter().filter(|row| row.is_open()).map(|row| (row.hash_from, row.hash_to)).collect();
    open.sort();
    assert_eq!((open[0].0, open[open.len() - 1].1), (0, u64::MAX));
    assert!(open.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
}
