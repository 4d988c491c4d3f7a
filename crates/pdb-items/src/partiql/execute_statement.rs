//! `ExecuteStatement`.

use std::sync::Arc;

use pdb_expr::partiql::{PartiqlError, Statement};
use pdb_store::{Pending, Table, Tx};

use super::next_token::{PagePosition, fingerprint};
use super::select::read_page;
use super::statement::{ParsedStatement, refused};
use super::write::{planned, return_values};
use super::{ExecuteStatementInput, ExecuteStatementOutput};
use crate::ItemsError;
use crate::capacity::{Meter, RequestKind};
use crate::items_page::EncodedItems;
use crate::manager::ItemManager;
use crate::options::{ReturnValues, ReturnValuesOnConditionCheckFailure};
use crate::update_item::returned;
use crate::write::Refusal;

impl ItemManager {
    /// Executes one PartiQL statement.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`], [`ItemsError::ConditionalCheckFailed`],
    /// [`ItemsError::DuplicateItem`].
    pub fn execute_statement(
        &self,
        mut input: ExecuteStatementInput,
    ) -> Result<ExecuteStatementOutput, ItemsError> {
        let parsed = ParsedStatement::parse(&input.statement, &input.parameters)?;
        if parsed.statement.is_read() {
            self.select(&parsed, &input)
        } else {
            input.parameters.clear();
            self.store.write(self.plan_statement(parsed, &input))
        }
    }

    /// Async variant of [`ItemManager::execute_statement`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::execute_statement`].
    pub fn execute_statement_async(
        &self,
        mut input: ExecuteStatementInput,
    ) -> Pending<Result<ExecuteStatementOutput, ItemsError>> {
        match ParsedStatement::parse(&input.statement, &input.parameters) {
            Err(error) => Pending::ready(Err(error)),
            Ok(parsed) if parsed.statement.is_read() => {
                self.read_async(move |items| items.select(&parsed, &input))
            }
            Ok(parsed) => {
                // The statement has its own copies, which may be large.
                input.parameters.clear();
                self.submit(Ok(self.plan_statement(parsed, &input)))
            }
        }
    }

    fn select(
        &self,
        parsed: &ParsedStatement,
        input: &ExecuteStatementInput,
    ) -> Result<ExecuteStatementOutput, ItemsError> {
        let Statement::Select(select) = &parsed.statement else {
            return Err(refused(PartiqlError::UnsupportedOperation("Exists")));
        };
        let fingerprint = fingerprint(&input.statement, &input.parameters);
        let start =
            input.next_token.as_ref().map(|token| PagePosition::of_token(token, &fingerprint)).transpose()?;
        self.store.read(|tx| {
            let table = tx.table(&parsed.table_name)?;
            let page = read_page(tx, &table, select, input.limit, start.as_ref(), input.consistent_read)?;
            page.meter.count_read(tx, &table);
            Ok(ExecuteStatementOutput {
                items: page.items,
                next_token: page.last.as_ref().map(|place| place.to_token(&fingerprint)),
                last_evaluated_key: page.last.and_then(|place| place.key),
                consumed_capacity: page.meter.report(
                    table.name(),
                    input.return_consumed_capacity,
                    RequestKind::NonTransactional,
                ),
            })
        })
    }

    fn plan_statement(
        &self,
        parsed: ParsedStatement,
        input: &ExecuteStatementInput,
    ) -> impl FnMut(&mut Tx<'_>) -> Result<ExecuteStatementOutput, ItemsError> + Send + 'static + use<> {
        let env = self.env.clone();
        let detail = input.return_consumed_capacity;
        let on_failure = input.return_values_on_condition_check_failure;
        move |tx| {
            let table = tx.table(&parsed.table_name)?;
            let done = write_one(&env, tx, &table, &parsed.statement, on_failure)?;
            done.meter.count_write(tx, &table);
            let mut items = EncodedItems::default();
            done.item.iter().for_each(|item| items.push(item));
            Ok(ExecuteStatementOutput {
                items,
                consumed_capacity: done.meter.report(table.name(), detail, RequestKind::NonTransactional),
                ..ExecuteStatementOutput::default()
            })
        }
    }
}

/// What a statement that writes did.
pub(super) struct WrittenByStatement {
    /// What `RETURNING` asked for.
    pub(super) item: Option<pdb_model::EncodedItem>,
    pub(super) meter: Meter,
}

/// Carries out a statement that writes.
pub(super) fn write_one(
    env: &pdb_model::Env,
    tx: &mut Tx<'_>,
    table: &Arc<Table>,
    statement: &Statement,
    on_failure: ReturnValuesOnConditionCheckFailure,
) -> Result<WrittenByStatement, ItemsError> {
    let Some(write) = planned(statement, &table.definition, on_failure)? else {
        return Err(refused(PartiqlError::UnsupportedOperation("Select")));
    };
    let written = write
        .key(&table.definition)
        .and_then(|key| write.prepare(tx, table, &key))
        .and_then(|prepared| prepared.carry_out(env, tx, table))
        .map_err(Refusal::into_error)?;
    let return_values = return_values(statement);
    let item = match return_values {
        ReturnValues::None => None,
        _ => returned(&write.change, &written, return_values)?,
    };
    Ok(WrittenByStatement { item, meter: written.meter })
}
