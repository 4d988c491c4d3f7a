//! What must hold of streams, whatever happened: no gap, nothing twice, never stale, and the order of real time.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Item, KEYS, Op, Outcome};

use super::{Chain, Listing, Poll, Record, Start, Whole};

/// What clients know of the writes of a table.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    writes: BTreeMap<u32, Write>,
    /// Acknowledged deletions, by the value of `v` that they removed.
    removals: BTreeMap<u32, Write>,
}

/// A write of one item, perhaps several attempts under one token.
#[derive(Clone, Copy, Debug)]
struct Write {
    key: usize,
    /// When it was called first.
    call: i64,
    /// When it was acknowledged first.
    acknowledged: Option<i64>,
    /// Whether it may have been carried out.
    possible: bool,
}

impl Write {
    fn join(&mut self, other: Self) {
        self.call = self.call.min(other.call);
        self.acknowledged = match (self.acknowledged, other.acknowledged) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.possible |= other.possible;
    }
}

impl Facts {
    /// Collects the writes of items for which `holds` is true.
    #[must_use]
    pub fn of(ops: &[Op], holds: impl Fn(usize) -> bool) -> Self {
        let mut facts = Self::default();
        for op in ops {
            for part in op.parts.iter().filter(|part| holds(part.key)) {
                let acknowledged = op.returned.filter(|_| op.outcome == Outcome::Done);
                let write = Write {
                    key: part.key,
                    call: op.call,
                    acknowledged,
                    possible: op.outcome != Outcome::Refused,
                };
                if let Some(v) = part.writes() {
                    facts.writes.entry(v).and_modify(|known| known.join(write)).or_insert(write);
                }
                let removed = part.before.filter(|_| part.delete && op.outcome == Outcome::Done);
                if let Some(v) = removed.and_then(|seen| seen.v) {
                    facts.removals.insert(v, write);
                }
            }
        }
        facts
    }

    /// Returns the write of a record, if it is known.
    fn of_record(&self, record: &Record) -> Option<&Write> {
        match (record.old, record.new) {
            (_, Some(new)) => self.writes.get(&new.v),
            (Some(old), None) => self.removals.get(&old.v),
            (None, None) => None,
        }
    }
}

/// Checks a stream against what clients and readers saw. `last` are the items afterwards. Returns what is wrong.
#[must_use]
pub fn check(
    whole: &Whole,
    facts: &Facts,
    last: &[Option<Item>],
    chains: &[&Chain],
    listings: &[&Listing],
) -> Vec<String> {
    let mut wrong = Vec::new();
    numbers(whole, &mut wrong);
    images(whole, last, &mut wrong);
    completeness(whole, facts, &mut wrong);
    real_time(whole, facts, &mut wrong);
    for (at, shard) in whole.shards.iter().enumerate() {
        let known = Known::of(&shard.records, facts);
        for chain in chains.iter().filter(|chain| chain.shard == shard.id) {
            if let Err(why) = follow(chain, whole, at, &known) {
                wrong.push(format!("a reader of {} that began at {:?} {why}", shard.id, chain.start));
            }
        }
        for listing in listings.iter().filter(|it| known.complete_before(it.call) > 0) {
            if !listing.shards.contains(&shard.id) {
                wrong.push(format!("{} was not listed although it had acknowledged records", shard.id));
                break;
            }
        }
    }
    for chain in chains.iter().filter(|chain| whole.shards.iter().all(|shard| shard.id != chain.shard)) {
        wrong.push(format!("{} has been listed, and is not there any more", chain.shard));
    }
    wrong
}

/// Ids and sequence numbers: each once, and numbers grow from parent to child.
fn numbers(whole: &Whole, wrong: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    for (at, shard) in whole.shards.iter().enumerate() {
        for record in shard.records.iter().filter(|record| !ids.insert(&record.id)) {
            wrong.push(format!("the event id {} is there twice", record.id));
        }
        let lineage = whole.lineage(at);
        let records: Vec<_> = lineage.iter().flat_map(|at| &whole.shards[*at].records).collect();
        for pair in records.windows(2).filter(|pair| pair[0].sequence_number >= pair[1].sequence_number) {
            let [one, next] = [pair[0].sequence_number, pair[1].sequence_number];
            wrong.push(format!("{next} follows {one} in {} or its ancestors", shard.id));
        }
    }
}

/// The old image of a record is the new image of the one before, and the last new image is the item.
fn images(whole: &Whole, last: &[Option<Item>], wrong: &mut Vec<String>) {
    for key in 0..KEYS {
        let records = match whole.of_key(key) {
            Ok(records) => records,
            Err(why) => {
                wrong.push(why);
                continue;
            }
        };
        let mut image = None;
        for (_, record) in &records {
            if record.old != image {
                wrong.push(format!("key {key}: after {image:?} comes {record:?}"));
            }
            let event = match (record.old, record.new) {
                (None, Some(_)) => "INSERT",
                (Some(_), Some(_)) => "MODIFY",
                (Some(_), None) => "REMOVE",
                (None, None) => "none",
            };
            if event != record.event || record.old == record.new {
                wrong.push(format!("key {key}: not {event}: {record:?}"));
            }
            image = record.new;
        }
        if let Some(item) = last.get(key).filter(|_| !records.is_empty()).filter(|item| **item != image) {
            wrong.push(format!("key {key} is {item:?}, and its last record says {image:?}"));
        }
    }
}

/// Every acknowledged write has one record, a refused one has none, and there are no others.
fn completeness(whole: &Whole, facts: &Facts, wrong: &mut Vec<String>) {
    let mut found: BTreeMap<u32, usize> = BTreeMap::new();
    for record in whole.shards.iter().flat_map(|shard| &shard.records) {
        let Some(new) = record.new else { continue };
        *found.entry(new.v).or_default() += 1;
        if facts.writes.get(&new.v).is_none_or(|write| write.key != record.key || !write.possible) {
            wrong.push(format!("nobody has made this change: {record:?}"));
        }
    }
    for (v, write) in &facts.writes {
        let count = found.get(v).copied().unwrap_or_default();
        if count > 1 || count == 0 && write.acknowledged.is_some() {
            wrong.push(format!("write {v} of key {} has {count} records: {write:?}", write.key));
        }
    }
    let removed: BTreeSet<u32> = whole
        .shards
        .iter()
        .flat_map(|shard| &shard.records)
        .filter(|record| record.new.is_none())
        .filter_map(|record| record.old.map(|old| old.v))
        .collect();
    for (v, write) in facts.removals.iter().filter(|(v, _)| !removed.contains(v)) {
        wrong.push(format!("the deletion of {v} of key {} has no record", write.key));
    }
}

/// A write that was acknowledged before another was called comes first, in a shard and along its lineage.
fn real_time(whole: &Whole, facts: &Facts, wrong: &mut Vec<String>) {
    for at in 0..whole.shards.len() {
        let mut latest: Option<(i64, &Record)> = None;
        for record in whole.lineage(at).into_iter().flat_map(|at| &whole.shards[at].records) {
            let Some(write) = facts.of_record(record) else { continue };
            if let (Some(acknowledged), Some((call, earlier))) = (write.acknowledged, latest)
                && acknowledged < call
            {
                wrong.push(format!("{record:?} was acknowledged before the write of {earlier:?} was called"));
            }
            if latest.is_none_or(|(call, _)| call < write.call) {
                latest = Some((write.call, record));
            }
        }
    }
}

/// What is known of the records of a shard at any time.
struct Known {
    /// Times of acknowledgement, sorted, each with the number of records up to the last one that was acknowledged by then.
    acknowledged: Vec<(i64, usize)>,
    /// When the write of each record was called, if that is known.
    calls: Vec<Option<i64>>,
}

impl Known {
    fn of(records: &[Record], facts: &Facts) -> Self {
        let writes: Vec<_> = records.iter().map(|record| facts.of_record(record)).collect();
        let mut acknowledged: Vec<(i64, usize)> = writes
            .iter()
            .enumerate()
            .filter_map(|(at, write)| Some((write.and_then(|write| write.acknowledged)?, at + 1)))
            .collect();
        acknowledged.sort_unstable();
        let mut longest = 0;
        for (_, length) in &mut acknowledged {
            longest = longest.max(*length);
            *length = longest;
        }
        Self { acknowledged, calls: writes.iter().map(|write| write.map(|write| write.call)).collect() }
    }

    /// Returns how many records were there for sure at a time.
    fn complete_before(&self, time: i64) -> usize {
        match self.acknowledged.partition_point(|(acknowledged, _)| *acknowledged < time) {
            0 => 0,
            count => self.acknowledged[count - 1].1,
        }
    }

    /// Returns how many records may have been there at a time.
    fn possible_at(&self, time: i64) -> usize {
        self.calls.iter().position(|call| call.is_some_and(|call| call > time)).unwrap_or(self.calls.len())
    }
}

/// Follows a reader through its shard.
fn follow(chain: &Chain, whole: &Whole, shard: usize, known: &Known) -> Result<(), String> {
    let shard = &whole.shards[shard];
    let find = |number| {
        let at = shard.records.iter().position(|record| record.sequence_number == number);
        at.ok_or_else(|| format!("was shown {number}, which is not there any more"))
    };
    // Between which records the next page begins.
    let (mut from, mut to) = match chain.start {
        Start::TrimHorizon => (0, 0),
        Start::At(number) => (find(number)?, find(number)?),
        Start::After(number) => (find(number)? + 1, find(number)? + 1),
        Start::Latest => (known.complete_before(chain.call), known.possible_at(chain.returned)),
    };
    for poll in &chain.polls {
        let Poll { call, returned, records, .. } = poll;
        if let Some(first) = records.first() {
            let at = find(first.sequence_number)?;
            if at < from {
                return Err(format!("was shown {} again", first.sequence_number));
            }
            if at > to {
                return Err(format!("missed {} records before {}", at - to, first.sequence_number));
            }
            let end = at + records.len();
            if shard.records.get(at..end) != Some(records.as_slice()) {
                return Err(format!("was shown {records:?}, and not the records from number {at} on"));
            }
            if end > known.possible_at(*returned) {
                return Err(format!("was shown {records:?} before that was written"));
            }
            (from, to) = (end, end);
        }
        if records.len() < poll.limit {
            from = from.max(known.complete_before(*call));
        }
        if poll.end {
            if !shard.closed {
                return Err("was told that the shard is closed, and it is open".to_owned());
            }
            from = from.max(shard.records.len());
        }
        if from > to {
            return Err(format!("got a page at {call} that lacks the record with number {to}"));
        }
    }
    Ok(())
}
