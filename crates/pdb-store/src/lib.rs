//! Items, index entries and stream records in an SQL database.
// The example of the README is a database in memory.
#![cfg_attr(feature = "sqlite", doc = "", doc = include_str!("../README.md"))]

mod activity;
mod background;
mod catalog;
mod checksum;
mod db_error;
mod dialect;
mod driver;
mod engine;
mod error;
mod inspection;
mod interrupt_guard;
mod job;
mod key_columns;
mod location;
mod metrics;
mod migrate;
mod names;
mod options;
mod params;
mod past;
mod pending;
#[cfg(feature = "postgres")]
mod postgres;
mod read_tx;
mod rows;
mod sequence;
mod shared_map;
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod threads;
mod trace;
mod traffic;
mod transaction;
mod transfer;
mod tx;
mod watch;

pub use activity::{Activities, Activity, ActivityReport};
pub use db_error::DbError;
pub use error::{OpenError, StoreError};
pub use inspection::{
    EachRow, Inspection, RowSum, StoredChange, StoredEntry, StoredItem, StoredRecord, StoredRow,
};
pub use interrupt_guard::InterruptGuard;
pub use metrics::{StoreMetrics, StoreObserver};
pub use options::{Durability, Location, StoreOptions};
pub use past::{NetChange, NetChanges, PastItems, PastState};
pub use pending::Pending;
pub use read_tx::ReadTx;
pub use rows::{
    history::HistorySpan,
    items::{Direction, ItemRow, KeyRange, NewEntry, RowRef, VectorRow},
    records::{NewRecord, RecordRef},
    shards::{ClosedShard, NewShard, ShardRow, StreamRow},
    statistics::Statistics,
    table::{OpenShard, OpenStream, StreamId, Table, TableId},
    tokens::TokenRow,
};
pub use sql::clear::ClearReport;
#[cfg(feature = "sqlite")]
pub use sqlite::{
    backup::{BackupPlan, back_up, is_copy, receive},
    copy::{CopiedBytes, CopyDescription, DatabaseCopy, EachStep, ReadStep},
    engine::compact::CompactReport,
};
pub use store::Store;
pub use traffic::TableTraffic;
pub use transfer::{Digest, Part, Place, Rows, Shape};
pub use tx::Tx;
