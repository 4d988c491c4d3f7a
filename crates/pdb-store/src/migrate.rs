//! Brings the fixed tables to the newest schema: numbered SQL files, forward only, each applied in a transaction.

use rusqlite::Connection;

use crate::{
    driver::Driver,
    error::{During, StoreError},
};

/// Released migrations in order; the first makes schema version 1. A released one is never edited.
pub(crate) const SQLITE: &[&str] = &[include_str!("../../../migrations/sqlite/0001_tables.sql")];

/// The schema version this program works with.
pub(crate) const NEWEST: u32 = SQLITE.len() as u32;

/// Applies what is missing, all in one transaction; a failure leaves the database as it was.
pub(crate) fn migrate(connection: &Connection, from: u32) -> Result<(), StoreError> {
    let driver = Driver::new(connection);
    if from == NEWEST {
        return Ok(());
    }
    driver.batch("BEGIN IMMEDIATE").during("begin a migration")?;
    let applied = apply(driver, from);
    if applied.is_err() && !connection.is_autocommit() {
        driver.batch("ROLLBACK").during("undo a failed migration")?;
    }
    applied
}

fn apply(driver: Driver<'_>, from: u32) -> Result<(), StoreError> {
    for sql in &SQLITE[from as usize..] {
        driver.batch(sql).during("migrate the database")?;
    }
    driver.batch(&format!("PRAGMA user_version = {NEWEST}")).during("note the schema version")?;
    driver.batch("COMMIT").during("commit a migration")
}

#[cfg(test)]
mod tests;
