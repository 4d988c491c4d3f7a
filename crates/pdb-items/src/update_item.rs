//! `UpdateItem`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, EncodedItem, Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::legacy::{AttributeValueUpdate, ConditionalOperator, ExpectedAttributeValue};
use crate::metrics::ItemCollectionMetrics;
use crate::options::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues, ReturnValuesOnConditionCheckFailure,
};

/// What `UpdateItem` is asked.
#[derive(Clone, Debug)]
pub struct UpdateItemInput {
    /// The table.
    pub table_name: TableName,
    /// The key of the item to update, or to create.
    pub key: Item,
    /// What to change.
    pub update_expression: Option<String>,
    /// The condition that the stored item must meet.
    pub condition_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// What to change, in its legacy form.
    pub attribute_updates: BTreeMap<String, AttributeValueUpdate>,
    /// The condition in its legacy form.
    pub expected: BTreeMap<String, ExpectedAttributeValue>,
    /// How the entries of `expected` combine.
    pub conditional_operator: ConditionalOperator,
    /// Any of the five.
    pub return_values: ReturnValues,
    /// What a failed condition shows.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What the response says about item collections.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

impl UpdateItemInput {
    /// A request that changes nothing; an item that does not exist yet is created with its key alone.
    #[must_use]
    pub fn new(table_name: TableName, key: Item) -> Self {
        Self {
            table_name,
            key,
            update_expression: None,
            condition_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            attribute_updates: BTreeMap::new(),
            expected: BTreeMap::new(),
            conditional_operator: ConditionalOperator::default(),
            return_values: ReturnValues::default(),
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::default(),
            return_consumed_capacity: ReturnConsumedCapacity::default(),
            return_item_collection_metrics: ReturnItemCollectionMetrics::default(),
        }
    }
}

/// What `UpdateItem` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateItemOutput {
    /// The attributes that `return_values` asked for, if there are any.
    pub attributes: Option<EncodedItem>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
    /// The item collection touched, if asked for and the table has local indexes.
    pub item_collection_metrics: Option<ItemCollectionMetrics>,
}
