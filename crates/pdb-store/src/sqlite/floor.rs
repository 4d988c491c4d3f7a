//! The counters of shards that are gone. A copy of the database may have these shards still, and take the place of the database: then they
//! go on above all that they have ever drawn.

use crate::{
    driver::Driver, error::StoreError, params::Param, rows::table::StreamId, sequence::signed, sql::settings,
};

/// The setting that keeps it.
const FLOOR: &str = "sequence_floor";

/// Returns a counter that no shard of this database has drawn that is gone: one that was deleted, or is of a past that a copy replaced.
pub(crate) fn floor(driver: Driver<'_>) -> Result<u64, StoreError> {
    let floor = settings::get(driver, FLOOR, |value| {
        let parsed = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| StoreError::corrupt("setting", "it is not a number"))
    })?;
    Ok(floor.unwrap_or(0))
}

/// Writes down what [`floor`] returns.
pub(crate) fn set_floor(driver: Driver<'_>, floor: u64) -> Result<(), StoreError> {
    settings::set(driver, FLOOR, floor.to_string().as_bytes())
}

/// Notes the counter of a closed shard that is about to be deleted.
pub(crate) fn note_shard(driver: Driver<'_>, stream: StreamId, number: u64) -> Result<(), StoreError> {
    let sql = "SELECT next_sequence FROM pdb_shard WHERE stream_id = ?1 AND number = ?2";
    let params = [Param::Integer(stream.0), Param::Integer(signed(number))];
    let next = driver.first("read a shard", sql, &params, |row| row.count(0))?;
    match next {
        Some(next) if next > floor(driver)? => set_floor(driver, next),
        _ => Ok(()),
    }
}
