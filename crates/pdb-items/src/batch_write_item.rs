//! `BatchWriteItem`.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdb_model::{Item, PrimaryKey, TableName};
use pdb_store::{Pending, Table, Tx};

use crate::ItemsError;
use crate::batch_get_item::DUPLICATE_KEYS;
use crate::capacity::{ConsumedCapacity, Meter, RequestKind};
use crate::keys::{KeyFault, check_index_keys, key_of_item, key_of_parameter};
use crate::manager::{ItemManager, SeveralWrites};
use crate::metrics::{ItemCollectionMetrics, MetricsByTable};
use crate::options::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValuesOnConditionCheckFailure,
};
use crate::ready::ready_table;
use crate::write::{Change, PlannedWrite, Refusal, check_new_item};

/// How many writes a request may have over all tables.
const MAX_WRITES: usize = 25;

/// One write of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteRequest {
    /// Puts this item.
    Put(Item),
    /// Deletes the item with this key.
    Delete(Item),
}

/// The input of `BatchWriteItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchWriteItemInput {
    /// The writes, by table.
    pub request_items: BTreeMap<TableName, Vec<WriteRequest>>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What the response says about item collections.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

/// The output of `BatchWriteItem`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchWriteItemOutput {
    /// What was not written: nothing is ever left over here.
    pub unprocessed_items: BTreeMap<TableName, Vec<WriteRequest>>,
    /// The item collections touched, if asked for.
    pub item_collection_metrics: MetricsByTable,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}

impl ItemManager {
    /// Puts and deletes up to 25 items. Here a batch is one transaction: it fails as a whole.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`].
    pub fn batch_write_item(&self, input: BatchWriteItemInput) -> Result<BatchWriteItemOutput, ItemsError> {
        self.store.write(self.plan_batch_write_item(input)?.job)
    }

    /// Async variant of [`ItemManager::batch_write_item`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::batch_write_item`].
    pub fn batch_write_item_async(
        &self,
        input: BatchWriteItemInput,
    ) -> Pending<Result<BatchWriteItemOutput, ItemsError>> {
        self.submit_several(self.plan_batch_write_item(input))
    }

    /// The bytes are those of the new items.
    fn plan_batch_write_item(
        &self,
        input: BatchWriteItemInput,
    ) -> Result<
        SeveralWrites<
            impl FnMut(&mut Tx<'_>) -> Result<BatchWriteItemOutput, ItemsError> + Send + 'static + use<>,
        >,
        ItemsError,
    > {
        if input.request_items.values().map(Vec::len).sum::<usize>() > MAX_WRITES {
            return Err(ItemsError::validation("Too many items requested for the BatchWriteItem call"));
        }
        let mut bytes = 0;
        let mut writes: Vec<(TableName, Vec<PlannedWrite>)> = Vec::with_capacity(input.request_items.len());
        for (table_name, requests) in input.request_items {
            let mut of_table = Vec::with_capacity(requests.len());
            for request in requests {
                let change = match request {
                    WriteRequest::Put(item) => {
                        bytes += check_new_item(&item)?;
                        Change::Put(item)
                    }
                    WriteRequest::Delete(key) => Change::Delete(key),
                };
                of_table.push(PlannedWrite {
                    table_name: table_name.clone(),
                    change,
                    condition: None,
                    on_failure: ReturnValuesOnConditionCheckFailure::None,
                });
            }
            writes.push((table_name, of_table));
        }
        let env = self.env.clone();
        let job = move |tx: &mut Tx<'_>| {
            let mut tables: Vec<Arc<Table>> = Vec::with_capacity(writes.len());
            for (table_name, _) in &writes {
                tables.push(ready_table(&env, tx, table_name)?);
            }
            let keys = tables
                .iter()
                .zip(&writes)
                .map(|(table, (_, writes))| checked_keys(table, writes))
                .collect::<Result<Vec<_>, ItemsError>>()?;
            let mut output = BatchWriteItemOutput::default();
            for ((table, keys), (table_name, writes)) in tables.iter().zip(&keys).zip(&writes) {
                let mut meter = Meter::default();
                let mut order: Vec<usize> = (0..writes.len()).collect();
                if tx.has_rivals() {
                    order.sort_by_cached_key(|position| keys[*position].encode());
                }
                for position in order {
                    tx.order_records_as(position);
                    let written = writes[position]
                        .prepare(tx, table, &keys[position])
                        .and_then(|prepared| prepared.carry_out(&env, tx, table))
                        .map_err(Refusal::into_error)?;
                    meter.add(&written.meter);
                }
                for write in writes {
                    let asked = input.return_item_collection_metrics;
                    if let Some(metrics) = ItemCollectionMetrics::of(&table.definition, write.target(), asked)
                    {
                        let known = output.item_collection_metrics.entry(table_name.clone()).or_default();
                        if !known.contains(&metrics) {
                            known.push(metrics);
                        }
                    }
                }
                meter.count_write_of(tx, table_name);
                output.consumed_capacity.extend(meter.report(
                    table_name,
                    input.return_consumed_capacity,
                    RequestKind::NonTransactional,
                ));
            }
            Ok(output)
        };
        Ok(SeveralWrites { job, bytes })
    }
}

/// Checks the keys of the writes to one table, duplicates first, and returns them.
fn checked_keys(table: &Table, writes: &[PlannedWrite]) -> Result<Vec<PrimaryKey>, ItemsError> {
    let schema = &table.definition.key_schema;
    let key_of = |write: &PlannedWrite| match &write.change {
        Change::Put(item) => key_of_item(schema, item).map_err(|fault| match fault {
            // Unlike `PutItem`, a batch does not say what is wrong with the key, except that it is empty or too long.
            KeyFault::Unfit(_) => KeyFault::Mismatch,
            other => other,
        }),
        _ => key_of_parameter(schema, write.target()),
    };
    let keys: Vec<_> = writes.iter().map(key_of).collect();
    for (position, key) in keys.iter().enumerate() {
        if key.is_ok() && keys[..position].contains(key) {
            return Err(ItemsError::validation(DUPLICATE_KEYS));
        }
    }
    let keys = keys.into_iter().collect::<Result<Vec<_>, _>>();
    let checked = keys.and_then(|keys| {
        writes.iter().try_for_each(|write| match &write.change {
            Change::Put(item) => check_index_keys(&table.definition, item),
            _ => Ok(()),
        })?;
        Ok(keys)
    });
    checked.map_err(|fault| ItemsError::Validation(fault.into_text()))
}
