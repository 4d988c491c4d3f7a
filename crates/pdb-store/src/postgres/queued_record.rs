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
    /// Which write of its request it belongs to.
    position: usize,
}

impl QueuedRecord {
    pub(crate) fn new(
        AppendedRecord { stream, shard, record, user_identity, size_bytes }: AppendedRecord<'_>,
        position: usize,
    ) -> Self {
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
            position,
        }
    }

    /// The order in which all transactions lock shards. Within a shard the records of a request keep its order; those of one write
    /// keep theirs, as long as the sort is stable.
    pub(crate) fn order(&self) -> (StreamId, u64, usize) {
        (self.stream, self.shard, self.position)
    }

    /// Appends records in this order, each of which locks its shard.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if a shard was closed meanwhile.
    pub(crate) fn append_all(records: &[Self], driver: Driver<'_>) -> Result<(), StoreError> {
        // Records of one transaction were made at one time: those behind the first need not be told which time they have to take.
        let mut before: Option<(StreamId, u64, EpochMillis)> = None;
        for record in records {
            let shard = (record.stream, record.shard);
            let same = before.filter(|(stream, number, _)| (*stream, *number) == shard);
            let created = record.append(driver, same.map_or(record.created, |(_, _, newest)| newest))?;
            before = Some((shard.0, shard.1, created));
        }
        Ok(())
    }

    /// Appends the record; returns its creation time. That is the time of the newest record of the shard if it would be older by
    /// mere jitter.
    fn append(&self, driver: Driver<'_>, created: EpochMillis) -> Result<EpochMillis, StoreError> {
        let during = "append a stream record";
        let place = [Param::Integer(self.stream.0), Param::Integer(signed(MAX_COUNTER))];
        let first = range_of(self.shard).0;
        let drawn = self.with_columns(first, created, |columns| {
            let mut params = [Param::Null; texts::LIMIT_PLACE];
            params[..columns.len()].copy_from_slice(columns);
            params[texts::STREAM_PLACE - 1..].copy_from_slice(&place);
            driver.first(during, &self.table.append, &params, |row| Ok((row.integer(0)?, row.integer(1)?)))
        })?;
        let Some((number, newest)) = drawn else { return Err(driver.stale()) };
        let newest = EpochMillis(newest);
        if newest != created {
            let sql = texts::insert_drawn(&self.table.name);
            self.with_columns(number, newest, |columns| driver.execute(&sql, columns).during(during))?;
        }
        Ok(newest)
    }

    /// Calls `run` with the columns of the record, where it has this creation time and `number` in the place of its number. SQL
    /// completes those that depend on the number.
    fn with_columns<T>(
        &self,
        number: i64,
        created: EpochMillis,
        run: impl FnOnce(&[Param<'_>]) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let record = NewRecord {
            event_name: self.event_name,
            keys: &self.keys,
            old_image: self.old_image.as_ref(),
            new_image: self.new_image.as_ref(),
            created,
            user_identity: None,
            hash_key_value: &self.hash_key_value,
            sort_key_value: self.sort_key_value.as_deref(),
        };
        let user_identity = self.user_identity.as_deref();
        let (event_id, day) = (format!("{:016x}", self.event_salt), StreamLabel::at(created));
        let columns = RecordColumns {
            sequence_number: number,
            event_id: &event_id,
            checksum: record.checksum(self.size_bytes, user_identity).stored(self.table.salt),
            ..record.columns(self.shard, &day, user_identity, self.size_bytes)
        };
        run(&columns.params())
    }
}
