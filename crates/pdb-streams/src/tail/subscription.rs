//! The walk itself.

use super::builder::{StartPosition, SubscriptionBuilder, TailOptions};
use super::checkpoint::{Checkpoint, ShardProgress, StreamProgress};
use super::lineage;
use super::reader::{Reader, begin_at_end, iterator_behind};
use super::source::{SourceError, SourceRecord, SourceStream, StreamSource};
use super::wake::WakeHandle;
use std::collections::VecDeque;
use std::sync::Arc;

/// One record, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<R> {
    /// The stream's ARN.
    pub stream_arn: Arc<str>,
    /// The shard's id.
    pub shard_id: Arc<str>,
    /// The record.
    pub record: R,
}

/// Why a subscription could not go on, or has a gap. Asking for the next event goes on behind it.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// The table has no stream, or there is no such table.
    #[error("table `{0}` has no stream")]
    NoStream(String),
    /// Neither a stream nor a table was named, and no checkpoint names one.
    #[error("subscription names no stream")]
    NothingToRead,
    /// Records were trimmed before they were read; what is left of the shard follows.
    #[error("records of shard `{shard_id}` were trimmed before they were read")]
    Trimmed {
        /// The stream's ARN.
        stream_arn: Arc<str>,
        /// The shard's id.
        shard_id: Arc<str>,
    },
    /// The source failed.
    #[error("stream source failed")]
    Source(#[source] SourceError),
}

/// A blocking iterator over all events of one or several streams.
///
/// Events of one item come in the order of its writes; every record comes once. Made by
/// [`Subscription::builder`]; see there what can be chosen.
#[derive(Debug)]
pub struct Subscription<S: StreamSource> {
    source: S,
    options: TailOptions,
    tables: Vec<TableWalk>,
    streams: Vec<StreamWalk>,
    readers: Vec<Reader<S::Record>>,
    /// The reader whose turn it is.
    turn: usize,
    /// Readers asked in a row that had nothing new.
    quiet: usize,
    errors: VecDeque<TailError>,
    wake: WakeHandle,
}

#[derive(Debug)]
struct TableWalk {
    table_name: String,
    /// The newest stream that is being read, or was.
    newest: String,
}

#[derive(Debug)]
struct StreamWalk {
    stream_arn: Arc<str>,
    progress: StreamProgress,
    /// Whether no shard can follow: disabled and read, or gone.
    is_over: bool,
    /// Whether shards may be missing from the readers: the last look failed, or it was taken between the end of a shard
    /// and the appearance of its child.
    must_look: bool,
    /// Whether a shard vanished since the last look. Perhaps it was never there: if the database went back to an earlier
    /// state, shards that were read to their end may be open again.
    has_lost_shard: bool,
}

impl StreamWalk {
    fn is_gone(&self) -> bool {
        self.is_over && self.progress.is_empty()
    }
}

impl<S: StreamSource> Iterator for Subscription<S> {
    type Item = Result<Event<S::Record>, TailError>;

    /// Returns the next event; blocks for it if the subscription follows. `None`: stopped, caught up, or at the end of
    /// all streams. One that had caught up may be asked again later.
    fn next(&mut self) -> Option<Self::Item> {
        while !self.wake.is_stopped() {
            if let Some(error) = self.errors.pop_front() {
                return Some(Err(error));
            }
            if let Some(event) = self.take_event() {
                return Some(Ok(event));
            }
            if self.quiet < self.readers.len() {
                self.poll();
            } else if self.is_at_end() {
                // Whoever asks again later is looked up again.
                self.quiet = 0;
                self.readers.iter_mut().for_each(|reader| reader.empty_pages = 0);
                return None;
            } else {
                self.wake.wait(self.options.poll_interval);
                self.quiet = 0;
                self.look_for_shards();
            }
        }
        None
    }
}

impl<S: StreamSource> Subscription<S> {
    /// Returns how far the subscription has come: behind the last event it handed out.
    pub fn checkpoint(&self) -> Checkpoint {
        let streams = self.streams.iter().map(|walk| (walk.stream_arn.to_string(), walk.progress.clone()));
        Checkpoint { streams: streams.collect() }
    }

    /// Returns a handle that stops the subscription from another thread.
    pub fn wake_handle(&self) -> WakeHandle {
        self.wake.clone()
    }

    pub(super) fn start(builder: SubscriptionBuilder<S>) -> Result<Self, TailError> {
        let SubscriptionBuilder { source, streams, tables, options, checkpoint, wake } = builder;
        source.wake_on_change(&wake);
        let mut subscription = Self {
            source,
            options,
            tables: Vec::new(),
            streams: Vec::new(),
            readers: Vec::new(),
            turn: 0,
            quiet: 0,
            errors: VecDeque::new(),
            wake,
        };
        for (stream_arn, progress) in checkpoint.streams {
            subscription.add_stream(&stream_arn, Some(progress))?;
        }
        for stream_arn in streams {
            subscription.add_stream(&stream_arn, None)?;
        }
        for table_name in tables {
            let listed = subscription.source.streams(&table_name).map_err(TailError::Source)?;
            let Some(newest) = listed.first() else { return Err(TailError::NoStream(table_name)) };
            // With a checkpoint of one of the table's streams, go on from that one.
            let known =
                listed.iter().find(|stream_arn| subscription.reads(stream_arn)).unwrap_or(newest).clone();
            subscription.add_stream(&known, None)?;
            subscription.tables.push(TableWalk { table_name, newest: known });
        }
        if subscription.streams.is_empty() {
            return Err(TailError::NothingToRead);
        }
        subscription.look_for_successors()?;
        Ok(subscription)
    }

    fn reads(&self, stream_arn: &str) -> bool {
        self.streams.iter().any(|walk| &*walk.stream_arn == stream_arn)
    }

    /// Begins or resumes a stream, unless it is being read already.
    fn add_stream(&mut self, stream_arn: &str, progress: Option<StreamProgress>) -> Result<(), TailError> {
        if self.reads(stream_arn) {
            return Ok(());
        }
        let is_new = progress.is_none();
        let progress = progress.unwrap_or_default();
        let mut walk = StreamWalk {
            stream_arn: stream_arn.into(),
            progress,
            is_over: false,
            must_look: true,
            has_lost_shard: false,
        };
        if is_new && self.options.from == StartPosition::Latest {
            walk.progress = begin_at_end(&self.source, stream_arn).map_err(TailError::Source)?;
        }
        self.streams.push(walk);
        let stream = self.streams.len() - 1;
        self.look_for_shards_of(stream).map_err(TailError::Source)?;
        // A checkpoint may outlive its stream; a stream asked for by name has to be there.
        if is_new && self.streams[stream].is_gone() {
            return Err(TailError::Source(SourceError::NotFound));
        }
        Ok(())
    }

    /// Takes the next matching record out of the page of the reader whose turn it is.
    fn take_event(&mut self) -> Option<Event<S::Record>> {
        let reader = self.readers.get_mut(self.turn)?;
        let walk = &mut self.streams[reader.stream];
        while let Some(record) = reader.records.pop_front() {
            walk.progress.insert(reader.shard_id.to_string(), ShardProgress::After(record.sequence_number()));
            let patterns = &self.options.patterns;
            let is_wanted = patterns.is_empty() || {
                let document = record.document(&walk.stream_arn);
                patterns.iter().any(|pattern| pattern.matches(&document))
            };
            if is_wanted {
                let (stream_arn, shard_id) = (walk.stream_arn.clone(), reader.shard_id.clone());
                return Some(Event { stream_arn, shard_id, record });
            }
        }
        None
    }

    /// Asks the next reader for a page. All pages are empty when this is called.
    fn poll(&mut self) {
        self.turn = (self.turn + 1) % self.readers.len();
        let reader = &mut self.readers[self.turn];
        let Some(iterator) = &reader.iterator else { return self.finish() };
        match self.source.records(iterator, self.options.page_limit) {
            Ok(page) => {
                reader.records = page.records.into();
                reader.iterator = page.next_iterator;
                if !reader.records.is_empty() {
                    reader.empty_pages = 0;
                    self.quiet = 0;
                } else if reader.iterator.is_some() {
                    reader.empty_pages += 1;
                    self.quiet += 1;
                    self.keep_latest();
                } else {
                    self.finish();
                }
            }
            Err(SourceError::Expired) => self.reposition(),
            Err(SourceError::Trimmed) => self.restart_at_horizon(),
            Err(SourceError::NotFound) => self.lose_shard(),
            Err(SourceError::Throttled) => self.quiet += 1,
            Err(error @ SourceError::Failed(_)) => self.fail(error),
        }
    }

    /// Remembers the renewed iterator of a shard begun at its end that still has shown nothing.
    fn keep_latest(&mut self) {
        let reader = &self.readers[self.turn];
        let progress = self.streams[reader.stream].progress.get_mut(&*reader.shard_id);
        if let (Some(ShardProgress::Latest(kept)), Some(iterator)) = (progress, &reader.iterator) {
            kept.clone_from(iterator);
        }
    }

    /// Replaces the iterator of the reader whose turn it is by one behind what was handed out.
    fn reposition(&mut self) {
        let reader = &self.readers[self.turn];
        let walk = &self.streams[reader.stream];
        let progress = walk.progress.get(&*reader.shard_id);
        match iterator_behind(&self.source, &walk.stream_arn, &reader.shard_id, progress) {
            Ok(iterator) => self.readers[self.turn].iterator = Some(iterator),
            Err(SourceError::Trimmed) => self.restart_at_horizon(),
            Err(SourceError::NotFound) => self.lose_shard(),
            Err(SourceError::Throttled | SourceError::Expired) => self.quiet += 1,
            Err(error @ SourceError::Failed(_)) => self.fail(error),
        }
    }

    /// Reports a gap and goes on with what is left of the shard.
    fn restart_at_horizon(&mut self) {
        let (stream, shard_id) = (self.readers[self.turn].stream, self.readers[self.turn].shard_id.clone());
        self.streams[stream].progress.insert(shard_id.to_string(), ShardProgress::Begun);
        self.report_gap(stream, &shard_id);
        self.reposition();
    }

    /// The shard vanished while it was being read: it is old, so records in it may have been trimmed unread.
    fn lose_shard(&mut self) {
        let (stream, shard_id) = (self.readers[self.turn].stream, self.readers[self.turn].shard_id.clone());
        self.streams[stream].has_lost_shard = true;
        self.report_gap(stream, &shard_id);
        self.finish();
    }

    /// Reports a failure; the same reader is asked again after a pause.
    fn fail(&mut self, error: SourceError) {
        self.errors.push_back(TailError::Source(error));
        self.quiet = self.readers.len();
        self.readers[self.turn].empty_pages = 0;
    }

    /// Ends the shard whose turn it is and begins its children.
    fn finish(&mut self) {
        let reader = self.readers.remove(self.turn);
        self.turn = self.turn.saturating_sub(1);
        self.streams[reader.stream].progress.insert(reader.shard_id.to_string(), ShardProgress::Finished);
        self.quiet = 0;
        if let Err(error) = self.look_for_shards_of(reader.stream) {
            self.report_unless_throttled(error);
        }
    }

    fn report_unless_throttled(&mut self, error: SourceError) {
        if !matches!(error, SourceError::Throttled) {
            self.errors.push_back(TailError::Source(error));
        }
    }

    /// Looks again where shards may be missing, and for streams that succeed those that are over.
    fn look_for_shards(&mut self) {
        for stream in 0..self.streams.len() {
            if self.streams[stream].must_look
                && let Err(error) = self.look_for_shards_of(stream)
            {
                self.report_unless_throttled(error);
            }
        }
        if let Err(error) = self.look_for_successors() {
            self.errors.push_back(error);
        }
    }

    /// Describes the stream and begins every shard that may be read now.
    fn look_for_shards_of(&mut self, stream: usize) -> Result<(), SourceError> {
        let stream_arn = self.streams[stream].stream_arn.clone();
        self.streams[stream].must_look = true;
        let described = match self.source.describe(&stream_arn) {
            Ok(described) => described,
            Err(SourceError::NotFound) => SourceStream { is_live: false, shards: Vec::new() },
            Err(error) => return Err(error),
        };
        self.report_gone(stream, &described);
        let readers = &self.readers;
        let is_being_read = |shard_id: &str| {
            readers.iter().any(|reader| reader.stream == stream && &*reader.shard_id == shard_id)
        };
        let walk = &mut self.streams[stream];
        let progress = &mut walk.progress;
        if std::mem::take(&mut walk.has_lost_shard) {
            lineage::reopen_shards(&described.shards, progress);
        }
        let mut begun = Vec::new();
        let mut outcome = Ok(());
        let mut all_begun = true;
        for shard in lineage::ready_shards(&described.shards, progress, is_being_read) {
            match begin(&self.source, &stream_arn, &shard.shard_id, progress) {
                Ok(begin) => begun.push((shard.shard_id.as_str().into(), begin)),
                // Gone between the two calls: the next description does not list it.
                Err(SourceError::NotFound) => all_begun = false,
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        lineage::forget_gone_shards(&described.shards, progress);
        for (shard_id, Begin { iterator, has_gap }) in begun {
            if has_gap {
                self.report_gap(stream, &shard_id);
            }
            let (records, iterator) = (VecDeque::new(), Some(iterator));
            self.readers.push(Reader { stream, shard_id, records, iterator, empty_pages: 0 });
        }
        let is_being_read = self.readers.iter().any(|reader| reader.stream == stream);
        let walk = &mut self.streams[stream];
        walk.is_over = outcome.is_ok() && all_begun && !described.is_live && !is_being_read;
        // A live stream always has an open shard: if none is being read, it is about to appear.
        walk.must_look = outcome.is_err() || !all_begun || (described.is_live && !is_being_read);
        outcome
    }

    /// Reports shards that were begun earlier, not finished, and are gone: they held records nobody can read any more.
    fn report_gone(&mut self, stream: usize, described: &SourceStream) {
        let is_gone = |shard_id: &str| {
            described.shards.iter().all(|shard| shard.shard_id != shard_id)
                && self.readers.iter().all(|reader| reader.stream != stream || &*reader.shard_id != shard_id)
        };
        let progress = &mut self.streams[stream].progress;
        let gone = |(id, progress): &(&String, &mut ShardProgress)| {
            **progress != ShardProgress::Finished && is_gone(id)
        };
        let mut lost = Vec::new();
        for (shard_id, progress) in progress.iter_mut().filter(gone) {
            *progress = ShardProgress::Finished;
            lost.push(shard_id.as_str().into());
        }
        self.streams[stream].has_lost_shard |= !lost.is_empty();
        lost.iter().for_each(|shard_id| self.report_gap(stream, shard_id));
    }

    fn report_gap(&mut self, stream: usize, shard_id: &Arc<str>) {
        let (stream_arn, shard_id) = (self.streams[stream].stream_arn.clone(), shard_id.clone());
        self.errors.push_back(TailError::Trimmed { stream_arn, shard_id });
    }

    /// Begins the next newer stream of every table whose stream is over.
    fn look_for_successors(&mut self) -> Result<(), TailError> {
        for table in 0..self.tables.len() {
            let TableWalk { table_name, newest } = &self.tables[table];
            if self.streams.iter().any(|walk| *walk.stream_arn == **newest && !walk.is_over) {
                continue;
            }
            let listed = match self.source.streams(table_name) {
                Ok(listed) => listed,
                Err(SourceError::NotFound | SourceError::Throttled) => continue,
                Err(error) => return Err(TailError::Source(error)),
            };
            // A database that was emptied under a clock that stands still may have a stream of the same ARN again.
            if listed.contains(newest) {
                let again = |walk: &StreamWalk| *walk.stream_arn == **newest && walk.is_gone();
                if let Some(stream) = self.streams.iter().position(again) {
                    self.look_for_shards_of(stream).map_err(TailError::Source)?;
                    continue;
                }
            }
            // Newest first; the ARNs of one table differ in their labels only, and those are ordered as text.
            if let Some(next) = listed.into_iter().rev().find(|stream_arn| stream_arn > newest) {
                self.tables[table].newest.clone_from(&next);
                let from = std::mem::replace(&mut self.options.from, StartPosition::TrimHorizon);
                let added = self.add_stream(&next, None);
                self.options.from = from;
                added?;
            }
        }
        Ok(())
    }

    /// Tells, when no reader has news, whether that is the end.
    fn is_at_end(&self) -> bool {
        if self.options.follow {
            self.tables.is_empty() && self.streams.iter().all(|walk| walk.is_over)
        } else {
            self.streams.iter().all(|walk| !walk.must_look)
                && self.readers.iter().all(|reader| reader.empty_pages >= self.options.caught_up_after)
        }
    }
}

/// How a shard was begun.
struct Begin {
    iterator: String,
    /// Whether the position to resume from was trimmed, so that it is at the trim horizon instead.
    has_gap: bool,
}

/// Gets the first iterator of a shard and notes that it is begun.
fn begin<S: StreamSource>(
    source: &S,
    stream_arn: &str,
    shard_id: &str,
    progress: &mut StreamProgress,
) -> Result<Begin, SourceError> {
    if let Some(ShardProgress::Latest(iterator)) = progress.get(shard_id) {
        // Reading tells whether it is still good; if not, the reader is put at the trim horizon.
        return Ok(Begin { iterator: iterator.clone(), has_gap: false });
    }
    match iterator_behind(source, stream_arn, shard_id, progress.get(shard_id)) {
        Ok(iterator) => {
            progress.entry(shard_id.to_owned()).or_insert(ShardProgress::Begun);
            Ok(Begin { iterator, has_gap: false })
        }
        Err(SourceError::Trimmed) => {
            progress.insert(shard_id.to_owned(), ShardProgress::Begun);
            iterator_behind(source, stream_arn, shard_id, None)
                .map(|iterator| Begin { iterator, has_gap: true })
        }
        Err(error) => Err(error),
    }
}
