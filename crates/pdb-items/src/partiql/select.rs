//! `SELECT`: ranges of keys, a filter, and a page of what they give.
//!
//! Evidence: `dynamodb.md` 11.2 and 11.6.

use std::sync::Arc;

use pdb_expr::partiql::{Access, PartiqlError, Select, access, has_other_conditions, primary_key};
use pdb_model::{AnyIndex, EncodedItem, IndexKind, Item, KeySchema, SecondaryIndex, TableDefinition};
use pdb_store::{Direction, ReadTx, Table};

use super::next_token::PagePosition;
use super::statement::refused;
use crate::ItemsError;
use crate::capacity::{CapacityUnits, Consistency, Meter};
use crate::expressions::check_no_path_into_key;
use crate::items_page::EncodedItems;
use crate::key_range::{ByteRange, range_of};
use crate::keys::{KeyFault, key_of_parameter};
use crate::options::MessageLayer;
use crate::page::{PAGE_BYTES, PageContent, PageRequest};
use crate::select::ReadKind;
use crate::start_key::Position;
use crate::write::decoded;

/// What a page of a `SELECT` gave.
pub(super) struct SelectedPage {
    pub(super) items: EncodedItems,
    /// Where the page ended, if there may be more.
    pub(super) last: Option<PagePosition>,
    pub(super) meter: Meter,
}

/// Reads a page.
pub(super) fn read_page(
    tx: &mut ReadTx<'_>,
    table: &Arc<Table>,
    select: &Select,
    limit: Option<u32>,
    start: Option<&PagePosition>,
    consistent_read: bool,
) -> Result<SelectedPage, ItemsError> {
    let definition = &*table.definition;
    let index = index_of(definition, select, consistent_read)?;
    let position = Position { table: definition, index };
    let schema = position.schema();
    let access = access(select.condition.as_ref(), schema).map_err(refused)?;
    if let Some(error) = &select.counting {
        return Err(refused(error.clone()));
    }
    check_paths(definition, select)?;
    let fetch = check_projected(position, select, &access)?;
    let (direction, mut ranges) = ordered(select, &access, schema)?;
    let filter = select.condition.as_ref().filter(|_| !is_answered_by_keys(select, &access, schema));
    let is_single = index.is_none() && is_key_of_one_item(&access, schema);
    let mut first = 0;
    if let Some(place) = start {
        let invalid = |_| ItemsError::validation("The provided NextToken is invalid for this statement");
        first = place.range.min(ranges.len());
        if let (Some(key), Some(range)) = (&place.key, ranges.get_mut(first)) {
            let bytes = position.start_of_scan(key, MessageLayer::Classic).map_err(invalid)?;
            *range = range.clone().after(bytes.as_bytes(), direction == Direction::Forward);
        }
    }
    let mut selected = SelectedPage { items: EncodedItems::default(), last: None, meter: Meter::default() };
    let (mut scanned_count, mut read_bytes) = (0, 0);
    let range_count = ranges.len();
    for (number, range) in ranges.into_iter().enumerate().skip(first) {
        let request = PageRequest {
            table,
            position,
            direction,
            limit: limit.map(|limit| limit - scanned_count),
            filter,
            content: PageContent::Selected(select),
            fetch,
            consistency: Consistency::of(consistent_read),
        };
        let page = request.read(tx, range)?;
        scanned_count += u32::try_from(page.scanned_count).unwrap_or(u32::MAX);
        read_bytes += page.read_bytes;
        selected.meter.add(&page.meter);
        selected.items.append(page.items);
        if let Some(key) = page.last {
            // One item ends its range: what follows it is in the next one, if there is one.
            if !(is_single && number + 1 == range_count) {
                selected.last = Some(PagePosition { range: number, key: Some(key) });
            }
            break;
        }
        if read_bytes >= PAGE_BYTES && number + 1 < range_count {
            // The range ended, and with it the page.
            selected.last = Some(PagePosition { range: number + 1, key: None });
            break;
        }
    }
    Ok(selected)
}

/// Returns the key of the one item that a `SELECT` of a batch or a transaction reads.
pub(super) fn key_of_select(table: &TableDefinition, select: &Select) -> Option<Item> {
    let key = primary_key(select.condition.as_ref(), &table.key_schema)?;
    select.source.index.is_none().then_some(key)
}

/// Returns whether a `SELECT` demands more of its item than its key.
pub(super) fn demands_more(table: &TableDefinition, select: &Select) -> bool {
    has_other_conditions(select.condition.as_ref(), &table.key_schema)
}

/// What a `SELECT` of one item gave.
pub(super) struct SelectedItem {
    pub(super) item: Option<EncodedItem>,
    /// The size of the whole item.
    pub(super) size_bytes: u64,
}

/// Why a `SELECT` of one item failed.
pub(super) enum SelectFault {
    /// The key does not fit the table.
    Key(KeyFault),
    /// Anything else.
    Failed(ItemsError),
}

/// Reads one item by its key; it must meet the whole condition.
pub(super) fn read_one(
    tx: &mut ReadTx<'_>,
    table: &Table,
    select: &Select,
    key: &Item,
) -> Result<SelectedItem, SelectFault> {
    let key = key_of_parameter(&table.definition.key_schema, key).map_err(SelectFault::Key)?;
    check_paths(&table.definition, select).map_err(SelectFault::Failed)?;
    let stored = tx.get_item(table, &key.encode()).map_err(|error| SelectFault::Failed(error.into()))?;
    let Some(stored) = stored else { return Ok(SelectedItem { item: None, size_bytes: 0 }) };
    let size_bytes = stored.size_bytes();
    let item = decoded(&stored).map_err(SelectFault::Failed)?;
    let matches = select.condition.as_ref().is_none_or(|condition| condition.matches(Some(&item)));
    let item = match (matches, &select.projection) {
        (false, _) => None,
        (true, None) => Some(stored),
        (true, Some(_)) => Some(EncodedItem::from(&select.project(&item))),
    };
    Ok(SelectedItem { item, size_bytes })
}

/// What one item by its key costs.
pub(super) fn units_of_one(size_bytes: u64, consistency: Consistency) -> Meter {
    let mut meter = Meter::default();
    meter.charge_table(CapacityUnits::of_read(size_bytes, consistency));
    meter
}

fn index_of<'a>(
    table: &'a TableDefinition,
    select: &Select,
    consistent_read: bool,
) -> Result<Option<&'a SecondaryIndex>, ItemsError> {
    let Some(name) = &select.source.index else { return Ok(None) };
    let index = table.any_index(name).ok_or_else(|| refused(PartiqlError::UnknownIndex))?;
    let is_local = matches!(index, AnyIndex::Secondary(index) if index.kind == IndexKind::Local);
    if consistent_read && !is_local {
        return Err(refused(PartiqlError::ConsistentIndexRead));
    }
    match index {
        AnyIndex::Secondary(index) => Ok(Some(index)),
        AnyIndex::Vector(_) => Err(ItemsError::validation(ReadKind::Scan.not_supported())),
    }
}

/// Checks that nothing leads into a key.
fn check_paths(table: &TableDefinition, select: &Select) -> Result<(), ItemsError> {
    let projected = select.projection.iter().flatten().map(|part| &part.path);
    let compared = select.condition.as_ref().map(|condition| condition.paths()).unwrap_or_default();
    check_no_path_into_key(table, projected.chain(compared))
}

/// Checks that an index has the requested attributes. Returns whether items of a local index must be completed from the table.
fn check_projected(position: Position<'_>, select: &Select, access: &Access) -> Result<bool, ItemsError> {
    let Some(index) = position.index else { return Ok(false) };
    let lacks = |attribute: &&str| !index.projects(&position.table.key_schema, attribute);
    let mut missing: Vec<&str> =
        select.projection.iter().flatten().map(|part| &*part.path.attribute).filter(lacks).collect();
    missing.sort_unstable();
    missing.dedup();
    if index.kind == IndexKind::Global && !missing.is_empty() {
        return Err(ItemsError::Validation(format!(
            "One or more parameter values were invalid: Global secondary index {} does not project [{}]",
            index.name,
            missing.join(", ")
        )));
    }
    if let (Access::Query(_), Some(condition)) = (access, &select.condition) {
        let mut filtered: Vec<&str> =
            condition.paths().into_iter().map(|path| &*path.attribute).filter(lacks).collect();
        filtered.sort_unstable();
        filtered.dedup();
        if !filtered.is_empty() {
            return Err(ItemsError::Validation(format!(
                "One or more parameter values were invalid: Secondary index {} does not project one or more filter \
                 attributes: [{}]",
                index.name,
                filtered.join(", ")
            )));
        }
    }
    Ok(!missing.is_empty())
}

/// Returns the ranges to read, in the order that `ORDER BY` asks for, and the direction in each.
fn ordered(
    select: &Select,
    access: &Access,
    schema: &KeySchema,
) -> Result<(Direction, Vec<ByteRange>), ItemsError> {
    let conditions = match access {
        Access::Query(conditions) => conditions,
        Access::Scan if select.order_by.is_empty() => {
            return Ok((Direction::Forward, vec![ByteRange::all()]));
        }
        Access::Scan if select.condition.is_none() => {
            return Err(ItemsError::validation(
                "Must have WHERE clause in the statement when using ORDER BY clause.",
            ));
        }
        Access::Scan => {
            return Err(ItemsError::validation(
                "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
            ));
        }
    };
    for order in &select.order_by {
        if order.path.is_nested() || !schema.contains(&order.path.attribute) {
            return Err(ItemsError::Validation(format!(
                "Variable reference {} in ORDER BY clause must be part of the primary key",
                order.path.attribute
            )));
        }
    }
    let order_of = |attributes: &[pdb_model::KeyAttribute]| {
        let name = &attributes.first()?.name;
        select.order_by.iter().find(|order| *order.path.attribute == **name).map(|order| order.is_descending)
    };
    let direction =
        if order_of(&schema.range) == Some(true) { Direction::Backward } else { Direction::Forward };
    let mut ranges: Vec<_> =
        conditions.iter().map(|condition| (&condition.hash, range_of(condition))).collect();
    if !select.order_by.is_empty() {
        ranges.sort_by(|(one_hash, one), (two_hash, two)| {
            let by_hash = match order_of(&schema.hash) {
                Some(true) => two_hash.cmp(one_hash),
                Some(false) | None => one_hash.cmp(two_hash),
            };
            by_hash.then_with(|| match direction {
                Direction::Forward => one.lower.cmp(&two.lower),
                Direction::Backward => two.lower.cmp(&one.lower),
            })
        });
    }
    Ok((direction, ranges.into_iter().map(|(_, range)| range).collect()))
}

/// Returns whether every item in the ranges meets the condition, so that none has to be decoded for it.
fn is_answered_by_keys(select: &Select, access: &Access, schema: &KeySchema) -> bool {
    let Access::Query(conditions) = access else { return false };
    if has_other_conditions(select.condition.as_ref(), schema) {
        return false;
    }
    // Two equalities of one attribute contradict each other; then nothing in the range will do.
    conditions.iter().all(|condition| {
        let values = condition.hash.iter().chain(&condition.range_equal);
        let key: Item = schema
            .attributes()
            .zip(values)
            .map(|(attribute, value)| (attribute.name.clone(), value.clone().into()))
            .collect();
        select.condition.as_ref().is_none_or(|condition| condition.matches(Some(&key)))
    })
}

/// Returns whether each range has one item at most.
fn is_key_of_one_item(access: &Access, schema: &KeySchema) -> bool {
    match access {
        Access::Scan => false,
        Access::Query(conditions) => {
            conditions.iter().all(|condition| condition.range_equal.len() == schema.range.len())
        }
    }
}
