//! Invariants under random writes, rotations, splits and restarts: those of ARCHITECTURE.md, compared with a
//! table that is a map in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pretender::Pretender;
use pretender::items::{
    DeleteItemInput, PutItemInput, TransactAction, TransactWrite, TransactWriteItemsInput, UpdateItemInput,
};
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::{EventName, StreamArn, StreamRecord, StreamViewType};
use pretender::tables::{
    AttributeDefinition, CreateTableInput, GlobalIndexInput, KeySchemaElement, ProjectionInput,
    ProjectionType, StreamSpecification,
};
use pretender::time::ManualClock;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::driver::START;
use crate::place::Place;

/// What is done to the database.
#[derive(Clone, Debug)]
enum Step {
    Put(u8, i64),
    Add(u8, i64),
    Delete(u8),
    /// Puts of different keys, all or nothing; with a condition that fails, nothing.
    Transact(Vec<(u8, i64)>, bool),
    Rotate,
    Split,
    /// Closes the database and opens it again.
    Reopen,
    Pass(u16),
}

fn any_step() -> impl Strategy<Value = Step> {
    let (key, number) = (0u8..5, 0i64..4);
    prop_oneof![
        6 => (key.clone(), number.clone()).prop_map(|(k, n)| Step::Put(k, n)),
        3 => (key.clone(), number.clone()).prop_map(|(k, n)| Step::Add(k, n)),
        3 => key.clone().prop_map(Step::Delete),
        2 => (vec((key, number), 1..4), any::<bool>()).prop_map(|(puts, fails)| {
            // One action an item: AWS refuses two.
            let puts: BTreeMap<u8, i64> = puts.into_iter().collect();
            Step::Transact(puts.into_iter().collect(), fails)
        }),
        1 => Just(Step::Rotate),
        1 => Just(Step::Split),
        1 => Just(Step::Reopen),
        1 => any::<u16>().prop_map(Step::Pass),
    ]
}

/// The database and the map that says what its table should hold.
struct Run {
    db: Pretender,
    clock: Arc<ManualClock>,
    table: TableName,
    stream_arn: StreamArn,
    expected: BTreeMap<String, i64>,
    /// Changes that must have left a record, in order.
    changes: Vec<(EventName, String)>,
    /// Dropped after the database.
    place: Place,
}

fn open(place: &Place, clock: &Arc<ManualClock>) -> Pretender {
    place.builder().clock(clock.clone()).sweep_interval(None).open().unwrap()
}

fn key(number: u8) -> String {
    format!("key-{number}")
}

fn key_item(key: &str) -> Item {
    Item::new().with("pk", key)
}

fn item(key: &str, n: i64) -> Item {
    key_item(key).with("n", n)
}

fn number(item: &Item) -> i64 {
    item["n"].as_n().and_then(pretender::model::Number::floor_i64).unwrap()
}

impl Run {
    fn new(view_type: StreamViewType) -> Self {
        let clock = Arc::new(ManualClock::held_at(START));
        let place = Place::lasting();
        let db = open(&place, &clock);
        let table = TableName::new("Invariants").unwrap();
        // One index has whole items, the other only keys; items move in both.
        let index = |name: &str, projection| GlobalIndexInput {
            projection: ProjectionInput::of(projection),
            ..GlobalIndexInput::new(name.parse().unwrap(), vec![KeySchemaElement::hash("n")])
        };
        let mut input = CreateTableInput {
            stream_specification: Some(StreamSpecification::enabled(view_type)),
            global_secondary_indexes: Some(vec![
                index("whole", ProjectionType::All),
                index("keys", ProjectionType::KeysOnly),
            ]),
            ..CreateTableInput::new(table.clone(), ("pk", ScalarType::S), None)
        };
        let number = AttributeDefinition { name: "n".to_owned(), scalar_type: ScalarType::N };
        input.attribute_definitions.push(number);
        let description = db.create_table(input).unwrap();
        let stream_arn = description.latest_stream_arn.unwrap();
        Self { db, clock, table, stream_arn, expected: BTreeMap::new(), changes: Vec::new(), place }
    }

    fn expect(&mut self, key: String, new: Option<i64>) {
        let old = self.expected.get(&key).copied();
        let event = match (old, new) {
            (None, Some(_)) => EventName::Insert,
            (Some(old), Some(new)) if old != new => EventName::Modify,
            (Some(_), None) => EventName::Remove,
            _ => return,
        };
        match new {
            Some(new) => self.expected.insert(key.clone(), new),
            None => self.expected.remove(&key),
        };
        self.changes.push((event, key));
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Put(k, n) => {
                self.db.put_item(PutItemInput::new(self.table.clone(), item(&key(*k), *n))).unwrap();
                self.expect(key(*k), Some(*n));
            }
            Step::Add(k, n) => {
                self.db
                    .update_item(UpdateItemInput {
                        update_expression: Some("ADD n :n".to_owned()),
                        expression_attribute_values: [(":n".to_owned(), (*n).into())].into(),
                        ..UpdateItemInput::new(self.table.clone(), key_item(&key(*k)))
                    })
                    .unwrap();
                let sum = self.expected.get(&key(*k)).copied().unwrap_or(0) + n;
                self.expect(key(*k), Some(sum));
            }
            Step::Delete(k) => {
                self.db.delete_item(DeleteItemInput::new(self.table.clone(), key_item(&key(*k)))).unwrap();
                self.expect(key(*k), None);
            }
            Step::Transact(puts, fails) => self.transact(puts, *fails),
            Step::Rotate => drop(self.db.rotate_shards(&self.stream_arn, None).unwrap()),
            Step::Split => drop(self.db.split_shards(&self.stream_arn, None).unwrap()),
            Step::Reopen => {
                self.db.close();
                self.db = open(&self.place, &self.clock);
            }
            Step::Pass(seconds) => {
                // Less than a day in all: nothing is trimmed in these histories.
                self.clock.advance(Duration::from_secs(u64::from(seconds % 2_000)));
                self.db.run_due_work().unwrap();
            }
        }
    }

    fn transact(&mut self, puts: &[(u8, i64)], fails: bool) {
        let mut actions: Vec<_> = puts
            .iter()
            .map(|(k, n)| {
                TransactWrite::new(self.table.clone(), TransactAction::Put { item: item(&key(*k), *n) })
            })
            .collect();
        if fails && let Some(last) = actions.last_mut() {
            last.condition_expression = Some("attribute_exists(nowhere)".to_owned());
        }
        let input = TransactWriteItemsInput { transact_items: actions, ..TransactWriteItemsInput::default() };
        assert_eq!(self.db.transact_write_items(input).is_err(), fails);
        if !fails {
            puts.iter().for_each(|(k, n)| self.expect(key(*k), Some(*n)));
        }
    }

    /// All records, shard after shard in the order of the lineage, in pages of `limit`.
    fn records(&self, limit: u32) -> Vec<StreamRecord> {
        let events =
            self.db.subscribe().stream(self.stream_arn.to_string()).page_limit(limit).start().unwrap();
        let mut records: Vec<_> = events.map(|event| event.unwrap().record).collect();
        // Numbers grow along every lineage; between siblings any order will do.
        records.sort_by_key(|record| record.sequence_number);
        records
    }

    fn check(&self, view_type: StreamViewType, limit: u32) {
        let records = self.records(limit);
        let mut seen: BTreeMap<String, Vec<EventName>> = BTreeMap::new();
        let mut replayed: BTreeMap<String, i64> = BTreeMap::new();
        for record in &records {
            let key = record.keys.decode().unwrap()["pk"].as_s().unwrap().to_owned();
            seen.entry(key.clone()).or_default().push(record.event_name);
            let (old, new) = (record.old_image.as_ref(), record.new_image.as_ref());
            let is_insert = record.event_name == EventName::Insert;
            let is_remove = record.event_name == EventName::Remove;
            assert_eq!(old.is_some(), view_type.includes_old() && !is_insert, "{record:?}");
            assert_eq!(new.is_some(), view_type.includes_new() && !is_remove, "{record:?}");
            assert_eq!(record.size_bytes, pretender::streams::record_size_bytes(&record.keys, old, new));
            if view_type != StreamViewType::NewAndOldImages {
                continue;
            }
            let before = old.map(|image| number(&image.decode().unwrap()));
            assert_eq!(
                replayed.get(&key).copied(),
                before,
                "the old image is the new one of before: {record:?}"
            );
            match new {
                Some(new) => replayed.insert(key, number(&new.decode().unwrap())),
                None => replayed.remove(&key),
            };
        }
        let mut expected: BTreeMap<String, Vec<EventName>> = BTreeMap::new();
        self.changes.iter().for_each(|(event, key)| expected.entry(key.clone()).or_default().push(*event));
        assert_eq!(seen, expected, "every change once, in order for each key");
        if view_type == StreamViewType::NewAndOldImages {
            assert_eq!(replayed, self.expected, "the stream replayed, and the table");
        }
        let mut findings = Vec::new();
        let report = self.db.check(&mut |event| {
            if let pretender::maintenance::CheckEvent::Finding(finding) = event {
                findings.push(finding);
            }
        });
        assert_eq!(findings, [], "nothing is wrong in the database");
        let is_replayed = view_type == StreamViewType::NewAndOldImages;
        assert_eq!(report.unwrap().streams_replayed, u64::from(is_replayed));
        let scan = self.db.scan(pretender::items::ScanInput::new(self.table.clone())).unwrap();
        assert_eq!(scan.count, self.expected.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(64)))]

    /// Replay, order, no loss, no repeat and view type, over random histories.
    #[test]
    fn a_stream_tells_all_that_happened(
        steps in vec(any_step(), 1..40),
        view_type in prop_oneof![
            3 => Just(StreamViewType::NewAndOldImages),
            1 => Just(StreamViewType::KeysOnly),
            1 => Just(StreamViewType::NewImage),
            1 => Just(StreamViewType::OldImage),
        ],
        limit in 1u32..8,
    ) {
        let mut run = Run::new(view_type);
        for step in &steps {
            run.take(step);
        }
        run.check(view_type, limit);
    }
}
