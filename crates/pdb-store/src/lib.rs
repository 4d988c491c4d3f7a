#![doc = include_str!("../README.md")]

mod activity;
mod catalog;
mod checksum;
mod dialect;
mod driver;
mod error;
mod inspection;
mod job;
mod key_columns;
mod migrate;
mod names;
mod options;
mod params;
mod pending;
#[cfg(feature = "postgres")]
mod postgres;
mod read_tx;
mod rows;
mod sequence;
mod shared_map;
mod sql;
mod sqlite;
mod store;
mod threads;
mod transaction;
mod transfer;
mod tx;
mod watch;

pub use activity::{Activities, Activity, ActivityReport};
pub use error::{DbError, OpenError, StoreError};
pub use inspection::{EachRow, Inspection, RowSum, StoredEntry, StoredItem, StoredRecord, StoredRow};
pub use options::{Durability, Location, StoreOptions};
pub use pending::Pending;
pub use read_tx::ReadTx;
pub use rows::{
    items::{Direction, ItemRow, KeyRange, RowRef},
    records::{NewRecord, RecordRef},
    shards::{ClosedShard, NewShard, ShardRow, StreamRow},
    statistics::Statistics,
    table::{OpenShard, OpenStream, StreamId, Table, TableId},
    tokens::TokenRow,
};
pub use sql::clear::ClearReport;
pub use sqlite::{
    backup::{BackupPlan, back_up, is_copy, receive},
    copy::{CopiedBytes, CopyDescription, DatabaseCopy, EachStep, ReadStep},
    engine::CompactReport,
    interrupt::Impatience,
};
pub use store::Store;
pub use transfer::{Digest, Part, Place, Rows, Shape};
pub use tx::Tx;
