//! Brings the fixed tables of a server's database to the newest schema. Other processes may do so at the same time.

use crate::{
    db_error::DbError,
    driver::Driver,
    error::{During, OpenError, StoreError},
    migrate::{self, Migration, history},
    names::quoted,
    params::Param,
    postgres::{renew_keys, session::Session},
};

/// Migrations in order; the first makes schema version 1.
const MIGRATIONS: &[Migration] = &[
    Migration { sql: pdb_migrations::POSTGRES[0], step: None },
    Migration { sql: pdb_migrations::POSTGRES[1], step: Some(migrate::add_checksums) },
    Migration { sql: pdb_migrations::POSTGRES[2], step: Some(renew_keys::renew) },
    Migration { sql: pdb_migrations::POSTGRES[3], step: None },
    Migration { sql: pdb_migrations::POSTGRES[4], step: None },
    Migration { sql: pdb_migrations::POSTGRES[5], step: Some(history::begin_histories) },
];
// A migration that this list lacks would never be applied.
const _: () = assert!(MIGRATIONS.len() == pdb_migrations::POSTGRES.len());
/// The schema version this program works with.
const NEWEST: u32 = MIGRATIONS.len() as u32;

/// Makes the schema that the address names, if it is not there.
pub(crate) fn create_schema(session: &Session, name: &str) -> Result<(), DbError> {
    let exists = "SELECT CAST(count(*) AS BIGINT) FROM information_schema.schemata WHERE schema_name = ?1";
    let found = session.query(exists, &[Param::Text(name)])?;
    if found.first().is_some_and(|row| row.get::<_, i64>(0) > 0) {
        return Ok(());
    }
    session.batch(&format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(name)))
}

/// Applies what is missing, all in one transaction; a failure leaves the database as it was.
///
/// Another process may do the same: then one of the two fails, and is to try again.
pub(crate) fn migrate(session: &Session, address: &str) -> Result<(), StoreError> {
    let during = "migrate the database";
    session.batch("BEGIN").during(during)?;
    let applied = apply(session, address).and_then(|()| session.batch("COMMIT").during("commit a migration"));
    if applied.is_err() {
        // What failed is told.
        let _ = session.batch("ROLLBACK");
    }
    applied
}

fn apply(session: &Session, address: &str) -> Result<(), StoreError> {
    let during = "migrate the database";
    let exists = "SELECT CAST(count(*) AS BIGINT) FROM information_schema.tables \
                  WHERE table_schema = current_schema() AND table_name = ?1";
    let found = session.query(exists, &[Param::Text("pdb_schema")]).during(during)?;
    let is_new = found.first().is_none_or(|row| row.get::<_, i64>(0) == 0);
    if is_new {
        session
            .batch(
                "CREATE TABLE pdb_schema (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
                 INSERT INTO pdb_schema (id, version) VALUES (1, 0);",
            )
            .during(during)?;
    }
    let read = session.query("SELECT version FROM pdb_schema WHERE id = 1 FOR UPDATE", &[]).during(during)?;
    let found: i64 = read.first().map_or(0, |row| row.get(0));
    let found = u32::try_from(found).map_err(|e| StoreError::corrupt("schema version", e))?;
    if found > NEWEST {
        return Err(OpenError::NewerServed { address: address.to_owned(), found, known: NEWEST }.into());
    }
    migrate::apply_all(Driver::Postgres(session), &MIGRATIONS[found as usize..])?;
    if found < NEWEST {
        let params = [Param::Integer(NEWEST.into())];
        session.execute("UPDATE pdb_schema SET version = ?1 WHERE id = 1", &params).during(during)?;
    }
    Ok(())
}
