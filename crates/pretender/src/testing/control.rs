//! Commands of the test instrument: background work, shards, trimming, time.
//!
//! Tests move the [`ManualClock`] with which the database was opened: by itself, or here together with the work that is then due.

use std::time::Duration;

use pdb_cleanup::{CleanupError, SweepReport, TrimReport};
use pdb_model::{EpochMillis, ManualClock, SequenceNumber, ShardId, StreamArn, TableName};
use pdb_store::{CompactReport, ShardRow, StoreError};

use crate::Pretender;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A table, stream or shard that the command names does not exist. The text names it.
    #[error("{0}")]
    NotFound(String),
    /// The command does not apply to the state of the database. The text says why.
    #[error("{0}")]
    NotPossible(String),
    /// The store failed.
    #[error("the command failed in the store")]
    Store(#[source] StoreError),
    /// Expired items could not be removed.
    #[error("expired items could not be removed")]
    Cleanup(#[source] Box<CleanupError>),
}

impl From<CleanupError> for ControlError {
    fn from(error: CleanupError) -> Self {
        match error {
            CleanupError::StreamNotFound(_) => Self::NotFound(error.to_string()),
            CleanupError::StreamNotEnabled(_) | CleanupError::ShardNotOpen(_) => {
                Self::NotPossible(error.to_string())
            }
            CleanupError::Store(store) => Self::Store(store),
            CleanupError::Capture(_) => Self::Cleanup(Box::new(error)),
        }
    }
}

/// A shard, as the control API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardSummary {
    /// The id.
    pub shard_id: ShardId,
    /// The parent, absent for the first shards of a stream.
    pub parent_shard_id: Option<ShardId>,
    /// The first sequence number.
    pub starting: SequenceNumber,
    /// The last sequence number; absent while the shard is open.
    pub ending: Option<SequenceNumber>,
    /// When it was opened.
    pub opened: EpochMillis,
    /// When it was closed; absent while it is open.
    pub closed: Option<EpochMillis>,
    /// The range of hashes of partition keys that it owns, both ends included.
    pub hash_range: (u64, u64),
}

impl From<ShardRow> for ShardSummary {
    fn from(row: ShardRow) -> Self {
        Self {
            starting: row.sequence_number(row.starting),
            ending: row.ending.map(|counter| row.sequence_number(counter)),
            hash_range: (row.hash_from, row.hash_to),
            shard_id: row.id,
            parent_shard_id: row.parent,
            opened: row.opened,
            closed: row.closed,
        }
    }
}

impl Pretender {
    /// Moves the clock forward and does all background work that is then due. What takes hours on AWS takes one call.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotPossible`] unless the database was opened with a [`ManualClock`]; otherwise as
    /// [`Pretender::run_due_work`], and the clock has moved.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{sync::Arc, time::Duration};
    /// use pretender::Pretender;
    /// use pretender::time::ManualClock;
    ///
    /// let db = Pretender::builder().clock(Arc::new(ManualClock::running())).open()?;
    /// // Every iterator issued so far has expired.
    /// db.advance(Duration::from_secs(16 * 60))?;
    /// // Every record written so far is trimmed.
    /// db.advance(Duration::from_secs(24 * 3600))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn advance(&self, duration: Duration) -> Result<SweepReport, ControlError> {
        self.manual_clock()?.advance(duration);
        self.run_due_work()
    }

    /// Moves the clock to a time, and does all background work that is then due.
    ///
    /// The time may lie in the past. Sequence numbers still increase, so the order of records stays that of the writes. Records, iterators
    /// and shards that are then in the future begin to age when the clock has reached them again.
    ///
    /// # Errors
    ///
    /// As [`Pretender::advance`].
    pub fn set_time(&self, now: EpochMillis) -> Result<SweepReport, ControlError> {
        self.manual_clock()?.set(now);
        self.run_due_work()
    }

    /// Returns the clock, for instance to stop it or to change its speed.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotPossible`] unless the database was opened with a [`ManualClock`].
    pub fn manual_clock(&self) -> Result<&ManualClock, ControlError> {
        self.inner.env.clock.as_manual().ok_or_else(|| {
            ControlError::NotPossible("the database was not opened with a `ManualClock`".to_owned())
        })
    }

    /// Does all background work that is due now: rotates shards, deletes expired items, trims records, and removes old shards and
    /// streams. It never runs at the same time as the background threads.
    ///
    /// # Errors
    ///
    /// [`ControlError::Store`], [`ControlError::Cleanup`]. What was done until then stays done.
    pub fn run_due_work(&self) -> Result<SweepReport, ControlError> {
        let inner = &*self.inner;
        Ok(pdb_cleanup::sweep(&inner.store, &inner.env, &inner.cleanup, &inner.throttle)?)
    }

    /// Lists the shards of a stream, ordered by id.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] if there is no such stream, [`ControlError::Store`].
    pub fn shards(&self, stream_arn: &StreamArn) -> Result<Vec<ShardSummary>, ControlError> {
        let found = self.inner.store.read(|tx| match tx.stream(stream_arn)? {
            Some(stream) => tx.shards(stream.id).map(Some),
            None => Ok(None),
        });
        let rows = found.map_err(ControlError::Store)?;
        let rows = rows.ok_or_else(|| CleanupError::StreamNotFound(stream_arn.clone()))?;
        Ok(rows.into_iter().map(ShardSummary::from).collect())
    }

    /// Returns the latest stream of a table, even if it is disabled.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] if there is no such table, [`ControlError::NotPossible`] if it has no stream,
    /// [`ControlError::Store`].
    pub fn latest_stream(&self, table_name: &TableName) -> Result<StreamArn, ControlError> {
        let found = self
            .inner
            .store
            .read(|tx| Ok((tx.streams(Some(table_name))?, tx.find_table(table_name).is_some())));
        let (streams, is_table) = found.map_err(ControlError::Store)?;
        let latest = streams.into_iter().map(|stream| stream.arn).max_by(|a, b| a.label.cmp(&b.label));
        latest.ok_or_else(|| {
            if is_table {
                ControlError::NotPossible(format!("table `{table_name}` has no stream"))
            } else {
                ControlError::NotFound(format!("there is no table `{table_name}`"))
            }
        })
    }

    /// Returns all streams, including disabled ones and those of deleted tables, ordered by ARN.
    ///
    /// # Errors
    ///
    /// [`ControlError::Store`].
    pub fn all_streams(&self) -> Result<Vec<StreamArn>, ControlError> {
        let found = self.inner.store.read(|tx| tx.streams(None)).map_err(ControlError::Store)?;
        let mut arns: Vec<StreamArn> = found.into_iter().map(|stream| stream.arn).collect();
        arns.sort();
        Ok(arns)
    }

    /// Closes a shard, or all open shards of the stream, and opens one child for each; returns the children.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] if there is no such stream, [`ControlError::NotPossible`] if the stream is not enabled or the shard
    /// is not open, [`ControlError::Store`].
    pub fn rotate_shards(
        &self,
        stream_arn: &StreamArn,
        shard_id: Option<&ShardId>,
    ) -> Result<Vec<ShardSummary>, ControlError> {
        let rows =
            pdb_cleanup::rotate_shards_of_stream(&self.inner.store, &self.inner.env, stream_arn, shard_id)?;
        Ok(rows.into_iter().map(ShardSummary::from).collect())
    }

    /// Closes a shard, or all open shards of the stream, and opens two children for each, which own half of its keys; returns the
    /// children.
    ///
    /// # Examples
    ///
    /// ```
    /// use pretender::prelude::*;
    ///
    /// let db = Pretender::in_memory()?;
    /// let table = db.create_table(CreateTableInput {
    ///     stream_specification: Some(StreamSpecification::enabled(StreamViewType::KeysOnly)),
    ///     ..CreateTableInput::new("Orders".parse()?, ("id", ScalarType::S), None)
    /// })?;
    /// let stream = table.latest_stream_arn.expect("the table has a stream");
    /// assert_eq!(db.split_shards(&stream, None)?.len(), 2);
    /// // The closed parent and its children.
    /// assert_eq!(db.shards(&stream)?.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Pretender::rotate_shards`].
    pub fn split_shards(
        &self,
        stream_arn: &StreamArn,
        shard_id: Option<&ShardId>,
    ) -> Result<Vec<ShardSummary>, ControlError> {
        let rows = pdb_cleanup::split_shard(&self.inner.store, &self.inner.env, stream_arn, shard_id)?;
        Ok(rows.into_iter().map(ShardSummary::from).collect())
    }

    /// Gives the space of deleted data back to the file system, or to memory, by rewriting the database without its free pages. Writes wait
    /// until it is done, about one second for 200 MB of data; reads go on. A file needs the same space again during this time.
    ///
    /// A file that is mostly free, with little data left in it, is compacted automatically after a second without writes.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotPossible`] on a PostgreSQL server, where autovacuum does this; [`ControlError::Store`]. Nothing is changed
    /// then.
    ///
    /// # Examples
    ///
    /// ```
    /// let db = pretender::Pretender::in_memory()?;
    /// let report = db.compact()?;
    /// assert!(report.bytes_after <= report.bytes_before);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compact(&self) -> Result<CompactReport, ControlError> {
        self.inner.store.compact().map_err(|error| match error {
            StoreError::Unsupported(_) => ControlError::NotPossible(error.to_string()),
            other => ControlError::Store(other),
        })
    }

    /// Removes the records of a stream before a sequence number, or all records, regardless of their age.
    ///
    /// # Errors
    ///
    /// [`ControlError::NotFound`] if there is no such stream, [`ControlError::Store`].
    pub fn trim(
        &self,
        stream_arn: &StreamArn,
        before: Option<SequenceNumber>,
    ) -> Result<TrimReport, ControlError> {
        Ok(pdb_cleanup::trim_stream(&self.inner.store, stream_arn, before, &self.inner.throttle)?)
    }
}
