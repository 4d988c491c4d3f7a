//! The one door, through the store it writes to.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod crash;
mod follow;
mod indexes;
mod records;
mod replay;
mod support;
