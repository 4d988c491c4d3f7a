//! The list of targets.

use crate::budget;
use crate::targets::{
    console, exchange_file, expression, http, iterator, number, operation, partiql, pattern, seed_file,
    snapshot_file, stream_file, value,
};

/// Something that takes any bytes and keeps its promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Requests for the pages of the console, forms included.
    Console,
    /// Files that are imported.
    ExchangeFile,
    /// Expressions of all kinds, and evaluating them.
    Expression,
    /// The bytes of a connection to the server.
    Http,
    /// Shard iterators and the tokens of pages.
    Iterator,
    /// DynamoDB's numbers, compared with another implementation.
    Number,
    /// Operations on a live database, whose stream is replayed.
    Operation,
    /// PartiQL statements.
    Partiql,
    /// Lambda's filter patterns, and matching them.
    Pattern,
    /// Files that define tables and items.
    SeedFile,
    /// Database files: snapshots, and what becomes of them on a bad disk.
    SnapshotFile,
    /// Exports of streams.
    StreamFile,
    /// Values and items, their JSON and their keys.
    Value,
}

impl Target {
    /// All targets.
    pub const ALL: [Self; 13] = [
        Self::Console,
        Self::ExchangeFile,
        Self::Expression,
        Self::Http,
        Self::Iterator,
        Self::Number,
        Self::Operation,
        Self::Partiql,
        Self::Pattern,
        Self::SeedFile,
        Self::SnapshotFile,
        Self::StreamFile,
        Self::Value,
    ];

    /// Returns the name of the target, of its program in `fuzz/fuzz_targets` and of its folder in `fuzz/corpus`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::ExchangeFile => "exchange_file",
            Self::Expression => "expression",
            Self::Http => "http",
            Self::Iterator => "iterator",
            Self::Number => "number",
            Self::Operation => "operation",
            Self::Partiql => "partiql",
            Self::Pattern => "pattern",
            Self::SeedFile => "seed_file",
            Self::SnapshotFile => "snapshot_file",
            Self::StreamFile => "stream_file",
            Self::Value => "value",
        }
    }

    /// Runs the target on an input.
    ///
    /// # Panics
    ///
    /// If a promise is broken, or if the input takes more memory or time than it may.
    pub fn run(self, input: &[u8]) {
        let run = match self {
            Self::Console => console::run,
            Self::ExchangeFile => exchange_file::run,
            Self::Expression => expression::run,
            Self::Http => http::run,
            Self::Iterator => iterator::run,
            Self::Number => number::run,
            Self::Operation => operation::run,
            Self::Partiql => partiql::run,
            Self::Pattern => pattern::run,
            Self::SeedFile => seed_file::run,
            Self::SnapshotFile => snapshot_file::run,
            Self::StreamFile => stream_file::run,
            Self::Value => value::run,
        };
        budget::measured(input.len(), || run(input));
    }
}
