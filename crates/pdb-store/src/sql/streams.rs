//! Streams and shards as they are stored, and the reading of them.

use std::sync::Arc;

use pdb_model::{EpochMillis, ShardId, StreamArn, TableName};

use crate::{
    checksum::Checksum,
    dialect::Dialect,
    driver::{Driver, Row},
    error::StoreError,
    names,
    params::Param,
    read_tx::ReadTx,
    rows::{
        shards::{ShardRow, StreamRow, stream_sum},
        table::StreamId,
    },
    sequence::times,
};

pub(crate) const STREAM_COLUMNS: &str = "SELECT id, table_name, record_table, arn, view_type, key_schema, created_at, disabled_at, checksum FROM pdb_stream";
pub(crate) const SHARD_COLUMNS: &str = "SELECT stream_id, number, shard_id, parent_shard_id, hash_from, hash_to, \
     starting_sequence, ending_sequence, trimmed_sequence, opened_at, closed_at, next_sequence, checksum, time_steps FROM pdb_shard";

impl ReadTx<'_> {
    /// Returns the streams of a table name, or of all, enabled or not, ordered by table name and label.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`]. All methods here return the same errors; streams are known without a look at the
    /// database.
    pub fn streams(&mut self, of: Option<&TableName>) -> Result<Vec<StreamRow>, StoreError> {
        Ok(match of {
            Some(name) => self.catalog.streams_of(name).map(|stream| StreamRow::clone(stream)).collect(),
            None => self.catalog.streams().map(|stream| StreamRow::clone(stream)).collect(),
        })
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

/// Returns the shards of a stream, ordered by shard id.
pub(crate) fn shards_of(driver: Driver<'_>, stream: StreamId) -> Result<Vec<ShardRow>, StoreError> {
    let sql = format!("{SHARD_COLUMNS} WHERE stream_id = ?1");
    let mut shards = driver.all("list shards", &sql, &[Param::Integer(stream.0)], read_shard)?;
    // By bytes, which is not the order of texts in every database.
    shards.sort_unstable_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
    Ok(shards)
}

pub(crate) fn read_stream(dialect: Dialect, row: &Row<'_>) -> Result<StreamRow, StoreError> {
    let bad = |e: pdb_model::ParseError| StoreError::corrupt("stream", e);
    let table_name: TableName = row.text(1)?.parse().map_err(bad)?;
    // The name becomes part of statements.
    let (record_table, arn): (_, StreamArn) = (row.text(2)?, row.text(3)?.parse().map_err(bad)?);
    if arn.table.name != table_name || record_table != names::record_table(table_name.as_str()) {
        return Err(StoreError::corrupt("stream", "its rows are said to be in a table of another")
            .of_table(&table_name));
    }
    let texts = [row.text(3)?, row.text(4)?, row.text(5)?];
    let sum = stream_sum(&texts, row.integer(6)?, row.optional_integer(7)?);
    sum.verify_fixed(row.optional_integer(8)?, "stream").map_err(|error| error.of_table(&table_name))?;
    Ok(StreamRow {
        id: StreamId(row.integer(0)?),
        table_name,
        records: Arc::new(dialect.record_table(record_table.to_owned())),
        arn,
        view_type: row.text(4)?.parse().map_err(bad)?,
        key_schema: serde_json::from_str(row.text(5)?).map_err(|e| StoreError::corrupt("key schema", e))?,
        created: EpochMillis(row.integer(6)?),
        disabled: row.optional_integer(7)?.map(EpochMillis),
    })
}

pub(crate) fn read_shard(row: &Row<'_>) -> Result<ShardRow, StoreError> {
    let id = |text: &str| text.parse::<ShardId>().map_err(|e| StoreError::corrupt("shard", e));
    let count = |n: i64| u64::try_from(n).map_err(|e| StoreError::corrupt("shard", e));
    let shard = ShardRow {
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
        least_next: row.count(11)?,
        time_steps: row.optional_text(13)?.map(times::read_steps).transpose()?,
    };
    Checksum::verify_shard(shard.checksum(), row.optional_integer(12)?)?;
    Ok(shard)
}

fn unhex(text: &str) -> Result<u64, StoreError> {
    u64::from_str_radix(text, 16).map_err(|e| StoreError::corrupt("hash range", e))
}
