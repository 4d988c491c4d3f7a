//! PartiQL: `ExecuteStatement`, `BatchExecuteStatement` and `ExecuteTransaction`.

mod types;

pub use types::{
    BatchExecuteStatementInput, BatchExecuteStatementOutput, BatchStatement, BatchStatementError,
    BatchStatementResponse, ExecuteStatementInput, ExecuteStatementOutput, ExecuteTransactionInput,
    ExecuteTransactionOutput, ParameterizedStatement,
};
