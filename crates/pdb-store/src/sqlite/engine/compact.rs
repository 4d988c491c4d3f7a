//! Giving space back to the file system.
//!
//! What is deleted leaves free pages in the file, which later writes use again; the file does not shrink by itself. SQLite's
//! `auto_vacuum` would let it, for pages that say where every page hangs, and that commits have to write as well: more than
//! a put may cost. So the database is written anew: by command, and unasked where that takes no time worth speaking of.

use std::{
    fs,
    path::Path,
    sync::{Arc, PoisonError},
};

use rusqlite::Connection;

use super::{Core, SqliteEngine};
use crate::{
    catalog::Catalog,
    driver::Driver,
    error::{During, StoreError},
    sqlite::{connection, writer::Writer},
};

/// The most pages in use of a database that is compacted unasked: 32 MB, some 0.2 seconds in which writers stand still.
const FEW_PAGES: u64 = 4_000;
/// From how many free pages on that is done: 16 MB.
const MANY_FREE_PAGES: u64 = 2_000;

/// What compacting a database brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactReport {
    /// What it took before, in bytes; with its log, if it is in a file.
    pub bytes_before: u64,
    /// What it takes now.
    pub bytes_after: u64,
}

impl CompactReport {
    fn tell(&self) {
        tracing::info!(
            bytes_before = self.bytes_before,
            bytes_after = self.bytes_after,
            "compacted the database"
        );
    }
}

impl SqliteEngine {
    pub(crate) fn compact(&self) -> Result<CompactReport, StoreError> {
        self.maintain(|| match &self.core.file {
            None => self.core.compact_memory(),
            Some(path) => {
                let connection = connection::open_checkpointer(path, self.core.durability)?;
                let before = bytes_of(path);
                self.core.compact_file(&connection)?;
                let report = CompactReport { bytes_before: before, bytes_after: bytes_of(path) };
                report.tell();
                Ok(report)
            }
        })
    }
}

impl Core {
    fn compact_memory(&self) -> Result<CompactReport, StoreError> {
        let mut writer = self.lock_writer();
        let writer = writer.as_mut().ok_or(StoreError::Closed)?;
        let bytes = |writer: &Writer| {
            let driver = Driver::new(&writer.connection);
            Ok::<_, StoreError>(pragma(driver, "PRAGMA page_count")? * pragma(driver, "PRAGMA page_size")?)
        };
        let before = bytes(writer)?;
        writer.connection.execute_batch("VACUUM").during("compact the database")?;
        Ok(CompactReport { bytes_before: before, bytes_after: bytes(writer)? })
    }

    /// Writes the database anew, on a connection of its own: the writer's keeps what is temporary in memory, and this is all of
    /// it. The writer stands still meanwhile, readers do not.
    fn compact_file(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut writer = self.lock_writer();
        let writer = writer.as_mut().ok_or(StoreError::Closed)?;
        writer.check_files()?;
        let _helping = self.interrupts.help(connection);
        let compacted = connection.execute_batch("VACUUM").during("compact the database");
        compacted.inspect_err(|error| writer.note_failure(error))?;
        // Connections read the schema again, as after a definition.
        let mut catalog = Catalog::clone(&writer.catalog);
        catalog.schema = Arc::default();
        let catalog = Arc::new(catalog);
        writer.catalog = catalog.clone();
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = catalog;
        // If a reader is at an older state, the thread that copies the log back does it later.
        Driver::new(connection)
            .first("copy the log back", "PRAGMA wal_checkpoint(TRUNCATE)", &[], |_| Ok(()))
            .map(drop)
            .inspect_err(|error| writer.note_failure(error))
    }

    /// Compacts the database if most of it is free, and little is not.
    pub(crate) fn compact_if_cheap(&self, connection: &Connection) -> Result<bool, StoreError> {
        let driver = Driver::new(connection);
        let free = pragma(driver, "PRAGMA freelist_count")?;
        let used = pragma(driver, "PRAGMA page_count")?.saturating_sub(free);
        let is_worthwhile = free >= MANY_FREE_PAGES && free >= used && used <= FEW_PAGES;
        if is_worthwhile {
            self.compact_file(connection)?;
            tracing::info!(
                free_pages = free,
                used_pages = used,
                "compacted the database, most of which was free"
            );
        }
        Ok(is_worthwhile)
    }
}

fn pragma(driver: Driver<'_>, sql: &str) -> Result<u64, StoreError> {
    Ok(driver.first("measure the database", sql, &[], |row| row.count(0))?.unwrap_or(0))
}

/// The bytes of a database file and of its log.
fn bytes_of(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    [path, Path::new(&log)].iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum()
}
