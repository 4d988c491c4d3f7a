//! The parts of a database, and the columns of their rows.

use std::fmt;

use pdb_model::{IndexName, TableName};

use crate::{
    dialect::Dialect,
    error::StoreError,
    names::{self, quoted},
    read_tx::ReadTx,
    rows::columns::{
        ColumnKind::{self, Blob, Integer, Key, Text},
        HISTORY, RecordColumns,
    },
    sql::{clear::tables_named, texts::EntryKind},
};

/// Rows of one kind, which are copied in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The items of a table.
    Items(TableName),
    /// The entries of a global or local index.
    Index(TableName, IndexName),
    /// The entries of a vector index.
    Vectors(TableName, IndexName),
    /// The records of all streams of a table name.
    Records(TableName),
    /// What changes of a table's items have replaced, while it has point-in-time recovery.
    History(TableName),
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
            Self::Vectors(table, index) => write!(f, "vector index {index} of {table}"),
            Self::Records(table) => write!(f, "stream records of {table}"),
            Self::History(table) => write!(f, "history of {table}"),
            Self::Kept(name) => write!(f, "backup {}", name.trim_start_matches("pdb_backup_")),
            Self::Tokens => f.write_str("client request tokens"),
            Self::Documents => f.write_str("documents"),
        }
    }
}

const ITEMS: &[(&str, ColumnKind)] =
    &[("key", Key), ("item", Text), ("size_bytes", Integer), ("expires_at", Integer), ("checksum", Integer)];
const ENTRIES: &[(&str, ColumnKind)] =
    &[("entry", Key), ("base", Blob), ("item", Text), ("size_bytes", Integer), ("checksum", Integer)];
const VECTORS: &[(&str, ColumnKind)] =
    &[("entry", Key), ("vector", Blob), ("item", Text), ("size_bytes", Integer), ("checksum", Integer)];
const KEPT: &[(&str, ColumnKind)] =
    &[("key", Key), ("item", Text), ("size_bytes", Integer), ("checksum", Integer)];
const TOKENS: &[(&str, ColumnKind)] = &[
    ("token", Text),
    ("fingerprint", Blob),
    ("answer", Text),
    ("expires_at", Integer),
    ("checksum", Integer),
];
const DOCUMENTS: &[(&str, ColumnKind)] =
    &[("kind", Text), ("name", Text), ("value", Text), ("checksum", Integer)];

/// An SQL table and its columns; first those by which rows are ordered.
pub(crate) struct Layout {
    dialect: Dialect,
    pub(super) table: String,
    pub(super) columns: &'static [(&'static str, ColumnKind)],
    /// By how many columns rows are ordered: one or two.
    pub(super) keys: usize,
}

impl Part {
    pub(super) fn layout(&self, dialect: Dialect) -> Layout {
        let (table, columns) = match self {
            Self::Items(table) => (names::item_table(table.as_str()), ITEMS),
            Self::Index(table, index) => (EntryKind::Key.table(table, index), ENTRIES),
            Self::Vectors(table, index) => (EntryKind::Vector.table(table, index), VECTORS),
            Self::Records(table) => (names::record_table(table.as_str()), RecordColumns::COLUMNS),
            Self::History(table) => (names::history_table(table.as_str()), HISTORY),
            Self::Kept(name) => (name.clone(), KEPT),
            Self::Tokens => ("pdb_token".to_owned(), TOKENS),
            Self::Documents => ("pdb_document".to_owned(), DOCUMENTS),
        };
        Layout { dialect, table, columns, keys: self.keys() }
    }

    /// How many columns the key has: one or two.
    pub(super) fn keys(&self) -> usize {
        if matches!(self, Self::Documents) { 2 } else { 1 }
    }

    /// Returns the items that a backup keeps under this name.
    #[must_use]
    pub fn kept(name: &str) -> Self {
        Self::Kept(names::kept_table(name))
    }

    /// Returns whether the part is copied anew when a copy goes on: its keys are texts, which databases may order differently.
    #[must_use]
    pub fn is_small(&self) -> bool {
        matches!(self, Self::Tokens | Self::Documents)
    }
}

impl Layout {
    /// The column that has the key of an item or an index entry.
    pub(super) fn key_column(&self) -> Option<usize> {
        self.columns.iter().position(|(_, kind)| *kind == Key)
    }

    /// The same, if there are three columns in its place: head, tail and rest.
    fn divided_column(&self) -> Option<usize> {
        self.key_column().filter(|_| self.dialect.divides_keys())
    }

    /// Whether rows are ordered by a key that has three columns.
    fn is_ordered_by_divided(&self) -> bool {
        self.divided_column() == Some(0)
    }

    /// The statement that reads some rows, all or those behind a key; its last parameter is their number.
    pub(super) fn select(&self, is_behind: bool) -> String {
        let key = self.columns[0].0;
        let behind = match (is_behind, self.is_ordered_by_divided(), self.keys) {
            (false, _, _) => String::new(),
            (true, true, _) => {
                format!(" WHERE {key}_head >= ?1 AND ({key}_head, {key}_rest) > (?1, ?2)")
            }
            (true, false, 1) => format!(" WHERE {key} > ?1"),
            (true, false, _) => format!(" WHERE ({key}, {}) > (?1, ?2)", self.columns[1].0),
        };
        let limit = if !is_behind { 1 } else { 1 + self.key_columns().len() };
        let order = self.key_columns().join(", ");
        format!("SELECT {} FROM {}{behind} ORDER BY {order} LIMIT ?{limit}", self.selected(), self.quoted())
    }

    /// The statement that reads the key of the last row.
    pub(super) fn select_last(&self) -> String {
        let order: Vec<String> = self.key_columns().iter().map(|name| format!("{name} DESC")).collect();
        let key = self.key_columns().join(", ");
        format!("SELECT {key} FROM {} ORDER BY {} LIMIT 1", self.quoted(), order.join(", "))
    }

    /// The statement that writes a row; a divided key has three parameters.
    pub(super) fn insert(&self) -> String {
        let mut names: Vec<String> = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        if let Some(at) = self.divided_column() {
            let key = names[at].clone();
            names.splice(at..=at, ["head", "tail", "rest"].map(|part| format!("{key}_{part}")));
        }
        let places: Vec<String> = (1..=names.len()).map(|at| format!("?{at}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.quoted(), names.join(", "), places.join(", "))
    }

    /// The columns by which rows are ordered.
    fn key_columns(&self) -> Vec<String> {
        let key = self.columns[0].0;
        if self.is_ordered_by_divided() {
            return vec![format!("{key}_head"), format!("{key}_rest")];
        }
        self.columns[..self.keys].iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// What is read: a divided key's rest comes last.
    fn selected(&self) -> String {
        let mut names: Vec<String> = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        if let Some(at) = self.divided_column() {
            let key = names[at].clone();
            names[at] = format!("{key}_head");
            names.push(format!("{key}_rest"));
        }
        names.join(", ")
    }

    pub(super) fn quoted(&self) -> String {
        quoted(&self.table)
    }

    pub(super) fn size_column(&self) -> usize {
        self.columns.iter().position(|(name, _)| *name == "size_bytes").unwrap_or(usize::MAX)
    }
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
            parts.extend(table.indexes.iter().map(|index| {
                let (table, name) = (table.name().clone(), index.name.clone());
                match index.kind {
                    EntryKind::Key => Part::Index(table, name),
                    EntryKind::Vector => Part::Vectors(table, name),
                }
            }));
            parts.extend(table.history.as_ref().map(|_| Part::History(table.name().clone())));
        }
        let mut streamed: Vec<TableName> =
            self.streams(None)?.into_iter().map(|stream| stream.table_name).collect();
        streamed.dedup();
        parts.extend(streamed.into_iter().map(Part::Records));
        parts.extend(tables_named(self, "pdb_backup_")?.into_iter().map(Part::Kept));
        Ok(parts)
    }
}
