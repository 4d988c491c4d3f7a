//! End-to-end tests of the workspace; see the test binaries beside this file. Here is what they share with the program that writes
//! fixtures.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

pub mod formats;
pub mod scan_order;
