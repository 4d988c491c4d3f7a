#![doc = include_str!("../README.md")]
//!
//! # Where to look
//!
//! | module | has |
//! | --- | --- |
//! | [`prelude`] | the names that nearly every program needs |
//! | [`items`], [`tables`], [`streams`] | inputs and outputs of the operations, which are methods of [`Pretender`] |
//! | [`model`], [`time`], [`errors`] | values of the API, clocks, errors |
//! | [`testing`], [`faults`] | expected changes, snapshots, shards and time by command; faults on demand |
//! | [`access`] | limits for the callers of a front end |
//! | [`observe`] | what happens in a database: traffic, streams, readers |
//! | [`bulk`] | many writes, and all items of a table |
//! | [`transfers`] | imports and bulk operations: items from buckets |
//! | [`objects`] | where exports, imports and archives find their buckets |
//! | [`maintenance`] | backups, copies and checks of whole databases |

pub mod access;
pub mod archive;
mod arguments;
mod builder;
pub mod bulk;
mod database;
pub mod errors;
pub mod faults;
pub mod items;
mod location;
pub mod maintenance;
pub mod model;
pub mod objects;
pub mod observe;
pub mod prelude;
pub mod streams;
pub mod tables;
pub mod testing;
pub mod time;
pub mod transfers;

pub use builder::Builder;
pub use database::Pretender;
#[doc(inline)]
pub use pdb_items::{Habits, MessageLayer};
#[doc(inline)]
pub use pdb_store::Durability;
