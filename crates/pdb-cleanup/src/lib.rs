#![doc = include_str!("../README.md")]

mod error;
mod expire;
mod pace;
mod rotate;
mod sweep;
mod sweeper;
mod trim;

pub use error::CleanupError;
pub use expire::expire_items;
pub use pace::Pace;
pub use rotate::{rotate_shards, rotate_shards_of, split_shard};
pub use sweep::{CleanupOptions, RETENTION, SweepReport, sweep};
pub use sweeper::Sweeper;
pub use trim::{TrimReport, trim, trim_stream};
