//! Counters in the rows of the shards: PostgreSQL. A record draws its own in the statement that inserts it (`postgres/texts.rs`).

use pdb_model::EpochMillis;

use crate::{
    checksum::{ShardColumn, set_shard_columns},
    driver::Driver,
    error::StoreError,
    params::Param,
    rows::table::{OpenShard, StreamId},
    sequence::signed,
};

/// Draws a counter that no record gets.
pub(crate) fn draw(driver: Driver<'_>, stream: StreamId, shard: &OpenShard) -> Result<u64, StoreError> {
    let sql = "UPDATE pdb_shard SET next_sequence = next_sequence + 1 WHERE stream_id = ?1 AND number = ?2 \
               RETURNING next_sequence - 1";
    let params = [Param::Integer(stream.0), Param::Integer(signed(shard.number))];
    counter_of(driver, "draw a number", sql, &params)
}

/// Notes that a shard is closed, whose last record has the counter `last`; returns a counter above all that it has used.
pub(crate) fn close(
    driver: Driver<'_>,
    stream: StreamId,
    shard: &OpenShard,
    now: EpochMillis,
    last: u64,
) -> Result<u64, StoreError> {
    // Trimmed records were shown to readers: the end does not fall below them. The next number may lie far above the last record.
    let sql = format!(
        "UPDATE pdb_shard SET {} WHERE stream_id = ?1 AND number = ?2 RETURNING next_sequence",
        set_shard_columns(&[
            (ShardColumn::Closed, "CAST(?3 AS BIGINT)"),
            (ShardColumn::Ending, "GREATEST(starting_sequence, trimmed_sequence, CAST(?4 AS BIGINT))"),
        ])
    );
    let params = [
        Param::Integer(stream.0),
        Param::Integer(signed(shard.number)),
        Param::Integer(now.0),
        Param::Integer(signed(last)),
    ];
    counter_of(driver, "close a shard", &sql, &params)
}

fn counter_of(
    driver: Driver<'_>,
    during: &'static str,
    sql: &str,
    params: &[Param<'_>],
) -> Result<u64, StoreError> {
    let counter = driver.first(during, sql, params, |row| row.integer(0))?;
    let counter = counter.ok_or_else(|| StoreError::corrupt("shard", "its row is missing"))?;
    u64::try_from(counter).map_err(|e| StoreError::corrupt("shard", e))
}
