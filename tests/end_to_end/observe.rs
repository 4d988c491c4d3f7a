//! What a database says about its traffic, its streams and their readers.

use std::sync::Arc;
use std::time::Duration;

use pretender::observe::{Backlog, ReaderKind, ReaderReport, TableTraffic};
use pretender::prelude::*;

use crate::driver::START;
use crate::place::Place;

fn orders() -> TableName {
    "Orders".parse().unwrap()
}

/// A database with the streamed table `Orders`, under a clock that stands still.
struct Observed {
    db: Pretender,
    clock: Arc<ManualClock>,
    arn: StreamArn,
    _place: Place,
}

impl Observed {
    fn new() -> Self {
        let (place, clock) = (Place::new(), Arc::new(ManualClock::held_at(START)));
        let db = place.builder().clock(clock.clone()).sweep_interval(None).open().unwrap();
        let created = CreateTableInput {
            stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
            ..CreateTableInput::new(orders(), ("pk", ScalarType::S), None)
        };
        let arn = db.create_table(created).unwrap().latest_stream_arn.unwrap();
        Self { db, clock, arn, _place: place }
    }

    fn put(&self, key: &str) {
        self.db.put_item(PutItemInput::new(orders(), Item::new().with("pk", key))).unwrap();
    }

    fn traffic(&self) -> TableTraffic {
        let traffic = self.db.traffic();
        traffic.iter().find(|(table, _)| *table == orders()).map(|(_, traffic)| *traffic).unwrap_or_default()
    }

    fn iterator(&self) -> String {
        let shard_id = self.db.shards(&self.arn).unwrap().pop().unwrap().shard_id;
        let (stream_arn, shard_iterator_type) = (self.arn.clone(), ShardIteratorType::TrimHorizon);
        let input = GetShardIteratorInput { stream_arn, shard_id, shard_iterator_type };
        self.db.get_shard_iterator(&input).unwrap()
    }

    fn read(&self, iterator: &str, limit: u32) -> String {
        self.db.get_records(iterator, Some(limit)).unwrap().next_shard_iterator.unwrap()
    }

    fn only_reader(&self) -> ReaderReport {
        let mut readers = self.db.readers().unwrap();
        assert_eq!(readers.len(), 1, "{readers:?}");
        readers.remove(0)
    }
}

#[test]
fn traffic_is_what_was_committed() {
    let observed = Observed::new();
    observed.put("a");
    observed.put("b");
    // Nothing changes.
    observed.put("b");
    // A condition that fails, and a transaction that fails after its first write.
    let absent = "attribute_not_exists(pk)".to_owned();
    let refused = |key: &str| PutItemInput {
        condition_expression: Some(absent.clone()),
        ..PutItemInput::new(orders(), Item::new().with("pk", key))
    };
    observed.db.put_item(refused("a")).unwrap_err();
    let put =
        |key: &str| TransactWrite::new(orders(), TransactAction::Put { item: Item::new().with("pk", key) });
    let failing = TransactWrite { condition_expression: Some(absent.clone()), ..put("a") };
    let input = TransactWriteItemsInput { transact_items: vec![put("c"), failing], ..Default::default() };
    observed.db.transact_write_items(input).unwrap_err();
    let written = TableTraffic {
        captured_records: 2,
        captured_bytes: 12,
        write_half_units: 6,
        ..TableTraffic::default()
    };
    assert_eq!(observed.traffic(), written);
    let both = TransactWriteItemsInput { transact_items: vec![put("c"), put("d")], ..Default::default() };
    observed.db.transact_write_items(both).unwrap();
    observed.db.get_item(GetItemInput::new(orders(), Item::new().with("pk", "a"))).unwrap();
    observed.db.scan(ScanInput::new(orders())).unwrap();
    observed.read(&observed.iterator(), 3);
    observed.db.trim(&observed.arn, None).unwrap();
    let expected = TableTraffic {
        captured_records: 4,
        captured_bytes: 24,
        delivered_records: 3,
        delivered_bytes: 18,
        trimmed_records: 4,
        // Eventually consistent reads cost half a unit; transactional writes cost twice as much.
        read_half_units: 2,
        write_half_units: 6 + 8,
    };
    assert_eq!(observed.traffic(), expected);
    // A write is one job in one commit; one that fails is none.
    let counts = || {
        let metrics = observed.db.store_metrics();
        (metrics.commits, metrics.jobs)
    };
    let before = counts();
    observed.put("e");
    observed.db.put_item(refused("e")).unwrap_err();
    assert_eq!(counts(), (before.0 + 1, before.1 + 1));
    // A table that is gone leaves its counts.
    let captured = || observed.traffic().captured_records;
    assert_eq!(captured(), 5);
    // A server keeps no snapshots.
    let is_server = pdb_testkit::on_postgres();
    if !is_server {
        observed.db.save_snapshot("before").unwrap();
    }
    observed.db.delete_table(&orders()).unwrap();
    assert_eq!(captured(), 5);
    // One that is restored goes on with them.
    if !is_server {
        observed.db.restore_snapshot("before").unwrap();
        observed.put("f");
        assert_eq!(captured(), 6);
    }
}

#[test]
fn streams_say_how_much_is_in_them() {
    let observed = Observed::new();
    let shards = || observed.db.stream_reports().unwrap().remove(0).shards;
    assert_eq!(shards()[0].backlog, Backlog::default());
    observed.put("a");
    observed.clock.advance(Duration::from_secs(60));
    observed.put("b");
    observed.put("c");
    assert_eq!(shards()[0].backlog, Backlog { records: 3, oldest: Some(START) });
    observed.db.rotate_shards(&observed.arn, None).unwrap();
    observed.put("d");
    let backlogs: Vec<u64> = shards().iter().map(|shard| shard.backlog.records).collect();
    assert_eq!(backlogs, [3, 1]);
    assert!(shards()[0].closed.is_some() && shards()[1].closed.is_none());
    // Records that are too old are not there any more, trimmed or not.
    observed.clock.set(EpochMillis(START.0 + 24 * 3_600_000));
    assert_eq!(shards()[0].backlog.records, 2);
    observed.db.trim(&observed.arn, None).unwrap();
    assert!(shards().iter().all(|shard| shard.backlog.records == 0 && shard.trimmed.is_some()));
}

#[test]
fn readers_say_how_far_they_are_behind() {
    let observed = Observed::new();
    observed.put("a");
    observed.clock.advance(Duration::from_secs(10));
    observed.put("b");
    observed.put("c");
    assert!(observed.db.readers().unwrap().is_empty());
    let next = observed.read(&observed.iterator(), 1);
    observed.clock.advance(Duration::from_secs(5));
    let reader = observed.only_reader();
    assert_eq!(reader.kind, ReaderKind::Iterator);
    assert_eq!((reader.backlog.records, reader.iterator_age), (2, Duration::from_secs(5)));
    assert!(reader.position.is_some());
    // The same chain of iterators is the same reader.
    let next = observed.read(&next, 2);
    assert_eq!(observed.only_reader().backlog, Backlog::default());
    assert_eq!(observed.only_reader().iterator_age, Duration::ZERO);
    // Looking is not reading, and what a test expects is not a consumer.
    let delivered = observed.traffic().delivered_records;
    observed.db.changes("Orders").unwrap();
    assert_eq!(observed.db.readers().unwrap().len(), 1);
    assert_eq!(observed.traffic().delivered_records, delivered);
    let mut events = observed.db.subscribe().table("Orders").start().unwrap();
    events.next().unwrap().unwrap();
    let kinds: Vec<ReaderKind> = observed.db.readers().unwrap().iter().map(|reader| reader.kind).collect();
    assert!(kinds.contains(&ReaderKind::Subscription), "{kinds:?}");
    // Nobody can read on with an iterator that has expired.
    observed.clock.advance(Duration::from_secs(15 * 60 + 1));
    assert!(observed.db.readers().unwrap().is_empty());
    observed.db.get_records(&next, None).unwrap_err();
}

#[test]
fn many_records_are_counted() {
    let observed = Observed::new();
    for batch in 0..60 {
        let requests =
            (0..25).map(|item| WriteRequest::Put(Item::new().with("pk", format!("{batch}-{item}"))));
        let input = BatchWriteItemInput {
            request_items: [(orders(), requests.collect())].into(),
            ..Default::default()
        };
        observed.db.batch_write_item(input).unwrap();
    }
    assert_eq!(observed.db.stream_reports().unwrap()[0].shards[0].backlog.records, 1_500);
}
