//! The store through its public interface.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

#[cfg(feature = "sqlite")]
mod catalog;
#[cfg(feature = "postgres")]
mod connections;
#[cfg(feature = "sqlite")]
mod copies;
#[cfg(feature = "sqlite")]
mod damage;
#[cfg(feature = "sqlite")]
mod files;
#[cfg(feature = "sqlite")]
mod kills;
#[cfg(feature = "sqlite")]
mod many_shards;
#[cfg(feature = "sqlite")]
mod opening;
#[cfg(feature = "sqlite")]
mod orders;
#[cfg(feature = "sqlite")]
mod ranges;
#[cfg(feature = "sqlite")]
mod reset;
#[cfg(feature = "postgres")]
mod server;
#[cfg(feature = "sqlite")]
mod streams;
#[cfg(feature = "sqlite")]
mod times;
#[cfg(feature = "sqlite")]
mod tokens;
#[cfg(feature = "sqlite")]
mod traces;
#[cfg(feature = "sqlite")]
mod transfer;
#[cfg(feature = "sqlite")]
mod untrusted;
