//! The crate through its public interface, on streams of a database in memory. The texts of failures are what is tested most.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod caught_up;
mod diff;
mod expect;
mod export;
mod harness;
