//! Brings the tables to the newest schema: numbered SQL files for the fixed tables, forward only, with a step in Rust where the
//! tables change that are made at run time; all that is missing is applied in one transaction.

use rusqlite::Connection;

use crate::{
    dialect::Dialect,
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

/// Migrations in order; the first makes schema version 1.
pub(crate) const SQLITE: &[Migration] = &[
    Migration { sql: pdb_migrations::SQLITE[0], step: None },
    Migration { sql: pdb_migrations::SQLITE[1], step: Some(add_checksums) },
    Migration { sql: pdb_migrations::SQLITE[2], step: Some(keys::renew) },
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
/// The column comes last, and its definition is spelled as in [`Dialect`], so that SQLite keeps the same text for a table that was
/// altered as for one that was made anew.
pub(crate) fn add_checksums(driver: Driver<'_>) -> Result<(), StoreError> {
    let dialect = driver.dialect();
    let kind = match dialect {
        Dialect::Sqlite => "INTEGER",
        Dialect::Postgres => "BIGINT",
    };
    let tables = driver.all("list tables", dialect.list_tables(), &[], |row| Ok(row.text(0)?.to_owned()))?;
    for table in tables.iter().filter(|table| names::is_made_at_run_time(table)) {
        let sql = format!("ALTER TABLE {} ADD COLUMN checksum {kind}", quoted(table));
        driver.batch(&sql).during("add a column for checksums")?;
    }
    Ok(())
}

pub(crate) mod keys;
#[cfg(test)]
mod tests;
