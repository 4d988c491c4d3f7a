//! Brings a database of SQLite to the newest schema; all that is missing is applied in one transaction.

use rusqlite::Connection;

use crate::{
    driver::Driver,
    error::{During, StoreError},
    migrate::{Migration, add_checksums, apply_all, history},
    sqlite::renew_keys,
};

/// Migrations in order; the first makes schema version 1.
pub(crate) const SQLITE: &[Migration] = &[
    Migration { sql: pdb_migrations::SQLITE[0], step: None },
    Migration { sql: pdb_migrations::SQLITE[1], step: Some(add_checksums) },
    Migration { sql: pdb_migrations::SQLITE[2], step: Some(renew_keys::renew) },
    Migration { sql: pdb_migrations::SQLITE[3], step: None },
    Migration { sql: pdb_migrations::SQLITE[4], step: None },
    Migration { sql: pdb_migrations::SQLITE[5], step: Some(history::begin_histories) },
];
// A migration that this list lacks would never be applied.
const _: () = assert!(SQLITE.len() == pdb_migrations::SQLITE.len());

/// The schema version this program works with.
pub(crate) const NEWEST: u32 = SQLITE.len() as u32;

/// Applies what is missing, all in one transaction; a failure leaves the database as it was.
pub(crate) fn migrate(connection: &Connection, from: u32) -> Result<(), StoreError> {
    migrate_to(connection, from, NEWEST)
}

/// As [`migrate`], and stops at an earlier version.
pub(crate) fn migrate_to(connection: &Connection, from: u32, to: u32) -> Result<(), StoreError> {
    let driver = Driver::new(connection);
    if from == to {
        return Ok(());
    }
    driver.batch("BEGIN IMMEDIATE").during("begin a migration")?;
    let applied = apply(driver, from, to);
    if applied.is_err() && !connection.is_autocommit() {
        driver.batch("ROLLBACK").during("undo a failed migration")?;
    }
    applied
}

fn apply(driver: Driver<'_>, from: u32, to: u32) -> Result<(), StoreError> {
    apply_all(driver, &SQLITE[from as usize..to as usize])?;
    driver.batch(&format!("PRAGMA user_version = {to}")).during("note the schema version")?;
    driver.batch("COMMIT").during("commit a migration")
}

#[cfg(test)]
mod tests;
