//! Connections that read, kept open between reads.

use std::{path::PathBuf, sync::Arc, time::Duration};

use r2d2::ManageConnection;
use rusqlite::Connection;
use scheduled_thread_pool::ScheduledThreadPool;

use crate::{
    catalog::{Catalog, SqlSchema},
    error::{OpenError, StoreError},
    sqlite,
};

/// A connection that reads.
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    /// The schema that SQLite has in memory for it; none before its first statement.
    schema: Option<Arc<SqlSchema>>,
}

impl Reader {
    /// Whether the next statement needs no new look at the schema.
    pub(crate) fn knows(&self, catalog: &Catalog) -> bool {
        self.schema.as_ref().is_some_and(|known| Arc::ptr_eq(known, &catalog.schema))
    }

    /// Notes that a statement has run while the schema was that of `catalog`.
    pub(crate) fn has_read(&mut self, catalog: &Catalog) {
        if !self.knows(catalog) {
            self.schema = Some(catalog.schema.clone());
        }
    }
}

/// Opens and checks reading connections for the pool.
#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
}

impl ManageConnection for Readers {
    type Connection = Reader;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Reader, rusqlite::Error> {
        Ok(Reader { connection: sqlite::open_reader(&self.path)?, schema: None })
    }

    fn is_valid(&self, reader: &mut Reader) -> Result<(), rusqlite::Error> {
        reader.connection.execute_batch("SELECT 1")
    }

    fn has_broken(&self, reader: &mut Reader) -> bool {
        // A read ends its snapshot; one that could not is not worth keeping.
        !reader.connection.is_autocommit()
    }
}

/// Makes the pool of a database file; connections are opened as they are first needed.
pub(crate) fn readers(path: PathBuf, size: u32) -> Result<r2d2::Pool<Readers>, StoreError> {
    let opener = ScheduledThreadPool::builder().num_threads(1).thread_name_pattern("pdb-pool-{}").build();
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(Duration::from_secs(30))
        .thread_pool(Arc::new(opener))
        .build(Readers { path: path.clone() })
        .map_err(|e| {
            let source = std::sync::Arc::new(std::io::Error::other(e.to_string()));
            OpenError::Unwritable { path, source }.into()
        })
}
