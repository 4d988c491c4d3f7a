//! The store through its public interface.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod catalog;
mod connections;
mod copies;
mod damage;
mod files;
mod kills;
mod many_shards;
mod opening;
mod orders;
mod ranges;
mod reset;
mod server;
mod streams;
mod tokens;
mod transfer;
mod untrusted;
