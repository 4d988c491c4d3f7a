//! `TransactGetItems`.

use pdb_model::{ApiError, ErrorCode};
use pretender::Pretender;
use pretender::items::{ReturnConsumedCapacity, TransactGet, TransactGetItemsInput};

use super::capacity::write_capacity;
use super::placeholders;
use super::table::{self, ShownTables};
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Entries, Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::{Family, Texts};
use crate::value::AttributeMap;

mod shapes {
    use super::*;

    shape! {
        /// What TransactGetItems takes.
        pub(crate) struct TransactGetItemsInput<'a> {
            transact_items: Vec<TransactGetItem<'a>> = "TransactItems",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
        }

        /// One action.
        pub(crate) struct TransactGetItem<'a> {
            get: Get<'a> = "Get",
        }

        /// An item to read.
        pub(crate) struct Get<'a> {
            key: AttributeMap = "Key",
            table_name: Text<'a> = "TableName",
            projection_expression: Text<'a> = "ProjectionExpression",
            expression_attribute_names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
        }
    }
}

fn take(get: shapes::Get<'_>, tables: &mut ShownTables, texts: Texts) -> Result<TransactGet, ApiError> {
    // Names without a projection are accepted here, unlike in `GetItem`.
    table::check_arn(get.table_name.as_deref())?;
    let key = get.key.unwrap_or_default().checked(texts)?;
    let expression_attribute_names = placeholders::names(get.expression_attribute_names, texts)?;
    Ok(TransactGet {
        table_name: tables.table_name(&get.table_name.unwrap_or_default())?,
        key,
        projection_expression: placeholders::expression(get.projection_expression),
        expression_attribute_names,
    })
}

/// Runs `TransactGetItems`.
pub(crate) fn transact_get_items(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let texts = wire.texts(Family::Bulk);
    let input: shapes::TransactGetItemsInput<'_> = decode_body(body)?;

    let mut check = Constraints::new(texts);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    let at_items = at("TransactItems");
    check.required(&at_items, input.transact_items.as_ref());
    check.list_length(&at_items, input.transact_items.as_ref(), 1..=100);
    for (index, item) in input.transact_items.iter().flatten().enumerate() {
        let at_item = at_items.element(index);
        let at_get = at_item.member("Get");
        match &item.get {
            None => check.required::<()>(&at_get, None),
            Some(get) => {
                check.required(&at_get.member("Key"), get.key.as_ref());
                check.table_name(&at_get.member("TableName"), get.table_name.as_ref());
            }
        }
    }
    check.finish()?;

    let mut tables = ShownTables::new(wire);
    let (mut refusal, mut not_found) = (None, None);
    let mut transact_items = Vec::new();
    for item in input.transact_items.into_iter().flatten() {
        match take(item.get.unwrap_or_default(), &mut tables, texts) {
            Ok(get) => transact_items.push(get),
            // A table that cannot exist is reported after all that needs no table.
            Err(error) if error.code != ErrorCode::ValidationException => {
                not_found = not_found.or(Some(error))
            }
            Err(error) => {
                refusal = Some(error);
                break;
            }
        }
    }
    if let Some(error) = refusal.or(not_found) {
        // What is wrong with an earlier action comes first.
        Pretender::check_transact_gets(&transact_items)?;
        return Err(error);
    }
    let output = wire.pretender.transact_get_items(TransactGetItemsInput {
        transact_items,
        return_consumed_capacity: consumed.unwrap_or_default(),
    })?;
    let size: usize = output.responses.iter().flatten().map(|item| item.json().len() + 16).sum();
    let mut json = JsonWriter::with_capacity(size + 64);
    json.object(|json| {
        json.name("Responses").list(&output.responses, |json, item| {
            json.object(|json| {
                if let Some(item) = item {
                    json.name("Item").raw(item.json());
                }
            });
        });
        if !output.consumed_capacity.is_empty() {
            json.name("ConsumedCapacity").list(&output.consumed_capacity, |json, consumed| {
                write_capacity(json, consumed, tables.shown(&consumed.table_name));
            });
        }
    });
    Ok(json.into_bytes())
}
