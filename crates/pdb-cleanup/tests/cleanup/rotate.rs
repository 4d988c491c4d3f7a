//! Rotating and splitting.

use crate::harness::{Db, HOUR, orders};
use pdb_cleanup::{CleanupError, rotate_shards, rotate_shards_of_stream, split_shard};
use pdb_store::ShardRow;

fn open(shards: &[ShardRow]) -> Vec<&ShardRow> {
    shards.iter().filter(|shard| shard.is_open()).collect()
}

#[test]
fn shards_are_rotated_at_their_age() {
    let db = Db::new();
    let arn = db.enable(3);
    let rotate = || rotate_shards(&db.test.store, &db.test.env).unwrap();
    assert_eq!(rotate(), 0);
    db.advance(4 * HOUR);
    assert_eq!(rotate(), 3);
    assert_eq!(rotate(), 0);
    let shards = db.shards(&arn);
    assert_eq!((shards.len(), open(&shards).len()), (6, 3));
    for child in open(&shards) {
        let parent = shards.iter().find(|shard| child.parent.as_ref() == Some(&shard.id)).unwrap();
        assert_eq!((child.hash_from, child.hash_to), (parent.hash_from, parent.hash_to));
        assert!(child.starting > parent.ending.unwrap() && child.id > parent.id);
    }
    db.disable();
    db.advance(4 * HOUR);
    assert_eq!(rotate(), 0);
}

#[test]
fn one_shard_or_all_can_be_rotated_by_hand() {
    let db = Db::new();
    let arn = db.enable(2);
    db.put("a");
    let shards = db.shards(&arn);
    let children = rotate_shards_of_stream(&db.test.store, &db.test.env, &arn, Some(&shards[0].id)).unwrap();
    assert_eq!(children.len(), 1);
    assert_eq!(children[0].parent.as_ref(), Some(&shards[0].id));
    let children = rotate_shards_of_stream(&db.test.store, &db.test.env, &arn, None).unwrap();
    assert_eq!(children.len(), 2);
    assert_eq!(db.shards(&arn).len(), 5);
    db.put("a");
    let records = db.records();
    assert!(records[0].sequence_number < records[1].sequence_number);
}

#[test]
fn a_split_leaves_every_key_one_shard() {
    let (db, arn) = Db::streaming();
    for round in 1..=3 {
        let children = split_shard(&db.test.store, &db.test.env, &arn, None).unwrap();
        assert_eq!(children.len(), 1 << round);
        let mut ranges: Vec<(u64, u64)> =
            children.iter().map(|child| (child.hash_from, child.hash_to)).collect();
        ranges.sort();
        assert_eq!((ranges[0].0, ranges[ranges.len() - 1].1), (0, u64::MAX));
        assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0));
    }
    let one = open(&db.shards(&arn))[3].id.clone();
    let children = split_shard(&db.test.store, &db.test.env, &arn, Some(&one)).unwrap();
    assert!(children.iter().all(|child| child.parent.as_ref() == Some(&one)) && children.len() == 2);
}

#[test]
fn what_cannot_be_rotated_is_an_error() {
    let (db, arn) = Db::streaming();
    let closed = db.shards(&arn)[0].id.clone();
    let rotate = |arn, shard| rotate_shards_of_stream(&db.test.store, &db.test.env, arn, shard);
    rotate(&arn, None).unwrap();
    let error = rotate(&arn, Some(&closed)).unwrap_err();
    assert!(matches!(error, CleanupError::ShardNotOpen(_)));
    assert_eq!(error.to_string(), format!("stream has no open shard `{closed}`"));
    let mut unknown = arn.clone();
    unknown.table.name = "others".parse().unwrap();
    assert!(matches!(rotate(&unknown, None), Err(CleanupError::StreamNotFound(_))));
    db.disable();
    let error = split_shard(&db.test.store, &db.test.env, &arn, None).unwrap_err();
    assert!(matches!(error, CleanupError::StreamNotEnabled(_)));
    assert_eq!(error.to_string(), format!("stream `{arn}` is not enabled"));
    let now = db.now();
    db.test.write(move |tx| tx.drop_table(&orders(), now));
    assert!(matches!(rotate(&arn, None), Err(CleanupError::StreamNotEnabled(_))));
}
