//! Streams and their shards.
//!
//! A stream and its shards outlive the table they belong to. Shard numbers are unique among all shards of one table
//! name: they are the high part of the keys of `pdb_stream_<t>`, so that the records of a shard are one range in it, and
//! those of a table's earlier incarnations can never mix with them.

use std::{collections::HashMap, sync::Arc};

use pdb_model::{EpochMillis, ShardId, StreamArn, StreamSettings, StreamViewType, TableName};

use crate::{
    checksum::Checksum,
    error::StoreError,
    names,
    params::Param,
    rows::{
        shards::{ClosedShard, NewShard, ShardRow, StreamRow, open_shard, open_stream, stream_sum},
        table::{OpenShard, OpenStream, StreamId, Table},
    },
    sequence::{self, drawn::last_counter},
    tx::Tx,
};

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
        self.lock_catalog()?;
        let table = self.catalog.current(table)?.clone();
        if let Some(open) = &table.stream {
            return Err(StoreError::StreamExists(open.arn.to_string()));
        }
        if self.catalog.stream(arn).is_some() {
            return Err(StoreError::StreamExists(arn.to_string()));
        }
        self.lock_definition(table.id)?;
        let dialect = self.driver.dialect();
        let records = Arc::new(dialect.record_table(names::record_table(table.name().as_str())));
        self.define("create a table of stream records", &dialect.create_records(&records.name))?;
        let key_schema = serde_json::to_string(&table.definition.key_schema)
            .map_err(|e| StoreError::corrupt("key schema", e))?;
        let sum = stream_sum(&[&arn.to_string(), view_type.as_str(), &key_schema], created.0, None);
        let id = self.insert(
            "create a stream",
            "INSERT INTO pdb_stream (table_name, record_table, label, arn, view_type, key_schema, created_at, checksum) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id",
            &[
                Param::Text(table.name().as_str()),
                Param::Text(&records.name),
                Param::Text(arn.label.as_str()),
                Param::Text(&arn.to_string()),
                Param::Text(view_type.as_str()),
                Param::Text(&key_schema),
                Param::Integer(created.0),
                Param::Integer(sum.fixed()),
            ],
        )?;
        let id = StreamId(id);
        self.engine.after_stream_change(&mut self.read, id)?;
        let row = StreamRow {
            id,
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
        self.lock_definition(table.id)?;
        self.engine.after_stream_change(&mut self.read, stream.id)?;
        let row = self.catalog.stream(&stream.arn).map(|row| StreamRow::clone(row));
        // Over the texts as they are stored, which another version may have written in its own way.
        let sum = self.driver.first(
            "read a stream",
            "SELECT arn, view_type, key_schema, created_at FROM pdb_stream WHERE id = ?1",
            &[Param::Integer(stream.id.0)],
            |row| Ok(stream_sum(&[row.text(0)?, row.text(1)?, row.text(2)?], row.integer(3)?, Some(now.0))),
        )?;
        self.change(
            "disable a stream",
            "UPDATE pdb_stream SET disabled_at = ?2, checksum = ?3 WHERE id = ?1",
            &[
                Param::Integer(stream.id.0),
                Param::Integer(now.0),
                Param::optional_integer(sum.map(Checksum::fixed)),
            ],
        )?;
        for shard in &stream.shards {
            self.close_row(stream, shard, now)?;
        }
        let mut definition = (*table.definition).clone();
        if let Some(settings) = &mut definition.stream {
            settings.enabled = false;
        }
        let catalog = self.catalog_mut();
        if let Some(row) = row {
            catalog.insert_stream(StreamRow { disabled: Some(now), ..row });
        }
        catalog.insert(table.with_stream(None));
        self.replace_definition(&definition)
    }

    /// Opens shards of an enabled stream. Their hash ranges must not overlap each other's or another open shard's; their
    /// counters lie above their parents'. Returns them with the table as it now is.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamNotFound`] if the table has no enabled stream, [`StoreError::ShardNotFound`] if a parent is
    /// unknown, [`StoreError::Exhausted`].
    pub fn create_shards(
        &mut self,
        table: &Table,
        shards: &[NewShard],
    ) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError> {
        self.create_shards_after(table, shards, &HashMap::new())
    }

    /// As [`create_shards`](Self::create_shards). `closed` are shards that this transaction has closed, with a counter above all
    /// they have used; other parents are looked up, one by one.
    pub(crate) fn create_shards_after(
        &mut self,
        table: &Table,
        shards: &[NewShard],
        closed: &HashMap<ShardId, u64>,
    ) -> Result<(Arc<Table>, Vec<ShardRow>), StoreError> {
        let table = self.catalog.current(table)?.clone();
        self.lock_definition(table.id)?;
        let mut stream = enabled(&table)?.clone();
        let first = self.first_shard_number(table.name(), shards.len())?;
        let mut rows = Vec::with_capacity(shards.len());
        for (number, shard) in (first..).zip(shards) {
            let starting = match &shard.parent {
                None => 1,
                Some(parent) => match closed.get(parent) {
                    Some(next) => *next,
                    None => self.counter_after(&stream, parent)?,
                },
            };
            let row = self.insert_shard(&stream, number, starting, shard)?;
            stream.shards.push(open_shard(&row, starting + 1, None));
            rows.push(row);
        }
        stream.shards.sort_by_key(|shard| shard.hash_from);
        let table = self.catalog_mut().insert(table.with_stream(Some(stream)));
        Ok((table, rows))
    }

    /// As [`create_shards`](Self::create_shards), of one shard.
    ///
    /// # Errors
    ///
    /// As [`create_shards`](Self::create_shards).
    pub fn create_shard(
        &mut self,
        table: &Table,
        shard: &NewShard,
    ) -> Result<(Arc<Table>, ShardRow), StoreError> {
        let (table, mut rows) = self.create_shards(table, std::slice::from_ref(shard))?;
        let row = rows.pop().ok_or_else(|| StoreError::ShardNotFound(shard.id.to_string()))?;
        Ok((table, row))
    }

    fn insert_shard(
        &mut self,
        stream: &OpenStream,
        number: u64,
        starting: u64,
        shard: &NewShard,
    ) -> Result<ShardRow, StoreError> {
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
            least_next: starting + 1,
            opened: shard.opened,
            closed: None,
            time_steps: Some(Vec::new()),
        };
        self.change(
            "open a shard",
            "INSERT INTO pdb_shard (stream_id, number, shard_id, parent_shard_id, hash_from, hash_to, \
             starting_sequence, trimmed_sequence, next_sequence, opened_at, checksum, time_steps, newest_record_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, '', 0)",
            &[
                Param::Integer(row.stream.0),
                Param::Integer(sequence::signed(row.number)),
                Param::Text(row.id.as_str()),
                Param::optional_text(row.parent.as_ref().map(ShardId::as_str)),
                Param::Text(&hex(row.hash_from)),
                Param::Text(&hex(row.hash_to)),
                Param::Integer(sequence::signed(row.starting)),
                Param::Integer(sequence::signed(row.least_next)),
                Param::Integer(row.opened.0),
                Param::Integer(row.checksum()),
            ],
        )?;
        Ok(row)
    }

    /// Closes open shards of an enabled stream; the caller opens their successors in the same transaction. Returns the
    /// table as it now is, and the shards, in the order of `numbers`.
    ///
    /// # Errors
    ///
    /// [`StoreError::StreamNotFound`], [`StoreError::ShardNotFound`].
    pub fn close_shards(
        &mut self,
        table: &Table,
        numbers: &[u64],
        now: EpochMillis,
    ) -> Result<(Arc<Table>, Vec<ClosedShard>), StoreError> {
        let table = self.catalog.current(table)?.clone();
        self.lock_definition(table.id)?;
        let mut stream = enabled(&table)?.clone();
        let mut open: HashMap<u64, OpenShard> =
            std::mem::take(&mut stream.shards).into_iter().map(|shard| (shard.number, shard)).collect();
        let mut closed = Vec::with_capacity(numbers.len());
        for number in numbers {
            let shard = open.remove(number).ok_or_else(|| StoreError::ShardNotFound(number.to_string()))?;
            let next = self.close_row(&stream, &shard, now)?;
            closed.push(ClosedShard { shard, next });
        }
        stream.shards.extend(open.into_values());
        stream.shards.sort_by_key(|shard| shard.hash_from);
        let table = self.catalog_mut().insert(table.with_stream(Some(stream)));
        Ok((table, closed))
    }

    /// As [`close_shards`](Self::close_shards), of one shard.
    ///
    /// # Errors
    ///
    /// As [`close_shards`](Self::close_shards).
    pub fn close_shard(
        &mut self,
        table: &Table,
        number: u64,
        now: EpochMillis,
    ) -> Result<Arc<Table>, StoreError> {
        Ok(self.close_shards(table, &[number], now)?.0)
    }

    /// Removes a closed shard and what records it still has. Children keep its id as their parent's.
    ///
    /// # Errors
    ///
    /// [`StoreError::ShardNotFound`] if there is no such shard, or it is open.
    pub fn delete_shard(&mut self, stream: &StreamRow, number: u64) -> Result<(), StoreError> {
        self.lock_stream(stream.id)?;
        self.engine.before_shard_deletion(&mut self.read, stream.id, number)?;
        let gone = self.change(
            "delete a shard",
            "DELETE FROM pdb_shard WHERE stream_id = ?1 AND number = ?2 AND closed_at IS NOT NULL",
            &[Param::Integer(stream.id.0), Param::Integer(sequence::signed(number))],
        )?;
        if gone == 0 {
            return Err(StoreError::ShardNotFound(number.to_string()));
        }
        let (from, to) = sequence::range_of(number);
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
        self.lock_catalog()?;
        self.lock_stream(stream.id)?;
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

    /// Closes a shard; returns a counter above all that it has used.
    fn close_row(
        &mut self,
        stream: &OpenStream,
        shard: &OpenShard,
        now: EpochMillis,
    ) -> Result<u64, StoreError> {
        self.engine.flush_records(&mut self.read)?;
        let last = last_counter(self.driver, &stream.records, shard.number)?.unwrap_or(0);
        self.engine.close_shard(&mut self.read, stream.id, shard, now, last)
    }

    /// A counter above all that the shard `parent` has used or will use.
    fn counter_after(&mut self, stream: &OpenStream, parent: &ShardId) -> Result<u64, StoreError> {
        if let Some(open) = stream.shards.iter().find(|shard| shard.id == *parent) {
            return self.engine.draw_counter(&mut self.read, stream.id, open);
        }
        let next = self.driver.first(
            "read a shard",
            "SELECT next_sequence FROM pdb_shard WHERE stream_id = ?1 AND shard_id = ?2",
            &[Param::Integer(stream.id.0), Param::Text(parent.as_str())],
            |row| row.count(0),
        )?;
        next.ok_or_else(|| StoreError::ShardNotFound(parent.to_string()))
    }

    /// The first of `count` numbers that no shard of this table name has or had.
    fn first_shard_number(&mut self, name: &TableName, count: usize) -> Result<u64, StoreError> {
        // Of each stream the last in its primary key, instead of a look at all shards there are.
        let last = self.driver.first(
            "number a shard",
            "SELECT coalesce(max((SELECT max(number) FROM pdb_shard WHERE pdb_shard.stream_id = pdb_stream.id)), 0) \
             FROM pdb_stream WHERE table_name = ?1",
            &[Param::Text(name.as_str())],
            |row| row.count(0),
        )?;
        let first = last.unwrap_or(0) + 1;
        if (count as u64).saturating_add(last.unwrap_or(0)) > sequence::MAX_SHARD {
            return Err(StoreError::Exhausted(format!("table `{name}`")));
        }
        Ok(first)
    }
}

fn enabled(table: &Table) -> Result<&OpenStream, StoreError> {
    table.stream.as_ref().ok_or_else(|| StoreError::StreamNotFound(format!("of table {}", table.name())))
}

fn hex(token: u64) -> String {
    format!("{token:016x}")
}
