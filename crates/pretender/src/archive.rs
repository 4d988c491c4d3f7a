//! Archives: stream records go to a store of objects before they are trimmed, and can be read from there.
//!
//! A stream keeps its records for 24 hours. With [`Builder::archive`](crate::Builder::archive), each hour of each shard becomes an object of
//! compressed JSON lines before that, and the trim waits until it is written. A subscription that begins with
//! [`from_archive`](FromArchive::from_archive) reads the archive and goes on in the live stream, without a gap, and without reading a record
//! twice. Its checkpoints are those of the live stream.
//!
//! # Examples
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use pretender::archive::{ArchiveOptions, FromArchive};
//! use pretender::objects::MemoryObjects;
//! use pretender::prelude::*;
//! use pretender::time::ManualClock;
//!
//! let objects = MemoryObjects::new();
//! objects.create_bucket("archive");
//! let db = Pretender::builder()
//!     .clock(Arc::new(ManualClock::running()))
//!     .objects(Arc::new(objects))
//!     .archive(ArchiveOptions::new("archive"))
//!     .open()?;
//! let orders = TableName::new("Orders")?;
//! db.create_table(CreateTableInput {
//!     stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
//!     ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None)
//! })?;
//! db.put_item(PutItemInput::new(orders.clone(), Item::new().with("id", "o1")))?;
//! db.advance(Duration::from_secs(48 * 3600))?;
//! db.put_item(PutItemInput::new(orders, Item::new().with("id", "o2")))?;
//!
//! assert_eq!(db.subscribe().table("Orders").start()?.count(), 1);
//! assert_eq!(db.subscribe().from_archive().table("Orders").start()?.count(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc(inline)]
pub use pdb_archive::{
    Archive, ArchiveError, ArchiveLocation, ArchiveOptions, ArchiveReader, ArchiveStatus, ArchivedLine,
    ArchivedRecord, ArchivedShard, ArchivedStreams, Gap, LocationError, Manifest, NoLiveStreams, Segment,
};
use pdb_streams::SubscriptionBuilder;

use crate::Pretender;
use crate::streams::StreamReader;

/// Subscriptions that begin in an archive.
pub trait FromArchive {
    /// Reads the archive of the database before its streams: the trim horizon is the first archived record. If the database was opened without
    /// an archive, the subscription does not start.
    #[must_use]
    #[expect(clippy::wrong_self_convention, reason = "it says where the subscription begins, as `from` does")]
    fn from_archive(self) -> SubscriptionBuilder<ArchivedStreams<StreamReader>>;
}

impl FromArchive for SubscriptionBuilder<StreamReader> {
    fn from_archive(self) -> SubscriptionBuilder<ArchivedStreams<StreamReader>> {
        self.map_source(StreamReader::with_archive)
    }
}

impl Pretender {
    /// Returns what the archive has done since the database was opened, and how it is doing; `None` without an archive.
    #[must_use]
    pub fn archive_status(&self) -> Option<ArchiveStatus> {
        self.inner.archive.as_ref().map(|archive| archive.status())
    }

    pub(crate) fn archive_location(&self) -> Option<ArchiveLocation> {
        self.inner.archive.as_ref().map(|archive| archive.location().clone())
    }
}
