use rusqlite::Connection;

use super::*;
use crate::{dialect::Dialect, sql::texts::EntryKind};

/// A released migration is never edited: these are the checksums of those that are out.
const RELEASED: &[u128] = &[
    0xdd6b_b674_4eb6_1166_1ad5_fd0f_58e8_de96,
    0x5ae9_7fa6_5680_6b5b_5c49_44d2_9371_ba71,
    0xada4_e6d5_9f23_afce_b0b2_9962_1f91_2a64,
    0x06fb_60fc_0801_0d88_7700_64bc_9480_05d5,
    0x899c_db1b_356a_1e13_b0b1_c9be_68f3_18cb,
    0x35e0_3736_897f_6385_1047_6cc1_cc41_713f,
];

#[test]
fn released_migrations_are_not_edited() {
    let sums: Vec<_> = SQLITE.iter().map(|migration| crate::names::hash(&[migration.sql])).collect();
    assert_eq!(sums, RELEASED, "{sums:#x?}");
}

#[test]
fn a_failed_migration_changes_nothing() {
    let connection = Connection::open_in_memory().unwrap();
    // Stands in the way of the migration's last tables.
    connection.execute_batch("CREATE TABLE pdb_document (x)").unwrap();
    migrate(&connection, 0).unwrap_err();
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!((tables, version), (1, 0));
    assert!(connection.is_autocommit());
}

/// The tables of schema 1 that are made at run time, as SQLite keeps their texts.
const RUN_TIME_TABLES_OF_1: &[&str] = &[
    r#"CREATE TABLE "pdb_item_orders" (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, item TEXT NOT NULL, size_bytes INTEGER NOT NULL, expires_at INTEGER) STRICT"#,
    r#"CREATE TABLE "pdb_index_orders_by_day" ( id INTEGER PRIMARY KEY, entry BLOB NOT NULL UNIQUE, base BLOB NOT NULL, item TEXT NOT NULL, size_bytes INTEGER NOT NULL ) STRICT"#,
    r#"CREATE TABLE "pdb_stream_orders" ( sequence_number INTEGER PRIMARY KEY, shard INTEGER NOT NULL, event_id TEXT NOT NULL, event_type TEXT NOT NULL, event_timestamp INTEGER NOT NULL, approximate_creation_time INTEGER NOT NULL, hash_key_value TEXT NOT NULL, sort_key_value TEXT, keys_json TEXT NOT NULL, old_image_json TEXT, new_image_json TEXT, keys_size_bytes INTEGER NOT NULL, old_image_size_bytes INTEGER NOT NULL, size_bytes INTEGER NOT NULL, user_identity TEXT, create_date TEXT NOT NULL ) STRICT"#,
    r#"CREATE TABLE "pdb_backup_kept" (key BLOB, item TEXT, size_bytes INTEGER)"#,
];

#[test]
fn tables_of_schema_1_become_what_new_ones_are() {
    let connection = Connection::open_in_memory().unwrap();
    let driver = Driver::new(&connection);
    apply_all(driver, &SQLITE[..1]).unwrap();
    for table in RUN_TIME_TABLES_OF_1 {
        connection.execute_batch(table).unwrap();
    }
    connection.execute_batch("INSERT INTO pdb_item_orders VALUES (1, x'01', '{}', 2, NULL)").unwrap();
    migrate(&connection, 1).unwrap();

    let dialect = Dialect::Sqlite;
    for (name, expected) in [
        ("pdb_item_orders", dialect.create_items("pdb_item_orders")),
        ("pdb_index_orders_by_day", dialect.create_entries("pdb_index_orders_by_day", EntryKind::Key)),
        ("pdb_stream_orders", dialect.create_records("pdb_stream_orders")),
        ("pdb_backup_kept", dialect.create_kept("pdb_backup_kept")),
    ] {
        let sql = "SELECT sql FROM sqlite_schema WHERE name = ?1";
        let altered: String = connection.query_row(sql, [name], |row| row.get(0)).unwrap();
        let expected = expected.replace("IF NOT EXISTS ", "");
        assert_eq!(altered, expected.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    }
    let sql = "SELECT item, checksum FROM pdb_item_orders";
    let row: (String, Option<i64>) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(row, ("{}".to_owned(), None));
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, NEWEST);
}
