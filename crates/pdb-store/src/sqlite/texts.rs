//! The texts that SQLite and PostgreSQL write differently, as SQLite has them.
//!
//! The last column of most tables, the checksum, came with schema 2. Its comma stands where SQLite put it when it altered older tables,
//! so that the text that SQLite keeps of a table does not depend on which version made it.

use crate::{
    checksum::Salt,
    key_columns::KeyColumns,
    names::quoted,
    rows::columns::{HISTORY, RecordColumns, names_of},
    sql::texts::{self, CHANGED_SINCE, EntryKind, HistoryTable, IndexSql, ItemTable, RecordTable, ScanSql},
};

/// Lists the names of all tables.
pub(crate) const LIST_TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
/// The columns that make up an item, besides its checksum.
pub(crate) const ITEM_COLUMNS: &str = "key, item, size_bytes";
/// The type of a number of 64 bits.
pub(crate) const INTEGER: &str = "INTEGER";
/// What orders a text by its bytes.
pub(crate) const BY_BYTES: &str = "";
/// The functions that return the greatest and the least of several numbers.
pub(crate) const GREATEST_AND_LEAST: (&str, &str) = ("max", "min");
/// Checks the structure of the file and its indexes. A hundred findings are enough to read.
pub(crate) const CHECK_STRUCTURE: Option<&str> = Some("PRAGMA integrity_check(100)");
/// Looks for an SQL index.
pub(crate) const FIND_INDEX: Option<&str> =
    Some("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?1");
/// Removes tokens that have expired.
pub(crate) const FORGET_TOKENS: &str = "DELETE FROM pdb_token WHERE token IN \
     (SELECT token FROM pdb_token WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(crate) fn create_items(table: &str) -> String {
    format!(
        "CREATE TABLE {} (id         INTEGER PRIMARY KEY,
              key        BLOB    NOT NULL UNIQUE,
              item       TEXT    NOT NULL,
              size_bytes INTEGER NOT NULL,
              expires_at INTEGER,
              checksum   INTEGER) STRICT",
        quoted(table)
    )
}

pub(crate) fn create_kept(table: &str) -> String {
    format!("CREATE TABLE {} (key BLOB, item TEXT, size_bytes INTEGER, checksum INTEGER)", quoted(table))
}

pub(crate) fn create_entries(table: &str, kind: EntryKind) -> String {
    format!(
        "CREATE TABLE {} (
             id         INTEGER PRIMARY KEY,
             entry      BLOB    NOT NULL UNIQUE,
             {}         BLOB    NOT NULL,
             item       TEXT    NOT NULL,
             size_bytes INTEGER NOT NULL
             , checksum INTEGER) STRICT",
        quoted(table),
        kind.column()
    )
}

pub(crate) fn create_records(table: &str) -> String {
    texts::create_records(table, "INTEGER", "INTEGER PRIMARY KEY", " STRICT")
}

pub(crate) fn create_history(table: &str) -> String {
    format!(
        "CREATE TABLE {} (
             number     INTEGER PRIMARY KEY,
             changed_at INTEGER NOT NULL,
             key        BLOB    NOT NULL,
             item       TEXT,
             size_bytes INTEGER NOT NULL,
             checksum   INTEGER NOT NULL) STRICT",
        quoted(table)
    )
}

/// Keys are in one piece.
#[inline]
pub(crate) fn key_columns(key: &[u8]) -> KeyColumns<'_> {
    KeyColumns { head: key, rest: &[], tail: None, is_divided: false }
}

pub(crate) fn item_table(table: &str, statistic: i64) -> ItemTable {
    let name = quoted(table);
    ItemTable {
        statistic,
        salt: Salt::of(table),
        get: format!("SELECT item, size_bytes, checksum FROM {name} WHERE key = ?1"),
        lock: format!("SELECT id, item, size_bytes, checksum FROM {name} WHERE key = ?1"),
        insert: format!(
            "INSERT INTO {name} (key, item, size_bytes, expires_at, checksum) VALUES (?1, ?2, ?3, ?4, ?5)"
        ),
        update: format!(
            "UPDATE {name} SET item = ?2, size_bytes = ?3, expires_at = ?4, checksum = ?5 WHERE id = ?1"
        ),
        delete: format!("DELETE FROM {name} WHERE id = ?1"),
        expired: texts::list_expired("key", &name),
        lock_expired: texts::list_expired("key", &name),
        set_expiry: format!("UPDATE {name} SET expires_at = ?2 WHERE key = ?1"),
        scan: scan(&format!("SELECT key, NULL, item, size_bytes, checksum FROM {name}"), "key"),
        next: format!(
            "SELECT key, NULL, item, size_bytes, checksum FROM {name} WHERE key >= ?1 ORDER BY key LIMIT ?2"
        ),
    }
}

pub(crate) fn index_sql(table: &str, kind: EntryKind, statistic: i64) -> IndexSql {
    let (quoted, content) = (quoted(table), kind.column());
    let select = format!("SELECT entry, {content}, item, size_bytes, checksum FROM {quoted}");
    IndexSql {
        statistic,
        salt: Salt::of(table),
        insert: format!(
            "INSERT INTO {quoted} (entry, {content}, item, size_bytes, checksum) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (entry) DO NOTHING"
        ),
        update: format!(
            "UPDATE {quoted} SET {content} = ?2, item = ?3, size_bytes = ?4, checksum = ?5 WHERE entry = ?1"
        ),
        delete: format!("DELETE FROM {quoted} WHERE entry = ?1"),
        scan: scan(&select, "entry"),
        all: (kind == EntryKind::Vector).then_some(select),
    }
}

pub(crate) fn record_table(name: String) -> RecordTable {
    let columns = RecordColumns::COLUMNS;
    let places: Vec<String> = (1..=columns.len()).map(|place| format!("?{place}")).collect();
    let append =
        format!("INSERT INTO {} ({}) VALUES ({})", quoted(&name), names_of(columns), places.join(", "));
    RecordTable::new(name, append, "")
}

pub(crate) fn history_table(name: String) -> HistoryTable {
    let places: Vec<String> = (1..=HISTORY.len()).map(|place| format!("?{place}")).collect();
    let append =
        format!("INSERT INTO {} ({}) VALUES ({})", quoted(&name), names_of(HISTORY), places.join(", "));
    HistoryTable::new(name, append, ["key", ""], "")
}

pub(crate) fn restore_past(items: &str, history: &str, to: &str) -> String {
    // SQLite makes the list once, with an index of its own.
    let unchanged = format!("key NOT IN (SELECT key FROM {history} WHERE {CHANGED_SINCE})");
    texts::restore_past([items, history, to], ITEM_COLUMNS, "key", &unchanged)
}

fn scan(select: &str, key: &str) -> ScanSql {
    ScanSql::new(
        select,
        [&format!("{key} >= ?1"), &format!("{key} < ?2")],
        [&format!("ORDER BY {key}"), &format!("ORDER BY {key} DESC")],
    )
}
