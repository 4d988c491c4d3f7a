//! Range reads against a model, and the list of expired items.

use std::{
    collections::BTreeMap,
    ops::{Bound, ControlFlow},
};

use pdb_model::{EncodedItem, Item, KeyBytes};
use pdb_store::{Direction, KeyRange};
use pdb_testkit::{TestDb, definition, string_key};
use proptest::prelude::*;

fn any_bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    let bytes = prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..3);
    prop_oneof![
        bytes.clone().prop_map(Bound::Included),
        bytes.prop_map(Bound::Excluded),
        Just(Bound::Unbounded)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: pdb_testkit::rounds(64), ..ProptestConfig::default() })]

    #[test]
    fn ranges_are_those_of_a_sorted_map(
        keys in prop::collection::btree_set(
            prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 1..4), 0..12),
        lower in any_bound(),
        upper in any_bound(),
        limit in 1usize..5,
        forward in any::<bool>(),
    ) {
        let db = TestDb::new();
        let table = db.create_table(&definition("orders", string_key("pk")));
        let model: BTreeMap<_, _> = keys
            .into_iter()
            .enumerate()
            .map(|(i, key)| (key, EncodedItem::from(&Item::new().with("pk", i as i64))))
            .collect();
        for (key, item) in model.clone() {
            let table = table.clone();
            db.write(move |tx| {
                tx.put_item(&table, &KeyBytes::from_stored(key.clone()), None, &item, None)
            });
        }
        let mut expected: Vec<_> = model
            .iter()
            .filter(|(key, _)| (lower.clone(), upper.clone()).contains_bytes(key))
            .map(|(key, item)| (key.clone(), item.clone()))
            .collect();
        let direction = if forward { Direction::Forward } else { Direction::Backward };
        if !forward {
            expected.reverse();
        }
        expected.truncate(limit);
        let mut seen = Vec::new();
        db.read(|tx| {
            tx.scan(&table, None, &KeyRange { lower, upper }, direction, &mut |row| {
                assert_eq!(row.key, row.base);
                seen.push((row.key.to_vec(), row.to_item()));
                if seen.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })
        });
        prop_assert_eq!(seen, expected);
    }
}

trait ContainsBytes {
    fn contains_bytes(&self, key: &[u8]) -> bool;
}

impl ContainsBytes for (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    fn contains_bytes(&self, key: &[u8]) -> bool {
        let above = match &self.0 {
            Bound::Included(lower) => key >= lower.as_slice(),
            Bound::Excluded(lower) => key > lower.as_slice(),
            Bound::Unbounded => true,
        };
        let below = match &self.1 {
            Bound::Included(upper) => key <= upper.as_slice(),
            Bound::Excluded(upper) => key < upper.as_slice(),
            Bound::Unbounded => true,
        };
        above && below
    }
}

#[test]
fn expired_items_come_oldest_first() {
    let db = TestDb::new();
    let table = db.create_table(&definition("orders", string_key("pk")));
    for (key, expires_at) in [(1, Some(30)), (2, Some(10)), (3, None), (4, Some(20)), (5, Some(31))] {
        let table = table.clone();
        let item = EncodedItem::from(&Item::new().with("pk", "x"));
        db.write(move |tx| tx.put_item(&table, &KeyBytes::from_stored(vec![key]), None, &item, expires_at));
    }
    let expired = |after, now, limit| {
        let keys = db.read(|tx| tx.expired_items(&table, after, now, limit));
        keys.into_iter().map(|key| key.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!(expired(i64::MIN, 30, 10), [2, 4, 1]);
    assert_eq!(expired(10, 30, 10), [4, 1]);
    assert_eq!(expired(i64::MIN, 30, 2), [2, 4]);
    let saved = table.clone();
    assert!(db.write(move |tx| tx.set_expiry(&saved, &KeyBytes::from_stored(vec![4]), None)));
    assert_eq!(expired(i64::MIN, 30, 10), [2, 1]);
}
