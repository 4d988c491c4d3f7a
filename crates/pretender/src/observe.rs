//! What happens in a database: its traffic, how much is in its streams, and how far their readers have come.
//!
//! Looking changes nothing. All times and ages are those of the clock of the database.
//!
//! # Examples
//!
//! ```
//! use pretender::prelude::*;
//!
//! let db = Pretender::in_memory()?;
//! db.create_table(CreateTableInput {
//!     stream_specification: Some(StreamSpecification::enabled(StreamViewType::KeysOnly)),
//!     ..CreateTableInput::new("Orders".parse()?, ("id", ScalarType::S), None)
//! })?;
//! db.put_item(PutItemInput::new("Orders".parse()?, Item::new().with("id", "o1")))?;
//!
//! let streams = db.stream_reports()?;
//! assert_eq!(streams[0].shards[0].backlog.records, 1);
//! let (table, traffic) = &db.traffic()[0];
//! assert_eq!((table.as_str(), traffic.captured_records, traffic.write_half_units), ("Orders", 1, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::sync::Arc;

use pdb_model::{ApiError, StreamArn, TableName};

#[doc(inline)]
pub use pdb_store::{StoreMetrics, StoreObserver, TableTraffic};
#[doc(inline)]
pub use pdb_streams::{Backlog, ReaderKind, ReaderReport, ShardReport, StreamReport};

use crate::Pretender;
use crate::errors::streams_error;

impl Pretender {
    /// Returns what the store has done since it was opened.
    #[must_use]
    pub fn store_metrics(&self) -> StoreMetrics {
        self.inner.store.metrics()
    }

    /// Tells an observer what the store does from now on. A database has at most one; returns whether it is this one.
    pub fn observe_store(&self, observer: Arc<dyn StoreObserver>) -> bool {
        self.inner.store.observe(observer)
    }

    /// Returns what was read and written of each table and its streams since the database was opened, ordered by name. Tables that
    /// were deleted meanwhile are among them.
    #[must_use]
    pub fn traffic(&self) -> Vec<(TableName, TableTraffic)> {
        self.inner.store.traffic()
    }

    /// Returns all streams with their shards and how much is in them, ordered by ARN. Counts up to 10,000 records of each shard.
    ///
    /// # Errors
    ///
    /// [`ApiError`] if the store fails.
    pub fn stream_reports(&self) -> Result<Vec<StreamReport>, ApiError> {
        self.inner.streams.stream_reports().map_err(streams_error)
    }

    /// Returns one stream with its shards and how much is in them. Counts up to 10,000 records of each shard.
    ///
    /// # Errors
    ///
    /// [`ApiError`] if there is no such stream, or the store fails.
    pub fn stream_report(&self, stream_arn: &StreamArn) -> Result<StreamReport, ApiError> {
        self.inner.streams.stream_report(stream_arn).map_err(streams_error)
    }

    /// Returns who reads streams and how far behind they are: chains of iterators, subscriptions and triggers that have read in the
    /// last 15 minutes. A reader of several shards is listed for each.
    ///
    /// # Errors
    ///
    /// [`ApiError`] if the store fails.
    pub fn readers(&self) -> Result<Vec<ReaderReport>, ApiError> {
        self.inner.streams.reader_reports().map_err(streams_error)
    }
}
