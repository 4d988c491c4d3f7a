//! Archives of databases: what is written, what a trim waits for, and what readers get.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod bound;
mod damage;
mod harness;
mod hours;
mod model;
mod objects;
mod restart;
