//! Any sequence of calls leaves in a store what it leaves in a map.

use std::collections::BTreeMap;

use pdb_testkit::rounds;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{listed, stores};

#[derive(Clone, Debug)]
enum Call {
    Put(String, usize),
    GiveUp(String),
    Delete(String),
    List(String),
}

/// Keys of which no one is the folder of another one.
fn key() -> impl Strategy<Value = String> {
    let file = prop::sample::select(vec!["f", "f-", "f.json", "é", "f f"]);
    let folders = prop::collection::vec(prop::sample::select(vec!["a", "b", "a-"]), 0..3);
    (folders, file).prop_map(|(folders, file)| {
        folders.iter().map(|folder| format!("{folder}/")).chain([file.to_owned()]).collect()
    })
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        4 => (key(), 0_usize..100).prop_map(|(key, length)| Call::Put(key, length)),
        1 => key().prop_map(Call::GiveUp),
        2 => key().prop_map(Call::Delete),
        2 => (key(), any::<prop::sample::Index>()).prop_map(|(key, index)| {
            let ends: Vec<usize> = key.char_indices().map(|(at, _)| at).chain([key.len()]).collect();
            Call::List(key[..*index.get(&ends)].to_owned())
        }),
    ]
}

#[test]
fn a_store_is_a_map() {
    for stored in stores::all() {
        let store = &*stored.store;
        let cases = rounds(if stored.name == "s3" { 16 } else { 128 });
        let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&prop::collection::vec(call(), 1..24), |calls| {
            let mut map: BTreeMap<String, usize> = BTreeMap::new();
            for (key, _) in listed(store, "bkt", "").unwrap() {
                store.delete("bkt", &key).unwrap();
            }
            for call in calls {
                match call {
                    Call::Put(key, length) => {
                        store.put("bkt", &key, &vec![b'x'; length]).unwrap();
                        map.insert(key, length);
                    }
                    Call::GiveUp(key) => drop(store.create("bkt", &key).unwrap()),
                    Call::Delete(key) => {
                        store.delete("bkt", &key).unwrap();
                        map.remove(&key);
                    }
                    Call::List(prefix) => {
                        let expected: Vec<(String, u64)> = map
                            .iter()
                            .filter(|(key, _)| key.starts_with(&prefix))
                            .map(|(key, length)| (key.clone(), *length as u64))
                            .collect();
                        prop_assert_eq!(listed(store, "bkt", &prefix).unwrap(), expected);
                    }
                }
            }
            for (key, length) in &map {
                prop_assert_eq!(store.get("bkt", key, 100).unwrap().map(|it| it.len()), Some(*length));
            }
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{}: {error}", stored.name));
    }
}
