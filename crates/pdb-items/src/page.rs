//! One page of a query or a scan.
//!
//! Rows come from the store one by one and only as far as the page goes. Without filter and projection the stored text of
//! an item goes into the response as it is; nothing is decoded but the last item, for the key at which the next page begins.

use std::ops::ControlFlow;
use std::sync::Arc;

use pdb_expr::{ConditionExpression, ProjectionExpression};
use pdb_model::{EncodedItem, IndexKind, Item, KeyBytes};
use pdb_store::{Direction, ReadTx, RowRef, StoreError, Table};

use crate::ItemsError;
use crate::capacity::{CapacityUnits, Consistency, Meter};
use crate::items_page::EncodedItems;
use crate::key_range::ByteRange;
use crate::start_key::Position;

/// The bytes of items after which a page ends; the item that reaches them is on it.
pub(crate) const PAGE_BYTES: u64 = 1024 * 1024;
/// The most room that is made at once for items that may come, or not.
const MOST_RESERVED: usize = 256 << 10;
/// How many index entries are read before their items are fetched from the table.
const FETCH_ENTRIES: usize = 64;

/// What a page shows of its items.
#[derive(Clone, Copy, Debug)]
pub(crate) enum PageContent<'a> {
    /// How many there are.
    Count,
    /// All of them, or what the projection names.
    Items(Option<&'a ProjectionExpression>),
    /// What the index has of them: the rest was fetched for the filter only.
    Entries,
    /// What a `SELECT` of PartiQL makes of them.
    Selected(&'a pdb_expr::partiql::Select),
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageRequest<'a> {
    pub(crate) table: &'a Arc<Table>,
    pub(crate) position: Position<'a>,
    pub(crate) direction: Direction,
    pub(crate) limit: Option<u32>,
    pub(crate) filter: Option<&'a ConditionExpression>,
    pub(crate) content: PageContent<'a>,
    /// Whether items are completed from the table: a local index was asked for more than it holds.
    pub(crate) fetch: bool,
    pub(crate) consistency: Consistency,
}

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) items: EncodedItems,
    pub(crate) count: u64,
    pub(crate) scanned_count: u64,
    /// The key of the last item read, if the page ended before the range did.
    pub(crate) last: Option<Item>,
    /// The bytes of items or entries read.
    pub(crate) read_bytes: u64,
    pub(crate) meter: Meter,
}

impl PageRequest<'_> {
    /// Reads a page of `range`.
    pub(crate) fn read(&self, tx: &mut ReadTx<'_>, range: ByteRange) -> Result<Page, ItemsError> {
        let mut page = Page::default();
        let read_bytes = if self.fetch {
            self.read_fetching(tx, range, &mut page)?
        } else {
            self.read_directly(tx, range, &mut page)?
        };
        page.read_bytes = read_bytes;
        let units = CapacityUnits::of_read(read_bytes, self.consistency);
        match self.position.index {
            None => page.meter.charge_table(units),
            Some(index) if index.kind == IndexKind::Local => page.meter.charge_local(&index.name, units),
            Some(index) => page.meter.charge_global(&index.name, units),
        }
        Ok(page)
    }

    fn read_directly(
        &self,
        tx: &mut ReadTx<'_>,
        range: ByteRange,
        page: &mut Page,
    ) -> Result<u64, ItemsError> {
        let mut read_bytes = 0;
        let mut outcome = Ok(());
        self.scan(tx, range, &mut |row| {
            page.scanned_count += 1;
            read_bytes += row.size_bytes;
            outcome = self.take(page, row.json, row.size_bytes).and_then(|()| {
                if page.items.len() == 1 {
                    self.make_room(page);
                }
                if self.is_full(page, read_bytes) {
                    page.last = Some(self.position.key_of(&item_of(row.json)?));
                }
                Ok(())
            });
            if outcome.is_err() || page.last.is_some() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        outcome.map(|()| read_bytes)
    }

    /// Reads entries of a local index some at a time, and their items from the table.
    fn read_fetching(
        &self,
        tx: &mut ReadTx<'_>,
        range: ByteRange,
        page: &mut Page,
    ) -> Result<u64, ItemsError> {
        let forward = self.direction == Direction::Forward;
        let (mut rest, mut read_bytes, mut fetched_bytes) = (range, 0, 0);
        loop {
            let mut entries: Vec<(Vec<u8>, KeyBytes, u64)> = Vec::new();
            self.scan(tx, rest.clone(), &mut |row| {
                entries.push((row.key.to_vec(), KeyBytes::from_stored(row.base.to_vec()), row.size_bytes));
                let wanted = self.limit.map_or(FETCH_ENTRIES, |limit| {
                    FETCH_ENTRIES.min(limit as usize - page.scanned_count as usize)
                });
                if entries.len() < wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            let Some((last, ..)) = entries.last() else { return Ok(read_bytes) };
            rest = rest.after(last, forward);
            for (_, base, entry_bytes) in &entries {
                let item = tx.get_item(self.table, base)?.ok_or_else(|| {
                    let error = StoreError::corrupt("index entry", "its item is not in the table");
                    ItemsError::Store(error.of_table(self.table.name()))
                })?;
                page.scanned_count += 1;
                read_bytes += entry_bytes;
                fetched_bytes += item.size_bytes();
                page.meter.charge_table(CapacityUnits::of_read(item.size_bytes(), self.consistency));
                self.take(page, item.json(), item.size_bytes())?;
                if self.is_full(page, fetched_bytes.max(read_bytes)) {
                    page.last = Some(self.position.key_of(&item_of(item.json())?));
                    return Ok(read_bytes);
                }
            }
        }
    }

    fn scan(
        &self,
        tx: &mut ReadTx<'_>,
        range: ByteRange,
        each: &mut dyn FnMut(RowRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), ItemsError> {
        let index = self.position.index.map(|index| &index.name);
        Ok(tx.scan(self.table, index, &range.into_key_range(), self.direction, each)?)
    }

    /// Makes room for a page of items like the first: growing it later copies all that is there again and again.
    fn make_room(&self, page: &mut Page) {
        let Some(limit) = self.limit else { return };
        let left = usize::try_from(u64::from(limit).saturating_sub(page.scanned_count)).unwrap_or(usize::MAX);
        // A little more than the first, or all would be copied once more for the sake of the last.
        let item = page.items.json().len() * 17 / 16 + 1;
        page.items.reserve(left.saturating_mul(item).min(MOST_RESERVED));
    }

    fn is_full(&self, page: &Page, bytes: u64) -> bool {
        self.limit.is_some_and(|limit| page.scanned_count >= u64::from(limit)) || bytes >= PAGE_BYTES
    }

    /// Takes one item onto the page, if the filter lets it.
    fn take(&self, page: &mut Page, json: &str, size_bytes: u64) -> Result<(), ItemsError> {
        let decoded = match self.filter {
            None => None,
            Some(filter) => {
                let item = item_of(json)?;
                if !filter.matches(Some(&item)) {
                    return Ok(());
                }
                Some(item)
            }
        };
        page.count += 1;
        match (self.content, decoded) {
            (PageContent::Count, _) => {}
            (PageContent::Items(Some(projection)), Some(item)) => {
                page.items.push(&EncodedItem::from(&projection.apply(item)));
            }
            (PageContent::Items(projection), _) => shape_into(&mut page.items, json, size_bytes, projection)?,
            (PageContent::Entries, decoded) => {
                let mut item = decoded.map_or_else(|| item_of(json), Ok)?;
                item.retain(|attribute, _| self.position.has(attribute));
                page.items.push(&EncodedItem::from(&item));
            }
            (PageContent::Selected(select), _) if select.projection.is_none() => {
                page.items.push_stored(json, size_bytes);
            }
            (PageContent::Selected(select), decoded) => {
                let item = decoded.map_or_else(|| item_of(json), Ok)?;
                page.items.push(&EncodedItem::from(&select.project(&item)));
            }
        }
        Ok(())
    }
}

/// Adds to `items` what the projection names of a stored item.
pub(crate) fn shape_into(
    items: &mut EncodedItems,
    json: &str,
    size_bytes: u64,
    projection: Option<&ProjectionExpression>,
) -> Result<(), ItemsError> {
    match projection {
        None => items.push_stored(json, size_bytes),
        Some(projection) => items.push(&EncodedItem::from(&projection.apply(item_of(json)?))),
    }
    Ok(())
}

/// Reads a stored text.
fn item_of(json: &str) -> Result<Item, ItemsError> {
    Item::from_json(json).map_err(|error| ItemsError::Store(StoreError::corrupt("item", error)))
}
