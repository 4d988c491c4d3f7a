//! The parts of a database, and the columns of their rows.

use std::fmt;

use pdb_model::{IndexName, TableName};

use crate::{
    error::StoreError,
    names::{self, quoted},
    tx::ReadTx,
};

/// Rows of one kind, which are copied in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The items of a table.
    Items(TableName),
    /// The entries of an index.
    Index(TableName, IndexName),
    /// The records of all streams of a table name.
    Records(TableName),
    /// The items of a backup, by the name of the SQL table that keeps them.
    Kept(String),
    /// The tokens of clients' transactions.
    Tokens,
    /// Descriptions of backups, policies and the like.
    Documents,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Items(table) => write!(f, "items of {table}"),
            Self::Index(table, index) => write!(f, "index {index} of {table}"),
            Self::Records(table) => write!(f, "stream records of {table}"),
            Self::Kept(name) => write!(f, "backup {}", name.trim_start_matches("pdb_backup_")),
            Self::Tokens => f.write_str("client request tokens"),
            Self::Documents => f.write_str("documents"),
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    Blob,
}

use Kind::{Blob, Integer, Text};

const ITEMS: &[(&str, Kind)] =
    &[("key", Blob), ("item", Text), ("size_bytes", Integer), ("expires_at", Integer)];
const ENTRIES: &[(&str, Kind)] = &[("entry", Blob), ("base", Blob), ("item", Text), ("size_bytes", Integer)];
const KEPT: &[(&str, Kind)] = &[("key", Blob), ("item", Text), ("size_bytes", Integer)];
const RECORDS: &[(&str, Kind)] = &[
    ("sequence_number", Integer),
    ("shard", Integer),
    ("event_id", Text),
    ("event_type", Text),
    ("event_timestamp", Integer),
    ("approximate_creation_time", Integer),
    ("hash_key_value", Text),
    ("sort_key_value", Text),
    ("keys_json", Text),
    ("old_image_json", Text),
    ("new_image_json", Text),
    ("keys_size_bytes", Integer),
    ("old_image_size_bytes", Integer),
    ("size_bytes", Integer),
    ("user_identity", Text),
    ("create_date", Text),
];
const TOKENS: &[(&str, Kind)] =
    &[("token", Text), ("fingerprint", Blob), ("answer", Text), ("expires_at", Integer)];
const DOCUMENTS: &[(&str, Kind)] = &[("kind", Text), ("name", Text), ("value", Text)];

/// An SQL table and its columns, the key's first.
pub(super) struct Layout {
    pub(super) table: String,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// How many columns the key has: one or two.
    pub(super) keys: usize,
}

impl Part {
    pub(super) fn layout(&self) -> Layout {
        let (table, columns) = match self {
            Self::Items(table) => (names::item_table(table.as_str()), ITEMS),
            Self::Index(table, index) => (names::index_table(table.as_str(), index.as_str()), ENTRIES),
            Self::Records(table) => (names::record_table(table.as_str()), RECORDS),
            Self::Kept(name) => (name.clone(), KEPT),
            Self::Tokens => ("pdb_token".to_owned(), TOKENS),
            Self::Documents => ("pdb_document".to_owned(), DOCUMENTS),
        };
        Layout { table, columns, keys: if matches!(self, Self::Documents) { 2 } else { 1 } }
    }

    /// Returns whether the part is copied anew when a copy goes on: its keys are texts, which databases may order differently.
    #[must_use]
    pub fn is_small(&self) -> bool {
        matches!(self, Self::Tokens | Self::Documents)
    }
}

impl Layout {
    /// The names of all columns.
    pub(super) fn names(&self) -> String {
        list(self.columns)
    }

    /// The names of the key's columns.
    pub(super) fn key_names(&self) -> String {
        list(&self.columns[..self.keys])
    }

    /// The condition of rows behind a key.
    pub(super) fn behind(&self) -> &'static str {
        match self.columns[0].0 {
            "kind" => " WHERE (kind, name) > (?1, ?2)",
            "token" => " WHERE token > ?1",
            "entry" => " WHERE entry > ?1",
            "sequence_number" => " WHERE sequence_number > ?1",
            _ => " WHERE key > ?1",
        }
    }

    pub(super) fn insert(&self) -> String {
        let places: Vec<String> = (1..=self.columns.len()).map(|at| format!("?{at}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", quoted(&self.table), self.names(), places.join(", "))
    }

    pub(super) fn size_column(&self) -> usize {
        self.columns.iter().position(|(name, _)| *name == "size_bytes").unwrap_or(usize::MAX)
    }
}

fn list(columns: &[(&str, Kind)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl ReadTx<'_> {
    /// Returns the parts of this database: the small ones, then table by table.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub fn parts(&mut self) -> Result<Vec<Part>, StoreError> {
        let mut parts = vec![Part::Tokens, Part::Documents];
        for table in self.tables()? {
            parts.push(Part::Items(table.name().clone()));
            let index =
                |index: &crate::table::IndexTable| Part::Index(table.name().clone(), index.name.clone());
            parts.extend(table.indexes.iter().map(index));
        }
        let mut streamed: Vec<TableName> =
            self.streams(None)?.into_iter().map(|stream| stream.table_name).collect();
        streamed.dedup();
        parts.extend(streamed.into_iter().map(Part::Records));
        parts.extend(super::tables_named(self, "pdb_backup_")?.into_iter().map(Part::Kept));
        Ok(parts)
    }
}
