use expect_test::expect_file;

use super::*;
use crate::{
    sql::texts::{EntryKind, create_expiry_index},
    sqlite::migrate::{NEWEST, SQLITE},
};

/// The tables that are made at run time are as much a part of the format as those of the migrations: databases that are out have
/// them as the program made them then.
///
/// If this fails because a text has changed, old databases need the change, too: `cargo xtask migration NAME`, with a `step` for
/// both databases in `sqlite/migrate.rs` and `postgres/schema.rs`, which raises the version, and `cargo xtask fixture`. Then run this
/// with `UPDATE_EXPECT=1`: it writes the file of the new version. The file of an earlier one is never written again.
#[test]
fn the_sql_of_tables_made_at_run_time_belongs_to_a_schema_version() {
    let version = SQLITE.iter().rposition(|migration| migration.step.is_some()).unwrap() + 1;
    assert!(version as u32 <= NEWEST);
    let mut text =
        format!("-- Tables made at run time, of schema {version}. Never edited: see dialect/tests.rs.\n");
    for (name, dialect) in [("SQLite", Dialect::Sqlite), ("PostgreSQL", Dialect::Postgres)] {
        text.push_str(&format!("\n-- {name}\n"));
        for sql in [
            dialect.create_items("pdb_item_t"),
            create_expiry_index("pdb_expiry_t", "pdb_item_t"),
            dialect.create_entries("pdb_index_t_i", EntryKind::Key),
            dialect.create_entries("pdb_vector_t_i", EntryKind::Vector),
            dialect.create_records("pdb_stream_t"),
            dialect.create_history("pdb_history_t"),
            dialect.create_kept("pdb_backup_b"),
        ] {
            text.push_str(&sql.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
            text.push_str(";\n");
        }
    }
    expect_file![format!("tests/schema_{version}.sql")].assert_eq(&text);
}
