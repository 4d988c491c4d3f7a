//! `BatchWriteItem`.

use std::collections::BTreeMap;

use pdb_model::{Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::metrics::MetricsByTable;
use crate::options::{ReturnConsumedCapacity, ReturnItemCollectionMetrics};

/// One write of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteRequest {
    /// Puts this item.
    Put(Item),
    /// Deletes the item with this key.
    Delete(Item),
}

/// What `BatchWriteItem` is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchWriteItemInput {
    /// The writes, by table.
    pub request_items: BTreeMap<TableName, Vec<WriteRequest>>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What the response says about item collections.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

/// What `BatchWriteItem` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchWriteItemOutput {
    /// What was not written: nothing is ever left over here.
    pub unprocessed_items: BTreeMap<TableName, Vec<WriteRequest>>,
    /// The item collections touched, if asked for.
    pub item_collection_metrics: MetricsByTable,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}
