//! Tests of the crate through its public interface, on streams of a database in memory. Most of them check the texts of failures.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod caught_up;
mod diff;
mod expect;
mod export;
mod harness;
