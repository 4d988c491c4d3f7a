//! `Scan`.

use std::collections::BTreeMap;

use pdb_model::{AttributeValue, IndexName, Item, TableName};
use pdb_store::{Direction, Pending};

use crate::capacity::Consistency;
use crate::expressions::{Expressions, check_no_path_into_key};
use crate::key_range::ByteRange;
use crate::legacy::{self, Condition, ConditionalOperator};
use crate::manager::ItemManager;
use crate::options::{MessageLayer, ReturnConsumedCapacity, Select};
use crate::page::PageRequest;
use crate::ready::ready_table;
use crate::select::{
    ProjectionParameter, ReadKind, check_all_attributes, check_projected, check_select, content,
    content_of_fetched, index_of, needs_fetch,
};
use crate::start_key::Position;
use crate::{ItemsError, PageOutput};

/// The input of `Scan`, whose output is a [`crate::PageOutput`].
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

impl ItemManager {
    /// Returns a page of all items, in AWS's order: by a hash of the partition key, then by the sort key.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`].
    pub fn scan(&self, input: ScanInput) -> Result<PageOutput, ItemsError> {
        let layer = self.config.message_layer;
        let parameter =
            ProjectionParameter::of(input.projection_expression.as_deref(), &input.attributes_to_get);
        self.enveloped(
            check_select(input.select, parameter, input.index_name.is_some()).map_err(ItemsError::Validation),
        )?;
        let legacy_filter = legacy::filter_of(input.scan_filter, input.conditional_operator)?;
        let attributes = legacy::projection_of(&input.attributes_to_get)?;
        let segment = checked_segment(input.segment, input.total_segments, layer)?;
        let expressions =
            Expressions::new(input.expression_attribute_names, input.expression_attribute_values);
        let filter = expressions.filter(input.filter_expression.as_deref())?.or(legacy_filter);
        let projection = expressions.projection(input.projection_expression.as_deref())?.or(attributes);
        expressions.finish()?;
        let content = content(input.select, projection.as_ref());

        self.store.read(|tx| {
            let table = ready_table(&self.env, tx, &input.table_name)?;
            let index = index_of(
                &table.definition,
                input.index_name.as_ref().map(IndexName::as_str),
                input.consistent_read,
                ReadKind::Scan,
            )?;
            let position = Position { table: &table.definition, index };
            let mut range =
                segment.map_or_else(ByteRange::all, |(segment, total)| ByteRange::segment(segment, total));
            if let Some(start) = &input.exclusive_start_key {
                let bytes = position.start_of_scan(start, layer)?;
                if let Some((segment, total)) = segment
                    && !range.contains(bytes.as_bytes())
                {
                    return Err(wrong_segment(segment, total));
                }
                range = range.after(bytes.as_bytes(), true);
            }
            check_all_attributes(position, input.select)?;
            if let Some(projection) = &projection {
                check_no_path_into_key(position.table, projection.paths())?;
            }
            check_projected(position, input.select, projection.as_ref())?;
            if let Some(filter) = &filter {
                check_no_path_into_key(position.table, filter.paths())?;
            }
            let fetch = needs_fetch(position, input.select, projection.as_ref(), filter.as_ref());
            let request = PageRequest {
                table: &table,
                position,
                direction: Direction::Forward,
                limit: input.limit,
                filter: filter.as_ref(),
                content: content_of_fetched(content, input.select, fetch),
                fetch,
                consistency: Consistency::of(input.consistent_read),
            };
            let page = request.read(tx, range)?;
            page.meter.count_read(tx, &table);
            Ok(PageOutput::of(page, table.name(), content, input.return_consumed_capacity))
        })
    }

    /// Async variant of [`ItemManager::scan`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::scan`].
    pub fn scan_async(&self, input: ScanInput) -> Pending<Result<PageOutput, ItemsError>> {
        self.read_async(move |items| items.scan(input))
    }
}

/// Checks the parameters of a parallel scan and returns segment and total.
fn checked_segment(
    segment: Option<u32>,
    total_segments: Option<u32>,
    layer: MessageLayer,
) -> Result<Option<(u32, u32)>, ItemsError> {
    match (segment, total_segments) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(ItemsError::validation(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
        )),
        (None, Some(_)) => Err(ItemsError::validation(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
        )),
        (Some(segment), Some(total)) if segment >= total => {
            let text = "The Segment parameter is zero-based and must be less than parameter TotalSegments";
            Err(ItemsError::Validation(match layer {
                MessageLayer::Classic => {
                    format!("{text}: Segment: {segment} is not less than TotalSegments: {total}")
                }
                MessageLayer::Modern2026 => text.to_owned(),
            }))
        }
        (Some(segment), Some(total)) => Ok(Some((segment, total))),
    }
}

fn wrong_segment(segment: u32, total: u32) -> ItemsError {
    ItemsError::Validation(format!(
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct \
         Segment. TotalSegments: {total} Segment: {segment}"
    ))
}
