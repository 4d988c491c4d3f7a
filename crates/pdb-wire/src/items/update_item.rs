//! `UpdateItem`.

use pdb_model::ApiError;
use pretender::items::legacy::ConditionalOperator;
use pretender::items::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues, ReturnValuesOnConditionCheckFailure,
    UpdateItemInput,
};

use super::answer::write_answer;
use super::legacy::{self, AttributeUpdates, Expected};
use super::placeholders::{self, Presence};
use super::table;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Entries, Text, decode_copied, shape};
use crate::layer::Family;
use crate::value::{AttributeMap, Value};

mod shapes {
    use super::*;

    shape! {
        /// What UpdateItem takes.
        pub(crate) struct UpdateItemInput<'a> {
            table_name: Text<'a> = "TableName",
            key: AttributeMap = "Key",
            attribute_updates: AttributeUpdates<'a> = "AttributeUpdates",
            update_expression: Text<'a> = "UpdateExpression",
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

/// Runs `UpdateItem`.
pub(crate) async fn update_item(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let texts = wire.texts(Family::SingleWrite);
    let input: shapes::UpdateItemInput<'_> = decode_copied(body)?;

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
    legacy::constrain_updates(&mut check, &at("AttributeUpdates"), input.attribute_updates.as_ref());
    check.required(&at("Key"), input.key.as_ref());
    check.finish()?;
    table::check_arn(input.table_name.as_deref())?;

    let expressions = [
        ("UpdateExpression", input.update_expression.is_some()),
        ("ConditionExpression", input.condition_expression.is_some()),
    ];
    Presence {
        legacy: &[
            ("AttributeUpdates", input.attribute_updates.is_some()),
            ("Expected", input.expected.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
        expressions: &expressions,
        with_values: &expressions,
        has_names: input.expression_attribute_names.is_some(),
        has_values: input.expression_attribute_values.is_some(),
    }
    .check(texts)?;
    legacy::check_operator(input.conditional_operator.as_ref(), input.expected.as_ref(), texts)?;
    let key = input.key.unwrap_or_default().checked(texts)?;
    let attribute_updates = legacy::updates(input.attribute_updates, texts)?;
    let expected = legacy::expected(input.expected, texts)?;
    let names = placeholders::names(input.expression_attribute_names, texts)?;
    let values = placeholders::values(input.expression_attribute_values, texts)?;

    let shown = input.table_name.unwrap_or_default();
    let request = UpdateItemInput {
        table_name: table::table_name(&shown, wire.only_region())?,
        key,
        update_expression: placeholders::expression(input.update_expression),
        condition_expression: placeholders::expression(input.condition_expression),
        expression_attribute_names: names,
        expression_attribute_values: values,
        attribute_updates,
        expected,
        conditional_operator: operator.unwrap_or_default(),
        return_values: return_values.unwrap_or_default(),
        return_values_on_condition_check_failure: on_failure.unwrap_or_default(),
        return_consumed_capacity: consumed.unwrap_or_default(),
        return_item_collection_metrics: metrics.unwrap_or_default(),
    };
    let output = wire.pretender.update_item_async(request).await?;
    Ok(write_answer(
        output.attributes.as_ref(),
        output.consumed_capacity.as_ref(),
        output.item_collection_metrics.as_ref(),
        &shown,
    ))
}
