//! The answers of the three single writes, which have the same members.

use pdb_model::{ApiError, EncodedItem};
use pretender::items::{ConsumedCapacity, ItemCollectionMetrics, ReturnValues};

use super::capacity::{write_capacity, write_metrics};
use crate::json::JsonWriter;
use crate::layer::Texts;

/// Encodes the answer of a single write.
pub(crate) fn write_answer(
    attributes: Option<&EncodedItem>,
    consumed: Option<&ConsumedCapacity>,
    metrics: Option<&ItemCollectionMetrics>,
    table: &str,
) -> Vec<u8> {
    let size = attributes.map_or(0, |item| item.json().len());
    let mut json = JsonWriter::with_capacity(size + 64);
    json.object(|json| {
        if let Some(item) = attributes {
            json.name("Attributes").raw(item.json());
        }
        if let Some(consumed) = consumed {
            json.name("ConsumedCapacity");
            write_capacity(json, consumed, table);
        }
        if let Some(metrics) = metrics {
            json.name("ItemCollectionMetrics");
            write_metrics(json, metrics);
        }
    });
    json.into_bytes()
}

/// Lets only `NONE` and `ALL_OLD` through, as PutItem and DeleteItem do.
///
/// # Errors
///
/// `ValidationException` for another value.
pub(crate) fn old_values_only(
    return_values: Option<ReturnValues>,
    texts: Texts,
) -> Result<ReturnValues, ApiError> {
    match return_values.unwrap_or_default() {
        allowed @ (ReturnValues::None | ReturnValues::AllOld) => Ok(allowed),
        ReturnValues::AllNew | ReturnValues::UpdatedOld | ReturnValues::UpdatedNew => {
            Err(ApiError::validation(texts.envelope("ReturnValues can only be ALL_OLD or NONE".to_owned())))
        }
    }
}
