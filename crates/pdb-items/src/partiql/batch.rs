//! `BatchExecuteStatement`.
//!
//! Evidence: `dynamodb.md` 11.4.

use std::collections::BTreeMap;

use pdb_expr::partiql::Statement;
use pdb_model::{Env, TableName};
use pdb_store::{Pending, ReadTx, Tx};

use super::execute_statement::write_one;
use super::select::{SelectFault, key_of_select, read_one, units_of_one};
use super::statement::ParsedStatement;
use super::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput, BatchStatementError, BatchStatementResponse,
};
use crate::ItemsError;
use crate::answer_size::MAX_ANSWER_JSON_BYTES;
use crate::capacity::{Consistency, Meter, Side};
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
}

impl ItemManager {
    /// Executes up to 25 PartiQL statements, each for itself: those that fail say so in their place.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`] if some statements read and others write.
    pub fn batch_execute_statement(
        &self,
        input: BatchExecuteStatementInput,
    ) -> Pending<Result<BatchExecuteStatementOutput, ItemsError>> {
        match Batch::parse(input) {
            Err(error) => Pending::ready(Err(error)),
            Ok(batch) if batch.is_read => Pending::ready(self.store.read(|tx| batch.read(tx))),
            Ok(batch) => {
                let env = self.env.clone();
                self.submit(Ok(move |tx: &mut Tx<'_>| batch.write(&env, tx)))
            }
        }
    }

    /// Does as [`ItemManager::batch_execute_statement`] and waits for it.
    ///
    /// # Errors
    ///
    /// As [`ItemManager::batch_execute_statement`].
    pub fn batch_execute_statement_blocking(
        &self,
        input: BatchExecuteStatementInput,
    ) -> Result<BatchExecuteStatementOutput, ItemsError> {
        let batch = Batch::parse(input)?;
        if batch.is_read {
            return self.store.read(|tx| batch.read(tx));
        }
        let env = self.env.clone();
        self.store.write(move |tx| batch.write(&env, tx))
    }
}

impl Batch {
    fn parse(input: BatchExecuteStatementInput) -> Result<Self, ItemsError> {
        let entries: Vec<Entry> = input
            .statements
            .iter()
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
        Ok(Self { entries, detail: input.return_consumed_capacity, is_read })
    }

    fn read(&self, tx: &mut ReadTx<'_>) -> Result<BatchExecuteStatementOutput, ItemsError> {
        self.execute(|entry, parsed, response, meters| {
            let table = tx.table(&parsed.table_name)?;
            response.table_name = Some(parsed.table_name.clone());
            let key = match &parsed.statement {
                Statement::Select(select) => key_of_select(&table.definition, select).map(|key| (select, key)),
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
            meters.entry(parsed.table_name.clone()).or_default().add(&meter);
            response.item = selected.item;
            Ok(())
        })
    }

    fn write(&self, env: &Env, tx: &mut Tx<'_>) -> Result<BatchExecuteStatementOutput, ItemsError> {
        self.execute(|_, parsed, response, meters| {
            let table = tx.table(&parsed.table_name)?;
            response.table_name = Some(parsed.table_name.clone());
            // A statement that fails has written nothing yet.
            let none = ReturnValuesOnConditionCheckFailure::None;
            let done = write_one(env, tx, &table, &parsed.statement, none)?;
            meters.entry(parsed.table_name.clone()).or_default().add(&done.meter);
            response.item = done.item;
            Ok(())
        })
    }

    fn execute(
        &self,
        mut one: impl FnMut(
            &Entry,
            &ParsedStatement,
            &mut BatchStatementResponse,
            &mut BTreeMap<TableName, Meter>,
        ) -> Result<(), ItemsError>,
    ) -> Result<BatchExecuteStatementOutput, ItemsError> {
        let mut meters = BTreeMap::new();
        let mut responses = Vec::with_capacity(self.entries.len());
        let mut json_bytes = 0;
        for entry in &self.entries {
            let mut response = BatchStatementResponse::default();
            // A statement that writes cannot be taken back, so it is not begun.
            if json_bytes >= MAX_ANSWER_JSON_BYTES {
                response.error = Some(too_large());
                responses.push(response);
                continue;
            }
            let done = match &entry.parsed {
                Ok(parsed) => one(entry, parsed, &mut response, &mut meters),
                Err(error) => {
                    response.error = Some(told(error).ok_or_else(unexpected)?);
                    Ok(())
                }
            };
            if let Err(error) = done {
                response.error = Some(told(&error).ok_or(error)?);
            }
            json_bytes += response.item.as_ref().map_or(0, |item| item.json().len());
            responses.push(response);
        }
        let consumed_capacity = meters
            .iter()
            .filter_map(|(table_name, meter)| meter.report(table_name, self.detail, Side::Plain))
            .collect();
        Ok(BatchExecuteStatementOutput { responses, consumed_capacity })
    }
}

/// What a batch says of a statement that failed; nothing if the batch itself fails.
fn told(error: &ItemsError) -> Option<BatchStatementError> {
    let code = match error {
        ItemsError::Validation(_) => "ValidationError",
        ItemsError::ResourceNotFound(_) => "ResourceNotFound",
        ItemsError::ConditionalCheckFailed { .. } => "ConditionalCheckFailed",
        ItemsError::DuplicateItem => "DuplicateItem",
        _ => return None,
    };
    Some(BatchStatementError { code, message: error.to_string() })
}

/// What is said of a statement for whose item there is no room in the answer.
fn too_large() -> BatchStatementError {
    let message =
        "The items of the statements before this one exceed 20 MiB of JSON; send this statement again";
    BatchStatementError { code: "RequestLimitExceeded", message: message.to_owned() }
}

/// Parsing refuses a statement with errors that a batch can tell, and no others.
fn unexpected() -> ItemsError {
    ItemsError::validation("The statement could not be parsed")
}
