//! What a write does to an item.

use std::rc::Rc;

use pretender::model::{Item, Number};

use super::{ModelTable, Stored};
use crate::shape;
use crate::step::{Action, Change, Condition, Write};

/// Why a write is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such table.
    NoTable,
    /// The condition does not hold.
    Condition,
}

/// What a write does.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The item before.
    pub old: Option<Rc<Stored>>,
    /// The item afterwards.
    pub new: Option<Item>,
}

impl ModelTable {
    /// Returns what an action does at a time in seconds.
    ///
    /// # Errors
    ///
    /// [`Refusal::Condition`].
    pub fn plan(&self, action: &Action, now: i64) -> Result<Planned, Refusal> {
        let old = self.items.get(&action.key).cloned();
        let number = |stored: &Rc<Stored>| stored.item.get("n").and_then(|n| n.as_n()?.floor_i64());
        let holds = match action.condition {
            Condition::Always => true,
            Condition::Exists => old.is_some(),
            Condition::Absent => old.is_none(),
            Condition::NumberIs(n) => old.as_ref().and_then(number) == Some(n.into()),
        };
        if !holds {
            return Err(Refusal::Condition);
        }
        let key = shape::key(self.has_range, action.key);
        let current = || old.as_ref().map(|stored| stored.item.clone());
        let new = match action.write {
            Write::Put(attributes) => Some(shape::item(key, attributes, now)),
            Write::Delete => None,
            Write::Check => current(),
            // AWS creates no item only to remove an attribute from it.
            Write::Update(Change::RemoveText) if old.is_none() => None,
            Write::Update(change) => {
                let mut item = current().unwrap_or(key);
                update(&mut item, change, now);
                Some(item)
            }
        };
        Ok(Planned { old, new })
    }
}

fn update(item: &mut Item, change: Change, now: i64) {
    match change {
        Change::SetNumber(n) => drop(item.insert("n".to_owned(), i64::from(n).into())),
        Change::AddNumber(n) => {
            let before = item.get("n").and_then(|value| value.as_n().and_then(Number::floor_i64));
            item.insert("n".to_owned(), (before.unwrap_or(0) + i64::from(n)).into());
        }
        Change::SetTexts(g, d) => {
            item.insert("g".to_owned(), shape::text(g));
            item.insert("d".to_owned(), shape::data(d));
        }
        Change::RemoveText => drop(item.remove("g")),
        Change::SetExpiry(t) => {
            item.insert("t".to_owned(), (now + i64::from(t)).into());
            item.remove("d");
        }
    }
}
