//! The texts of the statements on the SQL tables that are made at run time, one set for each of them.

use std::sync::Arc;

use pdb_model::IndexName;

use crate::{
    checksum::{MASK, Salt},
    dialect::Dialect,
    names::quoted,
    rows::items::Direction,
};

/// One table of items: its name, its row of statistics, its statements.
///
/// Where `?1` is said to be the key, in PostgreSQL `?1` and `?2` are ([`KeyColumns`](crate::dialect::KeyColumns)), and
/// what follows has the next numbers.
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
    /// Items above a key, locked against others' changes.
    pub(crate) next: String,
}

impl ItemTable {
    pub(crate) fn new(dialect: Dialect, name: &str, statistic: i64) -> Self {
        let salt = Salt::of(name);
        let name = quoted(name);
        let expired = |key: &str| {
            format!(
                "SELECT {key} FROM {name} WHERE expires_at > ?1 AND expires_at <= ?2 ORDER BY expires_at LIMIT ?3"
            )
        };
        match dialect {
            Dialect::Sqlite => Self {
                statistic,
                salt,
                get: format!("SELECT item, size_bytes, checksum FROM {name} WHERE key = ?1"),
                lock: format!("SELECT id, item, size_bytes, checksum FROM {name} WHERE key = ?1"),
                insert: format!(
                    "INSERT INTO {name} (key, item, size_bytes, expires_at, checksum) VALUES (?1, ?2, ?3, ?4, ?5)"
                ),
                update: format!(
                    "UPDATE {name} SET item = ?2, size_bytes = ?3, expires_at = ?4, checksum = ?5 WHERE id = ?1"
                ),
                delete: format!("DELETE FROM {name} WHERE id = ?1"),
                expired: expired("key"),
                lock_expired: expired("key"),
                set_expiry: format!("UPDATE {name} SET expires_at = ?2 WHERE key = ?1"),
                scan: ScanSql::new(
                    dialect,
                    &format!("SELECT key, NULL, item, size_bytes, checksum FROM {name}"),
                    "key",
                ),
                next: format!(
                    "SELECT key, NULL, item, size_bytes, checksum FROM {name} \
                     WHERE key >= ?1 ORDER BY key LIMIT ?2"
                ),
            },
            Dialect::Postgres => {
                let this = "key_head = ?1 AND key_tail = ?2";
                Self {
                    statistic,
                    salt,
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
                    expired: expired("key_head, key_rest"),
                    lock_expired: format!("{} FOR UPDATE SKIP LOCKED", expired("key_head, key_rest")),
                    set_expiry: format!("UPDATE {name} SET expires_at = ?3 WHERE {this}"),
                    scan: ScanSql::new(
                        dialect,
                        &format!(
                            "SELECT key_head, key_head, item, size_bytes, checksum, key_rest FROM {name}"
                        ),
                        "key",
                    ),
                    next: format!(
                        "SELECT key_head, key_head, item, size_bytes, checksum, key_rest FROM {name} \
                         WHERE key_head >= ?1 AND (key_head, key_rest) >= (?1, ?2) \
                         ORDER BY key_head, key_rest LIMIT ?3"
                    ),
                }
            }
        }
    }
}

/// One table of index entries.
#[derive(Clone, Debug)]
pub(crate) struct IndexTable {
    pub(crate) name: IndexName,
    pub(crate) table: String,
    pub(crate) sql: Arc<IndexSql>,
}

#[derive(Debug)]
pub(crate) struct IndexSql {
    pub(crate) statistic: i64,
    pub(crate) salt: Salt,
    pub(crate) insert: String,
    pub(crate) update: String,
    pub(crate) delete: String,
    pub(crate) scan: ScanSql,
}

impl IndexTable {
    pub(crate) fn new(dialect: Dialect, name: IndexName, table: String, statistic: i64) -> Self {
        let salt = Salt::of(&table);
        let quoted = quoted(&table);
        let sql = match dialect {
            Dialect::Sqlite => IndexSql {
                statistic,
                salt,
                insert: format!(
                    "INSERT INTO {quoted} (entry, base, item, size_bytes, checksum) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (entry) DO NOTHING"
                ),
                update: format!(
                    "UPDATE {quoted} SET item = ?2, size_bytes = ?3, checksum = ?4 WHERE entry = ?1"
                ),
                delete: format!("DELETE FROM {quoted} WHERE entry = ?1"),
                scan: ScanSql::new(
                    dialect,
                    &format!("SELECT entry, base, item, size_bytes, checksum FROM {quoted}"),
                    "entry",
                ),
            },
            Dialect::Postgres => {
                let this = "entry_head = ?1 AND entry_tail = ?2";
                IndexSql {
                    statistic,
                    salt,
                    insert: format!(
                        "INSERT INTO {quoted} (entry_head, entry_tail, entry_rest, base, item, size_bytes, checksum) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (entry_head, entry_tail) DO NOTHING"
                    ),
                    update: format!(
                        "UPDATE {quoted} SET item = ?3, size_bytes = ?4, checksum = ?5 WHERE {this}"
                    ),
                    delete: format!("DELETE FROM {quoted} WHERE {this}"),
                    scan: ScanSql::new(
                        dialect,
                        &format!(
                            "SELECT entry_head, base, item, size_bytes, checksum, entry_rest FROM {quoted}"
                        ),
                        "entry",
                    ),
                }
            }
        };
        Self { name, table, sql: Arc::new(sql) }
    }
}

/// The statements of a range read: up and down, with and without an upper bound. In PostgreSQL they lack their limit.
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

    fn new(dialect: Dialect, select: &str, key: &str) -> Self {
        let (from, to, up, down) = match dialect {
            Dialect::Sqlite => (
                format!("{key} >= ?1"),
                format!("{key} < ?2"),
                format!("ORDER BY {key}"),
                format!("ORDER BY {key} DESC"),
            ),
            // The comparison of heads is what the index can do; that of both columns is exact.
            Dialect::Postgres => {
                let (head, rest) = (format!("{key}_head"), format!("{key}_rest"));
                (
                    format!("{head} >= ?1 AND ({head}, {rest}) >= (?1, ?2)"),
                    format!("{head} <= ?3 AND ({head}, {rest}) < (?3, ?4)"),
                    format!("ORDER BY {head}, {rest} LIMIT "),
                    format!("ORDER BY {head} DESC, {rest} DESC LIMIT "),
                )
            }
        };
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
    /// In PostgreSQL it lacks its limit.
    pub(crate) read: String,
    pub(crate) last: String,
    pub(crate) created: String,
    pub(crate) trim: String,
}

impl RecordTable {
    pub(crate) fn new(dialect: Dialect, name: String) -> Self {
        let quoted = quoted(&name);
        let columns = "sequence_number, shard, event_id, event_type, event_timestamp, \
             hash_key_value, sort_key_value, keys_json, old_image_json, new_image_json, \
             approximate_creation_time, keys_size_bytes, old_image_size_bytes, size_bytes, user_identity, \
             create_date, checksum";
        let range = "WHERE sequence_number BETWEEN ?1 AND ?2 ORDER BY sequence_number";
        let read = format!(
            "SELECT sequence_number, event_type, approximate_creation_time, keys_json, \
             old_image_json, new_image_json, keys_size_bytes, old_image_size_bytes, size_bytes, \
             user_identity, checksum FROM {quoted} {range}"
        );
        let (append, read) = match dialect {
            Dialect::Sqlite => (
                format!(
                    "INSERT INTO {quoted} ({columns}) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"
                ),
                read,
            ),
            // The number is drawn from the shard, whose row stays locked until the commit. A shard that was closed
            // meanwhile gives none, and nothing is inserted.
            Dialect::Postgres => (
                format!(
                    "WITH drawn AS (UPDATE pdb_shard SET next_sequence = next_sequence + 1 \
                     WHERE stream_id = ?15 AND number = ?2 AND closed_at IS NULL AND next_sequence <= ?16 \
                     RETURNING next_sequence - 1 + CAST(?1 AS BIGINT) AS sequence_number) \
                     INSERT INTO {quoted} ({columns}) SELECT sequence_number, CAST(?2 AS BIGINT), \
                     CAST(?3 AS TEXT) || lpad(to_hex(sequence_number), 16, '0'), CAST(?4 AS TEXT), \
                     CAST(?5 AS BIGINT), CAST(?6 AS TEXT), CAST(?7 AS TEXT), CAST(?8 AS TEXT), CAST(?9 AS TEXT), \
                     CAST(?10 AS TEXT), CAST(?11 AS BIGINT), CAST(?12 AS BIGINT), CAST(?13 AS BIGINT), \
                     CAST(?14 AS BIGINT), CAST(?17 AS TEXT), CAST(?18 AS TEXT), \
                     (CAST(?19 AS BIGINT) + (sequence_number & {MASK}) + (sequence_number >> 32)) & {MASK} \
                     FROM drawn"
                ),
                format!("{read} LIMIT "),
            ),
        };
        Self {
            salt: Salt::of(&name),
            append,
            read,
            last: format!(
                "SELECT sequence_number FROM {quoted} WHERE sequence_number BETWEEN ?1 AND ?2 \
                 ORDER BY sequence_number DESC LIMIT 1"
            ),
            created: format!(
                "SELECT sequence_number, approximate_creation_time FROM {quoted} {range} LIMIT ?3"
            ),
            trim: format!("DELETE FROM {quoted} WHERE sequence_number BETWEEN ?1 AND ?2"),
            name,
        }
    }
}
