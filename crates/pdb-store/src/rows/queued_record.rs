//! Stream records that wait for the end of their transaction.
//!
//! On PostgreSQL a record's number comes from the row of its shard, which then stays locked until the commit, so that the
//! order of numbers is the order of commits. So all transactions that write to a shard pass through it one at a time, and
//! it is locked as late as can be: when everything else is done. Shards are locked in the order of their numbers, so
//! that no two transactions wait for each other.

use std::sync::Arc;

use pdb_model::{EncodedItem, EpochMillis, EventName};

use crate::{
    rows::{records::NewRecord, table::StreamId},
    sql::texts::RecordTable,
};

/// A record without its number.
#[derive(Debug)]
pub(crate) struct QueuedRecord {
    pub(crate) table: Arc<RecordTable>,
    pub(crate) stream: StreamId,
    pub(crate) shard: u64,
    pub(crate) event_salt: u64,
    pub(crate) event_name: EventName,
    pub(crate) keys: EncodedItem,
    pub(crate) old_image: Option<EncodedItem>,
    pub(crate) new_image: Option<EncodedItem>,
    pub(crate) created: EpochMillis,
    pub(crate) hash_key_value: String,
    pub(crate) sort_key_value: Option<String>,
    pub(crate) user_identity: Option<String>,
    pub(crate) size_bytes: u64,
    /// What it is worth without its number, which SQL adds.
    pub(crate) checksum: i64,
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
