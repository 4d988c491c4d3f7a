//! The test instrument: expected changes, consumers that catch up, snapshots, replay, and commands for shards, records and time.
//!
//! The commands are methods of [`Pretender`](crate::Pretender), among others
//! [`expect_changes`](crate::Pretender::expect_changes), [`save_snapshot`](crate::Pretender::save_snapshot),
//! [`split_shards`](crate::Pretender::split_shards) and [`advance`](crate::Pretender::advance).
//!
//! # Examples
//!
//! ```
//! use pretender::prelude::*;
//!
//! let db = Pretender::in_memory()?;
//! let orders = TableName::new("Orders")?;
//! db.create_table(CreateTableInput {
//!     stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
//!     ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None)
//! })?;
//! db.save_snapshot("empty")?;
//!
//! // The code under test.
//! db.put_item(PutItemInput::new(orders.clone(), Item::new().with("id", "o1")))?;
//!
//! let changes = db.changes("Orders")?;
//! assert_eq!(changes[0].event_name, EventName::Insert);
//! db.restore_snapshot("empty")?;
//! assert_eq!(db.scan(ScanInput::new(orders))?.count, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod changes;
mod control;
mod memory_snapshots;
mod snapshots;

pub use changes::{ReplayError, ReplayReport};
pub use control::{ControlError, ShardSummary};
pub use snapshots::SnapshotSummary;

pub(crate) use memory_snapshots::MemorySnapshots;

#[doc(inline)]
pub use pdb_assert::{
    CatchUpError, Change, ChangeParseError, ExpectChanges, ExpectError, ExportError, ImportError, ReadError,
    StreamDiff,
};
#[doc(inline)]
pub use pdb_cleanup::{SweepReport, TrimReport};
