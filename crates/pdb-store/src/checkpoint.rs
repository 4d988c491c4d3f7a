//! Copies the write-ahead log back into the database file, beside the writer instead of in one of its commits, which would
//! hold up everybody for tens of milliseconds.
//!
//! Most is copied while the writer goes on. The rest is copied with the writer standing still: only when all is copied does
//! SQLite begin the log anew, and a writer that never pauses would otherwise let it grow for ever.

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use crate::{driver::Driver, error::StoreError};

/// Pages in the log, and not yet in the file, from which on it is worth copying them: 32 MB.
const WORTHWHILE: i64 = 4000;

/// How many pages of the log are not copied back yet.
pub(crate) fn pages_behind(driver: Driver<'_>) -> Result<i64, StoreError> {
    let (log, copied) = run(driver, "PRAGMA wal_checkpoint(NOOP)")?;
    Ok(log - copied)
}

/// Whether that is enough to have them copied.
pub(crate) fn is_worthwhile(pages_behind: i64) -> bool {
    pages_behind >= WORTHWHILE
}

/// Copies whenever it is asked to, until nobody can ask any more. `standing_still` runs what it is given while the writer
/// stands still.
pub(crate) fn serve(
    connection: &Connection,
    requests: &Receiver<()>,
    standing_still: impl Fn(&mut dyn FnMut()),
) {
    let driver = Driver::new(connection);
    for () in requests {
        if let Err(error) = checkpoint(driver, &standing_still) {
            tracing::warn!(error = &error as &dyn std::error::Error, "the log could not be copied back");
        }
    }
}

fn checkpoint(driver: Driver<'_>, standing_still: impl Fn(&mut dyn FnMut())) -> Result<(), StoreError> {
    // The last request may be answered by then.
    if !is_worthwhile(pages_behind(driver)?) {
        return Ok(());
    }
    let (log, copied) = run(driver, "PRAGMA wal_checkpoint(PASSIVE)")?;
    if copied < log {
        // A reader is still at an older state. There will be another request.
        return Ok(());
    }
    let mut rest = Ok((0, 0));
    standing_still(&mut || rest = run(driver, "PRAGMA wal_checkpoint(PASSIVE)"));
    rest.map(drop)
}

/// Returns how many pages the log has, and how many of them are in the file.
fn run(driver: Driver<'_>, sql: &str) -> Result<(i64, i64), StoreError> {
    let pages = driver.first("copy the log back", sql, &[], |row| Ok((row.integer(1)?, row.integer(2)?)))?;
    Ok(pages.unwrap_or_default())
}
