//! The walk over the shards of one stream, for any consumer.

mod ended;

use super::checkpoint::{ShardProgress, StreamProgress};
use super::lineage::{
    finish_ancestors, forget_gone_shards, ready_shards, reopen_shards, reopen_shards_of_another_past,
};
use super::source::{SourceError, SourcePage, SourcePosition, SourceRecord, SourceStream, StreamSource};
use pdb_model::EpochMillis;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Walks the shards of one stream: decides which shards may be read now, and keeps a place in each of them.
///
/// The walker reads; the consumer decides when a record, or a shard, has been dealt with. It calls [`read`](Self::read) for each shard
/// that [`look`](Self::look) has begun, [`note`](Self::note) for what it has processed, and [`finish`](Self::finish) for a shard that is
/// read to its end and processed. Then it looks again, and the children of that shard begin.
///
/// # How a shard goes through the walk
///
/// 1. **Listed.** `look` describes the stream. A shard waits while its parent is listed, or being read, and not finished: records of one
///    item lie in a chain of shards, and this keeps them in order.
/// 2. **Begun.** `look` gets an iterator behind the saved progress, at the time that the walk begins with, or at the trim horizon.
/// 3. **Read.** An iterator that has expired is replaced by one behind the last record that was read. If records at this place have
///    been trimmed, that is a *gap*: the shard is read on behind it, at the trim horizon. A shard that does not exist any more is a gap, too, and
///    has reached its end.
/// 4. **At its end.** `GetRecords` has returned no further iterator.
/// 5. **Ended.** The consumer has processed all of it, and says so.
/// 6. **Finished.** The next `look` has seen the shard's `EndingSequenceNumber`, and that nothing is behind what was read. When the stream does
///    not list the shard any more, its progress is forgotten.
///
/// # When the database goes back
///
/// A restore or a reset may take a stream to an earlier state. There is no message of it. The walker sees a shard vanish, or a stream
/// that was over become live again under the same ARN. After such a sign it begins finished shards anew that are listed as open. Without
/// one, the list may merely be older than the page that ended the shard. Then the walker asks the shard itself: only an open one returns a
/// further iterator. A finished shard that is listed with another `EndingSequenceNumber` was open again meanwhile, and is begun anew, too.
#[derive(Debug)]
pub struct ShardWalker {
    stream_arn: Arc<str>,
    progress: StreamProgress,
    /// The shards that are begun and not finished.
    cursors: BTreeMap<Arc<str>, Cursor>,
    /// The shards that have ended and are not finished, with what was read.
    ended: BTreeMap<Arc<str>, ShardProgress>,
    /// Shards in which records were lost, since somebody last asked.
    gaps: Vec<Arc<str>>,
    /// Whether shards may be missing from the cursors: the last look failed, or it was taken between the end of a shard and the
    /// appearance of its child.
    must_look: bool,
    has_lost_shard: bool,
    is_over: bool,
}

/// A place in a shard.
#[derive(Debug)]
struct Cursor {
    /// What was read, which the consumer may not have processed yet. An iterator that expires is replaced by one behind it.
    read_to: ShardProgress,
    next: Next,
}

/// How the next page of a shard is reached.
#[derive(Debug)]
enum Next {
    /// With this iterator.
    Iterator(String),
    /// With an iterator behind `read_to`, which could not be had yet. Asking with the old one would find the same gap again.
    Position,
    /// There is no next page.
    End,
}

/// What came of a read of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShardRead<R> {
    /// The next records, oldest first; never empty.
    Records(Vec<R>),
    /// The shard has no further records at present. AWS may return such a page before records that exist.
    Empty,
    /// The walker has a new iterator, because the last one was of no more use. Nothing is known of further records.
    Repositioned,
    /// The shard has no further records, and never will.
    Ended,
}

impl ShardWalker {
    /// Returns a walker that goes on behind `progress`; an empty one begins at the trim horizon.
    #[must_use]
    pub fn new(stream_arn: &str, progress: StreamProgress) -> Self {
        Self {
            stream_arn: stream_arn.into(),
            progress,
            cursors: BTreeMap::new(),
            ended: BTreeMap::new(),
            gaps: Vec::new(),
            must_look: true,
            has_lost_shard: false,
            is_over: false,
        }
    }

    /// Returns a walker that begins at the end of a stream: open shards at their ends, closed ones as read.
    ///
    /// # Errors
    ///
    /// Those of [`StreamSource::describe`] and [`StreamSource::shard_iterator`].
    pub fn at_end<S: StreamSource>(source: &S, stream_arn: &str) -> Result<Self, SourceError> {
        let mut progress = StreamProgress::new();
        for shard in source.describe(stream_arn)?.shards {
            let of_shard = if shard.is_open {
                let iterator = source.shard_iterator(stream_arn, &shard.shard_id, &SourcePosition::Latest)?;
                progress_at_end(source, iterator)
            } else {
                ShardProgress::Finished { ending: shard.ending_sequence_number }
            };
            progress.insert(shard.shard_id, of_shard);
        }
        Ok(Self::new(stream_arn, progress))
    }

    /// Returns a walker that begins at a time: in every shard that is listed now, at the first record that was created then or later.
    /// Shards that are opened later are read whole.
    ///
    /// # Errors
    ///
    /// Those of [`StreamSource::describe`].
    pub fn at_time<S: StreamSource>(
        source: &S,
        stream_arn: &str,
        time: EpochMillis,
    ) -> Result<Self, SourceError> {
        let shards = source.describe(stream_arn)?.shards.into_iter();
        let progress = shards.map(|shard| (shard.shard_id, ShardProgress::Since(time))).collect();
        Ok(Self::new(stream_arn, progress))
    }

    /// Returns the ARN of the stream.
    #[must_use]
    pub fn stream_arn(&self) -> &Arc<str> {
        &self.stream_arn
    }

    /// Returns what the consumer has noted, by shard.
    #[must_use]
    pub fn progress(&self) -> &StreamProgress {
        &self.progress
    }

    /// Returns whether no shard can follow: the stream is disabled or gone, and every shard is finished.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns whether the stream is over and nothing is left of it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.is_over && self.progress.is_empty()
    }

    /// Returns whether [`look`](Self::look) may find further shards.
    #[must_use]
    pub fn must_look(&self) -> bool {
        self.must_look
    }

    /// Returns whether a shard has no further records; also if it is not being read.
    #[must_use]
    pub fn is_at_end(&self, shard_id: &str) -> bool {
        self.cursors.get(shard_id).is_none_or(|cursor| matches!(cursor.next, Next::End))
    }

    /// Takes the ids of the shards in which records were trimmed before they were read, since this was last called.
    pub fn take_gaps(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.gaps)
    }

    /// Describes the stream, begins every shard that may be read now, and calls `begun` with the id of each.
    ///
    /// # Errors
    ///
    /// Those of [`StreamSource::describe`] and [`StreamSource::shard_iterator`]. Shards begun until then stay begun, and
    /// [`must_look`](Self::must_look) returns true.
    pub fn look<S: StreamSource>(
        &mut self,
        source: &S,
        mut begun: impl FnMut(&Arc<str>),
    ) -> Result<(), SourceError> {
        self.must_look = true;
        let described = match source.describe(&self.stream_arn) {
            Ok(described) => described,
            Err(SourceError::NotFound) => SourceStream { is_live: false, shards: Vec::new() },
            Err(error) => return Err(error),
        };
        finish_ancestors(&described.shards, &mut self.progress);
        self.give_up_gone_shards(&described.shards);
        self.finish_ended_shards(source, &described.shards)?;
        let is_live_again = self.is_over && described.is_live;
        if std::mem::take(&mut self.has_lost_shard) || is_live_again {
            reopen_shards(&described.shards, &mut self.progress);
        }
        reopen_shards_of_another_past(&described.shards, &mut self.progress);
        let is_list_old = self.reopen_shards_that_go_on(source, &described.shards)? || !self.ended.is_empty();
        let is_being_read = |shard_id: &str| self.is_being_read(shard_id);
        let ready: Vec<Arc<str>> = ready_shards(&described.shards, &self.progress, is_being_read)
            .into_iter()
            .map(|shard| shard.shard_id.as_str().into())
            .collect();
        let mut outcome = Ok(());
        let mut are_all_begun = true;
        for shard_id in ready {
            match self.begin(source, &shard_id) {
                Ok(()) => begun(&shard_id),
                // It went between the two calls: the next description does not list it, and its children may begin.
                Err(SourceError::NotFound) => are_all_begun = false,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        forget_gone_shards(&described.shards, &mut self.progress);
        let is_idle = self.cursors.is_empty() && self.ended.is_empty();
        self.is_over = outcome.is_ok() && are_all_begun && !described.is_live && is_idle;
        // A live stream always has an open shard: if none is being read, it is about to appear.
        self.must_look = outcome.is_err() || !are_all_begun || is_list_old || (described.is_live && is_idle);
        outcome
    }

    /// Gets the first iterator of a shard and notes that it is begun.
    fn begin<S: StreamSource>(&mut self, source: &S, shard_id: &Arc<str>) -> Result<(), SourceError> {
        let read_to = self.progress.get(&**shard_id).cloned().unwrap_or(ShardProgress::Begun);
        let next = match &read_to {
            // A read tells whether it is still good.
            ShardProgress::Latest(iterator) => Next::Iterator(iterator.clone()),
            _ => Next::Position,
        };
        let must_reposition = matches!(next, Next::Position);
        self.cursors.insert(shard_id.clone(), Cursor { read_to, next });
        if must_reposition && let Err(error) = self.reposition(source, shard_id) {
            self.cursors.remove(shard_id);
            return Err(error);
        }
        self.progress.entry(shard_id.to_string()).or_insert(ShardProgress::Begun);
        Ok(())
    }

    /// Reads the next page of a shard that was begun, with at most `limit` records.
    ///
    /// # Errors
    ///
    /// Those of the source that another try may mend: it goes on at the same place. A gap is not an error, see
    /// [`take_gaps`](Self::take_gaps).
    pub fn read<S: StreamSource>(
        &mut self,
        source: &S,
        shard_id: &Arc<str>,
        limit: Option<u32>,
    ) -> Result<ShardRead<S::Record>, SourceError> {
        let Some(cursor) = self.cursors.get_mut(shard_id) else { return Ok(ShardRead::Ended) };
        match &cursor.next {
            Next::End => return Ok(ShardRead::Ended),
            Next::Position => {}
            Next::Iterator(iterator) => match source.records(iterator, limit) {
                Ok(page) => return Ok(cursor.advance(page)),
                Err(SourceError::Expired) => cursor.next = Next::Position,
                Err(SourceError::Trimmed) => {
                    let position = position_behind(&cursor.read_to);
                    self.note_gap(source, shard_id, &position)?;
                }
                Err(SourceError::NotFound) => return Ok(self.lose(shard_id)),
                Err(error) => return Err(error),
            },
        }
        match self.reposition(source, shard_id) {
            Ok(()) => Ok(ShardRead::Repositioned),
            Err(SourceError::NotFound) => Ok(self.lose(shard_id)),
            Err(error) => Err(error),
        }
    }

    /// Gets an iterator behind what was read of a shard; at the trim horizon if that place has been trimmed.
    ///
    /// A source that calls the trim horizon trimmed fails: to ask it again at once would be a loop without an end.
    fn reposition<S: StreamSource>(&mut self, source: &S, shard_id: &Arc<str>) -> Result<(), SourceError> {
        loop {
            let Some(cursor) = self.cursors.get_mut(shard_id) else { return Ok(()) };
            let position = position_behind(&cursor.read_to);
            match source.shard_iterator(&self.stream_arn, shard_id, &position) {
                Ok(iterator) => {
                    cursor.next = Next::Iterator(iterator);
                    return Ok(());
                }
                Err(SourceError::Trimmed) if position != SourcePosition::TrimHorizon => {
                    if self.note_gap(source, shard_id, &position)? == position {
                        return Err(SourceError::Trimmed);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Notes that records of a shard were lost, and puts its cursor behind them, so that the gap is noted once. Returns where that is.
    fn note_gap<S: StreamSource>(
        &mut self,
        source: &S,
        shard_id: &Arc<str>,
        position: &SourcePosition,
    ) -> Result<SourcePosition, SourceError> {
        let behind = source.position_behind_gap(&self.stream_arn, shard_id, position)?;
        let read_to = match &behind {
            SourcePosition::After(number) => ShardProgress::After(number.clone()),
            SourcePosition::AtTimestamp(time) => ShardProgress::Since(*time),
            SourcePosition::TrimHorizon | SourcePosition::Latest => ShardProgress::Begun,
        };
        self.gaps.push(shard_id.clone());
        self.progress.insert(shard_id.to_string(), read_to.clone());
        if let Some(cursor) = self.cursors.get_mut(shard_id) {
            *cursor = Cursor { read_to, next: Next::Position };
        }
        Ok(behind)
    }

    /// Ends a shard that vanished while it was read. It was old, so that records may have been trimmed unread; or it never was, if the
    /// database went back.
    fn lose<R>(&mut self, shard_id: &Arc<str>) -> ShardRead<R> {
        self.gaps.push(shard_id.clone());
        self.has_lost_shard = true;
        if let Some(cursor) = self.cursors.get_mut(shard_id) {
            cursor.next = Next::End;
        }
        ShardRead::Ended
    }

    /// Notes how far the consumer has come in a shard.
    pub fn note(&mut self, shard_id: &str, progress: ShardProgress) {
        match self.progress.get_mut(shard_id) {
            Some(noted) => *noted = progress,
            None => drop(self.progress.insert(shard_id.to_owned(), progress)),
        }
    }

    /// Takes the present iterator of a shard into the progress, if the shard was begun at its end and has shown no records: then the
    /// iterator is all there is to resume from, and it dies after 15 minutes.
    pub fn keep_latest(&mut self, shard_id: &str) {
        let read_to = self.cursors.get(shard_id).map(|cursor| &cursor.read_to);
        let progress = self.progress.get_mut(shard_id);
        if let (Some(ShardProgress::Latest(renewed)), Some(ShardProgress::Latest(kept))) = (read_to, progress)
        {
            kept.clone_from(renewed);
        }
    }

    /// Notes that a shard is read to its end and processed. The next [`look`](Self::look) finishes it, and its children may begin.
    pub fn finish(&mut self, shard_id: &Arc<str>) {
        if let Some(Cursor { read_to, .. }) = self.cursors.remove(shard_id) {
            self.note(shard_id, read_to.clone());
            self.ended.insert(shard_id.clone(), read_to);
            self.must_look = true;
        }
    }

    fn is_being_read(&self, shard_id: &str) -> bool {
        self.cursors.contains_key(shard_id) || self.ended.contains_key(shard_id)
    }

    /// Once the stream is over, looks for what the table has instead: the same stream again, in which this walker goes on (then `begun`
    /// is called, as by [`look`](Self::look)), or the stream that succeeds it, whose ARN is returned.
    ///
    /// # Errors
    ///
    /// Those of [`StreamSource::streams`] and of [`look`](Self::look).
    pub fn look_for_successor<S: StreamSource>(
        &mut self,
        source: &S,
        table_name: &str,
        begun: impl FnMut(&Arc<str>),
    ) -> Result<Option<String>, SourceError> {
        if !self.is_over {
            return Ok(None);
        }
        let listed = match source.streams(table_name) {
            Ok(listed) => listed,
            Err(SourceError::NotFound) => return Ok(None),
            Err(error) => {
                // Nobody may take the stream for read to its end.
                self.must_look = true;
                return Err(error);
            }
        };
        // Two streams have the same ARN if they were enabled in the same millisecond: before and after a reset under a clock that stands
        // still, or before and after the database went back.
        let is_listed = listed.iter().any(|stream_arn| **stream_arn == *self.stream_arn);
        if is_listed {
            self.look(source, begun)?;
            if !self.is_over {
                return Ok(None);
            }
        }
        // Newest first; the ARNs of one table differ in their labels only, and those are ordered as text. A stream is purged after all that are
        // older. If one of those is left, the database went back to when it was the newest; it may have ended since.
        let older = listed.iter().find(|stream_arn| ***stream_arn < *self.stream_arn).filter(|_| !is_listed);
        // A stream in between is not skipped.
        let next = || listed.iter().rev().find(|stream_arn| ***stream_arn > *self.stream_arn);
        Ok(older.or_else(next).cloned())
    }
}

impl Cursor {
    /// Moves behind a page.
    fn advance<R: SourceRecord>(&mut self, page: SourcePage<R>) -> ShardRead<R> {
        let SourcePage { records, next_iterator } = page;
        if let Some(last) = records.last() {
            self.read_to = ShardProgress::After(last.sequence_number());
        } else if let (ShardProgress::Latest(kept), Some(renewed)) = (&mut self.read_to, &next_iterator) {
            kept.clone_from(renewed);
        }
        self.next = next_iterator.map_or(Next::End, Next::Iterator);
        if !records.is_empty() {
            ShardRead::Records(records)
        } else if matches!(self.next, Next::End) {
            ShardRead::Ended
        } else {
            ShardRead::Empty
        }
    }
}

/// Returns the position at which a shard is read on.
///
/// A shard begun at its end that cannot say where that was, and whose iterator has died meanwhile, is read from the trim horizon: better
/// too much than a gap.
fn position_behind(progress: &ShardProgress) -> SourcePosition {
    match progress {
        ShardProgress::Begun | ShardProgress::Latest(_) | ShardProgress::Finished { .. } => {
            SourcePosition::TrimHorizon
        }
        ShardProgress::Since(time) => SourcePosition::AtTimestamp(*time),
        ShardProgress::After(number) => SourcePosition::After(number.clone()),
    }
}

/// Returns the progress that a shard begun at its end has before it has shown a record.
fn progress_at_end<S: StreamSource>(source: &S, iterator: String) -> ShardProgress {
    match source.position_of(&iterator) {
        Some(SourcePosition::After(number)) => ShardProgress::After(number),
        Some(SourcePosition::TrimHorizon) => ShardProgress::Begun,
        Some(SourcePosition::Latest | SourcePosition::AtTimestamp(_)) | None => {
            ShardProgress::Latest(iterator)
        }
    }
}
