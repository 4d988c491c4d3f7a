use super::*;
use crate::{Durability, Store, StoreOptions};
use pdb_model::{
    Account, EpochMillis, IndexKind, KeyAttribute, KeySchema, PointInTimeRecovery, Projection, ScalarType,
    SecondaryIndex, StreamLabel, StreamViewType, TableDefinition,
};

/// Makes a database that has an object of each kind, under names that are plain and under names that are not.
fn everything(path: &std::path::Path) {
    let store = Store::open(&StoreOptions::file(path).with_durability(Durability::Off)).unwrap();
    for name in [
        "orders",
        "Not.Plain-at-all",
        "a_very_long_name_that_is_more_than_sixty_three_characters_long_for_sure",
    ] {
        let key = |name: &str| KeyAttribute { name: name.to_owned(), scalar_type: ScalarType::S };
        let mut definition = TableDefinition::minimal(
            name.parse().unwrap(),
            "id".to_owned(),
            EpochMillis(0),
            KeySchema::simple(key("pk"), None),
        );
        definition.time_to_live_attribute = Some("gone".to_owned());
        definition.point_in_time_recovery =
            Some(PointInTimeRecovery { enabled: EpochMillis(0), recovery_period_days: 35 });
        definition.indexes.push(SecondaryIndex {
            name: "by_status".parse().unwrap(),
            kind: IndexKind::Global,
            key_schema: KeySchema::simple(key("status"), None),
            projection: Projection::All,
            provisioned_throughput: Default::default(),
            on_demand_throughput: None,
            warm_throughput: None,
        });
        store
            .write(move |tx| {
                let table = tx.create_table(&definition)?;
                let arn = Account::default().stream_arn(&definition.name, &StreamLabel::at(EpochMillis(1)));
                let (table, _) = tx.create_stream(&table, &arn, StreamViewType::NewImage, EpochMillis(1))?;
                for name in ["01-short", "01234567890123456789-a-name-that-is-longer-than-that"] {
                    tx.keep_items(&table, &format!("{name}{}", definition.name))?;
                }
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }
    store.close();
}

fn same(a: &str, b: &str) -> bool {
    canonical(a) == canonical(b)
}

fn flaw_of(connection: &Connection) -> Option<String> {
    match check(connection, migrate::NEWEST) {
        Ok(_) => None,
        Err(Refusal::Flaw(flaw)) => Some(flaw.to_string()),
        Err(Refusal::Failed(error)) => panic!("{error}"),
    }
}

#[test]
fn what_we_make_is_accepted_and_nothing_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    everything(&path);
    // Of whom the program knows nothing.
    let connection = Connection::open(&path).unwrap();
    assert_eq!(flaw_of(&connection), None);
    // Somebody measured it, as `PRAGMA optimize` does.
    connection.execute_batch("ANALYZE").unwrap();
    assert_eq!(flaw_of(&connection), None);

    for (harm, flaw) in [
        (
            "CREATE TRIGGER t AFTER INSERT ON pdb_item_orders BEGIN SELECT 1; END",
            "it holds the trigger `t`, which this program does not make",
        ),
        ("CREATE VIEW v AS SELECT 1", "it holds the view `v`, which this program does not make"),
        ("CREATE TABLE notes (x)", "it holds the table `notes`, which this program does not make"),
        (
            "CREATE INDEX i ON pdb_item_orders (abs(size_bytes))",
            "it holds the index `i`, which this program does not make",
        ),
        (
            "CREATE INDEX pdb_expiry_x ON pdb_item_orders (abs(size_bytes)) WHERE expires_at IS NOT NULL",
            "the index `pdb_expiry_x` is not as this program makes it",
        ),
        ("CREATE TABLE pdb_item_x (key BLOB)", "the table `pdb_item_x` is not as this program makes it"),
        ("CREATE TABLE pdb_backup_x AS SELECT 1", "the table `pdb_backup_x` is not as this program makes it"),
        (
            "ALTER TABLE pdb_item_orders ADD COLUMN x TEXT AS (upper(item))",
            "the table `pdb_item_orders` is not as this program makes it",
        ),
        (
            "ALTER TABLE pdb_setting ADD COLUMN x TEXT DEFAULT 'x' CHECK (x <> 'y')",
            "the table `pdb_setting` is not as this program makes it",
        ),
        (
            // The name in SQLite's table of tables need not be that in the text.
            "CREATE TABLE pdb_item_x (a);
             PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET name = 'pdb_item_x\"(a AS (1));--' WHERE name = 'pdb_item_x'",
            "it holds the table `pdb_item_x\\\"(a AS (1));--`, which this program does not make",
        ),
        ("DROP TABLE pdb_token", "`pdb_token` is missing"),
        ("DROP INDEX pdb_token_expires_at", "`pdb_token_expires_at` is missing"),
        (
            "CREATE TABLE \"esc\u{1b}[31m\" (x)",
            "it holds the table `esc\\u{1b}[31m`, which this program does not make",
        ),
    ] {
        connection.execute_batch("BEGIN").unwrap();
        connection.execute_batch(harm).unwrap();
        assert_eq!(flaw_of(&connection).as_deref(), Some(flaw), "{harm}");
        connection.execute_batch("ROLLBACK").unwrap();
    }
    assert_eq!(flaw_of(&connection), None);
}

#[test]
fn blanks_do_not_matter_where_they_mean_nothing() {
    assert!(same(
        "CREATE TABLE \"a\" (\n  b  TEXT,\n  c INTEGER\n) STRICT",
        "CREATE TABLE \"a\"(b TEXT, c INTEGER)STRICT"
    ));
    for other in
        ["CREATE TABLE \"a \" (b TEXT)", "CREATE TABLE \"a\" (bTEXT)", "CREATE TABLE \"a\" (b TEXT))"]
    {
        assert!(!same("CREATE TABLE \"a\" (b TEXT)", other), "{other}");
    }
}

/// The rows have to name the tables that are there, no more and no fewer.
#[test]
fn tables_and_rows_agree() {
    let found = |names: &[&str]| FoundTables(names.iter().map(|&name| name.to_owned()).collect());
    let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let text = |result: Result<(), Refusal>| match result {
        Err(Refusal::Flaw(flaw)) => flaw.to_string(),
        other => panic!("{other:?}"),
    };
    found(&["b", "a"]).agree(named(&["a", "b", "a"])).unwrap();
    assert_eq!(text(found(&["b", "a"]).agree(named(&["a"]))), "the table `b` belongs to nothing");
    assert_eq!(text(found(&["a"]).agree(named(&["a", "b"]))), "the table `b` is missing");
}
/// If this fails, a migration is new: keep what it prints in `schema/newest.sql`.
#[test]
fn the_kept_objects_are_those_that_the_migrations_make() {
    let made = made_objects(migrate::NEWEST).unwrap();
    let mut lines: Vec<&str> = made.values().map(String::as_str).collect();
    lines.sort_unstable();
    assert_eq!(lines.join("\n") + "\n", NEWEST_OBJECTS);
    assert_eq!(fixed_objects(migrate::NEWEST).unwrap(), made);
}
