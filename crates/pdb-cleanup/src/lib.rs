#![doc = include_str!("../README.md")]

mod error;
mod expire;
mod guard;
mod histories;
mod rotate;
mod sweep;
mod sweeper;
mod throttle;
mod trim;

pub use error::CleanupError;
pub use expire::expire_items;
pub use guard::{Released, TrimGuard, TrimTimes};
pub use histories::trim_histories;
pub use rotate::{rotate_shards, rotate_shards_of_stream, split_shard};
pub use sweep::{CleanupOptions, RETENTION, SweepReport, sweep};
pub use sweeper::Sweeper;
pub use throttle::Throttle;
pub use trim::{TrimReport, trim, trim_guarded, trim_stream};
