//! What a copy of a database takes over: nothing may be forgotten when the schema grows.

use pdb_store::{Part, Place, Store, StoreOptions};
use pdb_testkit::{TestDb, definition, string_key};

/// The tables every database has. A new one is either part of a copy (`transfer.rs`) or is not to be copied; decide, then name it here.
const FIXED: &[&str] = &[
    "pdb_document",
    "pdb_history",
    "pdb_metadata",
    "pdb_setting",
    "pdb_shard",
    "pdb_statistic",
    "pdb_stream",
    "pdb_token",
];
/// Likewise the settings.
const SETTINGS: &[&str] = &["iterator_key"];

#[test]
fn a_copy_knows_all_tables_and_settings() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fresh.db");
    Store::open(&StoreOptions::file(&path)).unwrap().close();
    let file = rusqlite::Connection::open(&path).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut statement = file.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'pdb%' ORDER BY name";
    assert_eq!(names(tables), FIXED);
    assert_eq!(names("SELECT name FROM pdb_setting ORDER BY name"), SETTINGS);
}

#[test]
fn the_steps_of_a_part_are_all_its_rows_once() {
    let db = TestDb::new();
    db.create_table(&definition("orders", string_key("pk")));
    let keys: Vec<String> = (0..1_000).map(|n| format!("{n:04}")).collect();
    db.write(move |tx| {
        for (at, key) in keys.iter().enumerate() {
            let table = tx.table(&"orders".parse().unwrap())?;
            let text = "x".repeat(if at % 100 == 0 { 300_000 } else { 10 });
            let item = pdb_model::EncodedItem::from_stored(format!("{{\"t\":{{\"S\":\"{text}\"}}}}"), 1);
            tx.put_item(
                &table,
                &pdb_model::KeyBytes::from_stored(key.clone().into_bytes()),
                None,
                &item,
                None,
            )?;
        }
        Ok(())
    });
    let part = Part::Items("orders".parse().unwrap());
    let (mut steps, mut rows, mut place) = (0, 0, Place::default());
    loop {
        let step = db.read(|tx| tx.rows(&part, &place));
        if step.is_empty() {
            break;
        }
        (steps, rows, place) = (steps + 1, rows + step.len(), step.end(&part));
    }
    assert_eq!(rows, 1_000);
    assert!((4..=20).contains(&steps), "{steps} steps");
    assert_eq!(db.read(|tx| tx.end_of(&part)), place);
}
