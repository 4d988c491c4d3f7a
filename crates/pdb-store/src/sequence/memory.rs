//! Counters in the memory of the only writer: SQLite.

use pdb_model::EpochMillis;

use crate::{
    catalog::Catalog,
    checksum::{ShardColumn, set_shard_columns},
    driver::Driver,
    error::{During, StoreError},
    params::Param,
    rows::{
        shards::ShardRow,
        table::{OpenShard, StreamId},
    },
    sequence::{
        MAX_COUNTER,
        leap::{self, LEAST},
        pack, signed,
    },
};

/// Draws the sequence number of a record.
pub(crate) fn draw_for_record(shard: &OpenShard) -> Result<i64, StoreError> {
    let counter = shard.next.draw();
    pack(shard.number, counter).ok_or_else(|| StoreError::Exhausted(format!("shard `{}`", shard.id)))
}

/// Draws a counter that no record gets.
pub(crate) fn draw(shard: &OpenShard) -> u64 {
    shard.next.draw()
}

/// Returns a counter above all that an open shard has used, whose last record has the counter `last`: above all records, trimmed or
/// not, also those of a past that a copy of the database replaced.
pub(crate) fn next_counter(shard: &ShardRow, last: u64) -> u64 {
    (last.max(shard.starting).max(shard.trimmed) + 1).max(shard.least_next)
}

/// Notes that a shard is closed, whose last record has the counter `last`; returns a counter above all that it has used.
pub(crate) fn close(
    driver: Driver<'_>,
    stream: StreamId,
    shard: &OpenShard,
    now: EpochMillis,
    last: u64,
) -> Result<u64, StoreError> {
    let next = shard.next.get();
    // Trimmed records were shown to readers: the end does not fall below them. The next number may lie far above the last record.
    let sql = format!(
        "UPDATE pdb_shard SET next_sequence = ?5, {} WHERE stream_id = ?1 AND number = ?2",
        set_shard_columns(&[
            (ShardColumn::Closed, "?3"),
            (ShardColumn::Ending, "max(starting_sequence, trimmed_sequence, ?4)"),
        ])
    );
    let params = [
        Param::Integer(stream.0),
        Param::Integer(signed(shard.number)),
        Param::Integer(now.0),
        Param::Integer(signed(last)),
        Param::Integer(signed(next)),
    ];
    driver.execute(&sql, &params).during("close a shard")?;
    Ok(next)
}

fn open_shards(catalog: &Catalog) -> impl Iterator<Item = (StreamId, &OpenShard)> {
    let streams = catalog.tables().filter_map(|table| table.stream.as_ref());
    streams.flat_map(|stream| stream.shards.iter().map(|shard| (stream.id, shard)))
}

/// Whether there is a shard whose counter could leap.
pub(crate) fn has_open_shards(catalog: &Catalog) -> bool {
    open_shards(catalog).next().is_some()
}

/// A number above all counters that open shards have drawn.
pub(crate) fn above_all(catalog: &Catalog) -> u64 {
    open_shards(catalog).map(|(_, shard)| shard.next.get()).max().unwrap_or(0)
}

/// Raises the counters of all open shards, in one transaction.
///
/// They will be no less than the time says, and lie a leap above `drawn`. The caller makes that durable before the first number is drawn:
/// otherwise a second loss would take the leap back.
pub(crate) fn leap(
    driver: Driver<'_>,
    catalog: &Catalog,
    now: EpochMillis,
    drawn: u64,
) -> Result<(), StoreError> {
    let floor = leap::floor(now).max(above(drawn));
    let shards: Vec<_> =
        open_shards(catalog).map(|(stream, shard)| (stream, shard, after(shard.next.get(), floor))).collect();
    let during = "go on with higher sequence numbers";
    driver.batch("BEGIN IMMEDIATE").during(during)?;
    let raised = shards.iter().try_for_each(|(stream, shard, next)| {
        let sql = "UPDATE pdb_shard SET next_sequence = ?3 WHERE stream_id = ?1 AND number = ?2";
        let params =
            [Param::Integer(stream.0), Param::Integer(signed(shard.number)), Param::Integer(signed(*next))];
        driver.execute(sql, &params).map(drop)
    });
    if let Err(error) = raised.and_then(|()| driver.batch("COMMIT")) {
        // What failed is told.
        let _ = driver.batch("ROLLBACK");
        return Err(StoreError::Database { during, source: error });
    }
    for (_, shard, next) in &shards {
        shard.next.set(*next);
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

/// Returns the highest counter that a database knows of, which may have been drawn: stored with a shard, or in memory.
pub(crate) fn highest(driver: Driver<'_>, catalog: &Catalog) -> Result<u64, StoreError> {
    let sql = "SELECT coalesce(max(next_sequence), 0) FROM pdb_shard";
    let stored = driver.first("read sequence numbers", sql, &[], |row| row.count(0))?;
    Ok(stored.unwrap_or(0).max(above_all(catalog)))
}

/// Raises what is stored with shards to at least `floor`, in a database that is not open yet. Closed ones too: a reader may have got further in a past in
/// which they were open.
pub(crate) fn raise_stored(driver: Driver<'_>, floor: u64) -> Result<(), StoreError> {
    let sql = "UPDATE pdb_shard SET next_sequence = max(next_sequence, ?1)";
    driver.execute(sql, &[Param::Integer(signed(floor))]).during("go on with sequence numbers")?;
    Ok(())
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
        let day = |days: i64| EpochMillis(leap::BEGINNING.0 + days * 86_400_000);
        let after_days = |days: i64| after(1, leap::floor(day(days)));
        assert_eq!(after_days(-1), LEAST + 1);
        assert!((1..9000).all(|days| after_days(days) < after_days(days + 1)));
        // A wrong clock takes nothing away.
        assert_eq!(after_days(300_000), LEAST + 1);
    }
}
