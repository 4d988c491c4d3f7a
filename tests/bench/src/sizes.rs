//! The sizes of the benchmarks.

use std::time::Duration;

/// How much a run does: by default, with `--quick`, or as the options say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Operations of one case in process.
    pub(crate) operations: u64,
    /// How often each case is repeated.
    pub(crate) turns: u32,
    /// How long a turn over HTTP lasts.
    pub(crate) turn: Duration,
    /// How long a server may take to be filled before it is measured with what it has.
    pub(crate) fill: Duration,
    /// Records of the long stream, and items of the large table.
    pub(crate) records: u64,
    /// Tables of the database with many.
    pub(crate) tables: u64,
    /// Databases in memory, each for a test of its own.
    pub(crate) databases: usize,
    /// The selection that takes some two minutes.
    pub(crate) quick: bool,
}

impl Sizes {
    /// Returns the usual sizes.
    pub(crate) fn usual() -> Self {
        Self {
            operations: 100_000,
            turns: 5,
            turn: Duration::from_secs(3),
            fill: Duration::from_secs(60),
            records: 1_000_000,
            tables: 10_000,
            databases: 1_000,
            quick: false,
        }
    }

    /// Returns the sizes of a run of some two minutes.
    pub(crate) fn quick() -> Self {
        Self {
            operations: 10_000,
            turns: 2,
            turn: Duration::from_secs(1),
            fill: Duration::from_secs(10),
            records: 50_000,
            tables: 500,
            databases: 200,
            quick: true,
        }
    }
}
