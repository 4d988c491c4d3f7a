//! Point-in-time recovery: after any history of writes, a table restored to a moment is what a map in memory was at that moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pretender::Pretender;
use pretender::errors::ApiError;
use pretender::items::{
    BatchWriteItemInput, DeleteItemInput, PutItemInput, ScanInput, TransactAction, TransactWrite,
    TransactWriteItemsInput, UpdateItemInput, WriteRequest,
};
use pretender::model::{Item, Number, ScalarType, TableName};
use pretender::tables::{
    AttributeDefinition, CreateTableInput, GlobalIndexInput, GlobalIndexUpdate, KeySchemaElement,
    ProjectionInput, ProjectionType, RestoreOverrides, RestoreToPointInTimeInput, TableDescription,
    TimeToLiveSpecification, UpdateTableInput,
};
use pretender::time::{Clock, EpochMillis, ManualClock};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::driver::START;
use crate::place::Place;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is done to the database.
#[derive(Clone, Debug)]
enum Step {
    Put(u8, i64),
    Add(u8, i64),
    Delete(u8),
    /// Puts an item that expires in so many seconds.
    PutExpiring(u8, i64),
    /// Puts and deletes of different keys.
    Batch(Vec<(u8, Option<i64>)>),
    /// Puts of different keys, all or nothing; with a condition that fails, nothing.
    Transact(Vec<(u8, i64)>, bool),
    /// Milliseconds.
    Pass(u16),
    /// Seconds, after which expired items are removed and old changes trimmed.
    Sweep(u32),
    /// The clock is set back by so many milliseconds.
    SetBack(u16),
    /// Closes the database and opens it again.
    Reopen,
    /// Switches recovery off and on.
    Renew,
    Period(u32),
    /// Adds another index, or removes it.
    Reindex,
}

fn any_step() -> impl Strategy<Value = Step> {
    let (key, number) = (0u8..6, 0i64..4);
    prop_oneof![
        6 => (key.clone(), number.clone()).prop_map(|(k, n)| Step::Put(k, n)),
        3 => (key.clone(), number.clone()).prop_map(|(k, n)| Step::Add(k, n)),
        3 => key.clone().prop_map(Step::Delete),
        2 => (key.clone(), 0i64..5_000).prop_map(|(k, s)| Step::PutExpiring(k, s)),
        2 => vec((key.clone(), proptest::option::of(number.clone())), 1..4).prop_map(|writes| {
            // One request an item: AWS refuses two.
            let writes: BTreeMap<_, _> = writes.into_iter().collect();
            Step::Batch(writes.into_iter().collect())
        }),
        2 => (vec((key, number), 1..4), any::<bool>()).prop_map(|(puts, fails)| {
            let puts: BTreeMap<_, _> = puts.into_iter().collect();
            Step::Transact(puts.into_iter().collect(), fails)
        }),
        6 => (0u16..1_000).prop_map(Step::Pass),
        // Up to two days: trims what a period of one day has behind it.
        1 => (0u32..200_000).prop_map(Step::Sweep),
        1 => any::<u16>().prop_map(Step::SetBack),
        1 => Just(Step::Reopen),
        1 => Just(Step::Renew),
        1 => (1u32..=35).prop_map(Step::Period),
        1 => Just(Step::Reindex),
    ]
}

/// A state of the table: what `n` is, and when the item expires.
type State = BTreeMap<u8, (i64, Option<i64>)>;

/// The database, and what is known of its table.
struct Run {
    db: Pretender,
    clock: Arc<ManualClock>,
    table: TableName,
    now: State,
    /// The last state of each moment at which the table changed.
    states: BTreeMap<EpochMillis, State>,
    /// Since when every state is known.
    enabled: EpochMillis,
    /// Days.
    period: u32,
    /// A sweep has run since: less may be known than the period says.
    may_be_trimmed: bool,
    /// Dropped after the database.
    place: Place,
}

fn open(place: &Place, clock: &Arc<ManualClock>) -> Pretender {
    place.builder().clock(clock.clone()).sweep_interval(None).open().unwrap()
}

/// The key of an item, its number last.
fn key_item(number: u8) -> Item {
    let item = Item::new();
    match number {
        // Together longer than what an index of PostgreSQL takes in one piece, and different only behind that.
        0 | 1 => item.with("pk", "p".repeat(2_000)).with("sk", format!("{}{number}", "s".repeat(900))),
        _ => item.with("pk", format!("p{}", number % 2)).with("sk", format!("s{number}")),
    }
}

fn item(key: u8, (n, expiry): (i64, Option<i64>)) -> Item {
    let item = key_item(key).with("n", n);
    // A size that the counts of the restored table have to reproduce.
    let item = item.with("text", "x".repeat(usize::try_from(n.unsigned_abs()).unwrap()));
    match expiry {
        Some(expiry) => item.with("ttl", expiry),
        None => item,
    }
}

fn state_of(items: &[Item]) -> State {
    let number =
        |item: &Item, name: &str| item.get(name).and_then(|value| value.as_n()).and_then(Number::floor_i64);
    items
        .iter()
        .map(|item| {
            let key = item["sk"].as_s().unwrap().chars().last().unwrap();
            (key.to_digit(10).unwrap() as u8, (number(item, "n").unwrap(), number(item, "ttl")))
        })
        .collect()
}

impl Run {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::held_at(START));
        let place = Place::lasting();
        let db = open(&place, &clock);
        let table = TableName::new("Past").unwrap();
        let index = GlobalIndexInput {
            projection: ProjectionInput::of(ProjectionType::All),
            ..GlobalIndexInput::new("by-n".parse().unwrap(), vec![KeySchemaElement::hash("n")])
        };
        let mut input = CreateTableInput {
            global_secondary_indexes: Some(vec![index]),
            ..CreateTableInput::new(table.clone(), ("pk", ScalarType::S), Some(("sk", ScalarType::S)))
        };
        input
            .attribute_definitions
            .push(AttributeDefinition { name: "n".to_owned(), scalar_type: ScalarType::N });
        db.create_table(input).unwrap();
        let ttl = TimeToLiveSpecification { enabled: true, attribute_name: "ttl".to_owned() };
        db.update_time_to_live(&table, ttl).unwrap();
        // What is there when the history begins is in no change.
        db.put_item(PutItemInput::new(table.clone(), item(2, (3, None)))).unwrap();
        clock.advance(Duration::from_millis(5));
        db.update_continuous_backups(&table, true, None).unwrap();
        let now: State = [(2, (3, None))].into();
        let enabled = clock.now();
        Self {
            db,
            clock,
            table,
            states: [(enabled, now.clone())].into(),
            now,
            enabled,
            period: 35,
            may_be_trimmed: false,
            place,
        }
    }

    /// Notes what the table is from now on. Times of changes do not decrease.
    fn note(&mut self, change: impl FnOnce(&mut State)) {
        let before = self.now.clone();
        change(&mut self.now);
        if self.now != before {
            let newest = *self.states.keys().next_back().unwrap();
            self.states.insert(self.clock.now().max(newest), self.now.clone());
        }
    }

    fn set(&mut self, key: u8, value: Option<(i64, Option<i64>)>) {
        self.note(|state| match value {
            Some(value) => drop(state.insert(key, value)),
            None => drop(state.remove(&key)),
        });
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Put(k, n) => {
                self.db.put_item(PutItemInput::new(self.table.clone(), item(*k, (*n, None)))).unwrap();
                self.set(*k, Some((*n, None)));
            }
            Step::PutExpiring(k, seconds) => {
                let value = (9, Some(self.clock.now().seconds() + seconds));
                self.db.put_item(PutItemInput::new(self.table.clone(), item(*k, value))).unwrap();
                self.set(*k, Some(value));
            }
            Step::Add(k, n) => {
                let values = [(":n".to_owned(), (*n).into())];
                self.db
                    .update_item(UpdateItemInput {
                        update_expression: Some("ADD n :n".to_owned()),
                        expression_attribute_values: values.into(),
                        ..UpdateItemInput::new(self.table.clone(), key_item(*k))
                    })
                    .unwrap();
                let (old, expiry) = self.now.get(k).copied().unwrap_or((0, None));
                self.set(*k, Some((old + n, expiry)));
            }
            Step::Delete(k) => {
                self.db.delete_item(DeleteItemInput::new(self.table.clone(), key_item(*k))).unwrap();
                self.set(*k, None);
            }
            Step::Batch(writes) => self.batch(writes),
            Step::Transact(puts, fails) => self.transact(puts, *fails),
            Step::Pass(millis) => self.clock.advance(Duration::from_millis((*millis).into())),
            Step::Sweep(seconds) => {
                self.clock.advance(Duration::from_secs((*seconds).into()));
                self.db.run_due_work().unwrap();
                let now = self.clock.now().seconds();
                self.note(|state| state.retain(|_, (_, expiry)| expiry.is_none_or(|expiry| expiry > now)));
                self.may_be_trimmed = true;
            }
            Step::SetBack(millis) => {
                self.clock.set(self.clock.now().minus(Duration::from_millis((*millis).into())));
            }
            Step::Reopen => {
                self.db.close();
                self.db = open(&self.place, &self.clock);
            }
            Step::Renew => self.renew(),
            Step::Period(days) => {
                self.db.update_continuous_backups(&self.table, true, Some(*days)).unwrap();
                self.period = *days;
            }
            Step::Reindex => self.reindex(),
        }
    }

    fn batch(&mut self, writes: &[(u8, Option<i64>)]) {
        let requests = writes.iter().map(|(k, n)| match n {
            Some(n) => WriteRequest::Put(item(*k, (*n, None))),
            None => WriteRequest::Delete(key_item(*k)),
        });
        let request_items = [(self.table.clone(), requests.collect())].into();
        let input = BatchWriteItemInput { request_items, ..BatchWriteItemInput::default() };
        assert!(self.db.batch_write_item(input).unwrap().unprocessed_items.is_empty());
        writes.iter().for_each(|(k, n)| self.set(*k, n.map(|n| (n, None))));
    }

    fn transact(&mut self, puts: &[(u8, i64)], fails: bool) {
        let put = |(k, n): &(u8, i64)| {
            TransactWrite::new(self.table.clone(), TransactAction::Put { item: item(*k, (*n, None)) })
        };
        let mut actions: Vec<_> = puts.iter().map(put).collect();
        if fails && let Some(last) = actions.last_mut() {
            last.condition_expression = Some("attribute_exists(nowhere)".to_owned());
        }
        let input = TransactWriteItemsInput { transact_items: actions, ..TransactWriteItemsInput::default() };
        assert_eq!(self.db.transact_write_items(input).is_err(), fails);
        if !fails {
            puts.iter().for_each(|(k, n)| self.set(*k, Some((*n, None))));
        }
    }

    fn renew(&mut self) {
        assert_eq!(self.db.update_continuous_backups(&self.table, false, None).unwrap(), None);
        let refused = self.restore(None).unwrap_err();
        assert_eq!(refused.code.name(), "PointInTimeRecoveryUnavailableException");
        let days = Some(self.period);
        self.db.update_continuous_backups(&self.table, true, days).unwrap();
        self.enabled = self.clock.now();
        self.states = [(self.enabled, self.now.clone())].into();
        self.may_be_trimmed = false;
    }

    fn reindex(&mut self) {
        let name: pretender::model::IndexName = "second".parse().unwrap();
        let described = self.db.describe_table(&self.table).unwrap();
        let is_there = described.global_secondary_indexes.iter().any(|index| index.index_name == name);
        let mut update = UpdateTableInput::new(self.table.clone());
        let attribute = |name: &str, scalar_type| AttributeDefinition { name: name.to_owned(), scalar_type };
        update.attribute_definitions =
            Some(vec![attribute("n", ScalarType::N), attribute("sk", ScalarType::S)]);
        update.global_secondary_index_updates = Some(vec![if is_there {
            GlobalIndexUpdate { delete: Some(name), ..GlobalIndexUpdate::default() }
        } else {
            let keys = vec![KeySchemaElement::hash("n"), KeySchemaElement::range("sk")];
            let projection = ProjectionInput::of(ProjectionType::KeysOnly);
            let index = GlobalIndexInput { projection, ..GlobalIndexInput::new(name, keys) };
            GlobalIndexUpdate { create: Some(index), ..GlobalIndexUpdate::default() }
        }]);
        self.db.update_table(update).unwrap();
    }

    fn restore(&self, moment: Option<EpochMillis>) -> Result<TableDescription, ApiError> {
        self.db.restore_table_to_point_in_time(RestoreToPointInTimeInput {
            source_table: self.table.to_string(),
            target_table_name: "Restored".parse().unwrap(),
            use_latest_restorable_time: moment.is_none(),
            restore_date_time: moment,
            overrides: RestoreOverrides::default(),
        })
    }

    fn items(&self, input: ScanInput) -> Vec<Item> {
        let found = self.db.scan(input).unwrap();
        assert_eq!(found.last_evaluated_key, None);
        found.items.unwrap().iter().map(|item| item.decode().unwrap()).collect()
    }

    /// Restores the table to a moment and compares it with what it was then.
    fn check_restore(&self, moment: EpochMillis) {
        let (_, expected) = self.states.range(..=moment).next_back().unwrap();
        let restored = self.restore(Some(moment)).unwrap();
        let name = restored.table_name;
        assert_eq!(restored.restore_summary.unwrap().restore_date_time, moment);
        let items = self.items(ScanInput::new(name.clone()));
        assert_eq!(state_of(&items), *expected, "the table as it was at {moment}");
        let described = self.db.describe_table(&name).unwrap();
        assert_eq!(described.item_count, expected.len() as u64);
        for index in &described.global_secondary_indexes {
            let input =
                ScanInput { index_name: Some(index.index_name.clone()), ..ScanInput::new(name.clone()) };
            assert_eq!(self.items(input).len(), expected.len());
        }
        check(&self.db);
        self.db.delete_table(&name).unwrap();
    }

    /// Checks the window, its ends, what is outside, and some moments at or beside changes.
    fn check(&self, moments: &[(prop::sample::Index, i64)]) {
        let recovery = self.db.describe_continuous_backups(&self.table).unwrap().unwrap();
        assert_eq!(recovery.recovery_period_in_days, self.period);
        let (earliest, latest) =
            (recovery.earliest_restorable_date_time, recovery.latest_restorable_date_time);
        let newest = *self.states.keys().next_back().unwrap();
        assert_eq!(latest, self.clock.now().max(newest));
        let by_period = self.enabled.max(self.clock.now().minus(DAY * self.period));
        assert!(earliest >= by_period && earliest <= latest, "{earliest} to {latest}");
        assert!(self.may_be_trimmed || earliest == by_period, "{earliest}, not {by_period}");
        for outside in [EpochMillis(earliest.0 - 1), EpochMillis(latest.0 + 1)] {
            assert_eq!(self.restore(Some(outside)).unwrap_err().code.name(), "InvalidRestoreTimeException");
        }
        self.check_restore(earliest);
        self.check_restore(latest);
        let changes: Vec<EpochMillis> = self.states.keys().copied().collect();
        for (index, offset) in moments {
            let moment = EpochMillis(index.get(&changes).0 + offset);
            self.check_restore(moment.clamp(earliest, latest));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(pdb_testkit::rounds(48)))]

    /// Random histories, random moments.
    #[test]
    fn a_table_is_restored_as_it_was(
        steps in vec(any_step(), 1..60),
        moments in vec((any::<prop::sample::Index>(), -1i64..=1), 1..6),
    ) {
        let mut run = Run::new();
        for step in &steps {
            run.take(step);
        }
        run.check(&moments);
    }
}

/// What a table that is restored to a moment has: `n` by key.
fn numbers_at(db: &Pretender, table: &TableName, moment: EpochMillis) -> BTreeMap<String, i64> {
    let name: TableName = "Restored".parse().unwrap();
    let input = RestoreToPointInTimeInput {
        source_table: table.to_string(),
        target_table_name: name.clone(),
        use_latest_restorable_time: false,
        restore_date_time: Some(moment),
        overrides: RestoreOverrides::default(),
    };
    db.restore_table_to_point_in_time(input).unwrap();
    let items = db.scan(ScanInput::new(name.clone())).unwrap().items.unwrap();
    let number = |item: &Item| item["n"].as_n().and_then(Number::floor_i64).unwrap();
    let numbers = items.iter().map(|item| item.decode().unwrap());
    let numbers = numbers.map(|item| (item["pk"].as_s().unwrap().to_owned(), number(&item))).collect();
    db.delete_table(&name).unwrap();
    numbers
}

/// Checks sizes, checksums, indexes and histories of all tables.
fn check(db: &Pretender) {
    let mut findings = Vec::new();
    let report = db.check(&mut |event| {
        if let pretender::maintenance::CheckEvent::Finding(finding) = event {
            findings.push(finding);
        }
    });
    report.unwrap();
    assert_eq!(findings, [], "nothing is wrong in the database");
}

/// With the table `Past` of the key `pk`, and recovery.
fn recovering(place: &Place) -> (Pretender, Arc<ManualClock>, TableName) {
    let clock = Arc::new(ManualClock::held_at(START));
    let db = open(place, &clock);
    let table = TableName::new("Past").unwrap();
    db.create_table(CreateTableInput::new(table.clone(), ("pk", ScalarType::S), None)).unwrap();
    db.update_continuous_backups(&table, true, None).unwrap();
    (db, clock, table)
}

/// Threads move units between accounts, each in transactions of its own. At no moment is a transaction half done.
#[test]
fn no_moment_is_in_the_middle_of_a_transaction() {
    const ACCOUNTS: i64 = 4;
    const TRANSFERS: usize = 25;
    let place = Place::lasting();
    let (db, clock, table) = recovering(&place);
    for account in 0..ACCOUNTS {
        let item = Item::new().with("pk", format!("account {account}")).with("n", 100);
        db.put_item(PutItemInput::new(table.clone(), item)).unwrap();
    }
    let full = clock.now();
    std::thread::scope(|scope| {
        for thread in 0..4_i64 {
            let (db, clock, table) = (&db, &clock, &table);
            scope.spawn(move || {
                let add = |account: i64, units: i64| {
                    let key = Item::new().with("pk", format!("account {}", account % ACCOUNTS));
                    let update_expression = "ADD n :n".to_owned();
                    let mut write =
                        TransactWrite::new(table.clone(), TransactAction::Update { key, update_expression });
                    write.expression_attribute_values = [(":n".to_owned(), units.into())].into();
                    write
                };
                let mut done = 0;
                while done < TRANSFERS {
                    clock.advance(Duration::from_millis(1));
                    let from = thread + done as i64;
                    let input = TransactWriteItemsInput {
                        transact_items: vec![add(from, -1), add(from + 1 + thread % 3, 1)],
                        ..TransactWriteItemsInput::default()
                    };
                    // One that meets another may be refused, as on AWS.
                    done += usize::from(db.transact_write_items(input).is_ok());
                }
            });
        }
    });
    check(&db);
    let mut states = std::collections::BTreeSet::new();
    for moment in (full.0..=clock.now().0).step_by(9) {
        let numbers = numbers_at(&db, &table, EpochMillis(moment));
        assert_eq!(numbers.values().sum::<i64>(), 100 * ACCOUNTS, "at {moment}: {numbers:?}");
        states.insert(numbers.into_iter().collect::<Vec<_>>());
    }
    assert!(states.len() > 5, "moments differ: {states:?}");
}

/// What a kill leaves after each write leads back to each moment before it.
#[test]
fn a_history_is_as_long_as_its_table_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder);
    let (db, clock, table) = recovering(&place);
    let Place::File(folder) = &place else { unreachable!() };
    for written in 1..=12 {
        clock.advance(Duration::from_millis(1));
        let item = Item::new().with("pk", format!("{}", written % 3)).with("n", written);
        db.put_item(PutItemInput::new(table.clone(), item)).unwrap();
        let image = tempfile::tempdir().unwrap();
        for file in ["test.db", "test.db-wal"] {
            std::fs::copy(folder.path().join(file), image.path().join(file)).unwrap();
        }
        let image = Place::File(image);
        let killed = open(&image, &clock);
        check(&killed);
        for moment in 0..=written {
            let expected: BTreeMap<String, i64> = (1..=moment).map(|n| (format!("{}", n % 3), n)).collect();
            assert_eq!(numbers_at(&killed, &table, EpochMillis(START.0 + moment)), expected);
        }
        killed.close();
    }
    db.close();
}
