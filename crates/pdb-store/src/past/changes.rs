//! What changed in a table between two moments.

use std::ops::Bound;

use pdb_model::{EncodedItem, EpochMillis, KeyBytes};

use super::{
    PastState, PastTable,
    walk::{LIMITS, Limits, PageBudget, Pass},
};
use crate::{
    driver::Driver,
    error::StoreError,
    params::Param,
    read_tx::ReadTx,
    rows::{history::OpenHistory, items::KeyRange, table::Table},
    sql::history::read_whole_change,
};

/// What has become of an item between two states of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetChange {
    /// The item in the earlier state, if it was there.
    pub old: Option<EncodedItem>,
    /// The item in the later state, if it was there.
    pub new: Option<EncodedItem>,
    /// When the item was changed last before the later state.
    pub changed: EpochMillis,
}

/// A walk through what changed between two states of a table, in pages. A change that was undone is none.
///
/// A pass looks at all changes since the earlier state and notes, for each key that has changed between the states, the first of its changes and the
/// first that came after the later state. These have the two items, or the table has the newer one. As in [`PastItems`](super::PastItems), a page is
/// read in a transaction of its own.
#[derive(Debug)]
pub struct NetChanges {
    table: PastTable,
    /// The number from which on changes come after the later state.
    end: i64,
    limits: Limits,
    pass: Pass<KeyChanges>,
    /// The keys of the pass that come next. `None` if the walk is done.
    position: Option<Bound<Vec<u8>>>,
}

/// The changes of a key that matter.
#[derive(Clone, Copy, Debug)]
struct KeyChanges {
    /// The number of the first.
    first: i64,
    /// When the last was made before the later state.
    changed: EpochMillis,
    /// The number of the first after the later state.
    after: Option<i64>,
}

impl NetChanges {
    /// Begins a walk through the keys of a range. Both states are from [`ReadTx::past_state`] of this table.
    #[must_use]
    pub fn new(table: &Table, range: &KeyRange, [from, to]: [PastState; 2]) -> Self {
        Self::with_limits(table, range, [from, to], LIMITS)
    }

    pub(super) fn with_limits(
        table: &Table,
        range: &KeyRange,
        [from, to]: [PastState; 2],
        limits: Limits,
    ) -> Self {
        Self {
            table: PastTable::new(table, from),
            end: to.first_later_change,
            limits,
            pass: Pass::first(range, from, limits),
            position: Some(Bound::Unbounded),
        }
    }

    /// Returns the next changes, some 1,000 or 1 MB at most; `None` behind the last one. A page can be empty, and more can follow it.
    ///
    /// # Errors
    ///
    /// As [`PastItems::next_page`](super::PastItems::next_page).
    pub fn next_page(&mut self, tx: &mut ReadTx<'_>) -> Result<Option<Vec<NetChange>>, StoreError> {
        let Some(position) = self.position.take() else { return Ok(None) };
        let (table, history) = self.table.find(tx)?;
        let mut budget = PageBudget::new(self.limits);
        if !self.look_at_changes(tx, &history, &mut budget)? {
            self.position = Some(position);
            return Ok(Some(Vec::new()));
        }
        let (mut page, mut last) = (Vec::new(), None);
        for (key, of_key) in self.pass.changed.range::<[u8], _>((as_slice(&position), Bound::Unbounded)) {
            if budget.is_spent() {
                break;
            }
            let old = old_image(tx.driver, &history, of_key.first);
            let new = match of_key.after {
                Some(number) => old_image(tx.driver, &history, number),
                None => tx.get_item(&table, &KeyBytes::from_stored(key.clone())),
            };
            let of_table = |error: StoreError| error.of_table(&self.table.name);
            let (old, new) = (old.map_err(of_table)?, new.map_err(of_table)?);
            let bytes = [&old, &new].into_iter().flatten().map(|item| item.json().len()).sum();
            // Breaking off comes with the next key.
            let _ = budget.take(bytes);
            if old.as_ref().map(EncodedItem::json) != new.as_ref().map(EncodedItem::json) {
                page.push(NetChange { old, new, changed: of_key.changed });
            }
            last = Some(key.clone());
        }
        self.position = match last {
            Some(last) if self.pass.changed.last_key_value().is_some_and(|(key, _)| *key != last) => {
                Some(Bound::Excluded(last))
            }
            _ => self.pass.next(self.table.state, self.limits).map(|next| {
                self.pass = next;
                Bound::Unbounded
            }),
        };
        Ok(Some(page))
    }

    /// Looks at the changes that it does not know yet, as far as the budget goes; returns whether it knows all of them.
    fn look_at_changes(
        &mut self,
        tx: &mut ReadTx<'_>,
        history: &OpenHistory,
        budget: &mut PageBudget,
    ) -> Result<bool, StoreError> {
        let (from, end) = (self.pass.looked_to, self.end);
        let pass = &mut self.pass;
        tx.read_past_changes((&self.table.name, history), from, &mut |change| {
            pass.looked_to = change.number + 1;
            if pass.has(&change.key) {
                match pass.changed.get_mut(&*change.key) {
                    Some(known) if change.number >= end => {
                        known.after.get_or_insert(change.number);
                    }
                    Some(known) => known.changed = change.changed,
                    None if change.number < end => {
                        let (first, changed) = (change.number, change.changed);
                        pass.note(&change.key, KeyChanges { first, changed, after: None });
                    }
                    None => {}
                }
            }
            budget.take(change.key.len() + change.old.map_or(0, |old| old.json.len()))
        })?;
        Ok(!budget.is_spent())
    }
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// Returns the item that the change with this number has replaced, if there was one.
fn old_image(
    driver: Driver<'_>,
    history: &OpenHistory,
    number: i64,
) -> Result<Option<EncodedItem>, StoreError> {
    let read = driver.first("read a change", &history.sql.first, &[Param::Integer(number)], |row| {
        let change = read_whole_change(row, history.sql.salt)?;
        Ok((change.number, change.old.map(|old| old.to_item())))
    })?;
    match read {
        Some((found, item)) if found == number => Ok(item),
        _ => Err(StoreError::corrupt("change in a history", "it is missing")),
    }
}
