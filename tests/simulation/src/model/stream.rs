//! A stream of the model: the records it must have, the shards they were found in, and what a reader must get.
//!
//! A record is *expected* when its write succeeds, and *bound* when the audit finds it in a shard. From then on every reader must get
//! exactly this record, with this number, in this place.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use pretender::model::EncodedItem;
use pretender::streams::{
    EventName, SequenceNumber, ShardId, StreamRecord, StreamViewType, UserIdentity, record_size_bytes,
};
use pretender::testing::ShardSummary;
use pretender::time::EpochMillis;

use super::Stored;
use crate::violation::{Checked, ensure, ensure_eq};

/// How long records are kept.
pub const RETENTION_MILLIS: i64 = 24 * 3600 * 1000;

/// A record that the stream must have.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Counts the changes of the whole run. Equal for changes whose order is not determined.
    pub ordinal: u64,
    /// What happened.
    pub event: EventName,
    /// The key.
    pub keys: EncodedItem,
    /// The item before.
    pub old: Option<Rc<Stored>>,
    /// The item afterwards.
    pub new: Option<Rc<Stored>>,
    /// When.
    pub created: EpochMillis,
    /// Whether the service has deleted the item.
    pub is_expiry: bool,
}

impl Expected {
    /// Checks everything of a record that follows from the write.
    fn check(&self, record: &StreamRecord, view: StreamViewType) -> Checked {
        let image = |has: bool, stored: &Option<Rc<Stored>>| {
            stored.as_ref().filter(|_| has).map(|stored| stored.encoded.clone())
        };
        let old_image = image(view.includes_old(), &self.old);
        let new_image = image(view.includes_new(), &self.new);
        let expected = StreamRecord {
            event_id: record.event_id,
            sequence_number: record.sequence_number,
            event_name: self.event,
            created: self.created,
            size_bytes: record_size_bytes(&self.keys, old_image.as_ref(), new_image.as_ref()),
            keys: self.keys.clone(),
            old_image,
            new_image,
            view_type: view,
            user_identity: self.is_expiry.then(UserIdentity::time_to_live),
        };
        ensure_eq!(record, &expected, "a record is not that of its write");
        Ok(())
    }
}

/// A record that was found in a shard.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The change of the run.
    pub ordinal: u64,
    /// The record.
    pub record: Rc<StreamRecord>,
}

/// A shard.
#[derive(Clone, Debug)]
pub struct ModelShard {
    /// As the database lists it.
    pub summary: ShardSummary,
    /// The records, oldest first, without those that were trimmed.
    pub records: VecDeque<Bound>,
    /// The counter of the newest trimmed record; at first that of the starting number.
    pub trimmed: u64,
    /// The number of the last record that was found here, which may be trimmed.
    pub last: Option<SequenceNumber>,
    /// Whether the audit has read it to its end.
    pub is_read: bool,
}

/// A position of an iterator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// The oldest record that exists.
    Horizon,
    /// The first record with this counter or a higher one.
    From(u64),
}

impl ModelShard {
    fn new(summary: ShardSummary) -> Self {
        let trimmed = summary.starting.counter;
        Self { summary, records: VecDeque::new(), trimmed, last: None, is_read: false }
    }

    /// Returns the counter up to which records cannot be read at a time, because they were trimmed or are too old.
    #[must_use]
    pub fn horizon(&self, now: EpochMillis) -> u64 {
        let old = self.records.partition_point(|bound| is_too_old(bound.record.created, now));
        let newest = old.checked_sub(1).and_then(|newest| self.records.get(newest));
        newest.map_or(self.trimmed, |bound| bound.record.sequence_number.counter.max(self.trimmed))
    }

    /// Returns the records that can be read at a time.
    pub fn visible(&self, now: EpochMillis) -> impl Iterator<Item = &Bound> {
        let horizon = self.horizon(now);
        self.records.iter().filter(move |bound| bound.record.sequence_number.counter > horizon)
    }

    /// Returns whether the shard can be seen at a time: not if it was closed long ago and nothing is left of it.
    #[must_use]
    pub fn is_listed(&self, now: EpochMillis) -> bool {
        let is_old = self.summary.closed.is_some_and(|closed| is_too_old(closed, now));
        !is_old || self.visible(now).next().is_some()
    }

    /// Returns the page that a reader must get, and whether there is a next one; `None` if the position was trimmed.
    #[must_use]
    pub fn page(
        &self,
        position: Position,
        limit: usize,
        now: EpochMillis,
    ) -> Option<(Vec<Rc<StreamRecord>>, bool)> {
        let from = match position {
            Position::Horizon => 0,
            Position::From(counter) if counter <= self.horizon(now) => return None,
            Position::From(counter) => counter,
        };
        let behind = self.visible(now).filter(|bound| bound.record.sequence_number.counter >= from);
        let page: Vec<Rc<StreamRecord>> = behind.take(limit).map(|bound| bound.record.clone()).collect();
        let has_next = match (self.summary.ending, page.last()) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ending), Some(last)) => last.sequence_number < ending,
        };
        Some((page, has_next))
    }
}

fn is_too_old(time: EpochMillis, now: EpochMillis) -> bool {
    time.0 <= now.0 - RETENTION_MILLIS
}

/// A stream.
#[derive(Clone, Debug)]
pub struct ModelStream {
    /// The number of its table.
    pub table: u8,
    /// The view type.
    pub view: StreamViewType,
    /// When it was disabled.
    pub disabled: Option<EpochMillis>,
    /// Its shards by id.
    pub shards: BTreeMap<ShardId, ModelShard>,
    /// Whether there may be other shards than these.
    pub is_changed: bool,
    /// Whether all records since the table was empty are there, so that a replay gives the table.
    pub is_complete: bool,
    /// The expected records that are not bound, by key.
    expected: BTreeMap<String, VecDeque<Expected>>,
    /// How many there are.
    pending: usize,
    /// The changes of each key and where they were found.
    by_key: BTreeMap<String, Vec<(u64, ShardId, SequenceNumber)>>,
}

impl ModelStream {
    /// Returns a stream that was just enabled.
    #[must_use]
    pub fn new(table: u8, view: StreamViewType) -> Self {
        Self {
            table,
            view,
            disabled: None,
            shards: BTreeMap::new(),
            is_changed: true,
            is_complete: false,
            expected: BTreeMap::new(),
            pending: 0,
            by_key: BTreeMap::new(),
        }
    }

    /// Returns whether the stream is not listed any more.
    #[must_use]
    pub fn is_purged(&self, now: EpochMillis) -> bool {
        self.disabled.is_some_and(|disabled| is_too_old(disabled, now))
    }

    /// Returns how many records were not found yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Describes a record that was not found, for people.
    #[must_use]
    pub fn first_pending(&self) -> String {
        let first = self.expected.values().filter_map(VecDeque::front).min_by_key(|one| one.ordinal);
        format!("{first:?}")
    }

    /// Notes a record that the stream must have.
    pub fn expect(&mut self, expected: Expected) {
        self.pending += 1;
        self.expected.entry(expected.keys.json().to_owned()).or_default().push_back(expected);
    }

    /// Takes the shards as the database lists them.
    ///
    /// # Errors
    ///
    /// If they contradict what was known, or each other.
    pub fn take_shards(&mut self, listed: Vec<ShardSummary>, now: EpochMillis) -> Checked {
        self.is_changed = false;
        for (id, shard) in &self.shards {
            let is_there = listed.iter().any(|one| one.shard_id == *id);
            ensure!(is_there || !shard.is_listed(now), "shard {id} is gone, with its records");
        }
        self.shards.retain(|id, _| listed.iter().any(|one| one.shard_id == *id));
        let mut ranges = Vec::new();
        for summary in listed {
            if summary.ending.is_none() {
                ranges.push(summary.hash_range);
            }
            ensure_eq!(summary.ending.is_some(), summary.closed.is_some(), "a closed shard has an end");
            if let Some(parent) = summary.parent_shard_id.as_ref().and_then(|id| self.shards.get(id)) {
                let ending = parent.summary.ending;
                ensure!(
                    ending.is_none_or(|ending| ending.counter < summary.starting.counter),
                    "shard {} begins before its parent ends",
                    summary.shard_id
                );
            }
            match self.shards.get_mut(&summary.shard_id) {
                Some(known) => {
                    let unchanged = |one: &ShardSummary| {
                        (one.parent_shard_id.clone(), one.starting, one.opened, one.hash_range)
                    };
                    ensure_eq!(unchanged(&summary), unchanged(&known.summary), "a shard has changed");
                    known.summary = summary;
                }
                None => {
                    self.shards.insert(summary.shard_id.clone(), ModelShard::new(summary));
                }
            }
        }
        ranges.sort_unstable();
        if self.disabled.is_some() {
            ensure!(ranges.is_empty(), "a disabled stream has open shards");
            return Ok(());
        }
        let mut next = Some(0);
        for (from, to) in &ranges {
            ensure_eq!(Some(*from), next, "the open shards own every key once: {ranges:?}");
            next = to.checked_add(1);
        }
        ensure!(!ranges.is_empty() && next.is_none(), "the open shards own every key once: {ranges:?}");
        Ok(())
    }

    /// Binds a record that was found in a shard to the change that it must tell of.
    ///
    /// # Errors
    ///
    /// If there is no such change, or the order is not that of the commits.
    pub fn bind(&mut self, shard_id: &ShardId, record: StreamRecord) -> Checked {
        let key = record.keys.json();
        let next = self.expected.get_mut(key).and_then(VecDeque::pop_front);
        let Some(expected) = next else {
            return Err(crate::violation::Violation(format!("a record that nobody wrote: {record:?}")));
        };
        self.pending -= 1;
        expected.check(&record, self.view)?;
        let number = record.sequence_number;
        let history = self.by_key.entry(key.to_owned()).or_default();
        let before = history.last().map(|(_, shard_id, _)| shard_id.clone());
        history.push((expected.ordinal, shard_id.clone(), number));
        if let Some(before) = before {
            let is_behind = self.is_descendant(shard_id, &before);
            ensure!(is_behind, "records of {key} lie in shard {before}, then in {shard_id}");
        }
        let shard = self.shards.get_mut(shard_id);
        let Some(shard) = shard else {
            return Err(crate::violation::Violation(format!("a record in the unknown shard {shard_id}")));
        };
        let last = shard.last.unwrap_or(shard.summary.starting);
        ensure!(last < number, "number {number} comes after {last}");
        ensure_eq!(number.shard, shard.summary.starting.shard, "a number of another shard");
        ensure!(
            shard.summary.ending.is_none_or(|ending| number <= ending),
            "record {number} lies behind the end of its shard"
        );
        let ordinal = shard.records.back().map_or(0, |bound| bound.ordinal);
        ensure!(ordinal <= expected.ordinal, "numbers are not in the order of the commits at {number}");
        shard.last = Some(number);
        shard.records.push_back(Bound { ordinal: expected.ordinal, record: Rc::new(record) });
        Ok(())
    }

    /// Returns whether a shard is another one, or descends from it as far as its ancestors are listed.
    fn is_descendant(&self, shard_id: &ShardId, ancestor: &ShardId) -> bool {
        let mut at = shard_id;
        loop {
            if at == ancestor {
                return true;
            }
            match self.shards.get(at).map(|shard| &shard.summary.parent_shard_id) {
                Some(Some(parent)) => at = parent,
                Some(None) => return false,
                // It is removed; what came before cannot be told.
                None => return true,
            }
        }
    }

    /// Returns a bound record, if it is still visible.
    #[must_use]
    pub fn find(&self, number: SequenceNumber, now: EpochMillis) -> Option<&Bound> {
        let shard = self.shards.values().find(|shard| shard.summary.starting.shard == number.shard)?;
        shard.visible(now).find(|bound| bound.record.sequence_number == number)
    }

    /// Returns the number of the change of the same item before a record.
    #[must_use]
    pub fn before(&self, record_key: &str, number: SequenceNumber) -> Option<SequenceNumber> {
        let history = self.by_key.get(record_key)?;
        let place = history.iter().rposition(|(_, _, one)| *one == number)?;
        place.checked_sub(1).map(|before| history[before].2)
    }

    /// Returns all records that can be read.
    pub fn visible(&self, now: EpochMillis) -> impl Iterator<Item = &Bound> {
        self.shards.values().flat_map(move |shard| shard.visible(now))
    }

    /// Forgets records that are too old for everybody.
    pub fn forget(&mut self, now: EpochMillis) {
        for shard in self.shards.values_mut() {
            shard.trimmed = shard.horizon(now);
            let trimmed = shard.trimmed;
            let is_gone = |bound: &Bound| bound.record.sequence_number.counter <= trimmed;
            while shard.records.front().is_some_and(is_gone) {
                shard.records.pop_front();
                self.is_complete = false;
            }
        }
        // Only the last change of a key is needed to order the next one.
        for history in self.by_key.values_mut() {
            if history.len() > 64 {
                history.drain(..32);
            }
        }
    }

    /// Forgets the records up to a number in a shard: they were trimmed.
    pub fn trim(&mut self, shard_id: &ShardId, through: u64) {
        let Some(shard) = self.shards.get_mut(shard_id) else { return };
        while let Some(front) = shard.records.front()
            && front.record.sequence_number.counter <= through
        {
            shard.trimmed = shard.trimmed.max(front.record.sequence_number.counter);
            shard.records.pop_front();
            self.is_complete = false;
        }
    }
}
