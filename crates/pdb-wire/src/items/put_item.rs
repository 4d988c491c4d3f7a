//! `PutItem`.

use pdb_model::ApiError;
use pretender::items::legacy::ConditionalOperator;
use pretender::items::{
    PutItemInput, ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues,
    ReturnValuesOnConditionCheckFailure,
};

use super::answer::write_answer;
use super::legacy::{self, Expected};
use super::placeholders::{self, Presence};
use super::table;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Entries, Text, decode_body, shape};
use crate::layer::Family;
use crate::value::{AttributeMap, Value};

mod shapes {
    use super::*;

    shape! {
        /// What PutItem takes.
        pub(crate) struct PutItemInput<'a> {
            table_name: Text<'a> = "TableName",
            item: AttributeMap = "Item",
            condition_expression: Text<'a> = "ConditionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            expression_attribute_values: Entries<'a, Value> = "ExpressionAttributeValues",
            expected: Expected<'a> = "Expected",
            conditional_operator: Text<'a> = "ConditionalOperator",
            return_values: Text<'a> = "ReturnValues",
            return_values_on_condition_check_failure: Text<'a> = "ReturnValuesOnConditionCheckFailure",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
            return_item_collection_metrics: Text<'a> = "ReturnItemCollectionMetrics",
        }
    }
}

/// Runs `PutItem`.
pub(crate) async fn put_item(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let texts = wire.texts(Family::SingleWrite);
    let input: shapes::PutItemInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(texts);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    check.table_name(&at("TableName"), input.table_name.as_ref());
    let return_values = check.one_of::<ReturnValues>(&at("ReturnValues"), input.return_values.as_ref());
    let metrics = check.one_of::<ReturnItemCollectionMetrics>(
        &at("ReturnItemCollectionMetrics"),
        input.return_item_collection_metrics.as_ref(),
    );
    let on_failure = check.one_of::<ReturnValuesOnConditionCheckFailure>(
        &at("ReturnValuesOnConditionCheckFailure"),
        input.return_values_on_condition_check_failure.as_ref(),
    );
    let operator =
        check.one_of::<ConditionalOperator>(&at("ConditionalOperator"), input.conditional_operator.as_ref());
    legacy::constrain_expected(&mut check, &at("Expected"), input.expected.as_ref());
    check.required(&at("Item"), input.item.as_ref());
    check.finish()?;
    table::check_arn(input.table_name.as_deref())?;

    let condition = [("ConditionExpression", input.condition_expression.is_some())];
    Presence {
        legacy: &[
            ("Expected", input.expected.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
        expressions: &condition,
        with_values: &condition,
        has_names: input.expression_attribute_names.is_some(),
        has_values: input.expression_attribute_values.is_some(),
    }
    .check(texts)?;
    legacy::check_operator(input.conditional_operator.as_ref(), input.expected.as_ref(), texts)?;
    let item = input.item.unwrap_or_default().checked(texts)?;
    let expected = legacy::expected(input.expected, texts)?;
    let return_values = super::answer::old_values_only(return_values, texts)?;
    let names = placeholders::names(input.expression_attribute_names, texts)?;
    let values = placeholders::values(input.expression_attribute_values, texts)?;

    let shown = input.table_name.unwrap_or_default();
    let request = PutItemInput {
        table_name: table::table_name(&shown, wire.only_region())?,
        item,
        condition_expression: placeholders::expression(input.condition_expression),
        expression_attribute_names: names,
        expression_attribute_values: values,
        expected,
        conditional_operator: operator.unwrap_or_default(),
        return_values,
        return_values_on_condition_check_failure: on_failure.unwrap_or_default(),
        return_consumed_capacity: consumed.unwrap_or_default(),
        return_item_collection_metrics: metrics.unwrap_or_default(),
    };
    let output = wire.pretender.put_item_async(request).await?;
    Ok(write_answer(
        output.attributes.as_ref(),
        output.consumed_capacity.as_ref(),
        output.item_collection_metrics.as_ref(),
        &shown,
    ))
}
