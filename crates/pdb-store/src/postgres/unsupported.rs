//! What only SQLite can do: a server's pages are its own affair.

use std::path::Path;

use pdb_model::EpochMillis;

use crate::{
    error::StoreError,
    postgres::engine::PostgresEngine,
    sqlite::{
        copy::{CopyDescription, DatabaseCopy, EachStep},
        engine::compact::CompactReport,
    },
};

const NO_COPIES: StoreError =
    StoreError::Unsupported("copies of a database on a server: its own tools make those");

impl PostgresEngine {
    pub(crate) fn copy(&self, _: EpochMillis) -> Result<DatabaseCopy, StoreError> {
        Err(NO_COPIES)
    }

    pub(crate) fn copy_to_file(
        &self,
        _: &Path,
        _: EpochMillis,
        _: bool,
        _: EachStep<'_>,
    ) -> Result<CopyDescription, StoreError> {
        Err(NO_COPIES)
    }

    pub(crate) fn replace(&self, _: DatabaseCopy, _: EachStep<'_>) -> Result<(), StoreError> {
        Err(NO_COPIES)
    }

    pub(crate) fn compact(&self) -> Result<CompactReport, StoreError> {
        Err(StoreError::Unsupported(
            "commands to compact a database on a server: its own autovacuum gives space back",
        ))
    }
}
