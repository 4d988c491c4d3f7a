//! Damaged databases: no answer is wrong, and `pretender check` reports the damage.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod bytes;
mod file;
mod findings;
mod sound;
