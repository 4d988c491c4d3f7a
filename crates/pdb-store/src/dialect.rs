//! Where the texts of the two databases differ.
//!
//! Statements are written once; what cannot be is two texts side by side, here and in `sql/texts.rs`.
//!
//! The greatest difference is how keys are kept. A key may have some 12 KB, but an entry of PostgreSQL's indexes only 2.7. So
//! there a key has three columns: its first 2,500 bytes (`head`), a hash of the others (`tail`) and the others themselves
//! (`rest`), both empty for nearly all keys. Head and tail are unique; head and rest have the order of whole keys.

use crate::driver::Param;
use crate::names::quoted;

/// A database's way to speak SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL, and what speaks its protocol.
    Postgres,
}

/// The most bytes of a key that an index of PostgreSQL has.
const HEAD_BYTES: usize = 2500;

/// The last column came with schema 2; where its comma stands, SQLite put it when it altered older tables, so that the text it
/// keeps of a table does not depend on who made it.
impl Dialect {
    /// SQL that makes a table of items.
    pub(crate) fn create_items(self, table: &str) -> String {
        let name = quoted(table);
        let columns = match self {
            Self::Sqlite => "(id         INTEGER PRIMARY KEY,
                  key        BLOB    NOT NULL UNIQUE,
                  item       TEXT    NOT NULL,
                  size_bytes INTEGER NOT NULL,
                  expires_at INTEGER,
                  checksum   INTEGER) STRICT"
                .to_owned(),
            // Constraints are named, because the names that PostgreSQL would give might be those of other tables.
            Self::Postgres => format!(
                "(key_head   BYTEA  NOT NULL,
                  key_tail   BYTEA  NOT NULL,
                  key_rest   BYTEA  NOT NULL,
                  item       TEXT   NOT NULL,
                  size_bytes BIGINT NOT NULL,
                  expires_at BIGINT,
                  checksum   BIGINT,
                  CONSTRAINT {} PRIMARY KEY (key_head, key_tail))",
                constraint(table)
            ),
        };
        format!("CREATE TABLE {name} {columns}")
    }

    /// SQL that makes a table for the items of a backup.
    pub(crate) fn create_kept(self, table: &str) -> String {
        let columns = match self {
            Self::Sqlite => "key BLOB, item TEXT, size_bytes INTEGER, checksum INTEGER",
            Self::Postgres => {
                "key_head BYTEA, key_tail BYTEA, key_rest BYTEA, item TEXT, size_bytes BIGINT, checksum BIGINT"
            }
        };
        format!("CREATE TABLE {} ({columns})", quoted(table))
    }

    /// SQL that makes a table of index entries.
    pub(crate) fn create_entries(self, table: &str) -> String {
        let name = quoted(table);
        match self {
            Self::Sqlite => format!(
                "CREATE TABLE {name} (
                     id         INTEGER PRIMARY KEY,
                     entry      BLOB    NOT NULL UNIQUE,
                     base       BLOB    NOT NULL,
                     item       TEXT    NOT NULL,
                     size_bytes INTEGER NOT NULL
                     , checksum INTEGER) STRICT"
            ),
            Self::Postgres => format!(
                "CREATE TABLE {name} (
                     entry_head BYTEA  NOT NULL,
                     entry_tail BYTEA  NOT NULL,
                     entry_rest BYTEA  NOT NULL,
                     base       BYTEA  NOT NULL,
                     item       TEXT   NOT NULL,
                     size_bytes BIGINT NOT NULL,
                     checksum   BIGINT,
                     CONSTRAINT {} PRIMARY KEY (entry_head, entry_tail)
                 )",
                constraint(table)
            ),
        }
    }

    /// SQL that makes the table of records of a table name, if it is not there. What the trim looks at stands before the
    /// images, so that it reads none of their pages.
    pub(crate) fn create_records(self, table: &str) -> String {
        let (int, key, strict) = match self {
            Self::Sqlite => ("INTEGER", "INTEGER PRIMARY KEY".to_owned(), " STRICT"),
            Self::Postgres => ("BIGINT", format!("BIGINT CONSTRAINT {} PRIMARY KEY", constraint(table)), ""),
        };
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
                 , checksum                {int}){strict}",
            quoted(table)
        )
    }

    /// SQL that lists the names of all tables.
    pub(crate) fn list_tables(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
            Self::Postgres => {
                "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                 WHERE table_schema = current_schema() ORDER BY 1"
            }
        }
    }

    /// The columns that make up an item, besides its checksum.
    pub(crate) fn item_columns(self) -> &'static str {
        match self {
            Self::Sqlite => "key, item, size_bytes",
            Self::Postgres => "key_head, key_tail, key_rest, item, size_bytes",
        }
    }
}

/// The quoted name of a table's primary key; no table has it, and it is no longer than the table's.
fn constraint(table: &str) -> String {
    quoted(&format!("pkx{}", table.strip_prefix("pdb").unwrap_or(table)))
}

/// A key as the columns of a dialect have it.
pub(crate) struct KeyColumns<'k> {
    dialect: Dialect,
    head: &'k [u8],
    rest: &'k [u8],
    tail: Option<[u8; 32]>,
}

impl<'k> KeyColumns<'k> {
    pub(crate) fn of(dialect: Dialect, key: &'k [u8]) -> Self {
        let (head, rest) = match dialect {
            Dialect::Sqlite => (key, &[][..]),
            Dialect::Postgres => key.split_at(key.len().min(HEAD_BYTES)),
        };
        let tail = (!rest.is_empty()).then(|| hash(rest));
        Self { dialect, head, rest, tail }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What finds the row of this very key.
    pub(crate) fn identity(&self) -> Params<'_> {
        let params = Params::new().and(Param::Blob(self.head));
        match self.dialect {
            Dialect::Sqlite => params,
            Dialect::Postgres => params.and(Param::Blob(self.tail())),
        }
    }

    /// All columns, for a new row.
    pub(crate) fn all(&self) -> Params<'_> {
        match self.dialect {
            Dialect::Sqlite => self.identity(),
            Dialect::Postgres => self.identity().and(Param::Blob(self.rest)),
        }
    }

    /// Adds what a range is bounded by.
    pub(crate) fn bound<'p>(&'p self, params: Params<'p>) -> Params<'p> {
        let params = params.and(Param::Blob(self.head));
        match self.dialect {
            Dialect::Sqlite => params,
            Dialect::Postgres => params.and(Param::Blob(self.rest)),
        }
    }

    fn tail(&self) -> &[u8] {
        self.tail.as_ref().map_or(&[], |tail| tail.as_slice())
    }
}

#[cfg(feature = "postgres")]
fn hash(bytes: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).into()
}

#[cfg(not(feature = "postgres"))]
fn hash(_: &[u8]) -> [u8; 32] {
    unreachable!("SQLite's keys are in one piece")
}

/// The values of a statement, of which there are few.
pub(crate) struct Params<'p> {
    values: [Param<'p>; 8],
    count: usize,
}

impl<'p> Params<'p> {
    pub(crate) fn new() -> Self {
        Self { values: [Param::Null; 8], count: 0 }
    }

    pub(crate) fn and(mut self, value: Param<'p>) -> Self {
        self.values[self.count] = value;
        self.count += 1;
        self
    }

    pub(crate) fn as_slice(&self) -> &[Param<'p>] {
        &self.values[..self.count]
    }
}

impl<'p> std::ops::Deref for Params<'p> {
    type Target = [Param<'p>];

    fn deref(&self) -> &[Param<'p>] {
        self.as_slice()
    }
}

#[cfg(test)]
mod tests;
