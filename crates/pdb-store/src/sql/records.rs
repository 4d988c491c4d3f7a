//! Stream records: `pdb_stream_<t>`.
//!
//! The primary key packs the shard's number above a counter, so the records of a shard are one range of it, in the order
//! of their commits, and appending and reading in order cost the least SQLite can do. [`crate::sequence`] draws the numbers.

use std::ops::ControlFlow;

use pdb_model::{EpochMillis, record_size_bytes};

use crate::{
    checksum::{Salt, ShardColumn, set_shard_columns},
    driver::{RangeStep, Row},
    error::StoreError,
    params::Param,
    read_tx::ReadTx,
    rows::{
        records::{AppendedRecord, NewRecord, RecordRef},
        shards::{ShardRow, StreamRow},
        table::Table,
    },
    sequence::{
        MAX_COUNTER, MAX_SHARD,
        drawn::{last_counter, last_record},
        event_id, event_salt, pack, range_of, signed, unpack,
    },
    traffic::TableTraffic,
    tx::Tx,
};

impl ReadTx<'_> {
    /// Hands the records of a shard whose counter is `from` or higher to `each`, in order, until that breaks off.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`]. All methods here return the same errors.
    pub fn records(
        &mut self,
        stream: &StreamRow,
        shard: u64,
        from: u64,
        each: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (_, last) = range_of(shard);
        let (Some(first), true) = (pack(shard, from), shard <= MAX_SHARD) else { return Ok(()) };
        let (sql, range) = (stream.records.read.as_str(), (first, last));
        let (salt, event_salt) = (stream.records.salt, event_salt(&stream.arn));
        let read = self.driver.read_records("read stream records", sql, range, |row| {
            let record = read_record(row, salt, event_salt)?;
            let bytes = usize::try_from(record.size_bytes).unwrap_or(usize::MAX);
            Ok(RangeStep { flow: each(record), bytes })
        });
        read.map_err(|error| error.of_table(&stream.table_name))
    }

    /// Returns the counter of the last record of a shard, if it has one.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records).
    pub fn last_counter(&mut self, stream: &StreamRow, shard: u64) -> Result<Option<u64>, StoreError> {
        last_counter(self.driver, &stream.records, shard)
    }

    /// Returns the counter of the last of the leading records of a shard, at most `limit`, that were all created before
    /// `cut`: what may be trimmed. Returns `None` if the first is younger, or the shard is empty.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records).
    pub fn last_created_before(
        &mut self,
        stream: &StreamRow,
        shard: u64,
        cut: EpochMillis,
        limit: u32,
    ) -> Result<Option<u64>, StoreError> {
        let (first, last) = range_of(shard);
        let params = [Param::Integer(first), Param::Integer(last), Param::Integer(limit.into())];
        let mut through = None;
        self.driver.query("look for old stream records", &stream.records.created, &params, |row| {
            if row.integer(1)? >= cut.0 {
                return Ok(ControlFlow::Break(()));
            }
            through = Some(unpack(row.integer(0)?)?.counter);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(through)
    }

    /// Counts the records of a shard whose counter is `from` or higher, up to `limit`, and returns the creation time of the first, too.
    /// Reads no images.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records).
    pub fn count_records(
        &mut self,
        stream: &StreamRow,
        shard: u64,
        from: u64,
        limit: u32,
    ) -> Result<(u64, Option<EpochMillis>), StoreError> {
        let (mut count, mut created) = (0, None);
        self.record_times(stream, shard, from, limit, &mut |_, at| {
            created.get_or_insert(at);
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok((count, created))
    }

    /// Hands the counters and creation times of the records of a shard whose counter is `from` or higher to `each`, in order, until that
    /// breaks off; of `limit` records at most. Reads no images.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records).
    pub fn record_times(
        &mut self,
        stream: &StreamRow,
        shard: u64,
        from: u64,
        limit: u32,
        each: &mut dyn FnMut(u64, EpochMillis) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (_, last) = range_of(shard);
        let (Some(first), true) = (pack(shard, from), shard <= MAX_SHARD) else { return Ok(()) };
        let params = [Param::Integer(first), Param::Integer(last), Param::Integer(limit.into())];
        self.driver.query("look at the times of stream records", &stream.records.created, &params, |row| {
            Ok(each(unpack(row.integer(0)?)?.counter, EpochMillis(row.integer(1)?)))
        })
    }

    /// Returns the counter of the first record of a shard, in the order of its numbers, that was created at `time` or later; `None`
    /// if there is none. A binary search, unless nothing is known of the order of the shard's times: then record by record.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records).
    pub fn first_created_since(
        &mut self,
        stream: &StreamRow,
        shard: &ShardRow,
        time: EpochMillis,
    ) -> Result<Option<u64>, StoreError> {
        // A trimmed record may be there for as long as another process removes it.
        let from = shard.trimmed.saturating_add(1);
        let Some(steps) = &shard.time_steps else {
            let (Some(first), (_, last)) = (pack(shard.number, from), range_of(shard.number)) else {
                return Ok(None);
            };
            let params = [Param::Integer(first), Param::Integer(last), Param::Integer(time.0)];
            let found = self.driver.first("look for a time", &stream.records.since, &params, |row| {
                Ok(unpack(row.integer(0)?)?.counter)
            });
            return found;
        };
        let ends = steps.iter().map(|step| step.saturating_sub(1)).chain([MAX_COUNTER]);
        let mut begin = from;
        for end in ends.filter(|end| *end >= from) {
            if let Some(found) = self.first_in_order(stream, shard.number, (begin, end), time)? {
                return Ok(Some(found));
            }
            begin = end.saturating_add(1);
        }
        Ok(None)
    }

    /// As [`first_created_since`](Self::first_created_since), of the records with the counters `begin` to `end`, whose times do not decrease.
    fn first_in_order(
        &mut self,
        stream: &StreamRow,
        shard: u64,
        (begin, end): (u64, u64),
        time: EpochMillis,
    ) -> Result<Option<u64>, StoreError> {
        let (Some(first), Some(last)) = (pack(shard, begin), pack(shard, end)) else { return Ok(None) };
        let newest = last_record(self.driver, &stream.records, (first, last))?;
        let Some((mut found, _)) = newest.filter(|(_, created)| *created >= time) else { return Ok(None) };
        // Records below `from` are older, and there is none from `to` up to `found`, which is not older.
        let (mut from, mut to) = (begin, found);
        while from < to {
            let middle = from + (to - from) / 2;
            let (Some(first), Some(last)) = (pack(shard, middle), pack(shard, found)) else { break };
            let params = [Param::Integer(first), Param::Integer(last), Param::Integer(1)];
            let next = self.driver.first("look for a time", &stream.records.created, &params, |row| {
                Ok((unpack(row.integer(0)?)?.counter, EpochMillis(row.integer(1)?)))
            })?;
            match next {
                Some((counter, created)) if created < time => from = counter + 1,
                Some((counter, _)) => (found, to) = (counter, middle),
                None => {
                    return Err(StoreError::corrupt("stream record", "it is gone while it is looked for"));
                }
            }
        }
        Ok(Some(found))
    }
}

impl Tx<'_> {
    /// Appends a record to the open shard that owns `token`, the [`shard_token`](pdb_model::PrimaryKey::shard_token) of the
    /// changed item's key; it is not asked for if one shard has all.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamNotFound`] if the table has no enabled stream, [`StoreError::ShardNotFound`] if no open shard
    /// owns the token, [`StoreError::Exhausted`], and as [`get_item`](ReadTx::get_item).
    pub fn append_record(
        &mut self,
        table: &Table,
        token: impl FnOnce() -> u64,
        record: &NewRecord<'_>,
    ) -> Result<(), StoreError> {
        let table = self.catalog.current(table)?.clone();
        let Some(stream) = &table.stream else {
            return Err(StoreError::StreamNotFound(format!("of table {}", table.name())));
        };
        let shard = match stream.shards.as_slice() {
            [only] if only.owns_all() => only,
            _ => {
                let token = token();
                stream.shard_of(token).ok_or_else(|| {
                    StoreError::ShardNotFound(format!("for token {token:016x} of {}", stream.arn))
                })?
            }
        };
        let user_identity = record.user_identity.map(|identity| {
            serde_json::to_string(&(&identity.principal_id, &identity.identity_type))
                .map_err(|e| StoreError::corrupt("user identity", e))
        });
        let user_identity = user_identity.transpose()?;
        let size_bytes = record_size_bytes(record.keys, record.old_image, record.new_image);
        self.note_table(&table);
        let traffic =
            TableTraffic { captured_records: 1, captured_bytes: size_bytes, ..TableTraffic::default() };
        self.deltas.add_traffic(&table.traffic, traffic);
        let record = AppendedRecord { stream, shard, record, user_identity, size_bytes };
        self.engine.append_record(&mut self.read, record)
    }

    /// Removes up to `limit` of the oldest records of a shard, none behind the counter `through`; returns how many. What
    /// is gone is always a prefix of the shard. Returns 0 if another transaction holds the stream, unless this one has called
    /// [`lock_stream`](Self::lock_stream).
    ///
    /// # Errors
    ///
    /// As [`records`](ReadTx::records).
    pub fn trim_records(
        &mut self,
        stream: &StreamRow,
        shard: u64,
        through: u64,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.engine.flush_records(&mut self.read)?;
        // A sweep that finds the stream held leaves the work to the process that holds it.
        if !self.engine.try_lock_stream(&mut self.read, stream.id)? {
            return Ok(0);
        }
        let (first, end) = range_of(shard);
        let to = pack(shard, through).unwrap_or(end);
        let params = [Param::Integer(first), Param::Integer(to), Param::Integer(limit.into())];
        let mut last = None;
        self.driver.query("look for old stream records", &stream.records.created, &params, |row| {
            last = Some(row.integer(0)?);
            Ok(ControlFlow::Continue(()))
        })?;
        let Some(last) = last else { return Ok(0) };
        let params = [Param::Integer(first), Param::Integer(last)];
        let gone = self.change("trim stream records", &stream.records.trim, &params)?;
        self.change(
            "note how far a shard is trimmed",
            &format!("UPDATE pdb_shard SET {} WHERE stream_id = ?1 AND number = ?2", set_trimmed()),
            &[
                Param::Integer(stream.id.0),
                Param::Integer(signed(shard)),
                Param::Integer(signed(unpack(last)?.counter)),
            ],
        )?;
        let trimmed_records = gone as u64;
        let traffic = TableTraffic { trimmed_records, ..TableTraffic::default() };
        self.count_traffic_of(&stream.table_name, traffic);
        Ok(trimmed_records)
    }
}

/// SQL that notes `?3` as the last counter that is trimmed, unless more is.
pub(crate) fn set_trimmed() -> String {
    let more =
        "CASE WHEN trimmed_sequence < CAST(?3 AS BIGINT) THEN CAST(?3 AS BIGINT) ELSE trimmed_sequence END";
    set_shard_columns(&[(ShardColumn::Trimmed, more)])
}

/// Reads and checks a record.
fn read_record<'r>(row: &Row<'r>, salt: Salt, event_salt: u64) -> Result<RecordRef<'r>, StoreError> {
    let bad = |e: pdb_model::ParseError| StoreError::corrupt("stream record", e);
    let number = row.integer(0)?;
    let record = RecordRef {
        sequence_number: unpack(number)?,
        // Not read: it would take a tenth of the time that a page of records does.
        event_id: event_id(event_salt, number),
        event_name: row.text(1)?.parse().map_err(bad)?,
        created: EpochMillis(row.integer(2)?),
        keys: row.text(3)?,
        old_image: row.optional_text(4)?,
        new_image: row.optional_text(5)?,
        keys_size_bytes: row.count(6)?,
        old_image_size_bytes: row.count(7)?,
        size_bytes: row.count(8)?,
        user_identity: row.optional_text(9)?,
    };
    record.checksum().verify_record(salt, number, row.optional_integer(10)?)?;
    Ok(record)
}
