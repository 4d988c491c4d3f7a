//! `Scan`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, IndexName, Item, TableName};

use crate::legacy::{Condition, ConditionalOperator};
use crate::options::{ReturnConsumedCapacity, Select};

/// What `Scan` is asked; it answers a [`crate::PageOutput`].
#[derive(Clone, Debug)]
pub struct ScanInput {
    /// The table.
    pub table_name: TableName,
    /// The index to read instead of the table.
    pub index_name: Option<IndexName>,
    /// What to return of the items; without it the other parameters decide.
    pub select: Option<Select>,
    /// Which of the items read to return.
    pub filter_expression: Option<String>,
    /// Which parts of the items to return.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
    /// The filter in its legacy form.
    pub scan_filter: BTreeMap<String, Condition>,
    /// How the entries of `scan_filter` combine.
    pub conditional_operator: ConditionalOperator,
    /// Which attributes to return, in the legacy form.
    pub attributes_to_get: Vec<String>,
    /// How many items to read at most.
    pub limit: Option<u32>,
    /// The key after which to go on.
    pub exclusive_start_key: Option<Item>,
    /// Which of the `total_segments` to read, counted from 0.
    pub segment: Option<u32>,
    /// Into how many segments a parallel scan divides the table.
    pub total_segments: Option<u32>,
    /// Whether the read is strongly consistent. Here every read is; it decides the price.
    pub consistent_read: bool,
    /// What the response says about capacity.
    pub return_consumed_capacity: ReturnConsumedCapacity,
}

impl ScanInput {
    /// A request for everything.
    #[must_use]
    pub fn new(table_name: TableName) -> Self {
        Self {
            table_name,
            index_name: None,
            select: None,
            filter_expression: None,
            projection_expression: None,
            expression_attribute_names: BTreeMap::new(),
            expression_attribute_values: BTreeMap::new(),
            scan_filter: BTreeMap::new(),
            conditional_operator: ConditionalOperator::default(),
            attributes_to_get: Vec::new(),
            limit: None,
            exclusive_start_key: None,
            segment: None,
            total_segments: None,
            consistent_read: false,
            return_consumed_capacity: ReturnConsumedCapacity::default(),
        }
    }
}
