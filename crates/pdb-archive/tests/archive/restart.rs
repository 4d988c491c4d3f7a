//! Processes that die at any moment, and several at once.

use crate::harness::{DAY, Db, HOUR, MINUTE, numbers, orders, read};
use crate::objects::{Failure, FlakyObjects};
use pretender::archive::{ArchiveOptions, FromArchive};
use pretender::objects::ObjectStore;
use pretender::prelude::*;
use std::sync::Arc;

/// The archive of two hours takes a handful of calls. Each of them is the last one once, before and after it has had its effect.
#[test]
fn a_process_may_die_at_any_call() {
    for how in [Failure::Before, Failure::After] {
        for calls in 0..12 {
            let mut db = Db::new();
            db.put("a");
            db.advance(HOUR);
            db.put("b");
            db.put("a");
            db.pretender.rotate_shards(&db.arn(), None).unwrap();
            db.put("c");
            db.objects.fail_after(calls, how);
            db.advance(2 * HOUR);
            db.reopen();
            db.objects.mend();
            db.put("d");
            db.advance(2 * DAY);
            assert_eq!(db.read_all().len(), 5, "{how:?} {calls}");
            assert_eq!(db.read_archive(&db.arn()).0.len(), 5, "{how:?} {calls}");
            let objects = db.objects.keys().iter().filter(|key| key.ends_with(".zst")).count();
            assert_eq!(objects, 4, "{how:?} {calls}: one for each shard and hour");
        }
    }
}

/// A slow process writes its manifest after a quicker one has written a newer one, and the records are trimmed.
#[test]
fn an_old_manifest_loses_nothing() {
    let mut db = Db::new();
    db.put("a");
    db.advance(HOUR);
    let key = db.objects.keys().into_iter().find(|key| key.ends_with("manifest.json")).unwrap();
    let old = db.objects.objects.get("archive", &key, 1 << 20).unwrap().unwrap();
    db.put("b");
    db.put("c");
    db.advance(3 * DAY);
    db.objects.objects.put("archive", &key, &old).unwrap();
    assert_eq!(db.read_all().len(), 3);
    // The next one mends it.
    db.put("d");
    db.advance(HOUR);
    assert_eq!(db.manifest().shards[0].objects.len(), 3);
    assert_eq!(db.manifest().shards[0].gaps, []);
    assert_eq!(db.read_all().len(), 4);
}

/// Two processes whose clocks differ divide the records differently.
#[test]
fn objects_of_two_processes_may_overlap() {
    let mut db = Db::new();
    db.put("a");
    db.put("b");
    let arn = db.arn();
    let manifest_of = |db: &Db| db.objects.keys().into_iter().find(|key| key.ends_with("manifest.json"));
    db.pretender.save_snapshot("before").unwrap();
    db.advance(HOUR);
    let key = manifest_of(&db).unwrap();
    // The other one knows nothing of it, and archives more.
    db.objects.objects.delete("archive", &key).unwrap();
    db.pretender.restore_snapshot("before").unwrap();
    db.clock.set(EpochMillis(1_772_355_600_000));
    db.put("c");
    db.advance(HOUR);
    db.advance(3 * DAY);
    assert_eq!(db.objects.keys().iter().filter(|key| key.ends_with(".zst")).count(), 2);
    assert_eq!(db.read_all().len(), 3);
    assert_eq!(db.read_archive(&arn).0.len(), 3);
}

/// Two processes share a database on a server, and archive it at the same time.
#[test]
fn two_processes_archive_one_database() {
    let Some(schema) = pdb_testkit::Schema::new() else { return };
    let objects = FlakyObjects::new();
    let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_355_600_000)));
    let open = || {
        let builder = Pretender::builder().postgres(schema.url()).clock(clock.clone()).sweep_interval(None);
        let builder = builder.shard_rotation(Some(3 * HOUR)).objects(Arc::new(objects.clone()));
        builder.archive(ArchiveOptions::new("archive")).open().unwrap()
    };
    let processes = [open(), open()];
    let input = CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
        ..CreateTableInput::new(orders(), ("id", ScalarType::S), None)
    };
    let arn = processes[0].create_table(input).unwrap().latest_stream_arn.unwrap();
    let mut written = 0;
    for round in 0..30_i64 {
        for (process, key) in processes.iter().zip(["a", "b"]) {
            let item = Item::new().with("id", key).with("n", round);
            process.put_item(PutItemInput::new(orders(), item)).unwrap();
            written += 1;
        }
        clock.advance(HOUR + 7 * MINUTE);
        std::thread::scope(|scope| {
            for process in &processes {
                scope.spawn(|| process.run_due_work().unwrap());
            }
        });
    }
    clock.advance(2 * DAY);
    for process in &processes {
        process.run_due_work().unwrap();
        let status = process.archive_status().unwrap();
        assert_eq!((status.lost_records, status.last_error), (0, None));
    }
    assert_eq!(read(processes[0].subscribe().stream(arn.to_string())).0, [], "all is trimmed");
    let (records, errors) = read(processes[1].subscribe().from_archive().stream(arn.to_string()));
    assert_eq!((records.len(), errors), (written, Vec::new()));
    let mut numbers = numbers(&records);
    numbers.dedup();
    assert_eq!(numbers.len(), written);
    assert!(numbers.is_sorted());
}
