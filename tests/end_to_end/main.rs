//! End-to-end tests: the same scenarios through the typed library and over HTTP, and invariants.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod at_timestamp;
mod driver;
mod http;
mod invariants;
mod library;
mod observe;
mod place;
mod point_in_time;
mod power_loss;
mod scan_order;
mod scenarios;
mod snapshots;
mod transfers;
mod vectors;
