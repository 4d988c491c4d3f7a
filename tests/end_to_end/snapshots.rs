//! Snapshots and resets: the data afterwards, and the effect on readers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pretender::Durability;
use pretender::maintenance::ClearReport;
use pretender::prelude::*;
use pretender::tables::ListBackupsInput;
use pretender::testing::ControlError;

const START: EpochMillis = EpochMillis(1_772_356_542_017);

fn orders() -> TableName {
    TableName::new("Orders").unwrap()
}

/// A database with the streamed table `Orders` and an index on it, under a clock that stands still.
struct Db {
    db: Pretender,
    clock: Arc<ManualClock>,
    arn: StreamArn,
}

impl Db {
    fn new(file: Option<&Path>) -> Self {
        let clock = Arc::new(ManualClock::held_at(START));
        let db = open(file, clock.clone());
        let arn = create_orders(&db);
        Self { db, clock, arn }
    }

    fn put(&self, pk: &str, value: &str) {
        put(&self.db, pk, value);
    }

    fn items(&self) -> BTreeMap<String, String> {
        let items = self.db.scan(ScanInput::new(orders())).unwrap().items.unwrap();
        let text = |item: &Item, name: &str| item[name].as_s().unwrap().to_owned();
        let items = items.iter().map(|item| item.decode().unwrap());
        items.map(|item| (text(&item, "pk"), text(&item, "value"))).collect()
    }

    /// The values of all records there are.
    fn records(&self) -> Vec<String> {
        let records = self.db.subscribe().stream(self.arn.to_string()).start().unwrap();
        records.map(|event| value(&event.unwrap().record)).collect()
    }

    fn iterator(&self, kind: ShardIteratorType) -> String {
        let shard_id = self.db.shards(&self.arn).unwrap().pop().unwrap().shard_id;
        let (stream_arn, shard_iterator_type) = (self.arn.clone(), kind);
        self.db
            .get_shard_iterator(&GetShardIteratorInput { stream_arn, shard_id, shard_iterator_type })
            .unwrap()
    }

    /// The values behind an iterator, or the code of the refusal.
    fn behind(&self, iterator: &str) -> Result<Vec<String>, &'static str> {
        let page = self.db.get_records(iterator, None).map_err(|error| error.code.name())?;
        Ok(page.records.iter().map(value).collect())
    }
}

fn open(file: Option<&Path>, clock: Arc<ManualClock>) -> Pretender {
    let builder = Pretender::builder().clock(clock).sweep_interval(None).durability(Durability::Off);
    match file {
        Some(path) => builder.file(path).open().unwrap(),
        None => builder.open().unwrap(),
    }
}

fn create_orders(db: &Pretender) -> StreamArn {
    let index = GlobalIndexInput::new("ByValue".parse().unwrap(), vec![KeySchemaElement::hash("value")]);
    let mut input = CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
        global_secondary_indexes: Some(vec![index]),
        ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
    };
    let value = AttributeDefinition { name: "value".to_owned(), scalar_type: ScalarType::S };
    input.attribute_definitions.push(value);
    db.create_table(input).unwrap().latest_stream_arn.unwrap()
}

fn put(db: &Pretender, pk: &str, value: &str) {
    db.put_item(PutItemInput::new(orders(), Item::new().with("pk", pk).with("value", value))).unwrap();
}

fn transaction(keys: &[&str], value: &str, token: Option<&str>) -> TransactWriteItemsInput {
    let put = |pk: &&str| {
        let item = Item::new().with("pk", *pk).with("value", value);
        TransactWrite::new(orders(), TransactAction::Put { item })
    };
    TransactWriteItemsInput {
        transact_items: keys.iter().map(put).collect(),
        client_request_token: token.map(str::to_owned),
        return_consumed_capacity: Default::default(),
        return_item_collection_metrics: Default::default(),
    }
}

fn value(record: &StreamRecord) -> String {
    let image = record.new_image.as_ref().unwrap().decode().unwrap();
    image["value"].as_s().unwrap().to_owned()
}

/// Runs `test` on a database in memory, and on one in a file.
fn each(test: impl Fn(Db)) {
    test(Db::new(None));
    let directory = tempfile::tempdir().unwrap();
    test(Db::new(Some(&directory.path().join("test.db"))));
}

fn names(db: &Pretender) -> Vec<String> {
    db.snapshots().unwrap().into_iter().map(|snapshot| snapshot.name).collect()
}

#[test]
fn a_suite_seeds_once() {
    each(|db| {
        db.put("a", "seed");
        db.put("b", "seed");
        let saved = db.db.save_snapshot("seeded").unwrap();
        assert_eq!(
            (saved.name.as_str(), saved.taken, saved.tables, saved.items),
            ("seeded", Some(START), 1, 2)
        );
        let (items, records) = (db.items(), db.records());
        for test in ["one", "two"] {
            db.put("a", test);
            db.put(test, test);
            let other = CreateTableInput::new(TableName::new(test).unwrap(), ("id", ScalarType::N), None);
            db.db.create_table(other).unwrap();
            assert_eq!(db.db.restore_snapshot("seeded").unwrap(), saved);
            assert_eq!((db.items(), db.records()), (items.clone(), records.clone()));
            assert_eq!(db.db.list_tables(&ListTablesInput::default()).unwrap().table_names, [orders()]);
        }
    });
}

#[test]
fn snapshots_are_listed_replaced_and_deleted() {
    each(|db| {
        assert_eq!(names(&db.db), [] as [&str; 0]);
        db.db.save_snapshot("v2").unwrap();
        db.db.save_snapshot("..").unwrap();
        db.db.save_snapshot("V1_-.a").unwrap();
        assert_eq!(names(&db.db), ["..", "V1_-.a", "v2"]);
        db.put("a", "later");
        db.clock.advance(Duration::from_secs(1));
        let replaced = db.db.save_snapshot("v2").unwrap();
        assert_eq!(db.db.snapshots().unwrap().pop(), Some(replaced.clone()));
        assert_eq!(db.db.describe_snapshot("v2").unwrap(), replaced);
        assert_eq!((replaced.items, replaced.taken), (1, Some(START.plus(Duration::from_secs(1)))));
        db.db.delete_snapshot("..").unwrap();
        assert_eq!(names(&db.db), ["V1_-.a", "v2"]);
        for refused in [db.db.delete_snapshot(".."), db.db.restore_snapshot("..").map(drop)] {
            assert_eq!(refused.unwrap_err().to_string(), "there is no snapshot `..`");
        }
        for name in ["", "a b", "../a", "a/b", "ü", &"x".repeat(201)] {
            let text = format!(
                "`{name}` is not a valid name of a snapshot: 1 to 200 characters of a-z A-Z 0-9 _ . -"
            );
            assert_eq!(db.db.save_snapshot(name).unwrap_err().to_string(), text);
            assert!(matches!(db.db.restore_snapshot(name), Err(ControlError::NotFound(_))), "{name}");
        }
        db.db.save_snapshot(&"x".repeat(200)).unwrap();
    });
}

#[test]
fn snapshots_of_a_file_outlast_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    let db = Db::new(Some(&path));
    db.put("a", "seed");
    let saved = db.db.save_snapshot("seeded").unwrap();
    db.put("a", "later");
    db.db.close();
    // What is no snapshot does not disturb.
    std::fs::write(directory.path().join("test.db-snapshots/notes.db"), "Dear diary").unwrap();
    let db = Db { db: open(Some(&path), db.clock.clone()), ..db };
    assert_eq!(db.db.snapshots().unwrap(), [saved]);
    db.db.restore_snapshot("seeded").unwrap();
    assert_eq!(db.items()["a"], "seed");
    assert!(matches!(db.db.delete_snapshot("notes"), Err(ControlError::NotPossible(_))));
}

#[test]
fn a_file_goes_from_one_database_to_another() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("seed.db");
    let seed = Db::new(None);
    seed.put("a", "seed");
    assert_eq!(seed.db.save_snapshot_file(&file).unwrap().name, file.display().to_string());
    each(|db| {
        db.put("b", "own");
        db.db.restore_snapshot_file(&file).unwrap();
        assert_eq!(db.items(), seed.items());
        assert_eq!(db.records(), ["seed"]);
        db.put("b", "more");
        assert_eq!(db.records(), ["seed", "more"]);
    });
    // The file is a database like any other; while it is open, it is nobody else's.
    let opened = open(Some(&file), Arc::new(ManualClock::held_at(START)));
    put(&opened, "a", "in the file");
    let path = file.display();
    for refused in [seed.db.restore_snapshot_file(&file), seed.db.save_snapshot_file(&file)] {
        // Where the system tells, by this one.
        let refused = refused.unwrap_err().to_string();
        let expected =
            ["another process", "this process"].map(|holder| format!("`{path}` is in use by {holder}"));
        assert!(expected.contains(&refused), "{refused}");
    }
    let itself = opened.restore_snapshot_file(&file).unwrap_err();
    assert_eq!(itself.to_string(), format!("`{path}` is the database itself"));
    opened.close();
    seed.db.restore_snapshot_file(&file).unwrap();
    assert_eq!(seed.items()["a"], "in the file");
    let missing = directory.path().join("missing.db");
    let refused = seed.db.restore_snapshot_file(&missing).unwrap_err();
    assert_eq!(refused.to_string(), format!("there is no file `{}`", missing.display()));
}

#[test]
fn a_damaged_file_replaces_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let seed = directory.path().join("seed.db");
    each(|db| {
        db.put("a", "seeded");
        db.db.save_snapshot_file(&seed).unwrap();
        db.put("a", "current");
        let whole = std::fs::read(&seed).unwrap();
        // The page of each fixed table and of each of our own, one after the other.
        for page in 1..whole.len() / 8192 {
            let mut damaged = whole.clone();
            damaged[page * 8192..(page + 1) * 8192].fill(0x5a);
            std::fs::write(&seed, damaged).unwrap();
            let error = db.db.restore_snapshot_file(&seed).unwrap_err();
            assert!(matches!(error, ControlError::NotPossible(_)), "page {page}: {error:?}");
        }
        assert_eq!(db.items(), [("a".to_owned(), "current".to_owned())].into());
        db.put("b", "and goes on");
        assert_eq!(db.records().len(), 3);
        std::fs::write(&seed, whole).unwrap();
        db.db.restore_snapshot_file(&seed).unwrap();
        assert_eq!(db.items(), [("a".to_owned(), "seeded".to_owned())].into());
    });
}

#[test]
fn readers_of_streams_go_on_across_a_restore() {
    each(|db| {
        db.put("a", "old 1");
        db.put("a", "old 2");
        let follower = db.db.subscribe().stream(db.arn.to_string());
        let mut subscription = follower.start().unwrap();
        let mut read =
            || subscription.by_ref().map(|event| value(&event.unwrap().record)).collect::<Vec<_>>();
        let oldest = db.iterator(ShardIteratorType::TrimHorizon);
        db.db.save_snapshot("seeded").unwrap();
        db.put("a", "abandoned 1");
        let between = db.iterator(ShardIteratorType::Latest);
        db.put("a", "abandoned 2");
        let end = db.iterator(ShardIteratorType::Latest);
        assert_eq!(read(), ["old 1", "old 2", "abandoned 1", "abandoned 2"]);
        let last = db.db.get_records(&oldest, None).unwrap().records.pop().unwrap().sequence_number;
        db.db.restore_snapshot("seeded").unwrap();
        assert_eq!(db.behind(&oldest).unwrap(), ["old 1", "old 2"]);
        assert_eq!((db.behind(&between).unwrap(), db.behind(&end).unwrap()), (vec![], vec![]));
        for text in ["new 1", "new 2", "new 3"] {
            db.put("a", text);
        }
        let new = ["new 1", "new 2", "new 3"];
        // Who had read what was abandoned misses nothing, and sees nothing twice, also if it comes back by number.
        let by_number = db.iterator(ShardIteratorType::AfterSequenceNumber(last));
        assert_eq!(read(), new);
        for iterator in [between, end, by_number] {
            assert_eq!(db.behind(&iterator).unwrap(), new);
        }
        assert_eq!(db.behind(&oldest).unwrap(), ["old 1", "old 2", "new 1", "new 2", "new 3"]);
    });
}

#[test]
fn readers_of_a_shard_that_is_not_in_the_snapshot_are_told() {
    each(|db| {
        db.put("a", "old");
        db.db.save_snapshot("seeded").unwrap();
        db.clock.advance(Duration::from_secs(1));
        db.db.rotate_shards(&db.arn, None).unwrap();
        db.put("a", "abandoned");
        let iterator = db.iterator(ShardIteratorType::TrimHorizon);
        let mut subscription = db.db.subscribe().stream(db.arn.to_string()).start().unwrap();
        let mut read = || {
            let shown = |event: Result<Event<StreamRecord>, TailError>| match event {
                Ok(event) => value(&event.record),
                Err(error) => error.to_string().split('`').next().unwrap().to_owned(),
            };
            subscription.by_ref().map(shown).collect::<Vec<_>>()
        };
        assert_eq!(read(), ["old", "abandoned"]);
        db.db.restore_snapshot("seeded").unwrap();
        assert_eq!(db.behind(&iterator), Err("ResourceNotFoundException"));
        db.put("a", "new");
        // It cannot know how far it was in the shard that is open again.
        assert_eq!(read(), ["records of shard ", "old", "new"]);
        db.put("a", "newer");
        assert_eq!(read(), ["newer"]);
    });
}

#[test]
fn transactions_see_the_world_before_a_restore_or_after_it() {
    each(|db| {
        let both = |text: &str| transaction(&["a", "b"], text, None);
        db.db.transact_write_items(both("seed")).unwrap();
        db.db.save_snapshot("seeded").unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    db.db.transact_write_items(both(&n.to_string())).unwrap();
                }
            });
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let items = db.items();
                    assert_eq!(items["a"], items["b"]);
                }
            });
            for _ in 0..30 {
                db.db.restore_snapshot("seeded").unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        // Every item is what its records make it.
        let mut last = BTreeMap::new();
        for event in db.db.subscribe().stream(db.arn.to_string()).start().unwrap() {
            let record = event.unwrap().record;
            let pk = record.keys.decode().unwrap()["pk"].as_s().unwrap().to_owned();
            last.insert(pk, value(&record));
        }
        assert_eq!(last, db.items());
    });
}

#[test]
fn a_reset_leaves_nothing_but_clock_and_snapshots() {
    each(|db| {
        db.put("a", "old");
        db.db.create_backup(&orders(), "backup").unwrap();
        db.db.save_snapshot("seeded").unwrap();
        let iterator = db.iterator(ShardIteratorType::TrimHorizon);
        let mut follower = db.db.subscribe().table("Orders").follow(true).start().unwrap();
        assert_eq!(value(&follower.next().unwrap().unwrap().record), "old");
        db.db.reset().unwrap();
        assert_eq!(db.db.list_tables(&ListTablesInput::default()).unwrap().table_names, []);
        assert_eq!(db.db.list_streams(&ListStreamsInput::default()).unwrap().streams, []);
        assert_eq!(db.db.list_backups(&ListBackupsInput::default()).unwrap().backup_summaries, []);
        assert_eq!(db.behind(&iterator), Err("ResourceNotFoundException"));
        assert_eq!(names(&db.db), ["seeded"]);
        assert_eq!(db.clock.now(), START);
        // The clock stands still, so the table's stream has the same ARN again; but it is another.
        assert_eq!(create_orders(&db.db), db.arn);
        assert_eq!(db.behind(&iterator), Err("ResourceNotFoundException"));
        db.put("a", "new");
        assert!(matches!(follower.next(), Some(Err(TailError::Trimmed { .. }))));
        assert_eq!(value(&follower.next().unwrap().unwrap().record), "new");
        db.db.restore_snapshot("seeded").unwrap();
        assert_eq!(db.records(), ["old"]);
    });
}

#[test]
fn a_table_that_is_reset_is_as_new_and_its_stream_goes_on() {
    each(|db| {
        db.put("a", "old 1");
        db.db.rotate_shards(&db.arn, None).unwrap();
        let behind = db.iterator(ShardIteratorType::TrimHorizon);
        db.put("a", "old 2");
        let number = db.db.get_records(&behind, None).unwrap().records[0].sequence_number;
        let lagging = db.iterator(ShardIteratorType::AtSequenceNumber(number));
        let end = db.iterator(ShardIteratorType::Latest);
        let token = transaction(&["t"], "by token", Some("again"));
        db.db.transact_write_items(token.clone()).unwrap();
        let end_of_all = db.iterator(ShardIteratorType::Latest);
        let report = db.db.reset_table(&orders()).unwrap();
        assert_eq!(report, ClearReport { items: 2, records: 3 });

        assert_eq!((db.items().len(), db.records()), (0, vec![]));
        let described = db.db.describe_table(&orders()).unwrap();
        assert_eq!((described.item_count, described.table_size_bytes), (0, 0));
        assert_eq!(described.latest_stream_arn.as_ref(), Some(&db.arn));
        let index = ScanInput { index_name: Some("ByValue".parse().unwrap()), ..ScanInput::new(orders()) };
        assert_eq!(db.db.scan(index.clone()).unwrap().count, 0);
        assert_eq!(db.db.shards(&db.arn).unwrap().len(), 1);
        for old in [&lagging, &end] {
            assert_eq!(db.behind(old), Err("TrimmedDataAccessException"));
        }

        // The same transaction is applied again.
        db.db.transact_write_items(token).unwrap();
        assert_eq!(db.items()["t"], "by token");
        assert_eq!(db.db.scan(index).unwrap().count, 1);
        for iterator in [behind, end_of_all, db.iterator(ShardIteratorType::TrimHorizon)] {
            assert_eq!(db.behind(&iterator).unwrap(), ["by token"]);
        }
        assert_eq!(db.db.describe_table(&orders()).unwrap().item_count, 1);

        let missing = db.db.reset_table(&TableName::new("Missing").unwrap()).unwrap_err();
        assert!(matches!(missing, ControlError::NotFound(_)), "{missing}");
    });
}

#[test]
fn the_streams_that_a_table_had_before_go_with_a_reset() {
    each(|db| {
        db.put("a", "old");
        let specification = |stream| UpdateTableInput {
            stream_specification: Some(stream),
            ..UpdateTableInput::new(orders())
        };
        db.db.update_table(specification(StreamSpecification::disabled())).unwrap();
        assert_eq!(db.db.reset_table(&orders()).unwrap(), ClearReport { items: 1, records: 1 });
        assert_eq!(db.db.list_streams(&ListStreamsInput::default()).unwrap().streams, []);
        // A table that never had a stream is emptied as well.
        let plain = TableName::new("Plain").unwrap();
        db.db.create_table(CreateTableInput::new(plain.clone(), ("pk", ScalarType::S), None)).unwrap();
        db.db.put_item(PutItemInput::new(plain.clone(), Item::new().with("pk", "a"))).unwrap();
        assert_eq!(db.db.reset_table(&plain).unwrap(), ClearReport { items: 1, records: 0 });
        db.db.update_table(specification(StreamSpecification::enabled(StreamViewType::NewImage))).unwrap();
        db.put("a", "new");
        assert_eq!(db.items().len(), 1);
    });
}

#[test]
fn numbers_of_streams_that_are_gone_are_not_given_out_again_by_a_snapshot_that_has_them() {
    let newest = |db: &Db| {
        let records = db.db.subscribe().stream(db.arn.to_string()).start().unwrap();
        records.map(|event| event.unwrap().record.sequence_number).max().unwrap()
    };
    // The stream of the snapshot goes with a reset of its table, or because its records have expired.
    for ends_by_time in [false, true] {
        each(|db| {
            db.put("a", "1");
            db.db.save_snapshot("before").unwrap();
            for value in ["2", "3", "4"] {
                db.put("a", value);
            }
            let seen = newest(&db);
            db.db.delete_table(&orders()).unwrap();
            if ends_by_time {
                db.db.advance(Duration::from_secs(25 * 3600)).unwrap();
                assert_eq!(db.db.list_streams(&ListStreamsInput::default()).unwrap().streams, []);
            } else {
                create_orders(&db.db);
                db.db.reset_table(&orders()).unwrap();
            }
            db.db.restore_snapshot("before").unwrap();
            db.put("a", "5");
            assert!(newest(&db) > seen, "{:?} was given out again after {seen:?}", newest(&db));
        });
    }
}
