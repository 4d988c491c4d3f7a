//! Databases of all released versions: this version reads them completely, and continues with them.
//!
//! `tests/fixtures/vN` contains a database of schema version N for SQLite and for PostgreSQL, and the answers of the program that wrote
//! it. `cargo xtask fixture` creates the folder for the current version.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod continuation;
mod fixtures;

use fixtures::{Fixture, all};
use pdb_testkit::Schema;
use pretender::Pretender;
use pretender_tests::formats::{Exchange, World};

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

/// A copy that an earlier version saved takes the place of a database, and a file of it is copied into another.
#[test]
fn every_sqlite_file_is_restored_and_copied() {
    for fixture in all() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let (now, exchanges) = fixture.answers("sqlite.answers.gz");
        let old = fixture.bytes("database.sqlite.gz");
        std::fs::write(path("saved.db"), &old).unwrap();
        // The iterators of what is replaced stay good, not those of the copy.
        let reads = |exchange: &&Exchange| ["Scan", "Query"].contains(&exchange.operation.as_str());
        let reads: Vec<Exchange> = exchanges.iter().filter(reads).cloned().collect();
        for target in [None, Some(path("restored.db"))] {
            let builder = || match &target {
                None => Pretender::builder(),
                Some(file) => Pretender::builder().file(file),
            };
            let db = World::open(builder(), now);
            db.db.restore_snapshot_file(path("saved.db")).unwrap();
            fixtures::compare_in(&db, &reads, &fixture);
            db.db.close();
        }
        assert_eq!(std::fs::read(path("saved.db")).unwrap(), old, "the copy stays as it is");
        let copied = || Pretender::builder().file(path("copied.db"));
        let each = &mut |_: &pretender::maintenance::CopyProgress| std::ops::ControlFlow::Continue(());
        pretender::maintenance::copy(&Pretender::builder().file(path("saved.db")), &copied(), each).unwrap();
        fixtures::compare(copied(), now, &exchanges, &fixture);
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

#[test]
fn keys_that_cannot_be_written_anew_leave_a_postgres_database_as_it_was() {
    let second = &all()[1];
    let Some(schema) = Schema::new() else { return };
    schema.load(&String::from_utf8(second.bytes("database.sql.gz")).unwrap());
    let tables = schema.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() \
         AND table_name ~ '^pdb_(item|index|backup)_' ORDER BY table_name COLLATE \"C\" DESC",
    );
    let contents = || -> Vec<String> {
        let all =
            |table| format!("SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM \"{table}\" AS t");
        tables.lines().map(|table| schema.sql(&all(table.trim()))).collect()
    };
    let before = contents();
    assert!(before.len() >= 8, "{tables}");
    // In the way when the items of all tables but the backups' have been written.
    let kept = tables.lines().rfind(|table| table.starts_with("pdb_backup_")).unwrap();
    schema.sql(&format!(
        "ALTER TABLE \"{kept}\" ADD CONSTRAINT obstacle CHECK (octet_length(key_head) = 0) NOT VALID"
    ));
    let error = Pretender::builder().postgres(schema.url()).open().unwrap_err();
    assert!(format!("{error:?}").contains("obstacle"), "{error:?}");
    assert_eq!(contents(), before);
    assert_eq!(schema.sql("SELECT version FROM pdb_schema"), "2");
    schema.sql(&format!("ALTER TABLE \"{kept}\" DROP CONSTRAINT obstacle"));
    Pretender::builder().postgres(schema.url()).open().unwrap().close();
    assert_eq!(contents().iter().zip(&before).filter(|(after, before)| after == before).count(), 0);
}

fn check(fixture: &Fixture, answers: &str, builder: &dyn Fn() -> pretender::Builder) {
    let (now, exchanges) = fixture.answers(answers);
    fixtures::compare(builder(), now, &exchanges, fixture);
    // Once more, now that it has been opened and perhaps brought up to date.
    fixtures::compare(builder(), now, &exchanges, fixture);
    continuation::check(builder(), now, &exchanges);
}
