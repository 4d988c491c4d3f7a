//! Tables of cases: every text AWS is known to answer, quoted.

mod backups;
mod create;
mod features;
mod habits;
mod lifecycle;
mod transition;
mod update;
mod update_indexes;
mod warm_shards;

use std::time::Duration;

use pdb_capture::{lock_item, write_item};
use pdb_model::{Account, IndexName, Item, KeyBytes, ScalarType, StreamViewType, TableName};
use pdb_store::{Direction, KeyRange, Table};
use pdb_testkit::TestDb;

use super::*;
use crate::ItemsError;

/// Operations on an empty database whose clock stands still, with two shards a stream.
struct Tables {
    db: TestDb,
    manager: TableManager,
}

impl std::ops::Deref for Tables {
    type Target = TableManager;

    fn deref(&self) -> &TableManager {
        &self.manager
    }
}

impl Tables {
    fn new() -> Self {
        let db = TestDb::new();
        let manager = TableManager::new(db.store.clone(), db.env.clone(), Account::default(), 2);
        Self { db, manager }
    }

    /// With the on-demand table `Tbl` of the key `a`, `b`, both texts.
    fn with_table() -> Self {
        let tables = Self::new();
        tables.create_table(simple()).unwrap();
        tables
    }

    /// With the table `Tbl` of 5 and 5 units and the global index `idx` of `c` with 5 and 5.
    fn provisioned() -> Self {
        let tables = Self::new();
        let mut input = simple();
        input.billing_mode = None;
        input.provisioned_throughput = Some(units(5, 5));
        input.attribute_definitions.push(definition("c", ScalarType::S));
        let mut index = global("idx", &["c"], &[]);
        index.provisioned_throughput = Some(units(5, 5));
        input.global_secondary_indexes = Some(vec![index]);
        tables.create_table(input).unwrap();
        tables
    }

    fn advance(&self, seconds: u64) {
        self.db.clock.advance(Duration::from_secs(seconds));
    }

    fn describe(&self, name: &str) -> TableDescription {
        self.describe_table(&table(name)).unwrap()
    }

    fn update(&self, change: impl FnOnce(&mut UpdateTableInput)) -> Result<TableDescription, ItemsError> {
        let mut input = UpdateTableInput::new(table("Tbl"));
        change(&mut input);
        self.update_table(input)
    }

    /// Puts an item through the one door.
    fn put(&self, name: &str, item: Item) {
        let (env, name) = (self.db.env.clone(), table(name));
        let written: Result<(), ItemsError> = self.db.store.write(move |tx| {
            let table = tx.table(&name)?;
            let key = table.definition.key_schema.extract(&item).unwrap();
            let locked = lock_item(tx, &table, &key)?;
            write_item(&env, tx, &table, locked, Some(&item), None)?;
            Ok(())
        });
        written.unwrap();
    }

    /// The stored texts of a table, or of one of its indexes, in order of their keys.
    fn rows(&self, name: &str, index: Option<&str>) -> Vec<String> {
        let (name, index) = (table(name), index.map(index_name));
        self.db.read(|tx| {
            let table = tx.table(&name)?;
            let mut rows = Vec::new();
            tx.scan(&table, index.as_ref(), &KeyRange::all(), Direction::Forward, &mut |row| {
                rows.push(row.json.to_owned());
                std::ops::ControlFlow::Continue(())
            })?;
            rows.sort();
            Ok(rows)
        })
    }

    fn expired(&self, name: &str, now: i64) -> Vec<KeyBytes> {
        let name = table(name);
        self.db.read(|tx| {
            let table = tx.table(&name)?;
            tx.expired_items(&table, 0, now, 100)
        })
    }

    fn stored(&self, name: &str) -> std::sync::Arc<Table> {
        let name = table(name);
        self.db.read(|tx| tx.table(&name))
    }
}

fn simple() -> CreateTableInput {
    CreateTableInput::new(table("Tbl"), ("a", ScalarType::S), Some(("b", ScalarType::S)))
}

fn streaming() -> CreateTableInput {
    CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
        ..simple()
    }
}

fn table(name: &str) -> TableName {
    name.parse().unwrap()
}

fn index_name(name: &str) -> IndexName {
    name.parse().unwrap()
}

fn definition(name: &str, scalar_type: ScalarType) -> pdb_model::AttributeDefinition {
    pdb_model::AttributeDefinition { name: name.to_owned(), scalar_type }
}

fn units(reads: i64, writes: i64) -> ThroughputInput {
    ThroughputInput { read_capacity_units: reads, write_capacity_units: writes }
}

fn key(hash: &[&str], range: &[&str]) -> Vec<KeySchemaElement> {
    let hash = hash.iter().map(|name| KeySchemaElement::hash(*name));
    hash.chain(range.iter().map(|name| KeySchemaElement::range(*name))).collect()
}

fn global(name: &str, hash: &[&str], range: &[&str]) -> GlobalIndexInput {
    GlobalIndexInput::new(index_name(name), key(hash, range))
}

fn local(name: &str, hash: &str, range: &str) -> LocalIndexInput {
    LocalIndexInput {
        index_name: index_name(name),
        key_schema: key(&[hash], &[range]),
        projection: ProjectionInput::of(ProjectionType::All),
    }
}

/// Checks the text of a refusal; `P:` stands for AWS's usual opening.
#[track_caller]
fn check_refused<T: std::fmt::Debug>(result: Result<T, ItemsError>, text: &str) {
    match result {
        Err(ItemsError::Validation(actual)) => assert_eq!(actual, opened(text)),
        other => panic!("{other:?} instead of a ValidationException: {text}"),
    }
}

/// Checks another error: its variant's name and its text.
#[track_caller]
fn check_error<T: std::fmt::Debug>(result: Result<T, ItemsError>, variant: &str, text: &str) {
    let error = result.expect_err(text);
    assert!(format!("{error:?}").starts_with(variant), "{error:?}");
    assert_eq!(error.to_string(), opened(text));
}

fn opened(text: &str) -> String {
    match text.strip_prefix("P: ") {
        Some(rest) => format!("One or more parameter values were invalid: {rest}"),
        None => text.to_owned(),
    }
}
