//! Leaps: after a possible loss, the counters of open shards go on far above the last one that is known.
//!
//! A database may have lost its end, in a power failure or because an old copy was put in its place, and nothing in it says so.
//! A consumer that read the lost records keeps their sequence numbers, and would skip as many new records if those got the same
//! ones. So wherever such a loss cannot be ruled out (`seal.rs`: the file is not sealed; on PostgreSQL, another run of the
//! server) the next number is one that no lost record can have had.
//!
//! A leap goes a fixed length, but at least to the number of milliseconds since 2026: so the same backup, put back again and again, leads
//! to higher numbers each time. The time is that of a file system or a database server, not the clock of the database, which people move.
//! On SQLite it is also at least a leap above what the lock file notes (`seal.rs`), which stays when an old copy is put back: so it does
//! not matter how quickly the lost numbers were drawn. Without that note, and on PostgreSQL, a shard must take fewer than a thousand
//! records a second in the long run.
//!
//! Counters have 40 bits. That is room for a million leaps; the last half of what is left is never leapt over.

use std::sync::atomic::Ordering;

use pdb_model::EpochMillis;

use crate::{
    catalog::Catalog,
    dialect::Dialect,
    driver::{Driver, Param},
    error::{During, StoreError},
    rows::{
        sequence_number::{MAX_COUNTER, signed},
        table::{OpenShard, StreamId},
    },
    sql::settings,
    transfer,
    tx::Tx,
};

/// The least that is leapt over: more records than are ever lost with `normal` durability, where no more than 128 MB of log are not on
/// the disk; and as many as a shard takes in half a minute, the longest that an operating system keeps what it has not been told
/// to write, at 35,000 a second.
pub(crate) const LEAST: u64 = 1 << 20;
/// The beginning of 2026.
const BEGINNING: EpochMillis = EpochMillis(1_767_225_600_000);

/// Whether there is anybody to leap: not in the target of a copy that is not finished, which is to be as its source is.
pub(crate) fn is_needed(driver: Driver<'_>, catalog: &Catalog) -> Result<bool, StoreError> {
    let has_shards = open_shards(catalog).next().is_some();
    Ok(has_shards && settings::get(driver, transfer::MARK, |_| Ok(()))?.is_none())
}

fn open_shards(catalog: &Catalog) -> impl Iterator<Item = (StreamId, &OpenShard)> {
    let streams = catalog.tables().filter_map(|table| table.stream.as_ref());
    streams.flat_map(|stream| stream.shards.iter().map(|shard| (stream.id, shard)))
}

/// Raises the counters of all open shards of SQLite, in one transaction.
///
/// They will be no less than the time says, and lie a leap above `drawn`. The caller makes that durable before the first number is drawn:
/// otherwise a second loss would take the leap back.
pub(crate) fn leap(
    driver: Driver<'_>,
    catalog: &Catalog,
    now: EpochMillis,
    drawn: u64,
) -> Result<(), StoreError> {
    let floor = floor(now).max(above(drawn));
    let shards: Vec<_> = open_shards(catalog)
        .map(|(stream, shard)| (stream, shard, after(shard.next_counter(), floor)))
        .collect();
    let during = "go on with higher sequence numbers";
    driver.batch("BEGIN IMMEDIATE").during(during)?;
    let raised = shards.iter().try_for_each(|(stream, shard, next)| {
        driver
            .execute(
                "UPDATE pdb_shard SET next_sequence = ?3 WHERE stream_id = ?1 AND number = ?2",
                &[
                    Param::Integer(stream.0),
                    Param::Integer(signed(shard.number)),
                    Param::Integer(signed(*next)),
                ],
            )
            .map(drop)
    });
    if let Err(error) = raised.and_then(|()| driver.batch("COMMIT")) {
        // What failed is told.
        let _ = driver.batch("ROLLBACK");
        return Err(StoreError::Database { during, source: error });
    }
    for (_, shard, next) in &shards {
        shard.next.store(*next, Ordering::Relaxed);
    }
    tracing::info!(
        shards = shards.len(),
        "the database may have lost records: sequence numbers go on far above"
    );
    Ok(())
}

fn after(next: u64, floor: u64) -> u64 {
    (next + LEAST.min(MAX_COUNTER.saturating_sub(next) / 2)).max(floor)
}

/// The number that a note of drawn counters leads to; one that leaves no room is not believed.
fn above(drawn: u64) -> u64 {
    if drawn > 0 && drawn < MAX_COUNTER / 4 * 3 { drawn + LEAST } else { 0 }
}

/// Above all counters that open shards have drawn.
pub(crate) fn counters(catalog: &Catalog) -> u64 {
    open_shards(catalog).map(|(_, shard)| shard.next_counter()).max().unwrap_or(0)
}

/// The number that the time leads to; of a clock that is decades wrong, none.
fn floor(now: EpochMillis) -> u64 {
    let passed = u64::try_from(now.0.saturating_sub(BEGINNING.0)).unwrap_or(0);
    if passed < MAX_COUNTER / 4 * 3 { passed } else { 0 }
}

impl Tx<'_> {
    /// Raises the counters that are stored with the open shards, of all streams.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub(crate) fn leap_stored(&mut self) -> Result<(), StoreError> {
        let sql = leap_stored(self.driver.dialect());
        self.change("go on with higher sequence numbers", sql, &values(BEGINNING))?;
        Ok(())
    }
}

/// The statement that raises what is stored; of SQLite, only of shards that have drawn nothing since they were stored.
pub(crate) fn leap_stored(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "UPDATE pdb_shard SET next_sequence = max(next_sequence + min(?1, (?2 - next_sequence) / 2), ?3) \
             WHERE closed_at IS NULL"
        }
        Dialect::Postgres => {
            "UPDATE pdb_shard SET next_sequence = GREATEST(next_sequence \
             + LEAST(CAST(?1 AS BIGINT), (CAST(?2 AS BIGINT) - next_sequence) / 2), CAST(?3 AS BIGINT)) \
             WHERE closed_at IS NULL"
        }
    }
}

/// Its values.
pub(crate) fn values(now: EpochMillis) -> [Param<'static>; 3] {
    [LEAST, MAX_COUNTER, floor(now)].map(|value| Param::Integer(signed(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaps_are_long_and_never_use_up_the_numbers() {
        let mut counter = 1;
        for _ in 0..1_000_000 {
            let next = after(counter, 0);
            assert_eq!(next - counter, LEAST);
            counter = next;
        }
        for _ in 0..1_000_000 {
            counter = after(counter, 0);
        }
        assert!(counter < MAX_COUNTER, "{counter}");
        assert_eq!(after(MAX_COUNTER + 1, 0), MAX_COUNTER + 1);
    }

    #[test]
    fn a_leap_goes_above_what_is_noted() {
        assert_eq!(above(0), 0);
        assert_eq!(above(5_000_000), 5_000_000 + LEAST);
        assert_eq!(after(7, above(5_000_000)), 5_000_000 + LEAST);
        // A damaged note does not use up the numbers.
        assert_eq!(above(u64::MAX), 0);
    }

    #[test]
    fn later_leaps_from_the_same_place_go_further() {
        let after_days = |days: i64| after(1, floor(EpochMillis(BEGINNING.0 + days * 86_400_000)));
        assert_eq!(after_days(-1), LEAST + 1);
        assert!((1..9000).all(|days| after_days(days) < after_days(days + 1)));
        // A wrong clock takes nothing away.
        assert_eq!(after_days(300_000), LEAST + 1);
    }
}
