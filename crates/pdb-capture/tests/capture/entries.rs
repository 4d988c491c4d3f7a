//! What entries of each kind of index contain, and which attributes they are made of.

use std::ops::ControlFlow;

use pdb_capture::{BaseKey, index_entry, lock_item, needs_attribute, write_encoded_item, write_item};
use pdb_model::{
    AnyIndex, AttributeValue, DistanceFunction, EncodedItem, Item, KeyAttribute, Projection, ScalarType,
    SearchAttribute, SearchRole, TableDefinition, VectorIndex,
};
use pdb_store::{Direction, KeyRange, RowRef, Table, VectorRow};
use pdb_testkit::{TestDb, definition, key_schema, string_key};

use crate::indexes::index;

/// The names of all attributes of the items here.
const ALL: [&str; 8] = ["pk", "a", "n", "other", "group", "state", "ttl", "vector"];

fn vector_index(name: &str, projection: Projection) -> VectorIndex {
    let attribute = |name: &str, role| SearchAttribute {
        attribute: KeyAttribute { name: name.to_owned(), scalar_type: ScalarType::S },
        role,
    };
    VectorIndex {
        name: name.parse().unwrap(),
        vector_attribute: "vector".to_owned(),
        dimensions: 3,
        distance_function: DistanceFunction::Euclidean,
        search_schema: vec![attribute("group", SearchRole::Hash)],
        projection,
    }
}

fn item(pk: &str) -> Item {
    let vector = AttributeValue::L(vec![1.into(), 2.into(), 3.into()]);
    let item =
        Item::new().with("pk", pk).with("a", "a").with("n", 7).with("other", "x").with("vector", vector);
    item.with("group", "g").with("state", "open").with("ttl", 1_000)
}

/// A table with an index of each kind and projection.
fn every_index() -> TableDefinition {
    let mut table = definition("orders", string_key("pk"));
    let by_a = || key_schema(("a", ScalarType::S), None);
    table.indexes = vec![
        index("all", by_a(), Projection::All),
        index("keys", by_a(), Projection::KeysOnly),
        index("some", by_a(), Projection::Include(vec!["n".to_owned()])),
    ];
    table.vector_indexes = vec![
        vector_index("near", Projection::All),
        vector_index("near-keys", Projection::KeysOnly),
        vector_index("near-some", Projection::Include(vec!["state".to_owned()])),
    ];
    table.time_to_live_attribute = Some("ttl".to_owned());
    table
}

/// The projections and their sizes, by index.
fn entries(table: &Table, item: &Item) -> Vec<(String, Option<(String, u64)>)> {
    let definition = &table.definition;
    let key = definition.key_schema.extract(item).unwrap();
    let (bytes, encoded) = (key.encode(), EncodedItem::from(item));
    let entry = |index: AnyIndex<'_>| {
        let base = BaseKey::new(definition, &key, &bytes);
        let entry = index_entry(index, table, base, item, &encoded);
        let of = |projected: &EncodedItem| (projected.json().to_owned(), projected.size_bytes());
        (index.name().to_string(), entry.map(|entry| of(entry.stored().projected)))
    };
    definition.all_indexes().map(entry).collect()
}

#[test]
fn entries_have_what_their_projection_says() {
    let db = TestDb::new();
    db.create_table(&every_index());
    let table = db.read(|tx| tx.table(&"orders".parse().unwrap()));
    let whole = item("1");
    let size = whole.size_bytes();
    // Twelve bytes are the vector's three elements of four.
    let vector = "vector".len() as u64 + 12;
    let part = |names: &[&str]| -> Item {
        whole
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    };
    let [keys, some] = [part(&["pk", "a"]), part(&["pk", "a", "n"])];
    let near = part(&["pk", "a", "n", "other", "group", "state", "ttl"]);
    let (near_keys, near_some) = (part(&["pk", "group"]), part(&["pk", "group", "state"]));
    let expected = [
        ("all", whole.to_string(), size),
        ("keys", keys.to_string(), keys.size_bytes()),
        ("some", some.to_string(), some.size_bytes()),
        ("near", near.to_string(), near.size_bytes() + vector),
        ("near-keys", near_keys.to_string(), near_keys.size_bytes() + vector),
        ("near-some", near_some.to_string(), near_some.size_bytes() + vector),
    ];
    let expected = expected.map(|(name, json, size)| (name.to_owned(), Some((json, size))));
    assert_eq!(entries(&table, &whole), expected);

    let mut bare = whole.clone();
    bare.0.remove("vector");
    let found: Vec<bool> = entries(&table, &bare).into_iter().map(|(_, entry)| entry.is_some()).collect();
    assert_eq!(found, [true, true, true, false, false, false]);
    bare.0.remove("a");
    assert!(entries(&table, &bare).into_iter().all(|(_, entry)| entry.is_none()));
}

#[test]
fn attributes_are_needed_for_keys_expiry_and_partial_entries() {
    let mut table = definition("orders", string_key("pk"));
    let needed = |table: &TableDefinition| -> Vec<&str> {
        ALL.into_iter().filter(|name| needs_attribute(table, name)).collect()
    };
    assert_eq!(needed(&table), ["pk"]);
    table.time_to_live_attribute = Some("ttl".to_owned());
    assert_eq!(needed(&table), ["pk", "ttl"]);
    table.time_to_live_attribute = None;
    let by_a = || key_schema(("a", ScalarType::S), None);
    for (projection, secondary, vector) in [
        (Projection::All, vec!["pk", "a"], vec!["pk", "group", "vector"]),
        (Projection::KeysOnly, vec!["pk", "a"], vec!["pk", "group", "vector"]),
        (Projection::Include(vec!["n".to_owned()]), vec!["pk", "a", "n"], vec!["pk", "n", "group", "vector"]),
    ] {
        let with_index =
            TableDefinition { indexes: vec![index("by_a", by_a(), projection.clone())], ..table.clone() };
        assert_eq!(needed(&with_index), secondary);
        let with_vectors =
            TableDefinition { vector_indexes: vec![vector_index("near", projection)], ..table.clone() };
        assert_eq!(needed(&with_vectors), vector);
    }
}

/// What was encoded before, and lacks the attributes that are not needed, is written like the whole item.
#[test]
fn an_encoded_item_is_written_like_others() {
    let written = |is_encoded: bool| {
        let db = TestDb::new();
        db.create_table(&every_index());
        let env = db.env.clone();
        let report = db.store.write(move |tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            let whole = item("1");
            let key = table.definition.key_schema.extract(&whole).unwrap();
            let locked = lock_item(tx, &table, &key)?;
            if !is_encoded {
                return write_item(&env, tx, &table, locked, Some(&whole), None);
            }
            let encoded = EncodedItem::from(&whole);
            let needed: Item =
                whole.into_iter().filter(|(name, _)| needs_attribute(&table.definition, name)).collect();
            assert!(!needed.contains_key("other"));
            write_encoded_item(&env, tx, &table, locked, &needed, encoded)
        });
        let report = report.unwrap();
        let stored = db.read(|tx| {
            let table = tx.table(&"orders".parse().unwrap())?;
            let (mut found, all) = (Vec::new(), KeyRange::all());
            let secondary = table.definition.indexes.iter().map(|index| Some(&index.name));
            for index in secondary.chain([None]) {
                let mut each = |row: RowRef<'_>| {
                    found.push(format!("{index:?} {:?} {}", row.key, row.json));
                    ControlFlow::Continue(())
                };
                tx.scan(&table, index, &all, Direction::Forward, &mut each)?;
            }
            for index in &table.definition.vector_indexes {
                let mut each = |row: VectorRow<'_>| {
                    found.push(format!("{} {:?} {:?} {}", index.name, row.key, row.vector, row.json));
                    ControlFlow::Continue(())
                };
                tx.scan_vectors(&table, &index.name, &all, &mut each)?;
            }
            Ok(found)
        });
        (format!("{:?}", report.index_changes), report.write_bytes, stored)
    };
    let whole = written(false);
    assert_eq!(whole.2.len(), 7);
    assert_eq!(written(true), whole);
}

#[test]
fn a_write_counts_as_the_larger_item() {
    let mut with_vectors = definition("orders", string_key("pk"));
    with_vectors.vector_indexes = vec![vector_index("near", Projection::All)];
    for table in [definition("orders", string_key("pk")), with_vectors] {
        let db = TestDb::new();
        db.create_table(&table);
        let (small, large) = (Item::new().with("pk", "1"), item("1"));
        let of = |item: &Item| table.write_bytes(item, item.size_bytes());
        assert!(of(&large) > of(&small));
        for (new, expected) in [
            (Some(&small), of(&small)),
            (Some(&small), of(&small)),
            (Some(&large), of(&large)),
            (Some(&large), of(&large)),
            (Some(&small), of(&large)),
            (None, of(&small)),
            (None, 0),
        ] {
            let (env, new) = (db.env.clone(), new.cloned());
            let written = db.store.write(move |tx| {
                let table = tx.table(&"orders".parse().unwrap())?;
                let key = table.definition.key_schema.extract(&item("1")).unwrap();
                let locked = lock_item(tx, &table, &key)?;
                write_item(&env, tx, &table, locked, new.as_ref(), None)
            });
            assert_eq!(written.unwrap().write_bytes, expected);
        }
    }
}
