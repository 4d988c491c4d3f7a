//! `DeleteItem`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, EncodedItem, Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::legacy::{ConditionalOperator, ExpectedAttributeValue};
use crate::metrics::ItemCollectionMetrics;
use crate::options::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValues, ReturnValuesOnConditionCheckFailure,
};

/// What `DeleteItem` is asked.
#[derive(Clone, Debug)]
pub struct DeleteItemInput {
    /// The table.
    pub table_name: TableName,
    /// The key of the item to delete.
    pub key: Item,
    /// The condition that the stored item must meet.
    pub condition_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// The condition in its legacy form.
    pub expected: BTreeMap<String, ExpectedAttributeValue>,
    /// How the entries of `expected` combine.
    pub conditional_operator: ConditionalOperator,
    /// `None` or `AllOld`.
    pub return_values: ReturnValues,
    /// What a failed condition shows.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What the response says about item collections.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

impl DeleteItemInput {
    /// A request that deletes an item without condition.
    #[must_use]
    pub fn new(table_name: TableName, key: Item) -> Self {
        Self {
            table_name,
            key,
            condition_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            expected: BTreeMap::new(),
            conditional_operator: ConditionalOperator::default(),
            return_values: ReturnValues::default(),
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::default(),
            return_consumed_capacity: ReturnConsumedCapacity::default(),
            return_item_collection_metrics: ReturnItemCollectionMetrics::default(),
        }
    }
}

/// What `DeleteItem` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteItemOutput {
    /// The deleted item, if `return_values` asked for it and there was one.
    pub attributes: Option<EncodedItem>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
    /// The item collection touched, if asked for and the table has local indexes.
    pub item_collection_metrics: Option<ItemCollectionMetrics>,
}
