//! The model: what the database must hold, in plain maps.
//!
//! It knows what each operation does and nothing of how. A snapshot of the database is a clone of the model.

mod stream;
mod writes;

pub use stream::{Bound, Expected, ModelShard, ModelStream, Position, RETENTION_MILLIS};
pub use writes::{Planned, Refusal};

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use pretender::model::{EncodedItem, Item};
use pretender::streams::{EventName, StreamArn, StreamViewType};
use pretender::time::EpochMillis;

use crate::shape::{self, Index};

/// An item, and its text as the database must return it.
#[derive(Debug)]
pub struct Stored {
    /// The item.
    pub item: Item,
    /// Its canonical text and its size.
    pub encoded: EncodedItem,
}

impl Stored {
    fn new(item: Item) -> Rc<Self> {
        let encoded = EncodedItem::from(&item);
        Rc::new(Self { item, encoded })
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct ModelTable {
    /// Whether it has a sort key.
    pub has_range: bool,
    /// Its indexes.
    pub indexes: BTreeSet<Index>,
    /// Whether items expire.
    pub expires: bool,
    /// Its items, by the number of their key.
    pub items: BTreeMap<u8, Rc<Stored>>,
    /// Its enabled stream.
    pub stream: Option<StreamArn>,
}

impl ModelTable {
    /// Returns a table without items, of one of the shapes.
    #[must_use]
    pub fn of_shape(number: u8) -> Self {
        let (has_range, indexes) = shape::shape(number);
        let indexes = indexes.iter().copied().collect();
        Self { has_range, indexes, expires: false, items: BTreeMap::new(), stream: None }
    }

    /// Returns the entries of an index, as texts in order.
    #[must_use]
    pub fn entries(&self, index: Index) -> Vec<String> {
        let items = self.items.values();
        let entries = items.filter_map(|stored| index.entry(self.has_range, &stored.item));
        let mut texts: Vec<String> = entries.map(|entry| EncodedItem::from(&entry).into_json()).collect();
        texts.sort_unstable();
        texts
    }

    /// Returns whether an item has expired at a time in seconds.
    #[must_use]
    pub fn is_expired(&self, stored: &Stored, now: i64) -> bool {
        let at = stored.item.get("t").and_then(|t| t.as_n()?.floor_i64());
        // Five years, as AWS has it, are longer than a run.
        self.expires && at.is_some_and(|at| at <= now)
    }
}

/// A backup of a table.
#[derive(Clone, Debug)]
pub struct ModelBackup {
    /// The ARN.
    pub arn: String,
    /// The table as it was.
    pub table: ModelTable,
}

/// Everything that the database must hold.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The tables by the number of their name.
    pub tables: BTreeMap<u8, ModelTable>,
    /// All streams that are listed, also those of deleted tables.
    pub streams: BTreeMap<StreamArn, ModelStream>,
    /// The backups, oldest first.
    pub backups: Vec<ModelBackup>,
    /// The tokens of transactions: what was asked under them, and when.
    pub tokens: BTreeMap<u8, (String, EpochMillis)>,
}

impl Model {
    /// Changes an item: notes the record that its stream must have, unless nothing changes.
    pub fn change(&mut self, number: u8, key: u8, new: Option<Item>, ordinal: u64, now: EpochMillis) {
        self.change_by(number, key, new, ordinal, now, false);
    }

    /// Deletes an item whose time has passed.
    pub fn expire(&mut self, number: u8, key: u8, ordinal: u64, now: EpochMillis) {
        self.change_by(number, key, None, ordinal, now, true);
    }

    fn change_by(
        &mut self,
        number: u8,
        key: u8,
        new: Option<Item>,
        ordinal: u64,
        now: EpochMillis,
        is_expiry: bool,
    ) {
        let Some(table) = self.tables.get_mut(&number) else { return };
        let old = table.items.get(&key).cloned();
        let new = new.map(Stored::new);
        let event = match (&old, &new) {
            (None, None) => return,
            (Some(old), Some(new)) if old.encoded == new.encoded => return,
            (None, Some(_)) => EventName::Insert,
            (Some(_), Some(_)) => EventName::Modify,
            (Some(_), None) => EventName::Remove,
        };
        match &new {
            Some(new) => table.items.insert(key, new.clone()),
            None => table.items.remove(&key),
        };
        let keys = EncodedItem::from(&shape::key(table.has_range, key));
        if let Some(stream) = table.stream.as_ref().and_then(|arn| self.streams.get_mut(arn)) {
            stream.expect(Expected { ordinal, event, keys, old, new, created: now, is_expiry });
        }
    }

    /// Adds an enabled stream to a table.
    pub fn enable_stream(&mut self, number: u8, arn: &StreamArn, view: StreamViewType) {
        if let Some(table) = self.tables.get_mut(&number) {
            table.stream = Some(arn.clone());
        }
        self.streams.insert(arn.clone(), ModelStream::new(number, view));
    }

    /// Disables the stream of a table, if it has one.
    pub fn disable_stream(&mut self, number: u8, now: EpochMillis) {
        let arn = self.tables.get_mut(&number).and_then(|table| table.stream.take());
        if let Some(stream) = arn.and_then(|arn| self.streams.get_mut(&arn)) {
            stream.disabled = Some(now);
            stream.is_changed = true;
        }
    }

    /// Returns the streams that are listed at a time.
    pub fn listed(&self, now: EpochMillis) -> impl Iterator<Item = (&StreamArn, &ModelStream)> {
        self.streams.iter().filter(move |(_, stream)| !stream.is_purged(now))
    }

    /// Forgets what nobody can see any more.
    pub fn forget(&mut self, now: EpochMillis) {
        self.streams.retain(|_, stream| !stream.is_purged(now));
        self.streams.values_mut().for_each(|stream| stream.forget(now));
    }
}
