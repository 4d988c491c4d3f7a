//! Stream records that wait for the end of their transaction.
//!
//! On PostgreSQL a record's number comes from the row of its shard, which then stays locked until the commit, so that the
//! order of numbers is the order of commits. So all transactions that write to a shard pass through it one at a time, and
//! it is locked as late as can be: when everything else is done. Shards are locked in the order of their numbers, so
//! that no two transactions wait for each other.

use std::sync::Arc;

use pdb_model::{EncodedItem, EpochMillis, EventName, StreamLabel};

use crate::{
    driver::Driver,
    error::{During, StoreError},
    params::Param,
    postgres::texts,
    rows::{
        columns::RecordColumns,
        records::{AppendedRecord, NewRecord},
        table::StreamId,
    },
    sequence::{MAX_COUNTER, range_of, signed},
    sql::texts::RecordTable,
};

/// A record without its number.
#[derive(Debug)]
pub(crate) struct QueuedRecord {
    table: Arc<RecordTable>,
    stream: StreamId,
    shard: u64,
    event_salt: u64,
    event_name: EventName,
    keys: EncodedItem,
    old_image: Option<EncodedItem>,
    new_image: Option<EncodedItem>,
    created: EpochMillis,
    hash_key_value: String,
    sort_key_value: Option<String>,
    user_identity: Option<String>,
    size_bytes: u64,
    /// That of the record without its number, which SQL adds.
    checksum: i64,
    /// Which write of its request it belongs to.
    position: usize,
}

impl QueuedRecord {
    pub(crate) fn new(
        AppendedRecord { stream, shard, record, user_identity, size_bytes }: AppendedRecord<'_>,
        position: usize,
    ) -> Self {
        let checksum = record.checksum(size_bytes, user_identity.as_deref()).stored(stream.records.salt);
        Self {
            table: stream.records.clone(),
            stream: stream.id,
            shard: shard.number,
            event_salt: stream.event_salt,
            event_name: record.event_name,
            keys: record.keys.clone(),
            old_image: record.old_image.cloned(),
            new_image: record.new_image.cloned(),
            created: record.created,
            hash_key_value: record.hash_key_value.to_owned(),
            sort_key_value: record.sort_key_value.map(str::to_owned),
            user_identity,
            size_bytes,
            checksum,
            position,
        }
    }

    /// The order in which all transactions lock shards. Within a shard the records of a request keep its order; those of one write
    /// keep theirs, as long as the sort is stable.
    pub(crate) fn order(&self) -> (StreamId, u64, usize) {
        (self.stream, self.shard, self.position)
    }

    /// Appends the record, which locks its shard. Fails with [`StoreError::Conflict`] if the shard was closed meanwhile.
    pub(crate) fn append(&self, driver: Driver<'_>) -> Result<(), StoreError> {
        let record = NewRecord {
            event_name: self.event_name,
            keys: &self.keys,
            old_image: self.old_image.as_ref(),
            new_image: self.new_image.as_ref(),
            created: self.created,
            user_identity: None,
            hash_key_value: &self.hash_key_value,
            sort_key_value: self.sort_key_value.as_deref(),
        };
        let (event_id, day) = (format!("{:016x}", self.event_salt), StreamLabel::at(self.created));
        let columns = RecordColumns {
            sequence_number: range_of(self.shard).0,
            event_id: &event_id,
            checksum: self.checksum,
            ..record.columns(self.shard, &day, self.user_identity.as_deref(), self.size_bytes)
        };
        let mut params = [Param::Null; texts::LIMIT_PLACE];
        params[..RecordColumns::COLUMNS.len()].copy_from_slice(&columns.params());
        params[texts::STREAM_PLACE - 1] = Param::Integer(self.stream.0);
        params[texts::LIMIT_PLACE - 1] = Param::Integer(signed(MAX_COUNTER));
        if driver.execute(&self.table.append, &params).during("append a stream record")? != 1 {
            return Err(driver.stale());
        }
        Ok(())
    }
}
