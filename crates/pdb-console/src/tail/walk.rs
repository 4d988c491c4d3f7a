//! Reading a stream for somebody who looks at it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use pretender::Pretender;
use pretender::streams::StreamReader;
use pretender::streams::source::{
    ShardRead, ShardWalker, SourceError, SourcePosition, StreamSource, WakeHandle,
};
use pretender::streams::{
    SequenceNumber, ShardProgress, StartPosition, StreamArn, StreamProgress, StreamRecord,
};
use pretender::testing::ShardSummary;
use pretender::time::EpochMillis;

use super::checkpoint::ShortCheckpoint;

/// The most records that are read from a shard at once while several shards are merged.
const PAGE: u32 = 200;
/// When a batch has so many bytes, it is passed on before more is read.
const MAX_BATCH_BYTES: u64 = 4 << 20;

/// A record with its shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShardRecord {
    pub(crate) shard_id: Arc<str>,
    pub(crate) record: StreamRecord,
}

/// A record that was read: its shard and its number.
pub(crate) type ReadRecord = (Arc<str>, SequenceNumber);

/// A walk over the shards of one stream, which meets no faults and uses up no rates.
#[derive(Debug)]
pub(crate) struct Walk {
    pretender: Pretender,
    source: StreamReader,
    arn: StreamArn,
    walker: ShardWalker,
    begun: Vec<Arc<str>>,
    /// All shards of the stream, as of the last look.
    shards: Vec<ShardSummary>,
    /// When the newest record that was read was made.
    newest: EpochMillis,
    /// The last record that was read.
    last: Option<ReadRecord>,
}

/// What was read since the last batch.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The records in the order of their times.
    pub(crate) records: Vec<ShardRecord>,
    /// The shards in which records were trimmed before they were read.
    pub(crate) gaps: Vec<Arc<str>>,
    /// Whether there may be more records already.
    pub(crate) has_more: bool,
}

/// The size of records from which on no further ones are read: they are kept in memory, and shown or sent together.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

impl Walk {
    /// Begins at a position. [`StartPosition::Latest`] is behind the newest record of now.
    pub(crate) fn start(
        pretender: &Pretender,
        arn: &StreamArn,
        from: StartPosition,
    ) -> Result<Self, SourceError> {
        let source = pretender.observed_streams();
        let text = arn.to_string();
        let walker = match from {
            StartPosition::TrimHorizon => ShardWalker::new(&text, StreamProgress::new()),
            StartPosition::Latest => ShardWalker::at_end(&source, &text)?,
            StartPosition::AtTimestamp(time) => ShardWalker::at_time(&source, &text, time)?,
        };
        Self::with(pretender, arn, walker)
    }

    /// Continues behind a checkpoint of this stream.
    pub(crate) fn resume(
        pretender: &Pretender,
        arn: &StreamArn,
        checkpoint: &ShortCheckpoint,
    ) -> Result<Self, SourceError> {
        let shards = shards_of(pretender, arn)?;
        let walker = ShardWalker::new(&arn.to_string(), checkpoint.progress(&shards));
        let mut walk = Self::with(pretender, arn, walker)?;
        walk.newest = checkpoint.time;
        walk.last = checkpoint.last.and_then(|last| {
            let shard = walk.shards.iter().find(|shard| shard.starting.shard == last.shard)?;
            Some((shard.shard_id.as_str().into(), last))
        });
        Ok(walk)
    }

    fn with(pretender: &Pretender, arn: &StreamArn, walker: ShardWalker) -> Result<Self, SourceError> {
        let mut walk = Self {
            source: pretender.observed_streams(),
            arn: arn.clone(),
            walker,
            begun: Vec::new(),
            shards: Vec::new(),
            newest: pretender.env().clock.now(),
            last: None,
            pretender: pretender.clone(),
        };
        walk.look()?;
        Ok(walk)
    }

    /// Returns the stream.
    pub(crate) fn arn(&self) -> &StreamArn {
        &self.arn
    }

    /// Returns whether the stream is disabled, and read to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.walker.is_over()
    }

    /// Returns the place behind what was read.
    pub(crate) fn checkpoint(&self) -> ShortCheckpoint {
        let last = self.last.as_ref().map(|(_, number)| *number);
        ShortCheckpoint::of(&self.arn.label, self.newest, self.walker.progress(), &self.shards, last)
    }

    /// Returns how far each shard was read.
    pub(crate) fn progress(&self) -> &StreamProgress {
        self.walker.progress()
    }

    /// Calls [`WakeHandle::wake`] when there may be new records.
    pub(crate) fn wake_on_change(&self, wake: &WakeHandle) {
        self.source.wake_on_change(wake);
    }

    /// Begins shards that may be read now.
    fn look(&mut self) -> Result<(), SourceError> {
        let begun = &mut self.begun;
        self.walker.look(&self.source, |shard_id| begun.push(shard_id.clone()))?;
        self.shards = shards_of(&self.pretender, &self.arn).or_else(|error| match error {
            SourceError::NotFound => Ok(Vec::new()),
            error => Err(error),
        })?;
        Ok(())
    }

    /// Reads what is new in all shards, up to some megabytes.
    ///
    /// # Errors
    ///
    /// Those of the source, if nothing was read.
    pub(crate) fn read(&mut self) -> Result<Batch, SourceError> {
        let mut batch = Batch::default();
        let outcome = self.collect(&mut batch);
        batch.gaps = self.walker.take_gaps();
        batch.records.sort_by_key(|new| new.record.created);
        match outcome {
            Err(error) if batch.records.is_empty() && batch.gaps.is_empty() => Err(error),
            // The next read fails, too, unless it was for a moment only.
            _ => Ok(batch),
        }
    }

    fn collect(&mut self, batch: &mut Batch) -> Result<(), SourceError> {
        if self.walker.must_look() {
            self.look()?;
        }
        let mut bytes = 0;
        let mut place = 0;
        while let Some(shard_id) = self.begun.get(place).cloned() {
            if bytes > MAX_BATCH_BYTES {
                batch.has_more = true;
                // The shards that had no turn are the first of the next batch.
                self.begun.rotate_left(place);
                break;
            }
            match self.read_shard(&shard_id, None)? {
                ShardRead::Records(records) => {
                    bytes += records.iter().map(|record| record.size_bytes).sum::<u64>();
                    for record in records {
                        self.note(&shard_id, &record);
                        batch.records.push(ShardRecord { shard_id: shard_id.clone(), record });
                    }
                }
                ShardRead::Empty => place += 1,
                ShardRead::Repositioned => {}
                // Its place belongs to the next shard now, and its children are at the end of the list.
                ShardRead::Ended => self.finish(&shard_id)?,
            }
        }
        Ok(())
    }

    /// Reads the next records of all shards, merged by their times: at most `most` of those that `wants` returns true for, and only
    /// what is there now. Stops early at some megabytes of records. Returns them, and whether that was all.
    pub(crate) fn read_merged(
        &mut self,
        most: usize,
        most_looked_at: usize,
        mut wants: impl FnMut(&StreamRecord) -> bool,
    ) -> Result<(Vec<ShardRecord>, bool), SourceError> {
        let mut pages = Pages::new();
        let (mut found, mut bytes) = (Vec::new(), 0);
        for _ in 0..most_looked_at {
            if found.len() >= most || bytes >= MAX_BYTES {
                return Ok((found, false));
            }
            self.fill(&mut pages)?;
            let firsts = pages.iter().filter_map(|(shard_id, page)| {
                let record = page.as_ref()?.front()?;
                Some((record.created, record.sequence_number, shard_id))
            });
            let Some(shard_id) = firsts.min().map(|(.., shard_id)| shard_id.clone()) else {
                return Ok((found, true));
            };
            let page = pages.get_mut(&shard_id).and_then(Option::as_mut);
            let Some(record) = page.and_then(VecDeque::pop_front) else { continue };
            self.note(&shard_id, &record);
            if wants(&record) {
                bytes += record.size_bytes;
                found.push(ShardRecord { shard_id, record });
            }
        }
        Ok((found, false))
    }

    /// Reads the next page of every shard whose last page is used up. A shard at its end gives way to its children.
    fn fill(&mut self, pages: &mut Pages) -> Result<(), SourceError> {
        let mut place = 0;
        while let Some(shard_id) = self.begun.get(place).cloned() {
            let must_read =
                pages.get(&shard_id).is_none_or(|page| page.as_ref().is_some_and(VecDeque::is_empty));
            if !must_read {
                place += 1;
                continue;
            }
            match self.read_shard(&shard_id, Some(PAGE))? {
                ShardRead::Records(records) => drop(pages.insert(shard_id, Some(records.into()))),
                ShardRead::Empty => drop(pages.insert(shard_id, None)),
                ShardRead::Repositioned => {}
                ShardRead::Ended => {
                    pages.remove(&shard_id);
                    self.finish(&shard_id)?;
                }
            }
        }
        Ok(())
    }

    fn read_shard(
        &mut self,
        shard_id: &Arc<str>,
        limit: Option<u32>,
    ) -> Result<ShardRead<StreamRecord>, SourceError> {
        self.walker.read(&self.source, shard_id, limit)
    }

    fn note(&mut self, shard_id: &Arc<str>, record: &StreamRecord) {
        self.newest = record.created;
        self.last = Some((shard_id.clone(), record.sequence_number));
        self.walker.note(shard_id, ShardProgress::After(record.sequence_number.to_string()));
    }

    /// Ends a shard, and begins its children.
    fn finish(&mut self, shard_id: &Arc<str>) -> Result<(), SourceError> {
        self.begun.retain(|begun| begun != shard_id);
        self.walker.finish(shard_id);
        self.look()
    }

    /// Takes the last record that was read, by its shard and its number, to look later whether it is still there.
    pub(crate) fn take_last(&mut self) -> Option<ReadRecord> {
        self.last.take()
    }

    /// Sets the last record that was read, unless the walk has read one itself.
    pub(crate) fn keep_last(&mut self, last: ReadRecord) {
        self.last.get_or_insert(last);
    }

    /// Returns whether a record that was read is not in the stream any more, although it was not trimmed: the database went back to an
    /// earlier state, or lost its last commits in a crash.
    pub(crate) fn is_lost(&self, (shard_id, number): &ReadRecord) -> Result<bool, SourceError> {
        let before = SequenceNumber { counter: number.counter.saturating_sub(1), ..*number };
        let position = SourcePosition::After(before.to_string());
        match self.source.shard_iterator(&self.arn.to_string(), shard_id, &position) {
            Ok(iterator) => {
                let page = self.source.records(&iterator, Some(1))?;
                Ok(page.records.first().is_none_or(|record| record.sequence_number != *number))
            }
            // Trimmed, or removed with its shard. The walk notices if it should not have been.
            Err(SourceError::Trimmed | SourceError::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the stream that the table has after this one, which is over. If the table has this stream again, the walk goes on in it.
    pub(crate) fn successor(&mut self) -> Result<Option<StreamArn>, SourceError> {
        let begun = &mut self.begun;
        let table = self.arn.table.name.as_str();
        let next =
            self.walker.look_for_successor(&self.source, table, |shard_id| begun.push(shard_id.clone()))?;
        Ok(next.and_then(|arn| arn.parse().ok()))
    }
}

/// The records that were read of each shard and not taken yet; `None` if the shard has no more now.
type Pages = BTreeMap<Arc<str>, Option<VecDeque<StreamRecord>>>;

/// Returns the shards of a stream.
pub(crate) fn shards_of(pretender: &Pretender, arn: &StreamArn) -> Result<Vec<ShardSummary>, SourceError> {
    use pretender::testing::ControlError;
    pretender.shards(arn).map_err(|error| match error {
        ControlError::NotFound(_) => SourceError::NotFound,
        error => SourceError::Failed(Box::new(error)),
    })
}
