//! The subscription: shards of one or several streams in turn, one event at a time.

use super::builder::{StartPosition, SubscriptionBuilder, TailOptions};
use super::checkpoint::{Checkpoint, ShardProgress, are_of_one_table};
use super::source::{SourceError, SourceRecord, StreamSource};
use super::wake::WakeHandle;
use super::walker::{ShardRead, ShardWalker};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// One record with its stream and its shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<R> {
    /// The stream's ARN.
    pub stream_arn: Arc<str>,
    /// The shard's id.
    pub shard_id: Arc<str>,
    /// The record.
    pub record: R,
}

/// The error of a subscription, or a gap in it. The next call of `next` goes on behind it.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// The table has no stream, or there is no such table.
    #[error("table `{0}` has no stream")]
    NoStream(String),
    /// No stream, table or checkpoint was given.
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
/// Events of one item come in the order of its writes; every record comes once. Created by
/// [`Subscription::builder`].
#[derive(Debug)]
pub struct Subscription<S: StreamSource> {
    source: S,
    options: TailOptions,
    tables: Vec<TableWalk>,
    streams: Vec<ShardWalker>,
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
    /// The newest stream that is being read, or was: its place in `streams`.
    newest: usize,
}

/// A shard whose turn comes: the records of its last page that were not handed out yet.
#[derive(Debug)]
struct Reader<R> {
    /// Its place in `streams`.
    stream: usize,
    shard_id: Arc<str>,
    records: VecDeque<R>,
    /// Empty pages since the last record.
    empty_pages: u32,
}

impl<S: StreamSource> Iterator for Subscription<S> {
    type Item = Result<Event<S::Record>, TailError>;

    /// Returns the next event, and blocks for it if the subscription follows. Returns `None` if the subscription was stopped, has caught
    /// up, or is at the end of all streams. After it has caught up, a later call may return further events.
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
                // A later call asks every shard again.
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
    /// Returns the position of the subscription: behind the last event that it returned.
    pub fn checkpoint(&self) -> Checkpoint {
        let progress = |walker: &ShardWalker| (walker.stream_arn().to_string(), walker.progress().clone());
        Checkpoint { streams: self.streams.iter().map(progress).collect() }
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
            subscription.add(ShardWalker::new(&stream_arn, progress))?;
        }
        for stream_arn in streams {
            subscription.add_stream(&stream_arn)?;
        }
        for table_name in tables {
            let listed = subscription.source.streams(&table_name).map_err(TailError::Source)?;
            let Some(newest) = listed.first() else { return Err(TailError::NoStream(table_name)) };
            // If the checkpoint has one of the streams of the table, go on from that one, also if it is not listed any more: those between
            // it and the newest one are.
            let known = listed.iter().find_map(|stream_arn| subscription.place_of(stream_arn));
            let known = known.or_else(|| subscription.newest_of_table(newest));
            let newest = known.map_or_else(|| subscription.add_stream(newest), Ok)?;
            subscription.tables.push(TableWalk { table_name, newest });
        }
        if subscription.streams.is_empty() {
            return Err(TailError::NothingToRead);
        }
        subscription.look_for_successors()?;
        Ok(subscription)
    }

    fn place_of(&self, stream_arn: &str) -> Option<usize> {
        self.streams.iter().position(|walker| **walker.stream_arn() == *stream_arn)
    }

    /// Returns the place of the newest stream that belongs to the table of another one.
    fn newest_of_table(&self, stream_arn: &str) -> Option<usize> {
        let known = self.streams.iter().map(|walker| &**walker.stream_arn());
        let of_table = known.enumerate().filter(|(_, known)| are_of_one_table(known, stream_arn));
        of_table.max_by_key(|(_, known)| *known).map(|(place, _)| place)
    }

    /// Begins a stream without a checkpoint, unless it is being read already; returns its place.
    fn add_stream(&mut self, stream_arn: &str) -> Result<usize, TailError> {
        if let Some(stream) = self.place_of(stream_arn) {
            return Ok(stream);
        }
        let walker = match self.options.from {
            StartPosition::TrimHorizon => ShardWalker::new(stream_arn, BTreeMap::new()),
            StartPosition::Latest => {
                ShardWalker::at_end(&self.source, stream_arn).map_err(TailError::Source)?
            }
            StartPosition::AtTimestamp(time) => {
                ShardWalker::at_time(&self.source, stream_arn, time).map_err(TailError::Source)?
            }
        };
        let stream = self.add(walker)?;
        // A checkpoint may outlive its stream, but a stream that was named has to exist.
        if self.streams[stream].is_gone() {
            return Err(TailError::Source(SourceError::NotFound));
        }
        Ok(stream)
    }

    fn add(&mut self, walker: ShardWalker) -> Result<usize, TailError> {
        let stream = self.streams.len();
        self.streams.push(walker);
        self.look_at(stream).map_err(TailError::Source)?;
        Ok(stream)
    }

    /// Takes the next matching record from the page of the reader whose turn it is.
    fn take_event(&mut self) -> Option<Event<S::Record>> {
        let reader = self.readers.get_mut(self.turn)?;
        let walker = &mut self.streams[reader.stream];
        while let Some(record) = reader.records.pop_front() {
            walker.note(&reader.shard_id, ShardProgress::After(record.sequence_number()));
            let patterns = &self.options.patterns;
            let is_wanted = patterns.is_empty() || {
                let document = record.document(walker.stream_arn());
                patterns.iter().any(|pattern| pattern.matches(&document))
            };
            if is_wanted {
                let (stream_arn, shard_id) = (walker.stream_arn().clone(), reader.shard_id.clone());
                return Some(Event { stream_arn, shard_id, record });
            }
        }
        None
    }

    /// Asks the next reader for a page. All pages are empty when this is called.
    fn poll(&mut self) {
        self.turn = (self.turn + 1) % self.readers.len();
        let reader = &mut self.readers[self.turn];
        let stream = reader.stream;
        let walker = &mut self.streams[stream];
        let read = walker.read(&self.source, &reader.shard_id, self.options.page_limit);
        match read {
            Ok(ShardRead::Records(records)) => {
                reader.records = records.into();
                reader.empty_pages = 0;
                self.quiet = 0;
            }
            Ok(ShardRead::Empty) => {
                walker.keep_latest(&reader.shard_id);
                reader.empty_pages += 1;
                self.quiet += 1;
            }
            // It is asked again before the subscription has caught up.
            Ok(ShardRead::Repositioned) => reader.empty_pages = 0,
            Ok(ShardRead::Ended) => {
                // Before the gaps of its children.
                self.report_gaps(stream);
                self.finish();
            }
            Err(error @ SourceError::Failed(_)) => self.fail(error),
            // Time alone may help.
            Err(_) => self.quiet += 1,
        }
        self.report_gaps(stream);
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
        self.streams[reader.stream].finish(&reader.shard_id);
        self.quiet = 0;
        if let Err(error) = self.look_at(reader.stream) {
            self.report_unless_throttled(error);
        }
    }

    fn report_unless_throttled(&mut self, error: SourceError) {
        if !matches!(error, SourceError::Throttled) {
            self.errors.push_back(TailError::Source(error));
        }
    }

    fn report_gaps(&mut self, stream: usize) {
        let walker = &mut self.streams[stream];
        for shard_id in walker.take_gaps() {
            let stream_arn = walker.stream_arn().clone();
            self.errors.push_back(TailError::Trimmed { stream_arn, shard_id });
        }
    }

    /// Looks again where shards may be missing, and for streams that succeed those that are over.
    fn look_for_shards(&mut self) {
        for stream in 0..self.streams.len() {
            if self.streams[stream].must_look()
                && let Err(error) = self.look_at(stream)
            {
                self.report_unless_throttled(error);
            }
        }
        if let Err(error) = self.look_for_successors() {
            self.errors.push_back(error);
        }
    }

    /// Begins every shard of a stream that may be read now.
    fn look_at(&mut self, stream: usize) -> Result<(), SourceError> {
        let readers = &mut self.readers;
        let outcome =
            self.streams[stream].look(&self.source, |shard_id| readers.push(Reader::new(stream, shard_id)));
        self.report_gaps(stream);
        outcome
    }

    /// Goes on in the next newer stream of every table whose stream is over.
    fn look_for_successors(&mut self) -> Result<(), TailError> {
        for table in 0..self.tables.len() {
            let TableWalk { table_name, newest } = &self.tables[table];
            let (stream, readers) = (*newest, &mut self.readers);
            let begun = |shard_id: &Arc<str>| readers.push(Reader::new(stream, shard_id));
            let found = self.streams[stream].look_for_successor(&self.source, table_name, begun);
            self.report_gaps(stream);
            match found {
                Ok(None) | Err(SourceError::Throttled) => {}
                Ok(Some(next)) => {
                    // It begins at the trim horizon, also if the subscription began at the end of an earlier stream, or at a time.
                    let known = self.place_of(&next);
                    self.tables[table].newest = known.unwrap_or(self.streams.len());
                    if known.is_none() {
                        self.add(ShardWalker::new(&next, BTreeMap::new()))?;
                    }
                }
                Err(error) => return Err(TailError::Source(error)),
            }
        }
        Ok(())
    }

    /// Returns whether the subscription ends now that no reader has further records.
    fn is_at_end(&self) -> bool {
        if self.options.follow {
            self.tables.is_empty() && self.streams.iter().all(ShardWalker::is_over)
        } else {
            !self.streams.iter().any(ShardWalker::must_look)
                && self.readers.iter().all(|reader| reader.empty_pages >= self.options.caught_up_after)
        }
    }
}

impl<R> Reader<R> {
    fn new(stream: usize, shard_id: &Arc<str>) -> Self {
        Self { stream, shard_id: shard_id.clone(), records: VecDeque::new(), empty_pages: 0 }
    }
}
