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
pub use change::{Change, ChangeParseError};
pub use diff::StreamDiff;
pub use expect::{ExpectChanges, ExpectError, expect_changes};
pub use export::{ExportError, ImportError, export, import};
pub use read::{ReadError, read_changes, subscribe_to};

/// Implements `Debug` with the text of `Display`: `unwrap()` in a test prints the `Debug` of an error, where a table would be one long line
/// with `\n` in it.
macro_rules! debug_as_display {
    ($($name:ty),*) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        })*
    };
}

debug_as_display!(
    CatchUpError,
    ExpectError,
    ExportError,
    ImportError,
    ChangeParseError,
    ReadError,
    StreamDiff
);
