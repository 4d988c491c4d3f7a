//! Databases of every version that ever wrote one: this version reads them, to the last byte, and goes on with them.
//!
//! `tests/fixtures/vN` holds a database of schema version N for SQLite and for PostgreSQL, and what the program that wrote them
//! answered to every question about them. `cargo xtask fixture` makes the folder of the present version.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod continuation;
mod fixtures;

use fixtures::{Fixture, all};
use pdb_testkit::Schema;
use pretender::Pretender;

#[test]
fn every_sqlite_file_is_read_as_it_was_written_and_continued() {
    for fixture in all() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("old.db");
        std::fs::write(&file, fixture.bytes("database.sqlite.gz")).unwrap();
        check(&fixture, "sqlite.answers.gz", &|| Pretender::builder().file(&file));
        let header = std::fs::read(&file).unwrap();
        // https://www.sqlite.org/fileformat.html: the user version is at 60.
        let version = u32::from_be_bytes(header[60..64].try_into().unwrap());
        let newest = all().last().unwrap().version();
        assert_eq!(version, newest, "`cargo xtask fixture` has not been run since the format changed");
    }
}

#[test]
fn every_postgres_dump_is_read_as_it_was_written_and_continued() {
    for fixture in all() {
        let Some(schema) = Schema::new() else { return };
        schema.load(&String::from_utf8(fixture.bytes("database.sql.gz")).unwrap());
        check(&fixture, "postgres.answers.gz", &|| Pretender::builder().postgres(schema.url()));
        compare_columns(&schema);
    }
}

/// Tables that were brought up to date and those that were made afterwards have the same columns, whatever their order.
fn compare_columns(schema: &Schema) {
    for kind in ["item", "index", "stream", "backup"] {
        let shapes = schema.sql(&format!(
            "SELECT columns, count(*) FROM (
                 SELECT string_agg(concat_ws(' ', column_name, data_type, is_nullable, column_default), ', ' ORDER BY column_name)
                     AS columns
                 FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name LIKE 'pdb\\_{kind}\\_%' GROUP BY table_name
             ) AS tables GROUP BY columns"
        ));
        assert_eq!(shapes.lines().count(), 1, "tables of a kind differ:\n{shapes}");
        let tables: u32 = shapes.rsplit('|').next().unwrap().parse().unwrap();
        assert!(tables >= 3, "{kind}: {shapes}");
    }
}

#[test]
fn a_migration_that_fails_leaves_a_postgres_database_as_it_was() {
    let oldest = &all()[0];
    let Some(schema) = Schema::new() else { return };
    schema.load(&String::from_utf8(oldest.bytes("database.sql.gz")).unwrap());
    // Stands in the way, in the middle of what has to be done.
    schema.sql("ALTER TABLE pdb_token ADD COLUMN checksum BIGINT");
    let all_columns = "SELECT string_agg(table_name || ' ' || column_name, ', ' ORDER BY table_name, column_name) \
                       FROM information_schema.columns WHERE table_schema = current_schema()";
    let before = schema.sql(all_columns);
    let error = Pretender::builder().postgres(schema.url()).open().unwrap_err();
    assert!(format!("{error:?}").contains("checksum"), "{error:?}");
    assert_eq!(schema.sql(all_columns), before);
    assert_eq!(schema.sql("SELECT version FROM pdb_schema"), "1");
    schema.sql("ALTER TABLE pdb_token DROP COLUMN checksum");
    Pretender::builder().postgres(schema.url()).open().unwrap().close();
    assert_ne!(schema.sql("SELECT version FROM pdb_schema"), "1");
}

fn check(fixture: &Fixture, answers: &str, builder: &dyn Fn() -> pretender::Builder) {
    let (now, exchanges) = fixture.answers(answers);
    fixtures::compare(builder(), now, &exchanges, fixture);
    // Once more, now that it has been opened and perhaps brought up to date.
    fixtures::compare(builder(), now, &exchanges, fixture);
    continuation::check(builder(), now, &exchanges);
}
