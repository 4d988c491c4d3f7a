//! `TransactWriteItems`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::metrics::MetricsByTable;
use crate::options::{
    ReturnConsumedCapacity, ReturnItemCollectionMetrics, ReturnValuesOnConditionCheckFailure,
};

/// One action of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactWrite {
    /// The table.
    pub table_name: TableName,
    /// What is done, and to which item.
    pub action: TransactAction,
    /// The condition that the stored item must meet; a check needs one.
    pub condition_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// What a failed condition shows.
    pub return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure,
}

/// What an action does to its item.
#[derive(Clone, Debug, PartialEq)]
pub enum TransactAction {
    /// `ConditionCheck`: looks only.
    ConditionCheck {
        /// The key of the item.
        key: Item,
    },
    /// `Put`.
    Put {
        /// The whole new item.
        item: Item,
    },
    /// `Delete`.
    Delete {
        /// The key of the item.
        key: Item,
    },
    /// `Update`.
    Update {
        /// The key of the item.
        key: Item,
        /// What to change.
        update_expression: String,
    },
}

impl TransactWrite {
    /// An action without condition.
    #[must_use]
    pub fn new(table_name: TableName, action: TransactAction) -> Self {
        Self {
            table_name,
            action,
            condition_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            return_values_on_condition_check_failure: ReturnValuesOnConditionCheckFailure::default(),
        }
    }
}

/// What `TransactWriteItems` is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactWriteItemsInput {
    /// The actions.
    pub transact_items: Vec<TransactWrite>,
    /// Makes a repetition within ten minutes harmless.
    pub client_request_token: Option<String>,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
    /// What the response says about item collections.
    pub return_item_collection_metrics: ReturnItemCollectionMetrics,
}

/// What `TransactWriteItems` answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactWriteItemsOutput {
    /// The item collections touched, if asked for.
    pub item_collection_metrics: MetricsByTable,
    /// The capacity consumed, one entry a table, if asked for.
    pub consumed_capacity: Vec<ConsumedCapacity>,
}
