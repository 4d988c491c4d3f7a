//! What is done with the bytes that a fuzzer makes up.
//!
//! A [`Target`] takes any bytes, does something with them that a user could do, and panics if a promise is broken. Three programs use the
//! same targets: cargo-fuzz (`fuzz/`), which looks for bytes that reach new code; the test `replay`, which repeats the inputs that were
//! kept in `fuzz/corpus`; and the test `random`, in which proptest makes up the bytes.
//!
//! Structured inputs are made from the bytes by a [`Source`], so that a change of a byte changes one decision. Every input has a
//! budget of memory and time: a small request that takes gigabytes is a failure, too.

#![expect(clippy::unwrap_used, reason = "a failure is a panic")]

mod budget;
mod database;
mod grammar;
mod requests;
mod source;
mod target;
mod targets;
mod values;

pub use budget::{MAX_MEMORY, MAX_SECONDS, MEMORY_PER_BYTE};
pub use source::Source;
pub use target::Target;
