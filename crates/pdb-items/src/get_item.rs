//! `GetItem`.

use std::collections::BTreeMap;

use pdb_model::{EncodedItem, Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::options::ReturnConsumedCapacity;

/// What `GetItem` is asked.
#[derive(Clone, Debug)]
pub struct GetItemInput {
    /// The table.
    pub table_name: TableName,
    /// The key of the item.
    pub key: Item,
    /// Whether the read is strongly consistent. Here every read is; it decides the price.
    pub consistent_read: bool,
    /// Which parts of the item to return.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Which attributes to return, in the legacy form.
    pub attributes_to_get: Vec<String>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

impl GetItemInput {
    /// A request for a whole item.
    #[must_use]
    pub fn new(table_name: TableName, key: Item) -> Self {
        Self {
            table_name,
            key,
            consistent_read: false,
            projection_expression: None,
            expression_attribute_names: BTreeMap::new(),
            attributes_to_get: Vec::new(),
            return_consumed_capacity: ReturnConsumedCapacity::default(),
        }
    }
}

/// What `GetItem` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetItemOutput {
    /// The item, or what the projection names of it; absent if there is no item.
    pub item: Option<EncodedItem>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
}
