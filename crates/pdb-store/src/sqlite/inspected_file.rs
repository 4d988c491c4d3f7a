//! A database file that is open to be checked, and is not written to.

use std::{path::Path, sync::Arc};

use rusqlite::Connection;

use crate::{
    catalog::Catalog,
    driver::Driver,
    error::{OpenError, StoreError},
    read_tx::ReadTx,
    sqlite::{copy, files::FileLock, load, migrate, schema},
};

/// A file that nobody else has open.
pub(crate) struct InspectedFile {
    connection: Connection,
    catalog: Arc<Catalog>,
    // Released after the connection is closed.
    _lock: Box<FileLock>,
}

impl InspectedFile {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (lock, connection, found) = copy::open_file(&path)?;
        // What is in a schema that is not ours would run in statements of ours.
        schema::check_schema(&path, &connection, found)?;
        if found < migrate::NEWEST {
            return Err(OpenError::Older { path, found, known: migrate::NEWEST }.into());
        }
        let catalog = Arc::new(load::load_catalog(Driver::new(&connection), &Arc::default())?);
        Ok(Self { connection, catalog, _lock: Box::new(lock) })
    }

    pub(crate) fn read(&self) -> ReadTx<'_> {
        ReadTx::new(Driver::new(&self.connection), self.catalog.clone())
    }
}
