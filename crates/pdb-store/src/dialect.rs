//! Where the texts of the engines differ: each has its own in `texts.rs` of its folder, under the same names.
//!
//! A statement that both understand is written once, in `sql/`.

use std::sync::Arc;

use pdb_model::{IndexName, TableName};

use crate::{
    key_columns::KeyColumns,
    sql::texts::{EntryKind, HistoryTable, IndexTable, ItemTable, RecordTable},
};

/// An engine's way to speak SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// PostgreSQL, and what speaks its protocol.
    #[cfg(feature = "postgres")]
    Postgres,
}

/// Evaluates an expression with the texts of the engine that is spoken to.
macro_rules! texts_of {
    ($dialect:expr, $texts:ident => $value:expr) => {
        match $dialect {
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => {
                use crate::sqlite::texts as $texts;
                $value
            }
            #[cfg(feature = "postgres")]
            Dialect::Postgres => {
                use crate::postgres::texts as $texts;
                $value
            }
        }
    };
}

impl Dialect {
    /// SQL that makes a table of items.
    pub(crate) fn create_items(self, table: &str) -> String {
        texts_of!(self, texts => texts::create_items(table))
    }

    /// SQL that makes a table for the items of a backup.
    pub(crate) fn create_kept(self, table: &str) -> String {
        texts_of!(self, texts => texts::create_kept(table))
    }

    /// SQL that makes a table of index entries.
    pub(crate) fn create_entries(self, table: &str, kind: EntryKind) -> String {
        texts_of!(self, texts => texts::create_entries(table, kind))
    }

    /// SQL that makes the table of records of a table name, if it is not there.
    pub(crate) fn create_records(self, table: &str) -> String {
        texts_of!(self, texts => texts::create_records(table))
    }

    /// SQL that makes the table of a history.
    pub(crate) fn create_history(self, table: &str) -> String {
        texts_of!(self, texts => texts::create_history(table))
    }

    /// SQL that lists the names of all tables.
    pub(crate) fn list_tables(self) -> &'static str {
        texts_of!(self, texts => texts::LIST_TABLES)
    }

    /// The columns that make up an item, besides its checksum.
    pub(crate) fn item_columns(self) -> &'static str {
        texts_of!(self, texts => texts::ITEM_COLUMNS)
    }

    /// The type of a number of 64 bits.
    pub(crate) fn integer(self) -> &'static str {
        texts_of!(self, texts => texts::INTEGER)
    }

    /// What follows a column of text to order it by its bytes.
    pub(crate) fn by_bytes(self) -> &'static str {
        texts_of!(self, texts => texts::BY_BYTES)
    }

    /// The functions that return the greatest and the least of several numbers.
    pub(crate) fn greatest_and_least(self) -> (&'static str, &'static str) {
        texts_of!(self, texts => texts::GREATEST_AND_LEAST)
    }

    /// SQL that lists what is wrong with the structure of the database, where that is for us to check; a line `ok` if nothing is.
    pub(crate) fn check_structure(self) -> Option<&'static str> {
        texts_of!(self, texts => texts::CHECK_STRUCTURE)
    }

    /// SQL that looks for an index by its name, where somebody else may have dropped it.
    pub(crate) fn find_index(self) -> Option<&'static str> {
        texts_of!(self, texts => texts::FIND_INDEX)
    }

    /// SQL that removes tokens which have expired.
    pub(crate) fn forget_tokens(self) -> &'static str {
        texts_of!(self, texts => texts::FORGET_TOKENS)
    }

    /// The statements on a table of items.
    pub(crate) fn item_table(self, table: &str, statistic: i64) -> ItemTable {
        texts_of!(self, texts => texts::item_table(table, statistic))
    }

    /// The table of an index that has this row of statistics.
    pub(crate) fn index_table(
        self,
        table: &TableName,
        (name, kind): (&IndexName, EntryKind),
        statistic: i64,
    ) -> IndexTable {
        let sql_table = kind.table(table, name);
        let sql = texts_of!(self, texts => texts::index_sql(&sql_table, kind, statistic));
        IndexTable { name: name.clone(), kind, table: sql_table, sql: Arc::new(sql) }
    }

    /// The statements on a table of stream records.
    pub(crate) fn record_table(self, name: String) -> RecordTable {
        texts_of!(self, texts => texts::record_table(name))
    }

    /// The statements on the table of a history.
    pub(crate) fn history_table(self, name: String) -> HistoryTable {
        texts_of!(self, texts => texts::history_table(name))
    }

    /// SQL that fills an empty table with the items of another as they were at a moment. See [`texts::restore_past`](crate::sql::texts::restore_past).
    pub(crate) fn restore_past(self, items: &str, history: &str, to: &str) -> String {
        texts_of!(self, texts => texts::restore_past(items, history, to))
    }

    /// A key as the columns of a table have it.
    #[inline]
    pub(crate) fn key_columns(self, key: &[u8]) -> KeyColumns<'_> {
        texts_of!(self, texts => texts::key_columns(key))
    }

    /// Whether a key has several columns.
    pub(crate) fn divides_keys(self) -> bool {
        self.key_columns(&[]).is_divided
    }
}

#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests;
