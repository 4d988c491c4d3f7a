//! Operations on items: single reads and writes, queries and scans, batches, transactions, and PartiQL.
//!
//! Each operation is a method of [`Pretender`] and has one input type and one output type here, named as in the API.
//!
//! # Examples
//!
//! ```
//! use pretender::Pretender;
//! use pretender::items::{GetItemInput, PutItemInput, UpdateItemInput};
//! use pretender::model::{Item, ScalarType, TableName};
//! use pretender::tables::CreateTableInput;
//!
//! let db = Pretender::in_memory()?;
//! let orders = TableName::new("Orders")?;
//! db.create_table(CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None))?;
//!
//! let key = Item::new().with("id", "o1");
//! db.put_item(PutItemInput::new(orders.clone(), key.clone().with("amount", 40)))?;
//! db.update_item(UpdateItemInput {
//!     update_expression: Some("SET amount = amount + :more".to_owned()),
//!     expression_attribute_values: [(":more".to_owned(), 2.into())].into(),
//!     ..UpdateItemInput::new(orders.clone(), key.clone())
//! })?;
//! let item = db.get_item(GetItemInput::new(orders, key))?.item.expect("the item is there");
//! assert_eq!(item.json(), r#"{"amount":{"N":"42"},"id":{"S":"o1"}}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batches;

#[doc(inline)]
pub use pdb_items::{
    BatchGetItemInput, BatchGetItemOutput, BatchWriteItemInput, BatchWriteItemOutput, Capacity,
    CapacityUnits, ConsumedCapacity, DeleteItemInput, DeleteItemOutput, EncodedItems, GetItemInput,
    GetItemOutput, ItemCollectionMetrics, KeysAndAttributes, MetricsByTable, PageOutput, PutItemInput,
    PutItemOutput, QueryInput, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues,
    ReturnValuesOnConditionCheckFailure, ScanInput, Select, TransactAction, TransactGet,
    TransactGetItemsInput, TransactGetItemsOutput, TransactWrite, TransactWriteItemsInput,
    TransactWriteItemsOutput, UpdateItemInput, UpdateItemOutput, WriteRequest,
};
use pdb_model::{ApiError, Operation};

/// Legacy parameters: `Expected`, `AttributeUpdates`, `KeyConditions`, `QueryFilter` and `ScanFilter`.
pub mod legacy {
    #[doc(inline)]
    pub use pdb_items::legacy::{
        AttributeAction, AttributeValueUpdate, ComparisonOperator, Condition, ConditionalOperator,
        ExpectedAttributeValue,
    };
}

/// Inputs and outputs of the operations that execute PartiQL statements.
///
/// # Examples
///
/// ```
/// use pretender::prelude::*;
/// use pretender::items::partiql::ExecuteStatementInput;
///
/// let db = Pretender::in_memory()?;
/// db.create_table(CreateTableInput::new("Orders".parse()?, ("id", ScalarType::S), None))?;
/// let insert = r#"INSERT INTO "Orders" VALUE {'id': ?, 'total': 42}"#;
/// let execute = |statement: &str, parameters| {
///     let input = ExecuteStatementInput { statement: statement.to_owned(), parameters, ..Default::default() };
///     db.execute_statement(input)
/// };
/// execute(insert, vec!["o1".into()])?;
/// let found = execute(r#"SELECT total FROM "Orders" WHERE id = ?"#, vec!["o1".into()])?;
/// assert_eq!(found.items.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub mod partiql {
    #[doc(inline)]
    pub use pdb_items::partiql::{
        BatchExecuteStatementInput, BatchExecuteStatementOutput, BatchStatement, BatchStatementError,
        BatchStatementResponse, ExecuteStatementInput, ExecuteStatementOutput, ExecuteTransactionInput,
        ExecuteTransactionOutput, ParameterizedStatement, region_named_by, table_named_by,
    };
}

use partiql::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput, ExecuteStatementInput, ExecuteStatementOutput,
    ExecuteTransactionInput, ExecuteTransactionOutput, ParameterizedStatement,
};

use crate::Pretender;
use crate::errors::items_error;

macro_rules! reads {
    ($($(#[$doc:meta])* $operation:ident: $name:ident($input:ty) -> $output:ty;)+) => {
        impl Pretender {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// [`ApiError`] with AWS's code and text.
                pub fn $name(&self, input: $input) -> Result<$output, ApiError> {
                    self.pass(Operation::$operation, &input)?;
                    self.inner.items.$name(input).map_err(|error| self.told(error))
                }
            )+
        }
    };
}

macro_rules! writes {
    ($($(#[$doc:meta])* $operation:ident: $name:ident, $name_async:ident, $blocking:ident($input:ty) -> $output:ty;)+) => {
        impl Pretender {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// [`ApiError`] with AWS's code and text. Nothing was written then.
                pub fn $name(&self, input: $input) -> Result<$output, ApiError> {
                    self.pass(Operation::$operation, &input)?;
                    self.inner.items.$blocking(input).map_err(|error| self.told(error))
                }

                #[doc = concat!("Does as [`Pretender::", stringify!($name), "`], without a thread that waits.")]
                ///
                /// # Errors
                ///
                /// As the plain call.
                pub async fn $name_async(&self, input: $input) -> Result<$output, ApiError> {
                    self.pass_async(Operation::$operation, &input).await?;
                    self.inner.items.$name(input).await.map_err(|error| self.told(error))
                }
            )+
        }
    };
}

reads! {
    /// Reads an item by its key.
    GetItem: get_item(GetItemInput) -> GetItemOutput;
    /// Reads up to 100 items by their keys, all of one moment.
    TransactGetItems: transact_get_items(TransactGetItemsInput) -> TransactGetItemsOutput;
    /// Reads a page of the items of one partition, of a table or of an index.
    Query: query(QueryInput) -> PageOutput;
    /// Reads a page of all items of a table or of an index.
    Scan: scan(ScanInput) -> PageOutput;
}

writes! {
    /// Puts an item, in the place of the one with its key if there is one.
    PutItem: put_item, put_item_async, put_item_blocking(PutItemInput) -> PutItemOutput;
    /// Changes an item, or makes it if there is none.
    UpdateItem: update_item, update_item_async, update_item_blocking(UpdateItemInput) -> UpdateItemOutput;
    /// Deletes an item if it is there.
    DeleteItem: delete_item, delete_item_async, delete_item_blocking(DeleteItemInput) -> DeleteItemOutput;
    /// Puts, changes, deletes and checks up to 100 items, all or nothing.
    TransactWriteItems: transact_write_items, transact_write_items_async,
        transact_write_items_blocking(TransactWriteItemsInput) -> TransactWriteItemsOutput;
    /// Executes a PartiQL statement.
    ExecuteStatement: execute_statement, execute_statement_async,
        execute_statement_blocking(ExecuteStatementInput) -> ExecuteStatementOutput;
    /// Executes up to 25 PartiQL statements, each for itself.
    BatchExecuteStatement: batch_execute_statement, batch_execute_statement_async,
        batch_execute_statement_blocking(BatchExecuteStatementInput) -> BatchExecuteStatementOutput;
    /// Executes up to 100 PartiQL statements, all or nothing.
    ExecuteTransaction: execute_transaction, execute_transaction_async,
        execute_transaction_blocking(ExecuteTransactionInput) -> ExecuteTransactionOutput;
}

/// Checks of what is not a whole request yet. They are no calls: no fault is injected, nothing is read.
impl Pretender {
    /// Checks actions of a transaction as far as that needs no table, one after the other.
    ///
    /// AWS reports the first action's faults before the second's, so a decoder that cannot make an action of a request asks this
    /// about the actions in front of it.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's text for the first action with a fault.
    pub fn check_transact_writes(actions: Vec<TransactWrite>) -> Result<(), ApiError> {
        pdb_items::check_transact_writes(actions).map_err(items_error)
    }

    /// Does as [`Pretender::check_transact_writes`] for reads.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's text for the first read with a fault.
    pub fn check_transact_gets(gets: &[TransactGet]) -> Result<(), ApiError> {
        pdb_items::check_transact_gets(gets).map_err(items_error)
    }

    /// Does as [`Pretender::check_transact_writes`] for PartiQL statements.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's text for the first statement with a fault.
    pub fn check_transact_statements(statements: &[ParameterizedStatement]) -> Result<(), ApiError> {
        pdb_items::partiql::check_transact_statements(statements).map_err(items_error)
    }
}
