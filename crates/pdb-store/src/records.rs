//! Stream records: `pdb_stream_<t>`.
//!
//! The primary key packs the shard's number above a counter, so the records of a shard are one range of it, in the order
//! of their commits, and appending and reading in order cost the least SQLite can do. The counters of open shards are
//! kept in memory by the only writer; when the database is opened they go on above the last number any record had.

use std::{ops::ControlFlow, sync::Arc};

use pdb_model::{
    EncodedItem, EpochMillis, EventId, EventName, SequenceNumber, StreamArn, StreamLabel, StreamRecord,
    StreamViewType, UserIdentity, record_size_bytes,
};

use crate::{
    checksum::{Checksum, Salt, ShardColumn, set_shard_columns},
    dialect::Dialect,
    driver::{Driver, Param, Row},
    error::StoreError,
    names,
    page::Page,
    queue::QueuedRecord,
    shard_rows::StreamRow,
    table::{RecordTable, Table},
    tx::{ReadTx, Tx},
};

pub(crate) const COUNTER_BITS: u32 = 40;
pub(crate) const MAX_COUNTER: u64 = (1 << COUNTER_BITS) - 1;
/// The highest number of a shard; 2^23 shards last for 3800 years of rotation.
pub(crate) const MAX_SHARD: u64 = (1 << (63 - COUNTER_BITS)) - 1;

/// A record to be appended. The images are those the stream's view type asks for.
#[derive(Clone, Debug)]
pub struct NewRecord<'a> {
    /// What happened.
    pub event_name: EventName,
    /// The key of the item.
    pub keys: &'a EncodedItem,
    /// The item before the change.
    pub old_image: Option<&'a EncodedItem>,
    /// The item after the change.
    pub new_image: Option<&'a EncodedItem>,
    /// When the change was made.
    pub created: EpochMillis,
    /// Who made it, if it was the service itself.
    pub user_identity: Option<&'a UserIdentity>,
    /// The value of the partition key as plain text, for people who look with SQL.
    pub hash_key_value: &'a str,
    /// The value of the sort key, likewise.
    pub sort_key_value: Option<&'a str>,
}

impl NewRecord<'_> {
    /// The checksum of the record, which has no number yet.
    pub(crate) fn checksum(&self, size_bytes: u64, user_identity: Option<&str>) -> Checksum {
        let old_size = self.old_image.map_or(0, EncodedItem::size_bytes);
        Checksum::new()
            .text(self.event_name.as_str())
            .number(self.created.0.unsigned_abs())
            .item(self.keys)
            .optional_item(self.old_image)
            .optional_item(self.new_image)
            .number(self.keys.size_bytes())
            .number(old_size)
            .number(size_bytes)
            .optional_text(user_identity)
    }
}

/// A record as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'r> {
    /// Its position in the stream.
    pub sequence_number: SequenceNumber,
    /// Its id: unique for ever, and the same each time it is read.
    pub event_id: EventId,
    /// What happened.
    pub event_name: EventName,
    /// When the change was made.
    pub created: EpochMillis,
    /// The key of the item, as canonical JSON.
    pub keys: &'r str,
    /// The item before the change, if the record has it.
    pub old_image: Option<&'r str>,
    /// The item after the change, if the record has it.
    pub new_image: Option<&'r str>,
    /// The size of keys and images.
    pub size_bytes: u64,
    keys_size_bytes: u64,
    old_image_size_bytes: u64,
    user_identity: Option<&'r str>,
}

impl RecordRef<'_> {
    fn checksum(&self) -> Checksum {
        Checksum::new()
            .text(self.event_name.as_str())
            .number(self.created.0.unsigned_abs())
            .text(self.keys)
            .optional_text(self.old_image)
            .optional_text(self.new_image)
            .number(self.keys_size_bytes)
            .number(self.old_image_size_bytes)
            .number(self.size_bytes)
            .optional_text(self.user_identity)
    }

    /// Returns who made the change, if it was the service itself.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`].
    pub fn user_identity(&self) -> Result<Option<UserIdentity>, StoreError> {
        let Some(json) = self.user_identity else { return Ok(None) };
        let (principal_id, identity_type) =
            serde_json::from_str(json).map_err(|e| StoreError::corrupt("user identity", e))?;
        Ok(Some(UserIdentity { principal_id, identity_type }))
    }

    /// Returns the record as a value of its own, of a stream with this view type.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`].
    pub fn to_record(&self, view_type: StreamViewType) -> Result<StreamRecord, StoreError> {
        let images = self.size_bytes.saturating_sub(self.keys_size_bytes);
        let item = |json: &str, size| EncodedItem::from_stored(json.to_owned(), size);
        Ok(StreamRecord {
            event_id: self.event_id,
            event_name: self.event_name,
            sequence_number: self.sequence_number,
            created: self.created,
            keys: item(self.keys, self.keys_size_bytes),
            old_image: self.old_image.map(|json| item(json, self.old_image_size_bytes)),
            new_image: self
                .new_image
                .map(|json| item(json, images.saturating_sub(self.old_image_size_bytes))),
            size_bytes: self.size_bytes,
            view_type,
            user_identity: self.user_identity()?,
        })
    }
}

impl ReadTx<'_> {
    /// Hands the records of a shard whose counter is `from` or higher to `each`, in order, until that breaks off.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`]. So with all methods here.
    pub fn records(
        &mut self,
        stream: &StreamRow,
        shard: u64,
        from: u64,
        each: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let (_, last) = range_of(shard);
        let (Some(first), true) = (pack(shard, from), shard <= MAX_SHARD) else { return Ok(()) };
        self.write_records()?;
        let (during, sql) = ("read stream records", stream.records.read.as_str());
        let (salt, event_salt) = (stream.records.salt, event_salt(&stream.arn));
        if self.driver.dialect() == Dialect::Sqlite {
            let params = [Param::Integer(first), Param::Integer(last)];
            let read =
                self.driver.query(during, sql, &params, |row| Ok(each(read_record(row, salt, event_salt)?)));
            return read.map_err(|error| error.of_table(&stream.table_name));
        }
        let (mut first, mut page) = (first, Page::first());
        loop {
            let params = [Param::Integer(first), Param::Integer(last)];
            let mut over = false;
            self.driver
                .query(during, &page.limited(sql), &params, |row| {
                    let record = read_record(row, salt, event_salt)?;
                    page.read(usize::try_from(record.size_bytes).unwrap_or(usize::MAX));
                    first = row.integer(0)? + 1;
                    let flow = each(record);
                    over = flow.is_break();
                    Ok(flow)
                })
                .map_err(|error| error.of_table(&stream.table_name))?;
            if over || !page.is_full() {
                return Ok(());
            }
            page = page.next();
        }
    }

    /// Returns the counter of the last record of a shard, if it has one.
    ///
    /// # Errors
    ///
    /// As [`records`](Self::records).
    pub fn last_counter(&mut self, stream: &StreamRow, shard: u64) -> Result<Option<u64>, StoreError> {
        self.write_records()?;
        last(self.driver, &stream.records, shard)
    }

    /// Returns the counter of the last of the leading records of a shard, at most `limit`, that were all created before
    /// `cut`: what may be trimmed. None if the first is younger, or there is none.
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
        self.write_records()?;
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
        let size = record_size_bytes(record.keys, record.old_image, record.new_image);
        if self.driver.dialect() == Dialect::Postgres {
            self.touch(&table);
            let (stream_id, shard, salt) = (stream.id, shard.number, stream.event_salt);
            let table = stream.records.clone();
            let mut queued = QueuedRecord::new(table, stream_id, shard, salt, record, user_identity, size);
            queued.position = self.position;
            self.records.push(queued);
            return Ok(());
        }
        let counter = shard.draw();
        let packed = pack(shard.number, counter)
            .filter(|_| counter <= MAX_COUNTER)
            .ok_or_else(|| StoreError::Exhausted(format!("shard `{}`", shard.id)))?;
        let sum =
            record.checksum(size, user_identity.as_deref()).stored_of_record(stream.records.salt, packed);
        let day = StreamLabel::at(record.created);
        let params = [
            Param::Integer(packed),
            Param::Integer(signed(shard.number)),
            Param::Text(&event_id(stream.event_salt, packed).to_string()),
            Param::Text(record.event_name.as_str()),
            Param::Integer(record.created.seconds()),
            Param::Text(record.hash_key_value),
            Param::optional_text(record.sort_key_value),
            Param::Text(record.keys.json()),
            Param::optional_text(record.old_image.map(EncodedItem::json)),
            Param::optional_text(record.new_image.map(EncodedItem::json)),
            Param::Integer(record.created.0),
            Param::Integer(signed(record.keys.size_bytes())),
            Param::Integer(signed(record.old_image.map_or(0, EncodedItem::size_bytes))),
            Param::Integer(signed(size)),
            Param::optional_text(user_identity.as_deref()),
            Param::Text(day.as_str().get(..10).unwrap_or_default()),
            Param::Integer(sum),
        ];
        self.change("append a stream record", &stream.records.append, &params)?;
        Ok(())
    }

    /// Removes up to `limit` of the oldest records of a shard, none behind the counter `through`; returns how many. What
    /// is gone is always a prefix of the shard. Returns 0 if another transaction holds the stream, unless this one has called
    /// [`hold_stream`](Self::hold_stream).
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
        self.write_records()?;
        // A sweep that finds the stream held leaves the work to the process that holds it.
        if self.driver.dialect() == Dialect::Postgres {
            let sql = "SELECT id FROM pdb_stream WHERE id = ?1 FOR UPDATE SKIP LOCKED";
            if self.driver.first("lock a stream", sql, &[Param::Integer(stream.id.0)], |_| Ok(()))?.is_none()
            {
                return Ok(0);
            }
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
        Ok(gone as u64)
    }
}

/// SQL that notes `?3` as the last counter that is trimmed, unless more is.
pub(crate) fn set_trimmed() -> String {
    let more =
        "CASE WHEN trimmed_sequence < CAST(?3 AS BIGINT) THEN CAST(?3 AS BIGINT) ELSE trimmed_sequence END";
    set_shard_columns(&[(ShardColumn::Trimmed, more)])
}

/// The counter of the last record of a shard.
pub(crate) fn last(
    driver: Driver<'_>,
    records: &Arc<RecordTable>,
    shard: u64,
) -> Result<Option<u64>, StoreError> {
    let (first, last) = range_of(shard);
    let params = [Param::Integer(first), Param::Integer(last)];
    driver.first("find the last stream record", &records.last, &params, |row| {
        Ok(unpack(row.integer(0)?)?.counter)
    })
}

/// The first and last primary key a record of this shard may have.
pub(crate) fn range_of(shard: u64) -> (i64, i64) {
    let first = signed(shard.min(MAX_SHARD)) << COUNTER_BITS;
    (first, first | signed(MAX_COUNTER))
}

fn pack(shard: u64, counter: u64) -> Option<i64> {
    (shard <= MAX_SHARD && counter <= MAX_COUNTER).then(|| signed(shard << COUNTER_BITS | counter))
}

pub(crate) fn unpack(key: i64) -> Result<SequenceNumber, StoreError> {
    let key = u64::try_from(key).map_err(|e| StoreError::corrupt("sequence number", e))?;
    Ok(SequenceNumber { counter: key & MAX_COUNTER, shard: key >> COUNTER_BITS })
}

impl StreamRow {
    /// Returns the id of the record with this position.
    #[must_use]
    pub fn event_id(&self, sequence_number: SequenceNumber) -> Option<EventId> {
        let key = pack(sequence_number.shard, sequence_number.counter)?;
        Some(event_id(event_salt(&self.arn), key))
    }
}

/// What the event ids of a stream's records have in common.
pub(crate) fn event_salt(arn: &StreamArn) -> u64 {
    let hash = names::hash(&[&arn.to_string()]);
    (hash >> 64) as u64 ^ hash as u64
}

/// Unique by construction: one half is the primary key, unique within a table name, the other a hash of the stream's ARN.
///
/// A unique index on the column would check nothing more, and would cost a fifth of each write with capture (57 against 47
/// microseconds an insert, one commit each): every commit would write one page more.
fn event_id(salt: u64, key: i64) -> EventId {
    EventId(u128::from(salt) << 64 | u128::from(key.unsigned_abs()))
}

/// All our numbers are far below 2^63.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
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
