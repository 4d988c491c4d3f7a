#![doc = include_str!("../README.md")]

mod align;
mod caught_up;
mod change;
mod diff;
mod expect;
mod export;
mod read;
mod show;

pub use caught_up::{CatchUpError, wait_until_caught_up};
pub use change::{Change, NotAChange};
pub use diff::StreamDiff;
pub use expect::{ExpectChanges, ExpectError, expect_changes};
pub use export::{ExportError, ImportError, export, import};
pub use read::{ReadError, of_stream, read_changes};
