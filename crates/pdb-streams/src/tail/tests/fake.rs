//! A source made of lists, with the habits of AWS that a reader must survive.

use crate::tail::*;
use std::cell::RefCell;
use std::ops::Range;

/// A record: the n-th change of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) key: u8,
    pub(super) n: u64,
    number: u64,
}

impl SourceRecord for Change {
    fn sequence_number(&self) -> String {
        self.number.to_string()
    }

    fn document(&self, _stream_arn: &str) -> crate::EventDocument {
        let name = if self.n == 0 { "INSERT" } else { "MODIFY" };
        let key = self.key;
        let record = format!(r#"{{"eventName":"{name}","dynamodb":{{"Keys":{{"pk":{{"S":"{key}"}}}}}}}}"#);
        crate::EventDocument::parse(&record).unwrap()
    }
}

#[derive(Clone, Debug)]
struct Shard {
    id: String,
    parent: Option<String>,
    keys: Range<u16>,
    ending: Option<u64>,
    listed: bool,
    /// Changes with this number and smaller ones are trimmed.
    trimmed: u64,
    changes: Vec<Change>,
}

impl Shard {
    fn is_open(&self) -> bool {
        self.ending.is_none()
    }

    /// Closes the shard, if it is open.
    fn close(&mut self, number: u64) {
        self.ending.get_or_insert(number);
    }
}

#[derive(Clone, Debug)]
struct Stream {
    arn: String,
    table: String,
    live: bool,
    shards: Vec<Shard>,
}

/// All that a restore puts back, and a little more.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    streams: Vec<Stream>,
    numbers: u64,
    /// Iterators of earlier generations have expired.
    generation: u64,
    wake: Option<WakeHandle>,
}

/// What the next calls do instead of answering.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) empty_pages: u32,
    /// How many pages at the end of a closed shard have a next iterator.
    pub(super) late_ends: u32,
    pub(super) throttled: u32,
    pub(super) failed: u32,
    pub(super) failed_descriptions: u32,
    pub(super) failed_iterators: u32,
    pub(super) throttled_iterators: u32,
    pub(super) hidden_iterators: u32,
    /// Iterators that are refused as trimmed, the trim horizon included.
    pub(super) trimmed_iterators: u32,
    pub(super) failed_listings: u32,
    /// How many descriptions are those of an earlier state, and that state.
    pub(super) old_descriptions: (u32, State),
    pub(super) throttled_listings: u32,
    pub(super) hides_positions: bool,
}

#[derive(Debug, Default)]
pub(super) struct FakeSource {
    state: RefCell<State>,
    pub(super) faults: RefCell<Faults>,
    pub(super) calls: RefCell<u32>,
}

impl FakeSource {
    /// Enables a stream with one open shard and returns its ARN.
    pub(super) fn enable(&self, table: &str) -> String {
        let arn = format!("arn:{table}/stream/{:04}", self.state.borrow().streams.len());
        self.enable_as(table, arn)
    }

    /// Enables a stream that has this ARN, as one under a clock that stands still may have that of an earlier one.
    pub(super) fn enable_as(&self, table: &str, arn: String) -> String {
        let mut state = self.state.borrow_mut();
        let shard = new_shard(&mut state, None, 0..256);
        state.streams.push(Stream {
            arn: arn.clone(),
            table: table.to_owned(),
            live: true,
            shards: vec![shard],
        });
        arn
    }

    pub(super) fn disable(&self, arn: &str) {
        self.with(arn, |number, stream| {
            stream.live = false;
            stream.shards.iter_mut().for_each(|shard| shard.close(number));
        });
    }

    pub(super) fn purge(&self, arn: &str) {
        self.state.borrow_mut().streams.retain(|stream| stream.arn != arn);
    }

    pub(super) fn write(&self, arn: &str, key: u8) {
        self.with(arn, |number, stream| {
            let n = stream
                .shards
                .iter()
                .flat_map(|shard| &shard.changes)
                .filter(|change| change.key == key)
                .count();
            let n = u64::try_from(n).unwrap();
            let owner = stream
                .shards
                .iter_mut()
                .find(|shard| shard.is_open() && shard.keys.contains(&u16::from(key)));
            owner.unwrap().changes.push(Change { key, n, number });
        });
        if let Some(wake) = &self.state.borrow().wake {
            wake.wake();
        }
    }

    /// Closes the n-th open shard and opens `children` in its place.
    pub(super) fn replace(&self, arn: &str, nth: usize, children: u16) {
        let mut state = self.state.borrow_mut();
        let at = state.streams.iter().position(|stream| stream.arn == arn).unwrap();
        let open: Vec<usize> =
            (0..state.streams[at].shards.len()).filter(|n| state.streams[at].shards[*n].is_open()).collect();
        let Some(parent) = open.get(nth % open.len().max(1)) else { return };
        state.numbers += 1;
        let number = state.numbers;
        let shard = &mut state.streams[at].shards[*parent];
        let (id, keys) = (shard.id.clone(), shard.keys.clone());
        if keys.end - keys.start < children {
            return;
        }
        shard.close(number);
        let step = (keys.end - keys.start) / children;
        for child in 0..children {
            let start = keys.start + child * step;
            let end = if child + 1 == children { keys.end } else { start + step };
            let child = new_shard(&mut state, Some(id.clone()), start..end);
            state.streams[at].shards.push(child);
        }
    }

    /// Closes a shard without the child that must follow, as AWS may show it for a moment.
    pub(super) fn close_without_child(&self, arn: &str) {
        self.with(arn, |number, stream| stream.shards.iter_mut().for_each(|shard| shard.close(number)));
    }

    /// Opens the child that `close_without_child` left out.
    pub(super) fn open_child(&self, arn: &str) {
        let mut state = self.state.borrow_mut();
        let at = state.streams.iter().position(|stream| stream.arn == arn).unwrap();
        let parent = state.streams[at].shards.last().unwrap().id.clone();
        let child = new_shard(&mut state, Some(parent), 0..256);
        state.streams[at].shards.push(child);
    }

    /// Trims all present records of the n-th shard, and drops it if asked to.
    pub(super) fn trim(&self, arn: &str, nth: usize, drop: bool) {
        self.with(arn, |_, stream| {
            let shard = &mut stream.shards[nth];
            shard.trimmed = shard.changes.last().map_or(shard.trimmed, |change| change.number);
            shard.listed = !drop;
        });
    }

    /// Trims all present records of one of the closed shards. Drops it if asked to, and with it those before it, which are older.
    pub(super) fn trim_closed(&self, arn: &str, nth: usize, drop: bool) {
        let (closed, parents) = self.with(arn, |_, stream| {
            let place_of = |id: &String| stream.shards.iter().position(|shard| shard.id == *id);
            let parents = stream.shards.iter().map(|shard| shard.parent.as_ref().and_then(place_of));
            let parents: Vec<Option<usize>> = parents.collect();
            let is_closed = |n: &usize| !stream.shards[*n].is_open() && stream.shards[*n].listed;
            ((0..stream.shards.len()).filter(is_closed).collect::<Vec<_>>(), parents)
        });
        let mut next = closed.get(nth % closed.len().max(1)).copied();
        while let Some(shard) = next {
            self.trim(arn, shard, drop);
            next = parents[shard].filter(|_| drop);
        }
    }

    /// Returns the id of each shard with its changes: those that can be read, and those that were trimmed.
    pub(super) fn shards(&self, arn: &str) -> Vec<(String, Vec<Change>, Vec<Change>)> {
        let split = |shard: &Shard| {
            let is_kept = |change: &Change| shard.listed && change.number > shard.trimmed;
            let (kept, trimmed) = shard.changes.iter().cloned().partition(is_kept);
            (shard.id.clone(), kept, trimmed)
        };
        self.with(arn, |_, stream| stream.shards.iter().map(split).collect())
    }

    pub(super) fn is_unlisted(&self, arn: &str, shard_id: &str) -> bool {
        self.with(arn, |_, stream| stream.shards.iter().any(|shard| shard.id == shard_id && !shard.listed))
    }

    pub(super) fn snapshot(&self) -> State {
        self.state.borrow().clone()
    }

    /// Puts the streams back to what they were. Numbers go on above those that were given since, as in a real restore.
    pub(super) fn restore(&self, snapshot: &State) {
        self.state.borrow_mut().streams.clone_from(&snapshot.streams);
    }

    pub(super) fn expire_iterators(&self) {
        self.state.borrow_mut().generation += 1;
    }

    /// Returns all changes of a stream, shard by shard.
    pub(super) fn changes(&self, arn: &str) -> Vec<Change> {
        self.with(arn, |_, stream| stream.shards.iter().flat_map(|shard| shard.changes.clone()).collect())
    }

    fn with<T>(&self, arn: &str, work: impl FnOnce(u64, &mut Stream) -> T) -> T {
        let mut state = self.state.borrow_mut();
        state.numbers += 1;
        let number = state.numbers;
        work(number, state.streams.iter_mut().find(|stream| stream.arn == arn).unwrap())
    }
}

fn new_shard(state: &mut State, parent: Option<String>, keys: Range<u16>) -> Shard {
    state.numbers += 1;
    let id = format!("shard-{:06}", state.numbers);
    Shard { id, parent, keys, ending: None, listed: true, trimmed: 0, changes: Vec::new() }
}

fn take(fault: &mut u32) -> bool {
    let left = *fault;
    *fault = left.saturating_sub(1);
    left > 0
}

fn failure() -> SourceError {
    SourceError::Failed("the line is dead".into())
}

impl StreamSource for FakeSource {
    type Record = Change;

    fn streams(&self, table_name: &str) -> Result<Vec<String>, SourceError> {
        let mut faults = self.faults.borrow_mut();
        if take(&mut faults.failed_listings) {
            return Err(failure());
        }
        if take(&mut faults.throttled_listings) {
            return Err(SourceError::Throttled);
        }
        let state = self.state.borrow();
        let streams = state.streams.iter().rev().filter(|stream| stream.table == table_name);
        Ok(streams.map(|stream| stream.arn.clone()).collect())
    }

    fn describe(&self, stream_arn: &str) -> Result<SourceStream, SourceError> {
        if take(&mut self.faults.borrow_mut().failed_descriptions) {
            return Err(failure());
        }
        let mut faults = self.faults.borrow_mut();
        let state = if take(&mut faults.old_descriptions.0) {
            &faults.old_descriptions.1
        } else {
            &*self.state.borrow()
        };
        let stream =
            state.streams.iter().find(|stream| stream.arn == stream_arn).ok_or(SourceError::NotFound)?;
        let shards = stream.shards.iter().filter(|shard| shard.listed).map(|shard| SourceShard {
            shard_id: shard.id.clone(),
            parent_shard_id: shard.parent.clone(),
            is_open: shard.is_open(),
            ending_sequence_number: shard.ending.map(|number| number.to_string()),
        });
        Ok(SourceStream { is_live: stream.live, shards: shards.collect() })
    }

    fn shard_iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &SourcePosition,
    ) -> Result<String, SourceError> {
        let mut faults = self.faults.borrow_mut();
        if take(&mut faults.failed_iterators) {
            return Err(failure());
        }
        if take(&mut faults.throttled_iterators) {
            return Err(SourceError::Throttled);
        }
        if take(&mut faults.hidden_iterators) {
            return Err(SourceError::NotFound);
        }
        if take(&mut faults.trimmed_iterators) {
            return Err(SourceError::Trimmed);
        }
        let state = self.state.borrow();
        let stream =
            state.streams.iter().find(|stream| stream.arn == stream_arn).ok_or(SourceError::NotFound)?;
        let shard = stream
            .shards
            .iter()
            .find(|shard| shard.listed && shard.id == shard_id)
            .ok_or(SourceError::NotFound)?;
        let after = match position {
            SourcePosition::TrimHorizon => "horizon".to_owned(),
            SourcePosition::Latest => {
                shard.changes.last().map_or(shard.trimmed, |change| change.number).to_string()
            }
            SourcePosition::After(number) if number.parse::<u64>().unwrap() < shard.trimmed => {
                return Err(SourceError::Trimmed);
            }
            SourcePosition::After(number) => number.clone(),
            // A change was made at the time that is its number.
            SourcePosition::AtTimestamp(time) => {
                let is_older = |change: &&Change| i64::try_from(change.number).unwrap() < time.0;
                let older = shard.changes.iter().take_while(is_older).last();
                older.map_or(shard.trimmed, |change| change.number.max(shard.trimmed)).to_string()
            }
        };
        Ok(format!("{stream_arn}|{shard_id}|{after}|{}", state.generation))
    }

    fn records(&self, iterator: &str, limit: Option<u32>) -> Result<SourcePage<Change>, SourceError> {
        *self.calls.borrow_mut() += 1;
        let mut faults = self.faults.borrow_mut();
        if take(&mut faults.throttled) {
            return Err(SourceError::Throttled);
        }
        if take(&mut faults.failed) {
            return Err(failure());
        }
        let [arn, shard_id, after, generation] = iterator.split('|').collect::<Vec<_>>().try_into().unwrap();
        let state = self.state.borrow();
        if generation != state.generation.to_string() {
            return Err(SourceError::Expired);
        }
        let stream = state.streams.iter().find(|stream| stream.arn == arn).ok_or(SourceError::NotFound)?;
        let shard = stream
            .shards
            .iter()
            .find(|shard| shard.listed && shard.id == shard_id)
            .ok_or(SourceError::NotFound)?;
        let from = match after.parse::<u64>() {
            Err(_) => shard.trimmed,
            Ok(number) if number < shard.trimmed => return Err(SourceError::Trimmed),
            Ok(number) => number,
        };
        let limit = if take(&mut faults.empty_pages) { 0 } else { limit.unwrap_or(1000) };
        let left = shard.changes.iter().filter(|change| change.number > from);
        let records: Vec<Change> = left.clone().take(usize::try_from(limit).unwrap()).cloned().collect();
        let is_end = !shard.is_open() && records.len() == left.count() && !take(&mut faults.late_ends);
        let after = records.last().map_or(after.to_owned(), |change| change.number.to_string());
        let next_iterator = (!is_end).then(|| format!("{arn}|{shard_id}|{after}|{generation}"));
        Ok(SourcePage { records, next_iterator })
    }

    fn position_of(&self, iterator: &str) -> Option<SourcePosition> {
        let after = iterator.split('|').nth(2)?.to_owned();
        (!self.faults.borrow().hides_positions).then_some(SourcePosition::After(after))
    }

    fn wake_on_change(&self, wake: &WakeHandle) {
        self.state.borrow_mut().wake = Some(wake.clone());
    }
}
