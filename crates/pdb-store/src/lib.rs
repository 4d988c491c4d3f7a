#![doc = include_str!("../README.md")]

mod backups;
mod catalog;
mod checkpoint;
mod documents;
mod driver;
mod error;
mod group;
mod items;
mod migrate;
mod names;
mod options;
mod pending;
mod pool;
mod records;
mod rotation;
mod shards;
mod sqlite;
mod statistics;
mod store;
mod table;
mod tables;
mod tokens;
mod tx;
mod watch;

pub use error::{DbError, OpenError, StoreError};
pub use items::{Direction, ItemRow, KeyRange, RowRef};
pub use options::{Durability, Location, StoreOptions};
pub use pending::Pending;
pub use records::{NewRecord, RecordRef};
pub use shards::{NewShard, ShardRow, StreamRow};
pub use statistics::Statistics;
pub use store::Store;
pub use table::{OpenShard, OpenStream, StreamId, Table, TableId};
pub use tokens::TokenRow;
pub use tx::{ReadTx, Tx};
