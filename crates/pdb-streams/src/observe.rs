//! How much is in streams, and how far their readers have come: for those who watch a database.
//!
//! Looking changes nothing: no shard is rotated, and no reader is noted.

use std::time::Duration;

use pdb_model::{
    EpochMillis, IteratorPosition, SequenceNumber, ShardId, StreamArn, StreamStatus, StreamViewType,
};
use pdb_store::{ShardRow, StoreError};

use crate::manager::View;
use crate::readers::ReaderKind;
use crate::{StreamManager, StreamsError};

/// Records up to this number are counted, one by one: sequence numbers may be left out, so their difference says nothing.
const MAX_COUNTED: u32 = 10_000;

/// Some records of a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many records; 10,000 stands for so many or more.
    pub records: u64,
    /// When the oldest of them was created.
    pub oldest: Option<EpochMillis>,
}

/// A stream with its shards, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamReport {
    /// The stream.
    pub stream_arn: StreamArn,
    /// Which images its records have.
    pub view_type: StreamViewType,
    /// Whether it is enabled.
    pub status: StreamStatus,
    /// When it was enabled.
    pub created: EpochMillis,
    /// Its shards, ordered by id.
    pub shards: Vec<ShardReport>,
}

/// A shard, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardReport {
    /// The shard.
    pub shard_id: ShardId,
    /// The shard that it continues.
    pub parent_shard_id: Option<ShardId>,
    /// When it was opened.
    pub opened: EpochMillis,
    /// When it was closed; absent while it is open.
    pub closed: Option<EpochMillis>,
    /// The last record that was trimmed, if any was.
    pub trimmed: Option<SequenceNumber>,
    /// The records that can be read.
    pub backlog: Backlog,
}

/// A reader of a shard, and how far it is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderReport {
    /// Who reads.
    pub kind: ReaderKind,
    /// The number of its chain of iterators, unique in a shard.
    pub reader: u32,
    /// The stream.
    pub stream_arn: StreamArn,
    /// The shard.
    pub shard_id: ShardId,
    /// The record behind which it continues; absent at the beginning of the shard.
    pub position: Option<SequenceNumber>,
    /// When it read last.
    pub last_read: EpochMillis,
    /// The records that it has not read yet.
    pub backlog: Backlog,
    /// The age of the oldest of them; zero if there is none.
    pub iterator_age: Duration,
}

impl StreamManager {
    /// Returns the same streams, whose readers are noted as of this kind; `None` leaves them unnoted, for code that only looks, and what
    /// they get does not count as delivered.
    #[must_use]
    pub fn observed_as(&self, kind: Option<ReaderKind>) -> Self {
        Self { reader_kind: kind, ..self.clone() }
    }

    /// Returns all streams with their shards, ordered by ARN.
    ///
    /// # Errors
    ///
    /// [`StreamsError::Store`].
    pub fn stream_reports(&self) -> Result<Vec<StreamReport>, StreamsError> {
        let now = self.env.clock.now();
        let streams = self.store.read(|tx| tx.streams(None))?;
        let mut arns: Vec<StreamArn> = streams.into_iter().map(|stream| stream.arn).collect();
        arns.sort();
        // A snapshot for each stream: a long one would keep the log from being emptied.
        let mut reports = Vec::with_capacity(arns.len());
        for arn in arns {
            match self.look(&arn, now, |view| view.report()) {
                Ok(report) => reports.push(report),
                Err(StreamsError::StreamNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(reports)
    }

    /// Returns a stream with its shards.
    ///
    /// # Errors
    ///
    /// [`StreamsError::StreamNotFound`], [`StreamsError::Store`].
    pub fn stream_report(&self, stream_arn: &StreamArn) -> Result<StreamReport, StreamsError> {
        self.look(stream_arn, self.env.clock.now(), |view| view.report())
    }

    /// Returns the readers that have read in the last 15 minutes, ordered by stream, shard and number. Their iterators are still alive.
    ///
    /// # Errors
    ///
    /// [`StreamsError::Store`].
    pub fn reader_reports(&self) -> Result<Vec<ReaderReport>, StreamsError> {
        let now = self.env.clock.now();
        let mut reports = Vec::new();
        for known in self.readers.list(now) {
            let backlog = self.look(&known.stream_arn, now, |view| {
                let shard = view.shard(&known.shard_id)?.ok_or(StreamsError::ShardNotFound)?;
                let from = view.first_counter(&shard, known.position)?;
                Ok(view.backlog(&shard, from)?)
            });
            let backlog = match backlog {
                Ok(backlog) => backlog,
                Err(error @ StreamsError::Store(_)) => return Err(error),
                // The stream or the shard is gone, or the next record of the reader is.
                Err(_) => continue,
            };
            reports.push(ReaderReport {
                kind: known.kind,
                reader: known.reader,
                position: match known.position {
                    IteratorPosition::After(number) => Some(number),
                    IteratorPosition::TrimHorizon | IteratorPosition::At(_) => None,
                },
                iterator_age: backlog.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest)),
                stream_arn: known.stream_arn,
                shard_id: known.shard_id,
                last_read: known.last_read,
                backlog,
            });
        }
        Ok(reports)
    }

    /// Runs `work` on one snapshot of a stream.
    fn look<T>(
        &self,
        stream_arn: &StreamArn,
        now: EpochMillis,
        work: impl FnOnce(&mut View<'_, '_>) -> Result<T, StreamsError>,
    ) -> Result<T, StreamsError> {
        self.store.read(|tx| {
            let stream = tx.stream(stream_arn)?.filter(|stream| !self.is_purged(stream, now));
            let stream = stream.ok_or_else(|| StreamsError::StreamNotFound(stream_arn.clone()))?;
            let horizon = now.minus(self.options.retention);
            work(&mut View { tx, stream, now, horizon })
        })
    }
}

impl View<'_, '_> {
    fn report(&mut self) -> Result<StreamReport, StreamsError> {
        let mut shards = Vec::new();
        for shard in self.shards()? {
            let from = self.first_counter(&shard, IteratorPosition::TrimHorizon)?;
            let backlog = self.backlog(&shard, from)?;
            shards.push(ShardReport {
                trimmed: (shard.trimmed > shard.starting).then(|| shard.sequence_number(shard.trimmed)),
                shard_id: shard.id,
                parent_shard_id: shard.parent,
                opened: shard.opened,
                closed: shard.closed,
                backlog,
            });
        }
        Ok(StreamReport {
            stream_arn: self.stream.arn.clone(),
            view_type: self.stream.view_type,
            status: self.stream.status(),
            created: self.stream.created,
            shards,
        })
    }

    /// Returns the records of a shard from a counter on.
    fn backlog(&mut self, shard: &ShardRow, from: u64) -> Result<Backlog, StoreError> {
        let (records, oldest) = self.tx.count_records(&self.stream, shard.number, from, MAX_COUNTED)?;
        Ok(Backlog { records, oldest })
    }
}
