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
    CapacityUnits, ConsumedCapacity, DeleteItemInput, DeleteItemOutput, EncodedItems, FoundItem,
    GetItemInput, GetItemOutput, ItemCollectionMetrics, KeysAndAttributes, MetricsByTable, PageOutput,
    PutItemInput, PutItemOutput, QueryInput, ReturnConsumedCapacity, ReturnItemCollectionMetrics,
    ReturnValues, ReturnValuesOnConditionCheckFailure, ScanInput, SearchResult, SearchVectorsInput,
    SearchVectorsOutput, Select, TransactAction, TransactGet, TransactGetItemsInput, TransactGetItemsOutput,
    TransactWrite, TransactWriteItemsInput, TransactWriteItemsOutput, UpdateItemInput, UpdateItemOutput,
    VectorCapacity, WriteRequest,
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

macro_rules! operations {
    ($($(#[$doc:meta])* $operation:ident: $name:ident, $name_async:ident($input:ty) -> $output:ty;)+) => {
        impl Pretender {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// [`ApiError`] with AWS's code and text. The call had no effect then.
                pub fn $name(&self, input: $input) -> Result<$output, ApiError> {
                    self.inject(Operation::$operation, &input)?;
                    self.inner.items.$name(input).map_err(|error| self.api_error(error))
                }

                #[doc = concat!("Async variant of [`Pretender::", stringify!($name), "`].")]
                ///
                /// # Errors
                ///
                #[doc = concat!("As [`Pretender::", stringify!($name), "`].")]
                pub async fn $name_async(&self, input: $input) -> Result<$output, ApiError> {
                    self.inject_async(Operation::$operation, &input).await?;
                    self.inner.items.$name_async(input).await.map_err(|error| self.api_error(error))
                }
            )+
        }
    };
}

operations! {
    /// Creates an item, or replaces the one with the same key.
    PutItem: put_item, put_item_async(PutItemInput) -> PutItemOutput;
    /// Changes an item, or creates it if there is none with its key.
    UpdateItem: update_item, update_item_async(UpdateItemInput) -> UpdateItemOutput;
    /// Deletes the item with a key. It is not an error if there is no such item.
    DeleteItem: delete_item, delete_item_async(DeleteItemInput) -> DeleteItemOutput;
    /// Returns the item with a key, if there is one.
    GetItem: get_item, get_item_async(GetItemInput) -> GetItemOutput;
    /// Returns a page of the items of one partition, of a table or of an index.
    Query: query, query_async(QueryInput) -> PageOutput;
    /// Returns a page of all items of a table or of an index.
    Scan: scan, scan_async(ScanInput) -> PageOutput;
    /// Returns the items of a vector index that are nearest to a vector.
    SearchVectors: search_vectors, search_vectors_async(SearchVectorsInput) -> SearchVectorsOutput;
    /// Returns up to 100 items by their keys, all of the same moment.
    TransactGetItems: transact_get_items, transact_get_items_async(TransactGetItemsInput) -> TransactGetItemsOutput;
    /// Puts, updates, deletes and checks up to 100 items: all of them or none.
    TransactWriteItems: transact_write_items, transact_write_items_async(TransactWriteItemsInput) -> TransactWriteItemsOutput;
    /// Executes a PartiQL statement.
    ExecuteStatement: execute_statement, execute_statement_async(ExecuteStatementInput) -> ExecuteStatementOutput;
    /// Executes up to 25 PartiQL statements independently. The response to a statement that fails has its error.
    BatchExecuteStatement: batch_execute_statement,
        batch_execute_statement_async(BatchExecuteStatementInput) -> BatchExecuteStatementOutput;
    /// Executes up to 100 PartiQL statements: all of them or none.
    ExecuteTransaction: execute_transaction, execute_transaction_async(ExecuteTransactionInput) -> ExecuteTransactionOutput;
}

/// # Checks of incomplete requests
///
/// A front end that cannot decode an action of a transaction checks the actions in front of it with these functions, because AWS reports
/// the first action's error first. They read nothing, and no fault affects them.
impl Pretender {
    /// Checks actions of a transaction, one after the other, as far as that needs no table.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's text for the first action with an error.
    pub fn check_transact_writes(actions: Vec<TransactWrite>) -> Result<(), ApiError> {
        pdb_items::check_transact_writes(actions).map_err(items_error)
    }

    /// Checks reads of a transaction, one after the other, as far as that needs no table.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's text for the first read with an error.
    pub fn check_transact_gets(gets: &[TransactGet]) -> Result<(), ApiError> {
        pdb_items::check_transact_gets(gets).map_err(items_error)
    }

    /// Checks PartiQL statements of a transaction, one after the other, as far as that needs no table.
    ///
    /// # Errors
    ///
    /// [`ApiError`] with AWS's text for the first statement with an error.
    pub fn check_transact_statements(statements: &[ParameterizedStatement]) -> Result<(), ApiError> {
        pdb_items::partiql::check_transact_statements(statements).map_err(items_error)
    }
}
