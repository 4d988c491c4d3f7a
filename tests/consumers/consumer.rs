//! A typical consumer of a stream, correct or with one of the most common mistakes.

use std::collections::{BTreeMap, BTreeSet};

use pretender::Pretender;
use pretender::errors::{ApiError, ErrorCode};
use pretender::model::TableName;
use pretender::streams::{
    DescribeStreamInput, GetRecordsOutput, GetShardIteratorInput, ListStreamsInput, SequenceNumber, Shard,
    ShardId, ShardIteratorType, StreamArn, StreamRecord,
};
use serde_json::Value;

/// What a consumer gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// Reads the shards it found when it began, and never looks for their children.
    FirstShardsOnly,
    /// Reads shards in no particular order, so a child before its parent.
    AnyOrder,
    /// Takes a page without records for the end of the shard.
    EmptyPageIsTheEnd,
    /// Keeps the iterator of its last call, however long ago that was.
    KeepsIterators,
    /// Takes for granted that what it has not read is still there.
    NothingIsTrimmed,
    /// Acts on a record again when it is delivered again.
    ActsTwice,
    /// Looks the stream's ARN up once.
    OneStreamForEver,
    /// Takes a call that was throttled, or failed once, for the end.
    NeverTriesAgain,
    /// Begins behind what was written before it first looked.
    BeginsAtLatest,
    /// Takes sequence numbers for an order of all records, and passes over what seems to be old.
    OneOrderForAll,
}

/// What the consumer did to the world outside: it stays, whatever becomes of the consumer.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// A copy of the table: the items by their keys.
    pub(crate) copy: BTreeMap<String, Value>,
    /// One letter for each change of the table.
    pub(crate) letters: Vec<String>,
    /// True once the consumer has said that records were lost to it.
    pub(crate) told_of_loss: bool,
}

/// How far a shard is read.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// The last record that was handled.
    last: Option<SequenceNumber>,
    /// The shard is closed and read to its end.
    finished: bool,
}

/// A consumer of the stream of one table.
#[derive(Debug)]
pub(crate) struct Consumer {
    table: TableName,
    mistake: Option<Mistake>,
    /// What it would write to a database of its own: survives a crash.
    saved: BTreeMap<ShardId, Progress>,
    /// The next iterator of each shard, in memory.
    iterators: BTreeMap<ShardId, String>,
    /// The streams it knows, oldest first; and, of the mistaken, the only shards it will ever read.
    streams: Vec<StreamArn>,
    shards: Option<BTreeSet<ShardId>>,
    /// The highest number it has seen in any shard: of the mistaken, all it looks at.
    highest: Option<SequenceNumber>,
    /// If set, it dies after it has acted on a page and before it has saved how far it is.
    pub(crate) dies_before_saving: bool,
}

impl Consumer {
    pub(crate) fn new(table: &TableName, mistake: Option<Mistake>) -> Self {
        Self {
            table: table.clone(),
            mistake,
            saved: BTreeMap::new(),
            iterators: BTreeMap::new(),
            streams: Vec::new(),
            shards: None,
            highest: None,
            dies_before_saving: false,
        }
    }

    /// Starts again after a crash, with what was saved.
    pub(crate) fn restarted(self) -> Self {
        Self { saved: self.saved, ..Self::new(&self.table, self.mistake) }
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Reads whatever there is, and acts on it.
    pub(crate) fn poll(&mut self, db: &Pretender, world: &mut World) -> Result<(), ApiError> {
        if self.streams.is_empty() || !self.makes(Mistake::OneStreamForEver) {
            self.streams = self.trying(|| streams_of(db, &self.table))?;
        }
        for stream in self.streams.clone() {
            self.poll_stream(db, world, &stream)?;
        }
        Ok(())
    }

    fn poll_stream(&mut self, db: &Pretender, world: &mut World, stream: &StreamArn) -> Result<(), ApiError> {
        let mut shards = self.trying(|| shards_of(db, stream))?;
        if self.makes(Mistake::FirstShardsOnly) {
            let known = self.shards.get_or_insert_with(|| shards.iter().map(id_of).collect());
            shards.retain(|shard| known.contains(&shard.shard_id));
        }
        if self.makes(Mistake::AnyOrder) {
            shards.reverse();
        }
        let listed: BTreeSet<ShardId> = shards.iter().map(id_of).collect();
        // Ids are listed in the order of their age, so a parent's turn comes before its child's.
        for shard in &shards {
            let waits = shard.parent_shard_id.as_ref().is_some_and(|parent| {
                listed.contains(parent) && !self.saved.get(parent).is_some_and(|progress| progress.finished)
            });
            if self.makes(Mistake::AnyOrder) || !waits {
                self.poll_shard(db, world, stream, &shard.shard_id)?;
            }
        }
        Ok(())
    }

    fn poll_shard(
        &mut self,
        db: &Pretender,
        world: &mut World,
        stream: &StreamArn,
        shard: &ShardId,
    ) -> Result<(), ApiError> {
        while !self.saved.get(shard).is_some_and(|progress| progress.finished) {
            let page = match self.next_page(db, stream, shard) {
                Ok(page) => page,
                Err(error) => {
                    self.recover(world, shard, error)?;
                    continue;
                }
            };
            for record in &page.records {
                let is_old = self.highest.is_some_and(|highest| record.sequence_number <= highest);
                if !(is_old && self.makes(Mistake::OneOrderForAll)) {
                    self.act(world, record);
                }
                self.highest = self.highest.max(Some(record.sequence_number));
            }
            if self.dies_before_saving {
                return Ok(());
            }
            let progress = self.saved.entry(shard.clone()).or_default();
            progress.last = page.records.last().map(|record| record.sequence_number).or(progress.last);
            progress.finished = page.next_shard_iterator.is_none();
            if let Some(next) = page.next_shard_iterator {
                self.iterators.insert(shard.clone(), next);
            }
            if page.records.is_empty() {
                if self.makes(Mistake::EmptyPageIsTheEnd) {
                    self.saved.entry(shard.clone()).or_default().finished = true;
                }
                break;
            }
        }
        Ok(())
    }

    fn next_page(
        &mut self,
        db: &Pretender,
        stream: &StreamArn,
        shard: &ShardId,
    ) -> Result<GetRecordsOutput, ApiError> {
        let last = self.saved.get(shard).and_then(|progress| progress.last);
        let first = if self.makes(Mistake::BeginsAtLatest) {
            ShardIteratorType::Latest
        } else {
            ShardIteratorType::TrimHorizon
        };
        let input = GetShardIteratorInput {
            stream_arn: stream.clone(),
            shard_id: shard.clone(),
            shard_iterator_type: last.map_or(first, ShardIteratorType::AfterSequenceNumber),
        };
        let iterator = match self.iterators.get(shard) {
            Some(iterator) => iterator.clone(),
            None => self.trying(|| db.get_shard_iterator(&input))?,
        };
        self.trying(|| db.get_records(&iterator, None))
    }

    /// Makes a call, again if it failed for a reason that may have passed: AWS's own clients do so, with pauses in between.
    fn trying<T>(&self, call: impl Fn() -> Result<T, ApiError>) -> Result<T, ApiError> {
        let attempts = if self.makes(Mistake::NeverTriesAgain) { 1 } else { 10 };
        for _ in 1..attempts {
            match call() {
                Err(error) if may_pass(error.code) => {}
                answered => return answered,
            }
        }
        call()
    }

    /// Does what makes the next call succeed, or gives up.
    fn recover(&mut self, world: &mut World, shard: &ShardId, error: ApiError) -> Result<(), ApiError> {
        match error.code {
            ErrorCode::ExpiredIteratorException if !self.makes(Mistake::KeepsIterators) => {
                self.iterators.remove(shard);
            }
            ErrorCode::TrimmedDataAccessException if !self.makes(Mistake::NothingIsTrimmed) => {
                self.iterators.remove(shard);
                self.saved.remove(shard);
                world.told_of_loss = true;
            }
            _ => return Err(error),
        }
        Ok(())
    }

    fn act(&self, world: &mut World, record: &StreamRecord) {
        let keys = record.keys.json().to_owned();
        match &record.new_image {
            Some(image) => {
                let image = serde_json::from_str(image.json()).expect("an image is JSON");
                world.copy.insert(keys, image);
            }
            None => drop(world.copy.remove(&keys)),
        }
        let letter = record.event_id.to_string();
        if self.makes(Mistake::ActsTwice) || !world.letters.contains(&letter) {
            world.letters.push(letter);
        }
    }
}

/// Whether the same call may succeed a little later.
fn may_pass(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::ThrottlingException
            | ErrorCode::LimitExceededException
            | ErrorCode::InternalServerError
            | ErrorCode::ServiceUnavailable
    )
}

fn id_of(shard: &Shard) -> ShardId {
    shard.shard_id.clone()
}

/// The streams the table has, and had in the last 24 hours, oldest first.
fn streams_of(db: &Pretender, table: &TableName) -> Result<Vec<StreamArn>, ApiError> {
    let mut input = ListStreamsInput { table_name: Some(table.clone()), ..ListStreamsInput::default() };
    let mut streams = Vec::new();
    loop {
        let page = db.list_streams(&input)?;
        streams.extend(page.streams.into_iter().map(|stream| stream.stream_arn));
        input.exclusive_start_stream_arn = page.last_evaluated_stream_arn;
        if input.exclusive_start_stream_arn.is_none() {
            // Their order is nobody's promise; labels are the times they were made.
            streams.sort_by(|a, b| a.label.as_str().cmp(b.label.as_str()));
            return Ok(streams);
        }
    }
}

fn shards_of(db: &Pretender, stream: &StreamArn) -> Result<Vec<Shard>, ApiError> {
    let mut input = DescribeStreamInput::new(stream.clone());
    let mut shards = Vec::new();
    loop {
        let page = db.describe_stream(&input)?;
        shards.extend(page.shards);
        input.exclusive_start_shard_id = page.last_evaluated_shard_id;
        if input.exclusive_start_shard_id.is_none() {
            return Ok(shards);
        }
    }
}
