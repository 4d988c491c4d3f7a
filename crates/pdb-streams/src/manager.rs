//! The state and the helpers that all operations on streams share.

use crate::limits::Limits;
use crate::position::ShardNumbers;
use crate::readers::{ReaderKind, Readers};
use crate::{StreamOptions, StreamsError};
use pdb_model::{Env, EpochMillis, IteratorKey, IteratorPosition, ShardId, StreamArn};
use pdb_store::{ReadTx, ShardRow, Store, StoreError, StreamRow};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

/// Reads streams: the four operations of DynamoDB Streams. Cheap to clone.
///
/// No operation shows records older than the retention, even before they have been trimmed.
#[derive(Clone, Debug)]
pub struct StreamManager {
    pub(crate) store: Store,
    pub(crate) env: Env,
    pub(crate) options: StreamOptions,
    pub(crate) key: IteratorKey,
    pub(crate) limits: Option<Arc<Limits>>,
    pub(crate) readers: Arc<Readers>,
    /// What readers through this handle are noted as; unnoted without it.
    pub(crate) reader_kind: Option<ReaderKind>,
}

impl StreamManager {
    /// Creates a reader of the streams of a store.
    ///
    /// # Errors
    ///
    /// [`StreamsError::Store`] if the key that signs the iterators of the database cannot be read.
    pub fn new(store: Store, env: Env, options: StreamOptions) -> Result<Self, StreamsError> {
        let key = store.read(|tx| tx.iterator_key())?;
        let limits = options.enforce_limits.then(Arc::default);
        let (readers, reader_kind) = (Arc::default(), Some(ReaderKind::Iterator));
        Ok(Self { store, env, options, key, limits, readers, reader_kind })
    }

    /// Returns the same reader without the limits of AWS, for one that only observes: what it reads is not taken from the rates of the
    /// consumers under test.
    #[must_use]
    pub fn without_limits(&self) -> Self {
        Self { limits: None, ..self.clone() }
    }

    /// Returns the same reader without a retention: it also shows what has outlived the retention and was not trimmed yet, for readers of an
    /// archive, which goes on where the archive ends.
    #[must_use]
    pub fn beyond_retention(&self) -> Self {
        let options = StreamOptions { retention: Duration::MAX, ..self.options.clone() };
        Self { options, ..self.clone() }
    }

    /// Runs `work` on one snapshot of a stream, after rotating the shards that are due in it.
    pub(crate) fn read_stream<T>(
        &self,
        stream_arn: &StreamArn,
        work: impl FnOnce(&mut View<'_, '_>) -> Result<T, StreamsError>,
    ) -> Result<T, StreamsError> {
        let now = self.env.clock.now();
        self.rotate_if_due(stream_arn, now)?;
        self.store.read(|tx| {
            let stream = tx.stream(stream_arn)?.filter(|stream| !self.is_purged(stream, now));
            let stream = stream.ok_or_else(|| StreamsError::StreamNotFound(stream_arn.clone()))?;
            let horizon = now.minus(self.options.retention);
            work(&mut View { tx, stream, now, horizon })
        })
    }

    /// Rotates the shards that are due, as a write does, so that a test that moves the clock need not run a sweep.
    fn rotate_if_due(&self, stream_arn: &StreamArn, now: EpochMillis) -> Result<(), StreamsError> {
        if !self.store.is_rotation_due(&stream_arn.table.name, now) {
            return Ok(());
        }
        let (table_name, ids) = (stream_arn.table.name.clone(), self.env.ids.clone());
        self.store.write(move |tx| match tx.find_table(&table_name) {
            Some(table) => tx.rotate_due_shards(&table, &*ids, now).map(drop),
            None => Ok(()),
        })?;
        Ok(())
    }

    /// Returns whether a stream has been disabled for longer than it is shown.
    pub(crate) fn is_purged(&self, stream: &StreamRow, now: EpochMillis) -> bool {
        stream.disabled.is_some_and(|disabled| disabled.plus(self.options.retention) <= now)
    }
}

/// A stream in a snapshot, at a time.
pub(crate) struct View<'v, 'tx> {
    pub(crate) tx: &'v mut ReadTx<'tx>,
    pub(crate) stream: StreamRow,
    pub(crate) now: EpochMillis,
    /// Records created at this time or before are past the retention.
    pub(crate) horizon: EpochMillis,
}

impl View<'_, '_> {
    /// Returns the visible shards, ordered by id.
    pub(crate) fn shards(&mut self) -> Result<Vec<ShardRow>, StoreError> {
        let mut shown = Vec::new();
        for shard in self.tx.shards(self.stream.id)? {
            if !self.is_dropped(&shard)? {
                shown.push(shard);
            }
        }
        Ok(shown)
    }

    /// Returns a shard if it is visible.
    pub(crate) fn shard(&mut self, shard_id: &ShardId) -> Result<Option<ShardRow>, StoreError> {
        match self.tx.shard(self.stream.id, shard_id)? {
            Some(shard) if !self.is_dropped(&shard)? => Ok(Some(shard)),
            _ => Ok(None),
        }
    }

    /// A shard is gone when it has been closed for the retention and has no records left.
    fn is_dropped(&mut self, shard: &ShardRow) -> Result<bool, StoreError> {
        match shard.closed {
            Some(closed) if closed <= self.horizon => {
                let newest = self.tx.last_counter(&self.stream, shard.number)?;
                Ok(newest.is_none() || newest <= self.newest_too_old(shard)?)
            }
            _ => Ok(false),
        }
    }

    /// Returns the counter of the last record of the shard's prefix that is past the retention. Trimming removes whole
    /// prefixes, so an old record behind a younger one (the clock went back) stays as long as the younger one.
    fn newest_too_old(&mut self, shard: &ShardRow) -> Result<Option<u64>, StoreError> {
        let cut = EpochMillis(self.horizon.0.saturating_add(1));
        self.tx.last_created_before(&self.stream, shard.number, cut, u32::MAX)
    }

    /// Returns the numbers of a shard as of now.
    pub(crate) fn numbers(&mut self, shard: &ShardRow) -> Result<ShardNumbers, StoreError> {
        // A reader may have got further before a restore, or before a power failure that lost the last commits.
        let drawn = shard.least_next.saturating_sub(1);
        let newest = match shard.ending {
            Some(ending) => ending.max(drawn),
            None => self.tx.last_counter(&self.stream, shard.number)?.unwrap_or(0).max(drawn),
        };
        let trimmed = self.newest_too_old(shard)?.unwrap_or(0).max(shard.trimmed);
        let newest = newest.max(shard.starting).max(trimmed);
        Ok(ShardNumbers { starting: shard.sequence_number(shard.starting), newest, trimmed })
    }

    /// Returns the position of the first record that was created at `time` or later. If there is none, that is the end of the shard.
    ///
    /// The position is a number: records that are written after the call are behind it, at any time.
    pub(crate) fn position_at(
        &mut self,
        shard: &ShardRow,
        time: EpochMillis,
    ) -> Result<IteratorPosition, StoreError> {
        // Nothing that old is kept, so it is as if the oldest record had been asked for.
        if time <= self.horizon {
            return Ok(IteratorPosition::TrimHorizon);
        }
        // What is found is younger than the horizon, and so is all behind it, or it stays as long.
        match self.tx.first_created_since(&self.stream, shard, time)? {
            Some(counter) => Ok(IteratorPosition::At(shard.sequence_number(counter))),
            None => Ok(IteratorPosition::After(shard.sequence_number(self.numbers(shard)?.newest))),
        }
    }

    /// Returns the smallest counter a record at or behind the position can have.
    pub(crate) fn first_counter(
        &mut self,
        shard: &ShardRow,
        position: IteratorPosition,
    ) -> Result<u64, StreamsError> {
        let starting = shard.sequence_number(shard.starting);
        let stored = ShardNumbers { starting, newest: u64::MAX, trimmed: shard.trimmed };
        if position != IteratorPosition::TrimHorizon {
            let first = stored.first_counter(position)?;
            // If the record there is within the retention, or does not exist, then no record behind it can have been trimmed.
            if !self.is_too_old_at(shard, first)? {
                return Ok(first);
            }
        }
        let trimmed = self.newest_too_old(shard)?.unwrap_or(0).max(shard.trimmed);
        ShardNumbers { trimmed, ..stored }.first_counter(position)
    }

    /// Tells whether the first record from this counter on has outlived the retention.
    fn is_too_old_at(&mut self, shard: &ShardRow, counter: u64) -> Result<bool, StoreError> {
        let (horizon, mut too_old) = (self.horizon, false);
        self.tx.records(&self.stream, shard.number, counter, &mut |record| {
            too_old = record.created <= horizon;
            ControlFlow::Break(())
        })?;
        Ok(too_old)
    }
}
