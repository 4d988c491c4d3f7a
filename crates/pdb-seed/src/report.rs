//! The report of a seeding.

use std::path::{Path, PathBuf};

use pdb_model::TableName;

use crate::SeedError;

/// What [`Seeding::apply`](crate::Seeding::apply) has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeedReport {
    /// Tables that were created.
    pub created: Vec<TableName>,
    /// Tables that existed already with the same definition.
    pub existing: Vec<TableName>,
    /// The number of items by file and table.
    pub seeded: Vec<SeededTable>,
    /// Properties of definitions that were ignored because they have no effect here, with their places and the reasons.
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
    /// How many items were skipped because the table had items already.
    pub items_skipped: u64,
}

impl SeededTable {
    pub(crate) fn new(file: &Path, table: &TableName) -> Self {
        Self { file: file.to_owned(), table: table.clone(), items: 0, items_skipped: 0 }
    }
}
