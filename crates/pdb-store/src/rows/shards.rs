//! Streams and shards as they are stored.

use std::sync::Arc;

use pdb_model::{
    EpochMillis, EventId, KeySchema, SequenceNumber, ShardId, StreamArn, StreamLabel, StreamStatus,
    StreamViewType, TableName,
};

use crate::{
    checksum::{self, Checksum, ShardColumn},
    rows::table::{OpenShard, OpenStream, StreamId},
    sequence::{self, NextCounter, event_id, event_salt, pack, times::NewestTime},
    sql::texts::RecordTable,
};

/// A stream, enabled or not.
#[derive(Clone, Debug)]
pub struct StreamRow {
    /// Identifies the stream.
    pub id: StreamId,
    /// The table whose changes it records.
    pub table_name: TableName,
    /// Its ARN; ends in its label.
    pub arn: StreamArn,
    /// Which images its records carry.
    pub view_type: StreamViewType,
    /// The key of the table.
    pub key_schema: KeySchema,
    /// When it was enabled.
    pub created: EpochMillis,
    /// When it was disabled, if it was.
    pub disabled: Option<EpochMillis>,
    pub(crate) records: Arc<RecordTable>,
}

/// The checksum of a stream: its ARN, which names the table and ends in the label, its view type, its key schema.
pub(crate) fn stream_sum(texts: &[&str; 3], created: i64, disabled: Option<i64>) -> Checksum {
    let sum = checksum::of_fixed("stream", &texts.map(str::as_bytes)).number(created.unsigned_abs());
    sum.number(disabled.map_or(u64::MAX, i64::unsigned_abs))
}

impl StreamRow {
    /// Returns the label.
    #[must_use]
    pub fn label(&self) -> &StreamLabel {
        &self.arn.label
    }

    /// Returns whether the stream is enabled.
    #[must_use]
    pub fn status(&self) -> StreamStatus {
        if self.disabled.is_none() { StreamStatus::Enabled } else { StreamStatus::Disabled }
    }

    /// Returns the id of the record with this position.
    #[must_use]
    pub fn event_id(&self, sequence_number: SequenceNumber) -> Option<EventId> {
        let key = pack(sequence_number.shard, sequence_number.counter)?;
        Some(event_id(event_salt(&self.arn), key))
    }
}

/// A shard, open or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardRow {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its number among the shards of its table name.
    pub number: u64,
    /// Its id.
    pub id: ShardId,
    /// The shard it continues.
    pub parent: Option<ShardId>,
    /// The first token it owns.
    pub hash_from: u64,
    /// The last token it owns.
    pub hash_to: u64,
    /// The counter its opening took; no record has it.
    pub starting: u64,
    /// The counter of its last record, or `starting` if it has none; only of a closed shard.
    pub ending: Option<u64>,
    /// The highest counter trimmed from it; 0 if none was.
    pub trimmed: u64,
    /// No counter below is drawn any more. Of an open shard a mere bound: one above `starting`, or above all counters of the
    /// past that was abandoned when a copy took the database's place.
    pub least_next: u64,
    /// When it was opened.
    pub opened: EpochMillis,
    /// When it was closed, if it was.
    pub closed: Option<EpochMillis>,
    /// The counters of the records before which the creation times step back, lowest first; they decrease nowhere else. `None` if
    /// nothing is known of the order of the times.
    pub(crate) time_steps: Option<Vec<u64>>,
}

impl ShardRow {
    /// The stored checksum of the shard. The stream is not part of it, because each database numbers its own.
    pub(crate) fn checksum(&self) -> i64 {
        let parent = self.parent.as_ref().map_or("", ShardId::as_str);
        let constant = checksum::of_fixed("shard", &[self.id.as_str().as_bytes(), parent.as_bytes()])
            .number(self.number)
            .number(self.hash_from)
            .number(self.hash_to)
            .number(self.starting)
            .number(self.opened.0.unsigned_abs());
        checksum::of_shard(
            constant,
            [
                (ShardColumn::Ending, self.ending.map(sequence::signed)),
                (ShardColumn::Trimmed, Some(sequence::signed(self.trimmed))),
                (ShardColumn::Closed, self.closed.map(|closed| closed.0)),
            ],
        )
    }

    /// Returns whether the shard takes records.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Returns the sequence number of a counter in this shard.
    #[must_use]
    pub fn sequence_number(&self, counter: u64) -> SequenceNumber {
        SequenceNumber { counter, shard: self.number }
    }
}

pub(crate) fn open_stream(row: &StreamRow, shards: Vec<OpenShard>) -> OpenStream {
    OpenStream {
        id: row.id,
        arn: row.arn.clone(),
        view_type: row.view_type,
        shards,
        records: row.records.clone(),
        event_salt: sequence::event_salt(&row.arn),
    }
}

/// `newest` is the creation time of its last record, or `None` if it has none, or it is not kept in memory.
pub(crate) fn open_shard(row: &ShardRow, next: u64, newest: Option<EpochMillis>) -> OpenShard {
    OpenShard {
        number: row.number,
        id: row.id.clone(),
        hash_from: row.hash_from,
        hash_to: row.hash_to,
        opened: row.opened,
        next: NextCounter::new(next),
        newest: NewestTime::new(newest),
    }
}

/// A shard to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewShard {
    /// Its id, unique in the stream.
    pub id: ShardId,
    /// The shard it continues, closed or about to be closed in the same transaction.
    pub parent: Option<ShardId>,
    /// The first token it owns.
    pub hash_from: u64,
    /// The last token it owns.
    pub hash_to: u64,
    /// When it is opened.
    pub opened: EpochMillis,
}

/// A shard that was closed just now.
#[derive(Clone, Debug)]
pub struct ClosedShard {
    /// As it was.
    pub shard: OpenShard,
    /// A counter above all that it has used.
    pub next: u64,
}
