//! The texts that SQLite and PostgreSQL write differently, as PostgreSQL has them.
//!
//! The greatest difference is how keys are kept. A key may have some 12 KB, but an entry of PostgreSQL's indexes only 2.7. So a key has
//! three columns: its first 2,500 bytes (`head`), a hash of the others (`tail`) and the others themselves (`rest`), both empty for
//! nearly all keys. Head and tail are unique; head and rest have the order of whole keys.

use sha2::{Digest, Sha256};

use crate::{
    checksum::{MASK, Salt, added_to_change},
    key_columns::KeyColumns,
    names::quoted,
    rows::columns::{ColumnKind, RecordColumns, names_of},
    sequence::times::{self, JITTER_MILLIS},
    sql::texts::{self, CHANGED_SINCE, EntryKind, HistoryTable, IndexSql, ItemTable, RecordTable, ScanSql},
};

/// The most bytes of a key that an index has.
const HEAD_BYTES: usize = 2500;

/// Lists the names of all tables.
pub(crate) const LIST_TABLES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
     WHERE table_schema = current_schema() ORDER BY 1";
/// The columns that make up an item, besides its checksum.
pub(crate) const ITEM_COLUMNS: &str = "key_head, key_tail, key_rest, item, size_bytes";
/// The type of a number of 64 bits.
pub(crate) const INTEGER: &str = "BIGINT";
/// What orders a text by its bytes: a database's own collation is not ours to choose.
pub(crate) const BY_BYTES: &str = " COLLATE \"C\"";
/// The functions that return the greatest and the least of several numbers.
pub(crate) const GREATEST_AND_LEAST: (&str, &str) = ("GREATEST", "LEAST");
/// A server checks itself.
pub(crate) const CHECK_STRUCTURE: Option<&str> = None;
/// Nobody else makes or drops the indexes of a schema that is ours.
pub(crate) const FIND_INDEX: Option<&str> = None;
/// Removes tokens that have expired, but for those that another process is removing.
pub(crate) const FORGET_TOKENS: &str = "WITH gone AS (SELECT token FROM pdb_token WHERE expires_at <= ?1 \
     ORDER BY expires_at LIMIT ?2 FOR UPDATE SKIP LOCKED) \
     DELETE FROM pdb_token WHERE token IN (SELECT token FROM gone)";

/// The quoted name of a table's primary key. Constraints are named because the names that PostgreSQL would give might be those of
/// other tables; no table has this one, and it is no longer than the table's.
fn constraint(table: &str) -> String {
    quoted(&format!("pkx{}", table.strip_prefix("pdb").unwrap_or(table)))
}

pub(crate) fn create_items(table: &str) -> String {
    format!(
        "CREATE TABLE {} (key_head   BYTEA  NOT NULL,
              key_tail   BYTEA  NOT NULL,
              key_rest   BYTEA  NOT NULL,
              item       TEXT   NOT NULL,
              size_bytes BIGINT NOT NULL,
              expires_at BIGINT,
              checksum   BIGINT,
              CONSTRAINT {} PRIMARY KEY (key_head, key_tail))",
        quoted(table),
        constraint(table)
    )
}

pub(crate) fn create_kept(table: &str) -> String {
    let columns =
        "key_head BYTEA, key_tail BYTEA, key_rest BYTEA, item TEXT, size_bytes BIGINT, checksum BIGINT";
    format!("CREATE TABLE {} ({columns})", quoted(table))
}

pub(crate) fn create_entries(table: &str, kind: EntryKind) -> String {
    let (name, content) = (quoted(table), kind.column());
    let create = format!(
        "CREATE TABLE {name} (
             entry_head BYTEA  NOT NULL,
             entry_tail BYTEA  NOT NULL,
             entry_rest BYTEA  NOT NULL,
             {content}  BYTEA  NOT NULL,
             item       TEXT   NOT NULL,
             size_bytes BIGINT NOT NULL,
             checksum   BIGINT,
             CONSTRAINT {} PRIMARY KEY (entry_head, entry_tail)
         )",
        constraint(table)
    );
    match kind {
        EntryKind::Key => create,
        // Floats do not get smaller, so PostgreSQL need not try.
        EntryKind::Vector => {
            format!("{create}; ALTER TABLE {name} ALTER COLUMN {content} SET STORAGE EXTERNAL")
        }
    }
}

pub(crate) fn create_records(table: &str) -> String {
    let key = format!("BIGINT CONSTRAINT {} PRIMARY KEY", constraint(table));
    texts::create_records(table, "BIGINT", &key, "")
}

pub(crate) fn create_history(table: &str) -> String {
    format!(
        "CREATE TABLE {} (
             number     BIGINT CONSTRAINT {} PRIMARY KEY,
             changed_at BIGINT NOT NULL,
             key_head   BYTEA  NOT NULL,
             key_tail   BYTEA  NOT NULL,
             key_rest   BYTEA  NOT NULL,
             item       TEXT,
             size_bytes BIGINT NOT NULL,
             checksum   BIGINT NOT NULL)",
        quoted(table),
        constraint(table)
    )
}

pub(crate) fn key_columns(key: &[u8]) -> KeyColumns<'_> {
    let (head, rest) = key.split_at(key.len().min(HEAD_BYTES));
    let tail = (!rest.is_empty()).then(|| Sha256::digest(rest).into());
    KeyColumns { head, rest, tail, is_divided: true }
}

pub(crate) fn item_table(table: &str, statistic: i64) -> ItemTable {
    let name = quoted(table);
    let this = "key_head = ?1 AND key_tail = ?2";
    let expired = texts::list_expired("key_head, key_rest", &name);
    ItemTable {
        statistic,
        salt: Salt::of(table),
        get: format!("SELECT item, size_bytes, checksum FROM {name} WHERE {this}"),
        // There is no id: a row is found by its key, which is its primary key.
        lock: format!(
            "SELECT CAST(0 AS BIGINT), item, size_bytes, checksum FROM {name} WHERE {this} FOR UPDATE"
        ),
        insert: format!(
            "INSERT INTO {name} (key_head, key_tail, key_rest, item, size_bytes, expires_at, checksum) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        ),
        update: format!(
            "UPDATE {name} SET item = ?3, size_bytes = ?4, expires_at = ?5, checksum = ?6 WHERE {this}"
        ),
        delete: format!("DELETE FROM {name} WHERE {this}"),
        lock_expired: format!("{expired} FOR UPDATE SKIP LOCKED"),
        expired,
        set_expiry: format!("UPDATE {name} SET expires_at = ?3 WHERE {this}"),
        scan: scan(
            &format!("SELECT key_head, key_head, item, size_bytes, checksum, key_rest FROM {name}"),
            "key",
        ),
        next: format!(
            "SELECT key_head, key_head, item, size_bytes, checksum, key_rest FROM {name} \
             WHERE key_head >= ?1 AND (key_head, key_rest) >= (?1, ?2) ORDER BY key_head, key_rest LIMIT ?3"
        ),
    }
}

pub(crate) fn index_sql(table: &str, kind: EntryKind, statistic: i64) -> IndexSql {
    let (quoted, content) = (quoted(table), kind.column());
    let this = "entry_head = ?1 AND entry_tail = ?2";
    IndexSql {
        statistic,
        salt: Salt::of(table),
        insert: format!(
            "INSERT INTO {quoted} (entry_head, entry_tail, entry_rest, {content}, item, size_bytes, checksum) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (entry_head, entry_tail) DO NOTHING"
        ),
        update: format!(
            "UPDATE {quoted} SET {content} = ?3, item = ?4, size_bytes = ?5, checksum = ?6 WHERE {this}"
        ),
        delete: format!("DELETE FROM {quoted} WHERE {this}"),
        scan: scan(
            &format!("SELECT entry_head, {content}, item, size_bytes, checksum, entry_rest FROM {quoted}"),
            "entry",
        ),
        all: None,
    }
}

/// The parameters that follow the columns of a record where it is appended.
pub(crate) const STREAM_PLACE: usize = RecordColumns::COLUMNS.len() + 1;
pub(crate) const LIMIT_PLACE: usize = RecordColumns::COLUMNS.len() + 2;

/// The number is drawn from the shard by the statement that inserts the record, and the row of the shard stays locked until the
/// commit. A shard that was closed meanwhile gives none, and nothing is inserted.
///
/// The statement also keeps the time of the shard's newest record, and notes a step back (`sequence/times.rs`). It does not insert a
/// record that is older than the newest one by mere jitter: it returns the time that this one has to take, see [`insert_drawn`].
pub(crate) fn record_table(name: String) -> RecordTable {
    let columns = RecordColumns::COLUMNS;
    let place = |column: &str| columns.iter().position(|(name, _)| *name == column).map_or(0, |at| at + 1);
    let created = format!("CAST(?{} AS BIGINT)", place("approximate_creation_time"));
    let append = format!(
        "WITH drawn AS (UPDATE pdb_shard SET next_sequence = next_sequence + 1, \
         time_steps = CASE WHEN newest_record_at - {JITTER_MILLIS} > {created} THEN {} ELSE time_steps END, \
         newest_record_at = CASE WHEN newest_record_at BETWEEN {created} AND {created} + {JITTER_MILLIS} \
         THEN newest_record_at ELSE {created} END \
         WHERE stream_id = ?{STREAM_PLACE} AND number = ?{} AND closed_at IS NULL \
         AND next_sequence <= ?{LIMIT_PLACE} \
         RETURNING next_sequence - 1 + CAST(?{} AS BIGINT) AS sequence_number, newest_record_at), \
         added AS ({} WHERE newest_record_at = {created} RETURNING 1) \
         SELECT sequence_number, newest_record_at FROM drawn",
        times::with_step("next_sequence"),
        place("shard"),
        place("sequence_number"),
        insert(&name, "drawn"),
    );
    RecordTable::new(name, append, " LIMIT ")
}

/// SQL that inserts a record whose number has been drawn, with the parameters that it was to be appended with.
pub(crate) fn insert_drawn(table: &str) -> String {
    let place =
        RecordColumns::COLUMNS.iter().position(|(name, _)| *name == "sequence_number").map_or(0, |at| at + 1);
    insert(table, &format!("(SELECT CAST(?{place} AS BIGINT) AS sequence_number) AS drawn"))
}

/// SQL that inserts a record with the number that a query has.
fn insert(table: &str, drawn: &str) -> String {
    let columns = RecordColumns::COLUMNS;
    let value = |(at, (name, kind)): (usize, &(&str, ColumnKind))| {
        let kind = if *kind == ColumnKind::Integer { "BIGINT" } else { "TEXT" };
        let bound = format!("CAST(?{} AS {kind})", at + 1);
        match *name {
            "sequence_number" => "sequence_number".to_owned(),
            "event_id" => format!("{bound} || lpad(to_hex(sequence_number), 16, '0')"),
            "checksum" => {
                format!("({bound} + (sequence_number & {MASK}) + (sequence_number >> 32)) & {MASK}")
            }
            _ => bound,
        }
    };
    let values: Vec<String> = columns.iter().enumerate().map(value).collect();
    format!("INSERT INTO {} ({}) SELECT {} FROM {drawn}", quoted(table), names_of(columns), values.join(", "))
}

/// The number is drawn from the row of the history by the statement that inserts the change, and the row stays locked until the commit: the order
/// of numbers is the order of commits. The same statement keeps the time of the newest change, and no change gets an earlier one.
///
/// The parameters are the columns of the key, the table, the time, the item, its size, and the checksum without number and time.
pub(crate) fn history_table(name: String) -> HistoryTable {
    let append = format!(
        "WITH drawn AS (UPDATE pdb_history SET next_number = next_number + 1, \
         newest_at = GREATEST(newest_at, CAST(?5 AS BIGINT)) WHERE table_id = ?4 \
         RETURNING next_number - 1 AS number, newest_at AS changed_at) \
         INSERT INTO {} (number, changed_at, key_head, key_tail, key_rest, item, size_bytes, checksum) \
         SELECT number, changed_at, CAST(?1 AS BYTEA), CAST(?2 AS BYTEA), CAST(?3 AS BYTEA), CAST(?6 AS TEXT), \
         CAST(?7 AS BIGINT), (CAST(?8 AS BIGINT) + {}) & {MASK} FROM drawn",
        quoted(&name),
        added_to_change("number", "changed_at"),
    );
    HistoryTable::new(name, append, ["key_head", ", key_rest"], " LIMIT ")
}

pub(crate) fn restore_past(items: &str, history: &str, to: &str) -> String {
    let unchanged = format!(
        "NOT EXISTS (SELECT 1 FROM {history} AS later WHERE {CHANGED_SINCE} \
         AND later.key_head = {items}.key_head AND later.key_tail = {items}.key_tail)"
    );
    texts::restore_past([items, history, to], ITEM_COLUMNS, "key_head, key_tail", &unchanged)
}

fn scan(select: &str, key: &str) -> ScanSql {
    // The comparison of heads is what the index can do; that of both columns is exact.
    let (head, rest) = (format!("{key}_head"), format!("{key}_rest"));
    ScanSql::new(
        select,
        [
            &format!("{head} >= ?1 AND ({head}, {rest}) >= (?1, ?2)"),
            &format!("{head} <= ?3 AND ({head}, {rest}) < (?3, ?4)"),
        ],
        [&format!("ORDER BY {head}, {rest} LIMIT "), &format!("ORDER BY {head} DESC, {rest} DESC LIMIT ")],
    )
}
