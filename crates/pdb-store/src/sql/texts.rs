//! The texts of the statements on the SQL tables that are made at run time, one set for each of them. Each engine writes its own, in
//! `sqlite/texts.rs` and `postgres/texts.rs`.

use std::sync::Arc;

use pdb_model::{AnyIndex, IndexName, TableDefinition, TableName};

use crate::{
    checksum::{MASK, Salt, added_to_change},
    names::{self, quoted},
    rows::items::Direction,
};

/// One table of items: its row of statistics, its statements.
///
/// Statements that find a row by its key begin with the parameters of [`KeyColumns::identity`](crate::key_columns::KeyColumns::identity),
/// or those of another method of that type.
#[derive(Debug)]
pub(crate) struct ItemTable {
    pub(crate) statistic: i64,
    pub(crate) salt: Salt,
    pub(crate) get: String,
    pub(crate) lock: String,
    pub(crate) insert: String,
    pub(crate) update: String,
    pub(crate) delete: String,
    pub(crate) expired: String,
    pub(crate) lock_expired: String,
    pub(crate) set_expiry: String,
    pub(crate) scan: ScanSql,
    /// Items above a key, without a lock on them.
    pub(crate) next: String,
}

/// What the entries of an index have besides their keys and the attributes of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// The key of the item.
    Key,
    /// The item's vector.
    Vector,
}

impl EntryKind {
    /// Returns the column with it.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::Key => "base",
            Self::Vector => "vector",
        }
    }

    /// Returns the name of the SQL table of an index of this kind.
    pub(crate) fn table(self, table: &TableName, index: &IndexName) -> String {
        match self {
            Self::Key => names::index_table(table.as_str(), index.as_str()),
            Self::Vector => names::vector_table(table.as_str(), index.as_str()),
        }
    }
}

/// Returns all indexes of a definition, and what their entries have.
pub(crate) fn indexes_of(definition: &TableDefinition) -> impl Iterator<Item = (&IndexName, EntryKind)> {
    definition.all_indexes().map(|index| match index {
        AnyIndex::Secondary(index) => (&index.name, EntryKind::Key),
        AnyIndex::Vector(index) => (&index.name, EntryKind::Vector),
    })
}

/// One table of index entries.
#[derive(Clone, Debug)]
pub(crate) struct IndexTable {
    pub(crate) name: IndexName,
    pub(crate) kind: EntryKind,
    pub(crate) table: String,
    pub(crate) sql: Arc<IndexSql>,
}

/// The statements on a table of index entries.
#[derive(Debug)]
pub(crate) struct IndexSql {
    pub(crate) statistic: i64,
    pub(crate) salt: Salt,
    pub(crate) insert: String,
    pub(crate) update: String,
    pub(crate) delete: String,
    pub(crate) scan: ScanSql,
    /// All entries of a vector index, in any order, where they are not read in pages.
    pub(crate) all: Option<String>,
}

/// The statements of a range read: up and down, with and without an upper bound. Where ranges are read in pages, they end in `LIMIT `
/// and lack the number.
#[derive(Debug)]
pub(crate) struct ScanSql {
    pub(crate) up: String,
    pub(crate) up_to: String,
    pub(crate) down: String,
    pub(crate) down_from: String,
}

impl ScanSql {
    pub(crate) fn text(&self, direction: Direction, is_bounded: bool) -> &str {
        match (direction, is_bounded) {
            (Direction::Forward, false) => &self.up,
            (Direction::Forward, true) => &self.up_to,
            (Direction::Backward, false) => &self.down,
            (Direction::Backward, true) => &self.down_from,
        }
    }

    /// Makes the four statements of conditions for the lower and the upper bound, and of the ends for both directions.
    pub(crate) fn new(select: &str, [from, to]: [&str; 2], [up, down]: [&str; 2]) -> Self {
        Self {
            up: format!("{select} WHERE {from} {up}"),
            up_to: format!("{select} WHERE {from} AND {to} {up}"),
            down: format!("{select} WHERE {from} {down}"),
            down_from: format!("{select} WHERE {from} AND {to} {down}"),
        }
    }
}

/// One table of stream records.
#[derive(Debug)]
pub(crate) struct RecordTable {
    pub(crate) name: String,
    pub(crate) salt: Salt,
    pub(crate) append: String,
    /// Where ranges are read in pages, it ends in `LIMIT ` and lacks the number.
    pub(crate) read: String,
    pub(crate) last: String,
    pub(crate) created: String,
    /// The first record that is not older than a time; looks at one after the other.
    pub(crate) since: String,
    pub(crate) trim: String,
}

impl RecordTable {
    /// Makes the statements on a table of records. How a record is appended depends on the engine, and so does the end of a read.
    pub(crate) fn new(name: String, append: String, limit: &str) -> Self {
        let quoted = quoted(&name);
        let range = "WHERE sequence_number BETWEEN ?1 AND ?2 ORDER BY sequence_number";
        Self {
            salt: Salt::of(&name),
            append,
            read: format!(
                "SELECT sequence_number, event_type, approximate_creation_time, keys_json, \
                 old_image_json, new_image_json, keys_size_bytes, old_image_size_bytes, size_bytes, \
                 user_identity, checksum FROM {quoted} {range}{limit}"
            ),
            last: format!(
                "SELECT sequence_number, approximate_creation_time FROM {quoted} \
                 WHERE sequence_number BETWEEN ?1 AND ?2 ORDER BY sequence_number DESC LIMIT 1"
            ),
            created: format!(
                "SELECT sequence_number, approximate_creation_time FROM {quoted} {range} LIMIT ?3"
            ),
            since: format!(
                "SELECT sequence_number FROM {quoted} WHERE sequence_number BETWEEN ?1 AND ?2 \
                 AND approximate_creation_time >= ?3 ORDER BY sequence_number LIMIT 1"
            ),
            trim: format!("DELETE FROM {quoted} WHERE sequence_number BETWEEN ?1 AND ?2"),
            name,
        }
    }
}

/// The table of a history. Its key is a number that grows with each change; times do not decrease with it.
#[derive(Debug)]
pub(crate) struct HistoryTable {
    pub(crate) salt: Salt,
    pub(crate) append: String,
    /// The first change whose number is not below one.
    pub(crate) first: String,
    /// The last change.
    pub(crate) last: String,
    /// The changes of a range of numbers. Where ranges are read in pages, it ends in `LIMIT ` and lacks the number.
    pub(crate) read: String,
    /// Numbers and times of the first changes, without a look at the rest.
    pub(crate) oldest: String,
    pub(crate) trim: String,
    pub(crate) name: String,
}

impl HistoryTable {
    /// Makes the statements on a history. How a change is appended depends on the engine, and so do the columns of its key (`key`, and `rest` behind all
    /// others) and the end of a read.
    pub(crate) fn new(name: String, append: String, [key, rest]: [&str; 2], limit: &str) -> Self {
        let quoted = quoted(&name);
        let select =
            format!("SELECT number, changed_at, {key}, item, size_bytes, checksum{rest} FROM {quoted}");
        Self {
            salt: Salt::of(&name),
            append,
            first: format!("{select} WHERE number >= ?1 ORDER BY number LIMIT 1"),
            last: format!("{select} ORDER BY number DESC LIMIT 1"),
            read: format!("{select} WHERE number BETWEEN ?1 AND ?2 ORDER BY number{limit}"),
            oldest: format!("SELECT number, changed_at FROM {quoted} ORDER BY number LIMIT ?1"),
            trim: format!("DELETE FROM {quoted} WHERE number <= ?1"),
            name,
        }
    }
}

/// SQL that fills an empty table with the items of another as they were at a moment: those that have not changed since, and of each that has, what
/// its first change since has replaced.
///
/// All in one statement, because on PostgreSQL others may write between two. The parameters are what is added to the checksums of items and of changes,
/// the number from which on changes are looked at, and the moment. `unchanged` is the condition of an item that has not changed since, and `key`
/// the columns that identify one. All names are quoted.
pub(crate) fn restore_past(
    [items, history, to]: [&str; 3],
    columns: &str,
    key: &str,
    unchanged: &str,
) -> String {
    format!(
        "INSERT INTO {to} ({columns}, checksum) \
         SELECT {columns}, (checksum + ?1) & {MASK} FROM {items} WHERE {unchanged} \
         UNION ALL SELECT {columns}, (checksum + ?2 - {}) & {MASK} FROM {history} WHERE item IS NOT NULL AND number IN \
         (SELECT min(number) FROM {history} WHERE {CHANGED_SINCE} GROUP BY {key})",
        added_to_change("number", "changed_at")
    )
}

/// The condition of a change that [`restore_past`] undoes.
pub(crate) const CHANGED_SINCE: &str = "number >= ?3 AND changed_at > ?4";

/// SQL that lists the items that expire in a span of time, by the columns of their keys.
pub(crate) fn list_expired(key: &str, quoted_table: &str) -> String {
    format!(
        "SELECT {key} FROM {quoted_table} WHERE expires_at > ?1 AND expires_at <= ?2 ORDER BY expires_at LIMIT ?3"
    )
}

/// SQL that makes the index that finds expired items, if it is not there.
pub(crate) fn create_expiry_index(index: &str, items: &str) -> String {
    let (index, items) = (quoted(index), quoted(items));
    format!("CREATE INDEX IF NOT EXISTS {index} ON {items} (expires_at) WHERE expires_at IS NOT NULL")
}

/// SQL that makes the table of records of a table name, if it is not there. What the trim looks at stands before the images, so that
/// it reads none of their pages.
pub(crate) fn create_records(table: &str, int: &str, key: &str, end: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {} (
             sequence_number           {key},
             shard                     {int} NOT NULL,
             event_id                  TEXT NOT NULL,
             event_type                TEXT NOT NULL,
             event_timestamp           {int} NOT NULL,
             approximate_creation_time {int} NOT NULL,
             hash_key_value            TEXT NOT NULL,
             sort_key_value            TEXT,
             keys_json                 TEXT NOT NULL,
             old_image_json            TEXT,
             new_image_json            TEXT,
             keys_size_bytes           {int} NOT NULL,
             old_image_size_bytes      {int} NOT NULL,
             size_bytes                {int} NOT NULL,
             user_identity             TEXT,
             create_date               TEXT NOT NULL
             , checksum                {int}){end}",
        quoted(table)
    )
}
