//! What is in the objects, and when.

use crate::harness::{DAY, Db, HOUR, MINUTE, numbers, read};
use crate::objects::FlakyObjects;
use pretender::archive::{ArchiveOptions, FromArchive};
use pretender::prelude::*;
use std::sync::atomic::Ordering;

#[test]
fn each_hour_becomes_one_object_after_it_is_over() {
    let mut db = Db::new();
    db.put("a");
    db.put("b");
    db.advance(59 * MINUTE);
    assert_eq!(db.objects.keys(), [""; 0]);
    db.put("c");
    db.advance(MINUTE);
    assert_eq!(db.objects.keys().len(), 2, "an object and the manifest");
    // Nothing happens in the next two hours, then two hours have records.
    db.advance(2 * HOUR);
    db.put("d");
    db.advance(HOUR);
    db.put("e");
    db.advance(HOUR);
    let manifest = db.manifest();
    let objects = &manifest.shards[0].objects;
    assert_eq!(objects.iter().map(|object| object.records).collect::<Vec<_>>(), [3, 1, 1]);
    assert!(objects.windows(2).all(|pair| pair[0].last == pair[1].after));
    assert_eq!(manifest.shards[0].gaps, []);
    let (archived, errors) = db.read_archive(&db.arn());
    assert_eq!(errors, [""; 0]);
    // They are the records themselves, to the millisecond.
    let (live, _) = read(db.pretender.subscribe().table("Orders"));
    assert_eq!(archived, live);
    let status = db.pretender.archive_status().unwrap();
    assert_eq!((status.objects, status.records, status.failures), (3, 5, 0));
    assert_eq!((status.lost_records, status.oldest_waiting, status.last_error), (0, None, None));
}

#[test]
fn an_idle_database_leaves_the_store_of_objects_alone() {
    let mut db = Db::new();
    db.put("a");
    db.advance(HOUR);
    let calls = db.objects.calls.load(Ordering::SeqCst);
    for _ in 0..30 {
        db.advance(HOUR);
    }
    assert_eq!(db.objects.calls.load(Ordering::SeqCst), calls);
    assert_eq!(db.read_all().len(), 1);
}

#[test]
fn a_closed_shard_is_archived_at_once_and_children_follow_their_parents() {
    let mut db = Db::new();
    db.put("a");
    let arn = db.arn();
    db.pretender.split_shards(&arn, None).unwrap();
    db.pretender.run_due_work().unwrap();
    let manifest = db.manifest();
    let parent = &manifest.shards[0];
    assert_eq!(parent.ending_sequence_number, Some(parent.objects[0].last));
    for key in ["a", "b", "c", "d"] {
        db.put(key);
    }
    db.advance(3 * DAY);
    assert!(db.pretender.shards(&arn).unwrap().iter().all(|shard| shard.parent_shard_id.is_some()));
    let manifest = db.manifest();
    let children = manifest
        .shards
        .iter()
        .filter(|shard| shard.parent_shard_id.as_ref() == Some(&manifest.shards[0].shard_id));
    assert_eq!(children.count(), 2);
    let read = db.read_all();
    assert_eq!(read.len(), 5);
    assert_eq!(read[0], manifest.shards[0].objects[0].last);
}

#[test]
fn streams_of_deleted_tables_are_read_from_the_archive_alone() {
    let mut db = Db::new();
    db.put("a");
    let arn = db.arn();
    db.pretender.delete_table(&crate::harness::orders()).unwrap();
    db.advance(2 * DAY);
    assert_eq!(db.pretender.all_streams().unwrap(), []);
    assert_eq!(db.read_all().len(), 1);
    db.create_table();
    db.put("b");
    let (records, _) = read(db.pretender.subscribe().from_archive().stream(arn.to_string()));
    assert_eq!(records.len(), 1);
}

/// With a retention of ten minutes, records leave before their hour is over.
#[test]
fn a_short_retention_loses_nothing() {
    let mut db = Db::with(FlakyObjects::new(), ArchiveOptions::new("archive"), 10 * MINUTE);
    for key in ["a", "b", "c", "d", "e"] {
        db.put(key);
        db.advance(7 * MINUTE);
    }
    db.advance(20 * MINUTE);
    assert_eq!(read(db.pretender.subscribe().table("Orders")).0, []);
    assert_eq!(db.read_all().len(), 5);
    assert_eq!(db.pretender.archive_status().unwrap().lost_records, 0);
}

#[test]
fn a_reader_can_begin_at_a_time_within_the_archive() {
    let mut db = Db::new();
    for _ in 0..4 {
        db.put("a");
        db.advance(30 * MINUTE);
        db.put("b");
        db.advance(2 * DAY);
    }
    let all = db.read_all();
    let start = db.manifest().shards[0].objects[0].oldest;
    for (since, expected) in [
        (EpochMillis(0), &all[..]),
        (start.plus(MINUTE), &all[1..]),
        (start.plus(30 * MINUTE), &all[1..]),
        (start.plus(DAY), &all[2..]),
        (start.plus(7 * DAY), &all[8..]),
    ] {
        let builder = db.pretender.subscribe().from_archive().table("Orders").from_time(since);
        assert_eq!(numbers(&read(builder).0), expected, "{since}");
    }
    db.put("c");
    let latest = db.pretender.subscribe().from_archive().table("Orders").from(StartPosition::Latest);
    assert_eq!(read(latest).0, []);
}

/// The live stream forgets finished shards; the archive lists them for ever.
#[test]
fn a_checkpoint_is_good_with_the_archive_and_without_it() {
    let mut db = Db::new();
    let mut checkpoint = Checkpoint::default();
    let mut seen = 0;
    for round in 0..6 {
        db.put("a");
        db.put("b");
        db.pretender.rotate_shards(&db.arn(), None).unwrap();
        db.put("a");
        let builder = db.pretender.subscribe().resume(checkpoint.clone()).table("Orders");
        // Every other round reads with the archive.
        let events: Vec<_> = if round % 2 == 0 {
            let mut events = builder.start().unwrap();
            let read = events.by_ref().map(|event| event.unwrap().record).collect();
            checkpoint = events.checkpoint();
            read
        } else {
            let mut events = builder.from_archive().start().unwrap();
            let read = events.by_ref().map(|event| event.unwrap().record).collect();
            checkpoint = events.checkpoint().to_string().parse().unwrap();
            read
        };
        seen += events.len();
        assert_eq!(seen, 3 * (round + 1), "in round {round}");
        db.advance(2 * DAY);
    }
    assert_eq!(db.read_all().len(), seen);
}

#[test]
fn a_database_without_an_archive_says_so() {
    let db = Pretender::in_memory().unwrap();
    db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::KeysOnly)),
        ..CreateTableInput::new("Orders".parse().unwrap(), ("id", ScalarType::S), None)
    })
    .unwrap();
    let error = db.subscribe().from_archive().table("Orders").start().unwrap_err();
    assert!(format!("{error:?}").contains("NoArchive"), "{error:?}");
    assert_eq!(db.archive_status(), None);
}
