//! `SearchVectors`.
//!
//! AWS answers it with another front end than all else, whose decoder is strict and has other texts.
//!
//! Evidence: `vector-search.md` 8.

mod strict;

use pdb_model::{ApiError, AttributeValue};
use pretender::MessageLayer;
use pretender::items::{ReturnConsumedCapacity, SearchVectorsInput};

use super::capacity::write_vector_capacity;
use super::placeholders::{self, Presence};
use super::table;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Entries, Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::{Family, Texts};
use crate::value::Value;

mod shapes {
    use super::*;

    shape! {
        /// What SearchVectors takes.
        pub(crate) struct SearchVectorsInput<'a> {
            table_name: Text<'a> = "TableName",
            index_name: Text<'a> = "IndexName",
            search_vector: Vec<Value> = "SearchVector",
            top_k: i32 = "TopK",
            search_condition_expression: Text<'a> = "SearchConditionExpression",
            projection_expression: Text<'a> = "ProjectionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            expression_attribute_values: Entries<'a, Value> = "ExpressionAttributeValues",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
        }
    }
}

/// Runs `SearchVectors`.
pub(crate) fn search_vectors(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    strict::check(body)?;
    let input: shapes::SearchVectorsInput<'_> = decode_body(body)?;

    // This service has never had other texts.
    let mut check = Constraints::new(Texts::of(MessageLayer::Modern2026, Family::Read));
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    check.table_name(&at("TableName"), input.table_name.as_ref());
    check.index_name(&at("IndexName"), input.index_name.as_ref());
    check.list_length(&at("SearchVector"), input.search_vector.as_ref(), 1..=4096);
    check.finish()?;
    let mut check = Constraints::new(Texts::CLASSIC);
    check.range(&at("TopK"), input.top_k, 1..=i32::MAX);
    check.finish()?;
    table::check_arn(input.table_name.as_deref())?;

    let has_condition = ("SearchConditionExpression", input.search_condition_expression.is_some());
    Presence {
        legacy: &[],
        expressions: &[has_condition, ("ProjectionExpression", input.projection_expression.is_some())],
        with_values: &[has_condition],
        has_names: input.expression_attribute_names.is_some(),
        has_values: input.expression_attribute_values.is_some(),
    }
    .check(Texts::CLASSIC)?;
    let texts = Texts::CLASSIC;
    let vector: Result<Vec<AttributeValue>, ApiError> =
        input.search_vector.unwrap_or_default().into_iter().map(|element| element.checked(texts)).collect();
    let vector = vector?;
    let names = placeholders::names(input.expression_attribute_names, texts)?;
    let values = placeholders::values(input.expression_attribute_values, texts)?;

    let index_name = table::index_name(input.index_name.as_deref())?;
    let output = wire.pretender.search_vectors(SearchVectorsInput {
        search_condition_expression: placeholders::expression(input.search_condition_expression),
        projection_expression: placeholders::expression(input.projection_expression),
        expression_attribute_names: names,
        expression_attribute_values: values,
        return_consumed_capacity: consumed.unwrap_or_default(),
        ..SearchVectorsInput::new(
            table::table_name(&input.table_name.unwrap_or_default(), wire.only_region())?,
            index_name.ok_or_else(|| ApiError::validation("missing field `IndexName`"))?,
            vector,
            input.top_k.unwrap_or_default().unsigned_abs(),
        )
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("SearchResults").list(&output.search_results, |json, result| {
            json.object(|json| {
                json.name("Item").raw(result.item.json());
                json.name("Score").double(result.score);
            });
        });
        if let Some(consumed) = output.consumed_capacity {
            write_vector_capacity(json.name("ConsumedCapacity"), consumed);
        }
    }))
}
