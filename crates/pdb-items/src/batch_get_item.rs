//! `BatchGetItem`.

use std::collections::BTreeMap;

use pdb_model::{Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::items_page::EncodedItems;
use crate::options::ReturnConsumedCapacity;

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

/// What `BatchGetItem` is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchGetItemInput {
    /// What to read, by table.
    pub request_items: BTreeMap<TableName, KeysAndAttributes>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

/// What `BatchGetItem` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchGetItemOutput {
    /// The items found, for every table asked.
    pub responses: BTreeMap<TableName, EncodedItems>,
    /// What did not fit into 16 MB, to be asked again.
    pub unprocessed_keys: BTreeMap<TableName, KeysAndAttributes>,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}
