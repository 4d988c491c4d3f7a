//! `ExecuteStatement`.

use pdb_model::ApiError;
use pretender::items::partiql::ExecuteStatementInput;
use pretender::items::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};

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
        /// What ExecuteStatement takes.
        pub(crate) struct ExecuteStatementInput<'a> {
            statement: Text<'a> = "Statement",
            parameters: Vec<Value> = "Parameters",
            consistent_read: bool = "ConsistentRead",
            next_token: Text<'a> = "NextToken",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
            limit: i32 = "Limit",
            return_values_on_condition_check_failure: Text<'a> = "ReturnValuesOnConditionCheckFailure",
        }
    }
}

/// Runs `ExecuteStatement`.
pub(crate) fn execute_statement(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let input: shapes::ExecuteStatementInput<'_> = decode_copied(body)?;

    let mut check = Constraints::new(Texts::CLASSIC);
    constrain_statement(
        &mut check,
        (&at("Statement"), input.statement.as_ref()),
        (&at("Parameters"), input.parameters.as_ref()),
    );
    check.text_length(&at("NextToken"), input.next_token.as_ref(), 1..=32_768);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    check.range(&at("Limit"), input.limit, 1..=i32::MAX);
    let on_failure = check.one_of::<ReturnValuesOnConditionCheckFailure>(
        &at("ReturnValuesOnConditionCheckFailure"),
        input.return_values_on_condition_check_failure.as_ref(),
    );
    check.finish()?;

    let statement = input.statement.unwrap_or_default();
    let parameters = parameters(input.parameters)?;
    if is_elsewhere(wire, &statement) {
        return Err(table::not_found());
    }
    let output = wire.pretender.execute_statement(ExecuteStatementInput {
        statement: statement.into_owned(),
        parameters,
        consistent_read: input.consistent_read.unwrap_or_default(),
        next_token: input.next_token.map(Text::into_owned),
        limit: input.limit.map(i32::unsigned_abs),
        return_consumed_capacity: consumed.unwrap_or_default(),
        return_values_on_condition_check_failure: on_failure.unwrap_or_default(),
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("Items").list_from(output.items.into_json());
        if let Some(token) = &output.next_token {
            json.name("NextToken").text(token);
        }
        if let Some(consumed) = &output.consumed_capacity {
            json.name("ConsumedCapacity");
            write_capacity(json, consumed, consumed.table_name.as_str());
        }
        if let Some(key) = &output.last_evaluated_key {
            json.name("LastEvaluatedKey").raw(&key.to_string());
        }
    }))
}
