//! `ExecuteTransaction`.
//!
//! Evidence: `dynamodb.md` 11.5.

use std::collections::BTreeMap;

use pdb_expr::partiql::Statement;
use pdb_model::{CancellationReason, Env, TableName};
use pdb_store::{Pending, ReadTx, Tx};

use super::select::{SelectFault, demands_more, key_of_select, read_one, units_of_one};
use super::statement::ParsedStatement;
use super::write::planned;
use super::{ExecuteTransactionInput, ExecuteTransactionOutput, ParameterizedStatement};
use crate::ItemsError;
use crate::capacity::{Consistency, Meter, RequestKind};
use crate::keys::KeyFault;
use crate::manager::ItemManager;
use crate::options::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValuesOnConditionCheckFailure,
};
use crate::transaction::{Fingerprint, ReadItems, RequestToken, SAME_ITEM, check_request_size, transact};

/// A transaction whose statements all read, or all write.
struct Transaction {
    statements: Vec<(ParsedStatement, ReturnValuesOnConditionCheckFailure)>,
    token: Option<RequestToken>,
    detail: ReturnConsumedCapacity,
    is_read: bool,
}

impl ItemManager {
    /// Executes up to 100 PartiQL statements: all of them or none.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`], [`ItemsError::TransactionCanceled`],
    /// [`ItemsError::IdempotentParameterMismatch`].
    pub fn execute_transaction(
        &self,
        input: ExecuteTransactionInput,
    ) -> Result<ExecuteTransactionOutput, ItemsError> {
        let transaction = Transaction::parse(input)?;
        if transaction.is_read {
            return self.store.read(|tx| transaction.read(tx));
        }
        let env = self.env.clone();
        self.store.write(move |tx| transaction.write(&env, tx))
    }

    /// Async variant of [`ItemManager::execute_transaction`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::execute_transaction`].
    pub fn execute_transaction_async(
        &self,
        input: ExecuteTransactionInput,
    ) -> Pending<Result<ExecuteTransactionOutput, ItemsError>> {
        match Transaction::parse(input) {
            Err(error) => Pending::ready(Err(error)),
            Ok(transaction) if transaction.is_read => {
                self.read_async(move |items| items.store.read(|tx| transaction.read(tx)))
            }
            Ok(transaction) => {
                let env = self.env.clone();
                self.submit(Ok(move |tx: &mut Tx<'_>| transaction.write(&env, tx)))
            }
        }
    }
}

impl Transaction {
    fn parse(input: ExecuteTransactionInput) -> Result<Self, ItemsError> {
        let mut statements = Vec::with_capacity(input.transact_statements.len());
        let mut request_bytes = 0;
        for (position, statement) in input.transact_statements.iter().enumerate() {
            let parsed = parsed(position, statement)?;
            request_bytes += statement.statement.len() as u64;
            request_bytes += statement.parameters.iter().map(|value| value.size_bytes()).sum::<u64>();
            statements.push((parsed, statement.return_values_on_condition_check_failure));
        }
        check_request_size(request_bytes)?;
        let is_select = |(parsed, _): &(ParsedStatement, _)| matches!(parsed.statement, Statement::Select(_));
        let is_read = statements.iter().all(is_select);
        if !is_read && statements.iter().any(is_select) {
            return Err(ItemsError::validation(
                "The statements of a transaction must be either all reads or all writes",
            ));
        }
        let token = input
            .client_request_token
            .as_ref()
            .map(|token| RequestToken { token: token.clone(), fingerprint: fingerprint(&input) });
        Ok(Self { statements, token, detail: input.return_consumed_capacity, is_read })
    }

    fn read(&self, tx: &mut ReadTx<'_>) -> Result<ExecuteTransactionOutput, ItemsError> {
        let mut reads = Vec::with_capacity(self.statements.len());
        for (position, (parsed, _)) in self.statements.iter().enumerate() {
            let Statement::Select(select) = &parsed.statement else { continue };
            let table = tx.table(&parsed.table_name)?;
            let key = key_of_select(&table.definition, select)
                .filter(|_| !demands_more(&table.definition, select))
                .ok_or_else(|| {
                    let text = "Select statements within ExecuteTransaction must specify the primary key in the where \
                                clause.";
                    located(position, ItemsError::validation(text))
                })?;
            if reads.iter().any(|(other, _, other_key)| *other == select && *other_key == key) {
                return Err(ItemsError::validation(SAME_ITEM));
            }
            reads.push((select, table, key));
        }
        let mut output = ExecuteTransactionOutput::default();
        let mut meters: BTreeMap<&TableName, Meter> = BTreeMap::new();
        let mut read_items = ReadItems::default();
        for (position, (select, table, key)) in reads.iter().enumerate() {
            let selected = read_one(tx, table, select, key).map_err(|fault| match fault {
                SelectFault::Key(KeyFault::Empty(text)) => ItemsError::Validation(text),
                SelectFault::Key(fault) => {
                    let mut reasons = vec![CancellationReason::none(); reads.len()];
                    reasons[position] = CancellationReason {
                        code: "ValidationError",
                        message: Some(fault.into_text()),
                        item: None,
                    };
                    ItemsError::TransactionCanceled(reasons)
                }
                SelectFault::Failed(error) => located(position, error),
            })?;
            let meter = units_of_one(selected.size_bytes, Consistency::Transactional);
            meters.entry(table.name()).or_default().add(&meter);
            read_items.push(selected.item);
        }
        output.responses = read_items.finish()?;
        meters.iter().for_each(|(table_name, meter)| meter.count_read_of(tx, table_name));
        output.consumed_capacity = meters
            .iter()
            .filter_map(|(table_name, meter)| {
                meter.report(table_name, self.detail, RequestKind::TransactionRead)
            })
            .collect();
        Ok(output)
    }

    fn write(&self, env: &Env, tx: &mut Tx<'_>) -> Result<ExecuteTransactionOutput, ItemsError> {
        let mut writes = Vec::with_capacity(self.statements.len());
        for (position, (parsed, on_failure)) in self.statements.iter().enumerate() {
            let table = tx.table(&parsed.table_name)?;
            let write = planned(&parsed.statement, &table.definition, *on_failure)
                .map_err(|error| located(position, error))?;
            writes.extend(write);
        }
        let none = ReturnItemCollectionMetrics::None;
        let report = transact(env, tx, &writes, self.token.as_ref(), none)?;
        Ok(ExecuteTransactionOutput {
            responses: Vec::new(),
            consumed_capacity: report.consumed_capacity(self.detail),
        })
    }
}

/// Checks statements of a transaction as far as that needs no table, one after the other, as [`crate::check_transact_writes`] does
/// for actions.
///
/// # Errors
///
/// [`ItemsError::Validation`] or [`ItemsError::ResourceNotFound`] for the first statement with a fault.
pub fn check_transact_statements(statements: &[ParameterizedStatement]) -> Result<(), ItemsError> {
    statements
        .iter()
        .enumerate()
        .try_for_each(|(position, statement)| parsed(position, statement).map(|_| ()))
}

/// Parses a statement and checks what needs no table.
fn parsed(position: usize, statement: &ParameterizedStatement) -> Result<ParsedStatement, ItemsError> {
    ParsedStatement::parse(&statement.statement, &statement.parameters)
        .and_then(|parsed| check(&parsed.statement).map(|()| parsed))
        .map_err(|error| located(position, error))
}

/// Checks what a transaction does not take of a statement.
fn check(statement: &Statement) -> Result<(), ItemsError> {
    if statement.returning().is_some() {
        return Err(ItemsError::validation("RETURNING clause is not supported in ExecuteTransaction."));
    }
    if statement.is_read() && statement.source().index.is_some() {
        return Err(ItemsError::validation("Reads on indices are not supported within transactions."));
    }
    Ok(())
}

/// Says which statement is refused.
fn located(position: usize, error: ItemsError) -> ItemsError {
    match error {
        ItemsError::Validation(text) => {
            ItemsError::Validation(format!("Validation failed in TransactStatements[{position}]: {text}"))
        }
        other => other,
    }
}

fn fingerprint(input: &ExecuteTransactionInput) -> Vec<u8> {
    let mut fingerprint = Fingerprint::new("ExecuteTransaction");
    for statement in &input.transact_statements {
        fingerprint.text(&statement.statement);
        for parameter in &statement.parameters {
            fingerprint.text(&parameter.to_string());
        }
        fingerprint.text(match statement.return_values_on_condition_check_failure {
            ReturnValuesOnConditionCheckFailure::None => "NONE",
            ReturnValuesOnConditionCheckFailure::AllOld => "ALL_OLD",
        });
    }
    fingerprint.finish()
}
