//! The items of a table as they were.

use std::ops::{Bound, ControlFlow};

use pdb_model::EncodedItem;

use super::{
    PastState, PastTable,
    walk::{LIMITS, Limits, PageBudget, Pass},
};
use crate::{
    error::StoreError,
    read_tx::ReadTx,
    rows::{
        history::OpenHistory,
        items::{Direction, KeyRange},
        table::Table,
    },
};

/// A walk through the items that a table had in a state of the past, in pages.
///
/// A page is read in a transaction of its own, while others write. A pass first looks at all changes since the state and notes which keys have
/// changed. Then it reads the table in the order of keys and leaves these out; before each page, it looks at the changes that have come. At last it
/// reads the changes again, and takes what the first change of each key has replaced. A key that changes after its page was read was right then, and
/// is not noted.
#[derive(Debug)]
pub struct PastItems {
    table: PastTable,
    limits: Limits,
    /// The changed keys, with the number of the first change of each.
    pass: Pass<i64>,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The items in the table, from this key on.
    Table(Vec<u8>),
    /// What changes have replaced, from this number on.
    History(i64),
    Done,
}

impl PastItems {
    /// Begins a walk through the keys of a range. The state is from [`ReadTx::past_state`] of this table.
    #[must_use]
    pub fn new(table: &Table, range: &KeyRange, state: PastState) -> Self {
        Self::with_limits(table, range, state, LIMITS)
    }

    pub(super) fn with_limits(table: &Table, range: &KeyRange, state: PastState, limits: Limits) -> Self {
        let pass = Pass::first(range, state, limits);
        let step = Step::Table(pass.lower.clone());
        Self { table: PastTable::new(table, state), limits, pass, step }
    }

    /// Returns the next items, some 2,000 or 1 MB at most; `None` behind the last one. A page can be empty, and more can follow it. Items come in no
    /// particular order.
    ///
    /// # Errors
    ///
    /// [`StoreError::PastLost`] if the history was trimmed or ended meanwhile, [`StoreError::TableNotFound`], [`StoreError::Database`],
    /// [`StoreError::Corrupt`].
    pub fn next_page(&mut self, tx: &mut ReadTx<'_>) -> Result<Option<Vec<EncodedItem>>, StoreError> {
        let (step, mut page) = (std::mem::replace(&mut self.step, Step::Done), Vec::new());
        match step {
            Step::Done => return Ok(None),
            Step::Table(position) => self.read_table(tx, position, &mut page)?,
            Step::History(position) => self.read_history(tx, position, &mut page)?,
        }
        Ok(Some(page))
    }

    /// Looks at the changes that it does not know yet, as far as the budget goes; returns whether it knows all of them. Keys below `position` have
    /// been read.
    fn look_at_changes(
        &mut self,
        tx: &mut ReadTx<'_>,
        history: &OpenHistory,
        position: &[u8],
        budget: &mut PageBudget,
    ) -> Result<bool, StoreError> {
        let from = self.pass.looked_to;
        let pass = &mut self.pass;
        tx.read_past_changes((&self.table.name, history), from, &mut |change| {
            pass.looked_to = change.number + 1;
            if &*change.key >= position && pass.has(&change.key) && !pass.changed.contains_key(&*change.key) {
                pass.note(&change.key, change.number);
            }
            budget.take(change.key.len() + change.old.map_or(0, |old| old.json.len()))
        })?;
        Ok(!budget.is_spent())
    }

    fn read_table(
        &mut self,
        tx: &mut ReadTx<'_>,
        mut position: Vec<u8>,
        page: &mut Vec<EncodedItem>,
    ) -> Result<(), StoreError> {
        let (table, history) = self.table.find(tx)?;
        let mut budget = PageBudget::new(self.limits);
        if !self.look_at_changes(tx, &history, &position, &mut budget)? {
            self.step = Step::Table(position);
            return Ok(());
        }
        let upper = self.pass.upper.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let range = KeyRange { lower: Bound::Included(position.clone()), upper };
        let (mut is_end, changed) = (true, &self.pass.changed);
        tx.scan(&table, None, &range, Direction::Forward, &mut |row| {
            position = [row.key, &[0]].concat();
            if !changed.contains_key(row.key) {
                page.push(row.to_item());
            }
            let flow = budget.take(row.json.len());
            is_end = flow.is_continue();
            flow
        })?;
        self.step = match self.pass.changed.values().min() {
            _ if !is_end => Step::Table(position),
            Some(first) => Step::History(*first),
            None => self.next_pass(),
        };
        Ok(())
    }

    fn read_history(
        &mut self,
        tx: &mut ReadTx<'_>,
        mut position: i64,
        page: &mut Vec<EncodedItem>,
    ) -> Result<(), StoreError> {
        let (_, history) = self.table.find(tx)?;
        let mut budget = PageBudget::new(self.limits);
        let changed = &self.pass.changed;
        let last = changed.values().max().copied().unwrap_or(position);
        tx.read_past_changes((&self.table.name, &history), position, &mut |change| {
            position = change.number + 1;
            if changed.get(&*change.key) == Some(&change.number) {
                page.extend(change.old.map(|old| old.to_item()));
            }
            if change.number >= last {
                return ControlFlow::Break(());
            }
            budget.take(change.old.map_or(0, |old| old.json.len()))
        })?;
        let is_end = position > last || !budget.is_spent();
        self.step = if is_end { self.next_pass() } else { Step::History(position) };
        Ok(())
    }

    fn next_pass(&mut self) -> Step {
        match self.pass.next(self.table.state, self.limits) {
            None => Step::Done,
            Some(next) => {
                let position = next.lower.clone();
                self.pass = next;
                Step::Table(position)
            }
        }
    }
}
