//! From an operation and a body to an answer.

use pdb_model::{ApiError, Operation};

use crate::error::error_response;
use crate::response::Response;
use crate::{Wire, items, statements, streams, tables};

impl Wire {
    /// Decodes a request, carries it out, and encodes the answer.
    pub(crate) async fn respond(&self, operation: Operation, body: &[u8]) -> Response {
        match self.answer(operation, body).await {
            Ok(body) => Response { status: 200, body },
            Err(error) => error_response(&self.pretender.habits().reword(error)),
        }
    }

    async fn answer(&self, operation: Operation, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        match operation {
            Operation::PutItem => items::put_item(self, body).await,
            Operation::UpdateItem => items::update_item(self, body).await,
            Operation::DeleteItem => items::delete_item(self, body).await,
            Operation::GetItem => items::get_item(self, body),
            Operation::Query => items::query(self, body),
            Operation::Scan => items::scan(self, body),
            Operation::SearchVectors => items::search_vectors(self, body),
            Operation::BatchGetItem => items::batch_get_item(self, body),
            Operation::BatchWriteItem => items::batch_write_item(self, body).await,
            Operation::TransactGetItems => items::transact_get_items(self, body),
            Operation::TransactWriteItems => items::transact_write_items(self, body).await,
            Operation::ExecuteStatement => statements::execute_statement(self, body),
            Operation::BatchExecuteStatement => statements::batch_execute_statement(self, body),
            Operation::ExecuteTransaction => statements::execute_transaction(self, body),
            Operation::ListStreams => streams::list_streams(self, body),
            Operation::DescribeStream => streams::describe_stream(self, body),
            Operation::GetShardIterator => streams::get_shard_iterator(self, body),
            Operation::GetRecords => streams::get_records(self, body),
            of_tables => tables::answer(self, of_tables, body),
        }
    }
}
