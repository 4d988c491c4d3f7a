//! Which counters a shard has used.

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
    let (first, last) = range_of(shard);
    let params = [Param::Integer(first), Param::Integer(last)];
    driver.first("find the last stream record", &records.last, &params, |row| {
        Ok(unpack(row.integer(0)?)?.counter)
    })
}
