//! What was done.

use std::path::{Path, PathBuf};

use pdb_model::TableName;

use crate::SeedError;

/// What a database has been given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeedReport {
    /// Tables that were made.
    pub made: Vec<TableName>,
    /// Tables that were there already, with the same definition.
    pub found: Vec<TableName>,
    /// The items of each file, by table.
    pub seeded: Vec<SeededTable>,
    /// What definitions say that was not carried over, because it does not matter here: where it stands, and why.
    pub notes: Vec<SeedError>,
}

/// The items of one file for one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeededTable {
    /// The file.
    pub file: PathBuf,
    /// The table.
    pub table: TableName,
    /// How many items were written.
    pub items: u64,
    /// How many were not, because the table had items already.
    pub items_left_out: u64,
}

impl SeededTable {
    pub(crate) fn new(file: &Path, table: &TableName) -> Self {
        Self { file: file.to_owned(), table: table.clone(), items: 0, items_left_out: 0 }
    }
}
