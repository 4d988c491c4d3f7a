//! Connections that read, kept open between reads.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crossbeam_channel::{Receiver, Sender};
use r2d2::ManageConnection;
use rusqlite::Connection;
use scheduled_thread_pool::ScheduledThreadPool;

use crate::{
    catalog::{Catalog, SqlSchema},
    error::{OpenError, StoreError},
    sqlite::connection,
};

/// A connection that reads.
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    /// The schema that SQLite has in memory for it; none before its first statement.
    schema: Option<Arc<SqlSchema>>,
    /// Dropped last, when SQLite has closed the connection.
    _open: Sender<Never>,
}

/// Is never sent: a channel whose senders are gone says that all connections are closed.
#[derive(Debug)]
pub(crate) enum Never {}

/// Waits until all connections of a pool are closed, which it opens and closes on a thread of its own, too.
#[derive(Debug)]
pub(crate) struct Closed(Receiver<Never>);

impl Closed {
    /// Gives up after `patience`: a read may go on that nobody can end.
    pub(crate) fn wait(&self, patience: Duration) {
        // Either way there is nothing more to do.
        drop(self.0.recv_timeout(patience));
    }
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
    open: Sender<Never>,
}

impl ManageConnection for Readers {
    type Connection = Reader;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Reader, rusqlite::Error> {
        let connection = connection::open_reader(&self.path)?;
        Ok(Reader { connection, schema: None, _open: self.open.clone() })
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
pub(crate) fn readers(path: PathBuf, size: u32) -> Result<(r2d2::Pool<Readers>, Closed), StoreError> {
    let (open, closed) = crossbeam_channel::bounded(0);
    let opener = ScheduledThreadPool::builder().num_threads(1).thread_name_pattern("pdb-pool-{}").build();
    let pool = r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(Duration::from_secs(30))
        .thread_pool(Arc::new(opener))
        .build(Readers { path: path.clone(), open })
        .map_err(|e| {
            let source = std::sync::Arc::new(std::io::Error::other(e.to_string()));
            StoreError::from(OpenError::Unwritable { path, source })
        })?;
    Ok((pool, Closed(closed)))
}
