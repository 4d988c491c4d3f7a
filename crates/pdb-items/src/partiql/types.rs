//! What the operations are asked and what they answer.

use pdb_model::{AttributeValue, EncodedItem, Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::items_page::EncodedItems;
use crate::options::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};

/// The input of `ExecuteStatement`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecuteStatementInput {
    /// The statement.
    pub statement: String,
    /// What its question marks stand for, in order.
    pub parameters: Vec<AttributeValue>,
    /// Whether a read is strongly consistent. Here every read is; it decides the price.
    pub consistent_read: bool,
    /// Where an earlier page of the same read ended.
    pub next_token: Option<String>,
    /// How many items to read at most.
    pub limit: Option<u32>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What a failed condition shows.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}

/// The output of `ExecuteStatement`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecuteStatementOutput {
    /// The items read, or what `RETURNING` asked for.
    pub items: EncodedItems,
    /// Where the page ended, if there may be more.
    pub next_token: Option<String>,
    /// The same as a key.
    pub last_evaluated_key: Option<Item>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
}

/// One statement of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchStatement {
    /// The statement.
    pub statement: String,
    /// What its question marks stand for, in order.
    pub parameters: Vec<AttributeValue>,
    /// Whether a read is strongly consistent. Here every read is; it decides the price.
    pub consistent_read: bool,
}

/// The input of `BatchExecuteStatement`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchExecuteStatementInput {
    /// The statements: all read, or all write.
    pub statements: Vec<BatchStatement>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// What became of one statement of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchStatementResponse {
    /// The table, if the statement got that far.
    pub table_name: Option<TableName>,
    /// The item read, or what `RETURNING` asked for.
    pub item: Option<EncodedItem>,
    /// Why the statement failed.
    pub error: Option<BatchStatementError>,
}

/// Why a statement of a batch failed.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchStatementError {
    /// The code, such as `ConditionalCheckFailed`.
    pub code: &'static str,
    /// The text.
    pub message: String,
}

/// The output of `BatchExecuteStatement`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchExecuteStatementOutput {
    /// One entry for each statement, in order.
    pub responses: Vec<BatchStatementResponse>,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}

/// One statement of a transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterizedStatement {
    /// The statement.
    pub statement: String,
    /// What its question marks stand for, in order.
    pub parameters: Vec<AttributeValue>,
    /// What a failed condition shows.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}

/// The input of `ExecuteTransaction`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecuteTransactionInput {
    /// The statements: all read, or all write.
    pub transact_statements: Vec<ParameterizedStatement>,
    /// Makes a repetition within ten minutes harmless.
    pub client_request_token: Option<String>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// The output of `ExecuteTransaction`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecuteTransactionOutput {
    /// For statements that read, one entry each, in order, with `None` for an item that does not exist; empty if they write.
    pub responses: Vec<Option<EncodedItem>>,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}
