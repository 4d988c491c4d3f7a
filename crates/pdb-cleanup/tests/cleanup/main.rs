//! Cleaning up a database in memory, by a clock in the test's hand.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod expire;
mod harness;
mod histories;
mod recovery;
mod rotate;
mod sweeper;
mod trim;
