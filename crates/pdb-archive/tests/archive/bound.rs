//! A broken archive delays the trim, but not for ever.

use crate::harness::{DAY, Db, HOUR, numbers, orders, read};
use crate::objects::{Failure, FlakyObjects};
use pretender::archive::{ArchiveOptions, FromArchive};
use pretender::prelude::*;

#[test]
fn a_broken_archive_delays_the_trim_and_loses_nothing() {
    let mut db = Db::new();
    db.objects.fail_after(0, Failure::Before);
    for _ in 0..5 {
        db.put("a");
        db.advance(DAY);
    }
    // Readers of the API see what they would see without an archive.
    assert_eq!(read(db.pretender.subscribe().table("Orders")).0, []);
    let status = db.pretender.archive_status().unwrap();
    assert_eq!(status.failures, 5);
    assert_eq!(status.oldest_waiting, Some(EpochMillis(1_772_355_600_000)));
    assert!(status.last_error.unwrap().contains("the network is down"));
    db.objects.mend();
    assert_eq!(db.read_all().len(), 5, "from the database");
    db.pretender.run_due_work().unwrap();
    let status = db.pretender.archive_status().unwrap();
    assert_eq!((status.records, status.lost_records, status.oldest_waiting), (5, 0, None));
    assert_eq!(status.last_error, None);
    assert_eq!(db.read_all().len(), 5, "from the archive");
    assert_eq!(db.read_archive(&db.arn()).0.len(), 5);
}

#[test]
fn what_waits_longer_than_the_bound_is_lost_and_the_manifest_says_so() {
    let options = ArchiveOptions::new("archive").max_delay(2 * DAY);
    let mut db = Db::with(FlakyObjects::new(), options, DAY);
    db.put("archived");
    db.advance(HOUR);
    db.put("lost");
    db.put("lost");
    db.objects.fail_after(0, Failure::Before);
    db.advance(DAY);
    db.put("kept");
    db.objects.mend();
    let mut before = db.pretender.subscribe().from_archive().table("Orders").start().unwrap();
    let first = before.next().unwrap().unwrap().record.sequence_number;
    let checkpoint = before.checkpoint();
    drop(before);
    db.objects.fail_after(0, Failure::Before);
    db.advance(2 * DAY + HOUR);
    assert_eq!(db.pretender.archive_status().unwrap().lost_records, 2);
    db.objects.mend();
    // A reader gets a gap before the manifest says so, and afterwards.
    for _ in 0..2 {
        let resumed = db.pretender.subscribe().from_archive().table("Orders").resume(checkpoint.clone());
        let (records, errors) = read(resumed);
        assert_eq!((records.len(), errors.len()), (1, 1), "{errors:?}");
        let (records, errors) = read(db.pretender.subscribe().from_archive().table("Orders"));
        assert_eq!((records.len(), errors.len()), (2, 1));
        assert_eq!(numbers(&records)[0], first);
        db.pretender.run_due_work().unwrap();
    }
    let manifest = db.manifest();
    let shard = &manifest.shards[0];
    assert_eq!(shard.gaps.len(), 1);
    assert_eq!(shard.gaps[0].after, first);
    assert_eq!(shard.objects[1].after, shard.gaps[0].through);
    let (records, errors) = db.read_archive(&db.arn());
    assert_eq!((records.len(), errors.len()), (2, 1));
}

#[test]
fn streams_and_shards_wait_too_but_not_for_ever() {
    let options = ArchiveOptions::new("archive").max_delay(2 * DAY);
    let mut db = Db::with(FlakyObjects::new(), options, DAY);
    db.put("a");
    db.objects.fail_after(0, Failure::Before);
    db.pretender.rotate_shards(&db.arn(), None).unwrap();
    db.pretender.delete_table(&orders()).unwrap();
    db.advance(2 * DAY);
    assert_eq!(db.pretender.all_streams().unwrap().len(), 1);
    db.advance(2 * DAY);
    assert_eq!(db.pretender.all_streams().unwrap().len(), 0);
    assert_eq!(db.pretender.archive_status().unwrap().lost_records, 1);
}

/// A command does not wait for the archive.
#[test]
fn what_a_command_trims_is_a_gap() {
    let mut db = Db::new();
    for key in ["a", "b", "c"] {
        db.put(key);
    }
    let arn = db.arn();
    db.advance(HOUR);
    db.put("lost");
    db.pretender.trim(&arn, None).unwrap();
    db.put("d");
    let (records, errors) = read(db.pretender.subscribe().from_archive().table("Orders"));
    assert_eq!((records.len(), errors.len()), (4, 1));
    db.advance(HOUR);
    assert_eq!(db.manifest().shards[0].gaps.len(), 1);
    let (records, errors) = read(db.pretender.subscribe().from_archive().table("Orders"));
    assert_eq!((records.len(), errors.len()), (4, 1));
}
