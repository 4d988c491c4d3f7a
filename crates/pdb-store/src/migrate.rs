//! Brings the tables to the newest schema: numbered SQL files for the fixed tables, forward only, with a step in Rust where the
//! tables change that are made at run time; all that is missing is applied in one transaction.

use crate::{
    driver::Driver,
    error::{During, StoreError},
    names::{self, quoted},
};

/// A change of the schema. A released one is never edited.
pub(crate) struct Migration {
    /// Changes the fixed tables.
    pub(crate) sql: &'static str,
    /// Changes the tables that are made at run time.
    pub(crate) step: Option<Step>,
}

/// Changes tables in the open transaction.
pub(crate) type Step = fn(Driver<'_>) -> Result<(), StoreError>;

/// Applies migrations in the open transaction.
pub(crate) fn apply_all(driver: Driver<'_>, missing: &[Migration]) -> Result<(), StoreError> {
    for migration in missing {
        driver.batch(migration.sql).during("migrate the database")?;
        if let Some(step) = migration.step {
            step(driver)?;
        }
    }
    Ok(())
}

/// Gives the tables that are made at run time the column for checksums. No row is rewritten: both databases let a row that is
/// shorter than its table end in NULL.
///
/// The column comes last, and its definition is spelled as in `texts.rs` of the engines, so that SQLite keeps the same text for a table that was
/// altered as for one that was made anew.
pub(crate) fn add_checksums(driver: Driver<'_>) -> Result<(), StoreError> {
    let dialect = driver.dialect();
    let kind = dialect.integer();
    let tables = driver.all("list tables", dialect.list_tables(), &[], |row| Ok(row.text(0)?.to_owned()))?;
    for table in tables.iter().filter(|table| names::is_made_at_run_time(table)) {
        let sql = format!("ALTER TABLE {} ADD COLUMN checksum {kind}", quoted(table));
        driver.batch(&sql).during("add a column for checksums")?;
    }
    Ok(())
}

pub(crate) mod history;
pub(crate) mod keys;
