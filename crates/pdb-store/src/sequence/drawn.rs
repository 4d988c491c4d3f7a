//! Which counters a shard has used.

use pdb_model::EpochMillis;

use crate::{
    driver::Driver,
    error::StoreError,
    params::Param,
    sequence::{range_of, unpack},
    sql::texts::RecordTable,
};

/// Returns the counter of the last record that a shard has.
pub(crate) fn last_counter(
    driver: Driver<'_>,
    records: &RecordTable,
    shard: u64,
) -> Result<Option<u64>, StoreError> {
    Ok(last_record(driver, records, range_of(shard))?.map(|(counter, _)| counter))
}

/// Returns the counter and the creation time of the last record in a range of keys.
pub(crate) fn last_record(
    driver: Driver<'_>,
    records: &RecordTable,
    (first, last): (i64, i64),
) -> Result<Option<(u64, EpochMillis)>, StoreError> {
    let params = [Param::Integer(first), Param::Integer(last)];
    driver.first("find the last stream record", &records.last, &params, |row| {
        Ok((unpack(row.integer(0)?)?.counter, EpochMillis(row.integer(1)?)))
    })
}
