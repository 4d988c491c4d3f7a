#![doc = include_str!("../README.md")]

mod builder;
mod control;
mod database;
mod errors;
mod items;
mod streams;
mod table_operations;

pub use builder::Builder;
pub use control::{ControlError, ShardSummary};
pub use database::Pretender;

pub use pdb_cleanup::{SweepReport, TrimReport};
pub use pdb_items::tables::*;
pub use pdb_items::*;
pub use pdb_model::*;
pub use pdb_store::{Durability, OpenError, RecordRef, StoreError};
pub use pdb_streams::*;
