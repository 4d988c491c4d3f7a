//! A sync that failed is never taken for a success later: an operating system drops what it could not write, takes it for written, and says of
//! the next sync that it succeeded. All that was acknowledged before must outlast a power failure at any moment from then on.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use pdb_testvfs::{Change, Disk, Fault, Log, Loss};
use pretender::time::EpochMillis;
use pretender::{Durability, Pretender};
use pretender_tests::formats::World;
use serde_json::{Value, json};

const NOW: EpochMillis = EpochMillis(1_772_356_542_017);
const FILE: &str = "test.db";
/// How long the store takes at most to copy its log back.
const PATIENCE: Duration = Duration::from_secs(20);
/// Items that are on the disk for sure when the trouble begins, and items after that.
const EARLY: u64 = 40;
const LATE: u64 = 40;

/// There is one disk, which watches one folder at a time.
static DISK: Mutex<Option<Disk>> = Mutex::new(None);

fn on_disk(test: impl FnOnce(&Disk)) {
    let mut disk = DISK.lock().unwrap_or_else(PoisonError::into_inner);
    let disk = disk.get_or_insert_with(Disk::install);
    disk.fail(None);
    test(disk);
}

fn open(folder: &Path, durability: Durability) -> World {
    World::open(Pretender::builder().file(folder.join(FILE)).durability(durability), NOW)
}

fn put(world: &World, n: u64) -> u16 {
    let item = json!({"pk": {"S": format!("k{n}")}, "pad": {"S": "x".repeat(3_000)}});
    world.try_call("PutItem", &json!({"TableName": "Orders", "Item": item})).0
}

fn count(world: &World) -> u64 {
    let mut body = json!({"TableName": "Orders", "Select": "COUNT"});
    let mut total = 0;
    loop {
        let page = world.call("Scan", &body);
        total += page["Count"].as_u64().unwrap();
        match page.get("LastEvaluatedKey") {
            Some(last) if *last != Value::Null => body["ExclusiveStartKey"] = last.clone(),
            _ => return total,
        }
    }
}

/// Makes a database with the early items, all on the disk.
fn prepare(folder: &Path, durability: Durability) {
    let world = open(folder, durability);
    world.call(
        "CreateTable",
        &json!({
            "TableName": "Orders", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        }),
    );
    (0..EARLY).for_each(|n| assert_eq!(put(&world, n), 200));
    world.db.close();
}

/// Waits for a call of the disk to fail.
fn wait_for_failure(disk: &Disk) {
    let begun = Instant::now();
    while disk.counts().failed == 0 {
        assert!(begun.elapsed() < PATIENCE, "nothing was synced");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Opens images of what a power failure leaves after each event behind the first failed sync. Each has at least so many items, and is whole.
fn check_images(log: &Log, folder: &Path, durability: Durability, at_least: u64) {
    let mut replay = log.replay();
    let (mut has_failed, mut images, mut dice) = (false, 0, 7_u64);
    while let Some(event) = replay.step() {
        has_failed |= event.change == Change::SyncFailed;
        if !has_failed || event.file.is_empty() {
            continue;
        }
        for loss in [Loss::Unsynced, Loss::Sectors(4096)] {
            let mut draw = |end: u64| {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (dice >> 33) % end
            };
            let image = folder.join("image");
            replay.image(loss, &mut draw).save(&image).unwrap();
            let builder = Pretender::builder().file(image.join(FILE)).durability(durability);
            let world = World::try_open(builder, NOW).unwrap_or_else(|error| panic!("{loss:?}: {error:?}"));
            assert!(world.db.check(&mut |_| ()).unwrap().is_sound(), "{loss:?}, after {event:?}");
            assert!(count(&world) >= at_least, "{loss:?}: {} items", count(&world));
            world.db.close();
            images += 1;
        }
    }
    assert!(images > 10, "{images} images prove little");
}

#[test]
fn a_sync_that_fails_while_the_log_is_copied_back() {
    on_disk(|disk| {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path(), Durability::Normal);
        disk.watch(folder.path(), &["test.db-lock"]);
        let world = open(folder.path(), Durability::Normal);
        (EARLY..EARLY + LATE).for_each(|n| assert_eq!(put(&world, n), 200));
        // The next sync is that of the log, before it is copied back.
        disk.fail(Some(Fault::Sync { after: 0, times: 1 }));
        wait_for_failure(disk);
        disk.fail(None);
        // The log is left as it is, and nothing more is written to it, though the disk says that it works again.
        std::thread::park_timeout(Duration::from_millis(2_500));
        assert_eq!(put(&world, 1_000), 500);
        assert_eq!(count(&world), EARLY + LATE);
        world.db.close();
        drop(world);

        // Opened again, the database goes on, and all is there.
        let world = open(folder.path(), Durability::Normal);
        assert_eq!(put(&world, 1_000), 200);
        assert_eq!(count(&world), EARLY + LATE + 1);
        world.db.close();
        drop(world);
        let log = disk.take_log();
        check_images(&log, folder.path(), Durability::Normal, EARLY);
        // Once it was closed, all is on the disk.
        let mut replay = log.replay();
        while replay.step().is_some() {}
        let image = folder.path().join("image");
        replay.image(Loss::Unsynced, &mut |_| 0).save(&image).unwrap();
        assert_eq!(count(&open(&image, Durability::Normal)), EARLY + LATE + 1);
    });
}

#[test]
fn a_sync_that_fails_in_a_commit() {
    on_disk(|disk| {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path(), Durability::Full);
        disk.watch(folder.path(), &["test.db-lock"]);
        let world = open(folder.path(), Durability::Full);
        (EARLY..EARLY + LATE).for_each(|n| assert_eq!(put(&world, n), 200));
        disk.fail(Some(Fault::Sync { after: 0, times: 1 }));
        assert_eq!(put(&world, 1_000), 500);
        disk.fail(None);
        assert_eq!(put(&world, 1_001), 500, "nobody knows what is on the disk");
        assert_eq!(count(&world), EARLY + LATE);
        world.db.close();
        drop(world);
        let world = open(folder.path(), Durability::Full);
        assert_eq!(put(&world, 1_002), 200);
        world.db.close();
        drop(world);
        check_images(&disk.take_log(), folder.path(), Durability::Full, EARLY + LATE);
    });
}

#[test]
fn a_sync_that_fails_while_the_database_is_closed() {
    on_disk(|disk| {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path(), Durability::Normal);
        disk.watch(folder.path(), &["test.db-lock"]);
        let world = open(folder.path(), Durability::Normal);
        (EARLY..EARLY + LATE).for_each(|n| assert_eq!(put(&world, n), 200));
        disk.fail(Some(Fault::Sync { after: 0, times: 1 }));
        world.db.close();
        drop(world);
        disk.fail(None);
        let world = open(folder.path(), Durability::Normal);
        assert_eq!(count(&world), EARLY + LATE);
        assert_eq!(put(&world, 1_000), 200);
        world.db.close();
        drop(world);
        check_images(&disk.take_log(), folder.path(), Durability::Normal, EARLY);
    });
}
