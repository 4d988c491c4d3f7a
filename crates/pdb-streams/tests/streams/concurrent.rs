//! Writers, rotations and readers at the same time, in memory and in a file.

use crate::harness::{Db, key_of};
use pdb_model::{StreamArn, StreamRecord};
use pdb_store::Durability;
use pdb_streams::{Event, StreamManager, StreamOptions, Subscription};
use pdb_testkit::TestDb;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const WRITERS: usize = 4;
const WRITES: usize = 60;

/// Follows the stream until it has seen what all writers write; page sizes differ from reader to reader.
fn follow(db: &Db, arn: &StreamArn, limit: u32) -> Subscription<StreamManager> {
    let builder = db.streams.subscribe().stream(arn.to_string()).follow(true).page_limit(limit);
    builder.poll_interval(Duration::from_secs(60)).start().unwrap()
}

fn check(db: &Db) {
    let arn = db.enable();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = [1, 7, 1000]
            .map(|limit| {
                let subscription = follow(db, &arn, limit);
                scope.spawn(move || {
                    subscription.take(WRITERS * WRITES).map(Result::unwrap).collect::<Vec<_>>()
                })
            })
            .into();
        let rotator = scope.spawn(|| {
            for split in [false, true, false, true, true, false].into_iter().cycle().take(40) {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                // Few open shards: a split after each rotation would make thousands.
                db.rotate(split && db.rows(&arn).iter().filter(|row| row.is_open()).count() < 4);
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    for n in 0..WRITES {
                        db.write(&format!("{writer}-{}", n % 5));
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        rotator.join().unwrap();
        let expected = numbers_by_key(&db.test.records());
        for reader in readers {
            let events: Vec<Event<StreamRecord>> = reader.join().unwrap();
            let records: Vec<StreamRecord> = events.into_iter().map(|event| event.record).collect();
            // The same records, and those of each key in the same order.
            assert_eq!(numbers_by_key(&records), expected);
        }
    });
}

fn numbers_by_key(records: &[StreamRecord]) -> BTreeMap<String, Vec<pdb_model::SequenceNumber>> {
    let mut by_key: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for record in records {
        by_key.entry(key_of(&record.keys)).or_default().push(record.sequence_number);
    }
    assert!(by_key.values().all(|numbers| numbers.is_sorted()));
    by_key
}

#[test]
fn nothing_is_lost_or_repeated_in_memory() {
    check(&Db::new());
}

#[test]
fn nothing_is_lost_or_repeated_in_a_file() {
    check(&Db::of(TestDb::on_disk(Durability::Normal), StreamOptions::default()));
}

#[test]
fn iterators_and_checkpoints_survive_a_restart() {
    let db = Db::of(TestDb::on_disk(Durability::Normal), StreamOptions::default());
    let arn = db.enable();
    db.write("a");
    let shard_id = db.shard_ids(&arn).remove(0);
    let iterator = db.iterator(&arn, &shard_id, pdb_streams::ShardIteratorType::Latest).unwrap();
    db.rotate(false);
    let last = db.write("b");
    let mut subscription = db.streams.subscribe().stream(arn.to_string()).start().unwrap();
    assert_eq!(key_of(&subscription.next().unwrap().unwrap().record.keys), "a");
    let checkpoint = subscription.checkpoint();
    drop(subscription);
    let Db { test, streams } = db;
    drop(streams);
    let db = Db::around(test.reopen(Durability::Normal), StreamOptions::default());
    assert_eq!(db.show_page(&iterator, None), "");
    assert!(db.write("c") > last);
    let seen = db.streams.subscribe().resume(checkpoint).start().unwrap();
    let keys: Vec<String> = seen.map(|event| key_of(&event.unwrap().record.keys)).collect();
    assert_eq!(keys, ["b", "c"]);
}
