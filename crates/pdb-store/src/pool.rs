//! Connections that read, kept open between reads.

use std::{path::PathBuf, time::Duration};

use r2d2::ManageConnection;
use rusqlite::Connection;

use crate::{
    error::{OpenError, StoreError},
    sqlite,
};

/// Opens and checks reading connections for the pool.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
}

impl ManageConnection for Readers {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Connection, rusqlite::Error> {
        sqlite::open_reader(&self.path)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), rusqlite::Error> {
        connection.execute_batch("SELECT 1")
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        // A read ends its snapshot; one that could not is not worth keeping.
        !connection.is_autocommit()
    }
}

/// Makes the pool of a database file; connections are opened as they are first needed.
pub(crate) fn readers(path: PathBuf, size: u32) -> Result<r2d2::Pool<Readers>, StoreError> {
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(Duration::from_secs(30))
        .build(Readers { path: path.clone() })
        .map_err(|e| {
            let source = std::sync::Arc::new(std::io::Error::other(e.to_string()));
            OpenError::Unwritable { path, source }.into()
        })
}
