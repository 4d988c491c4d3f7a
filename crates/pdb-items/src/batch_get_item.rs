//! `BatchGetItem`.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_expr::ProjectionExpression;
use pdb_model::{Item, PrimaryKey, TableName};
use pdb_store::{Pending, Table};

use crate::ItemsError;
use crate::answer_size::MAX_ANSWER_JSON_BYTES;
use crate::capacity::{CapacityUnits, Consistency, ConsumedCapacity, Meter, RequestKind};
use crate::expressions::{Expressions, check_no_path_into_key};
use crate::items_page::EncodedItems;
use crate::keys::{KeyFault, key_of_parameter};
use crate::legacy;
use crate::manager::ItemManager;
use crate::options::ReturnConsumedCapacity;
use crate::page::shape_into;
use crate::ready::ready_table;

/// How many keys a request may have over all tables.
const MAX_KEYS: usize = 100;
/// How many bytes of items a response may have.
const MAX_RESPONSE_BYTES: u64 = 16 * 1024 * 1024;
/// The text of a key that comes twice.
pub(crate) const DUPLICATE_KEYS: &str = "Provided list of item keys contains duplicates";

/// What to read of one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeysAndAttributes {
    /// The keys of the items.
    pub keys: Vec<Item>,
    /// Which parts of the items to return.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Which attributes to return, in the legacy form.
    pub attributes_to_get: Vec<String>,
    /// Whether the read is strongly consistent. Here every read is; it decides the price.
    pub consistent_read: bool,
}

/// The input of `BatchGetItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchGetItemInput {
    /// What to read, by table.
    pub request_items: BTreeMap<TableName, KeysAndAttributes>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// The output of `BatchGetItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchGetItemOutput {
    /// The items found, for every table asked.
    pub responses: BTreeMap<TableName, EncodedItems>,
    /// What did not fit into 16 MB, or into 20 MiB of JSON, to be asked again.
    pub unprocessed_keys: BTreeMap<TableName, KeysAndAttributes>,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}

/// What to read of one table, with its keys and its projection made out.
struct TableRead {
    table: Arc<Table>,
    keys: Vec<PrimaryKey>,
    projection: Option<ProjectionExpression>,
}

impl ItemManager {
    /// Returns the items with the given keys, as of one moment, as far as they fit into 16 MB, and into 20 MiB of JSON.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`].
    pub fn batch_get_item(&self, input: BatchGetItemInput) -> Result<BatchGetItemOutput, ItemsError> {
        let BatchGetItemInput { request_items, return_consumed_capacity } = input;
        let mut projections = Vec::with_capacity(request_items.len());
        for request in request_items.values() {
            projections.push(projection_of(request)?);
            let mut seen = Vec::with_capacity(request.keys.len());
            for key in &request.keys {
                if seen.contains(&key) {
                    return Err(ItemsError::validation(DUPLICATE_KEYS));
                }
                seen.push(key);
            }
        }
        if request_items.values().map(|request| request.keys.len()).sum::<usize>() > MAX_KEYS {
            return Err(ItemsError::validation("Too many items requested for the BatchGetItem call"));
        }
        self.store.read(|tx| {
            let mut reads = Vec::with_capacity(request_items.len());
            for (table_name, projection) in request_items.keys().zip(projections) {
                reads.push(TableRead {
                    table: ready_table(&self.env, tx, table_name)?,
                    keys: Vec::new(),
                    projection,
                });
            }
            for (request, read) in request_items.values().zip(&mut reads) {
                let definition = &read.table.definition;
                let keys = request.keys.iter().map(|key| key_of_parameter(&definition.key_schema, key));
                read.keys = keys
                    .collect::<Result<_, KeyFault>>()
                    .map_err(|fault| ItemsError::Validation(fault.into_text()))?;
                if let Some(projection) = &read.projection {
                    check_no_path_into_key(definition, projection.paths())?;
                }
            }
            let mut output = BatchGetItemOutput::default();
            let mut response_bytes = 0;
            let mut json_bytes_before = 0;
            for ((table_name, request), read) in request_items.iter().zip(&reads) {
                let mut items = EncodedItems::default();
                let mut meter = Meter::default();
                let mut unprocessed = KeysAndAttributes { keys: Vec::new(), ..request.clone() };
                for (key, parameter) in read.keys.iter().zip(&request.keys) {
                    let found = if response_bytes < MAX_RESPONSE_BYTES {
                        tx.get_item(&read.table, &key.encode())?
                    } else {
                        unprocessed.keys.push(parameter.clone());
                        continue;
                    };
                    let size_bytes = found.as_ref().map_or(0, |item| item.size_bytes());
                    let json_bytes = json_bytes_before
                        + items.json().len()
                        + found.as_ref().map_or(0, |item| item.json().len());
                    if response_bytes + size_bytes > MAX_RESPONSE_BYTES || json_bytes > MAX_ANSWER_JSON_BYTES
                    {
                        // Nothing more is read: the client requests the remaining keys again.
                        response_bytes = MAX_RESPONSE_BYTES;
                        unprocessed.keys.push(parameter.clone());
                        continue;
                    }
                    response_bytes += size_bytes;
                    meter.charge_table(CapacityUnits::of_read(
                        size_bytes,
                        Consistency::of(request.consistent_read),
                    ));
                    if let Some(item) = found {
                        if items.is_empty() && read.projection.is_none() {
                            // Items of a table resemble each other. A buffer that grows step by step costs up to
                            // three times its size.
                            let like_this = item.json().len().saturating_mul(read.keys.len());
                            items.reserve(like_this.min(MAX_ANSWER_JSON_BYTES));
                        }
                        shape_into(&mut items, item.json(), item.size_bytes(), read.projection.as_ref())?;
                    }
                }
                json_bytes_before += items.json().len();
                output.responses.insert(table_name.clone(), items);
                meter.count_read_of(tx, table_name);
                output.consumed_capacity.extend(meter.report(
                    table_name,
                    return_consumed_capacity,
                    RequestKind::NonTransactional,
                ));
                if !unprocessed.keys.is_empty() {
                    output.unprocessed_keys.insert(table_name.clone(), unprocessed);
                }
            }
            Ok(output)
        })
    }

    /// Async variant of [`ItemManager::batch_get_item`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::batch_get_item`].
    pub fn batch_get_item_async(
        &self,
        input: BatchGetItemInput,
    ) -> Pending<Result<BatchGetItemOutput, ItemsError>> {
        self.read_async(move |items| items.batch_get_item(input))
    }
}

fn projection_of(request: &KeysAndAttributes) -> Result<Option<ProjectionExpression>, ItemsError> {
    let attributes = legacy::projection_of(&request.attributes_to_get)?;
    let expressions = Expressions::new(request.expression_attribute_names.clone(), BTreeMap::new());
    let projection = expressions.projection(request.projection_expression.as_deref())?;
    expressions.finish()?;
    Ok(projection.or(attributes))
}
