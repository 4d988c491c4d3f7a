//! `Scan`.

use pdb_model::ApiError;
use pretender::items::legacy::ConditionalOperator;
use pretender::items::{ReturnConsumedCapacity, ScanInput, Select};

use super::legacy::{self, Conditions};
use super::placeholders::{self, Presence};
use super::query::page;
use super::table;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Entries, Text, decode_body, shape};
use crate::layer::Family;
use crate::value::{AttributeMap, Value};

mod shapes {
    use super::*;

    shape! {
        /// What Scan takes.
        pub(crate) struct ScanInput<'a> {
            table_name: Text<'a> = "TableName",
            index_name: Text<'a> = "IndexName",
            attributes_to_get: Vec<Text<'a>> = "AttributesToGet",
            limit: i32 = "Limit",
            select: Text<'a> = "Select",
            scan_filter: Conditions<'a> = "ScanFilter",
            conditional_operator: Text<'a> = "ConditionalOperator",
            exclusive_start_key: AttributeMap = "ExclusiveStartKey",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
            total_segments: i32 = "TotalSegments",
            segment: i32 = "Segment",
            projection_expression: Text<'a> = "ProjectionExpression",
            filter_expression: Text<'a> = "FilterExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            expression_attribute_values: Entries<'a, Value> = "ExpressionAttributeValues",
            consistent_read: bool = "ConsistentRead",
        }
    }
}

/// Runs `Scan`.
pub(crate) fn scan(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let texts = wire.texts(Family::Bulk);
    let input: shapes::ScanInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(texts);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    check.table_name(&at("TableName"), input.table_name.as_ref());
    check.index_name(&at("IndexName"), input.index_name.as_ref());
    check.range(&at("Limit"), input.limit, 1..=i32::MAX);
    let select = check.one_of::<Select>(&at("Select"), input.select.as_ref());
    check.range(&at("Segment"), input.segment, 0..=999_999);
    check.range(&at("TotalSegments"), input.total_segments, 1..=1_000_000);
    let operator =
        check.one_of::<ConditionalOperator>(&at("ConditionalOperator"), input.conditional_operator.as_ref());
    legacy::constrain_conditions(&mut check, &at("ScanFilter"), input.scan_filter.as_ref());
    check.list_length(&at("AttributesToGet"), input.attributes_to_get.as_ref(), 1..=usize::MAX);
    check.finish()?;
    table::check_arn(input.table_name.as_deref())?;

    let filter = [("FilterExpression", input.filter_expression.is_some())];
    Presence {
        legacy: &[
            ("AttributesToGet", input.attributes_to_get.is_some()),
            ("ScanFilter", input.scan_filter.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
        expressions: &[("ProjectionExpression", input.projection_expression.is_some()), filter[0]],
        with_values: &filter,
        has_names: input.expression_attribute_names.is_some(),
        has_values: input.expression_attribute_values.is_some(),
    }
    .check(texts)?;
    legacy::check_operator(input.conditional_operator.as_ref(), input.scan_filter.as_ref(), texts)?;
    let scan_filter = legacy::conditions(input.scan_filter.unwrap_or_default(), texts)?;
    let attributes_to_get = legacy::attributes_to_get(input.attributes_to_get, texts)?;
    let exclusive_start_key =
        input.exclusive_start_key.map(|key| key.checked_start_key(texts)).transpose()?;
    let names = placeholders::names(input.expression_attribute_names, texts)?;
    let values = placeholders::values(input.expression_attribute_values, texts)?;

    let shown = input.table_name.unwrap_or_default();
    let output = wire.pretender.scan(ScanInput {
        table_name: table::table_name(&shown, wire.only_region())?,
        index_name: table::index_name(input.index_name.as_deref())?,
        select,
        filter_expression: placeholders::expression(input.filter_expression),
        projection_expression: placeholders::expression(input.projection_expression),
        expression_attribute_names: names,
        expression_attribute_values: values,
        scan_filter,
        conditional_operator: operator.unwrap_or_default(),
        attributes_to_get,
        limit: input.limit.map(i32::unsigned_abs),
        exclusive_start_key,
        segment: input.segment.map(i32::unsigned_abs),
        total_segments: input.total_segments.map(i32::unsigned_abs),
        consistent_read: input.consistent_read.unwrap_or_default(),
        return_consumed_capacity: consumed.unwrap_or_default(),
    })?;
    Ok(page(output, &shown))
}
