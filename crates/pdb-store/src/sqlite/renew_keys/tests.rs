use std::path::Path;

use pdb_model::{
    EpochMillis, IndexKind, Item, KeyAttribute, KeyBytes, KeySchema, KeyValue, PrimaryKey, Projection,
    ProvisionedThroughput, ScalarType, SecondaryIndex, TableDefinition, text_hash,
};
use rusqlite::Connection;

use super::*;
use crate::{
    checksum::{self, Salt},
    dialect::Dialect,
    migrate::{apply_all, keys::read_old},
    names::{self},
    sql::{settings, texts::EntryKind},
    sqlite::migrate::{SQLITE, migrate, migrate_to},
};

/// More than are read at once.
const ITEMS: usize = 600;
const BACKUP: &str = "01772356542017-12345678";

fn attribute(name: &str, scalar_type: ScalarType) -> KeyAttribute {
    KeyAttribute { name: name.to_owned(), scalar_type }
}

/// A table `orders` by `pk` and `n`, with a global index by `b` and `pk`, and a local one by `pk` and `s`.
fn definition() -> TableDefinition {
    let (pk, n) = (attribute("pk", ScalarType::S), attribute("n", ScalarType::N));
    let schema = KeySchema::simple(pk.clone(), Some(n));
    let mut table =
        TableDefinition::minimal("orders".parse().unwrap(), "id".to_owned(), EpochMillis(0), schema);
    let index = |name: &str, kind, key_schema| SecondaryIndex {
        name: name.parse().unwrap(),
        kind,
        key_schema,
        projection: Projection::All,
        provisioned_throughput: ProvisionedThroughput::default(),
        on_demand_throughput: None,
        warm_throughput: None,
    };
    let global = KeySchema::simple(attribute("b", ScalarType::B), Some(pk.clone()));
    let local = KeySchema::simple(pk, Some(attribute("s", ScalarType::S)));
    table.indexes = vec![index("by_b", IndexKind::Global, global), index("by_s", IndexKind::Local, local)];
    table
}

fn item(number: usize) -> Item {
    let pk = ["a", "b \0 c", "Zürich", "\0"][number % 4];
    Item::new()
        .with("pk", pk)
        .with("n", number as i64 - 100)
        .with("b", pdb_model::AttributeValue::B(vec![0, (number % 3) as u8]))
        .with("s", "x".repeat(1 + number % 50))
}

/// The key that schema 2 stores.
fn old_key(key: &PrimaryKey) -> Vec<u8> {
    let mut bytes = key.encode().into_bytes();
    bytes[..8].copy_from_slice(&key.shard_token().to_be_bytes());
    bytes
}

fn execute(connection: &Connection, sql: &str, params: impl rusqlite::Params) {
    connection.execute(sql, params).unwrap();
}

/// Fills a database of schema 2.
fn fill(connection: &Connection) {
    let (dialect, table) = (Dialect::Sqlite, definition());
    let kept = names::kept_table(BACKUP);
    for sql in [
        dialect.create_items("pdb_item_orders"),
        dialect.create_entries("pdb_index_orders_by_b", EntryKind::Key),
        dialect.create_entries("pdb_index_orders_by_s", EntryKind::Key),
        dialect.create_kept(&kept),
    ] {
        connection.execute_batch(&sql).unwrap();
    }
    let json = serde_json::to_string(&table).unwrap();
    execute(
        connection,
        "INSERT INTO pdb_metadata (table_name, item_table, definition, stream_enabled) VALUES ('orders', 'pdb_item_orders', ?1, 0)",
        [&json],
    );
    let backup = format!(r#"{{"version":1,"backup_arn":"arn:x/backup/{BACKUP}","definition":{json}}}"#);
    execute(connection, "INSERT INTO pdb_document (kind, name, value) VALUES ('backup', 'b', ?1)", [backup]);
    connection.execute_batch("BEGIN").unwrap();
    for number in 0..ITEMS {
        let item = item(number);
        let (base_key, json) = (table.key_schema.extract(&item).unwrap(), item.to_string());
        let (base, size) = (old_key(&base_key), 7_i64);
        let sum = |table: &str| {
            // As rows of schema 1 have none.
            (number % 5 != 0)
                .then(|| checksum::of_item(&base, text_hash(json.as_bytes()), 7).stored(Salt::of(table)))
        };
        execute(
            connection,
            "INSERT INTO pdb_item_orders (key, item, size_bytes, expires_at, checksum) VALUES (?1, ?2, ?3, ?4, ?5)",
            (&base, &json, size, number as i64, sum("pdb_item_orders")),
        );
        execute(
            connection,
            &format!("INSERT INTO {} VALUES (?1, ?2, ?3, ?4)", quoted(&kept)),
            (&base, &json, size, sum(&kept)),
        );
        for index in &table.indexes {
            let name = format!("pdb_index_orders_{}", index.name);
            let entry = [old_key(&index.key_schema.extract(&item).unwrap()), base.clone()].concat();
            let sum = checksum::of_entry(&entry, &base, &json, 7).stored(Salt::of(&name));
            execute(
                connection,
                &format!(
                    "INSERT INTO {name} (entry, base, item, size_bytes, checksum) VALUES (?1, ?2, ?3, ?4, ?5)"
                ),
                (&entry, &base, &json, size, sum),
            );
        }
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn old() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    migrate_to(&connection, 0, 2).unwrap();
    fill(&connection);
    connection
}

type Rows = Vec<(i64, Vec<u8>, Vec<u8>, String, Option<i64>)>;

/// The rows of all tables, as they lie.
fn rows(connection: &Connection) -> Vec<(String, Rows)> {
    let kept = names::kept_table(BACKUP);
    let tables = [
        ("pdb_item_orders", "key, key"),
        ("pdb_index_orders_by_b", "entry, base"),
        ("pdb_index_orders_by_s", "entry, base"),
        (kept.as_str(), "key, key"),
    ];
    let read = |(table, keys): (&str, &str)| {
        let sql = format!("SELECT rowid, {keys}, item, checksum FROM {} ORDER BY rowid", quoted(table));
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .unwrap();
        (table.to_owned(), rows.collect::<Result<_, _>>().unwrap())
    };
    tables.map(read).to_vec()
}

/// Checks that all rows have the keys that their items have now, and checksums that fit, or none as before.
fn check_new(connection: &Connection, before: &[(String, Rows)]) {
    let definition = definition();
    for ((table, rows), (_, old)) in rows(connection).iter().zip(before) {
        assert_eq!(rows.len(), ITEMS);
        let index =
            definition.indexes.iter().find(|index| *table == format!("pdb_index_orders_{}", index.name));
        for ((id, key, base, json, stored), old) in rows.iter().zip(old) {
            assert_eq!((*id, json, stored.is_some()), (old.0, &old.3, old.4.is_some()));
            let item = Item::from_json(json).unwrap();
            let base_key = definition.key_schema.extract(&item).unwrap();
            let expected = base_key.encode();
            assert_eq!(base, expected.as_bytes(), "{table}: {json}");
            let sum = match index {
                None => {
                    assert_eq!(key, base);
                    checksum::of_item(key, text_hash(json.as_bytes()), 7)
                }
                Some(index) => {
                    let tie_break = (index.kind == IndexKind::Global).then(|| base_key.tie_break(&expected));
                    let index_key = index.key_schema.extract(&item).unwrap();
                    let entry = KeyBytes::index_entry(&index_key, tie_break, &expected);
                    assert_eq!(key, entry.as_bytes(), "{table}: {json}");
                    checksum::of_entry(key, base, json, 7)
                }
            };
            sum.verify(Salt::of(table), *stored, "row").unwrap();
        }
    }
}

#[test]
fn rows_of_all_kinds_get_their_new_keys() {
    let connection = old();
    let before = rows(&connection);
    migrate(&connection, 2).unwrap();
    check_new(&connection, &before);
    // What has its new keys keeps them.
    let after = rows(&connection);
    renew(Driver::new(&connection)).unwrap();
    assert_eq!(rows(&connection), after);
}

/// Damage is neither an obstacle nor mended.
#[test]
fn damaged_rows_stay_damaged() {
    let connection = old();
    let damage = [
        // A key of another hash, none that is a key, one that ends early, and one with something behind it.
        "UPDATE pdb_item_orders SET key = CAST(x'0001020304050607' || substr(key, 9) AS BLOB) WHERE id = 2",
        "UPDATE pdb_item_orders SET key = x'00' WHERE id = 3",
        "UPDATE pdb_item_orders SET key = substr(key, 1, length(key) - 1) WHERE id = 4",
        "UPDATE pdb_item_orders SET key = CAST(key || x'00' AS BLOB) WHERE id = 5",
        "UPDATE pdb_index_orders_by_b SET base = x'01' WHERE id = 7",
    ];
    damage.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
    // The items of a backup may have values of any type.
    let kept = quoted(&names::kept_table(BACKUP));
    connection.execute_batch(&format!("UPDATE {kept} SET checksum = 'x' WHERE rowid = 11")).unwrap();
    connection
        .execute_batch(&format!("UPDATE {kept} SET item = 1.5, size_bytes = 'x' WHERE rowid = 12"))
        .unwrap();
    let kept_as_they_are = [(0, 2), (0, 3), (0, 4), (0, 5), (1, 7)];
    // These have keys that are as they should be.
    connection.execute_batch("UPDATE pdb_item_orders SET item = '{}' WHERE id = 8").unwrap();
    connection.execute_batch("UPDATE pdb_item_orders SET item = CAST(x'ff' AS TEXT) WHERE id = 9").unwrap();
    connection
        .execute_batch("UPDATE pdb_index_orders_by_s SET checksum = checksum + 1 WHERE id = 10")
        .unwrap();
    let text = |connection: &Connection, table: &str, id: i64| -> (Vec<u8>, Option<i64>) {
        let key = if table == "pdb_item_orders" { "key" } else { "entry" };
        let sql = format!("SELECT {key}, checksum FROM {table} WHERE id = {id}");
        connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let tables = ["pdb_item_orders", "pdb_index_orders_by_b", "pdb_index_orders_by_s"];
    let before = kept_as_they_are.map(|(table, id)| text(&connection, tables[table], id));
    migrate(&connection, 2).unwrap();
    assert_eq!(kept_as_they_are.map(|(table, id)| text(&connection, tables[table], id)), before);

    let key_of =
        |number: usize| definition().key_schema.extract(&item(number)).unwrap().encode().into_bytes();
    let (key, stored) = text(&connection, "pdb_item_orders", 8);
    assert_eq!(key, key_of(7));
    let salt = Salt::of("pdb_item_orders");
    checksum::of_item(&key, text_hash(b"{}"), 7).verify(salt, stored, "item").unwrap_err();
    assert_eq!(text(&connection, "pdb_item_orders", 9).0, key_of(8));
    let (entry, stored) = text(&connection, "pdb_index_orders_by_s", 10);
    let sum = checksum::of_entry(&entry, &key_of(9), &item(9).to_string(), 7);
    let salt = Salt::of("pdb_index_orders_by_s");
    sum.verify(salt, stored, "entry").unwrap_err();
    assert_eq!(sum.stored(salt) + 1, stored.unwrap());

    let kept_key = |row: i64| -> Vec<u8> {
        let sql = format!("SELECT key FROM {kept} WHERE rowid = {row}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    let old_keys = [10, 11].map(|number| old_key(&definition().key_schema.extract(&item(number)).unwrap()));
    assert_eq!(kept_key(11), old_keys[0], "it stays as it is");
    assert_eq!(kept_key(12), key_of(11), "its key is good");
}

#[test]
fn a_backup_that_cannot_be_read_is_no_obstacle() {
    let connection = old();
    connection.execute_batch("UPDATE pdb_document SET value = '{' || value WHERE kind = 'backup'").unwrap();
    let before = rows(&connection);
    migrate(&connection, 2).unwrap();
    let after = rows(&connection);
    assert_eq!(after.last(), before.last());
    assert_ne!(after.first(), before.first());
}

#[test]
fn a_copy_that_was_not_finished_begins_anew() {
    for begun in [false, true] {
        let connection = old();
        if begun {
            settings::set(Driver::new(&connection), settings::COPY_MARK, b"its source").unwrap();
        }
        migrate(&connection, 2).unwrap();
        let mark =
            settings::get(Driver::new(&connection), settings::COPY_MARK, |value| Ok(value.to_vec())).unwrap();
        assert_eq!(mark, begun.then(|| b"of an earlier schema".to_vec()));
    }
}

#[test]
fn a_step_that_fails_leaves_the_old_keys() {
    let connection = old();
    let before = rows(&connection);
    // In the way of the last index, when items and the other index are done.
    let obstacle = "CREATE TRIGGER obstacle BEFORE UPDATE ON pdb_index_orders_by_s WHEN old.id = 300 \
                    BEGIN SELECT RAISE(ABORT, 'an obstacle'); END";
    connection.execute_batch(obstacle).unwrap();
    let error = migrate(&connection, 2).unwrap_err();
    assert!(format!("{error:?}").contains("an obstacle"), "{error:?}");
    assert_eq!(rows(&connection), before);
    let version = |connection: &Connection| -> u32 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(version(&connection), 2);
    connection.execute_batch("DROP TRIGGER obstacle").unwrap();
    migrate(&connection, 2).unwrap();
    check_new(&connection, &before);
    assert_eq!(version(&connection), crate::sqlite::migrate::NEWEST);
}

/// What is in the files in the middle of the step is what a process leaves that is killed.
#[test]
fn a_process_that_dies_in_the_middle_leaves_the_old_keys() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| {
        let connection = Connection::open(path).unwrap();
        // So little that changed pages go to the log before the commit.
        connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA cache_size = 5").unwrap();
        connection
    };
    let path = folder.path().join("old.db");
    let connection = open(&path);
    migrate_to(&connection, 0, 2).unwrap();
    fill(&connection);
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let before = rows(&connection);
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    apply_all(Driver::new(&connection), &SQLITE[2..]).unwrap();
    let left = folder.path().join("left.db");
    for suffix in ["", "-wal"] {
        let of = |path: &Path| format!("{}{suffix}", path.display());
        let bytes = std::fs::copy(of(&path), of(&left)).unwrap();
        assert!(bytes > 100_000, "`{suffix}` has {bytes} bytes");
    }
    let opened = open(&left);
    assert_eq!(rows(&opened), before);
    migrate(&opened, 2).unwrap();
    check_new(&opened, &before);
}

#[test]
fn keys_of_the_second_schema_are_read_as_they_were_written() {
    let schema = definition().key_schema;
    let key = PrimaryKey { hash: vec![KeyValue::S("a".into())], range: vec![KeyValue::N(7.into())] };
    let mut stored = old_key(&key);
    stored.push(9);
    assert_eq!(read_old(&stored, &schema), Some((key.clone(), &[9][..])));
    assert_eq!(read_old(&key.encode().into_bytes(), &schema), None, "the new hash");
    // Another spelling of 7, that nobody wrote: 07.00.
    let mut other = old_key(&key);
    let end = other.pop().unwrap();
    other.extend([1, end]);
    assert_eq!(read_old(&other, &schema), None);
}
