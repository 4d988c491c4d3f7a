//! Leaps: after a possible loss, the counters of open shards go on far above the last one that is known.
//!
//! A database may have lost its end, in a power failure or because an old copy was put in its place, and nothing in it says so.
//! A consumer that read the lost records keeps their sequence numbers, and would skip as many new records if those got the same
//! ones. So if such a loss cannot be ruled out (`sqlite/seal.rs`: the file is not sealed; on PostgreSQL, another run of the
//! server) the next number is one that no lost record can have had.
//!
//! A leap goes a fixed length, but at least to the number of milliseconds since 2026: so the same backup, put back again and again, leads
//! to higher numbers each time. The time is that of a file system or a database server, not the clock of the database, which people move.
//! On SQLite it is also at least a leap above what the lock file notes (`sqlite/seal.rs`), which stays when an old copy is put back: so it does
//! not matter how quickly the lost numbers were drawn. Without that note, and on PostgreSQL, a shard must take fewer than a thousand
//! records a second in the long run.
//!
//! Counters have 40 bits. That is room for a million leaps; the last half of what is left is never leapt over.

use pdb_model::EpochMillis;

use crate::{
    dialect::Dialect,
    params::Param,
    sequence::{MAX_COUNTER, signed},
};

/// The least that is leapt over: more records than are ever lost with `normal` durability, where no more than 128 MB of log are not on
/// the disk; and as many as a shard takes in half a minute, the longest that an operating system keeps what it has not been told
/// to write, at 35,000 a second.
pub(crate) const LEAST: u64 = 1 << 20;
/// The beginning of 2026.
pub(crate) const BEGINNING: EpochMillis = EpochMillis(1_767_225_600_000);

/// The number that the time leads to; of a clock that is decades wrong, none.
pub(crate) fn floor(now: EpochMillis) -> u64 {
    let passed = u64::try_from(now.0.saturating_sub(BEGINNING.0)).unwrap_or(0);
    if passed < MAX_COUNTER / 4 * 3 { passed } else { 0 }
}

/// SQL that raises the counters that are stored with all open shards. On SQLite, to be used only while no shard has
/// drawn since it was stored: the counters in memory are not raised.
pub(crate) fn raise_all_stored(dialect: Dialect) -> String {
    let (greatest, least) = dialect.greatest_and_least();
    format!(
        "UPDATE pdb_shard SET next_sequence = {greatest}(next_sequence \
         + {least}(CAST(?1 AS BIGINT), (CAST(?2 AS BIGINT) - next_sequence) / 2), CAST(?3 AS BIGINT)) \
         WHERE closed_at IS NULL"
    )
}

/// The values of that statement, where the time is `now`; without a time, no counter is raised to what it says.
pub(crate) fn values(now: Option<EpochMillis>) -> [Param<'static>; 3] {
    [LEAST, MAX_COUNTER, now.map_or(0, floor)].map(|value| Param::Integer(signed(value)))
}
