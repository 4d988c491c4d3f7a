//! `ExecuteTransaction`.

use pdb_model::{ApiError, AttributeValue};
use pretender::Pretender;
use pretender::items::partiql::ExecuteTransactionInput;
use pretender::items::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};

use super::{constrain_statement, is_elsewhere};
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_copied, shape};
use crate::items::{table, write_capacity};
use crate::json::JsonWriter;
use crate::layer::Texts;
use crate::value::{Fault, Value};

mod shapes {
    use super::*;

    shape! {
        /// What ExecuteTransaction takes.
        pub(crate) struct ExecuteTransactionInput<'a> {
            transact_statements: Vec<ParameterizedStatement<'a>> = "TransactStatements",
            client_request_token: Text<'a> = "ClientRequestToken",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
        }

        /// One statement.
        pub(crate) struct ParameterizedStatement<'a> {
            statement: Text<'a> = "Statement",
            parameters: Vec<Value> = "Parameters",
            return_values_on_condition_check_failure: Text<'a> = "ReturnValuesOnConditionCheckFailure",
        }
    }
}

/// Runs `ExecuteTransaction`.
pub(crate) fn execute_transaction(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let input: shapes::ExecuteTransactionInput<'_> = decode_copied(body)?;

    let mut check = Constraints::new(Texts::CLASSIC);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    check.text_length(&at("ClientRequestToken"), input.client_request_token.as_ref(), 1..=36);
    let at_statements = at("TransactStatements");
    check.required(&at_statements, input.transact_statements.as_ref());
    check.list_length(&at_statements, input.transact_statements.as_ref(), 1..=100);
    let mut on_failure = Vec::new();
    for (index, statement) in input.transact_statements.iter().flatten().enumerate() {
        let at_element = at_statements.element(index);
        constrain_statement(
            &mut check,
            (&at_element.member("Statement"), statement.statement.as_ref()),
            (&at_element.member("Parameters"), statement.parameters.as_ref()),
        );
        let word = check.one_of::<ReturnValuesOnConditionCheckFailure>(
            &at_element.member("ReturnValuesOnConditionCheckFailure"),
            statement.return_values_on_condition_check_failure.as_ref(),
        );
        on_failure.push(word.unwrap_or_default());
    }
    check.finish()?;

    check_request(input.transact_statements.as_deref().unwrap_or_default())?;
    let mut transact_statements = Vec::with_capacity(on_failure.len());
    let mut is_any_elsewhere = false;
    for (index, (given, on_failure)) in
        input.transact_statements.into_iter().flatten().zip(on_failure).enumerate()
    {
        let parameters = match parameters_of(index, given.parameters) {
            Ok(parameters) => parameters,
            Err(error) => {
                // What is wrong with an earlier statement comes first.
                Pretender::check_transact_statements(&transact_statements)?;
                return Err(error);
            }
        };
        is_any_elsewhere |= is_elsewhere(wire, given.statement.as_deref().unwrap_or_default());
        transact_statements.push(pretender::items::partiql::ParameterizedStatement {
            statement: given.statement.unwrap_or_default().into_owned(),
            parameters,
            return_values_on_condition_check_failure: on_failure,
        });
    }
    if is_any_elsewhere {
        // What is wrong with a statement itself comes first.
        Pretender::check_transact_statements(&transact_statements)?;
        return Err(table::not_found());
    }
    let output = wire.pretender.execute_transaction(ExecuteTransactionInput {
        transact_statements,
        client_request_token: input.client_request_token.map(Text::into_owned),
        return_consumed_capacity: consumed.unwrap_or_default(),
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("Responses").list(&output.responses, |json, item| {
            json.object(|json| {
                if let Some(item) = item {
                    json.name("Item").raw(item.json());
                }
            });
        });
        if !output.consumed_capacity.is_empty() {
            json.name("ConsumedCapacity").list(&output.consumed_capacity, |json, consumed| {
                write_capacity(json, consumed, consumed.table_name.as_str());
            });
        }
    }))
}

/// Checks what is a fault of the whole request: numbers and nesting. AWS names no statement then.
fn check_request(statements: &[shapes::ParameterizedStatement<'_>]) -> Result<(), ApiError> {
    let parameters = statements.iter().flat_map(|statement| statement.parameters.iter().flatten());
    match parameters
        .filter_map(Value::fault)
        .find(|fault| matches!(fault, Fault::Number { .. } | Fault::TooDeep))
    {
        None => Ok(()),
        Some(fault) => Err(ApiError::validation(fault.text(Texts::CLASSIC))),
    }
}

/// Takes the parameters of a statement, whose other faults name the statement.
fn parameters_of(index: usize, given: Option<Vec<Value>>) -> Result<Vec<AttributeValue>, ApiError> {
    let take = |value: Value| {
        value.checked(Texts::CLASSIC).map_err(|error| {
            ApiError::validation(format!(
                "Validation failed in TransactStatements[{index}]: {}",
                error.message
            ))
        })
    };
    given.into_iter().flatten().map(take).collect()
}
