//! Checking exactly which records a stream has for one item.
//!
//! Waiting cannot show that a write made *no* record, because records come late. The order per item can: after the writes in
//! question, the case changes the item and deletes it. The records of the item that the stream has before these two
//! are all records that the writes made.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::context::{Context, Keys, SharedTable, Table};
use crate::outcome::Outcome;
use crate::reader::Reader;
use crate::record::{Record, View, merged, normal, s};
use crate::{check, check_eq, shown};

/// One record that must be there.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub event: &'static str,
    /// The whole item before.
    pub old: Option<Value>,
    /// The whole item after.
    pub new: Option<Value>,
}

impl Change {
    /// Returns the change between two states of an item; `None` if there is none.
    pub fn between(old: Option<&Value>, new: Option<&Value>) -> Option<Change> {
        let event = match (old, new) {
            (None, Some(_)) => "INSERT",
            (Some(old), Some(new)) if old != new => "MODIFY",
            (Some(_), None) => "REMOVE",
            _ => return None,
        };
        Some(Change { event, old: old.cloned(), new: new.cloned() })
    }

    /// Fails unless a record shows this change as the view type demands.
    pub fn check(&self, record: &Record, view: View, keys: &Value) -> Outcome {
        check_eq!(record.event(), self.event, "eventName");
        check_eq!(record.keys(), keys, "Keys");
        check_eq!(record.inner()["StreamViewType"], Value::from(view.name()), "StreamViewType");
        let old = self.old.as_ref().filter(|_| view.has_old()).map(normal);
        let new = self.new.as_ref().filter(|_| view.has_new()).map(normal);
        check_eq!(
            record.old_image().map(normal),
            old,
            "OldImage of the {} under {}",
            self.event,
            view.name()
        );
        check_eq!(
            record.new_image().map(normal),
            new,
            "NewImage of the {} under {}",
            self.event,
            view.name()
        );
        Ok(())
    }
}

/// One item of a shared table, which belongs to one case alone.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The case.
    pub cx: &'a Context<'a>,
    /// The table.
    pub table: &'a Table,
    /// The item's key.
    pub key: Value,
    reader: &'a Mutex<Reader>,
}

impl<'a> Place<'a> {
    /// Takes a key of its own in a shared table.
    pub fn new(cx: &'a Context<'a>, shared: &'a SharedTable, keys: Keys) -> Place<'a> {
        Place { cx, table: &shared.table, key: cx.own_key(keys), reader: &shared.reader }
    }

    /// Returns a place beside this one, with a key of its own.
    pub fn another(&self, keys: Keys) -> Place<'a> {
        Place { key: self.cx.own_key(keys), ..self.clone() }
    }

    /// Returns the item with these attributes besides its key.
    pub fn item(&self, attributes: &Value) -> Value {
        merged(&self.key, attributes)
    }

    /// Puts the item with these attributes besides its key.
    pub fn put(&self, attributes: &Value) -> Outcome {
        self.cx.put(&self.table.name, self.item(attributes))
    }

    /// Updates the item.
    pub fn update(&self, expression: &str, values: Value) -> Outcome {
        self.cx.update(&self.table.name, &self.key, expression, values).map(drop)
    }

    /// Deletes the item.
    pub fn delete(&self) -> Outcome {
        self.cx.delete(&self.table.name, &self.key)
    }

    /// Ends the item's history, and fails unless the stream shows these changes of it and no others.
    pub fn check_history(&self, expected: &[Change]) -> Outcome<Vec<Record>> {
        let last = expected.last().and_then(|change| change.new.clone());
        let end = self.item(&json!({"suite_end": s("1")}));
        self.cx.put(&self.table.name, end.clone())?;
        self.delete()?;
        let mut all = expected.to_vec();
        all.extend(Change::between(last.as_ref(), Some(&end)));
        all.extend(Change::between(Some(&end), None));
        let mut records = Vec::new();
        let read = self.cx.wait("the records of the item", || {
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            reader.poll(self.cx)?;
            records = reader.records_of(&self.key);
            Ok((records.len() >= all.len()).then_some(()))
        });
        let events: Vec<&str> = records.iter().map(Record::event).collect();
        let wanted: Vec<&str> = all.iter().map(|change| change.event).collect();
        let also = "the last two come from the suite's own closing put and delete";
        read.map_err(|stop| stop.during(&format!("wanted {wanted:?} ({also}), got {events:?}")))?;
        check!(events == wanted, "wanted {wanted:?}, got {events:?} ({also}): {}", shown(&records));
        let view = self.table.view.unwrap_or(View::Both);
        for (record, change) in records.iter().zip(&all) {
            change.check(record, view, &self.key)?;
        }
        Ok(records)
    }
}
