//! Triggers over real databases, with closures for functions.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod faults;
mod harness;
mod lifecycle;
mod lineage;
mod records;
mod stress;
