//! Stream records that wait for the end of their transaction.
//!
//! On PostgreSQL a record's number comes from the row of its shard, which then stays locked until the commit, so that the
//! order of numbers is the order of commits. So all transactions that write to a shard pass through it one at a time, and
//! it is locked as late as can be: when everything else is done. Shards are locked in the order of their numbers, so
//! that no two transactions wait for each other.

use std::sync::Arc;

use pdb_model::{EncodedItem, EpochMillis, EventName, StreamLabel};

use crate::{
    driver::Param,
    error::{During, StoreError},
    records::{COUNTER_BITS, MAX_COUNTER, NewRecord, signed},
    table::{RecordTable, StreamId},
    tx::ReadTx,
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
    /// What it is worth without its number, which SQL adds.
    checksum: i64,
    /// Which write of its request it belongs to.
    pub(crate) position: usize,
}

impl QueuedRecord {
    pub(crate) fn new(
        table: Arc<RecordTable>,
        stream: StreamId,
        shard: u64,
        event_salt: u64,
        record: &NewRecord<'_>,
        user_identity: Option<String>,
        size_bytes: u64,
    ) -> Self {
        let checksum = record.checksum(size_bytes, user_identity.as_deref()).stored(table.salt);
        Self {
            table,
            stream,
            shard,
            event_salt,
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
            position: 0,
        }
    }
}

impl ReadTx<'_> {
    /// Writes the records that wait.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if a shard was closed meanwhile: the transaction must be run again.
    pub(crate) fn write_records(&mut self) -> Result<(), StoreError> {
        if self.records.is_empty() {
            return Ok(());
        }
        let mut records = std::mem::take(&mut self.records);
        // Stable: the records of one write stay in their order.
        records.sort_by_key(|record| (record.stream, record.shard, record.position));
        for record in &records {
            let day = StreamLabel::at(record.created);
            let params = [
                Param::Integer(signed(record.shard) << COUNTER_BITS),
                Param::Integer(signed(record.shard)),
                Param::Text(&format!("{:016x}", record.event_salt)),
                Param::Text(record.event_name.as_str()),
                Param::Integer(record.created.seconds()),
                Param::Text(&record.hash_key_value),
                Param::optional_text(record.sort_key_value.as_deref()),
                Param::Text(record.keys.json()),
                Param::optional_text(record.old_image.as_ref().map(EncodedItem::json)),
                Param::optional_text(record.new_image.as_ref().map(EncodedItem::json)),
                Param::Integer(record.created.0),
                Param::Integer(signed(record.keys.size_bytes())),
                Param::Integer(signed(record.old_image.as_ref().map_or(0, EncodedItem::size_bytes))),
                Param::Integer(signed(record.size_bytes)),
                Param::Integer(record.stream.0),
                Param::Integer(signed(MAX_COUNTER)),
                Param::optional_text(record.user_identity.as_deref()),
                Param::Text(day.as_str().get(..10).unwrap_or_default()),
                Param::Integer(record.checksum),
            ];
            if self.driver.execute(&record.table.append, &params).during("append a stream record")? != 1 {
                return Err(self.driver.stale());
            }
        }
        Ok(())
    }
}
