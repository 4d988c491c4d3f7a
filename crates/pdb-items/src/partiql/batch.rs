//! `BatchExecuteStatement`.
//!
//! Evidence: `dynamodb.md` 11.4.

use std::collections::BTreeMap;

use pdb_expr::partiql::Statement;
use pdb_model::{Env, KeyBytes, TableName};
use pdb_store::{Pending, ReadTx, Tx};

use super::execute_statement::write_one;
use super::select::{SelectFault, demands_more, key_of_select, read_one, units_of_one};
use super::statement::ParsedStatement;
use super::write::planned;
use super::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput, BatchStatementError, BatchStatementResponse,
};
use crate::ItemsError;
use crate::answer_size::MAX_ANSWER_JSON_BYTES;
use crate::capacity::{Consistency, Meter, RequestKind};
use crate::habits::Habits;
use crate::manager::ItemManager;
use crate::options::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};

/// A statement of a batch, or why it cannot be one.
struct Entry {
    parsed: Result<ParsedStatement, ItemsError>,
    consistent_read: bool,
}

/// A batch whose statements all read or all write.
struct Batch {
    entries: Vec<Entry>,
    detail: ReturnConsumedCapacity,
    is_read: bool,
    habits: Habits,
}

impl ItemManager {
    /// Executes up to 25 PartiQL statements independently: the response to a statement that fails has its error.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`] if some statements read and others write.
    pub fn batch_execute_statement(
        &self,
        input: BatchExecuteStatementInput,
    ) -> Result<BatchExecuteStatementOutput, ItemsError> {
        let batch = Batch::parse(input, self.config.habits)?;
        if batch.is_read {
            return self.store.read(|tx| batch.read(tx));
        }
        let env = self.env.clone();
        self.store.write(move |tx| batch.write(&env, tx))
    }

    /// Async variant of [`ItemManager::batch_execute_statement`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::batch_execute_statement`].
    pub fn batch_execute_statement_async(
        &self,
        input: BatchExecuteStatementInput,
    ) -> Pending<Result<BatchExecuteStatementOutput, ItemsError>> {
        match Batch::parse(input, self.config.habits) {
            Err(error) => Pending::ready(Err(error)),
            Ok(batch) if batch.is_read => self.read_async(move |items| items.store.read(|tx| batch.read(tx))),
            Ok(batch) => {
                let env = self.env.clone();
                self.submit(Ok(move |tx: &mut Tx<'_>| batch.write(&env, tx)))
            }
        }
    }
}

impl Batch {
    fn parse(input: BatchExecuteStatementInput, habits: Habits) -> Result<Self, ItemsError> {
        let entries: Vec<Entry> = input
            .statements
            .into_iter()
            .map(|statement| Entry {
                parsed: ParsedStatement::parse(&statement.statement, &statement.parameters),
                consistent_read: statement.consistent_read,
            })
            .collect();
        let reads: Vec<bool> = entries
            .iter()
            .filter_map(|entry| Some(entry.parsed.as_ref().ok()?.statement.is_read()))
            .collect();
        let is_read = reads.first().copied().unwrap_or(true);
        if reads.iter().any(|&other| other != is_read) {
            return Err(ItemsError::validation(
                "The statements of a batch must be either all reads or all writes",
            ));
        }
        Ok(Self { entries, detail: input.return_consumed_capacity, is_read, habits })
    }

    fn read(&self, tx: &mut ReadTx<'_>) -> Result<BatchExecuteStatementOutput, ItemsError> {
        self.execute((0..self.entries.len()).collect(), |position, parsed, response, meters| {
            let entry = &self.entries[position];
            let table = tx.table(&parsed.table_name)?;
            response.table_name = Some(parsed.table_name.clone());
            let key = match &parsed.statement {
                Statement::Select(select) => key_of_select(&table.definition, select)
                    .filter(|_| !demands_more(&table.definition, select))
                    .map(|key| (select, key)),
                _ => None,
            };
            let Some((select, key)) = key else {
                return Err(ItemsError::validation(
                    "Select statements within BatchExecuteStatement must specify the primary key in the where clause.",
                ));
            };
            let selected = read_one(tx, &table, select, &key).map_err(|fault| match fault {
                SelectFault::Key(fault) => ItemsError::Validation(fault.into_text()),
                SelectFault::Failed(error) => error,
            })?;
            let meter = units_of_one(selected.size_bytes, Consistency::of(entry.consistent_read));
            meter.count_read_of(tx, &parsed.table_name);
            meters.entry(parsed.table_name.clone()).or_default().add(&meter);
            response.item = selected.item;
            Ok(())
        })
    }

    fn write(&self, env: &Env, tx: &mut Tx<'_>) -> Result<BatchExecuteStatementOutput, ItemsError> {
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        if tx.has_rivals() {
            // What comes first where two are about one item stays first.
            order.sort_by_cached_key(|position| place_of(tx, &self.entries[*position]));
        }
        self.execute(order, |position, parsed, response, meters| {
            tx.order_records_as(position);
            let table = tx.table(&parsed.table_name)?;
            response.table_name = Some(parsed.table_name.clone());
            // A statement that fails has written nothing yet.
            let none = ReturnValuesOnConditionCheckFailure::None;
            let done = write_one(env, tx, &table, &parsed.statement, none)?;
            done.meter.count_write_of(tx, &parsed.table_name);
            meters.entry(parsed.table_name.clone()).or_default().add(&done.meter);
            response.item = done.item;
            Ok(())
        })
    }

    fn execute(
        &self,
        order: Vec<usize>,
        mut one: impl FnMut(
            usize,
            &ParsedStatement,
            &mut BatchStatementResponse,
            &mut BTreeMap<TableName, Meter>,
        ) -> Result<(), ItemsError>,
    ) -> Result<BatchExecuteStatementOutput, ItemsError> {
        let mut meters = BTreeMap::new();
        let mut responses = vec![BatchStatementResponse::default(); self.entries.len()];
        let mut json_bytes = 0;
        for position in order {
            let response = &mut responses[position];
            // A statement that writes cannot be taken back, so it is not begun.
            if json_bytes >= MAX_ANSWER_JSON_BYTES {
                response.error = Some(too_large());
                continue;
            }
            let done = match &self.entries[position].parsed {
                Ok(parsed) => one(position, parsed, response, &mut meters),
                Err(error) => {
                    response.error = Some(self.told(error).ok_or_else(unexpected)?);
                    Ok(())
                }
            };
            if let Err(error) = done {
                response.error = Some(self.told(&error).ok_or(error)?);
            }
            json_bytes += response.item.as_ref().map_or(0, |item| item.json().len());
        }
        let consumed_capacity = meters
            .iter()
            .filter_map(|(table_name, meter)| {
                meter.report(table_name, self.detail, RequestKind::NonTransactional)
            })
            .collect();
        Ok(BatchExecuteStatementOutput { responses, consumed_capacity })
    }

    /// What a batch says of a statement that failed; nothing if the batch itself fails.
    fn told(&self, error: &ItemsError) -> Option<BatchStatementError> {
        let code = match error {
            ItemsError::Validation(_) => "ValidationError",
            ItemsError::ResourceNotFound(_) => "ResourceNotFound",
            ItemsError::ConditionalCheckFailed { .. } => "ConditionalCheckFailed",
            ItemsError::DuplicateItem => "DuplicateItem",
            _ => return None,
        };
        let message = error.to_string();
        let message = self.habits.text(&message).map_or(message, str::to_owned);
        Some(BatchStatementError { code, message })
    }
}

/// Table and key of the item that a statement writes, as they are ordered; nothing of one that will fail.
fn place_of(tx: &mut Tx<'_>, entry: &Entry) -> Option<(TableName, KeyBytes)> {
    let parsed = entry.parsed.as_ref().ok()?;
    let table = tx.table(&parsed.table_name).ok()?;
    let none = ReturnValuesOnConditionCheckFailure::None;
    let write = planned(&parsed.statement, &table.definition, none).ok()??;
    Some((parsed.table_name.clone(), write.key(&table.definition).ok()?.encode()))
}

/// The error of a statement whose item does not fit into the answer.
fn too_large() -> BatchStatementError {
    let message =
        "The items of the statements before this one exceed 20 MiB of JSON; send this statement again";
    BatchStatementError { code: "RequestLimitExceeded", message: message.to_owned() }
}

/// Parsing refuses a statement with errors that a batch can tell, and no others.
fn unexpected() -> ItemsError {
    ItemsError::validation("The statement could not be parsed")
}
