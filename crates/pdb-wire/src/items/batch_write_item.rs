//! `BatchWriteItem`.

use pdb_model::ApiError;
use pretender::items::{
    BatchWriteItemInput, BatchWriteItemOutput, ReturnConsumedCapacity, ReturnItemCollectionMetrics,
};

use super::capacity::{write_capacity, write_metrics_by_table};
use super::table::{self, ShownTables};
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Dump, Entries, Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::{Family, Texts};
use crate::value::{AttributeMap, Fault};

/// The most writes of a request.
const MOST_WRITES: usize = 25;

mod shapes {
    use super::*;

    shape! {
        /// What BatchWriteItem takes.
        pub(crate) struct BatchWriteItemInput<'a> {
            request_items: Entries<'a, Vec<WriteRequest>> = "RequestItems",
            return_consumed_capacity: Text<'a> = "ReturnConsumedCapacity",
            return_item_collection_metrics: Text<'a> = "ReturnItemCollectionMetrics",
        }

        /// One write.
        pub(crate) struct WriteRequest {
            put_request: PutRequest = "PutRequest",
            delete_request: DeleteRequest = "DeleteRequest",
        }

        /// An item to put.
        pub(crate) struct PutRequest {
            item: AttributeMap = "Item",
        }

        /// An item to delete.
        pub(crate) struct DeleteRequest {
            key: AttributeMap = "Key",
        }
    }
}

/// Runs `BatchWriteItem`.
pub(crate) async fn batch_write_item(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let (request, tables) = decode(wire, body)?;
    let output = wire.pretender.batch_write_item_async(request).await?;
    Ok(answer(&output, &tables))
}

fn decode(wire: &Wire, body: &[u8]) -> Result<(BatchWriteItemInput, ShownTables), ApiError> {
    let texts = wire.texts(Family::Bulk);
    let input: shapes::BatchWriteItemInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(texts);
    let consumed = check.one_of::<ReturnConsumedCapacity>(
        &at("ReturnConsumedCapacity"),
        input.return_consumed_capacity.as_ref(),
    );
    let metrics = check.one_of::<ReturnItemCollectionMetrics>(
        &at("ReturnItemCollectionMetrics"),
        input.return_item_collection_metrics.as_ref(),
    );
    check.required(&at("RequestItems"), input.request_items.as_ref());
    if let Some(items) = &input.request_items {
        constrain_tables(&mut check, items, texts);
    }
    check.finish()?;
    let items = input.request_items.unwrap_or_default();
    // Names of tables are checked after all else: what else is wrong is reported without them.
    let mut check = Constraints::new(texts);
    check.table_name_keys(&at("RequestItems"), &items);
    check.finish()?;
    if items.is_empty() {
        return Err(ApiError::validation("The requestItems parameter is required for BatchWriteItem"));
    }
    items.iter().try_for_each(|(name, _)| table::check_arn(Some(name)))?;
    if items.iter().map(|(_, writes)| writes.len()).sum::<usize>() > MOST_WRITES {
        return Err(ApiError::validation("Too many items requested for the BatchWriteItem call"));
    }

    let mut tables = ShownTables::new(wire);
    let mut request = BatchWriteItemInput {
        return_consumed_capacity: consumed.unwrap_or_default(),
        return_item_collection_metrics: metrics.unwrap_or_default(),
        ..BatchWriteItemInput::default()
    };
    let mut unnamed = Ok(());
    for (name, writes) in items {
        let writes =
            writes.into_iter().map(|write| take_write(write, texts)).collect::<Result<Vec<_>, _>>()?;
        match tables.table_name(&name) {
            Ok(name) => request.request_items.entry(name).or_default().extend(writes),
            Err(error) => unnamed = unnamed.and(Err(error)),
        }
    }
    unnamed?;
    Ok((request, tables))
}

fn constrain_tables(check: &mut Constraints, items: &Entries<'_, Vec<shapes::WriteRequest>>, texts: Texts) {
    let at_items = at("RequestItems");
    if texts.is_modern {
        check.length(&at_items, items.len(), 1..=usize::MAX, String::new);
    }
    let mut is_noted = false;
    for (name, writes) in items.iter() {
        let at_table = at_items.key(name);
        let modern = match writes.len() {
            0 => "Member must have length greater than or equal to 1",
            1..=MOST_WRITES => "",
            _ => "Member must have length less than or equal to 25",
        };
        if !modern.is_empty() && !is_noted {
            is_noted = true;
            let classic = "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must \
                 have length greater than or equal to 1]";
            check.fail_apart((&at_items, &items.dumped(), classic), (&at_table, modern));
        }
        for (index, write) in writes.iter().enumerate() {
            let at_write = at_table.element(index);
            if let Some(put) = &write.put_request {
                check.required(&at_write.member("PutRequest").member("Item"), put.item.as_ref());
            }
            if let Some(delete) = &write.delete_request {
                check.required(&at_write.member("DeleteRequest").member("Key"), delete.key.as_ref());
            }
        }
    }
}

fn take_write(write: shapes::WriteRequest, texts: Texts) -> Result<pretender::items::WriteRequest, ApiError> {
    match (write.put_request, write.delete_request) {
        (Some(put), None) => {
            Ok(pretender::items::WriteRequest::Put(put.item.unwrap_or_default().checked(texts)?))
        }
        (None, Some(delete)) => {
            Ok(pretender::items::WriteRequest::Delete(delete.key.unwrap_or_default().checked(texts)?))
        }
        // AWS has one text for none and for both.
        (None, None) | (Some(_), Some(_)) => Err(ApiError::validation(Fault::SeveralTypes.text(texts))),
    }
}

fn answer(output: &BatchWriteItemOutput, tables: &ShownTables) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        json.name("UnprocessedItems").object(|json| {
            for (table, writes) in &output.unprocessed_items {
                json.key(tables.shown(table)).list(writes, write_request);
            }
        });
        write_metrics_by_table(json, &output.item_collection_metrics, tables);
        if !output.consumed_capacity.is_empty() {
            json.name("ConsumedCapacity").list(&output.consumed_capacity, |json, consumed| {
                write_capacity(json, consumed, tables.shown(&consumed.table_name));
            });
        }
    })
}

fn write_request(json: &mut JsonWriter, write: &pretender::items::WriteRequest) {
    let (request, member, item) = match write {
        pretender::items::WriteRequest::Put(item) => ("PutRequest", "Item", item),
        pretender::items::WriteRequest::Delete(key) => ("DeleteRequest", "Key", key),
    };
    json.object(|json| {
        json.name(request).object(|json| json.name(member).raw(&item.to_string()));
    });
}
