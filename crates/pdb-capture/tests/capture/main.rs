//! Tests of captured writes, through the store they write to.
#![expect(clippy::unwrap_used, reason = "a test has no use for an error")]

mod crash;
mod entries;
mod follow;
mod indexes;
mod records;
mod replay;
mod support;
