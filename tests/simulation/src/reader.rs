//! Polling readers: iterators of every kind, and for each page exactly the records that the model says.

use std::rc::Rc;

use pretender::errors::ErrorCode;
use pretender::faults::FaultKind;
use pretender::streams::{
    GetShardIteratorInput, SequenceNumber, ShardId, ShardIteratorType, StreamArn, StreamRecord,
};
use pretender::time::EpochMillis;

use crate::model::{ModelShard, Position};
use crate::step::Begin;
use crate::violation::{Checked, ensure, ensure_eq};
use crate::world::World;

/// How long an iterator lives.
const ITERATOR_MILLIS: i64 = 15 * 60 * 1000;

/// A reader of one shard.
#[derive(Clone, Debug)]
pub struct Reader {
    arn: StreamArn,
    shard_id: ShardId,
    iterator: String,
    position: Position,
    issued: EpochMillis,
    /// The last record that it got: its checkpoint.
    last: Option<SequenceNumber>,
}

impl World {
    /// Gives a reader an iterator.
    pub(crate) fn begin(&mut self, reader: u8, stream: u8, shard: u8, begin: Begin) -> Checked {
        let place = usize::from(reader) % self.readers.len();
        let before = self.readers[place].clone();
        let (arn, shard_id) = match (&before, begin) {
            (Some(reader), Begin::Checkpoint) => (reader.arn.clone(), reader.shard_id.clone()),
            _ => {
                let Some(arn) = self.stream(stream) else { return Ok(()) };
                self.audit(&arn)?;
                let Some(of_model) = self.model.streams.get(&arn) else { return Ok(()) };
                let shards: Vec<&ShardId> = of_model.shards.keys().collect();
                let Some(n) = usize::from(shard).checked_rem(shards.len()) else { return Ok(()) };
                // The newest first.
                (arn, shards[shards.len() - 1 - n].clone())
            }
        };
        self.audit(&arn)?;
        let now = self.now();
        let listed = self.listed_shard(&arn, &shard_id).cloned();
        let last = before.filter(|_| begin == Begin::Checkpoint).and_then(|reader| reader.last);
        let (shard_iterator_type, position) = match &listed {
            Some(shard) => start(shard, begin, last, now, self.highest.get(&shard_id).copied()),
            // The shard is not there, for any kind of iterator.
            None => (ShardIteratorType::TrimHorizon, Ok(Position::Horizon)),
        };
        let input = GetShardIteratorInput {
            stream_arn: arn.clone(),
            shard_id: shard_id.clone(),
            shard_iterator_type,
        };
        let called = self.call(|db| db.get_shard_iterator(&input))?;
        if called.is_refused() {
            return Ok(());
        }
        let position = match (&listed, position) {
            (Some(_), position) => position,
            (None, _) => Err(ErrorCode::ResourceNotFoundException),
        };
        match (called.result, position) {
            (Ok(iterator), Ok(position)) => {
                self.readers[place] = Some(Reader { arn, shard_id, iterator, position, issued: now, last });
            }
            (Err(error), Err(code)) => {
                ensure_eq!(error.code, code, "GetShardIterator {shard_iterator_type:?} in {listed:?}");
            }
            (result, position) => {
                ensure!(false, "GetShardIterator {input:?}: {result:?}, expected {position:?} in {listed:?}")
            }
        }
        Ok(())
    }

    fn listed_shard(&self, arn: &StreamArn, shard_id: &ShardId) -> Option<&ModelShard> {
        let now = self.now();
        let stream = self.model.streams.get(arn).filter(|stream| !stream.is_purged(now))?;
        stream.shards.get(shard_id).filter(|shard| shard.is_listed(now))
    }

    /// A reader gets its next page.
    pub(crate) fn poll(&mut self, reader: u8, limit: u16) -> Checked {
        let place = usize::from(reader) % self.readers.len();
        let Some(mut reader) = self.readers[place].take() else { return Ok(()) };
        self.audit(&reader.arn)?;
        let now = self.now();
        let iterator = reader.iterator.clone();
        let mut called = self.call(|db| db.get_records(&iterator, Some(limit.into())))?;
        if called.is_refused() {
            // The same iterator can be used again.
            self.readers[place] = Some(reader);
            return Ok(());
        }
        if let Ok(page) = &mut called.result {
            self.planted.spoil_page(&mut page.records);
        }
        let expected = match self.listed_shard(&reader.arn, &reader.shard_id) {
            _ if now.0 - reader.issued.0 > ITERATOR_MILLIS => Err(ErrorCode::ExpiredIteratorException),
            None => Err(ErrorCode::ResourceNotFoundException),
            Some(shard) => {
                shard.page(reader.position, limit.into(), now).ok_or(ErrorCode::TrimmedDataAccessException)
            }
        };
        match (called.result, expected) {
            (Ok(page), Ok(_)) if called.injected == Some(FaultKind::EmptyPage) => {
                ensure!(page.records.is_empty(), "an empty page has records");
                let next = page.next_shard_iterator;
                reader.iterator = next.unwrap_or_default();
                ensure!(!reader.iterator.is_empty(), "an empty page of a fault has no next iterator");
                reader.issued = now;
                self.readers[place] = Some(reader);
            }
            (Ok(page), Ok((records, has_next))) => {
                let found: Vec<&StreamRecord> = page.records.iter().collect();
                let records: Vec<&StreamRecord> = records.iter().map(Rc::as_ref).collect();
                if found != records {
                    let numbers = |records: &[&StreamRecord]| -> Vec<String> {
                        records.iter().map(|record| record.sequence_number.to_string()).collect()
                    };
                    ensure_eq!(numbers(&found), numbers(&records), "a page of {}", reader.shard_id);
                    ensure_eq!(found, records, "a page of {}", reader.shard_id);
                }
                for record in &page.records {
                    self.digest.add_number(record.sequence_number.counter);
                }
                if let Some(last) = page.records.last() {
                    reader.last = Some(last.sequence_number);
                    // With this fault the next page begins with the last record again.
                    let again = called.injected == Some(FaultKind::Duplicate);
                    let counter = last.sequence_number.counter;
                    reader.position = Position::From(if again { counter } else { counter + 1 });
                }
                let is_repeated = called.injected == Some(FaultKind::Duplicate);
                ensure_eq!(
                    page.next_shard_iterator.is_some(),
                    has_next || is_repeated,
                    "whether there is a next iterator in {}",
                    reader.shard_id
                );
                if let Some(next) = page.next_shard_iterator {
                    reader.iterator = next;
                    reader.issued = now;
                    self.readers[place] = Some(reader);
                }
            }
            (Err(error), Err(code)) => ensure_eq!(error.code, code, "GetRecords of {reader:?}"),
            (result, expected) => {
                ensure!(false, "GetRecords of {reader:?}: found {result:?}, expected {expected:?}");
            }
        }
        Ok(())
    }
}

/// Returns the iterator to ask for, and the position that it must have, or the error.
///
/// Behind the newest record means also: behind the highest number of a past that a restore has put aside, because that past can come back, with
/// records that are older than the iterator.
fn start(
    shard: &ModelShard,
    begin: Begin,
    last: Option<SequenceNumber>,
    now: EpochMillis,
    highest: Option<u64>,
) -> (ShardIteratorType, Result<Position, ErrorCode>) {
    let horizon = shard.horizon(now);
    let starting = shard.summary.starting;
    // A record that the shard has or had. The starting number stands for the trim horizon.
    let chosen = |n: u8| {
        let count = shard.records.len() + 1;
        match usize::from(n) % count {
            0 => shard.last.filter(|_| n.is_multiple_of(2)).unwrap_or(starting),
            n => shard.records[n - 1].record.sequence_number,
        }
    };
    let newest = shard.last.unwrap_or(starting).counter.max(highest.unwrap_or(0)).max(horizon);
    let from = |counter: u64| match counter {
        counter if counter <= horizon => Err(ErrorCode::TrimmedDataAccessException),
        counter => Ok(Position::From(counter)),
    };
    match (begin, last) {
        (Begin::Horizon, _) | (Begin::Checkpoint, None) => {
            (ShardIteratorType::TrimHorizon, Ok(Position::Horizon))
        }
        (Begin::Latest, _) => (ShardIteratorType::Latest, Ok(Position::From(newest + 1))),
        (Begin::At(n), _) => match chosen(n) {
            number if number == starting => {
                (ShardIteratorType::AtSequenceNumber(number), Ok(Position::Horizon))
            }
            number => (ShardIteratorType::AtSequenceNumber(number), from(number.counter)),
        },
        (Begin::After(n), _) => match chosen(n) {
            number if number == starting => {
                (ShardIteratorType::AfterSequenceNumber(number), Ok(Position::Horizon))
            }
            number => (ShardIteratorType::AfterSequenceNumber(number), from(number.counter + 1)),
        },
        (Begin::Checkpoint, Some(number)) => {
            (ShardIteratorType::AfterSequenceNumber(number), from(number.counter + 1))
        }
        (Begin::Time(minutes), _) => {
            let time = EpochMillis(now.0 - i64::from(minutes) * 60_000);
            let kind = ShardIteratorType::AtTimestamp(time);
            let first = shard.visible(now).find(|bound| bound.record.created >= time);
            let counter = first.map_or(newest + 1, |bound| bound.record.sequence_number.counter);
            (kind, Ok(Position::From(counter)))
        }
    }
}
