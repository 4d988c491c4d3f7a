//! The official clients against a database in this process.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod cancellation;
mod faults;
mod harness;
mod isolation;
mod items;
mod postgres;
mod refusals;
mod runtimes;
mod streams;
mod tables;
mod transactions;
mod vectors;
