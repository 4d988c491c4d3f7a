//! The code that the end-to-end tests, which are the test binaries beside this folder, share with the program that writes
//! fixtures.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

pub mod formats;
pub mod scan_order;
