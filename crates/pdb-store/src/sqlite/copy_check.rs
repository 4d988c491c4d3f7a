//! Checks a copy of a file before it replaces a database: the file may come from anybody, or from a bad disk.
//!
//! First the schema, since all that comes after it runs statements. Then every page, index and constraint, by SQLite; then what
//! the rows say that there is.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use rusqlite::Connection;

use crate::{
    driver::Driver,
    error::{During, OpenError, StoreError},
    read_tx::ReadTx,
    rows::items::{Direction, KeyRange},
    sql::history,
    sqlite::{load, migrate, schema},
};

const DURING: &str = "look at a copy";
/// After how many rows progress is reported.
const ROWS_A_STEP: u64 = 1000;

/// Looks at the schema and the pages of a copy, which is not used yet; `path` is where it came from, `version` which migration
/// made its tables.
///
/// # Errors
///
/// [`OpenError::Altered`], [`OpenError::Damaged`], [`StoreError::Database`].
pub(crate) fn pages(path: &Path, copy: &Connection, version: u32) -> Result<(), StoreError> {
    // Of pages that are not as they should be, cells are not followed.
    copy.execute_batch("PRAGMA cell_size_check = ON").during(DURING)?;
    schema::check_schema(path, copy, version)?;
    let mut flaws = Vec::new();
    Driver::new(copy)
        .query(DURING, "PRAGMA integrity_check(3)", &[], |row| {
            flaws.push(row.text(0)?.to_owned());
            Ok(ControlFlow::Continue(()))
        })
        .map_err(|error| damaged_if_corrupt(path, error))?;
    if flaws != ["ok"] {
        return Err(damaged(path, flaws.join("; ")));
    }
    // It costs every statement a little, and from here on the pages are known.
    copy.execute_batch("PRAGMA cell_size_check = OFF").during(DURING)
}

/// Looks at what the rows of a copy say that there is, once it is of the newest version, and at the checksum of each row that has
/// one.
///
/// # Errors
///
/// As [`pages`].
pub(crate) fn rows(path: &Path, copy: &Connection, each: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    let driver = Driver::new(copy);
    let catalog =
        load::load_catalog(driver, &Arc::default()).map_err(|error| damaged_if_corrupt(path, error))?;
    // A migration may have made more tables than the copy came with.
    let found = schema::check_schema(path, copy, migrate::NEWEST)?;
    found.agree(catalog.sql_table_names()).map_err(|refusal| schema::schema_refused(path, refusal))?;
    let mut tx = ReadTx::new(driver, Arc::new(catalog));
    read_all(&mut tx, each).map_err(|error| damaged_if_corrupt(path, error))
}

/// Reads every item, index entry, change of a history and record.
fn read_all(tx: &mut ReadTx<'_>, each: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    let all = KeyRange::all();
    // Only for progress: a database whose making was cut short has no shape that could be told.
    let (mut done, rows) = (0, tx.shape().map_or(0, |shape| shape.rows()));
    let mut count = || {
        done += 1;
        if done % ROWS_A_STEP == 1 {
            each(done, rows);
        }
        ControlFlow::Continue(())
    };
    for table in tx.tables()? {
        let indexes = table.indexes.iter().map(|index| Some(&index.name));
        for index in std::iter::once(None).chain(indexes) {
            tx.scan_rows(&table, index, &all, Direction::Forward, &mut |_| count())?;
        }
        if let Some(history) = &table.history {
            history::stored_earliest(tx.driver, table.id, table.name())?;
            history::verify_from(tx.driver, &history.sql, i64::MIN, &mut count)?;
        }
    }
    for stream in tx.streams(None)? {
        for shard in tx.shards(stream.id)? {
            tx.records(&stream, shard.number, 0, &mut |_| count())?;
        }
    }
    Ok(())
}

fn damaged_if_corrupt(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Corrupt { .. } => damaged(path, error.to_string()),
        StoreError::Database { ref source, .. } if source.is_corrupt() => damaged(path, source.to_string()),
        other => other,
    }
}

fn damaged(path: &Path, what: String) -> StoreError {
    OpenError::Damaged { path: path.into(), what }.into()
}
