//! Walks through the past against a model: after any writes, also between two pages, and with any limits.

use std::{
    collections::BTreeMap,
    ops::{Bound, RangeInclusive},
};

use pdb_model::{
    AttributeValue, EncodedItem, EpochMillis, Item, KeyBytes, PointInTimeRecovery, TableDefinition, TableName,
};
use proptest::{collection::vec, prelude::*};

use super::{NetChanges, PastItems, PastState, walk::Limits};
use crate::{KeyRange, Store, StoreError, StoreOptions};

const START: EpochMillis = EpochMillis(1_772_356_542_017);

/// A database whose table has a history, and what its items are.
struct Model {
    store: Store,
    items: BTreeMap<u8, u32>,
    now: EpochMillis,
    _schema: Option<pdb_testkit::Schema>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Puts an item, or removes it.
    Write(u8, Option<u32>),
    /// Writes of one transaction.
    Together(Vec<(u8, Option<u32>)>),
    Pass(u16),
}

fn any_write() -> impl Strategy<Value = (u8, Option<u32>)> {
    (0u8..10, prop::option::weighted(0.7, 0u32..3))
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any_write().prop_map(|(key, value)| Step::Write(key, value)),
        1 => vec(any_write(), 1..4).prop_map(Step::Together),
        2 => (0u16..3).prop_map(Step::Pass),
    ]
}

fn any_limits() -> impl Strategy<Value = Limits> {
    (1usize..6, 1usize..6, prop_oneof![Just(1usize), Just(100), Just(1 << 20)])
        .prop_map(|(keys, rows, bytes)| Limits { keys, rows, bytes })
}

fn name() -> TableName {
    TableName::new("Past").unwrap()
}

fn definition(enabled: Option<EpochMillis>) -> TableDefinition {
    let key = pdb_testkit::string_key("pk");
    TableDefinition {
        point_in_time_recovery: enabled
            .map(|enabled| PointInTimeRecovery { enabled, recovery_period_days: 35 }),
        ..TableDefinition::minimal(name(), "id".to_owned(), START, key)
    }
}

fn encoded(key: u8, value: u32) -> EncodedItem {
    let text = "x".repeat(value as usize * 20);
    EncodedItem::from(&Item::new().with("pk", i64::from(key)).with("v", i64::from(value)).with("t", text))
}

/// Long keys too, which PostgreSQL divides.
fn key_bytes(key: u8) -> KeyBytes {
    let mut bytes = vec![key / 3];
    bytes.resize(if key.is_multiple_of(2) { 2_900 } else { 3 }, 7);
    bytes.push(key);
    KeyBytes::from_stored(bytes)
}

/// The first byte of every key is at most this.
const ALL: u8 = 9;

/// The keys whose first byte is in a range.
fn key_range(first: &RangeInclusive<u8>) -> KeyRange {
    match (*first.start(), *first.end()) {
        (0, ALL) => KeyRange::all(),
        (start, end) => {
            KeyRange { lower: Bound::Included(vec![start]), upper: Bound::Excluded(vec![end + 1]) }
        }
    }
}

fn decoded(item: &EncodedItem) -> (u8, u32) {
    let item = item.decode().unwrap();
    let number = |name: &str| match &item[name] {
        AttributeValue::N(number) => number.floor_i64().unwrap(),
        other => panic!("{other:?}"),
    };
    (number("pk") as u8, number("v") as u32)
}

impl Model {
    fn new() -> Self {
        let (store, schema) = if pdb_testkit::on_postgres() {
            let schema = pdb_testkit::Schema::new().unwrap();
            let options = StoreOptions::postgres(schema.url()).with_writers(2).with_readers(2);
            (Store::open(&options).unwrap(), Some(schema))
        } else {
            (Store::open(&StoreOptions::memory()).unwrap(), None)
        };
        store.write(|tx| tx.create_table(&definition(None))).unwrap();
        let mut model = Self { store, items: BTreeMap::new(), now: START, _schema: schema };
        model.step(&Step::Together(vec![(0, Some(1)), (4, Some(2)), (7, Some(0))]));
        model.store.write(|tx| tx.replace_definition(&definition(Some(START)))).unwrap();
        model
    }

    fn step(&mut self, step: &Step) {
        let writes = match step {
            Step::Pass(millis) => {
                self.now = EpochMillis(self.now.0 + i64::from(*millis));
                return;
            }
            Step::Write(key, value) => vec![(*key, *value)],
            Step::Together(writes) => writes.clone(),
        };
        let now = self.now;
        for (key, value) in &writes {
            match value {
                Some(value) => self.items.insert(*key, *value),
                None => self.items.remove(key),
            };
        }
        self.store
            .write(move |tx| {
                let table = tx.table(&name())?;
                for (key, value) in &writes {
                    let (key, new) = (key_bytes(*key), value.map(|value| encoded(*key, value)));
                    let (row, old) = tx.lock_item(&table, &key)?.unzip();
                    if old == new {
                        continue;
                    }
                    match (&new, row) {
                        (Some(new), _) => tx.put_item(&table, &key, row, new, None)?,
                        (None, Some(row)) => tx.delete_item(&table, &key, row)?,
                        (None, None) => {}
                    }
                    tx.append_change(&table, &key, old.as_ref(), now)?;
                }
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }

    fn state(&self, moment: EpochMillis) -> Option<PastState> {
        self.store
            .read(|tx| {
                let table = tx.table(&name())?;
                tx.past_state(&table, moment)
            })
            .unwrap()
    }

    /// Walks, and lets a step happen before each page for as long as there are any.
    fn items_at(
        &mut self,
        state: PastState,
        range: RangeInclusive<u8>,
        limits: Limits,
        steps: &[Step],
    ) -> BTreeMap<u8, u32> {
        let range = key_range(&range);
        let table = self.store.read(|tx| tx.table(&name())).unwrap();
        let mut walk = PastItems::with_limits(&table, &range, state, limits);
        let (mut found, mut steps) = (BTreeMap::new(), steps.iter());
        loop {
            steps.next().into_iter().for_each(|step| self.step(step));
            let Some(page) = self.store.read(|tx| walk.next_page(tx)).unwrap() else { return found };
            for item in &page {
                let (key, value) = decoded(item);
                assert_eq!(found.insert(key, value), None, "an item comes once");
            }
        }
    }

    fn changes(
        &mut self,
        [from, to]: [PastState; 2],
        range: RangeInclusive<u8>,
        limits: Limits,
        steps: &[Step],
    ) -> BTreeMap<u8, [Option<u32>; 2]> {
        let range = key_range(&range);
        let table = self.store.read(|tx| tx.table(&name())).unwrap();
        let mut walk = NetChanges::with_limits(&table, &range, [from, to], limits);
        let (mut found, mut steps) = (BTreeMap::new(), steps.iter());
        loop {
            steps.next().into_iter().for_each(|step| self.step(step));
            let Some(page) = self.store.read(|tx| walk.next_page(tx)).unwrap() else { return found };
            for change in &page {
                let images = [&change.old, &change.new].map(|image| image.as_ref().map(decoded));
                let key = images.iter().flatten().next().unwrap().0;
                assert!(change.changed >= from.moment);
                assert!(change.changed <= to.moment);
                let values = images.map(|image| image.map(|(_, value)| value));
                assert_eq!(found.insert(key, values), None, "a key comes once");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: pdb_testkit::rounds(48), ..ProptestConfig::default() })]

    #[test]
    fn a_state_is_read_as_it_was(
        before in vec(any_step(), 0..20),
        between in vec(any_step(), 0..20),
        after in vec(any_step(), 0..20),
        during in vec(any_step(), 0..40),
        limits in any_limits(),
        bounds in prop_oneof![Just((0, ALL)), (0u8..5, 0u8..5)],
    ) {
        let range = bounds.0..=bounds.1;
        let mut model = Model::new();
        before.iter().for_each(|step| model.step(step));
        let (from, first) = (model.state(model.now).unwrap(), model.items.clone());
        between.iter().for_each(|step| model.step(step));
        let (to, second) = (model.state(model.now).unwrap(), model.items.clone());
        after.iter().for_each(|step| model.step(step));
        let within = |items: &BTreeMap<u8, u32>| -> BTreeMap<u8, u32> {
            items.iter().filter(|(key, _)| range.contains(&(**key / 3))).map(|(key, v)| (*key, *v)).collect()
        };
        let (first, second) = (within(&first), within(&second));
        prop_assert_eq!(&model.items_at(from, range.clone(), limits, &during), &first);
        prop_assert_eq!(&model.items_at(to, range.clone(), limits, &during), &second);
        let keys = first.keys().chain(second.keys());
        let mut expected: BTreeMap<u8, [Option<u32>; 2]> =
            keys.map(|key| (*key, [first.get(key).copied(), second.get(key).copied()])).collect();
        expected.retain(|_, [old, new]| old != new);
        prop_assert_eq!(model.changes([from, to], range, limits, &during), expected);
    }
}

const SMALL: Limits = Limits { keys: 2, rows: 2, bytes: 1 << 20 };

#[test]
fn a_moment_includes_its_changes_and_is_within_the_history() {
    let mut model = Model::new();
    let begin = model.items.clone();
    // The state before the history's first millisecond is known: nothing was forgotten yet.
    let before = model.state(EpochMillis(START.0 - 1)).unwrap();
    assert_eq!(model.state(EpochMillis(START.0 - 2)), None);
    model.step(&Step::Write(0, Some(2)));
    let first = model.items.clone();
    model.step(&Step::Pass(5));
    model.step(&Step::Write(0, None));
    assert_eq!(model.items_at(before, 0..=ALL, SMALL, &[]), begin);
    for moment in [0, 4] {
        let state = model.state(EpochMillis(START.0 + moment)).unwrap();
        assert_eq!(model.items_at(state, 0..=ALL, SMALL, &[]), first);
    }
    let last = model.state(EpochMillis(START.0 + 5)).unwrap();
    assert_eq!(model.items_at(last, 0..=ALL, SMALL, &[]), model.items);
}

#[test]
fn a_walk_notices_that_its_history_is_gone() {
    let mut model = Model::new();
    model.step(&Step::Pass(5));
    model.step(&Step::Write(0, Some(2)));
    let state = model.state(START).unwrap();
    let table = model.store.read(|tx| tx.table(&name())).unwrap();
    let mut items = PastItems::with_limits(&table, &KeyRange::all(), state, SMALL);
    let mut changes =
        NetChanges::with_limits(&table, &KeyRange::all(), [state, model.state(model.now).unwrap()], SMALL);
    assert!(model.store.read(|tx| items.next_page(tx)).is_ok());
    model
        .store
        .write(|tx| {
            let table = tx.table(&name())?;
            tx.trim_history(&table, EpochMillis(START.0 + 5), 10)
        })
        .unwrap();
    let lost = |error| matches!(error, StoreError::PastLost(_));
    assert!(lost(model.store.read(|tx| items.next_page(tx)).unwrap_err()));
    assert!(lost(model.store.read(|tx| changes.next_page(tx)).unwrap_err()));
    // The beginning of a trimmed history is no longer the state before it.
    assert_eq!(model.state(EpochMillis(START.0 + 4)), None);
    let mut items = PastItems::with_limits(&table, &KeyRange::all(), model.state(model.now).unwrap(), SMALL);
    model.store.write(|tx| tx.replace_definition(&definition(None))).unwrap();
    assert!(lost(model.store.read(|tx| items.next_page(tx)).unwrap_err()));
    model.store.write(|tx| tx.drop_table(&name(), START)).unwrap();
    model.store.write(|tx| tx.create_table(&definition(Some(START)))).unwrap();
    let mut items = PastItems::with_limits(&table, &KeyRange::all(), state, SMALL);
    let error = model.store.read(|tx| items.next_page(tx)).unwrap_err();
    assert!(matches!(error, StoreError::TableNotFound(_)));
}
