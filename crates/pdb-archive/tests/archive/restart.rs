//! Processes that die at any moment, and several at once.

use crate::harness::{DAY, Db, HOUR};
use crate::objects::Failure;
use pretender::objects::ObjectStore;

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
    db.clock.set(pretender::time::EpochMillis(1_772_355_600_000));
    db.put("c");
    db.advance(HOUR);
    db.advance(3 * DAY);
    assert_eq!(db.objects.keys().iter().filter(|key| key.ends_with(".zst")).count(), 2);
    assert_eq!(db.read_all().len(), 3);
    assert_eq!(db.read_archive(&arn).0.len(), 3);
}
