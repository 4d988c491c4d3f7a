#![doc = include_str!("../README.md")]

mod backfill;
mod error;
mod expiry;
mod indexes;
mod stream;
mod write;

pub use backfill::{backfill_expiry, backfill_index};
pub use error::CaptureError;
pub use expiry::expires_at;
pub use indexes::{BaseKey, Entry, IndexChange, IndexChangeKind, index_entry, needs_attribute};
pub use stream::{disable_stream, enable_stream};
pub use write::{LockedItem, WriteReport, lock_item, write_encoded_item, write_item};
