//! PartiQL: `ExecuteStatement`, `BatchExecuteStatement` and `ExecuteTransaction`.
//!
//! Statements are parsed by `pdb-expr`, before any transaction. A `SELECT` becomes ranges of keys and a filter, read page by page
//! as queries and scans are; every other statement becomes one of the writes that all operations share.

mod batch;
mod execute_statement;
mod execute_transaction;
mod next_token;
mod select;
mod statement;
mod types;
mod write;

pub use execute_transaction::check_transact_statements;
pub use pdb_expr::partiql::StatementKind;
pub use statement::{access_named_by, region_named_by, table_named_by};
pub use types::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput, BatchStatement, BatchStatementError,
    BatchStatementResponse, ExecuteStatementInput, ExecuteStatementOutput, ExecuteTransactionInput,
    ExecuteTransactionOutput, ParameterizedStatement,
};
