//! Sequence numbers: how they are made up, and how they are drawn.
//!
//! A sequence number is the number of a shard above a counter. As one integer it is the primary key of a record, so the records of a
//! shard are one range of the key, in the order of their commits, and appending and reading in order cost the least that a database can do.
//!
//! A counter is drawn by a transaction that holds the shard until its commit, so the order of numbers is the order of commits. None is
//! given out twice, because a consumer that has read a number skips all up to it. The engines keep these promises in two ways:
//!
//! * SQLite has one writer, so the counters of open shards are in its memory (`memory.rs`). A counter that a failed transaction has
//!   drawn is lost, not given back. When a database is opened, counters go on above the last record that is there, or was trimmed.
//! * On PostgreSQL several processes write, so the counter is in the row of the shard (`stored.rs`). The statement that inserts a record
//!   counts it up, which locks the row until the commit.
//!
//! Where records may have been lost together with their numbers, counters leap far ahead (`leap.rs`).

pub(crate) mod drawn;
pub(crate) mod leap;
#[cfg(feature = "sqlite")]
pub(crate) mod memory;
#[cfg(feature = "postgres")]
pub(crate) mod stored;
pub(crate) mod times;

#[cfg(feature = "sqlite")]
use std::sync::atomic::Ordering;
use std::sync::{Arc, atomic::AtomicU64};

use pdb_model::{EventId, SequenceNumber, StreamArn};

use crate::{error::StoreError, names};

const COUNTER_BITS: u32 = 40;
pub(crate) const MAX_COUNTER: u64 = (1 << COUNTER_BITS) - 1;
/// The highest number of a shard; 2^23 shards last for 3800 years of rotation.
pub(crate) const MAX_SHARD: u64 = (1 << (63 - COUNTER_BITS)) - 1;

/// The next counter of an open shard, where it is kept in memory; all copies of the shard share it.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL keeps counters in rows"))]
pub(crate) struct NextCounter(Arc<AtomicU64>);

impl NextCounter {
    pub(crate) fn new(next: u64) -> Self {
        Self(Arc::new(AtomicU64::new(next)))
    }
}

#[cfg(feature = "sqlite")]
impl NextCounter {
    /// Draws a counter; only the writer does.
    pub(crate) fn draw(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// The counter that is drawn next.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, next: u64) {
        self.0.store(next, Ordering::Relaxed);
    }
}

/// The first and last primary key a record of this shard may have.
pub(crate) fn range_of(shard: u64) -> (i64, i64) {
    let first = signed(shard.min(MAX_SHARD)) << COUNTER_BITS;
    (first, first | signed(MAX_COUNTER))
}

pub(crate) fn pack(shard: u64, counter: u64) -> Option<i64> {
    (shard <= MAX_SHARD && counter <= MAX_COUNTER).then(|| signed(shard << COUNTER_BITS | counter))
}

pub(crate) fn unpack(key: i64) -> Result<SequenceNumber, StoreError> {
    let key = u64::try_from(key).map_err(|e| StoreError::corrupt("sequence number", e))?;
    Ok(SequenceNumber { counter: key & MAX_COUNTER, shard: key >> COUNTER_BITS })
}

/// What the event ids of a stream's records have in common.
pub(crate) fn event_salt(arn: &StreamArn) -> u64 {
    let hash = names::hash(&[&arn.to_string()]);
    (hash >> 64) as u64 ^ hash as u64
}

/// Unique by construction: one half is the primary key, unique within a table name, the other a hash of the stream's ARN.
///
/// A unique index on the column would check nothing more, and would cost a fifth of each write with capture (57 against 47
/// microseconds an insert, one commit each): every commit would write one page more.
pub(crate) fn event_id(salt: u64, key: i64) -> EventId {
    EventId(u128::from(salt) << 64 | u128::from(key.unsigned_abs()))
}

/// All our numbers are far below 2^63.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
