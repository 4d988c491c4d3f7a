//! `Query`, and the answer it shares with `Scan`.

use pdb_model::ApiError;
use pretender::items::legacy::ConditionalOperator;
use pretender::items::{PageOutput, QueryInput, ReturnConsumedCapacity, Select};

use super::capacity::write_capacity;
use super::legacy::{self, Conditions};
use super::placeholders::{self, Presence};
use super::table;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Entries, Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::Family;
use crate::value::{AttributeMap, Value};

mod shapes {
    use super::*;

    shape! {
        /// What Query takes.
        pub(crate) struct QueryInput<'a> {
            table_name: Text<'a> = "TableName",
            index_name: Text<'a> = "IndexName",
            select: Text<'a> = "Select",
            attributes_to_get: Vec<Text<'a>> = "AttributesToGet",
            limit: i32 = "Limit",
            consistent_read: bool = "ConsistentRead",
            key_conditions: Conditions<'a> = "KeyConditions",
            query_filter: Conditions<'a> = "QueryFilter",
            conditional_operator: Text<'a> = "ConditionalOperator",
            scan_index_forward: bool = "ScanIndexForward",
            exclusive_start_key: AttributeMap = "ExclusiveStartKey",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
            projection_expression: Text<'a> = "ProjectionExpression",
            filter_expression: Text<'a> = "FilterExpression",
            key_condition_expression: Text<'a> = "KeyConditionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            expression_attribute_values: Entries<'a, Value> = "ExpressionAttributeValues",
        }
    }
}

/// Runs `Query`.
pub(crate) fn query(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let texts = wire.texts(Family::Read);
    let input: shapes::QueryInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(texts);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    check.table_name(&at("TableName"), input.table_name.as_ref());
    check.index_name(&at("IndexName"), input.index_name.as_ref());
    // Query alone gives the new form of this text on both layers.
    check.modern_range(&at("Limit"), input.limit, 1..=i32::MAX);
    let select = check.one_of::<Select>(&at("Select"), input.select.as_ref());
    let operator =
        check.one_of::<ConditionalOperator>(&at("ConditionalOperator"), input.conditional_operator.as_ref());
    legacy::constrain_conditions(&mut check, &at("KeyConditions"), input.key_conditions.as_ref());
    legacy::constrain_conditions(&mut check, &at("QueryFilter"), input.query_filter.as_ref());
    check.list_length(&at("AttributesToGet"), input.attributes_to_get.as_ref(), 1..=usize::MAX);
    check.finish()?;
    table::check_arn(input.table_name.as_deref())?;

    let has_key_expression = input.key_condition_expression.is_some();
    Presence {
        legacy: &[
            ("AttributesToGet", input.attributes_to_get.is_some()),
            ("QueryFilter", input.query_filter.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
            // The old key condition goes with every expression but its own successor.
            ("KeyConditions", input.key_conditions.is_some() && has_key_expression),
        ],
        expressions: &[
            ("ProjectionExpression", input.projection_expression.is_some()),
            ("FilterExpression", input.filter_expression.is_some()),
            ("KeyConditionExpression", has_key_expression),
        ],
        with_values: &[
            ("FilterExpression", input.filter_expression.is_some()),
            ("KeyConditionExpression", has_key_expression),
        ],
        has_names: input.expression_attribute_names.is_some(),
        has_values: input.expression_attribute_values.is_some(),
    }
    .check(texts)?;
    legacy::check_operator(input.conditional_operator.as_ref(), input.query_filter.as_ref(), texts)?;
    let query_filter = legacy::conditions(input.query_filter.unwrap_or_default(), texts)?;
    let attributes_to_get = legacy::attributes_to_get(input.attributes_to_get, texts)?;
    let exclusive_start_key =
        input.exclusive_start_key.map(|key| key.checked_start_key(texts)).transpose()?;
    let names = placeholders::names(input.expression_attribute_names, texts)?;
    let values = placeholders::values(input.expression_attribute_values, texts)?;
    let key_conditions =
        input.key_conditions.map(|conditions| legacy::conditions(conditions, texts)).transpose()?;

    let shown = input.table_name.unwrap_or_default();
    let output = wire.pretender.query(QueryInput {
        table_name: table::table_name(&shown, wire.only_region())?,
        index_name: table::index_name(input.index_name.as_deref())?,
        select,
        key_condition_expression: placeholders::expression(input.key_condition_expression),
        filter_expression: placeholders::expression(input.filter_expression),
        projection_expression: placeholders::expression(input.projection_expression),
        expression_attribute_names: names,
        expression_attribute_values: values,
        key_conditions,
        query_filter,
        conditional_operator: operator.unwrap_or_default(),
        attributes_to_get,
        limit: input.limit.map(i32::unsigned_abs),
        exclusive_start_key,
        scan_index_forward: input.scan_index_forward.unwrap_or(true),
        consistent_read: input.consistent_read.unwrap_or_default(),
        return_consumed_capacity: consumed.unwrap_or_default(),
    })?;
    Ok(page(output, &shown))
}

/// Encodes a page of a query or a scan.
pub(super) fn page(output: PageOutput, table: &str) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        if let Some(items) = output.items {
            json.name("Items").list_from(items.into_json());
        }
        json.name("Count").integer(output.count);
        json.name("ScannedCount").integer(output.scanned_count);
        if let Some(key) = &output.last_evaluated_key {
            json.name("LastEvaluatedKey").raw(&key.to_string());
        }
        if let Some(consumed) = &output.consumed_capacity {
            json.name("ConsumedCapacity");
            write_capacity(json, consumed, table);
        }
    })
}
