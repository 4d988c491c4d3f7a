//! `TransactGetItems`.

use std::collections::BTreeMap;

use pdb_model::{EncodedItem, Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::options::ReturnConsumedCapacity;

/// One item that a transaction reads.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactGet {
    /// The table.
    pub table_name: TableName,
    /// The key of the item.
    pub key: Item,
    /// Which parts of the item to return.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
}

/// What `TransactGetItems` is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactGetItemsInput {
    /// The items to read.
    pub transact_items: Vec<TransactGet>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// What `TransactGetItems` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactGetItemsOutput {
    /// One entry for each item asked, in that order; `None` where there is no item.
    pub responses: Vec<Option<EncodedItem>>,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}
