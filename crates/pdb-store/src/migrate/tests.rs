use rusqlite::Connection;

use super::*;

/// A released migration is never edited: these are the checksums of those that are out.
const RELEASED: &[u128] = &[0xdd6b_b674_4eb6_1166_1ad5_fd0f_58e8_de96];

#[test]
fn released_migrations_are_not_edited() {
    let sums: Vec<_> = SQLITE.iter().map(|sql| crate::names::hash(&[sql])).collect();
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
