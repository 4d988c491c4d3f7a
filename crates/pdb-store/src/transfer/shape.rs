//! What a database consists of besides rows: definitions, streams, shards, settings.

use pdb_model::{EpochMillis, TableDefinition, TableName};

use crate::{
    error::StoreError,
    names::{self, quoted},
    params::Param,
    read_tx::ReadTx,
    rows::{
        columns::{
            ColumnKind::{self, Integer, Text},
            names_of,
        },
        statistics::Statistics,
        table::{StreamId, Table},
    },
    sequence::{self, leap},
    sql::{clear::tables_named, history},
    transfer::rows::{Value, read_row},
    tx::Tx,
};

const STREAM: &[(&str, ColumnKind)] = &[
    ("table_name", Text),
    ("record_table", Text),
    ("label", Text),
    ("arn", Text),
    ("view_type", Text),
    ("key_schema", Text),
    ("created_at", Integer),
    ("disabled_at", Integer),
    ("checksum", Integer),
];
/// Besides its stream. The last two are set by [`ReadTx::shape`]: while a shard is open the row need not tell them.
const SHARD: &[(&str, ColumnKind)] = &[
    ("number", Integer),
    ("shard_id", Text),
    ("parent_shard_id", Text),
    ("hash_from", Text),
    ("hash_to", Text),
    ("time_steps", Text),
    ("starting_sequence", Integer),
    ("ending_sequence", Integer),
    ("trimmed_sequence", Integer),
    ("opened_at", Integer),
    ("closed_at", Integer),
    ("checksum", Integer),
    ("newest_record_at", Integer),
    ("next_sequence", Integer),
];

/// The definitions of all tables, all streams with their shards and counters, the settings that outlive a process, and how many
/// rows tables and indexes have. No identifiers of rows: those are each database's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    iterator_key: [u8; 16],
    tables: Vec<TableShape>,
    streams: Vec<StreamShape>,
    /// SQL tables of backups.
    kept: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct TableShape {
    definition: TableDefinition,
    /// Of the table, then of its indexes.
    statistics: Vec<Statistics>,
    history: Option<HistoryShape>,
}

/// The history of a table, besides its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HistoryShape {
    earliest: Option<EpochMillis>,
    next_number: i64,
    newest_at: i64,
    /// How many changes it has at most.
    changes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct StreamShape {
    row: Vec<Value>,
    shards: Vec<Vec<Value>>,
    /// How many records its shards have at most.
    records: u64,
}

impl Shape {
    /// Returns whether there is nothing: no table, no stream, no backup.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.streams.is_empty() && self.kept.is_empty()
    }

    /// Returns how many tables there are.
    #[must_use]
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Returns how many streams there are, enabled or not.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Returns a text that differs from that of every other database, and of this one after it was written to.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:032x}", names::hash(&[&format!("{self:?}")]))
    }

    /// Returns how many records the streams of a table name have at most.
    pub(super) fn records_of(&self, table: &TableName) -> u64 {
        let streams = self.streams.iter();
        let of_table = streams.filter(|stream| stream.row[0].bytes() == table.as_str().as_bytes());
        of_table.map(|stream| stream.records).sum()
    }

    /// Returns how many changes the history of a table has at most.
    pub(super) fn changes_of(&self, table: &TableName) -> u64 {
        let found = self.tables.iter().find(|of| of.definition.name == *table);
        found.and_then(|table| table.history.as_ref()).map_or(0, |history| history.changes)
    }

    /// Returns how many rows of items and index entries there are, and how many stream records and changes at most.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let counted =
            self.tables.iter().flat_map(|table| &table.statistics).map(|of| of.item_count).sum::<u64>();
        let changes =
            self.tables.iter().filter_map(|table| table.history.as_ref()).map(|of| of.changes).sum::<u64>();
        counted + changes + self.streams.iter().map(|stream| stream.records).sum::<u64>()
    }
}

impl ReadTx<'_> {
    /// Returns the shape of this database.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub fn shape(&mut self) -> Result<Shape, StoreError> {
        let mut tables = Vec::new();
        for table in self.tables()? {
            let mut statistics = vec![self.table_statistics(&table)?];
            for index in &table.indexes {
                statistics.push(self.index_statistics(&table, &index.name)?);
            }
            let history = self.history_shape(&table)?;
            tables.push(TableShape { definition: (*table.definition).clone(), statistics, history });
        }
        let sql = format!("SELECT {}, id FROM pdb_stream ORDER BY arn", names_of(STREAM));
        let rows = self
            .driver
            .all("list streams", &sql, &[], |row| Ok((row.integer(STREAM.len())?, read_row(row, STREAM)?)))?;
        let mut streams = Vec::with_capacity(rows.len());
        for (id, row) in rows {
            let (shards, records) = self.shard_shapes(id, &row)?;
            streams.push(StreamShape { row, shards, records });
        }
        // The order of texts is the database's own affair; ours is that of bytes.
        streams.sort_by(|a, b| a.row[3].bytes().cmp(b.row[3].bytes()));
        Ok(Shape {
            iterator_key: self.iterator_key()?.0,
            tables,
            streams,
            kept: tables_named(self, "pdb_backup_")?,
        })
    }

    fn history_shape(&mut self, table: &Table) -> Result<Option<HistoryShape>, StoreError> {
        let Some(history) = &table.history else { return Ok(None) };
        let earliest = history::stored_earliest(self.driver, table.id, table.name())?;
        let sql = "SELECT next_number, newest_at FROM pdb_history WHERE table_id = ?1";
        let counters =
            self.driver.first("read the row of a history", sql, &[Param::Integer(table.id.0)], |row| {
                Ok((row.integer(0)?, row.integer(1)?))
            })?;
        let (next_number, newest_at) =
            counters.ok_or_else(|| StoreError::corrupt("history", "its row is missing"))?;
        let (first, last) = history::ends(self.driver, &history.sql)?.unzip();
        // One writer keeps both in memory.
        let (number, time) =
            last.map_or((0, newest_at), |(number, time): (i64, EpochMillis)| (number, time.0));
        let changes = first.map_or(0, |(first, _): (i64, EpochMillis)| number - first + 1);
        Ok(Some(HistoryShape {
            earliest,
            next_number: next_number.max(number + 1),
            newest_at: newest_at.max(time),
            changes: u64::try_from(changes).unwrap_or(0),
        }))
    }

    /// Returns the shards of a stream, and how many records they have at most.
    fn shard_shapes(&mut self, stream: i64, row: &[Value]) -> Result<(Vec<Vec<Value>>, u64), StoreError> {
        let sql = format!("SELECT {} FROM pdb_shard WHERE stream_id = ?1 ORDER BY number", names_of(SHARD));
        let mut shards =
            self.driver.all("list shards", &sql, &[Param::Integer(stream)], |row| read_row(row, SHARD))?;
        let record_table = quoted(&String::from_utf8_lossy(row[1].bytes()));
        let mut records = 0;
        for shard in &mut shards {
            let [
                Value::Integer(number),
                ..,
                Value::Integer(starting),
                _,
                Value::Integer(trimmed),
                _,
                closed,
                _,
                newest,
                Value::Integer(next),
            ] = &mut shard[..]
            else {
                return Err(StoreError::corrupt("shard", "a number is missing"));
            };
            let (first, last) = sequence::range_of(u64::try_from(*number).unwrap_or(0));
            let range = [Param::Integer(first), Param::Integer(last)];
            if *closed == Value::Null {
                let found = self.driver.first(
                    "find the last stream record",
                    &format!(
                        "SELECT sequence_number, approximate_creation_time FROM {record_table} \
                         WHERE sequence_number BETWEEN ?1 AND ?2 ORDER BY sequence_number DESC LIMIT 1"
                    ),
                    &range,
                    |row| Ok((row.integer(0)? - first, row.integer(1)?)),
                )?;
                let used = found.map_or(0, |(counter, _)| counter);
                *next = (*next).max(used.max(*starting).max(*trimmed) + 1);
                if let Some((_, created)) = found {
                    *newest = Value::Integer(created);
                }
            }
            let used = u64::try_from(*next - 1 - (*starting).max(*trimmed)).unwrap_or(0);
            // Counting reads all records; that is worth it only if the counter has leapt.
            records += if used < leap::LEAST {
                used
            } else {
                let sql =
                    format!("SELECT count(*) FROM {record_table} WHERE sequence_number BETWEEN ?1 AND ?2");
                let counted = self.driver.first("count stream records", &sql, &range, |row| row.count(0))?;
                counted.unwrap_or(0)
            };
        }
        Ok((shards, records))
    }
}

impl Tx<'_> {
    /// Makes tables, streams and shards as `shape` has them, without a row in them.
    pub(super) fn take_shape(&mut self, shape: &Shape) -> Result<(), StoreError> {
        self.lock_catalog()?;
        self.set("iterator_key", &shape.iterator_key)?;
        for table in &shape.tables {
            let made = self.create_table(&table.definition)?;
            if let Some(history) = &table.history {
                self.take_history(&made, history)?;
            }
        }
        for stream in &shape.streams {
            self.take_stream(stream)?;
        }
        for name in &shape.kept {
            let sql = self.driver.dialect().create_kept(name);
            self.define("create a table for a backup", &sql)?;
        }
        Ok(())
    }

    fn take_history(&mut self, table: &Table, history: &HistoryShape) -> Result<(), StoreError> {
        let sql = "UPDATE pdb_history SET earliest_at = ?2, next_number = ?3, newest_at = ?4, checksum = ?5 \
                   WHERE table_id = ?1";
        let params = [
            Param::Integer(table.id.0),
            Param::optional_integer(history.earliest.map(|earliest| earliest.0)),
            Param::Integer(history.next_number),
            Param::Integer(history.newest_at),
            Param::Integer(history::row_sum(table.name(), history.earliest).fixed()),
        ];
        self.change("copy the row of a history", sql, &params)?;
        Ok(())
    }

    fn take_stream(&mut self, stream: &StreamShape) -> Result<(), StoreError> {
        let record_table = String::from_utf8_lossy(stream.row[1].bytes()).into_owned();
        let sql = self.driver.dialect().create_records(&record_table);
        self.define("create a table of stream records", &sql)?;
        let params: Vec<Param<'_>> = stream.row.iter().map(Value::param).collect();
        let id = self.insert(
            "copy a stream",
            &format!("{} RETURNING id", insert("pdb_stream", STREAM, None)),
            &params,
        )?;
        self.engine.after_stream_change(&mut self.read, StreamId(id))?;
        let sql = insert("pdb_shard", SHARD, Some("stream_id"));
        for shard in &stream.shards {
            let mut params: Vec<Param<'_>> = shard.iter().map(Value::param).collect();
            params.push(Param::Integer(id));
            self.change("copy a shard", &sql, &params)?;
        }
        Ok(())
    }
}

fn insert(table: &str, columns: &[(&str, ColumnKind)], more: Option<&str>) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).chain(more).collect();
    let places: Vec<String> = (1..=names.len()).map(|at| format!("?{at}")).collect();
    format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "))
}
