//! `INSERT`, `UPDATE`, `DELETE` and `EXISTS` as writes.
//!
//! Evidence: `dynamodb.md` 11.3 and 11.5.

use std::sync::Arc;

use pdb_expr::partiql::{PartiqlError, Returning, Statement, has_other_conditions, primary_key};
use pdb_expr::{ConditionExpression, Path};
use pdb_model::{Item, TableDefinition, TableName};

use super::statement::refused;
use crate::ItemsError;
use crate::options::{ReturnValues, ReturnValuesOnConditionCheckFailure};
use crate::write::{Change, PlannedWrite};

/// Plans what a statement writes to a table; a `SELECT` writes nothing and has no plan.
pub(super) fn planned(
    statement: &Statement,
    table: &TableDefinition,
    on_failure: ReturnValuesOnConditionCheckFailure,
) -> Result<Option<PlannedWrite>, ItemsError> {
    let is_index = statement.source().index.is_some();
    let (change, condition) = match statement {
        Statement::Select(_) => return Ok(None),
        Statement::Insert(_) if is_index => return Err(refused(PartiqlError::InsertIntoIndex)),
        Statement::Insert(insert) => (Change::Insert(Arc::clone(&insert.item)), None),
        Statement::Update(_) | Statement::Delete(_) if is_index => {
            return Err(refused(PartiqlError::WriteToIndex));
        }
        // An item that is not there is not created.
        Statement::Update(update) => (
            Change::Update(key_of(statement, table)?, Some(update.update.clone())),
            and(exists(table), update.condition.clone()),
        ),
        // An item that does not exist need not be deleted, under any condition.
        Statement::Delete(delete) => (
            Change::Delete(key_of(statement, table)?),
            delete
                .condition
                .clone()
                .map(|condition| ConditionExpression::Or(vec![is_missing(table), condition])),
        ),
        Statement::Exists(select) => {
            let single = "EXISTS() must contain a single item read with additional condition";
            let key = primary_key(select.condition.as_ref(), &table.key_schema);
            let Some(key) =
                key.filter(|_| has_other_conditions(select.condition.as_ref(), &table.key_schema))
            else {
                return Err(ItemsError::validation(single));
            };
            (Change::Check(key), and(exists(table), select.condition.clone()))
        }
    };
    Ok(Some(PlannedWrite { table_name: name_of(table), change, condition, on_failure }))
}

/// Returns the output of a statement.
pub(super) fn return_values(statement: &Statement) -> ReturnValues {
    match statement.returning() {
        None => ReturnValues::None,
        Some(Returning::AllOld) => ReturnValues::AllOld,
        Some(Returning::AllNew) => ReturnValues::AllNew,
        Some(Returning::ModifiedOld) => ReturnValues::UpdatedOld,
        Some(Returning::ModifiedNew) => ReturnValues::UpdatedNew,
    }
}

fn key_of(statement: &Statement, table: &TableDefinition) -> Result<Item, ItemsError> {
    primary_key(statement.condition(), &table.key_schema)
        .ok_or_else(|| refused(PartiqlError::MissingKeyEquality))
}

fn name_of(table: &TableDefinition) -> TableName {
    table.name.clone()
}

/// The path of an attribute that every item of the table has.
fn key_path(table: &TableDefinition) -> Path {
    Path::attribute(table.key_schema.hash.first().map_or("", |attribute| attribute.name.as_str()))
}

fn exists(table: &TableDefinition) -> ConditionExpression {
    ConditionExpression::AttributeExists(key_path(table))
}

fn is_missing(table: &TableDefinition) -> ConditionExpression {
    ConditionExpression::AttributeNotExists(key_path(table))
}

fn and(one: ConditionExpression, two: Option<ConditionExpression>) -> Option<ConditionExpression> {
    ConditionExpression::all([Some(one), two].into_iter().flatten())
}
