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
    }
}

#[test]
fn every_postgres_dump_is_read_as_it_was_written_and_continued() {
    for fixture in all() {
        let Some(schema) = Schema::new() else { return };
        schema.load(&String::from_utf8(fixture.bytes("database.sql.gz")).unwrap());
        check(&fixture, "postgres.answers.gz", &|| Pretender::builder().postgres(schema.url()));
    }
}

fn check(fixture: &Fixture, answers: &str, builder: &dyn Fn() -> pretender::Builder) {
    let (now, exchanges) = fixture.answers(answers);
    fixtures::compare(builder(), now, &exchanges, fixture);
    // Once more, now that it has been opened and perhaps brought up to date.
    fixtures::compare(builder(), now, &exchanges, fixture);
    continuation::check(builder(), now, &exchanges);
}
