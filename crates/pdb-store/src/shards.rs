//! Streams and their shards.
//!
//! A stream and its shards outlive the table they belong to. Shard numbers are unique among all shards of one table
//! name: they are the high part of the keys of `pdb_stream_<t>`, so that the records of a shard are one range in it, and
//! those of a table's earlier incarnations can never mix with them.

use std::sync::{Arc, atomic::AtomicU64};

use pdb_model::{
    EpochMillis, KeySchema, SequenceNumber, ShardId, StreamArn, StreamLabel, StreamSettings, StreamStatus,
    StreamViewType, TableName,
};

use crate::{
    driver::{Driver, Param, Row},
    error::StoreError,
    names, records,
    table::{OpenShard, OpenStream, RecordTable, StreamId, Table},
    tx::{ReadTx, Tx},
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
    /// When it was opened.
    pub opened: EpochMillis,
    /// When it was closed, if it was.
    pub closed: Option<EpochMillis>,
}

impl ShardRow {
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

const STREAM_COLUMNS: &str = "SELECT id, table_name, record_table, arn, view_type, key_schema, created_at, disabled_at FROM pdb_stream";
const SHARD_COLUMNS: &str = "SELECT stream_id, number, shard_id, parent_shard_id, hash_from, hash_to, \
     starting_sequence, ending_sequence, trimmed_sequence, opened_at, closed_at FROM pdb_shard";

impl ReadTx<'_> {
    /// Returns the streams of a table name, or of all, enabled or not, ordered by table name and label.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`]. So with all methods here; streams are known without a look at the
    /// database.
    pub fn streams(&mut self, of: Option<&TableName>) -> Result<Vec<StreamRow>, StoreError> {
        let wanted = |stream: &&Arc<StreamRow>| of.is_none_or(|name| stream.table_name == *name);
        Ok(self.catalog.streams().filter(wanted).map(|stream| StreamRow::clone(stream)).collect())
    }

    /// Returns a stream.
    ///
    /// # Errors
    ///
    /// As [`streams`](Self::streams).
    pub fn stream(&mut self, arn: &StreamArn) -> Result<Option<StreamRow>, StoreError> {
        let found = self.catalog.stream(arn).filter(|stream| stream.arn == *arn);
        Ok(found.map(|stream| StreamRow::clone(stream)))
    }

    /// Returns the shards of a stream, ordered by shard id.
    ///
    /// # Errors
    ///
    /// As [`streams`](Self::streams).
    pub fn shards(&mut self, stream: StreamId) -> Result<Vec<ShardRow>, StoreError> {
        shards_of(self.driver, stream)
    }

    /// Returns a shard.
    ///
    /// # Errors
    ///
    /// As [`streams`](Self::streams).
    pub fn shard(&mut self, stream: StreamId, id: &ShardId) -> Result<Option<ShardRow>, StoreError> {
        self.driver.first(
            "read a shard",
            &format!("{SHARD_COLUMNS} WHERE stream_id = ?1 AND shard_id = ?2"),
            &[Param::Integer(stream.0), Param::Text(id.as_str())],
            read_shard,
        )
    }
}

impl Tx<'_> {
    /// Enables a stream on a table: makes its row and its table of records, and notes it in the table's definition.
    /// It has no shard yet; returns it with the table as it now is.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamExists`] if the table has an enabled stream, or there was one with this ARN.
    pub fn create_stream(
        &mut self,
        table: &Table,
        arn: &StreamArn,
        view_type: StreamViewType,
        created: EpochMillis,
    ) -> Result<(Arc<Table>, StreamRow), StoreError> {
        let table = self.catalog.current(table)?.clone();
        if let Some(open) = &table.stream {
            return Err(StoreError::StreamExists(open.arn.to_string()));
        }
        if self.catalog.stream(arn).is_some() {
            return Err(StoreError::StreamExists(arn.to_string()));
        }
        let records = Arc::new(RecordTable::new(names::record_table(table.name().as_str())));
        self.define("create a table of stream records", &records::definition(&records.name))?;
        let key_schema = serde_json::to_string(&table.definition.key_schema)
            .map_err(|e| StoreError::corrupt("key schema", e))?;
        self.change(
            "create a stream",
            "INSERT INTO pdb_stream (table_name, record_table, label, arn, view_type, key_schema, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &[
                Param::Text(table.name().as_str()),
                Param::Text(&records.name),
                Param::Text(arn.label.as_str()),
                Param::Text(&arn.to_string()),
                Param::Text(view_type.as_str()),
                Param::Text(&key_schema),
                Param::Integer(created.0),
            ],
        )?;
        let row = StreamRow {
            id: StreamId(self.driver.last_row_id()),
            table_name: table.name().clone(),
            arn: arn.clone(),
            view_type,
            key_schema: table.definition.key_schema.clone(),
            created,
            disabled: None,
            records,
        };
        let open = open_stream(&row, Vec::new());
        let catalog = self.catalog_mut();
        catalog.insert_stream(row.clone());
        catalog.insert(table.with_stream(Some(open)));
        let mut definition = (*table.definition).clone();
        definition.stream =
            Some(StreamSettings { arn: arn.clone(), label: arn.label.clone(), view_type, enabled: true });
        let table = self.replace_definition(&definition)?;
        Ok((table, row))
    }

    /// Disables the enabled stream of a table, if it has one: closes its shards. Returns the table as it now is.
    ///
    /// # Errors
    ///
    /// As [`create_stream`](Self::create_stream), except that one.
    pub fn close_stream(&mut self, table: &Table, now: EpochMillis) -> Result<Arc<Table>, StoreError> {
        let table = self.catalog.current(table)?.clone();
        let Some(stream) = &table.stream else { return Ok(table) };
        for shard in &stream.shards {
            self.close_row(stream, shard, now)?;
        }
        self.change(
            "disable a stream",
            "UPDATE pdb_stream SET disabled_at = ?2 WHERE id = ?1",
            &[Param::Integer(stream.id.0), Param::Integer(now.0)],
        )?;
        let mut definition = (*table.definition).clone();
        if let Some(settings) = &mut definition.stream {
            settings.enabled = false;
        }
        let row = self.catalog.stream(&stream.arn).map(|row| StreamRow::clone(row));
        let catalog = self.catalog_mut();
        if let Some(row) = row {
            catalog.insert_stream(StreamRow { disabled: Some(now), ..row });
        }
        catalog.insert(table.with_stream(None));
        self.replace_definition(&definition)
    }

    /// Opens a shard of an enabled stream. Its hash range must not overlap another open shard's; its counters lie above
    /// its parent's. Returns it with the table as it now is.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamNotFound`] if the table has no enabled stream, [`StoreError::ShardNotFound`] if the parent is
    /// unknown, [`StoreError::Exhausted`].
    pub fn create_shard(
        &mut self,
        table: &Table,
        shard: &NewShard,
    ) -> Result<(Arc<Table>, ShardRow), StoreError> {
        let table = self.catalog.current(table)?.clone();
        let mut stream = enabled(&table)?.clone();
        let starting = match &shard.parent {
            None => 1,
            Some(parent) => self.counter_after(&stream, parent)?,
        };
        let number = self.next_shard_number(table.name())?;
        let row = ShardRow {
            stream: stream.id,
            number,
            id: shard.id.clone(),
            parent: shard.parent.clone(),
            hash_from: shard.hash_from,
            hash_to: shard.hash_to,
            starting,
            ending: None,
            trimmed: 0,
            opened: shard.opened,
            closed: None,
        };
        self.change(
            "open a shard",
            "INSERT INTO pdb_shard (stream_id, number, shard_id, parent_shard_id, hash_from, hash_to, \
             starting_sequence, trimmed_sequence, next_sequence, opened_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9)",
            &[
                Param::Integer(row.stream.0),
                Param::Integer(records::signed(row.number)),
                Param::Text(row.id.as_str()),
                Param::optional_text(row.parent.as_ref().map(ShardId::as_str)),
                Param::Text(&hex(row.hash_from)),
                Param::Text(&hex(row.hash_to)),
                Param::Integer(records::signed(row.starting)),
                Param::Integer(records::signed(row.starting + 1)),
                Param::Integer(row.opened.0),
            ],
        )?;
        stream.shards.push(open_shard(&row, starting + 1));
        stream.shards.sort_by_key(|shard| shard.hash_from);
        let table = self.catalog_mut().insert(table.with_stream(Some(stream)));
        Ok((table, row))
    }

    /// Closes an open shard of an enabled stream; the caller opens its successors in the same transaction. Returns the
    /// table as it now is.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamNotFound`], [`StoreError::ShardNotFound`].
    pub fn close_shard(
        &mut self,
        table: &Table,
        number: u64,
        now: EpochMillis,
    ) -> Result<Arc<Table>, StoreError> {
        let table = self.catalog.current(table)?.clone();
        let mut stream = enabled(&table)?.clone();
        let position = stream.shards.iter().position(|shard| shard.number == number);
        let Some(position) = position else { return Err(StoreError::ShardNotFound(number.to_string())) };
        let shard = stream.shards.remove(position);
        self.close_row(&stream, &shard, now)?;
        Ok(self.catalog_mut().insert(table.with_stream(Some(stream))))
    }

    /// Removes a closed shard and what records it still has. Children keep its id as their parent's.
    ///
    /// # Errors
    ///
    /// [`StoreError::ShardNotFound`] if there is no such shard, or it is open.
    pub fn delete_shard(&mut self, stream: &StreamRow, number: u64) -> Result<(), StoreError> {
        let gone = self.change(
            "delete a shard",
            "DELETE FROM pdb_shard WHERE stream_id = ?1 AND number = ?2 AND closed_at IS NOT NULL",
            &[Param::Integer(stream.id.0), Param::Integer(records::signed(number))],
        )?;
        if gone == 0 {
            return Err(StoreError::ShardNotFound(number.to_string()));
        }
        let (from, to) = records::range_of(number);
        let params = [Param::Integer(from), Param::Integer(to)];
        self.change("delete stream records", &stream.records.trim, &params)?;
        Ok(())
    }

    /// Removes a disabled stream with its shards and records, and the table of records once no stream of that table
    /// name is left.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamNotFound`] if there is no such stream, or it is enabled.
    pub fn delete_stream(&mut self, stream: &StreamRow) -> Result<(), StoreError> {
        for shard in self.shards(stream.id)? {
            if !shard.is_open() {
                self.delete_shard(stream, shard.number)?;
            }
        }
        let gone = self.change(
            "delete a stream",
            "DELETE FROM pdb_stream WHERE id = ?1 AND disabled_at IS NOT NULL",
            &[Param::Integer(stream.id.0)],
        )?;
        if gone == 0 {
            return Err(StoreError::StreamNotFound(stream.arn.to_string()));
        }
        self.catalog_mut().remove_stream(stream);
        if self.streams(Some(&stream.table_name))?.is_empty() {
            let sql = format!("DROP TABLE IF EXISTS {}", names::quoted(&stream.records.name));
            self.define("drop a table of stream records", &sql)?;
        }
        Ok(())
    }

    fn close_row(
        &mut self,
        stream: &OpenStream,
        shard: &OpenShard,
        now: EpochMillis,
    ) -> Result<(), StoreError> {
        let last = records::last(self.driver, &stream.records, shard.number)?;
        // Trimmed records were shown to readers: the end does not fall below them.
        self.change(
            "close a shard",
            "UPDATE pdb_shard SET closed_at = ?3, next_sequence = ?4, \
             ending_sequence = max(starting_sequence, trimmed_sequence, ?5) \
             WHERE stream_id = ?1 AND number = ?2",
            &[
                Param::Integer(stream.id.0),
                Param::Integer(records::signed(shard.number)),
                Param::Integer(now.0),
                Param::Integer(records::signed(shard.next.load(std::sync::atomic::Ordering::Relaxed))),
                Param::Integer(records::signed(last.unwrap_or(0))),
            ],
        )?;
        Ok(())
    }

    /// A counter above all that the shard `parent` has used or will use.
    fn counter_after(&mut self, stream: &OpenStream, parent: &ShardId) -> Result<u64, StoreError> {
        if let Some(open) = stream.shards.iter().find(|shard| shard.id == *parent) {
            return Ok(open.draw());
        }
        let next = self.driver.first(
            "read a shard",
            "SELECT next_sequence FROM pdb_shard WHERE stream_id = ?1 AND shard_id = ?2",
            &[Param::Integer(stream.id.0), Param::Text(parent.as_str())],
            |row| row.count(0),
        )?;
        next.ok_or_else(|| StoreError::ShardNotFound(parent.to_string()))
    }

    fn next_shard_number(&mut self, name: &TableName) -> Result<u64, StoreError> {
        let last = self.driver.first(
            "number a shard",
            "SELECT coalesce(max(pdb_shard.number), 0) FROM pdb_shard \
             JOIN pdb_stream ON pdb_stream.id = pdb_shard.stream_id WHERE pdb_stream.table_name = ?1",
            &[Param::Text(name.as_str())],
            |row| row.count(0),
        )?;
        let next = last.unwrap_or(0) + 1;
        if next > records::MAX_SHARD {
            return Err(StoreError::Exhausted(format!("table `{name}`")));
        }
        Ok(next)
    }
}

fn enabled(table: &Table) -> Result<&OpenStream, StoreError> {
    table.stream.as_ref().ok_or_else(|| StoreError::StreamNotFound(format!("of table {}", table.name())))
}

/// Returns all streams, as they are stored.
pub(crate) fn load_streams(driver: Driver<'_>) -> Result<Vec<StreamRow>, StoreError> {
    driver.all("list streams", STREAM_COLUMNS, &[], read_stream)
}

/// Returns an enabled stream with its open shards, as it is stored; the counters go on above all that any record, trimmed
/// or not, ever had.
pub(crate) fn load_open_stream(driver: Driver<'_>, row: &StreamRow) -> Result<OpenStream, StoreError> {
    let mut open = Vec::new();
    for shard in shards_of(driver, row.id)?.into_iter().filter(ShardRow::is_open) {
        let last = records::last(driver, &row.records, shard.number)?.unwrap_or(0);
        open.push(open_shard(&shard, last.max(shard.starting).max(shard.trimmed) + 1));
    }
    open.sort_by_key(|shard| shard.hash_from);
    Ok(open_stream(row, open))
}

fn shards_of(driver: Driver<'_>, stream: StreamId) -> Result<Vec<ShardRow>, StoreError> {
    driver.all(
        "list shards",
        &format!("{SHARD_COLUMNS} WHERE stream_id = ?1 ORDER BY shard_id"),
        &[Param::Integer(stream.0)],
        read_shard,
    )
}

fn open_stream(row: &StreamRow, shards: Vec<OpenShard>) -> OpenStream {
    OpenStream {
        id: row.id,
        arn: row.arn.clone(),
        view_type: row.view_type,
        shards,
        records: row.records.clone(),
        event_salt: records::event_salt(&row.arn),
    }
}

fn open_shard(row: &ShardRow, next: u64) -> OpenShard {
    OpenShard {
        number: row.number,
        id: row.id.clone(),
        hash_from: row.hash_from,
        hash_to: row.hash_to,
        opened: row.opened,
        next: Arc::new(AtomicU64::new(next)),
    }
}

fn read_stream(row: &Row<'_>) -> Result<StreamRow, StoreError> {
    let bad = |e: pdb_model::ParseError| StoreError::corrupt("stream", e);
    Ok(StreamRow {
        id: StreamId(row.integer(0)?),
        table_name: row.text(1)?.parse().map_err(bad)?,
        records: Arc::new(RecordTable::new(row.text(2)?.to_owned())),
        arn: row.text(3)?.parse().map_err(bad)?,
        view_type: row.text(4)?.parse().map_err(bad)?,
        key_schema: serde_json::from_str(row.text(5)?).map_err(|e| StoreError::corrupt("key schema", e))?,
        created: EpochMillis(row.integer(6)?),
        disabled: row.optional_integer(7)?.map(EpochMillis),
    })
}

fn read_shard(row: &Row<'_>) -> Result<ShardRow, StoreError> {
    let id = |text: &str| text.parse::<ShardId>().map_err(|e| StoreError::corrupt("shard", e));
    let count = |n: i64| u64::try_from(n).map_err(|e| StoreError::corrupt("shard", e));
    Ok(ShardRow {
        stream: StreamId(row.integer(0)?),
        number: row.count(1)?,
        id: id(row.text(2)?)?,
        parent: row.optional_text(3)?.map(id).transpose()?,
        hash_from: unhex(row.text(4)?)?,
        hash_to: unhex(row.text(5)?)?,
        starting: row.count(6)?,
        ending: row.optional_integer(7)?.map(count).transpose()?,
        trimmed: row.count(8)?,
        opened: EpochMillis(row.integer(9)?),
        closed: row.optional_integer(10)?.map(EpochMillis),
    })
}

fn hex(token: u64) -> String {
    format!("{token:016x}")
}

fn unhex(text: &str) -> Result<u64, StoreError> {
    u64::from_str_radix(text, 16).map_err(|e| StoreError::corrupt("hash range", e))
}
