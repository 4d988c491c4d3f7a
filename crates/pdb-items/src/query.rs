//! `Query`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, IndexName, Item, TableName};

use crate::capacity::ConsumedCapacity;
use crate::items_page::EncodedItems;
use crate::legacy::{Condition, ConditionalOperator};
use crate::options::{ReturnConsumedCapacity, Select};

/// What `Query` is asked.
#[derive(Clone, Debug)]
pub struct QueryInput {
    /// The table.
    pub table_name: TableName,
    /// The index to read instead of the table.
    pub index_name: Option<IndexName>,
    /// What to return of the items; without it the other parameters decide.
    pub select: Option<Select>,
    /// Which partition to read, and which part of it.
    pub key_condition_expression: Option<String>,
    /// Which of the items read to return.
    pub filter_expression: Option<String>,
    /// Which parts of the items to return.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// The key condition in its legacy form.
    pub key_conditions: Option<BTreeMap<String, Condition>>,
    /// The filter in its legacy form.
    pub query_filter: BTreeMap<String, Condition>,
    /// How the entries of `query_filter` combine.
    pub conditional_operator: ConditionalOperator,
    /// Which attributes to return, in the legacy form.
    pub attributes_to_get: Vec<String>,
    /// How many items to read at most.
    pub limit: Option<u32>,
    /// The key after which to go on.
    pub exclusive_start_key: Option<Item>,
    /// Whether to read in ascending order of the sort key.
    pub scan_index_forward: bool,
    /// Whether the read is strongly consistent. Here every read is; it decides the price.
    pub consistent_read: bool,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

impl QueryInput {
    /// A request without a key condition, which it still needs.
    #[must_use]
    pub fn new(table_name: TableName) -> Self {
        Self {
            table_name,
            index_name: None,
            select: None,
            key_condition_expression: None,
            filter_expression: None,
            projection_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            key_conditions: None,
            query_filter: BTreeMap::new(),
            conditional_operator: ConditionalOperator::default(),
            attributes_to_get: Vec::new(),
            limit: None,
            exclusive_start_key: None,
            scan_index_forward: true,
            consistent_read: false,
            return_consumed_capacity: ReturnConsumedCapacity::default(),
        }
    }
}

/// What `Query` and `Scan` answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageOutput {
    /// The items; absent if only their number was asked for.
    pub items: Option<EncodedItems>,
    /// How many items passed the filter.
    pub count: u64,
    /// How many items were read.
    pub scanned_count: u64,
    /// The key of the last item read, if there may be more.
    pub last_evaluated_key: Option<Item>,
    /// The capacity consumed, if asked for.
    pub consumed_capacity: Option<ConsumedCapacity>,
}
