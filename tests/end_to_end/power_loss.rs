//! A database loses its last transactions. Sequence numbers that a consumer has seen must never be given to other records.
//!
//! A power failure is simulated by combining the database file as it was on the disk with a part of its log.

use std::{
    collections::BTreeSet,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
};

use pdb_testkit::Schema;
use pdb_testpg::{Failure, Server, ServerOptions, Stop};
use pretender::time::EpochMillis;
use pretender::{Durability, Pretender};
use pretender_tests::formats::{World, event_ids, read_on, records_of};
use serde_json::{Value, json};

const NOW: EpochMillis = EpochMillis(1_772_356_542_017);
/// Records that a consumer has read, and that are lost.
const LOST: u32 = 12;

fn open(file: &Path, durability: Durability) -> World {
    World::open(Pretender::builder().file(file).durability(durability), NOW)
}

fn create_table(world: &World) {
    world.call(
        "CreateTable",
        &json!({
            "TableName": "Orders",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
        }),
    );
}

fn put(world: &World, pk: &str) {
    world.call("PutItem", &json!({ "TableName": "Orders", "Item": { "pk": { "S": pk } } }));
}

fn number_of(record: &Value) -> u128 {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap().parse().unwrap()
}

/// Somebody who has read a stream to its end, and kept both the iterator and the number of the last record.
struct Consumer {
    stream: String,
    shard: Value,
    iterator: Value,
    last: u128,
    lost: Vec<u128>,
    ids: BTreeSet<String>,
}

impl Consumer {
    /// Reads the stream to its end.
    fn of(world: &World) -> Self {
        let stream = world.stream("Orders");
        let records = records_of(world, &stream);
        let described = world.call("DescribeStream", &json!({ "StreamArn": stream.to_string() }));
        let numbers: Vec<u128> = records.iter().map(number_of).collect();
        let mut consumer = Self {
            stream: stream.to_string(),
            shard: described["StreamDescription"]["Shards"][0]["ShardId"].clone(),
            iterator: Value::Null,
            last: *numbers.last().unwrap(),
            lost: numbers[numbers.len() - LOST as usize..].to_vec(),
            ids: event_ids(&records),
        };
        let at_the_end = consumer.iterator_at(world, "AFTER_SEQUENCE_NUMBER", consumer.last);
        let page = world.call("GetRecords", &json!({ "ShardIterator": at_the_end }));
        consumer.iterator = page["NextShardIterator"].clone();
        consumer
    }

    fn iterator_at(&self, world: &World, kind: &str, number: u128) -> Value {
        let request = json!({
            "StreamArn": self.stream,
            "ShardId": self.shard,
            "ShardIteratorType": kind,
            "SequenceNumber": format!("{number:021}"),
        });
        world.call("GetShardIterator", &request)["ShardIterator"].clone()
    }

    /// Goes on after a loss, in both ways, while `name` more items are written than were lost. None of them may be missing.
    fn goes_on(&self, world: &World, name: &str) {
        // Also before anything new is there, with every number that is lost.
        for number in &self.lost {
            let left = read_on(world, &self.iterator_at(world, "AT_SEQUENCE_NUMBER", *number));
            assert!(left.len() <= LOST as usize);
        }
        let resumed = self.iterator_at(world, "AFTER_SEQUENCE_NUMBER", self.last);
        let written: Vec<String> = (0..=LOST).map(|n| format!("{name} {n}")).collect();
        written.iter().for_each(|pk| put(world, pk));
        for (how, iterator) in [("a kept iterator", &self.iterator), ("a kept number", &resumed)] {
            let records = read_on(world, iterator);
            let keys: Vec<_> =
                records.iter().map(|it| it["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap()).collect();
            assert_eq!(keys, written, "{name}, with {how}");
            assert!(records.iter().all(|record| number_of(record) > self.last), "{name}");
            let again: Vec<_> = event_ids(&records).intersection(&self.ids).cloned().collect();
            assert!(again.is_empty(), "{name}: ids of lost records are used again: {again:?}");
        }
    }
}

/// What was on the disk at some moments.
struct Images {
    /// The database file before the session that is lost.
    file: Vec<u8>,
    /// The log after so many writes of it, in the end all.
    logs: Vec<Vec<u8>>,
    lock: Option<Vec<u8>>,
    consumer: Consumer,
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Runs a session whose end will be lost.
fn images(durability: Durability) -> Images {
    loop {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("session.db");
        let world = open(&file, durability);
        create_table(&world);
        (0..5).for_each(|n| put(&world, &format!("early {n}")));
        world.db.close();
        let world = open(&file, durability);
        let before = fs::read(&file).unwrap();
        let mut logs = Vec::new();
        for n in 0..LOST {
            put(&world, &format!("lost {n}"));
            logs.push(fs::read(beside(&file, "-wal")).unwrap());
        }
        let consumer = Consumer::of(&world);
        let lock = fs::read(beside(&file, "-lock")).ok();
        let is_untouched = fs::read(&file).unwrap() == before;
        world.db.close();
        // The log is copied back when nobody writes for a second: then there would be no image of before that.
        if is_untouched {
            return Images { file: before, logs, lock, consumer };
        }
    }
}

#[test]
fn records_lost_in_a_power_failure_leave_their_numbers_unused() {
    for durability in [Durability::Normal, Durability::Off, Durability::Full] {
        let images = images(durability);
        let whole = images.logs.last().unwrap();
        // A frame is a page and 24 bytes, behind a header of 32.
        let torn = whole[..whole.len() * 2 / 3].to_vec();
        let mut zeros = whole.clone();
        zeros[whole.len() / 2..].fill(0);
        let logs = [
            ("no log", None),
            ("an empty log", Some(Vec::new())),
            ("only the header of the log", Some(whole[..32].to_vec())),
            ("the log after the first write", Some(images.logs[0].clone())),
            ("the log after the fourth write", Some(images.logs[3].clone())),
            ("a torn log", Some(torn)),
            ("a log that ends in zeros", Some(zeros)),
            ("all of the log", Some(whole.clone())),
        ];
        for (name, log) in logs {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join("image.db");
            fs::write(&file, &images.file).unwrap();
            if let Some(log) = log {
                fs::write(beside(&file, "-wal"), log).unwrap();
            }
            if let Some(lock) = &images.lock {
                fs::write(beside(&file, "-lock"), lock).unwrap();
            }
            let world = open(&file, durability);
            images.consumer.goes_on(&world, name);
            world.db.close();
        }
    }
}

#[test]
fn a_second_loss_does_not_undo_the_leap_of_the_first() {
    for durability in [Durability::Normal, Durability::Off] {
        let images = images(durability);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("image.db");
        fs::write(&file, &images.file).unwrap();
        let world = open(&file, durability);
        // All that the opening has done must be on the disk by now.
        let (after_opening, log) = (fs::read(&file).unwrap(), fs::read(beside(&file, "-wal")).ok());
        (0..LOST).for_each(|n| put(&world, &format!("lost again {n}")));
        let consumer = Consumer::of(&world);
        world.db.close();

        for log in [log, None] {
            let file = directory.path().join("again.db");
            fs::write(&file, &after_opening).unwrap();
            match log {
                Some(log) => fs::write(beside(&file, "-wal"), log).unwrap(),
                None => {
                    let _ = fs::remove_file(beside(&file, "-wal"));
                }
            }
            let world = open(&file, durability);
            consumer.goes_on(&world, "after a second loss");
            world.db.close();
        }
    }
}

#[test]
fn a_copy_goes_on_above_what_its_source_wrote_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let (source, target) = (directory.path().join("source.db"), directory.path().join("target.db"));
    let world = open(&source, Durability::Normal);
    create_table(&world);
    (0..5).for_each(|n| put(&world, &format!("early {n}")));
    world.db.close();
    let (from, to) = (Pretender::builder().file(&source), Pretender::builder().file(&target));
    pretender::maintenance::copy(&from, &to, &mut |_| ControlFlow::Continue(())).unwrap();
    let world = open(&source, Durability::Normal);
    (0..LOST).for_each(|n| put(&world, &format!("not copied {n}")));
    let consumer = Consumer::of(&world);
    world.db.close();
    let world = open(&target, Durability::Normal);
    consumer.goes_on(&world, "on the copy");
    world.db.close();
}

/// Waits until the file system gives another time than that of a file: its clock may stand still for some milliseconds, in which
/// nobody replaces a file by hand.
fn wait_for_the_clock(file: &Path) {
    let written = fs::metadata(file).unwrap().modified().unwrap();
    while {
        fs::write(beside(file, "-clock"), "").unwrap();
        fs::metadata(beside(file, "-clock")).unwrap().modified().unwrap() <= written
    } {}
}

#[test]
fn an_old_copy_of_the_file_goes_on_above_what_was_written_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let (file, backup) = (directory.path().join("orders.db"), directory.path().join("backup"));
    let world = open(&file, Durability::Normal);
    create_table(&world);
    (0..5).for_each(|n| put(&world, &format!("early {n}")));
    world.db.close();
    fs::copy(&file, &backup).unwrap();
    let times = fs::metadata(&file).unwrap();
    let times = fs::FileTimes::new().set_modified(times.modified().unwrap());

    type Way = fn(&Path, &Path);
    let ways: [(&str, Way); 3] = [
        ("copied over the file", |backup, file| assert_ne!(fs::copy(backup, file).unwrap(), 0)),
        ("written into the file", |backup, file| {
            use std::io::Write as _;
            let mut opened = fs::OpenOptions::new().write(true).truncate(true).open(file).unwrap();
            opened.write_all(&fs::read(backup).unwrap()).unwrap();
        }),
        ("renamed to the file", |backup, file| {
            fs::copy(backup, beside(file, "-new")).unwrap();
            fs::rename(beside(file, "-new"), file).unwrap();
        }),
    ];
    for (name, way) in ways {
        for keeps_times in [false, true] {
            let world = open(&file, Durability::Normal);
            (0..LOST).for_each(|n| put(&world, &format!("later {n}, {name}")));
            let consumer = Consumer::of(&world);
            world.db.close();
            wait_for_the_clock(&file);
            way(&backup, &file);
            if keeps_times {
                fs::OpenOptions::new().write(true).open(&file).unwrap().set_times(times).unwrap();
            }
            let world = open(&file, Durability::Normal);
            consumer.goes_on(&world, name);
            world.db.close();
            // The next round begins with the backup, too.
            wait_for_the_clock(&file);
            way(&backup, &file);
        }
    }
}

#[test]
fn a_database_that_was_closed_goes_on_with_the_next_number() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("orders.db");
    for durability in [Durability::Normal, Durability::Full] {
        let world = open(&file, durability);
        if durability == Durability::Normal {
            create_table(&world);
        }
        put(&world, "one");
        world.db.close();
        drop(world);
        // Opened and closed without a write.
        open(&file, durability).db.close();
        let world = open(&file, durability);
        world.call("DeleteItem", &json!({ "TableName": "Orders", "Key": { "pk": { "S": "one" } } }));
        let records = records_of(&world, &world.stream("Orders"));
        let numbers: Vec<u128> = records.iter().map(number_of).collect();
        let step = numbers[1] - numbers[0];
        assert!(numbers.windows(2).all(|pair| pair[1] - pair[0] == step), "{durability:?}: {numbers:?}");
        world.db.close();
    }
}

#[test]
fn a_restored_dump_goes_on_above_what_was_written_after_it() {
    let (Some(schema), Some(restored)) = (Schema::new(), Schema::new()) else { return };
    let open = |schema: &Schema| World::open(Pretender::builder().postgres(schema.url()), NOW);
    let world = open(&schema);
    create_table(&world);
    (0..5).for_each(|n| put(&world, &format!("early {n}")));
    let dump = schema.dump();
    (0..LOST).for_each(|n| put(&world, &format!("lost {n}")));
    let consumer = Consumer::of(&world);
    world.db.close();
    restored.load(&dump);
    let world = open(&restored);
    consumer.goes_on(&world, "after a restore");
    world.db.close();
}

#[test]
fn a_server_that_crashed_goes_on_with_higher_numbers() {
    let mut server = match Server::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
            return eprintln!("SKIPPED, for lack of PostgreSQL: {why}");
        }
        Err(failure) => panic!("{failure}"),
    };
    let url = server.url();
    let open = || World::open(Pretender::builder().postgres(&*url).durability(Durability::Off), NOW);
    let world = open();
    create_table(&world);
    put(&world, "early");
    server.sql("CHECKPOINT").unwrap();
    let other = open();
    for (name, crash) in [
        (
            "the server was killed",
            (|server| {
                server.stop(Stop::Kill).unwrap();
                server.start_again().unwrap();
            }) as fn(&mut Server),
        ),
        // It goes on by itself, and looks as if it had run all the time.
        ("a part of it was killed", |server| {
            let of = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'";
            let killed = Command::new("kill").args(["-9", &server.sql(of).unwrap()]).status().unwrap();
            assert!(killed.success());
            while server.sql("SELECT 1").is_err() {}
        }),
    ] {
        (0..LOST).for_each(|n| put(&world, &format!("lost {n}")));
        let consumer = Consumer::of(&world);
        crash(&mut server);
        // Of several processes each finds out by itself, but only the first leaps.
        consumer.goes_on(&world, name);
        let before = newest(&world);
        put(&other, &format!("by another, {name}"));
        assert_eq!(newest(&world), before + 1);
    }
    other.db.close();
    world.db.close();
}

/// The counter of the last record.
fn newest(world: &World) -> u128 {
    number_of(records_of(world, &world.stream("Orders")).last().unwrap()) / 10_u128.pow(20)
}
