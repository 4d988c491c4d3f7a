//! `BatchExecuteStatement`.

use pdb_model::ApiError;
use pretender::items::ReturnConsumedCapacity;
use pretender::items::partiql::{
    BatchExecuteStatementInput, BatchStatement, BatchStatementError, BatchStatementResponse,
};

use super::{constrain_statement, is_elsewhere, parameters};
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_copied, shape};
use crate::items::{table, write_capacity};
use crate::json::JsonWriter;
use crate::layer::Texts;
use crate::value::Value;

mod shapes {
    use super::*;

    shape! {
        /// What BatchExecuteStatement takes.
        pub(crate) struct BatchExecuteStatementInput<'a> {
            statements: Vec<BatchStatementRequest<'a>> = "Statements",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
        }

        /// One statement. What a failed condition shows is accepted, and has no effect on AWS either.
        pub(crate) struct BatchStatementRequest<'a> {
            statement: Text<'a> = "Statement",
            parameters: Vec<Value> = "Parameters",
            consistent_read: bool = "ConsistentRead",
        }
    }
}

/// Runs `BatchExecuteStatement`.
pub(crate) fn batch_execute_statement(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let input: shapes::BatchExecuteStatementInput<'_> = decode_copied(body)?;

    let mut check = Constraints::new(Texts::CLASSIC);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    let at_statements = at("Statements");
    check.required(&at_statements, input.statements.as_ref());
    check.list_length(&at_statements, input.statements.as_ref(), 1..=25);
    for (index, statement) in input.statements.iter().flatten().enumerate() {
        let at_element = at_statements.element(index);
        constrain_statement(
            &mut check,
            (&at_element.member("Statement"), statement.statement.as_ref()),
            (&at_element.member("Parameters"), statement.parameters.as_ref()),
        );
    }
    check.finish()?;

    let mut elsewhere = Vec::new();
    for (index, statement) in input.statements.iter().flatten().enumerate() {
        if is_elsewhere(wire, statement.statement.as_deref().unwrap_or_default()) {
            elsewhere.push(index);
        }
    }
    let take = |given: shapes::BatchStatementRequest<'_>| {
        Ok(BatchStatement {
            statement: given.statement.unwrap_or_default().into_owned(),
            parameters: parameters(given.parameters)?,
            consistent_read: given.consistent_read.unwrap_or_default(),
        })
    };
    let statements: Result<Vec<BatchStatement>, ApiError> =
        input.statements.into_iter().flatten().map(take).collect();
    let mut statements = statements?;
    // From behind, so that the places of the others stay.
    for index in elsewhere.iter().rev() {
        statements.remove(*index);
    }
    let mut output = wire.pretender.batch_execute_statement(BatchExecuteStatementInput {
        statements,
        return_consumed_capacity: consumed.unwrap_or_default(),
    })?;
    for index in elsewhere {
        output.responses.insert(index, no_table(wire));
    }
    Ok(JsonWriter::object_of(|json| {
        json.name("Responses").list(&output.responses, write_response);
        if !output.consumed_capacity.is_empty() {
            json.name("ConsumedCapacity").list(&output.consumed_capacity, |json, consumed| {
                write_capacity(json, consumed, consumed.table_name.as_str());
            });
        }
    }))
}

/// What is said of a statement on a table that is not there.
fn no_table(wire: &Wire) -> BatchStatementResponse {
    let message = wire.pretender.habits().reword(table::not_found()).message;
    let error = BatchStatementError { code: "ResourceNotFound", message };
    BatchStatementResponse { error: Some(error), ..BatchStatementResponse::default() }
}

fn write_response(json: &mut JsonWriter, response: &BatchStatementResponse) {
    json.object(|json| {
        if let Some(error) = &response.error {
            json.name("Error").object(|json| {
                json.name("Code").text(error.code);
                json.name("Message").text(&error.message);
            });
        }
        if let Some(table) = &response.table_name {
            json.name("TableName").text(table.as_str());
        }
        if let Some(item) = &response.item {
            json.name("Item").raw(item.json());
        }
    });
}
