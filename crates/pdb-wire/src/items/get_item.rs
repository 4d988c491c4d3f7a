//! `GetItem`.

use pdb_model::ApiError;
use pretender::items::{GetItemInput, ReturnConsumedCapacity};

use super::capacity::write_capacity;
use super::legacy;
use super::placeholders::{self, Presence};
use super::table;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Entries, Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::Family;
use crate::value::AttributeMap;

mod shapes {
    use super::*;

    shape! {
        /// What GetItem takes.
        pub(crate) struct GetItemInput<'a> {
            table_name: Text<'a> = "TableName",
            key: AttributeMap = "Key",
            attributes_to_get: Vec<Text<'a>> = "AttributesToGet",
            consistent_read: bool = "ConsistentRead",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
            projection_expression: Text<'a> = "ProjectionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
        }
    }
}

/// Runs `GetItem`.
pub(crate) fn get_item(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let texts = wire.texts(Family::Read);
    let input: shapes::GetItemInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(texts);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    check.table_name(&at("TableName"), input.table_name.as_ref());
    check.list_length(&at("AttributesToGet"), input.attributes_to_get.as_ref(), 1..=usize::MAX);
    check.required(&at("Key"), input.key.as_ref());
    check.finish()?;
    table::check_arn(input.table_name.as_deref())?;

    Presence {
        legacy: &[("AttributesToGet", input.attributes_to_get.is_some())],
        expressions: &[("ProjectionExpression", input.projection_expression.is_some())],
        with_values: &[],
        has_names: input.expression_attribute_names.is_some(),
        has_values: false,
    }
    .check(texts)?;
    let key = input.key.unwrap_or_default().checked(texts)?;
    let attributes_to_get = legacy::attributes_to_get(input.attributes_to_get, texts)?;
    let names = placeholders::names(input.expression_attribute_names, texts)?;

    let shown = input.table_name.unwrap_or_default();
    let output = wire.pretender.get_item(GetItemInput {
        table_name: table::table_name(&shown, wire.only_region())?,
        key,
        consistent_read: input.consistent_read.unwrap_or_default(),
        projection_expression: placeholders::expression(input.projection_expression),
        expression_attribute_names: names,
        attributes_to_get,
        return_consumed_capacity: consumed.unwrap_or_default(),
    })?;
    let mut json = JsonWriter::with_capacity(output.item.as_ref().map_or(0, |item| item.json().len()) + 64);
    json.object(|json| {
        if let Some(item) = &output.item {
            json.name("Item").raw(item.json());
        }
        if let Some(consumed) = &output.consumed_capacity {
            json.name("ConsumedCapacity");
            write_capacity(json, consumed, &shown);
        }
    });
    Ok(json.into_bytes())
}
