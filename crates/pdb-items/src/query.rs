//! `Query`.

use std::collections::BTreeMap;

use pdb_expr::{ConditionExpression, KeyComparison, KeyCondition, KeyConditionError};
use pdb_model::{AttributeValue, IndexName, Item, KeySchema, KeyValue, TableName};
use pdb_store::{Direction, Pending};

use crate::ItemsError;
use crate::capacity::{Consistency, ConsumedCapacity, RequestKind};
use crate::expressions::{Expressions, check_no_path_into_key, key_condition_of};
use crate::items_page::EncodedItems;
use crate::key_range::range_of;
use crate::keys::key_value;
use crate::legacy::{self, Condition, ConditionalOperator};
use crate::manager::ItemManager;
use crate::options::{ReturnConsumedCapacity, Select};
use crate::page::{Page, PageContent, PageRequest};
use crate::ready::ready_table;
use crate::select::{
    ProjectionParameter, ReadKind, check_projected, check_select, content, content_of_fetched, index_of,
    needs_fetch,
};
use crate::start_key::Position;

/// The input of `Query`.
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

impl PageOutput {
    /// Makes the answer of a page.
    pub(crate) fn of(
        page: Page,
        table_name: &TableName,
        content: PageContent<'_>,
        return_consumed_capacity: ReturnConsumedCapacity,
    ) -> Self {
        Self {
            consumed_capacity: page.meter.report(
                table_name,
                return_consumed_capacity,
                RequestKind::NonTransactional,
            ),
            items: match content {
                PageContent::Count => None,
                PageContent::Items(_) | PageContent::Entries | PageContent::Selected(_) => Some(page.items),
            },
            count: page.count,
            scanned_count: page.scanned_count,
            last_evaluated_key: page.last,
        }
    }
}

impl ItemManager {
    /// Returns a page of the items of one partition, in the order of the sort key.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::ResourceNotFound`].
    pub fn query(&self, input: QueryInput) -> Result<PageOutput, ItemsError> {
        let parameter =
            ProjectionParameter::of(input.projection_expression.as_deref(), &input.attributes_to_get);
        check_select(input.select, parameter, input.index_name.is_some())
            .map_err(|text| ItemsError::Validation(format!("1 validation error detected: {text}")))?;
        let legacy_filter = legacy::filter_of(input.query_filter, input.conditional_operator)?;
        let attributes = legacy::projection_of(&input.attributes_to_get)?;
        let expressions =
            Expressions::new(input.expression_attribute_names, input.expression_attribute_values);
        let key_condition = expressions.key_condition(input.key_condition_expression.as_deref())?;
        let filter_expression = expressions.filter(input.filter_expression.as_deref())?;
        let projection = expressions.projection(input.projection_expression.as_deref())?.or(attributes);
        if input.key_conditions.is_none() && key_condition.is_none() {
            return Err(no_key_condition());
        }
        expressions.finish()?;
        let is_on_index = input.index_name.is_some();
        let key_condition = key_condition.as_ref().map(key_condition_of).transpose()?;
        let legacy_condition = input
            .key_conditions
            .as_ref()
            .map(|conditions| legacy::key_condition_of(conditions, is_on_index))
            .transpose()?;
        let key_condition = key_condition.or(legacy_condition).ok_or_else(no_key_condition)?;
        let is_legacy_filter = filter_expression.is_none();
        let filter = filter_expression.or(legacy_filter);
        let content = content(input.select, projection.as_ref());

        self.store.read(|tx| {
            let table = ready_table(&self.env, tx, &input.table_name)?;
            let index = index_of(
                &table.definition,
                input.index_name.as_ref().map(IndexName::as_str),
                input.consistent_read,
                ReadKind::Query,
            )?;
            let position = Position { table: &table.definition, index };
            let schema = position.schema();
            let start = input.exclusive_start_key.as_ref();
            start.map_or(Ok(()), |start| position.check_count(start))?;
            key_condition.check_count(schema).map_err(unfit)?;
            for attribute in schema.attributes() {
                start.map_or(Ok(()), |start| position.check_attribute(start, attribute))?;
                key_condition.check_attribute(schema, attribute).map_err(unfit)?;
            }
            let condition = key_condition.resolve(schema).map_err(unfit)?;
            check_values(schema, &condition)?;
            let mut range = range_of(&condition);
            if let Some(start) = start {
                let bytes = position.start_of_query(start, &condition)?;
                range = range.after(bytes.as_bytes(), input.scan_index_forward);
            }
            if let Some(projection) = &projection {
                check_no_path_into_key(position.table, projection.paths())?;
            }
            if let Some(filter) = &filter {
                check_filter(schema, filter, is_legacy_filter)?;
            }
            check_projected(position, input.select, projection.as_ref())?;
            if let Some(filter) = &filter {
                check_no_path_into_key(position.table, filter.paths())?;
            }
            let fetch = needs_fetch(position, input.select, projection.as_ref(), filter.as_ref());
            let request = PageRequest {
                table: &table,
                position,
                direction: if input.scan_index_forward { Direction::Forward } else { Direction::Backward },
                limit: input.limit,
                filter: filter.as_ref(),
                content: content_of_fetched(content, input.select, fetch),
                fetch,
                consistency: Consistency::of(input.consistent_read),
            };
            let mut page = request.read(tx, range)?;
            if index.is_none() && schema.range.is_empty() {
                // There is one item at most, and a start key would be refused.
                page.last = None;
            }
            page.meter.count_read(tx, &table);
            Ok(PageOutput::of(page, table.name(), content, input.return_consumed_capacity))
        })
    }

    /// Async variant of [`ItemManager::query`].
    ///
    /// # Errors
    ///
    /// As [`ItemManager::query`].
    pub fn query_async(&self, input: QueryInput) -> Pending<Result<PageOutput, ItemsError>> {
        self.read_async(move |items| items.query(input))
    }
}

fn no_key_condition() -> ItemsError {
    ItemsError::validation(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
    )
}

pub(crate) fn unfit(error: KeyConditionError) -> ItemsError {
    ItemsError::Validation(error.to_string())
}

/// Checks that the values of a key condition could be those of a key.
pub(crate) fn check_values(schema: &KeySchema, condition: &KeyCondition) -> Result<(), ItemsError> {
    let equal = schema.attributes().zip(condition.hash.iter().chain(&condition.range_equal));
    let last = schema.range.get(condition.range_equal.len());
    let values: Vec<&KeyValue> = match &condition.range {
        None => Vec::new(),
        Some(KeyComparison::Between(lower, upper)) => vec![lower, upper],
        Some(
            KeyComparison::Equal(value)
            | KeyComparison::Less(value)
            | KeyComparison::LessOrEqual(value)
            | KeyComparison::Greater(value)
            | KeyComparison::GreaterOrEqual(value)
            | KeyComparison::BeginsWith(value),
        ) => vec![value],
    };
    let compared = last.into_iter().flat_map(|last| values.iter().map(move |value| (last, *value)));
    for (attribute, value) in equal.chain(compared) {
        key_value(schema, attribute, &value.clone().into())?;
    }
    Ok(())
}

/// Checks that a filter leaves the key that is read alone.
pub(crate) fn check_filter(
    schema: &KeySchema,
    filter: &ConditionExpression,
    is_legacy: bool,
) -> Result<(), ItemsError> {
    let Some(path) = filter.paths().into_iter().find(|path| schema.contains(&path.attribute)) else {
        return Ok(());
    };
    let parameter = if is_legacy { "QueryFilter" } else { "Filter Expression" };
    Err(ItemsError::Validation(format!(
        "{parameter} can only contain non-primary key attributes: Primary key attribute: {}",
        path.attribute
    )))
}
